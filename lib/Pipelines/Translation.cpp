// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/Translation.h"
#include "dyadic/IR/Fingerprint.h"
#include "dyadic/Pipelines/CollectReport.h"
#include "dyadic/Pipelines/Diagnostics.h"
#include "dyadic/Support/Error.h"
#include "mlir/IR/AsmState.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

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

Translation::Translation(const OnnxSource &source, TranslateSettings settings, Listener listener)
    : model(source.name), settings(std::move(settings)), listener(std::move(listener)), context(createContext()) {
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
  auto module = importFloat(source, settings.import, *context);
  if (!module)
    return module.takeError();
  floatModule = std::move(*module);
  sha = fingerprint(**floatModule);
  Plan &plan = settings.plan;
  if (!plan.model.empty() && plan.model != sha)
    return fileError(settings.planName, "belongs to model " + plan.model + ", expected " + sha);
  plan.model = sha;
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

Error Translation::createEvaluator() {
  auto created = JitEvaluator::create(**floatModule);
  if (!created)
    return created.takeError();
  floatProgram = std::move(*created);
  evaluator = interruptible(*floatProgram, listener);
  return Error::success();
}

Error Translation::calibrate(StringRef path, llvm::ArrayRef<std::string> merge) {
  filesRead.push_back(path.str());
  filesRead.insert(filesRead.end(), merge.begin(), merge.end());
  auto calibration = calibrateModel(**floatModule, model, sha, {path.str(), merge.vec(), settings.method}, listener);
  if (!calibration)
    return calibration.takeError();
  table = std::move(calibration->table);
  samples = std::move(calibration->samples);
  heldBack = std::move(calibration->heldBack);
  floatProgram = std::move(calibration->evaluator);
  return Error::success();
}

Error Translation::useTable(StringRef name, StringRef text) {
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
    stream = std::make_unique<CalibrationStream>(*evaluator, sha);
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
  std::map<size_t, Sample> kept;
  auto calibrated = stream->finish(settings.method.value_or(CalibrationOptions()), kept);
  if (!calibrated)
    return fileError(model, llvm::toString(calibrated.takeError()));
  table = std::move(*calibrated);
  llvm::append_range(heldBack, llvm::make_first_range(kept));
  samples = std::make_unique<KeptSamples>(std::move(kept));
  stream.reset();
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

/// `exposed` becomes the program with the values of all layers as outputs, which what is
/// written may not have.
Error Translation::quantize(mlir::OwningOpRef<mlir::ModuleOp> &exposed, RangeMap &ranges) {
  warnOfLowPercentile(table->method, listener);
  auto chosen = chooseRanges(**floatModule, model, *table, settings.plan);
  if (!chosen)
    return chosen.takeError();
  ranges = std::move(*chosen);
  exposed = (*floatModule)->clone();
  Plan copy = settings.plan;
  if (Error error = quantizeModel(*exposed, model, ranges, copy, {settings.integerOnly, true}))
    return error;
  return quantizeModel(*program, model, ranges, settings.plan, {settings.integerOnly, settings.dumpValues});
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
      request.floatProgram = &floatProgram->getProgram();
  }
  auto collected = collectReport(request);
  if (!collected)
    return collected.takeError();
  report = std::move(*collected);
  report.model = model;
  return Error::success();
}

Error Translation::finish() {
  program = (*floatModule)->clone();
  mlir::OwningOpRef<mlir::ModuleOp> exposed;
  RangeMap ranges;
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
