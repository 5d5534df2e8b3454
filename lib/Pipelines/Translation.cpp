// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/Translation.h"
#include "Equalization.h"
#include "ProgramTiming.h"
#include "dyadic/IR/Fingerprint.h"
#include "dyadic/Pipelines/Attribution.h"
#include "dyadic/Pipelines/CollectReport.h"
#include "dyadic/Pipelines/Diagnostics.h"
#include "dyadic/Pipelines/LayerwiseProgram.h"
#include "dyadic/Pipelines/MeasureCosts.h"
#include "dyadic/Pipelines/Tune.h"
#include "dyadic/Support/Error.h"
#include "mlir/IR/AsmState.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/TargetParser/Host.h"

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
// Ranges
//===----------------------------------------------------------------------===//

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

/// Weights are fitted to so many samples for their times, which few samples make like those of all.
static constexpr size_t kCostSamples = 16;

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

PlanSearchRequest Translation::searchRequest(Evaluator *evaluatorOfSearch) {
  PlanSearchRequest request;
  request.floatModule = **floatModule;
  request.file = model;
  request.settings = &*settings.search;
  request.table = &*table;
  request.plan = &settings.plan;
  request.listener = &listener;
  request.weightRounding = canFit() ? settings.weightRounding : WeightRounding::Nearest;
  if (floatProgram && samples) {
    request.samples = samples.get();
    request.heldBack = heldBack;
    request.calibration = fittingSamples().vec();
    request.evaluator = evaluatorOfSearch;
    request.kernels = kernels.get();
    request.floatProgram = floatProgram.get();
  }
  return request;
}

Expected<std::string> Translation::measureSensitivity(SamplePart part) {
  auto evaluatorOfSearch = floatProgram ? interruptible(*floatProgram, listener) : nullptr;
  PlanSearchRequest request = searchRequest(evaluatorOfSearch.get());
  request.part = part;
  auto measured = measureSensitivities(request);
  if (!measured)
    return measured.takeError();
  return *measured ? toJson(**measured) : std::string();
}

/// Chooses the widths of the plan.
Error Translation::search() {
  if (const std::string &cache = settings.search->cacheFolder; !cache.empty()) {
    if (std::error_code code = llvm::sys::fs::create_directories(cache))
      return fileError(cache, "cannot be made: " + code.message());
    if (!llvm::sys::fs::is_directory(cache))
      return fileError(cache, "is no folder, expected one for the cache");
  }
  const std::string &file = settings.search->sensitivityFile;
  bool isWritten = !file.empty() && settings.search->moreSensitivityFiles.empty();
  if (isWritten)
    if (Error error = checkWritable(file))
      return error;
  filesRead.push_back(file);
  llvm::append_range(filesRead, settings.search->moreSensitivityFiles);
  auto evaluatorOfSearch = floatProgram ? interruptible(*floatProgram, listener) : nullptr;
  PlanSearchRequest request = searchRequest(evaluatorOfSearch.get());
  std::unique_ptr<CostModel> latencies;
  if (settings.search->budget.costs[0]) {
    auto measured = measureLatencies(request);
    if (!measured)
      return measured.takeError();
    latencies = std::move(*measured);
    request.latency = latencies.get();
  }
  auto result = searchPlan(request);
  if (!result)
    return result.takeError();
  settings.plan = std::move(result->plan);
  searchReport = std::move(result->report);
  front = std::move(result->pareto);
  found = std::move(result->fitted);
  return Error::success();
}

Expected<std::unique_ptr<CostModel>> Translation::measureLatencies(PlanSearchRequest &searched) {
  SearchSettings &search = *settings.search;
  CostTable costs;
  std::string file = search.costFile;
  bool isCached = file.empty() && !search.cacheFolder.empty();
  if (isCached)
    file = search.cacheFolder + "/cost-" + cIdentifier(settings.target.name()) + "-" +
           cIdentifier(llvm::sys::getHostCPUName()) + ".json";
  if (!file.empty() && llvm::sys::fs::exists(file)) {
    auto buffer = readFile(file);
    if (!buffer)
      return buffer.takeError();
    auto text = isCached ? unseal(file, (*buffer)->getBuffer()) : Expected<std::string>((*buffer)->getBuffer().str());
    if (!text)
      return text.takeError();
    auto parsed = parseCostTable(file, *text);
    if (!parsed)
      return parsed.takeError();
    costs = std::move(*parsed);
  } else if (!file.empty()) {
    if (Error error = checkWritable(file))
      return error;
  }
  if (search.choices.empty())
    search.choices = defaultChoices(search.budget);
  CostRequest request;
  request.floatModule = **floatModule;
  request.file = model;
  request.model = sha;
  request.calibration = &*table;
  request.plan = &settings.plan;
  request.here = runnableHere(settings.target);
  request.choices = search.choices;
  Listener quiet = listener; // the widths tell how far it is
  quiet.progress = nullptr;
  if (searched.weightRounding != WeightRounding::Nearest && searched.evaluator)
    request.fit = {**floatModule,
                   model,
                   &*table,
                   searched.weightRounding,
                   searched.evaluator,
                   samples.get(),
                   llvm::ArrayRef(searched.calibration).take_front(std::min(kCostSamples, searched.calibration.size())),
                   &quiet,
                   {},
                   searched.kernels};
  std::optional<size_t> index;
  auto sample = timedSample(**floatModule, samples.get(), heldBack, index);
  if (!sample)
    return sample.takeError();
  request.sample = std::move(*sample);
  std::string before = toJson(costs);
  auto measured = measureCosts(request, costs, listener);
  if (!measured)
    return fileError(file.empty() ? StringRef(model) : StringRef(file), llvm::toString(measured.takeError()));
  search.choices = *measured;
  if (!file.empty() && toJson(costs) != before) {
    FileSet written;
    protectInputs(written);
    if (Error error = written.write(file, isCached ? seal(toJson(costs)) : toJson(costs)))
      return error;
    if (Error error = written.commit())
      return error;
  }
  filesRead.push_back(file);
  searched.fixed[0] = costs.find(restSignature(sha), "w8a8").value_or(0) / 1000;
  return std::make_unique<LatencyCostModel>(std::move(costs), costLayers(**floatModule));
}

Error Translation::tunePlan(const RangeMap &ranges) {
  TuneRequest request;
  request.floatModule = **floatModule;
  request.file = model;
  request.ranges = &ranges;
  request.mayFloat = settings.tunesFloat;
  request.here = *runnableHere(settings.target);
  std::optional<size_t> index;
  auto sample = timedSample(**floatModule, samples.get(), heldBack, index);
  if (!sample)
    return sample.takeError();
  request.sample = std::move(*sample);
  auto tuned = tune(request, settings.plan, listener);
  if (!tuned)
    return tuned.takeError();
  tuning = std::move(*tuned);
  return Error::success();
}

Error Translation::attributeCosts(const Plan &given) {
  if (!floatProgram || !samples || heldBack.empty())
    return fileError(model, "no held-back samples to measure accuracy with, which --attribution needs, expected "
                            "--calibration=PATH with inputs");
  AttributionRequest request;
  request.search.floatModule = equalizedModule ? *equalizedModule : **floatModule;
  request.search.file = model;
  request.search.table = equalizedTable ? &*equalizedTable : &*table;
  request.search.plan = &given;
  request.search.samples = samples.get();
  request.search.heldBack = heldBack;
  request.search.floatProgram = floatProgram.get();
  request.search.kernels = kernels.get();
  request.search.listener = &listener;
  request.quantized = *program;
  request.complete = &settings.plan;
  request.target = settings.attributionTarget;
  auto found = attribute(request);
  if (!found)
    return found.takeError();
  equalizedModule = nullptr;
  equalizedTable.reset();
  attribution = std::move(found->report);
  overridesText = planToJson(found->plan, /*statesDefaults=*/true);
  return Error::success();
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
