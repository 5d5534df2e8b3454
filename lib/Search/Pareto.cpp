// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The Pareto front of perturbation against one cost (ZeroQ, Cai et al. 2020): the
// problem solved under limits from the least that has a plan to what the best plan costs.

#include "Nearest.h"
#include "dyadic/Search/Solver.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

namespace dyadic {

llvm::Expected<std::vector<ParetoPoint>> paretoFront(const AssignmentProblem &problem, size_t cost, size_t points,
                                                     const SolveOptions &options) {
  for (const ChoiceGroup &group : problem.groups)
    for (const BitChoice &choice : group.choices)
      if (!choice.costs[cost])
        return makeError("choice '" + escaped(choice.bits) + "' of group '" + escaped(group.name) + "' has no " +
                         kCostNames[cost] + ", expected it in every choice: the front is along it");
  AssignmentProblem limited = problem;
  limited.limits[cost] = std::nullopt;
  llvm::Expected<Solution> last = solve(limited, options);
  if (!last)
    return last.takeError();
  std::vector<ParetoPoint> front;
  std::optional<double> least = leastLimit(problem, cost, options.isInterrupted);
  if (last->choices.empty() || !least)
    return front;
  auto add = [&](double limit, Solution solution) {
    // Of plans as good the first is the cheapest.
    if (!solution.choices.empty() && (front.empty() || solution.objective < front.back().solution.objective))
      front.push_back({limit, std::move(solution)});
  };
  double low = *least, high = std::max(low, *last->costs[cost]);
  for (size_t i = 0; i + 1 < points && !(options.isInterrupted && options.isInterrupted()); ++i) {
    double limit = low + static_cast<double>(i) / static_cast<double>(points - 1) * (high - low);
    limited.limits[cost] = limit;
    llvm::Expected<Solution> solution = solve(limited, options);
    if (!solution)
      return solution.takeError();
    add(limit, std::move(*solution));
  }
  add(high, std::move(*last)); // not solved again: its cost is a rounded sum, which it may exceed by a digit
  return front;
}

/// A field of CSV (RFC 4180).
static std::string quoted(llvm::StringRef text) {
  if (text.find_first_of(",\"\r\n") == llvm::StringRef::npos)
    return text.str();
  std::string result = "\"";
  for (char c : text)
    result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + "\"";
}

std::string paretoToCsv(const AssignmentProblem &problem, size_t cost, llvm::ArrayRef<ParetoPoint> front) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "limit_" << kCostNames[cost] << ",status,objective,bound";
  for (const char *name : kCostNames)
    stream << "," << name;
  for (const ChoiceGroup &group : problem.groups)
    stream << "," << quoted(group.name);
  stream << "\n";
  for (const ParetoPoint &point : front) {
    const Solution &solution = point.solution;
    stream << shortestText(point.limit) << "," << statusName(solution.status) << "," << shortestText(solution.objective)
           << "," << (solution.bound ? shortestText(*solution.bound) : "");
    for (const std::optional<double> &sum : solution.costs)
      stream << "," << (sum ? shortestText(*sum) : "");
    for (auto [group, choice] : llvm::zip(problem.groups, solution.choices))
      stream << "," << quoted(group.choices[choice].bits);
    stream << "\n";
  }
  return text;
}

} // namespace dyadic
