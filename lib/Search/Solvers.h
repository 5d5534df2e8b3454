// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The solvers, one file each.

#ifndef DYADIC_LIB_SEARCH_SOLVERS_H
#define DYADIC_LIB_SEARCH_SOLVERS_H

#include "ExactProblem.h"
#include "dyadic/Search/Solver.h"

namespace dyadic {

struct SolverOutcome {
  /// Meets the limits.
  std::optional<Incumbent> best;
  /// No plan has less; without one, and with isComplete, that is the objective of `best`.
  std::optional<double> bound;
  /// `best` is optimal; without one, no plan meets the limits.
  bool isComplete = false;
  uint64_t steps = 0;
};

/// Whether the bound is the objective to a relative 1e-9.
bool isCertificate(double objective, double bound);

llvm::Expected<SolverOutcome> solveAutomatically(const ExactProblem &exact, const SolveOptions &options);
llvm::Expected<SolverOutcome> solveByBranchAndBound(const ExactProblem &exact, const SolveOptions &options);
llvm::Expected<SolverOutcome> solveByHighs(const ExactProblem &exact, const SolveOptions &options);
llvm::Expected<SolverOutcome> solveGreedily(const ExactProblem &exact, const SolveOptions &options);
llvm::Expected<SolverOutcome> solveByDynamicProgramming(const ExactProblem &exact, const SolveOptions &options);
llvm::Expected<SolverOutcome> solveByEvolution(const ExactProblem &exact, const SolveOptions &options);

} // namespace dyadic

#endif // DYADIC_LIB_SEARCH_SOLVERS_H
