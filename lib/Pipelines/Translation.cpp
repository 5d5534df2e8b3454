// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/Translation.h"
#include "Equalization.h"
#include "dyadic/IR/Fingerprint.h"
#include "dyadic/Pipelines/CollectReport.h"
#include "dyadic/Pipelines/Diagnostics.h"
#include "dyadic/Pipelines/LayerwiseProgram.h"
#include "dyadic/Support/Error.h"
#include "mlir/IR/AsmState.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

namespace dyadic {

Translation::Translation(const OnnxSource &source, TranslateSettings settings, Listener listener)
    : model(source.name), settings(std::move(settings)), listener(std::move(listener)), context(createContext()),
      kernels(std::make_shared<LayerKernels>()) {
  if (!source.bytes)
    filesRead.push_back(source.name);
  filesRead.push_back(this->settings.planFile);
}

void Translation::protectInputs(FileSet &files) const {
  for (const std::string &path : filesRead)
    files.protect(path);
}

Expected<std::unique_ptr<Translation>> Translation::create(const OnnxSource &model, TranslateSettings settings,
                                                           Listener listener) {
  std::unique_ptr<Translation> translation(new Translation(model, std::move(settings), std::move(listener)));
  if (Error error = translation->import(model))
    return error;
  return translation;
}

Error Translation::import(const OnnxSource &source) {
  bool isDerived = settings.method && settings.method->method == CalibrationMethod::BatchNorm;
  auto module = importFloat(source, settings.import, *context, isDerived);
  if (!module)
    return module.takeError();
  floatModule = std::move(*module);
  if (isDerived) {
    if (Error error = checkNoSamples(model, "no --calibration"))
      return error;
    auto derived = tableFromBatchNorms(**floatModule, model, *settings.method, settings.inputRanges);
    if (!derived)
      return derived.takeError();
    table = std::move(*derived);
  }
  sha = fingerprint(**floatModule);
  if (table)
    table->header.model = sha;
  Plan &plan = settings.plan;
  if (!plan.model.empty() && plan.model != sha)
    return fileError(settings.planName, "belongs to model " + plan.model + ", expected " + sha);
  plan.model = sha;
  return Error::success();
}

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

/// Warns where so many numbers are cut off that it hardly can be meant.
static void warnOfLowPercentile(const CalibrationOptions &method, const Listener &listener) {
  constexpr double kLowest = 90;
  if (method.method == CalibrationMethod::Percentile && method.percentile < kLowest && listener.warn)
    listener.warn(
        "calibration method " + toString(method) + " cuts off " +
        llvm::formatv("{0:F0}% of the numbers, expected at least percentile:{1:F0}", 100 - method.percentile, kLowest)
            .str());
}

/// With fewer samples than this, --weight-rounding=auto fits no weights: neither they nor what is held back can be
/// trusted.
static constexpr size_t kFewSamples = 10;

Expected<double> Translation::errorOf(mlir::ModuleOp quantized) {
  mlir::OwningOpRef<mlir::ModuleOp> integers = quantized.clone();
  if (Error error = lowerToIntegers(*integers, model, settings.plan, {}))
    return error;
  return outputError(*integers, *floatProgram, *samples, heldBack);
}

/// Whether there are samples that weights can be fitted to, and with auto be checked on.
bool Translation::canFit() const {
  if (settings.weightRounding == WeightRounding::Nearest || !samples || calibrated.empty())
    return false;
  return settings.weightRounding == WeightRounding::Gptq ||
         (calibrated.size() + heldBack.size() >= kFewSamples && !heldBack.empty());
}

/// The samples that weights are fitted to.
llvm::ArrayRef<size_t> Translation::fittingSamples() const {
  auto specs = inputs();
  size_t most = specs ? maxFittingSamples(*specs) : 0;
  llvm::consumeError(specs.takeError());
  return llvm::ArrayRef(calibrated).take_front(std::min(calibrated.size(), most));
}

/// Fits `program`, at the quantized level, to the samples; with auto, unless rounding to nearest is as good. `ranges`
/// become what was chosen then.
Error Translation::fit(RangeMap &ranges) {
  const char *names[] = {"auto", "nearest", "gptq"};
  rounding = RoundingReport();
  rounding.asked = names[static_cast<size_t>(settings.weightRounding)];
  if (!canFit())
    return Error::success();
  FittedProgram fitted = std::move(found); // by the search, which measured it
  if (!fitted.module) {
    auto interruptibly = interruptible(*floatProgram, listener);
    FitRequest request{**floatModule,       model,         &*table,          settings.weightRounding,
                       interruptibly.get(), samples.get(), fittingSamples(), &listener};
    auto made = fitProgram(request, settings.plan);
    if (!made)
      return made.takeError();
    fitted = std::move(*made);
  }
  floatProgram->release();
  fitted.counts.asked = rounding.asked;
  rounding = fitted.counts;
  rounding.isNearest = rounding.fittedLayers + rounding.correctedLayers == 0;
  if (settings.weightRounding == WeightRounding::Auto && !rounding.isNearest) {
    auto nearestError = errorOf(*program);
    if (!nearestError)
      return nearestError.takeError();
    auto fittedError = errorOf(*fitted.module);
    if (!fittedError)
      return fittedError.takeError();
    rounding.nearestError = *nearestError;
    rounding.fittedError = *fittedError;
    rounding.isNearest = !(*fittedError < *nearestError);
  }
  if (rounding.isNearest)
    return Error::success();
  program = std::move(fitted.module);
  if (!settings.attributionFile.empty()) {
    equalizedModule = std::move(fitted.floatModule);
    equalizedTable = std::move(fitted.table);
  }
  factors = std::move(fitted.factors);
  rounding.equalizedValues = factors.size();
  for (const auto &[id, numbers] : factors)
    ranges[id] = fitted.ranges[id]; // that of the widest channel, whose factor is 1
  return Error::success();
}

/// What cannot be written is found out before long work.
Error Translation::checkWritable(StringRef path) const {
  FileSet trial; // not committed
  protectInputs(trial);
  return trial.write(path, "");
}

Error Translation::checkWritable(const ResultFiles &results, StringRef programPath) const {
  if (!settings.search && settings.attributionFile.empty())
    return Error::success();
  FileSet trial; // not committed
  protectInputs(trial);
  for (StringRef path : {programPath, StringRef(results.calibration), StringRef(results.plan),
                         StringRef(results.pareto), StringRef(results.report), StringRef(results.overrides)})
    if (!path.empty())
      if (Error error = trial.write(path, ""))
        return error;
  return Error::success();
}

Error Translation::writeResults(const ResultFiles &results, FileSet &files) const {
  auto writeIf = [&](const std::string &path, llvm::function_ref<std::string()> contents) {
    return path.empty() ? Error::success() : files.write(path, contents());
  };
  if (Error error = writeIf(results.calibration, [&] { return toJson(*table); }))
    return error;
  if (Error error = writeIf(results.plan, [&] { return planToJson(settings.plan); }))
    return error;
  if (Error error = writeIf(results.pareto, [&] { return front; }))
    return error;
  if (Error error = writeIf(results.overrides, [&] { return overridesText; }))
    return error;
  return writeIf(results.report, [&] { return reportAs(results.report, report); });
}

/// `exposed` becomes the program with the values of all layers as outputs, which what is
/// written may not have.
Error Translation::quantize(mlir::OwningOpRef<mlir::ModuleOp> &exposed, RangeMap &ranges) {
  warnOfLowPercentile(table->method, listener);
  auto chosen = chooseRanges(**floatModule, model, *table, settings.plan);
  if (!chosen)
    return chosen.takeError();
  ranges = std::move(*chosen);
  if (settings.tunes)
    if (Error error = tunePlan(ranges))
      return error;
  Plan given = settings.plan;
  if (Error error = quantizeTypes(*program, model, ranges, settings.plan))
    return error;
  if (Error error = fit(ranges))
    return error;
  if (!settings.attributionFile.empty())
    if (Error error = attributeCosts(given))
      return error;
  exposed = program->clone();
  if (Error error = lowerToIntegers(*exposed, model, settings.plan, {settings.integerOnly, true}))
    return error;
  if (Error error = lowerToIntegers(*program, model, settings.plan, {settings.integerOnly, settings.dumpValues}))
    return error;
  restoreScales(*exposed, factors);
  restoreScales(*program, factors);
  return Error::success();
}

Error Translation::describe(mlir::ModuleOp exposed, const RangeMap &ranges) {
  ReportRequest request;
  request.floatModule = **floatModule;
  request.target = settings.target;
  request.isDetailed = settings.detailedReport;
  auto progress = listener.stage("measuring");
  request.progress = progress;
  if (!settings.isFloat) {
    request.program = *program;
    request.exposed = exposed;
    request.plan = &settings.plan;
    request.table = &*table;
    request.ranges = &ranges;
    request.samples = samples.get();
    request.heldBack = heldBack;
    if (floatProgram && !heldBack.empty())
      request.floatProgram = floatProgram.get();
  }
  auto collected = collectReport(request);
  if (!collected)
    return collected.takeError();
  report = std::move(*collected);
  report.model = model;
  report.weightRounding = rounding;
  report.search = std::move(searchReport);
  report.attribution = std::move(attribution);
  report.tuning = std::move(tuning);
  return Error::success();
}

Error Translation::finishPlan() {
  if (Error error = search())
    return error;
  auto ranges = chooseRanges(**floatModule, model, *table, settings.plan);
  if (!ranges)
    return ranges.takeError();
  program = (*floatModule)->clone();
  return quantizeTypes(*program, model, *ranges, settings.plan);
}

Error Translation::finish() {
  program = (*floatModule)->clone();
  mlir::OwningOpRef<mlir::ModuleOp> exposed;
  RangeMap ranges;
  if (settings.search)
    if (Error error = search())
      return error;
  if (!settings.isFloat) {
    if (Error error = quantize(exposed, ranges))
      return error;
  } else if (settings.dumpValues) {
    if (Error error = exposeValues(*program, model))
      return error;
  }
  if (Error error = describe(exposed ? *exposed : mlir::ModuleOp(), ranges))
    return error;
  // What only the way here needed.
  evaluator.reset();
  floatProgram.reset();
  samples.reset();
  heldBack.clear();
  calibrated.clear();
  floatModule.reset();
  return Error::success();
}

Expected<CompiledModule> Translation::compile(const Target &target, StringRef prefix, bool exportAlias) {
  mlir::OwningOpRef<mlir::ModuleOp> copy = program->clone();
  DiagnosticCollector diagnostics(context.get());
  auto compiled = compileModule(*copy, target, prefix, exportAlias);
  if (!compiled)
    return diagnostics.takeError(model, llvm::toString(compiled.takeError()));
  return compiled;
}

Error Translation::write(StringRef path, FileSet &files) {
  auto format = outputFormat(path, settings.target);
  if (!format)
    return format.takeError();
  if (!format->emission) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    // With a state of its own the printer also writes the resources of large constants.
    mlir::AsmState state(program->getOperation());
    program->print(stream, state);
    stream << "\n";
    if (Error error = files.write(path, text))
      return error;
  } else {
    std::string prefix = settings.prefix.empty() ? cIdentifier(llvm::sys::path::stem(path)) : settings.prefix;
    auto compiled = compile(settings.target, prefix, /*exportAlias=*/format->emission == Emission::SharedLibrary);
    if (!compiled)
      return compiled.takeError();
    noteWorkspace(*compiled);
    if (Error error = emitModule(*compiled, *format->emission, path, files))
      return error;
  }
  report.output = path.str();
  report.outputBytes = files.sizeOf(path);
  return Error::success();
}

void Translation::noteWorkspace(const CompiledModule &compiled) {
  ProgramSizes &sizes = settings.isFloat ? report.floatSizes : report.integerSizes;
  sizes.workspace = compiled.workspaceBytes;
  sizes.liveSet = compiled.liveSetBytes;
}

Expected<std::unique_ptr<Program>> Translation::load() {
  auto compiled = compile(settings.target, "program", /*exportAlias=*/false);
  if (!compiled)
    return compiled.takeError();
  noteWorkspace(*compiled);
  if (runnableHere(settings.target))
    return loadJit(std::move(*compiled));
  auto native = parseTarget("native");
  if (!native)
    return native.takeError();
  auto here = compile(*native, "program", /*exportAlias=*/false);
  if (!here)
    return here.takeError();
  return loadJit(std::move(*here));
}

} // namespace dyadic
