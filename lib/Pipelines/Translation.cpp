// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/Translation.h"
#include "dyadic/IR/Fingerprint.h"
#include "dyadic/Pipelines/Diagnostics.h"
#include "dyadic/Support/Error.h"
#include "mlir/IR/AsmState.h"
#include "llvm/Support/Path.h"

using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

namespace dyadic {

namespace {
/// Ends calibration between two samples.
class InterruptibleEvaluator : public Evaluator {
public:
  InterruptibleEvaluator(Evaluator &evaluator, std::function<bool()> isInterrupted)
      : evaluator(evaluator), isInterrupted(std::move(isInterrupted)) {}

  Error run(const Sample &sample, llvm::function_ref<void(StringRef, const Tensor &)> observe) override {
    if (isInterrupted && isInterrupted())
      return makeError("interrupted");
    return evaluator.run(sample, observe);
  }

private:
  Evaluator &evaluator;
  std::function<bool()> isInterrupted;
};
} // namespace

Translation::Translation(const OnnxSource &source, TranslateSettings settings, TranslateListener listener)
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
                                                           TranslateListener listener) {
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
  evaluator = std::make_unique<InterruptibleEvaluator>(*floatProgram, listener.isInterrupted);
  return Error::success();
}

void Translation::warnOfFewSamples(StringRef name, size_t count) const {
  if (count < 10 && listener.warn)
    listener.warn(printable(name) + ": " + std::to_string(count) +
                  " samples, expected at least 10 for ranges that can be trusted");
}

Error Translation::calibrate(StringRef path) {
  filesRead.push_back(path.str());
  if (path.ends_with(".json")) {
    auto buffer = readFile(path);
    if (!buffer)
      return buffer.takeError();
    return useTable(path, (*buffer)->getBuffer());
  }
  auto specs = inputs();
  if (!specs)
    return specs.takeError();
  auto samples = loadSamples(path, *specs, readTensorProto);
  if (!samples)
    return samples.takeError();
  warnOfFewSamples(path, samples->size());
  if (Error error = createEvaluator())
    return error;
  Split split = splitSamples(*samples);
  auto progress = [&](size_t done, size_t total) {
    if (listener.progress)
      listener.progress(done, total);
  };
  auto calibrated =
      dyadic::calibrate(*evaluator, *samples, split, settings.method.value_or(CalibrationOptions()), sha, progress);
  if (!calibrated)
    return fileError(model, llvm::toString(calibrated.takeError()));
  table = std::move(*calibrated);
  for (size_t i : split.heldBack)
    heldBack.push_back(std::move((*samples)[i]));
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
    chooseRanges(*table, *settings.method);
  return Error::success();
}

Error Translation::addSamples(std::vector<Sample> samples) {
  if (!stream) {
    if (Error error = createEvaluator())
      return error;
    stream = std::make_unique<CalibrationStream>(*evaluator, sha);
  }
  auto progress = [&](size_t done) {
    if (listener.progress)
      listener.progress(done, 0);
  };
  if (Error error = stream->add(std::move(samples), progress))
    return fileError(model, llvm::toString(std::move(error)));
  return Error::success();
}

Error Translation::finishSamples(StringRef name) {
  if (!stream)
    return fileError(name, "no samples, expected at least one");
  warnOfFewSamples(name, stream->size());
  auto calibrated = stream->finish(settings.method.value_or(CalibrationOptions()), heldBack);
  if (!calibrated)
    return fileError(model, llvm::toString(calibrated.takeError()));
  table = std::move(*calibrated);
  stream.reset();
  return Error::success();
}

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

Error Translation::quantize() {
  Plan &plan = settings.plan;
  // Agreement needs the values of all layers, which the program itself may not expose.
  mlir::OwningOpRef<mlir::ModuleOp> exposed = (*floatModule)->clone();
  Plan copy = plan;
  if (Error error = quantizeModel(*exposed, model, *table, copy, {settings.integerOnly, true}))
    return error;
  if (Error error = quantizeModel(*program, model, *table, plan, {settings.integerOnly, settings.dumpValues}))
    return error;
  report = describeLayers(**floatModule, &plan);
  report.integerBytes = constantBytes(*program);
  report.calibrationSamples = table->samples.size();
  if (!floatProgram)
    return Error::success();
  std::vector<const Sample *> samples;
  for (const Sample &sample : heldBack)
    samples.push_back(&sample);
  return measureAgreement(report, floatProgram->getProgram(), *exposed, samples);
}

Error Translation::finish() {
  program = (*floatModule)->clone();
  if (!settings.isFloat) {
    if (Error error = quantize())
      return error;
  } else {
    report = describeLayers(**floatModule, nullptr);
    if (settings.dumpValues)
      if (Error error = exposeValues(*program, model))
        return error;
  }
  report.model = model;
  // What only the way here needed.
  evaluator.reset();
  floatProgram.reset();
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
    report.workspaceBytes = compiled->workspaceBytes;
    if (Error error = emitModule(*compiled, *format->emission, path, files))
      return error;
  }
  report.output = path.str();
  report.outputBytes = files.sizeOf(path);
  return Error::success();
}

Expected<std::unique_ptr<Program>> Translation::load() {
  auto compiled = compile(settings.target, "program", /*exportAlias=*/false);
  if (!compiled)
    return compiled.takeError();
  report.workspaceBytes = compiled->workspaceBytes;
  if (runsHere(settings.target))
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
