// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PlanSearcher.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"
#include "llvm/TargetParser/Host.h"

using llvm::Error;
using llvm::Expected;

namespace dyadic {

/// Sensitivities are measured with about so many multiply-accumulates for each layer and width, on samples between
/// these numbers where there are as many: the search takes seconds, and small networks get the samples that they need.
static constexpr int64_t kMacs = 4'000'000'000;
static constexpr size_t kFewestSamples = 12, kMostSamples = 128;

std::vector<BitWidths> defaultChoices(const Budget &budget) {
  std::vector<BitWidths> choices;
  bool costsOperations = budget.costs[0] || budget.costs[2];
  for (unsigned weights : {2, 3, 4, 5, 6, 8})
    for (unsigned activations : {4, 8, 12, 16})
      if (activations == 8 || (costsOperations && (activations == 4 || weights == 8)))
        choices.push_back({weights, activations});
  return choices;
}

Expected<PlanSearchResult> PlanSearcher::run() {
  start = std::chrono::steady_clock::now();
  for (auto step : {&PlanSearcher::describeLayers, &PlanSearcher::dropIllegalChoices, &PlanSearcher::readSamples,
                    &PlanSearcher::openCache, &PlanSearcher::findSensitivities, &PlanSearcher::addPerturbations,
                    &PlanSearcher::addAllCosts, &PlanSearcher::choose, &PlanSearcher::drawFront})
    if (Error error = (this->*step)())
      return std::move(error);
  result.plan = *request.plan;
  applyChoices(problem, chosen, result.plan);
  result.fitted = std::move(fittedPrograms[chosen]);
  describe();
  return std::move(result);
}

Expected<std::optional<SensitivityTable>> PlanSearcher::measureAlone() {
  start = std::chrono::steady_clock::now();
  for (auto step : {&PlanSearcher::describeLayers, &PlanSearcher::dropIllegalChoices, &PlanSearcher::readSamples,
                    &PlanSearcher::openCache})
    if (Error error = (this->*step)())
      return std::move(error);
  if (samples.empty() && request.samples)
    return std::nullopt;
  if (Error error = findSensitivities())
    return std::move(error);
  return std::move(table);
}

bool PlanSearcher::isOver() {
  std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (!settings.timeLimit || elapsed.count() < *settings.timeLimit)
    return false;
  wasOver = true;
  return true;
}

Error PlanSearcher::readSamples() {
  if (!request.samples)
    return Error::success();
  isFitted =
      request.weightRounding != WeightRounding::Nearest && !request.calibration.empty() && !request.heldBack.empty();
  int64_t macs = 1;
  for (const SearchLayer &layer : layers)
    macs += layer.macs;
  size_t count = std::clamp(static_cast<size_t>(kMacs / macs), kFewestSamples, kMostSamples);
  std::vector<size_t> indices(request.heldBack);
  if (indices.size() > count)
    indices.resize(count);
  if (!isFitted)
    for (size_t index : request.calibration)
      if (indices.size() < count && !llvm::is_contained(indices, index))
        indices.push_back(index);
  llvm::sort(indices);
  for (size_t index : indices) {
    auto sample = request.samples->read(index);
    if (!sample)
      return sample.takeError();
    std::string hash = sampleHash(*sample);
    if (llvm::is_contained(hashes, hash))
      continue; // the same once more
    hashes.push_back(std::move(hash));
    samples.push_back(std::move(*sample));
  }
  request.part.keep(hashes);
  request.part.keep(samples);
  return Error::success();
}

std::string PlanSearcher::calibrationHash() const {
  std::string text = toJson(*request.table);
  return llvm::toHex(llvm::SHA256::hash(llvm::arrayRefFromStringRef(text)), /*LowerCase=*/true);
}

Error PlanSearcher::openCache() {
  if (settings.cacheFolder.empty())
    return Error::success();
  std::vector<std::string> key = {problem.model, calibrationHash(), "samples"};
  llvm::append_range(key, hashes);
  key.push_back("calibration");
  for (size_t index : isFitted ? request.calibration : std::vector<size_t>())
    key.push_back(std::to_string(index));
  key.push_back(isFitted ? "fitted" : "nearest");
  std::vector<std::string> sensitivityKey = key;
  key.push_back("held back");
  for (size_t index : request.heldBack)
    key.push_back(std::to_string(index));
  key.push_back(planToJson(*request.plan, /*statesDefaults=*/true));
  key.push_back(std::to_string(static_cast<int>(request.weightRounding)));
  key.push_back(llvm::sys::getHostCPUName().str());
  if (usesTraces())
    sensitivityKey.push_back(kTraceMetric.str());
  if (settings.sensitivityFile.empty())
    cachedSensitivity = settings.cacheFolder + "/sensitivity-" + cacheKey(sensitivityKey) + ".json";
  auto opened = SearchCache::open(settings.cacheFolder + "/plans-" + cacheKey(key) + ".json", problem.model);
  if (!opened)
    return opened.takeError();
  cache = std::move(*opened);
  return Error::success();
}

Error PlanSearcher::addAllCosts() {
  if (settings.budget.costs[0] && !request.latency)
    return failBudget("latency needs measured times, expected a table of them");
  WeightCostModel counted(layers);
  std::vector<const CostModel *> models = {&counted};
  if (request.latency)
    models.push_back(request.latency);
  if (Error error = addCosts(problem, models))
    return fail(llvm::toString(std::move(error)));
  auto limits = resolveLimits(settings.budget, layers, models, request.fixed);
  if (!limits)
    return fail(llvm::toString(limits.takeError()));
  problem.limits = *limits;
  return Error::success();
}

Plan PlanSearcher::planOf(const Choices &plan) const {
  Plan full = *request.plan;
  applyChoices(problem, plan, full);
  return full;
}

Costs PlanSearcher::costsOf(const Choices &plan) const {
  Costs sum;
  for (size_t k = 0; k < kNumCosts; ++k)
    sum[k] = request.fixed[k].value_or(0);
  for (auto [group, choice] : llvm::zip_equal(problem.groups, plan))
    addCosts(sum, group.choices[choice].costs);
  return sum;
}

Expected<PlanSearchResult> searchPlan(const PlanSearchRequest &request) { return PlanSearcher(request).run(); }

Expected<std::optional<SensitivityTable>> measureSensitivities(const PlanSearchRequest &request) {
  return PlanSearcher(request).measureAlone();
}

} // namespace dyadic
