// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The assignment problem in exact integers: what decides whether a plan meets its
// limits, and which of two plans is better.

#ifndef DYADIC_LIB_SEARCH_EXACTPROBLEM_H
#define DYADIC_LIB_SEARCH_EXACTPROBLEM_H

#include "dyadic/Search/DecimalScale.h"
#include "dyadic/Search/Problem.h"

namespace dyadic {

class ExactProblem {
public:
  explicit ExactProblem(const AssignmentProblem &problem);

  /// Positions in kCostNames of the limited costs, ascending.
  llvm::ArrayRef<size_t> limited() const { return limitedCosts; }
  size_t numGroups() const { return given.groups.size(); }
  size_t numChoices(size_t group) const { return perturbations[group].size(); }
  const AssignmentProblem &problem() const { return given; }

  // In units of the objective's scale, and of each limited cost's (by its position in limited()).
  const llvm::APInt &perturbation(size_t group, size_t choice) const { return perturbations[group][choice]; }
  const llvm::APInt &pairTerm(size_t pair, size_t a, size_t b) const { return pairTerms[pair][a][b]; }
  const llvm::APInt &weight(size_t k, size_t group, size_t choice) const { return weights[k][group][choice]; }
  const llvm::APInt &limit(size_t k) const { return limits[k]; }
  const DecimalScale &objectiveScale() const { return objectiveUnits; }
  const DecimalScale &weightScale(size_t k) const { return weightUnits[k]; }

  llvm::APInt objective(const Choices &choices) const;
  /// Whether no sum is more than its limit.
  bool meetsLimits(const Choices &choices) const;
  /// The sum of every cost that all choices state.
  Costs costs(const Choices &choices) const;

private:
  const AssignmentProblem &given;
  llvm::SmallVector<size_t, kNumCosts> limitedCosts;
  DecimalScale objectiveUnits;
  std::vector<DecimalScale> weightUnits;
  std::vector<std::vector<llvm::APInt>> perturbations;
  std::vector<std::vector<std::vector<llvm::APInt>>> pairTerms;
  std::vector<std::vector<std::vector<llvm::APInt>>> weights;
  std::vector<llvm::APInt> limits;
};

/// A plan that meets the limits, with its exact objective.
struct Incumbent {
  Choices choices;
  llvm::APInt objective;

  /// Less perturbation, or as much and the earlier choice in the first group that differs.
  bool isBetterThan(const Incumbent &other) const {
    return objective != other.objective ? objective.slt(other.objective) : choices < other.choices;
  }
};

} // namespace dyadic

#endif // DYADIC_LIB_SEARCH_EXACTPROBLEM_H
