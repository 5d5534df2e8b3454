// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The options of a compilation: what may be typed, and what is said about the rest.

#include "dyadic/Pipelines/Translation.h"
#include "dyadic/Search/Sensitivity.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Files.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Path.h"
#include <cmath>

using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

namespace dyadic {

Error quantizationOptionError(StringRef option) {
  return makeError("--" + option + ": an option of quantization, which --float turns off");
}

/// Where the ranges of an integer program come from.
static Error checkRangeSource(const TranslateOptions &options, StringRef model) {
  bool isFromModel = options.calibrationMethod && StringRef(*options.calibrationMethod).starts_with("batchnorm");
  bool isFromData = options.hasCalibration || !options.mergeCalibration.empty();
  if (isFromModel && isFromData)
    return makeError("--calibration-method=" + escaped(*options.calibrationMethod) +
                     ": takes ranges from the model's batch normalizations, expected no --calibration");
  if (!isFromModel && !options.inputRanges.empty())
    return makeError("--input-range: an option of --calibration-method=batchnorm, expected that too");
  if (isFromModel || isFromData)
    return Error::success();
  return fileError(model, "no --calibration=PATH, expected representative inputs, or --float for no quantization");
}

static Error checkFloat(const TranslateOptions &options, StringRef model) {
  if (!options.isFloat)
    return checkRangeSource(options, model);
  const std::pair<StringRef, bool> given[] = {{"calibration", options.hasCalibration},
                                              {"merge-calibration", !options.mergeCalibration.empty()},
                                              {"calibration-method", options.calibrationMethod.has_value()},
                                              {"input-range", !options.inputRanges.empty()},
                                              {"bits", options.bits.has_value()},
                                              {"budget", options.budget.has_value()},
                                              {"rounding", options.rounding.has_value()},
                                              {"weight-rounding", options.weightRounding.has_value()},
                                              {"integer-only", options.integerOnly},
                                              {"attribution", options.attribution.has_value()},
                                              {"tune", options.tune.has_value()},
                                              {"io", options.io.has_value()}};
  for (auto [option, isGiven] : given)
    if (isGiven)
      return quantizationOptionError(option);
  return Error::success();
}

static Error parseInputShape(StringRef text, ImportOptions &options) {
  auto fail = [&](const llvm::Twine &what) {
    return makeError("--input-shape=" + escaped(text) + ": " + what + ", expected NAME:1,3,224,224");
  };
  auto [input, sizes] = text.rsplit(':');
  llvm::SmallVector<StringRef> parts;
  sizes.split(parts, ',');
  std::vector<int64_t> shape;
  for (StringRef part : parts) {
    int64_t size = 0;
    if (part.getAsInteger(10, size) || size < 1)
      return fail("'" + escaped(part) + "' is no size");
    shape.push_back(size);
  }
  if (input.empty())
    return fail("no name");
  options.inputShapes.push_back({input.str(), shape});
  return Error::success();
}

static Error parseInputRange(StringRef text, RangeMap &ranges) {
  auto fail = [&](const llvm::Twine &what) {
    return makeError("--input-range=" + escaped(text) + ": " + what + ", expected NAME:LOW,HIGH");
  };
  auto [input, numbers] = text.rsplit(':');
  auto [low, high] = numbers.split(',');
  float range[2];
  for (auto [part, number] : llvm::zip(std::array<StringRef, 2>{low, high}, range)) {
    double parsed = 0;
    if (part.getAsDouble(parsed) || !std::isfinite(static_cast<float>(parsed)))
      return fail("'" + escaped(part) + "' is no number");
    number = static_cast<float>(parsed);
  }
  if (input.empty())
    return fail("no name");
  if (range[0] > range[1])
    return fail("the larger number is first");
  if (!ranges.try_emplace(input.str(), StoredRange{range[0], range[1]}).second)
    return fail("the input has one already");
  return Error::success();
}

/// The plan in `text`; it must agree with the options that were given.
static Error readPlan(StringRef name, StringRef text, const TranslateOptions &options, Plan &plan) {
  Plan asked = plan;
  auto parsed = parsePlan(name, text, plan);
  if (!parsed)
    return parsed.takeError();
  plan = *parsed;
  if (options.rounding && plan.rounding != asked.rounding)
    return fileError(name, "rounding differs from --rounding=" + *options.rounding);
  if (options.io && plan.io != asked.io)
    return fileError(name, "io differs from --io=" + *options.io);
  for (const auto &[cpu, layers] : plan.schedules) {
    auto target = parseTarget(cpu);
    if (!target || target->cpus.size() != 1 || target->cpus.front().family->name != cpu) {
      llvm::consumeError(target.takeError());
      return fileError(name, "schedules: '" + escaped(cpu) + "' is no family of CPUs, expected one such as avx2");
    }
  }
  return Error::success();
}

static Error choosePlan(const TranslateOptions &options, TranslateSettings &settings) {
  Plan &plan = settings.plan;
  StringRef rounding = options.rounding ? StringRef(*options.rounding) : "half_up";
  if (rounding != "half_up" && rounding != "half_even")
    return makeError("--rounding=" + escaped(rounding) + ": expected half_up or half_even");
  StringRef io = options.io ? StringRef(*options.io) : "float";
  if (io != "float" && io != "integer")
    return makeError("--io=" + escaped(io) + ": expected float or integer");
  plan.rounding = rounding == "half_even" ? Rounding::HalfEven : Rounding::HalfUp;
  plan.io = io == "integer" ? BoundaryMode::Integer : BoundaryMode::Float;
  StringRef bits = options.bits ? StringRef(*options.bits) : "8";
  settings.planName = bits.str();
  if (options.planText)
    return readPlan(bits, *options.planText, options, plan);
  if (bits.ends_with(".json")) {
    settings.planFile = bits.str();
    auto buffer = readFile(bits);
    if (!buffer)
      return buffer.takeError();
    return readPlan(bits, (*buffer)->getBuffer(), options, plan);
  }
  auto widths = parseBits(bits);
  if (!widths)
    return makeError("--bits=" + escaped(bits) + ": expected 8, wXaY with X in 2..8 and Y in 2..16, or a plan (.json)");
  std::tie(plan.weightBits, plan.activationBits) = *widths;
  return Error::success();
}

/// How bits are searched for.
static Error chooseSearch(const TranslateOptions &options, TranslateSettings &settings) {
  const std::pair<StringRef, const TranslateOptions::Given *> given[] = {
      {"choices", &options.choices},
      {"sensitivity-metric", &options.sensitivityMetric},
      {"sensitivity", &options.sensitivity},
      {"pairs", &options.pairs},
      {"pareto", &options.pareto},
      {"cost", &options.cost},
      {"cache", &options.cache},
      {"time-limit", &options.timeLimit}};
  if (!options.budget) {
    for (auto [option, text] : given)
      if (*text)
        return makeError("--" + option + ": an option of --budget, expected --budget=LIMITS too");
    return Error::success();
  }
  if (options.bits)
    return makeError("--budget: chooses the bits, expected no --bits");
  SearchSettings search;
  auto budget = parseBudget(*options.budget);
  if (!budget)
    return budget.takeError();
  search.budget = std::move(*budget);
  if (options.choices) {
    auto choices = parseChoices(*options.choices);
    if (!choices)
      return choices.takeError();
    search.choices = std::move(*choices);
  }
  search.metric = options.sensitivityMetric.value_or(search.metric);
  if (!metricIndex(search.metric) && search.metric != kTraceMetric)
    return makeError("--sensitivity-metric=" + escaped(search.metric) + ": expected kl, error, layer or trace");
  search.measuresPairs = options.pairs && *options.pairs == "neighbours";
  if (options.pairs && !search.measuresPairs && *options.pairs != "none")
    return makeError("--pairs=" + escaped(*options.pairs) + ": expected none or neighbours");
  if (search.measuresPairs && search.metric != divergenceMetric.name() && search.metric != errorMetric.name())
    return makeError("--pairs=neighbours: measures the outputs, which --sensitivity-metric=" + search.metric +
                     " does not, expected kl or error");
  if (options.sensitivity) {
    llvm::SmallVector<StringRef> files;
    StringRef(*options.sensitivity).split(files, ',');
    for (StringRef file : files) {
      if (!file.ends_with(".json"))
        return fileError(file, "ending '" + escaped(llvm::sys::path::extension(file)) + "', expected .json");
      search.moreSensitivityFiles.push_back(file.str());
    }
    search.sensitivityFile = search.moreSensitivityFiles.front();
    search.moreSensitivityFiles.erase(search.moreSensitivityFiles.begin());
  }
  search.cacheFolder = options.cache.value_or("");
  if (options.timeLimit) {
    double seconds = 0;
    if (StringRef(*options.timeLimit).getAsDouble(seconds) || !(seconds > 0 && seconds < 1e9))
      return makeError("--time-limit=" + escaped(*options.timeLimit) + ": expected a positive number of seconds");
    search.timeLimit = seconds;
  }
  search.costFile = options.cost.value_or("");
  if (options.cost && !search.budget.costs[0])
    return makeError("--cost: has the times that a latency is predicted from, expected one in --budget");
  if (options.cost && !StringRef(search.costFile).ends_with(".json"))
    return fileError(search.costFile,
                     "ending '" + escaped(llvm::sys::path::extension(search.costFile)) + "', expected .json");
  search.paretoFile = options.pareto.value_or("");
  if (StringRef ending = llvm::sys::path::extension(search.paretoFile);
      options.pareto && ending != ".csv" && ending != ".svg" && ending != ".json")
    return fileError(search.paretoFile, "ending '" + escaped(ending) + "', expected .csv, .svg or .json");
  settings.search = std::move(search);
  return Error::success();
}

/// Where overrides go, and what they have to reach.
static Error chooseAttribution(const TranslateOptions &options, TranslateSettings &settings) {
  if (options.attributionTarget && !options.attribution)
    return makeError("--attribution-target: an option of --attribution, expected --attribution=PLAN.json too");
  if (!options.attribution)
    return Error::success();
  settings.attributionFile = *options.attribution;
  if (!StringRef(settings.attributionFile).ends_with(".json"))
    return fileError(settings.attributionFile,
                     "ending '" + escaped(llvm::sys::path::extension(settings.attributionFile)) + "', expected .json");
  if (!options.attributionTarget)
    return Error::success();
  auto target = parseAccuracy("attribution-target", *options.attributionTarget);
  if (!target)
    return target.takeError();
  settings.attributionTarget = std::move(*target);
  return Error::success();
}

static Error checkTune(const TranslateOptions &options, TranslateSettings &settings) {
  if (!options.tune)
    return Error::success();
  settings.tunes = true;
  settings.tunesFloat = *options.tune == "float";
  if (!options.tune->empty() && !settings.tunesFloat)
    return makeError("--tune=" + escaped(*options.tune) + ": expected --tune or --tune=float");
  if (settings.tunesFloat && options.integerOnly)
    return makeError("--tune=float: may leave layers in float, which --integer-only forbids");
  if (!runnableHere(settings.target))
    return makeError("--tune: this machine does not run the target " + settings.target.name() +
                     ", expected one that can be timed here");
  return Error::success();
}

Expected<TranslateSettings> checkOptions(const TranslateOptions &options, StringRef model) {
  TranslateSettings settings;
  const std::pair<StringRef, const TranslateOptions::Given *> texts[] = {
      {"calibration-method", &options.calibrationMethod},
      {"bits", &options.bits},
      {"rounding", &options.rounding},
      {"weight-rounding", &options.weightRounding},
      {"io", &options.io},
      {"name", &options.name},
      {"budget", &options.budget},
      {"choices", &options.choices},
      {"sensitivity-metric", &options.sensitivityMetric},
      {"sensitivity", &options.sensitivity},
      {"pairs", &options.pairs},
      {"pareto", &options.pareto},
      {"cache", &options.cache},
      {"time-limit", &options.timeLimit},
      {"attribution", &options.attribution},
      {"attribution-target", &options.attributionTarget}};
  for (auto [option, text] : texts)
    if (*text && (*text)->empty())
      return makeError("--" + option + ": no value, expected one");
  if (Error error = checkFloat(options, model))
    return error;
  settings.isFloat = options.isFloat;
  settings.integerOnly = options.integerOnly;
  settings.dumpValues = options.dumpValues;
  settings.detailedReport = options.detailedReport;
  if (llvm::is_contained(options.mergeCalibration, ""))
    return makeError("--merge-calibration: an empty name, expected A.json,B.json");
  auto target = parseTarget(options.target);
  if (!target)
    return target.takeError();
  settings.target = *target;
  settings.prefix = options.name.value_or("");
  if (options.name && (settings.prefix.empty() || cIdentifier(settings.prefix) != settings.prefix))
    return makeError("--name=" + escaped(settings.prefix) + ": expected a C identifier");
  if (Error error = checkTune(options, settings))
    return error;
  if (Error error = chooseAttribution(options, settings))
    return std::move(error);
  if (options.calibrationMethod) {
    auto method = parseCalibrationMethod(*options.calibrationMethod);
    if (!method)
      return method.takeError();
    settings.method = *method;
  }
  if (options.weightRounding) {
    auto rounding = llvm::StringSwitch<std::optional<WeightRounding>>(*options.weightRounding)
                        .Case("auto", WeightRounding::Auto)
                        .Case("nearest", WeightRounding::Nearest)
                        .Case("gptq", WeightRounding::Gptq)
                        .Default(std::nullopt);
    if (!rounding)
      return makeError("--weight-rounding=" + escaped(*options.weightRounding) + ": expected auto, nearest or gptq");
    settings.weightRounding = *rounding;
  }
  for (StringRef text : options.inputShapes)
    if (Error error = parseInputShape(text, settings.import))
      return error;
  for (StringRef text : options.inputRanges)
    if (Error error = parseInputRange(text, settings.inputRanges))
      return error;
  if (Error error = choosePlan(options, settings))
    return error;
  if (Error error = chooseSearch(options, settings))
    return error;
  return settings;
}

Expected<OutputFormat> outputFormat(StringRef path, const Target &target) {
  StringRef ending = llvm::sys::path::extension(path);
  for (StringRef unbuilt : {".onnx", ".ptx", ".spv"})
    if (ending == unbuilt)
      return fileError(path, "writing " + unbuilt + " is not built yet");
  auto emission = llvm::StringSwitch<std::optional<Emission>>(ending)
                      .Case(".so", Emission::SharedLibrary)
                      .Case(".o", Emission::Object)
                      .Case(".s", Emission::Assembly)
                      .Case(".ll", Emission::LLVMIR)
                      .Default(std::nullopt);
  if (!emission && ending != ".mlir")
    return fileError(path, "ending '" + escaped(ending) + "', expected .so, .o, .s, .ll or .mlir");
  if (llvm::sys::path::stem(path).empty() || llvm::sys::path::filename(path) == ending)
    return fileError(path, "has no name before the ending '" + ending + "', expected one");
  if (!hasLibraries(target) && emission == Emission::SharedLibrary)
    return fileError(path, "a library for " + target.triple + " needs its linker, expected .o, .s or .ll");
  return OutputFormat{emission};
}

Error checkReportPath(StringRef path) {
  StringRef ending = llvm::sys::path::extension(path);
  if (ending != ".json" && ending != ".html")
    return fileError(path, "ending '" + escaped(ending) + "', expected .json or .html");
  return Error::success();
}

std::string reportAs(StringRef path, const Report &report) {
  return llvm::sys::path::extension(path) == ".html" ? toHtml(report) : toJson(report);
}

} // namespace dyadic
