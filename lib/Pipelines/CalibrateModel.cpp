// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/CalibrateModel.h"
#include "dyadic/Pipelines/Diagnostics.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Files.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Path.h"

namespace dyadic {

/// With fewer samples, ranges cannot be trusted.
static constexpr size_t kFewSamples = 10;

static llvm::Expected<NamedTable> readTable(const std::string &path, llvm::StringRef sha) {
  llvm::StringRef ending = llvm::sys::path::extension(path);
  if (ending == ".npz" || ending == ".npy")
    return fileError(path, "ending '" + ending + "' is that of samples, expected a saved calibration table (.json)");
  auto buffer = readFile(path);
  if (!buffer)
    return buffer.takeError();
  auto table = parseTable(path, (*buffer)->getBuffer());
  if (!table)
    return table.takeError();
  if (llvm::Error error = checkModel(*table, path, sha))
    return std::move(error);
  return NamedTable{path, std::move(*table)};
}

namespace {

class InterruptibleEvaluator : public Evaluator {
public:
  InterruptibleEvaluator(Evaluator &evaluator, const Listener &listener) : evaluator(evaluator), listener(listener) {}

  llvm::Error run(const Sample &sample, llvm::function_ref<void(llvm::StringRef, const Tensor &)> observe) override {
    if (listener.isInterrupted && listener.isInterrupted())
      return makeError("interrupted");
    return evaluator.run(sample, observe);
  }
  uint64_t bytesPerRun() const override { return evaluator.bytesPerRun(); }

private:
  Evaluator &evaluator;
  const Listener &listener;
};

/// Adds to `result` what the float program's values are on the samples of a file.
class SampleCalibration {
public:
  SampleCalibration(mlir::ModuleOp module, llvm::StringRef file, llvm::StringRef sha, const Listener &listener,
                    Calibration &result)
      : module(module), file(file), sha(sha), listener(listener), result(result) {}

  llvm::Expected<CalibrationTable> run(llvm::StringRef path, const CalibrationOptions &method, SamplePart part,
                                       const NamedTable *known, LayerKernels *kernels) {
    if (llvm::Error error = open(path))
      return std::move(error);
    if (size_t count = split.calibration.size(); count < part.count)
      return fileError(path, "has " + llvm::Twine(count) + " samples to calibrate with, expected one for each of " +
                                 llvm::Twine(part.count) + " parts");
    part.keep(split.calibration);
    if (known && !isOfSamples(known->table))
      return fileError(known->path, "was calibrated with other samples than those of " + escaped(path));
    auto evaluator = FloatProgram::create(module, kernels);
    if (!evaluator)
      return evaluator.takeError();
    result.evaluator = std::move(*evaluator);
    if (known)
      return known->table;
    auto table = calibrate(*interruptible(*result.evaluator, listener), *result.samples, split, method, sha,
                           listener.stage("calibrating"));
    result.evaluator->release();
    return table ? std::move(table) : fileError(file, llvm::toString(table.takeError()));
  }

  const std::vector<size_t> &calibrated() const { return split.calibration; }

  /// The samples that are held back once tables are merged.
  std::vector<size_t> heldBack(const CalibrationTable &table) const {
    std::vector<size_t> indices;
    for (size_t index : split.heldBack)
      if (llvm::binary_search(table.heldBack, split.hashes[index]))
        indices.push_back(index);
    return indices;
  }

private:
  bool isOfSamples(const CalibrationTable &table) const {
    std::vector<std::string> hashes;
    for (size_t index : split.calibration)
      hashes.push_back(split.hashes[index]);
    llvm::sort(hashes);
    return hashes == table.samples;
  }

  /// Reads all samples once: everything that is wrong with them comes up before the program is compiled.
  llvm::Error open(llvm::StringRef path) {
    auto inputs = inputSpecs(module);
    if (!inputs)
      return inputs.takeError();
    auto samples = openSamples(path, *inputs, readTensorProto);
    if (!samples)
      return samples.takeError();
    result.samples = std::move(*samples);
    auto parts = splitSamples(*result.samples, listener.stage("reading samples"));
    if (!parts)
      return parts.takeError();
    split = std::move(*parts);
    warnOfFewSamples(path, result.samples->size(), listener);
    return llvm::Error::success();
  }

  mlir::ModuleOp module;
  llvm::StringRef file, sha;
  const Listener &listener;
  Calibration &result;
  Split split;
};

} // namespace

std::unique_ptr<Evaluator> interruptible(Evaluator &evaluator, const Listener &listener) {
  return std::make_unique<InterruptibleEvaluator>(evaluator, listener);
}

void warnOfFewSamples(llvm::StringRef name, size_t count, const Listener &listener) {
  if (count < kFewSamples && listener.warn)
    listener.warn(printable(name) + ": " + std::to_string(count) + (count == 1 ? " sample" : " samples") +
                  ", expected at least 10 for ranges that can be trusted");
}

llvm::Expected<Calibration> calibrateModel(mlir::ModuleOp module, llvm::StringRef file, llvm::StringRef sha,
                                           const CalibrationRequest &request, const Listener &listener) {
  std::vector<std::string> paths = request.merge;
  bool hasSamples = !request.path.empty() && !llvm::StringRef(request.path).ends_with(".json");
  if (!request.path.empty() && !hasSamples)
    paths.insert(paths.begin(), request.path);
  std::vector<NamedTable> tables;
  for (const std::string &path : paths) {
    auto table = readTable(path, sha);
    if (!table)
      return table.takeError();
    tables.push_back(std::move(*table));
  }
  Calibration result;
  SampleCalibration samples(module, file, sha, listener, result);
  if (hasSamples) {
    CalibrationOptions method = tables.empty() ? CalibrationOptions() : tables.front().table.method;
    auto table =
        samples.run(request.path, request.method.value_or(method), request.part, request.known, request.kernels);
    if (!table)
      return table.takeError();
    tables.insert(tables.begin(), NamedTable{request.path, std::move(*table)});
  }
  auto merged = mergeTables(std::move(tables), request.method);
  if (!merged)
    return merged.takeError();
  result.table = std::move(*merged);
  result.calibrated = samples.calibrated();
  result.heldBack = samples.heldBack(result.table);
  return std::move(result);
}

llvm::Expected<CalibrationTable> tableFromBatchNorms(mlir::ModuleOp module, llvm::StringRef file,
                                                     const CalibrationOptions &method, const RangeMap &inputs) {
  DiagnosticCollector diagnostics(module.getContext());
  RangeMap ranges;
  if (mlir::failed(deriveRanges(module, method.sigmas, inputs, ranges)))
    return diagnostics.takeError(file, "ranges cannot be derived");
  CalibrationTable table;
  table.header.kind = CalibrationTable::kKind;
  table.header.version = CalibrationTable::kVersion;
  table.method = method;
  for (const auto &[id, range] : ranges)
    table.values[id].fixed = {range.min, range.max};
  return std::move(table);
}

} // namespace dyadic
