// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The nearest limits of a problem that no plan solves: exact problems of their own,
// with the cost in question as what is minimised.

#include "Nearest.h"
#include "BranchAndBound.h"
#include "Solvers.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

namespace dyadic {

static constexpr double kFactorPrecision = 1e-6;

/// The problem with other limits; perturbations are the cost `minimised`, or 0 without one.
static AssignmentProblem costProblem(const AssignmentProblem &problem, const Costs &limits,
                                     std::optional<size_t> minimised) {
  AssignmentProblem result;
  result.limits = limits;
  result.groups = problem.groups;
  for (ChoiceGroup &group : result.groups)
    for (BitChoice &choice : group.choices)
      choice.perturbation = minimised ? *choice.costs[*minimised] : 0.0;
  return result;
}

/// The least double from `start` up that, as a limit of the cost, `choices` meet.
static double leastMet(AssignmentProblem problem, size_t cost, double start, const Choices &choices) {
  for (double limit = start;; limit = std::nextafter(limit, HUGE_VAL)) {
    problem.limits = {};
    problem.limits[cost] = limit;
    if (ExactProblem(problem).meetsLimits(choices))
      return limit;
  }
}

std::optional<double> leastLimit(const AssignmentProblem &problem, size_t cost,
                                 const std::function<bool()> &isInterrupted) {
  BranchAndBoundOptions options;
  options.isInterrupted = isInterrupted;
  Costs others = problem.limits;
  others[cost] = std::nullopt;
  AssignmentProblem minimal = costProblem(problem, others, cost);
  ExactProblem exact(minimal);
  BranchAndBoundResult result = branchAndBound(exact, options);
  if (!result.best || !result.isComplete)
    return std::nullopt;
  return leastMet(minimal, cost, exact.objectiveScale().toDouble(result.best->objective), result.best->choices);
}

static Costs multiplied(const Costs &limits, double factor) {
  Costs result = limits;
  for (std::optional<double> &limit : result)
    if (limit)
      *limit *= factor;
  return result;
}

/// A plan that meets the limits times `factor`; sets `isKnown` where there is none, too.
static std::optional<Choices> planWithin(const AssignmentProblem &problem, double factor, BranchAndBoundOptions options,
                                         bool &isKnown) {
  AssignmentProblem scaled = costProblem(problem, multiplied(problem.limits, factor), std::nullopt);
  ExactProblem exact(scaled);
  options.anyPlan = true;
  BranchAndBoundResult result = branchAndBound(exact, options);
  isKnown = result.best || result.isComplete;
  return result.best ? std::optional<Choices>(result.best->choices) : std::nullopt;
}

/// A factor that no limit asks more of: the most that any plan costs.
static double largestFactor(const AssignmentProblem &problem) {
  double factor = 1;
  for (size_t cost = 0; cost < kNumCosts; ++cost) {
    if (!problem.limits[cost] || *problem.limits[cost] == 0)
      continue;
    double most = 0;
    for (const ChoiceGroup &group : problem.groups) {
      double largest = 0;
      for (const BitChoice &choice : group.choices)
        largest = std::max(largest, *choice.costs[cost]);
      most += largest;
    }
    factor = std::max(factor, 1.001 * most / *problem.limits[cost]);
  }
  return factor;
}

/// What the plan needs, where that can be told exactly; at most `factor`, within which it is.
static double factorOf(const AssignmentProblem &problem, const Choices &plan, double factor) {
  double least = 1;
  for (size_t cost = 0; cost < kNumCosts; ++cost)
    if (double sum = 0; problem.limits[cost] && *problem.limits[cost] > 0) {
      for (auto [group, choice] : llvm::zip(problem.groups, plan))
        sum += *group.choices[choice].costs[cost];
      least = std::max(least, sum / *problem.limits[cost]);
    }
  if (least >= factor)
    return factor;
  AssignmentProblem scaled = costProblem(problem, multiplied(problem.limits, least), std::nullopt);
  return ExactProblem(scaled).meetsLimits(plan) ? least : factor;
}

/// Bisection; every plan found brings the upper end down to what it needs.
static std::optional<double> leastFactor(const AssignmentProblem &problem, const BranchAndBoundOptions &options) {
  double low = 1, high = largestFactor(problem);
  bool isKnown = true;
  if (!std::isfinite(high) || !planWithin(problem, high, options, isKnown))
    return std::nullopt;
  while (isKnown && high > low * (1 + kFactorPrecision)) {
    double middle = high > 4 * low ? std::sqrt(low * high) : low + (high - low) / 2;
    if (std::optional<Choices> plan = planWithin(problem, middle, options, isKnown))
      high = factorOf(problem, *plan, middle);
    else
      low = middle;
  }
  return isKnown ? std::optional<double>(high) : std::nullopt;
}

NearestLimits nearestLimits(const AssignmentProblem &problem, const std::function<bool()> &isInterrupted) {
  NearestLimits nearest;
  BranchAndBoundOptions options;
  options.isInterrupted = isInterrupted;
  for (size_t cost = 0; cost < kNumCosts; ++cost)
    if (problem.limits[cost])
      nearest.alone[cost] = leastLimit(problem, cost, isInterrupted);
  nearest.factor = leastFactor(problem, options);
  if (nearest.factor)
    nearest.together = multiplied(problem.limits, *nearest.factor);
  return nearest;
}

} // namespace dyadic
