// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BranchAndBound.h"
#include "Heuristics.h"
#include "Solvers.h"

namespace dyadic {

llvm::Expected<SolverOutcome> solveGreedily(const ExactProblem &exact, const SolveOptions &options) {
  SolverOutcome outcome;
  std::optional<Core> core = Core::presolved(exact, options.isInterrupted);
  outcome.isComplete = !core;
  if (!core)
    return outcome;
  if (std::optional<CoreChoices> plan = greedyPlan(*core)) {
    Choices choices = core->expand(*plan);
    if (exact.meetsLimits(choices)) // the doubles of the core may be off by their rounding
      outcome.best = Incumbent{choices, exact.objective(choices)};
  }
  BranchAndBoundOptions inner;
  inner.isInterrupted = options.isInterrupted;
  inner.rootOnly = true;
  BranchAndBoundResult root = branchAndBound(exact, inner);
  outcome.bound = root.bound;
  outcome.isComplete = root.isComplete && !root.best;
  return outcome;
}

} // namespace dyadic
