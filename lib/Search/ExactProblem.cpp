// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ExactProblem.h"
#include "llvm/ADT/STLExtras.h"

using llvm::APInt;

namespace dyadic {

static DecimalScale objectiveScaleOf(const AssignmentProblem &problem) {
  std::vector<double> numbers;
  for (const ChoiceGroup &group : problem.groups)
    for (const BitChoice &choice : group.choices)
      numbers.push_back(choice.perturbation);
  for (const PairTerm &pair : problem.pairs)
    for (const std::vector<double> &row : pair.perturbation)
      numbers.insert(numbers.end(), row.begin(), row.end());
  // Search adds every term once and subtracts the least of its table.
  return DecimalScale(numbers, 2 * (problem.groups.size() + problem.pairs.size()) + 2);
}

/// Of a cost that every choice states.
static DecimalScale costScaleOf(const AssignmentProblem &problem, size_t cost) {
  std::vector<double> numbers;
  for (const ChoiceGroup &group : problem.groups)
    for (const BitChoice &choice : group.choices)
      numbers.push_back(*choice.costs[cost]);
  if (problem.limits[cost])
    numbers.push_back(*problem.limits[cost]);
  return DecimalScale(numbers, 2 * problem.groups.size() + 2);
}

ExactProblem::ExactProblem(const AssignmentProblem &problem)
    : given(problem), objectiveUnits(objectiveScaleOf(problem)) {
  for (const ChoiceGroup &group : problem.groups) {
    std::vector<APInt> &row = perturbations.emplace_back();
    for (const BitChoice &choice : group.choices)
      row.push_back(objectiveUnits.toInteger(choice.perturbation));
  }
  for (const PairTerm &pair : problem.pairs) {
    std::vector<std::vector<APInt>> &table = pairTerms.emplace_back();
    for (const std::vector<double> &row : pair.perturbation) {
      table.emplace_back();
      for (double value : row)
        table.back().push_back(objectiveUnits.toInteger(value));
    }
  }
  for (size_t cost = 0; cost < kNumCosts; ++cost) {
    if (!problem.limits[cost])
      continue;
    limitedCosts.push_back(cost);
    const DecimalScale &scale = weightUnits.emplace_back(costScaleOf(problem, cost));
    limits.push_back(scale.toInteger(*problem.limits[cost]));
    std::vector<std::vector<APInt>> &table = weights.emplace_back();
    for (const ChoiceGroup &group : problem.groups) {
      table.emplace_back();
      for (const BitChoice &choice : group.choices)
        table.back().push_back(scale.toInteger(*choice.costs[cost]));
    }
  }
}

APInt ExactProblem::objective(const Choices &choices) const {
  APInt sum = objectiveUnits.zero();
  for (auto [row, choice] : llvm::zip(perturbations, choices))
    sum += row[choice];
  for (auto [pair, table] : llvm::zip(given.pairs, pairTerms))
    sum += table[choices[pair.a]][choices[pair.b]];
  return sum;
}

bool ExactProblem::meetsLimits(const Choices &choices) const {
  for (auto [table, scale, limit] : llvm::zip(weights, weightUnits, limits)) {
    APInt sum = scale.zero();
    for (auto [row, choice] : llvm::zip(table, choices))
      sum += row[choice];
    if (sum.sgt(limit))
      return false;
  }
  return true;
}

Costs ExactProblem::costs(const Choices &choices) const {
  Costs result;
  for (size_t cost = 0; cost < kNumCosts; ++cost) {
    bool isStated = llvm::all_of(given.groups, [&](const ChoiceGroup &group) {
      return llvm::all_of(group.choices, [&](const BitChoice &choice) { return choice.costs[cost].has_value(); });
    });
    if (!isStated)
      continue;
    DecimalScale scale = costScaleOf(given, cost);
    APInt sum = scale.zero();
    for (auto [group, choice] : llvm::zip(given.groups, choices))
      sum += scale.toInteger(*group.choices[choice].costs[cost]);
    result[cost] = scale.toDouble(sum);
  }
  return result;
}

} // namespace dyadic
