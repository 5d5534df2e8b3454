// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Search/Sensitivity.h"
#include "dyadic/Search/Problem.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include <atomic>
#include <cmath>
#include <mutex>
#include <thread>

using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

namespace dyadic {

SensitivityMetric::~SensitivityMetric() = default;
SensitivityEvaluator::~SensitivityEvaluator() = default;

const std::array<const SensitivityMetric *, kNumMetrics> &sensitivityMetrics() {
  static const std::array<const SensitivityMetric *, kNumMetrics> all = {&divergenceMetric, &errorMetric, &layerMetric};
  return all;
}

std::optional<size_t> metricIndex(StringRef name) {
  for (auto [i, metric] : llvm::enumerate(sensitivityMetrics()))
    if (metric->name() == name)
      return i;
  return std::nullopt;
}

double traceSensitivity(double trace, llvm::ArrayRef<float> weights, llvm::ArrayRef<float> rounded) {
  double sum = 0;
  for (auto [w, q] : llvm::zip_equal(weights, rounded)) {
    double difference = static_cast<double>(w) - q;
    sum += difference * difference;
  }
  return trace * sum;
}

namespace {
/// Measures keys on samples, several at a time, and adds complete samples to the table.
class Measurement {
public:
  Measurement(SensitivityTable &table, const SensitivityRequest &request, SensitivityEvaluator &evaluator)
      : table(table), request(request), evaluator(evaluator) {}

  /// The keys of `keys` on the samples with the numbers `samples`. A table of `keys` and of the samples done so far is
  /// saved after every sample.
  Error measure(llvm::ArrayRef<SensitivityKey> keys, llvm::ArrayRef<size_t> samples, bool isIncremental) {
    size_t count = request.threads ? request.threads : std::max(1u, std::thread::hardware_concurrency());
    std::atomic<size_t> next = 0;
    size_t done = 0;
    Error failure = Error::success();
    bool hasFailed = false;
    std::mutex mutex;
    auto fail = [&](Error error) {
      std::lock_guard<std::mutex> lock(mutex);
      if (hasFailed)
        llvm::consumeError(std::move(error));
      else
        failure = llvm::joinErrors(std::move(failure), std::move(error));
      hasFailed = true;
    };
    auto work = [&] {
      for (size_t i = next++; i < samples.size(); i = next++) {
        if (request.isInterrupted && request.isInterrupted())
          return fail(makeError("interrupted"));
        if (isIncremental && isOver(mutex))
          return;
        // Samples that would leave threads idle are shared out among them.
        size_t whole = samples.size() / count * count;
        std::vector<SensitivitySums> sums(keys.size());
        if (Error error = measure(samples[i], keys, i < whole ? 1 : count / (samples.size() - whole), sums))
          return fail(std::move(error));
        std::lock_guard<std::mutex> lock(mutex);
        if (hasFailed)
          return;
        for (auto [key, terms] : llvm::zip(keys, sums))
          for (auto [sum, term] : llvm::zip(table.sums[key], terms))
            sum += term;
        if (isIncremental) {
          const std::string &hash = request.samples[samples[i]];
          table.samples.insert(llvm::lower_bound(table.samples, hash), hash);
        }
        ++done;
        if (request.progress)
          request.progress(done, samples.size());
        if (isIncremental && request.save)
          if (Error error = request.save(table)) {
            failure = llvm::joinErrors(std::move(failure), std::move(error));
            hasFailed = true;
            return;
          }
      }
    };
    std::vector<std::thread> threads;
    for (size_t i = 1; i < std::min(count, samples.size()); ++i)
      threads.emplace_back(work);
    work();
    for (std::thread &thread : threads)
      thread.join();
    return failure;
  }

private:
  /// All keys on one sample, dealt out to `threads` threads in turn, as early layers take longest.
  Error measure(size_t sample, llvm::ArrayRef<SensitivityKey> keys, size_t threads,
                std::vector<SensitivitySums> &sums) {
    std::vector<std::string> failures(threads);
    auto work = [&](size_t thread) {
      std::vector<SensitivityKey> own;
      for (size_t i = thread; i < keys.size(); i += threads)
        own.push_back(keys[i]);
      failures[thread] = llvm::toString(evaluator.run(sample, own, [&](size_t i, const PerturbedNetwork &network) {
        add(keys[thread + i * threads], network, sums[thread + i * threads]);
      }));
    };
    std::vector<std::thread> others;
    for (size_t thread = 1; thread < threads; ++thread)
      others.emplace_back(work, thread);
    work(0);
    for (std::thread &other : others)
      other.join();
    auto failed = llvm::find_if(failures, [](const std::string &text) { return !text.empty(); });
    return failed == failures.end() ? Error::success() : makeError(*failed);
  }

  static void add(const SensitivityKey &key, const PerturbedNetwork &network, SensitivitySums &sums) {
    if (key.isProbe())
      sums[0] += sensitivityUnits(curvatureOf(network) / kProbes);
    else
      for (auto [metric, sum] : llvm::zip(sensitivityMetrics(), sums))
        sum = sensitivityUnits(metric->measure(network));
  }

  bool isOver(std::mutex &mutex) const {
    if (!request.isOver || !request.isOver())
      return false;
    std::lock_guard<std::mutex> lock(mutex);
    return !table.samples.empty();
  }

  SensitivityTable &table;
  const SensitivityRequest &request;
  SensitivityEvaluator &evaluator;
};
} // namespace

Error measureSensitivity(SensitivityTable &table, const SensitivityRequest &request, SensitivityEvaluator &evaluator) {
  std::vector<SensitivityKey> missing;
  llvm::copy_if(request.keys, std::back_inserter(missing),
                [&](const SensitivityKey &key) { return !table.sums.count(key); });
  std::map<StringRef, size_t> numbers;
  for (auto [i, hash] : llvm::enumerate(request.samples))
    numbers[hash] = i;
  bool isPart = llvm::all_of(table.samples, [&](const std::string &hash) { return numbers.count(hash); });
  if (missing.empty() && !isPart)
    return Error::success();
  if (!isPart)
    return makeError("lacks the " + missing.front().text() +
                     ", and a sample that it was measured with is not at hand, expected it, or another file");
  Measurement measurement(table, request, evaluator);
  if (!missing.empty() && !table.samples.empty()) {
    std::vector<size_t> same;
    for (const std::string &hash : table.samples)
      same.push_back(numbers[hash]);
    SensitivityTable before = table;
    if (Error error = measurement.measure(missing, same, /*isIncremental=*/false)) {
      table = std::move(before);
      return error;
    }
    if (request.save)
      if (Error error = request.save(table))
        return error;
  }
  // Every key of the table, so that all have the same samples.
  std::vector<SensitivityKey> keys(llvm::make_first_range(table.sums).begin(),
                                   llvm::make_first_range(table.sums).end());
  if (table.samples.empty())
    keys = request.keys;
  std::vector<size_t> rest;
  for (auto [i, hash] : llvm::enumerate(request.samples))
    if (!llvm::binary_search(table.samples, hash))
      rest.push_back(i);
  return measurement.measure(keys, rest, /*isIncremental=*/true);
}

} // namespace dyadic
