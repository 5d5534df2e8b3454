// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Calibration/Stream.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace dyadic {

namespace {
/// Samples that somebody else holds.
class HeldSamples : public SampleSet {
public:
  explicit HeldSamples(const std::vector<Sample> &samples) : samples(samples) {}
  size_t size() const override { return samples.size(); }
  Expected<Sample> read(size_t index) override { return samples[index]; }

private:
  const std::vector<Sample> &samples;
};
} // namespace

/// Adds what `part` has observed; both are of one model.
static Error addStatistics(CalibrationTable &table, CalibrationTable part) {
  if (table.values.empty()) {
    table.header = std::move(part.header);
    table.values = std::move(part.values);
    return Error::success();
  }
  for (auto &[id, value] : part.values)
    if (!table.values[id].statistics.merge(value.statistics))
      return makeError("value '" + escaped(id) + "' has more than 2^53 numbers in all samples together");
  return Error::success();
}

Error CalibrationStream::observe(std::vector<size_t> indices, function_ref<void(size_t)> progress) {
  if (indices.empty())
    return Error::success();
  size_t before = observed.size();
  auto report = [&](size_t done, size_t) {
    if (progress)
      progress(before + done);
  };
  HeldSamples set(samples);
  Expected<CalibrationTable> part = calibrate(evaluator, set, Split{indices, {}, hashes}, {}, modelSha, report);
  if (!part)
    return part.takeError();
  for (size_t index : indices) {
    keptSamples[index] = std::exchange(samples[index], Sample());
    if (keptSamples.size() > numKept) // one that waited comes out of order
      keptSamples.erase(std::prev(keptSamples.end()));
  }
  observed.insert(observed.end(), indices.begin(), indices.end());
  return addStatistics(table, std::move(*part));
}

Error CalibrationStream::add(std::vector<Sample> more, function_ref<void(size_t)> progress) {
  std::vector<size_t> ready;
  for (Sample &sample : more) {
    size_t index = samples.size();
    hashes.push_back(sampleHash(sample));
    samples.push_back(std::move(sample));
    if (isHeldBack(hashes[index])) {
      heldBack.push_back(index);
      if (smallest)
        ready.push_back(*std::exchange(smallest, std::nullopt));
    } else if (!heldBack.empty()) {
      ready.push_back(index);
    } else if (!smallest || hashes[index] < hashes[*smallest]) {
      if (smallest)
        ready.push_back(*smallest);
      smallest = index;
    } else {
      ready.push_back(index);
    }
  }
  return observe(std::move(ready), progress);
}

Expected<CalibrationTable> CalibrationStream::finish(const CalibrationOptions &options, Kept &kept) {
  if (samples.empty())
    return makeError("no samples to calibrate with, expected at least one");
  if (smallest)
    heldBack.push_back(*smallest);
  if (samples.size() == 1) { // both sides
    kept.heldBack[0] = samples[0];
    if (Error error = observe({0}, nullptr))
      return std::move(error);
  } else if (observed.empty()) {
    auto largest = llvm::max_element(heldBack, [&](size_t a, size_t b) { return hashes[a] < hashes[b]; });
    size_t index = *largest;
    heldBack.erase(largest);
    if (Error error = observe({index}, nullptr))
      return std::move(error);
  }
  for (size_t index : observed)
    table.samples.push_back(hashes[index]);
  for (size_t index : heldBack) {
    table.heldBack.push_back(hashes[index]);
    if (samples.size() > 1)
      kept.heldBack[index] = std::move(samples[index]);
  }
  kept.calibrated = std::move(keptSamples);
  llvm::sort(table.samples);
  llvm::sort(table.heldBack);
  table.heldBack.erase(llvm::unique(table.heldBack), table.heldBack.end());
  table.method = options;
  return std::move(table);
}

} // namespace dyadic
