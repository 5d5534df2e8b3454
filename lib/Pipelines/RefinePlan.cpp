// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PlanSearcher.h"
#include "dyadic/Pipelines/Compiler.h"

using namespace mlir;
using namespace dyadic::qnn;
using llvm::Error;
using llvm::Expected;

namespace dyadic {

/// Plans that refinement measures: generations times children.
static constexpr size_t kGenerations = 8, kOffspring = 6;
/// What a refined plan measures, relative to the one that it was refined from, has to be less than this.
static constexpr double kRefinedFitness = 0.8;

/// Sums of `values` of even and of odd samples.
static std::array<double, 2> halves(llvm::ArrayRef<double> values) {
  std::array<double, 2> sums = {0, 0};
  for (auto [i, value] : llvm::enumerate(values))
    sums[i % 2] += value;
  return sums;
}

Error PlanSearcher::refine() {
  if (!evaluator || isOver())
    return Error::success();
  if (Error error = readStorage())
    return error;
  const SensitivityMetric &metric = decidingMetric(settings.metric);
  auto before = evaluate(chosen, metric, [](llvm::ArrayRef<double>) { return false; });
  if (!before)
    return fail(llvm::toString(before.takeError()));
  std::array<double, 2> start = halves(*before);
  // Relative to the start, the worse half counts. No term is negative: more samples only add to it.
  auto fitnessOf = [&](llvm::ArrayRef<double> measured) {
    std::array<double, 2> now = halves(measured);
    double worse = 0;
    for (size_t half : {0, 1})
      worse = std::max(worse, start[half] > 0 ? now[half] / start[half] : 1 + now[half]);
    return worse;
  };
  std::map<Choices, double> known;
  double least = INFINITY;
  Error failure = Error::success();
  size_t done = 0;
  auto fitness = [&](const Choices &plan) {
    auto [found, isNew] = known.try_emplace(plan, INFINITY);
    if (!isNew || failure)
      return found->second;
    // What is worse than the best plan already will not be taken.
    auto measured = evaluate(plan, metric, [&](llvm::ArrayRef<double> part) { return fitnessOf(part) > least; });
    if (measured)
      least = std::min(least, found->second = fitnessOf(*measured));
    else
      failure = measured.takeError();
    if (request.listener->progress)
      request.listener->progress("refining the plan", std::min(++done, kGenerations * kOffspring),
                                 kGenerations * kOffspring + 1);
    return found->second;
  };
  EvolutionOptions options;
  options.generations = kGenerations;
  options.offspring = kOffspring;
  options.isInterrupted = limitedOptions().isInterrupted;
  Choices refined = evolve(problem, chosen, fitness, options);
  if (isInterrupted() && !failure)
    failure = llvm::joinErrors(std::move(failure), makeError("interrupted"));
  if (failure)
    return fail(llvm::toString(std::move(failure)));
  exact = chosen;
  if (!(fitness(refined) < kRefinedFitness))
    refined = chosen;
  for (size_t i = 0; i < chosen.size(); ++i)
    result.report.refinements += refined[i] != chosen[i];
  chosen = std::move(refined);
  return Error::success();
}

Expected<std::vector<double>> PlanSearcher::evaluate(const Choices &plan, const SensitivityMetric &metric,
                                                     llvm::function_ref<bool(llvm::ArrayRef<double>)> isEnough) {
  std::string what = ("evaluated by " + metric.name() + ": " + planToJson(planOf(plan), true)).str();
  if (auto known = cache.find(what))
    return std::move(*known);
  auto found = evaluator->evaluate(configurationOf(plan), metric, isEnough);
  if (found && found->size() == evaluator->numSamples()) // else it tells only that others were better
    if (Error error = cache.add(what, *found))
      return std::move(error);
  return found;
}

Error PlanSearcher::readStorage() {
  OwningOpRef<ModuleOp> module = ModuleOp(request.floatModule).clone();
  Plan plan = *request.plan;
  auto ranges = chooseRanges(request.floatModule, request.file, *request.table, plan);
  if (!ranges)
    return ranges.takeError();
  if (Error error = quantizeModel(*module, request.file, *ranges, plan, {false, /*exposeValues=*/true}))
    return error;
  auto signature = readSignature(*module);
  if (!signature)
    return signature.takeError();
  auto note = [&](const BoundaryTensor &tensor) {
    bool isStored = tensor.scales.size() == 1 && tensor.type != ElementType::S32 && tensor.type != ElementType::F32;
    if (isStored)
      storage[tensor.name] = {tensor.scales[0], tensor.zeroPoint, tensor.range};
  };
  for (const BoundaryTensor &value : ArrayRef(signature->outputs).take_back(signature->numValues))
    note(value);
  return Error::success();
}

LayerwiseEvaluator::Configuration PlanSearcher::configurationOf(const Choices &plan) const {
  LayerwiseEvaluator::Configuration configuration;
  configuration.values = storage;
  for (auto [group, choice] : llvm::zip_equal(problem.groups, plan)) {
    auto [weightBits, activationBits] = *parseBits(group.choices[choice].bits);
    for (const std::string &id : group.layers)
      configuration.weights[id] = weightBits;
    const std::string &value = layer(group.layers[0]).value;
    auto calibrated = request.table->values.find(value);
    if (activationBits != request.plan->activationBits && calibrated != request.table->values.end())
      configuration.values[value] = gridOf(calibrated->second, request.table->method, activationBits);
  }
  return configuration;
}

} // namespace dyadic
