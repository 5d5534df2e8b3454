// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a translation has its ranges from: samples, a table, a stream.

#include "dyadic/Pipelines/Translation.h"
#include "dyadic/Support/Error.h"

using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

namespace dyadic {

namespace {
/// The samples of a stream that are still there.
class KeptSamples : public SampleSet {
public:
  explicit KeptSamples(std::map<size_t, Sample> samples) : samples(std::move(samples)) {}
  size_t size() const override { return samples.empty() ? 0 : samples.rbegin()->first + 1; }
  Expected<Sample> read(size_t index) override { return samples.find(index)->second; }

private:
  std::map<size_t, Sample> samples;
};
} // namespace

Error Translation::createEvaluator() {
  auto created = FloatProgram::create(**floatModule, settings.search ? kernels.get() : nullptr);
  if (!created)
    return created.takeError();
  floatProgram = std::move(*created);
  evaluator = interruptible(*floatProgram, listener);
  return Error::success();
}

Error Translation::calibrate(StringRef path, llvm::ArrayRef<std::string> merge) {
  return calibrate(CalibrationRequest{path.str(), merge.vec(), settings.method, {}, nullptr, nullptr});
}

Error Translation::calibratePart(StringRef path, SamplePart part) {
  return calibrate(CalibrationRequest{path.str(), {}, settings.method, part, nullptr, nullptr});
}

Error Translation::calibrateAgain(StringRef path, StringRef name, StringRef text) {
  auto known = parseTable(name, text);
  if (!known)
    return known.takeError();
  if (Error error = checkModel(*known, name, sha))
    return error;
  NamedTable named{name.str(), std::move(*known)};
  return calibrate(CalibrationRequest{path.str(), {}, settings.method, {}, &named, nullptr});
}

Error Translation::calibrate(CalibrationRequest request) {
  filesRead.push_back(request.path);
  llvm::append_range(filesRead, request.merge);
  if (settings.search)
    request.kernels = kernels.get();
  auto calibration = calibrateModel(**floatModule, model, sha, request, listener);
  if (!calibration)
    return calibration.takeError();
  table = std::move(calibration->table);
  if (!calibration->samples)
    if (Error error = checkNoSamples(request.path.empty() ? request.merge.front() : request.path, "a saved table"))
      return error;
  samples = std::move(calibration->samples);
  calibrated = std::move(calibration->calibrated);
  heldBack = std::move(calibration->heldBack);
  floatProgram = std::move(calibration->evaluator);
  return Error::success();
}

/// Statistics cannot fit weights.
Error Translation::checkNoSamples(StringRef name, StringRef what) const {
  if (settings.weightRounding != WeightRounding::Gptq)
    return Error::success();
  return fileError(name, what + ", expected samples, which --weight-rounding=gptq fits the weights to");
}

Error Translation::useTable(StringRef name, StringRef text) {
  if (Error error = checkNoSamples(name, "a saved table"))
    return error;
  auto parsed = parseTable(name, text);
  if (!parsed)
    return parsed.takeError();
  if (Error error = checkModel(*parsed, name, sha))
    return error;
  table = std::move(*parsed);
  if (settings.method)
    table->method = *settings.method;
  return Error::success();
}

Error Translation::addSamples(std::vector<Sample> samples) {
  if (!stream) {
    if (Error error = createEvaluator())
      return error;
    auto specs = inputs();
    if (!specs)
      return specs.takeError();
    bool isReadAgain = settings.weightRounding != WeightRounding::Nearest || settings.search;
    size_t kept = isReadAgain ? maxFittingSamples(*specs) : 0;
    stream = std::make_unique<CalibrationStream>(*evaluator, sha, kept);
  }
  auto progress = [&](size_t done) { listener.stage("calibrating")(done, 0); };
  if (Error error = stream->add(std::move(samples), progress))
    return fileError(model, llvm::toString(std::move(error)));
  return Error::success();
}

Error Translation::finishSamples(StringRef name) {
  if (!stream)
    return fileError(name, "no samples, expected at least one");
  warnOfFewSamples(name, stream->size(), listener);
  CalibrationStream::Kept kept;
  auto observed = stream->finish(settings.method.value_or(CalibrationOptions()), kept);
  if (!observed)
    return fileError(model, llvm::toString(observed.takeError()));
  table = std::move(*observed);
  llvm::append_range(heldBack, llvm::make_first_range(kept.heldBack));
  llvm::append_range(calibrated, llvm::make_first_range(kept.calibrated));
  kept.heldBack.insert(kept.calibrated.begin(), kept.calibrated.end());
  samples = std::make_unique<KeptSamples>(std::move(kept.heldBack));
  stream.reset();
  return Error::success();
}

} // namespace dyadic
