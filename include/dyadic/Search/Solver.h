// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Solvers of the assignment problem behind one interface. docs/Search.md has the
// algorithms with their sources, and what a certificate means.

#ifndef DYADIC_SEARCH_SOLVER_H
#define DYADIC_SEARCH_SOLVER_H

#include "dyadic/Search/Problem.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <functional>

namespace dyadic {

enum class SolverKind { Auto, BranchAndBound, Highs, Greedy, DynamicProgramming, Evolution };

/// "auto", "branch-and-bound", "highs", "greedy", "dp", "evolution"; nothing for other text.
std::optional<SolverKind> parseSolver(llvm::StringRef text);
/// Whether this build has the solver HiGHS.
bool hasHighs();

struct EvolutionOptions {
  /// Of the random numbers: the same seed gives the same plan.
  uint64_t seed = 0;
  size_t generations = 1000;
  /// Plans that each generation tries.
  size_t offspring = 16;
  /// As in SolveOptions.
  std::function<bool()> isInterrupted;
};

struct SolveOptions {
  SolverKind solver = SolverKind::Auto;
  /// Asked between steps of microseconds to milliseconds; the solver stops soon after it says true. It may be empty.
  std::function<bool()> isInterrupted;
  EvolutionOptions evolution;
  /// Cells of dynamic programming's grid for the limit.
  size_t cells = 100000;
};

enum class SolveStatus {
  /// No plan has less perturbation than (1 - 1e-9) times this one's: `bound` proves it.
  Optimal,
  /// The plan meets the limits; nothing better than `bound` exists.
  Feasible,
  /// No plan meets the limits.
  Infeasible,
  /// Stopped before a plan was found or shown not to exist.
  Unknown,
};
/// "optimal", "feasible", "infeasible", "unknown".
llvm::StringRef statusName(SolveStatus status);

/// How far limits have to be raised for a plan to exist.
struct NearestLimits {
  /// For each limit, the least value with the others kept; nothing where no value is enough.
  Costs alone;
  /// All limits multiplied by one factor: at most 1e-6 (relative) more than the least one; nothing where a limit is 0
  /// and cannot be met.
  std::optional<double> factor;
  Costs together;
};

struct Solution {
  SolveStatus status = SolveStatus::Unknown;
  /// Empty without a plan.
  Choices choices;
  /// The plan's perturbation: the double nearest to the exact sum.
  double objective = 0;
  /// No plan that meets the limits has less perturbation. Nothing where none is known.
  std::optional<double> bound;
  /// Sums of the costs that every choice states.
  Costs costs;
  /// Of an infeasible problem.
  NearestLimits nearest;
  /// Nodes of the tree, generations, cells: what the solver counts.
  uint64_t steps = 0;
};

/// Solves the problem. An error where the solver asked for cannot: HiGHS in a build without it, dynamic programming
/// with several limits or pair terms.
llvm::Expected<Solution> solve(const AssignmentProblem &problem, const SolveOptions &options);

/// Looks for a plan with less `fitness` than `start`, which meets the limits, by exchanging choices between groups
/// (EvoPress): the result is no worse and meets them too. The fitness may be measured; it need not be a sum.
Choices evolve(const AssignmentProblem &problem, Choices start, llvm::function_ref<double(const Choices &)> fitness,
               const EvolutionOptions &options);

/// The nearest limits with which a plan exists, of a problem without one. `isInterrupted` as in SolveOptions; what is
/// not found by then is left out.
NearestLimits nearestLimits(const AssignmentProblem &problem, const std::function<bool()> &isInterrupted);

/// A plan of the front, with the limit that it was found under.
struct ParetoPoint {
  double limit = 0;
  Solution solution;
};

/// The best plans under `points` limits of `cost` (a position in kCostNames), evenly spaced from the least that has a
/// plan to the cost of the best plan without one; the problem's other limits hold. Plans that are the same are given
/// once; none where no plan meets the other limits. What solve() refuses is an error, and a choice that lacks the cost.
llvm::Expected<std::vector<ParetoPoint>> paretoFront(const AssignmentProblem &problem, size_t cost, size_t points,
                                                     const SolveOptions &options);

/// The front as CSV: limit, status, objective, bound, costs, and the bits of every group.
std::string paretoToCsv(const AssignmentProblem &problem, size_t cost, llvm::ArrayRef<ParetoPoint> front);

/// The front as a picture (SVG): the cost, and the logarithm of the perturbation; plans without any are left out.
std::string paretoToSvg(size_t cost, llvm::ArrayRef<ParetoPoint> front);

/// The answer as JSON, by the names of the problem.
std::string solutionToJson(const AssignmentProblem &problem, const Solution &solution);

} // namespace dyadic

#endif // DYADIC_SEARCH_SOLVER_H
