// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Core.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <map>

using llvm::APInt;

namespace dyadic {

/// Sums below it are exact in double.
static constexpr unsigned kExactBits = 53;

//===----------------------------------------------------------------------===//
// Presolve
//===----------------------------------------------------------------------===//

/// The pair terms of each group.
static std::vector<std::vector<size_t>> pairsOf(const AssignmentProblem &problem) {
  std::vector<std::vector<size_t>> result(problem.groups.size());
  for (const auto &[i, pair] : llvm::enumerate(problem.pairs)) {
    result[pair.a].push_back(i);
    result[pair.b].push_back(i);
  }
  return result;
}

/// The least by which choice `c` of `group` is worse than `d` in the pair term, over the partner's choices left.
static APInt leastDifference(const ExactProblem &exact, size_t pair, size_t group, size_t c, size_t d,
                             const Candidates &left) {
  const PairTerm &term = exact.problem().pairs[pair];
  bool isA = term.a == group;
  const std::vector<bool> &partner = left[isA ? term.b : term.a];
  std::optional<APInt> least;
  for (size_t e = 0; e < partner.size(); ++e) {
    if (!partner[e])
      continue;
    APInt difference = isA ? exact.pairTerm(pair, c, e) - exact.pairTerm(pair, d, e)
                           : exact.pairTerm(pair, e, c) - exact.pairTerm(pair, e, d);
    if (!least || difference.slt(*least))
      least = difference;
  }
  return *least;
}

/// Whether a plan with `c` gets no worse, and comes no later in order, with `d` instead.
static bool isDominated(const ExactProblem &exact, llvm::ArrayRef<size_t> pairs, size_t group, size_t c, size_t d,
                        const Candidates &left) {
  for (size_t k = 0; k < exact.limited().size(); ++k)
    if (exact.weight(k, group, d).sgt(exact.weight(k, group, c)))
      return false;
  APInt gain = exact.perturbation(group, c) - exact.perturbation(group, d);
  for (size_t pair : pairs)
    gain += leastDifference(exact, pair, group, c, d, left);
  return gain.isStrictlyPositive() || (gain.isZero() && d < c);
}

static void removeDominated(const ExactProblem &exact, Candidates &left, const std::function<bool()> &isInterrupted) {
  std::vector<std::vector<size_t>> pairs = pairsOf(exact.problem());
  for (size_t group = 0; group < exact.numGroups(); ++group) {
    std::vector<bool> &alive = left[group];
    for (size_t c = 0; c < alive.size(); ++c) {
      if (isInterrupted && isInterrupted())
        return;
      for (size_t d = 0; alive[c] && d < alive.size(); ++d)
        if (d != c && alive[d] && isDominated(exact, pairs[group], group, c, d, left))
          alive[c] = false;
    }
  }
}

/// The least weight of each group, and their sum.
static APInt leastWeights(const ExactProblem &exact, size_t k, const Candidates &left, std::vector<APInt> &least) {
  APInt sum = exact.weightScale(k).zero();
  least.clear();
  for (size_t group = 0; group < left.size(); ++group) {
    std::optional<APInt> value;
    for (size_t c = 0; c < left[group].size(); ++c)
      if (left[group][c] && (!value || exact.weight(k, group, c).slt(*value)))
        value = exact.weight(k, group, c);
    least.push_back(*value);
    sum += *value;
  }
  return sum;
}

/// Rules out choices that do not fit beside the least of the others; false where a group has none left.
static bool removeTooCostly(const ExactProblem &exact, Candidates &left, const std::function<bool()> &isInterrupted) {
  std::vector<APInt> least;
  for (bool changed = true; changed && !(isInterrupted && isInterrupted());) {
    changed = false;
    for (size_t k = 0; k < exact.limited().size(); ++k) {
      APInt room = exact.limit(k) - leastWeights(exact, k, left, least);
      for (size_t group = 0; group < left.size(); ++group) {
        for (size_t c = 0; c < left[group].size(); ++c)
          if (left[group][c] && (exact.weight(k, group, c) - least[group]).sgt(room)) {
            left[group][c] = false;
            changed = true;
          }
        if (!llvm::is_contained(left[group], true))
          return false;
      }
    }
  }
  return true;
}

bool presolve(const ExactProblem &exact, Candidates &left, const std::function<bool()> &isInterrupted) {
  if (!removeTooCostly(exact, left, isInterrupted))
    return false;
  removeDominated(exact, left, isInterrupted);
  return removeTooCostly(exact, left, isInterrupted);
}

//===----------------------------------------------------------------------===//
// Making a core
//===----------------------------------------------------------------------===//

/// The common unit of integers of which sums up to `total` are exact in double; nothing where there is none.
static std::optional<APInt> exactUnit(const std::vector<APInt> &numbers, const APInt &total) {
  APInt unit(total.getBitWidth(), 0);
  for (const APInt &number : numbers)
    unit = llvm::APIntOps::GreatestCommonDivisor(unit, number);
  if (unit.isZero())
    unit = APInt(total.getBitWidth(), 1);
  if (total.udiv(unit).getActiveBits() > kExactBits - 1)
    return std::nullopt;
  return unit;
}

static double inUnits(const APInt &number, const std::optional<APInt> &unit, const DecimalScale &scale) {
  return unit ? static_cast<double>(number.udiv(*unit).getZExtValue()) : scale.toNearby(number);
}

namespace {

/// Takes a core apart into exact numbers before they become doubles.
struct Shifted {
  std::vector<std::vector<APInt>> perturbations; // by core group, then local
  std::vector<std::vector<APInt>> tables;        // by core pair
  std::vector<APInt> all;                        // of them
  APInt total;                                   // of the largest
};

/// Subtracts the least, which it adds to `offset`.
void shift(std::vector<APInt> &numbers, APInt &offset, Shifted &shifted) {
  APInt least =
      *std::min_element(numbers.begin(), numbers.end(), [](const APInt &a, const APInt &b) { return a.slt(b); });
  APInt largest = least;
  for (APInt &number : numbers) {
    if (number.sgt(largest))
      largest = number;
    number -= least;
  }
  offset += least;
  shifted.total += largest - least;
  shifted.all.insert(shifted.all.end(), numbers.begin(), numbers.end());
}

} // namespace

std::optional<Core> Core::presolved(const ExactProblem &exact, const std::function<bool()> &isInterrupted) {
  Candidates left;
  for (size_t group = 0; group < exact.numGroups(); ++group)
    left.emplace_back(exact.numChoices(group), true);
  return presolve(exact, left, isInterrupted) ? make(exact, left) : std::nullopt;
}

std::optional<Core> Core::make(const ExactProblem &exact, const Candidates &left) {
  const AssignmentProblem &problem = exact.problem();
  Core core;
  core.exact = &exact;
  core.offset = exact.objectiveScale().zero();
  std::vector<size_t> coreOf(left.size(), SIZE_MAX);
  std::vector<std::vector<size_t>> choicesOf; // by core group
  for (size_t group = 0; group < left.size(); ++group) {
    std::vector<size_t> alive;
    for (size_t c = 0; c < left[group].size(); ++c)
      if (left[group][c])
        alive.push_back(c);
    core.base.push_back(alive[0]);
    if (alive.size() == 1) {
      core.offset += exact.perturbation(group, alive[0]);
      continue;
    }
    coreOf[group] = core.groups.size();
    core.groups.push_back(group);
    choicesOf.push_back(std::move(alive));
  }

  Shifted shifted;
  shifted.total = exact.objectiveScale().zero();
  for (auto [group, choices] : llvm::zip(core.groups, choicesOf)) {
    std::vector<APInt> &row = shifted.perturbations.emplace_back();
    for (size_t choice : choices)
      row.push_back(exact.perturbation(group, choice));
  }
  // A pair term with one side fixed belongs to the other side's choices.
  for (const auto &[i, pair] : llvm::enumerate(problem.pairs)) {
    size_t a = coreOf[pair.a], b = coreOf[pair.b];
    if (a == SIZE_MAX && b == SIZE_MAX) {
      core.offset += exact.pairTerm(i, core.base[pair.a], core.base[pair.b]);
    } else if (b == SIZE_MAX) {
      for (auto [value, choice] : llvm::zip(shifted.perturbations[a], choicesOf[a]))
        value += exact.pairTerm(i, choice, core.base[pair.b]);
    } else if (a == SIZE_MAX) {
      for (auto [value, choice] : llvm::zip(shifted.perturbations[b], choicesOf[b]))
        value += exact.pairTerm(i, core.base[pair.a], choice);
    } else {
      std::vector<APInt> &table = shifted.tables.emplace_back();
      for (size_t c : choicesOf[a])
        for (size_t d : choicesOf[b])
          table.push_back(exact.pairTerm(i, c, d));
      core.pairs.push_back({a, b, {}});
    }
  }
  for (std::vector<APInt> &row : shifted.perturbations)
    shift(row, core.offset, shifted);
  for (std::vector<APInt> &table : shifted.tables)
    shift(table, core.offset, shifted);

  std::optional<APInt> unit = exactUnit(shifted.all, shifted.total);
  core.unit = unit.value_or(APInt());
  core.step = unit ? 1 : 0;
  core.largest = inUnits(shifted.total, unit, exact.objectiveScale()) * (1 + 0x1p-40);
  for (auto [row, choices] : llvm::zip(shifted.perturbations, choicesOf)) {
    core.first.push_back(core.items.size());
    core.count.push_back(choices.size());
    for (const auto &[local, choice] : llvm::enumerate(choices)) {
      core.position.push_back(local);
      CoreItem &item = core.items.emplace_back();
      item.perturbation = inUnits(row[local], unit, exact.objectiveScale());
      item.local = local;
      item.choice = choice;
    }
  }
  core.first.push_back(core.items.size());
  for (auto [pair, table] : llvm::zip(core.pairs, shifted.tables))
    for (const APInt &value : table)
      pair.table.push_back(inUnits(value, unit, exact.objectiveScale()));

  for (size_t k = 0; k < exact.limited().size(); ++k) {
    APInt room = exact.limit(k), total = exact.weightScale(k).zero();
    std::vector<APInt> numbers;
    for (size_t group = 0; group < left.size(); ++group) {
      APInt least = exact.weight(k, group, core.base[group]), most = least;
      if (size_t g = coreOf[group]; g != SIZE_MAX) {
        for (size_t choice : choicesOf[g]) {
          const APInt &weight = exact.weight(k, group, choice);
          least = weight.slt(least) ? weight : least;
          most = weight.sgt(most) ? weight : most;
        }
        for (size_t choice : choicesOf[g])
          numbers.push_back(exact.weight(k, group, choice) - least);
      }
      room -= least;
      total += most - least;
    }
    if (room.isNegative())
      return std::nullopt;
    // The room counts in the common unit too, rounded down: weights are whole units.
    std::optional<APInt> weightUnit = exactUnit(numbers, total.ugt(room) ? total : room);
    for (size_t i = 0; i < numbers.size(); ++i)
      core.items[i].weights[k] = inUnits(numbers[i], weightUnit, exact.weightScale(k));
    core.isWhole[k] = weightUnit.has_value();
    core.limits[k] = inUnits(room, weightUnit, exact.weightScale(k));
  }
  core.findTwins();
  return core;
}

void Core::findTwins() {
  std::vector<bool> isPaired(base.size(), false);
  for (const PairTerm &pair : exact->problem().pairs)
    isPaired[pair.a] = isPaired[pair.b] = true;
  using Key = std::vector<APInt>; // of the exact numbers: doubles that are near them prove nothing
  auto isLess = [](const Key &a, const Key &b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](const APInt &x, const APInt &y) {
      return x.getBitWidth() != y.getBitWidth() ? x.getBitWidth() < y.getBitWidth() : x.ult(y);
    });
  };
  std::map<Key, std::vector<uint32_t>, decltype(isLess)> classes(isLess);
  for (size_t g = 0; g < size(); ++g) {
    if (isPaired[groups[g]])
      continue;
    Key key;
    for (const CoreItem &item : alive(g)) {
      key.push_back(APInt(32, item.choice));
      key.push_back(exact->perturbation(groups[g], item.choice));
      for (size_t k = 0; k < exact->limited().size(); ++k)
        key.push_back(exact->weight(k, groups[g], item.choice));
    }
    classes[std::move(key)].push_back(g);
  }
  for (auto &entry : classes)
    if (entry.second.size() > 1)
      twins.push_back(std::move(entry.second));
}

//===----------------------------------------------------------------------===//
// Using a core
//===----------------------------------------------------------------------===//

void Core::remove(size_t g, size_t at) {
  size_t last = --count[g];
  CoreItem &a = items[first[g] + at], &b = items[first[g] + last];
  std::swap(position[first[g] + a.local], position[first[g] + b.local]);
  std::swap(a, b);
}

void Core::fix(size_t g, size_t local) {
  size_t at = position[first[g] + local];
  CoreItem &a = items[first[g]], &b = items[first[g] + at];
  std::swap(position[first[g] + a.local], position[first[g] + b.local]);
  std::swap(a, b);
  count[g] = 1;
}

double Core::perturbation(const CoreChoices &choices) const {
  double sum = 0;
  for (size_t g = 0; g < size(); ++g)
    sum += item(g, choices[g]).perturbation;
  for (const CorePair &pair : pairs)
    sum += pairTerm(pair, choices[pair.a], choices[pair.b]);
  return sum;
}

std::array<double, kNumCosts> Core::weights(const CoreChoices &choices) const {
  std::array<double, kNumCosts> sums{};
  for (size_t g = 0; g < size(); ++g)
    for (size_t k = 0; k < kNumCosts; ++k)
      sums[k] += item(g, choices[g]).weights[k];
  return sums;
}

Choices Core::expand(const CoreChoices &choices) const {
  Choices result = base;
  for (size_t g = 0; g < size(); ++g)
    result[groups[g]] = item(g, choices[g]).choice;
  return result;
}

double Core::toCore(const APInt &objective) const {
  APInt rest = objective - offset;
  if (rest.isNegative()) // better than all that is left
    return -1;
  if (step == 0)
    return exact->objectiveScale().toNearby(rest) * (1 + 0x1p-49);
  APInt units = rest.udiv(unit);
  return units.getActiveBits() > kExactBits ? HUGE_VAL : static_cast<double>(units.getZExtValue());
}

double Core::lengthToCore(double difference) const {
  return step == 0 ? difference : difference / exact->objectiveScale().toDouble(unit);
}

double Core::toReal(double bound) const {
  const DecimalScale &scale = exact->objectiveScale();
  if (step == 0) {
    double start = scale.toDouble(offset), sum = start + bound;
    return sum - 4 * 0x1p-52 * (std::fabs(start) + std::fabs(bound));
  }
  APInt units(offset.getBitWidth(), static_cast<uint64_t>(std::ceil(std::max(bound, 0.0))));
  return scale.toDouble(offset + units * unit);
}

} // namespace dyadic
