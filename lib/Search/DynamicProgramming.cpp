// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The multiple-choice knapsack by dynamic programming over a grid of the limit (Dudzinski
// and Walukiewicz 1987). Costs that are whole cells make it exact. Others are rounded up
// for a plan, which then meets the limit, and rounded down for a bound.

#include "Core.h"
#include "Solvers.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

namespace dyadic {

namespace {

/// Entries of the table of choices: 2 bytes each.
constexpr size_t kMaxEntries = size_t(1) << 26;

/// The least perturbation for every number of cells used up at most.
class Grid {
public:
  /// `cells[i]` of each item of the core, `end` of the limit.
  Grid(const Core &core, std::vector<size_t> cells, size_t end) : core(core), cells(std::move(cells)), end(end) {}

  /// The least perturbation, HUGE_VAL without a plan; nothing where it was interrupted.
  std::optional<double> solve(bool withChoices, const std::function<bool()> &isInterrupted);
  /// After solve() with choices.
  CoreChoices plan() const;

private:
  const Core &core;
  std::vector<size_t> cells;
  size_t end;
  std::vector<CoreChoices> chosen; // by group and cells used up to it
};

std::optional<double> Grid::solve(bool withChoices, const std::function<bool()> &isInterrupted) {
  std::vector<double> before(end + 1, 0.0), after(end + 1);
  for (size_t g = 0; g < core.size(); ++g) {
    if (isInterrupted && isInterrupted())
      return std::nullopt;
    after.assign(end + 1, HUGE_VAL);
    CoreChoices choices(withChoices ? end + 1 : 0);
    for (const CoreItem &item : core.alive(g)) {
      size_t own = cells[core.first[g] + item.local];
      for (size_t cell = own; cell <= end; ++cell)
        if (double value = before[cell - own] + item.perturbation; value < after[cell]) {
          after[cell] = value;
          if (withChoices)
            choices[cell] = item.local;
        }
    }
    if (withChoices)
      chosen.push_back(std::move(choices));
    before.swap(after);
  }
  return before[end];
}

CoreChoices Grid::plan() const {
  CoreChoices plan(core.size());
  size_t cell = end;
  for (size_t g = core.size(); g-- > 0;) {
    plan[g] = chosen[g][cell];
    cell -= cells[core.first[g] + plan[g]];
  }
  return plan;
}

/// Weights in cells of `size`.
std::vector<size_t> cellsOf(const Core &core, double size, bool isUp) {
  std::vector<size_t> result;
  for (const CoreItem &item : core.items) {
    double cells = item.weights[0] / size; // off by rounding, hence the margins
    cells = isUp ? std::ceil(cells * (1 + 1e-12)) : std::floor(cells * (1 - 1e-12));
    result.push_back(static_cast<size_t>(std::min(cells, 1e18)));
  }
  return result;
}

} // namespace

llvm::Expected<SolverOutcome> solveByDynamicProgramming(const ExactProblem &exact, const SolveOptions &options) {
  if (exact.limited().size() != 1)
    return makeError("dp: found " + llvm::Twine(exact.limited().size()) + " limits, expected one");
  if (!exact.problem().pairs.empty())
    return makeError("dp: found pair terms, expected none");
  SolverOutcome outcome;
  std::optional<Core> core = Core::presolved(exact, options.isInterrupted);
  outcome.isComplete = !core;
  if (!core)
    return outcome;

  size_t most = std::min(options.cells, kMaxEntries / std::max<size_t>(core->size(), 1));
  bool isExact = core->isWhole[0] && core->limits[0] <= static_cast<double>(most);
  size_t end = isExact ? static_cast<size_t>(core->limits[0]) : most;
  double size = isExact ? 1 : core->limits[0] / static_cast<double>(end);
  if (size == 0) // nothing but the least costs
    size = 1;
  std::vector<size_t> up = cellsOf(*core, size, true), down = cellsOf(*core, size, false);
  if (isExact)
    for (size_t i = 0; i < up.size(); ++i)
      up[i] = down[i] = static_cast<size_t>(core->items[i].weights[0]);
  Grid grid(*core, up, end);
  std::optional<double> value = grid.solve(true, options.isInterrupted);
  outcome.steps = end;
  if (value && *value < HUGE_VAL) {
    Choices choices = core->expand(grid.plan());
    if (exact.meetsLimits(choices))
      outcome.best = Incumbent{choices, exact.objective(choices)};
  }
  std::optional<double> bound = value;
  if (!isExact && value)
    bound = Grid(*core, down, end).solve(false, options.isInterrupted);
  if (bound && *bound == HUGE_VAL)
    outcome.isComplete = !outcome.best;
  else if (bound)
    outcome.bound = core->toReal(*bound - static_cast<double>(core->size() + 16) * 0x1p-52 * *bound);
  return outcome;
}

} // namespace dyadic
