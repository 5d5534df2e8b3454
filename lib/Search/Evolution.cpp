// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Evolutionary search after EvoPress (Sieberling et al. 2024): a child of the best plan
// lowers the cost of some groups by a step and raises that of as many others; the best
// of parent and children is the next parent.

#include "Solvers.h"
#include "llvm/ADT/STLExtras.h"

namespace dyadic {

namespace {

/// Attempts at a child that meets the limits.
constexpr int kAttempts = 20;
/// Exchanges of a child at most.
constexpr uint64_t kExchanges = 3;

/// SplitMix64: the same numbers on every machine, unlike the distributions of <random>.
class RandomNumbers {
public:
  explicit RandomNumbers(uint64_t seed) : state(seed) {}
  /// From 0 to `end` - 1. The bias of the remainder is far below what a search could notice.
  uint64_t below(uint64_t end) {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % end;
  }

private:
  uint64_t state;
};

/// The choices of every group from cheap to expensive, and back.
struct Ladder {
  std::vector<std::vector<size_t>> choices; // by group and rung
  std::vector<std::vector<size_t>> rungs;   // by group and choice
};

/// A choice's cost is the sum of its limited costs, each as a part of its limit.
Ladder ladderOf(const AssignmentProblem &problem) {
  Ladder ladder;
  for (const ChoiceGroup &group : problem.groups) {
    std::vector<double> costs(group.choices.size(), 0.0);
    for (auto [cost, choice] : llvm::zip(costs, group.choices))
      for (size_t k = 0; k < kNumCosts; ++k)
        if (problem.limits[k] && *problem.limits[k] > 0)
          cost += *choice.costs[k] / *problem.limits[k];
    std::vector<size_t> order(costs.size());
    for (size_t i = 0; i < order.size(); ++i)
      order[i] = i;
    llvm::sort(order, [&](size_t a, size_t b) { return costs[a] != costs[b] ? costs[a] < costs[b] : a < b; });
    std::vector<size_t> rungs(order.size());
    for (size_t i = 0; i < order.size(); ++i)
      rungs[order[i]] = i;
    ladder.choices.push_back(std::move(order));
    ladder.rungs.push_back(std::move(rungs));
  }
  return ladder;
}

/// Moves a random group by one rung, if it can.
void step(const Ladder &ladder, bool isUp, RandomNumbers &random, Choices &plan) {
  size_t group = random.below(plan.size());
  size_t rung = ladder.rungs[group][plan[group]];
  if (isUp ? rung + 1 < ladder.choices[group].size() : rung > 0)
    plan[group] = ladder.choices[group][isUp ? rung + 1 : rung - 1];
}

Choices childOf(const Choices &parent, const Ladder &ladder, RandomNumbers &random) {
  Choices child = parent;
  uint64_t exchanges = 1 + std::min(random.below(kExchanges), random.below(kExchanges));
  for (uint64_t i = 0; i < exchanges; ++i) {
    step(ladder, /*isUp=*/false, random, child);
    step(ladder, /*isUp=*/true, random, child);
  }
  return child;
}

} // namespace

Choices evolve(const AssignmentProblem &problem, Choices start, llvm::function_ref<double(const Choices &)> fitness,
               const EvolutionOptions &options) {
  ExactProblem exact(problem);
  Ladder ladder = ladderOf(problem);
  RandomNumbers random(options.seed);
  Choices best = std::move(start);
  double least = fitness(best);
  for (size_t generation = 0; generation < options.generations; ++generation) {
    if (options.isInterrupted && options.isInterrupted())
      break;
    Choices parent = best;
    for (size_t i = 0; i < options.offspring; ++i)
      for (int attempt = 0; attempt < kAttempts; ++attempt) {
        Choices child = childOf(parent, ladder, random);
        if (child == parent || !exact.meetsLimits(child))
          continue;
        if (double value = fitness(child); value < least) {
          least = value;
          best = std::move(child);
        }
        break;
      }
  }
  return best;
}

/// From the greedy plan, with the problem's own objective.
llvm::Expected<SolverOutcome> solveByEvolution(const ExactProblem &exact, const SolveOptions &options) {
  llvm::Expected<SolverOutcome> outcome = solveGreedily(exact, options);
  if (!outcome || !outcome->best)
    return outcome;
  EvolutionOptions inner = options.evolution;
  inner.isInterrupted = options.isInterrupted;
  auto fitness = [&](const Choices &plan) { return exact.objectiveScale().toNearby(exact.objective(plan)); };
  Choices plan = evolve(exact.problem(), outcome->best->choices, fitness, inner);
  outcome->best = Incumbent{plan, exact.objective(plan)};
  outcome->steps = inner.generations;
  return outcome;
}

} // namespace dyadic
