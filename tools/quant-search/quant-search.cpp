// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Solves an assignment problem from its tables: bits for every group of layers.

#include "dyadic/Pipelines/CommandLine.h"
#include "dyadic/Search/Solver.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Files.h"
#include <atomic>
#include <chrono>
#include <csignal>

using namespace dyadic;
namespace cl = llvm::cl;

static const ForeignOptionsRemoved foreignOptionsRemoved; // first
static cl::OptionCategory category("Options of quant-search");
static cl::opt<std::string> problemPath(cl::Positional, cl::desc("PROBLEM.json"), cl::cat(category));
static cl::opt<std::string> outputPath("o", cl::desc("Write the plan, or why there is none"),
                                       cl::value_desc("PLAN.json"), cl::cat(category));
static cl::opt<std::string> solverName("solver",
                                       cl::desc("auto (default), branch-and-bound, highs, greedy, dp, evolution"),
                                       cl::value_desc("SOLVER"), cl::init("auto"), cl::cat(category));
static cl::opt<double> timeLimit("time-limit",
                                 cl::desc("Stop after so long, with the best plan and the bound known by then"),
                                 cl::value_desc("SECONDS"), cl::cat(category));

namespace {

std::atomic<bool> wasInterrupted = false;

/// The first signal ends the search, the second the process.
void onInterrupt(int signal) {
  wasInterrupted = true;
  std::signal(signal, SIG_DFL);
}

/// One line for each limit that may be raised.
std::string nearestText(const AssignmentProblem &problem, const NearestLimits &nearest) {
  std::vector<std::string> lines;
  for (size_t k = 0; k < kNumCosts; ++k)
    if (problem.limits[k] && nearest.alone[k])
      lines.push_back(std::string(kCostNames[k]) + " " + shortestText(*nearest.alone[k]) + " instead of " +
                      shortestText(*problem.limits[k]) + " would do alone");
  if (nearest.factor)
    lines.push_back("every limit times " + shortestText(*nearest.factor) + " would do");
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string &line : lines)
    text += "\n  " + line;
  return text;
}

/// A search may take long: what cannot be written is found out before it.
llvm::Error checkOutput() {
  FileSet trial; // not committed
  trial.protect(problemPath);
  return trial.write(outputPath, "");
}

llvm::Error search() {
  if (problemPath.empty())
    return makeError("no problem, expected quant-search PROBLEM.json -o PLAN.json");
  if (outputPath.empty())
    return makeError("no output, expected -o PLAN.json");
  SolveOptions options;
  std::optional<SolverKind> solver = parseSolver(solverName);
  if (!solver)
    return makeError("--solver: unknown solver '" + escaped(solverName) +
                     "', expected auto, branch-and-bound, highs, greedy, dp or evolution");
  options.solver = *solver;
  bool isLimited = timeLimit.getNumOccurrences() > 0;
  if (isLimited && !(timeLimit > 0 && timeLimit < 1e9))
    return makeError("--time-limit: expected a positive number of seconds");
  auto start = std::chrono::steady_clock::now();
  options.isInterrupted = [&] {
    std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    return wasInterrupted || (isLimited && elapsed.count() >= timeLimit);
  };
  std::signal(SIGINT, onInterrupt);
  std::signal(SIGTERM, onInterrupt);

  auto buffer = readFile(problemPath);
  if (!buffer)
    return buffer.takeError();
  llvm::Expected<AssignmentProblem> problem = parseProblem(problemPath, (*buffer)->getBuffer());
  if (!problem)
    return problem.takeError();
  if (llvm::Error error = checkOutput())
    return error;
  llvm::Expected<Solution> solution = solve(*problem, options);
  if (!solution)
    return fileError(problemPath, llvm::toString(solution.takeError()));
  if (llvm::Error error = writeFile(outputPath, solutionToJson(*problem, *solution)))
    return error;
  if (solution->status == SolveStatus::Infeasible)
    return fileError(problemPath, "infeasible: no plan meets the limits" + nearestText(*problem, solution->nearest));
  if (solution->status == SolveStatus::Unknown)
    return fileError(problemPath, "no plan was found in time, and none was shown not to exist");
  llvm::outs() << statusName(solution->status) << ": perturbation " << shortestText(solution->objective);
  if (solution->bound)
    llvm::outs() << ", bound " << shortestText(*solution->bound);
  for (size_t k = 0; k < kNumCosts; ++k)
    if (solution->costs[k]) {
      llvm::outs() << "; " << kCostNames[k] << " " << shortestText(*solution->costs[k]);
      if (problem->limits[k])
        llvm::outs() << " of " << shortestText(*problem->limits[k]);
    }
  llvm::outs() << "\n";
  return llvm::Error::success();
}

} // namespace

int main(int argc, char **argv) {
  if (!parseCommandLine(argc, argv, category, "Chooses the bits of every group of layers, from tables.\n"))
    return 1;
  return finish(search());
}
