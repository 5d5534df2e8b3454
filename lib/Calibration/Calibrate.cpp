// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Calibration/Calibrate.h"
#include "dyadic/Support/Error.h"

using namespace llvm;

namespace dyadic {

Evaluator::~Evaluator() = default;

/// Adds one value to the table; returns what is wrong with it, or nothing.
static std::string observeValue(CalibrationTable &table, StringRef id, const Tensor &value) {
  if (value.type != ElementType::F32)
    return "";
  if (!json::isUTF8(id))
    return "value '" + escaped(id) + "' has a name that is not UTF-8";
  ArrayRef<float> numbers(value.as<float>(), value.size());
  if (table.values[id.str()].statistics.observe(numbers))
    return "";
  return "value '" + escaped(id) + "' has a NaN or infinite number";
}

Expected<CalibrationTable> calibrate(Evaluator &evaluator, ArrayRef<Sample> samples, const Split &split,
                                     const CalibrationOptions &options, StringRef modelSha,
                                     function_ref<void(size_t, size_t)> progress) {
  if (split.calibration.empty())
    return makeError("no samples to calibrate with, expected at least one");
  CalibrationTable table;
  table.header.kind = CalibrationTable::kKind;
  table.header.version = CalibrationTable::kVersion;
  table.header.model = modelSha.str();
  size_t done = 0;
  for (size_t index : split.calibration) {
    std::string problem;
    auto observe = [&](StringRef id, const Tensor &value) {
      if (problem.empty())
        problem = observeValue(table, id, value);
    };
    if (Error error = evaluator.run(samples[index], observe))
      return std::move(error);
    if (!problem.empty())
      return makeError(problem + " in the float program, for sample " + Twine(index));
    table.samples.push_back(sampleHash(samples[index]));
    if (progress)
      progress(++done, split.calibration.size());
  }
  for (size_t index : split.heldBack)
    table.heldBack.push_back(sampleHash(samples[index]));
  chooseRanges(table, options);
  return table;
}

} // namespace dyadic
