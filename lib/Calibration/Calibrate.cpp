// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Calibration/Calibrate.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ThreadPool.h"
#include <mutex>

using namespace llvm;

namespace dyadic {

/// All runs together take no more memory, unless a single one does.
static constexpr uint64_t kMaxRunBytes = uint64_t(1) << 30;

Evaluator::~Evaluator() = default;

namespace {

using StatisticsMap = std::map<std::string, ValueStatistics>;

/// The samples that are left to do, their results, and the error of the first sample that has one. Indices are handed
/// out in order, so all samples before a failed one are done in the end, and that error does not depend on timing.
class Work {
public:
  Work(Evaluator &evaluator, SampleSet &samples, const Split &split, function_ref<void(size_t, size_t)> progress)
      : evaluator(evaluator), samples(samples), split(split), progress(progress) {}

  /// Takes samples until none is left, then adds what it saw to the results.
  void run() {
    StatisticsMap statistics;
    while (std::optional<size_t> index = take()) {
      Error error = observe(statistics, *index);
      finish(*index, std::move(error));
    }
    std::lock_guard<std::mutex> lock(mutex);
    for (auto it = statistics.begin(); it != statistics.end(); it = statistics.erase(it))
      if (!results[it->first].merge(it->second) && problem.empty())
        problem = "value '" + escaped(it->first) + "' has more than 2^53 numbers";
  }

  StatisticsMap results;
  std::string problem; // text of the error; empty without

private:
  std::optional<size_t> take() {
    std::lock_guard<std::mutex> lock(mutex);
    return problem.empty() && next < split.calibration.size() ? std::optional(split.calibration[next++]) : std::nullopt;
  }

  void finish(size_t index, Error error) {
    std::lock_guard<std::mutex> lock(mutex);
    std::string text = toString(std::move(error));
    if (!text.empty() && (problem.empty() || index < failed)) {
      problem = text;
      failed = index;
    }
    ++done;
    if (progress && problem.empty())
      progress(done, split.calibration.size());
  }

  Error observe(StatisticsMap &statistics, size_t index);

  Evaluator &evaluator;
  SampleSet &samples;
  const Split &split;
  function_ref<void(size_t, size_t)> progress;
  std::mutex mutex;
  size_t next = 0, done = 0, failed = 0;
};

} // namespace

/// Adds one value; returns what is wrong with it, or nothing.
static std::string observeValue(StatisticsMap &statistics, StringRef id, const Tensor &value) {
  if (value.type != ElementType::F32)
    return "";
  if (!json::isUTF8(id))
    return "value '" + escaped(id) + "' has a name that is not UTF-8";
  ArrayRef<float> numbers(value.as<float>(), value.size());
  if (statistics[id.str()].observe(numbers))
    return "";
  return "value '" + escaped(id) + "' has a NaN or infinite number";
}

Error Work::observe(StatisticsMap &statistics, size_t index) {
  Expected<Sample> sample = samples.read(index);
  if (!sample)
    return sample.takeError();
  if (sampleHash(*sample) != split.hashes[index])
    return makeError("sample " + Twine(index) + " changed while it was read");
  std::string wrong;
  auto observe = [&](StringRef id, const Tensor &value) {
    if (wrong.empty())
      wrong = observeValue(statistics, id, value);
  };
  if (Error error = evaluator.run(*sample, observe))
    return error;
  return wrong.empty() ? Error::success() : makeError(wrong + " in the float program, for sample " + Twine(index));
}

Expected<CalibrationTable> calibrate(Evaluator &evaluator, SampleSet &samples, const Split &split,
                                     const CalibrationOptions &options, StringRef modelSha,
                                     function_ref<void(size_t, size_t)> progress, unsigned threads) {
  if (split.calibration.empty())
    return makeError("no samples to calibrate with, expected at least one");
  uint64_t fitting = std::max<uint64_t>(kMaxRunBytes / std::max<uint64_t>(evaluator.bytesPerRun(), 1), 1);
  uint64_t workers = threads ? threads : hardware_concurrency().compute_thread_count();
  workers = std::min<uint64_t>({workers, fitting, split.calibration.size()});
  Work work(evaluator, samples, split, progress);
  DefaultThreadPool pool(hardware_concurrency(static_cast<unsigned>(workers)));
  for (uint64_t i = 1; i < workers; ++i)
    pool.async([&] { work.run(); });
  work.run(); // here too: an interruption is seen on the thread that calls
  pool.wait();
  if (!work.problem.empty())
    return makeError(work.problem);

  CalibrationTable table;
  table.header.kind = CalibrationTable::kKind;
  table.header.version = CalibrationTable::kVersion;
  table.header.model = modelSha.str();
  table.method = options;
  for (auto &[id, statistics] : work.results)
    table.values[id].statistics = std::move(statistics);
  for (size_t index : split.calibration)
    table.samples.push_back(split.hashes[index]);
  for (size_t index : split.heldBack)
    table.heldBack.push_back(split.hashes[index]);
  llvm::sort(table.samples);
  llvm::sort(table.heldBack);
  table.heldBack.erase(llvm::unique(table.heldBack), table.heldBack.end());
  return std::move(table);
}

} // namespace dyadic
