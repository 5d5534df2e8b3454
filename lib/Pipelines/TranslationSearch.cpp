// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a translation finds out about plans: widths, schedules, causes of error.

#include "ProgramTiming.h"
#include "dyadic/Pipelines/Attribution.h"
#include "dyadic/Pipelines/MeasureCosts.h"
#include "dyadic/Pipelines/Translation.h"
#include "dyadic/Pipelines/Tune.h"
#include "dyadic/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/TargetParser/Host.h"

using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

namespace dyadic {

/// Weights are fitted to so many samples for their times, which few samples make like those of all.
static constexpr size_t kCostSamples = 16;

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

} // namespace dyadic
