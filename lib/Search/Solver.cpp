// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Search/Solver.h"
#include "BranchAndBound.h"
#include "Solvers.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/FileHeader.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace llvm;

namespace dyadic {

static constexpr int64_t kAssignmentVersion = 1;

static constexpr std::pair<const char *, SolverKind> kSolvers[] = {{"auto", SolverKind::Auto},
                                                                   {"branch-and-bound", SolverKind::BranchAndBound},
                                                                   {"highs", SolverKind::Highs},
                                                                   {"greedy", SolverKind::Greedy},
                                                                   {"dp", SolverKind::DynamicProgramming},
                                                                   {"evolution", SolverKind::Evolution}};

std::optional<SolverKind> parseSolver(StringRef text) {
  for (const auto &[name, kind] : kSolvers)
    if (text == name)
      return kind;
  return std::nullopt;
}

StringRef statusName(SolveStatus status) {
  switch (status) {
  case SolveStatus::Optimal:
    return "optimal";
  case SolveStatus::Feasible:
    return "feasible";
  case SolveStatus::Infeasible:
    return "infeasible";
  case SolveStatus::Unknown:
    break;
  }
  return "unknown";
}

//===----------------------------------------------------------------------===//
// Solving
//===----------------------------------------------------------------------===//

/// What every solver's outcome becomes: the plan checked against the limits once more, its exact sums as doubles.
static Solution solutionOf(const ExactProblem &exact, const SolverOutcome &outcome) {
  Solution solution;
  solution.steps = outcome.steps;
  solution.bound = outcome.bound;
  if (!outcome.best) {
    solution.status = outcome.isComplete ? SolveStatus::Infeasible : SolveStatus::Unknown;
    if (outcome.isComplete)
      solution.bound = std::nullopt;
    return solution;
  }
  if (!exact.meetsLimits(outcome.best->choices))
    report_fatal_error("a solver returned a plan that exceeds a limit");
  solution.choices = outcome.best->choices;
  solution.objective = exact.objectiveScale().toDouble(exact.objective(solution.choices));
  solution.costs = exact.costs(solution.choices);
  if (outcome.isComplete && !solution.bound)
    solution.bound = solution.objective;
  if (solution.bound)
    solution.bound = std::min(*solution.bound, solution.objective);
  bool isProven = solution.bound && isCertificate(solution.objective, *solution.bound);
  solution.status = isProven ? SolveStatus::Optimal : SolveStatus::Feasible;
  return solution;
}

bool isCertificate(double objective, double bound) { return objective - bound <= 1e-9 * std::fabs(objective); }

static Expected<SolverOutcome> run(const ExactProblem &exact, const SolveOptions &options) {
  switch (options.solver) {
  case SolverKind::Auto:
    return solveAutomatically(exact, options);
  case SolverKind::BranchAndBound:
    return solveByBranchAndBound(exact, options);
  case SolverKind::Highs:
    return solveByHighs(exact, options);
  case SolverKind::Greedy:
    return solveGreedily(exact, options);
  case SolverKind::DynamicProgramming:
    return solveByDynamicProgramming(exact, options);
  case SolverKind::Evolution:
    return solveByEvolution(exact, options);
  }
  llvm_unreachable("every kind of solver is handled");
}

Expected<Solution> solve(const AssignmentProblem &problem, const SolveOptions &options) {
  ExactProblem exact(problem);
  Expected<SolverOutcome> outcome = run(exact, options);
  if (!outcome)
    return outcome.takeError();
  Solution solution = solutionOf(exact, *outcome);
  if (solution.status == SolveStatus::Infeasible)
    solution.nearest = nearestLimits(problem, options.isInterrupted);
  return solution;
}

Expected<SolverOutcome> solveByBranchAndBound(const ExactProblem &exact, const SolveOptions &options) {
  BranchAndBoundOptions inner;
  inner.isInterrupted = options.isInterrupted;
  BranchAndBoundResult result = branchAndBound(exact, inner);
  if (result.isTooLarge)
    return makeError("branch-and-bound: the pair terms connect too many groups with each other, expected the solver "
                     "highs or fewer pairs");
  return SolverOutcome{std::move(result.best), result.bound, result.isComplete, result.nodes};
}

/// The own solver, and HiGHS where its tables for pair terms would be too large.
Expected<SolverOutcome> solveAutomatically(const ExactProblem &exact, const SolveOptions &options) {
  BranchAndBoundOptions inner;
  inner.isInterrupted = options.isInterrupted;
  BranchAndBoundResult result = branchAndBound(exact, inner);
  if (result.isTooLarge)
    return hasHighs() ? solveByHighs(exact, options) : solveByBranchAndBound(exact, options);
  return SolverOutcome{std::move(result.best), result.bound, result.isComplete, result.nodes};
}

//===----------------------------------------------------------------------===//
// The answer
//===----------------------------------------------------------------------===//

static void writeNumber(json::OStream &json, StringRef key, double value) {
  json.attributeBegin(key);
  json.rawValue(shortestText(value));
  json.attributeEnd();
}

static void writeCosts(json::OStream &json, StringRef key, const Costs &costs) {
  json.attributeObject(key, [&] {
    for (auto [name, cost] : zip(kCostNames, costs))
      if (cost)
        writeNumber(json, name, *cost);
  });
}

std::string solutionToJson(const AssignmentProblem &problem, const Solution &solution) {
  std::string text;
  raw_string_ostream stream(text);
  json::OStream json(stream, 2);
  json.object([&] {
    json.attribute("kind", "assignment");
    json.attribute("version", kAssignmentVersion);
    if (!problem.model.empty())
      json.attribute("model", problem.model);
    json.attribute("producer", kProducer);
    json.attribute("status", statusName(solution.status));
    if (!solution.choices.empty())
      writeNumber(json, "objective", solution.objective);
    if (solution.bound)
      writeNumber(json, "bound", *solution.bound);
    if (!solution.choices.empty()) {
      writeCosts(json, "costs", solution.costs);
      json.attributeObject("choices", [&] {
        for (auto [group, choice] : zip(problem.groups, solution.choices))
          json.attribute(group.name, group.choices[choice].bits);
      });
    }
    if (solution.status == SolveStatus::Infeasible)
      json.attributeObject("nearest", [&] {
        writeCosts(json, "alone", solution.nearest.alone);
        if (solution.nearest.factor) {
          writeNumber(json, "factor", *solution.nearest.factor);
          writeCosts(json, "together", solution.nearest.together);
        }
      });
  });
  stream << "\n";
  return text;
}

} // namespace dyadic
