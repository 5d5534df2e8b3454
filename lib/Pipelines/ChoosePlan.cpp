// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PlanSearcher.h"
#include "llvm/Support/FormatVariadic.h"

using llvm::Error;
using llvm::Expected;

namespace dyadic {

/// Plans of the front among which the cheapest that is accurate enough is looked for.
static constexpr size_t kFrontPoints = 24;

SolveOptions PlanSearcher::solveOptions() const {
  SolveOptions options;
  options.isInterrupted = request.listener->isInterrupted;
  return options;
}

SolveOptions PlanSearcher::limitedOptions() {
  SolveOptions options;
  options.isInterrupted = [this] { return isInterrupted() || isOver(); };
  return options;
}

Error PlanSearcher::choose() {
  const Budget &budget = settings.budget;
  if ((budget.drop || budget.sqnr) && (!request.floatProgram || request.heldBack.empty()))
    return failBudget("no held-back samples to measure accuracy with, expected --calibration=PATH with inputs");
  if (request.floatProgram && !request.heldBack.empty()) {
    measurement.emplace(request);
    if (Error error = measurement->prepare())
      return error;
  }
  if (measurement)
    if (Error error = measurement->checkDrop(budget, "--budget"))
      return error;
  return budget.limitsCosts() ? chooseWithin() : chooseCheapest();
}

Error PlanSearcher::chooseWithin() {
  auto solved = solve(problem, limitedOptions());
  if (!solved)
    return fail(llvm::toString(solved.takeError()));
  solution = std::move(*solved);
  if (solution.status == SolveStatus::Unknown && !isInterrupted()) { // no time for a plan
    SolveOptions greedy;
    greedy.solver = SolverKind::Greedy;
    auto quick = solve(problem, greedy);
    if (!quick)
      return fail(llvm::toString(quick.takeError()));
    solution = std::move(*quick);
  }
  if (solution.status == SolveStatus::Infeasible)
    return failBudget("no choice of bits is within it" + nearestText());
  if (solution.choices.empty())
    return failBudget("interrupted before a plan was found");
  chosen = solution.choices;
  if (Error error = refine())
    return error;
  if (Error error = compareWithUniform())
    return error;
  if (measurement && !isAccurate(result.report.measured[0]))
    return failBudget("the best plan within its costs has " + accuracyText(result.report.measured[0]));
  return Error::success();
}

std::string PlanSearcher::limitText(size_t k, double value) const {
  llvm::StringRef name = kCostNames[k];
  if (name == "size_mb")
    return "size " + llvm::formatv("{0:F0} B", std::ceil(value * (1 << 20))).str();
  if (name == "weight_bits") {
    double count = 0;
    for (const SearchLayer &layer : layers)
      count += static_cast<double>(layer.weights);
    return "avg " + shortestText(std::ceil(value / count * 1e6) / 1e6);
  }
  if (name == "bops")
    return "bops " + shortestText(value);
  return "latency " + llvm::formatv("{0:F4}", std::ceil((value + request.fixed[k].value_or(0)) * 1e4) / 1e4).str() +
         "ms";
}

std::string PlanSearcher::nearestText() const {
  std::vector<std::string> lines;
  for (size_t k = 0; k < kNumCosts; ++k)
    if (solution.nearest.alone[k])
      lines.push_back(limitText(k, *solution.nearest.alone[k]) + " would do");
  if (lines.empty() && solution.nearest.factor)
    for (size_t k = 0; k < kNumCosts; ++k)
      if (solution.nearest.together[k])
        lines.push_back(limitText(k, *solution.nearest.together[k]) + ", with the others together, would do");
  llvm::sort(lines);
  std::string text;
  for (const std::string &line : lines)
    text += "\n  " + line;
  return text;
}

Error PlanSearcher::measure(llvm::ArrayRef<Choices> plans) {
  if (isInterrupted())
    return fail("interrupted");
  std::vector<Choices> unknown;
  for (const Choices &plan : plans) {
    if (measuredPlans.count(plan) || llvm::is_contained(unknown, plan))
      continue;
    auto numbers = cache.find(measurementKey(plan));
    if (auto known = numbers ? measuredFrom(*numbers) : std::nullopt)
      measuredPlans[plan] = std::move(*known);
    else
      unknown.push_back(plan);
  }
  std::vector<Plan> full;
  for (const Choices &plan : unknown)
    full.push_back(planOf(plan));
  std::vector<FittedProgram> fitted(full.size());
  auto measured = measurement->measure(full, fitted);
  if (!measured)
    return measured.takeError();
  for (auto [plan, result, program] : llvm::zip_equal(unknown, *measured, fitted)) {
    if (Error error = cache.add(measurementKey(plan), toNumbers(result)))
      return error;
    measuredPlans[plan] = std::move(result);
    fittedPrograms[plan] = std::move(program);
  }
  return Error::success();
}

std::string PlanSearcher::measurementKey(const Choices &plan) const {
  return "measured: " + planToJson(planOf(plan), true);
}

MeasuredPlan PlanSearcher::measured(const Choices &plan, std::string name) const {
  MeasuredPlan result = measuredPlans.at(plan);
  result.name = std::move(name);
  result.costs = costsOf(plan);
  return result;
}

Error PlanSearcher::compareWithUniform() {
  if (!measurement)
    return Error::success();
  std::vector<std::pair<Choices, std::string>> others;
  auto add = [&](const Choices &other, const std::string &name) {
    if (!other.empty() && other != chosen)
      others.push_back({other, name});
  };
  add(exact, "unrefined");
  if (std::optional<Choices> uniform = uniformChoices(problem))
    add(*uniform, problem.groups[0].choices[(*uniform)[0]].bits);
  std::vector<Choices> plans{chosen};
  llvm::append_range(plans, llvm::make_first_range(others));
  if (Error error = measure(plans))
    return error;
  std::vector<MeasuredPlan> &rows = result.report.measured;
  rows.push_back(measured(chosen, "searched"));
  for (const auto &[other, name] : others) {
    MeasuredPlan same = measured(other, name);
    bool isBetter = same.isBetterThan(rows[0], decidesByError(settings.metric));
    rows.insert(isBetter ? rows.begin() : rows.end(), std::move(same));
    if (isBetter)
      chosen = other;
  }
  return Error::success();
}

Error PlanSearcher::chooseCheapest() {
  auto front = paretoFront(problem, kSizeCost, kFrontPoints, solveOptions());
  if (!front)
    return fail(llvm::toString(front.takeError()));
  llvm::erase_if(*front, [](const ParetoPoint &point) { return point.solution.choices.empty(); });
  if (front->empty())
    return failBudget("interrupted before a plan was found");
  auto row = [&](size_t i) { return measured((*front)[i].solution.choices, "searched"); };
  auto passes = [&](size_t i) -> Expected<bool> {
    if (Error error = measure((*front)[i].solution.choices))
      return std::move(error);
    return isAccurate(row(i));
  };
  size_t low = 0, high = front->size() - 1;
  auto last = passes(high);
  if (!last)
    return last.takeError();
  if (!*last)
    return failBudget("the best plan has " + accuracyText(row(high)));
  while (low < high && !isOver()) {
    size_t middle = (low + high) / 2;
    auto isEnough = passes(middle);
    if (!isEnough)
      return isEnough.takeError();
    (*isEnough ? high : low) = *isEnough ? middle : middle + 1;
  }
  solution = (*front)[high].solution;
  chosen = solution.choices;
  result.report.measured.push_back(row(high));
  return Error::success();
}

size_t PlanSearcher::frontCost() const {
  for (size_t k = 0; k < kNumCosts; ++k)
    if (problem.limits[k])
      return k;
  return kSizeCost;
}

Error PlanSearcher::drawFront() {
  if (settings.paretoFile.empty())
    return Error::success();
  llvm::StringRef file = settings.paretoFile;
  if (file.ends_with(".json")) { // for other solvers
    result.pareto = problemToJson(problem);
    return Error::success();
  }
  auto front = paretoFront(problem, frontCost(), kFrontPoints, solveOptions());
  if (!front)
    return fail(llvm::toString(front.takeError()));
  bool isPicture = file.ends_with(".svg");
  result.pareto = isPicture ? paretoToSvg(frontCost(), *front) : paretoToCsv(problem, frontCost(), *front);
  return Error::success();
}

} // namespace dyadic
