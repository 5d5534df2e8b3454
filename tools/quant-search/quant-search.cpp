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
static cl::opt<std::string> paretoPath("pareto", cl::desc("Write the front of perturbation against a cost as well"),
                                       cl::value_desc("FILE.csv|.svg"), cl::cat(category));
static cl::opt<std::string>
    paretoCost("pareto-cost",
               cl::desc("The cost: latency_ms, size_mb, bops, weight_bits (default: the first limited one)"),
               cl::value_desc("COST"), cl::cat(category));
static cl::opt<unsigned> paretoPoints("pareto-points", cl::desc("Limits that are tried (default 16)"),
                                      cl::value_desc("N"), cl::init(16), cl::cat(category));

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
llvm::Error checkOutputs() {
  FileSet trial; // not committed
  trial.protect(problemPath);
  for (const std::string *path : {&outputPath.getValue(), &paretoPath.getValue()})
    if (!path->empty())
      if (llvm::Error error = trial.write(*path, ""))
        return error;
  return llvm::Error::success();
}

/// The position of the cost that the front is along.
llvm::Expected<size_t> frontCost(const AssignmentProblem &problem) {
  for (size_t k = 0; k < kNumCosts; ++k)
    if (paretoCost.getNumOccurrences() ? paretoCost == kCostNames[k] : problem.limits[k].has_value())
      return k;
  if (paretoCost.getNumOccurrences())
    return makeError("--pareto-cost: unknown cost '" + escaped(paretoCost) +
                     "', expected latency_ms, size_mb, bops or weight_bits");
  return makeError("--pareto: the problem has no limit, expected --pareto-cost=COST");
}

llvm::Error checkParetoOptions() {
  for (const cl::Option *option : std::initializer_list<cl::Option *>{&paretoCost, &paretoPoints})
    if (paretoPath.empty() && option->getNumOccurrences())
      return makeError("--" + option->ArgStr.str() + ": an option of --pareto, expected --pareto=FILE.csv too");
  if (paretoPoints < 2 || paretoPoints > 100000)
    return makeError("--pareto-points: expected a number from 2 to 100000");
  return llvm::Error::success();
}

llvm::Error writeFront(const AssignmentProblem &problem, const SolveOptions &options, FileSet &files) {
  llvm::Expected<size_t> cost = frontCost(problem);
  if (!cost)
    return cost.takeError();
  auto front = paretoFront(problem, *cost, paretoPoints, options);
  if (!front)
    return fileError(problemPath, llvm::toString(front.takeError()));
  bool isPicture = llvm::StringRef(paretoPath).ends_with(".svg");
  return files.write(paretoPath, isPicture ? paretoToSvg(*cost, *front) : paretoToCsv(problem, *cost, *front));
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
  if (llvm::Error error = checkParetoOptions())
    return error;
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
  if (llvm::Error error = checkOutputs())
    return error;
  llvm::Expected<Solution> solution = solve(*problem, options);
  if (!solution)
    return fileError(problemPath, llvm::toString(solution.takeError()));
  FileSet files;
  if (!paretoPath.empty())
    if (llvm::Error error = writeFront(*problem, options, files))
      return error;
  if (llvm::Error error = files.write(outputPath, solutionToJson(*problem, *solution)))
    return error;
  if (llvm::Error error = files.commit())
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
