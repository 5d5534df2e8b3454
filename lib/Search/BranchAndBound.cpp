// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Branch and bound with Lagrangian bounds. A node's bound is that of the linear program
// over convex combinations of plans (DualMaster); choices whose reduced cost reaches the
// incumbent are ruled out; the children of a node are the choices of one group. The open
// node with the least bound is next, and now and then the search dives from it to a plan.

#include "BranchAndBound.h"
#include "Heuristics.h"
#include "Relaxation.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

namespace dyadic {

namespace {

/// Nodes taken up by their bound between two dives; open nodes above which every node is dived from.
constexpr uint64_t kDiveInterval = 16;
constexpr size_t kMaxOpen = 500000;
/// Nodes on dives whose plans the heuristics improve: so many, and one more for so many nodes searched.
constexpr uint64_t kEfforts = 60, kEffortInterval = 100;
/// Evaluations of the dual at the root and at other nodes.
constexpr int kRootSteps = 200, kNodeSteps = 40;
/// Nodes until ties and all but ties are no longer told apart: then plans that are better by less than this part of the
/// objective are given up.
constexpr uint64_t kExactNodes = 200000;
constexpr double kTolerance = 5e-10;

/// One tree over a core.
class Tree {
public:
  Tree(Core &core, std::optional<Incumbent> &incumbent, const BranchAndBoundOptions &options)
      : core(core), relaxation(core), incumbent(incumbent), options(options) {
    updateCutoff();
  }

  /// Goes on until `limit` nodes are searched; false where that is not enough.
  bool search(uint64_t limit);
  /// The bound of the root, HUGE_VAL where nothing is of interest; rules out items of the core.
  double solveRoot();
  bool isOver() const { return (options.isInterrupted && options.isInterrupted()) || (options.anyPlan && incumbent); }
  /// From now on plans that are better by no more than `value` (in the core's units) are of no interest.
  void setTolerance(double value) { tolerance = value; }
  /// No plan that was not searched has less than it, nor was given up for the tolerance; HUGE_VAL without one.
  double openBound() const;

  const Relaxation &bounds() const { return relaxation; }
  uint64_t nodes = 0;

private:
  /// A group fixed, on top of other decisions.
  struct Decision {
    uint32_t parent, group, local;
  };
  /// Not searched yet; multipliers are its parent's.
  struct OpenNode {
    double bound;
    uint32_t decision; // the last
    uint32_t order;
    Multipliers multipliers;
  };
  static constexpr uint32_t kNone = UINT32_MAX;
  static bool isLater(const OpenNode &a, const OpenNode &b) {
    return a.bound != b.bound ? a.bound > b.bound : a.order > b.order;
  }
  void push(OpenNode node) {
    open.push_back(node);
    std::push_heap(open.begin(), open.end(), isLater);
  }
  bool apply(uint32_t decision);
  std::vector<OpenNode> explore(const OpenNode &node, std::vector<PlanColumn> &columns, bool tryHarder);
  void heuristics(const std::vector<PlanColumn> &columns, const Multipliers &multipliers);
  /// The dual at a node: the best bound, with its multipliers and the plans of the combination.
  double solveDual(std::vector<PlanColumn> &columns, Multipliers &multipliers, bool isRoot);
  bool propagate();
  bool propagateLimit(size_t k);
  bool propagateTwins();
  bool removeAbove(double bound);
  size_t chooseGroup(const std::vector<PlanColumn> &columns, const Multipliers &multipliers) const;
  void tryPlan(const CoreChoices &choices, double perturbation, const std::array<double, kNumCosts> &weights);
  bool isHopeless(double bound);
  bool isHopelessHere(double bound);
  bool canComeEarlier() const;
  void updateCutoff();
  void repair(PlanColumn &column) const;
  Core &core;
  Relaxation relaxation;
  std::optional<Incumbent> &incumbent;
  const BranchAndBoundOptions &options;
  double tolerance = 0;
  double cutoff = 0; // no plan above it is of interest
  double givenUp = HUGE_VAL;
  double rootBound = 0;
  Multipliers rootMultipliers{};
  std::vector<uint32_t> rootCount; // of alive items
  std::vector<Decision> decisions;
  std::vector<OpenNode> open; // a heap
  uint64_t pops = 0, efforts = 0;
  uint32_t made = 0;
  std::vector<double> reduced;
};

void Tree::updateCutoff() {
  cutoff = core.largest;
  if (incumbent)
    cutoff = std::min(cutoff, core.toCore(incumbent->objective));
}

/// Whether some plan of alive items comes before the incumbent in order.
bool Tree::canComeEarlier() const {
  size_t g = 0;
  for (size_t group = 0; group < core.base.size(); ++group) {
    size_t first = core.base[group];
    if (g < core.size() && core.groups[g] == group) {
      first = SIZE_MAX;
      for (const CoreItem &item : core.alive(g))
        first = std::min<size_t>(first, item.choice);
      ++g;
    }
    if (first != incumbent->choices[group])
      return first < incumbent->choices[group];
  }
  return false;
}

/// Whether no plan with at least the perturbation `bound` is worth a search.
bool Tree::isHopeless(double bound) {
  if (bound > cutoff)
    return true;
  if (!incumbent || tolerance == 0 || bound < cutoff - tolerance)
    return false;
  givenUp = std::min(givenUp, bound);
  return true;
}

/// The same of the plans of alive items: they may be as good as the incumbent, but later in order.
bool Tree::isHopelessHere(double bound) {
  return isHopeless(bound) || (incumbent && core.step > 0 && bound > cutoff - core.step && !canComeEarlier());
}

void Tree::tryPlan(const CoreChoices &choices, double perturbation, const std::array<double, kNumCosts> &weights) {
  if (perturbation > cutoff * (1 + 1e-9))
    return;
  for (size_t k = 0; k < kNumCosts; ++k)
    if (weights[k] > core.limits[k] * (1 + 1e-9))
      return;
  Incumbent plan;
  plan.choices = core.expand(choices);
  if (!core.exact->meetsLimits(plan.choices))
    return;
  plan.objective = core.exact->objective(plan.choices);
  if (incumbent && !plan.isBetterThan(*incumbent))
    return;
  incumbent = std::move(plan);
  updateCutoff();
}

//===----------------------------------------------------------------------===//
// Ruling out items
//===----------------------------------------------------------------------===//

/// Rules out items that do not fit beside the least of the others; false where a limit cannot be met.
bool Tree::propagateLimit(size_t k) {
  // Far more than rounding can do; what only just fits is checked exactly later.
  double slack = 1e-12 * core.limits[k], sum = 0;
  for (size_t g = 0; g < core.size(); ++g) {
    double least = HUGE_VAL;
    for (const CoreItem &item : core.alive(g))
      least = std::min(least, item.weights[k]);
    sum += least;
  }
  double room = core.limits[k] - sum + slack + 1e-12 * sum;
  if (room < 0)
    return false;
  for (size_t g = 0; g < core.size(); ++g) {
    if (core.count[g] == 1)
      continue;
    double least = HUGE_VAL;
    for (const CoreItem &item : core.alive(g))
      least = std::min(least, item.weights[k]);
    for (size_t i = core.count[g]; i-- > 0;)
      if (core.alive(g)[i].weights[k] > least + room)
        core.remove(g, i);
  }
  return true;
}

/// Of plans that differ by an exchange between twins, the first in order is enough: later twins have later choices.
bool Tree::propagateTwins() {
  auto leave = [&](size_t g, auto isLeft) {
    for (size_t i = core.count[g]; i-- > 0;)
      if (!isLeft(core.alive(g)[i].choice))
        core.remove(g, i);
    return core.count[g] > 0;
  };
  for (const std::vector<uint32_t> &twins : core.twins) {
    uint32_t from = 0, to = UINT32_MAX;
    for (uint32_t g : twins) {
      if (!leave(g, [&](uint32_t choice) { return choice >= from; }))
        return false;
      uint32_t least = UINT32_MAX;
      for (const CoreItem &item : core.alive(g))
        least = std::min(least, item.choice);
      from = least;
    }
    for (uint32_t g : llvm::reverse(twins)) {
      if (!leave(g, [&](uint32_t choice) { return choice <= to; }))
        return false;
      uint32_t most = 0;
      for (const CoreItem &item : core.alive(g))
        most = std::max(most, item.choice);
      to = most;
    }
  }
  return true;
}

bool Tree::propagate() {
  for (size_t k = 0; k < core.exact->limited().size(); ++k)
    if (!propagateLimit(k))
      return false;
  return propagateTwins();
}

/// Rules out items by their reduced costs on top of `bound`; whether any was.
bool Tree::removeAbove(double bound) {
  bool changed = false;
  for (size_t g = 0; g < core.size(); ++g)
    for (size_t i = core.count[g]; i-- > 0 && core.count[g] > 1;)
      if (bound + reduced[core.first[g] + i] > cutoff) {
        core.remove(g, i);
        std::swap(reduced[core.first[g] + i], reduced[core.first[g] + core.count[g]]);
        changed = true;
      }
  return changed;
}

//===----------------------------------------------------------------------===//
// The dual
//===----------------------------------------------------------------------===//

/// Replaces items that were ruled out by the first alive one.
void Tree::repair(PlanColumn &column) const {
  for (size_t g = 0; g < core.size(); ++g)
    if (!core.isAlive(g, column.choices[g]))
      column.choices[g] = core.alive(g)[0].local;
  column.perturbation = core.perturbation(column.choices);
  column.weights = core.weights(column.choices);
}

double Tree::solveDual(std::vector<PlanColumn> &columns, Multipliers &multipliers, bool isRoot) {
  // A ceiling that matters is raised below; a low one keeps the first steps from going astray.
  Multipliers ceilings{};
  for (size_t k = 0; k < kNumCosts; ++k) {
    double steepest = core.limits[k] > 0 ? core.largest / core.limits[k] : core.largest;
    ceilings[k] = std::max(4 * multipliers[k], steepest > 0 ? steepest : 1.0);
  }
  DualMaster master(core.limits, ceilings);
  for (PlanColumn &column : columns) {
    repair(column);
    tryPlan(column.choices, column.perturbation, column.weights);
    master.add(std::move(column));
  }
  double best = -HUGE_VAL;
  Multipliers current = multipliers;
  for (int step = 0, steps = isRoot ? kRootSteps : kNodeSteps; step < steps; ++step) {
    PlanColumn column;
    double bound = relaxation.bound(current, column);
    tryPlan(column.choices, column.perturbation, column.weights);
    if (bound > best) {
      best = bound;
      multipliers = current;
    }
    if (isHopelessHere(best))
      break;
    master.add(std::move(column));
    master.solve();
    bool isRaised = false;
    // Of a node the bound need not be sharper than it takes to compare it with the incumbent.
    double precision = isRoot ? 1e-9 * std::fabs(best) : 0.01 * std::max(cutoff - best, 0.0);
    if (master.value() - best <= precision) {
      for (size_t k = 0; k < kNumCosts; ++k)
        if (master.isExceeded(k)) {
          master.raise(k, 16);
          isRaised = true;
        }
      if (!isRaised)
        break;
      master.solve();
    }
    if (!isRaised && master.multipliers() == current)
      break;
    current = master.multipliers();
  }
  columns.clear();
  for (auto [column, part] : master.combination())
    columns.push_back(*column);
  return best;
}

double Tree::solveRoot() {
  std::vector<PlanColumn> columns;
  for (bool changed = true; changed;) {
    if (!propagate())
      return HUGE_VAL;
    rootBound = std::max(rootBound, solveDual(columns, rootMultipliers, true));
    if (rootBound > cutoff)
      return HUGE_VAL;
    PlanColumn column;
    double bound = relaxation.bound(rootMultipliers, column);
    relaxation.reducedCosts(rootMultipliers, reduced);
    heuristics(columns, rootMultipliers);
    changed = removeAbove(bound) && !isOver();
  }
  return rootBound;
}

void Tree::heuristics(const std::vector<PlanColumn> &columns, const Multipliers &multipliers) {
  for (const PlanColumn &column : columns)
    if (std::optional<CoreChoices> plan = improvedPlan(core, column.choices, multipliers))
      tryPlan(*plan, core.perturbation(*plan), core.weights(*plan));
}

//===----------------------------------------------------------------------===//
// The tree
//===----------------------------------------------------------------------===//

/// Where the relaxation is undecided, the group with the largest weights at stake; without any, the group whose second
/// choice costs most.
size_t Tree::chooseGroup(const std::vector<PlanColumn> &columns, const Multipliers &multipliers) const {
  size_t best = SIZE_MAX;
  double most = -1;
  for (size_t g = 0; g < core.size(); ++g) {
    if (core.count[g] == 1)
      continue;
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (const PlanColumn &column : columns) {
      const CoreItem &item = core.item(g, column.choices[g]);
      double weight = 0;
      for (size_t k = 0; k < kNumCosts; ++k)
        weight += multipliers[k] * item.weights[k];
      low = std::min(low, weight);
      high = std::max(high, weight);
    }
    if (high > low && high - low > most) {
      most = high - low;
      best = g;
    }
  }
  if (best != SIZE_MAX)
    return best;
  for (size_t g = 0; g < core.size(); ++g) {
    if (core.count[g] == 1)
      continue;
    double second = HUGE_VAL;
    for (size_t i = 0; i < core.count[g]; ++i)
      if (double value = reduced[core.first[g] + i]; value > 0)
        second = std::min(second, value);
    if (second > most) {
      most = second;
      best = g;
    }
  }
  return best;
}

/// Fixes what led to a node; false where that contradicts what was ruled out.
bool Tree::apply(uint32_t decision) {
  core.count = rootCount;
  for (; decision != kNone; decision = decisions[decision].parent) {
    const Decision &fixed = decisions[decision];
    if (!core.isAlive(fixed.group, fixed.local))
      return false;
    core.fix(fixed.group, fixed.local);
  }
  return propagate();
}

/// Searches a node: its children that are left, the least bound first.
std::vector<Tree::OpenNode> Tree::explore(const OpenNode &node, std::vector<PlanColumn> &columns, bool tryHarder) {
  ++nodes;
  if (!apply(node.decision))
    return {};
  Multipliers multipliers = node.multipliers;
  double best = std::max(node.bound, solveDual(columns, multipliers, false));
  if (isHopelessHere(best))
    return {};
  if (tryHarder)
    heuristics(columns, multipliers);
  PlanColumn column;
  double bound = relaxation.bound(multipliers, column);
  relaxation.reducedCosts(multipliers, reduced);
  removeAbove(bound);
  size_t group = chooseGroup(columns, multipliers);
  if (group == SIZE_MAX) { // one plan is left
    repair(column);
    tryPlan(column.choices, column.perturbation, column.weights);
    return {};
  }
  std::vector<std::pair<double, const CoreItem *>> order;
  for (size_t i = 0; i < core.count[group]; ++i)
    order.emplace_back(std::max(best, bound + reduced[core.first[group] + i]), &core.alive(group)[i]);
  llvm::sort(order, [](const auto &a, const auto &b) {
    return a.first != b.first ? a.first < b.first : a.second->choice < b.second->choice;
  });
  std::vector<OpenNode> children;
  for (auto [childBound, item] : order) {
    decisions.push_back({node.decision, static_cast<uint32_t>(group), item->local});
    children.push_back({childBound, static_cast<uint32_t>(decisions.size() - 1), made++, multipliers});
  }
  return children;
}

bool Tree::search(uint64_t limit) {
  if (nodes == 0) {
    rootCount = core.count;
    push({rootBound, kNone, made++, rootMultipliers});
  }
  while (!open.empty()) {
    if (nodes >= limit || isOver())
      return false;
    std::pop_heap(open.begin(), open.end(), isLater);
    OpenNode node = open.back();
    open.pop_back();
    if (isHopeless(node.bound))
      continue;
    bool isDive = pops % kDiveInterval == 0 || open.size() > kMaxOpen;
    ++pops;
    std::vector<PlanColumn> columns;
    while (true) {
      bool tryHarder = isDive && efforts < kEfforts + nodes / kEffortInterval;
      efforts += tryHarder;
      std::vector<OpenNode> children = explore(node, columns, tryHarder);
      size_t kept = isDive && !children.empty() && !isOver() ? 1 : 0;
      for (const OpenNode &child : llvm::ArrayRef(children).drop_front(kept))
        if (!isHopeless(child.bound))
          push(child);
      if (kept == 0)
        break;
      node = children[0];
    }
  }
  return true;
}

double Tree::openBound() const {
  double bound = givenUp;
  for (const OpenNode &node : open)
    bound = std::min(bound, node.bound);
  return bound;
}

/// What is alive in the core is left in the problem.
void restrict(const Core &core, Candidates &left) {
  for (size_t g = 0; g < core.size(); ++g) {
    std::vector<bool> &alive = left[core.groups[g]];
    std::fill(alive.begin(), alive.end(), false);
    for (const CoreItem &item : core.alive(g))
      alive[item.choice] = true;
  }
}

} // namespace

BranchAndBoundResult branchAndBound(const ExactProblem &exact, const BranchAndBoundOptions &options) {
  BranchAndBoundResult result;
  result.best = options.start;
  Candidates left;
  for (size_t group = 0; group < exact.numGroups(); ++group)
    left.emplace_back(exact.numChoices(group), true);
  if (!presolve(exact, left, options.isInterrupted)) {
    result.isComplete = true;
    return result;
  }
  auto finish = [&](bool isComplete, std::optional<double> bound) {
    result.isComplete = isComplete;
    if (result.best && (isComplete || bound)) {
      double objective = exact.objectiveScale().toDouble(result.best->objective);
      result.bound = bound ? std::min(*bound, objective) : objective;
    } else {
      result.bound = bound;
    }
    return result;
  };

  std::optional<double> rootBound;
  for (uint64_t budget = 500;;) {
    std::optional<Core> core = Core::make(exact, left);
    if (!core)
      return finish(true, std::nullopt);
    Tree tree(*core, result.best, options);
    if (!tree.bounds().pairs().fits()) {
      result.isTooLarge = true;
      return finish(false, std::nullopt);
    }
    double bound = tree.solveRoot();
    if (bound == HUGE_VAL)
      return finish(true, std::nullopt);
    rootBound = std::max(rootBound.value_or(-HUGE_VAL), core->toReal(bound));
    if (options.rootOnly || tree.isOver())
      return finish(false, rootBound);
    restrict(*core, left);
    // A better incumbent rules out more at the root: then the search starts again.
    Choices before = result.best ? result.best->choices : Choices();
    for (bool isSame = true; isSame; budget *= 4) {
      if (result.best && tree.nodes > kExactNodes)
        tree.setTolerance(
            core->lengthToCore(kTolerance * std::fabs(exact.objectiveScale().toDouble(result.best->objective))));
      uint64_t start = tree.nodes;
      bool isDone = tree.search(budget);
      result.nodes += tree.nodes - start;
      double openBound = tree.openBound();
      if (isDone)
        return finish(true, openBound < HUGE_VAL ? std::optional<double>(core->toReal(openBound)) : std::nullopt);
      rootBound = std::max(*rootBound, core->toReal(openBound));
      if (tree.isOver())
        return finish(false, rootBound);
      isSame = !result.best || result.best->choices == before;
    }
  }
}

} // namespace dyadic
