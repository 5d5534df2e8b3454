// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is left of an assignment problem after choices were ruled out, in doubles for
// speed: groups with more than one choice left, every number less the least of its
// group. All numbers are at least 0, so a sum of n terms has a relative error of at
// most about n units in the last place and bounds can be made safe.

#ifndef DYADIC_LIB_SEARCH_CORE_H
#define DYADIC_LIB_SEARCH_CORE_H

#include "ExactProblem.h"

namespace dyadic {

/// Which choices of each group are left.
using Candidates = std::vector<std::vector<bool>>;

struct CoreItem {
  double perturbation = 0;
  std::array<double, kNumCosts> weights{}; // by position in ExactProblem::limited(); the rest stays 0
  uint32_t local = 0;                      // position among the group's items when the core was made
  uint32_t choice = 0;                     // position in the problem's group
};

struct CorePair {
  size_t a = 0, b = 0;       // core groups
  std::vector<double> table; // by the local of a, then that of b
};

/// Choices of the core's groups, as locals.
using CoreChoices = std::vector<uint16_t>;

struct Core {
  /// Everything `left` of the problem; nothing where the least costs alone exceed a limit. Each group has at least one
  /// choice left.
  static std::optional<Core> make(const ExactProblem &exact, const Candidates &left);
  /// What presolve leaves of the whole problem; nothing where no plan meets the limits.
  static std::optional<Core> presolved(const ExactProblem &exact, const std::function<bool()> &isInterrupted);

  size_t size() const { return groups.size(); }
  llvm::MutableArrayRef<CoreItem> alive(size_t g) { return {&items[first[g]], count[g]}; }
  llvm::ArrayRef<CoreItem> alive(size_t g) const { return {&items[first[g]], count[g]}; }
  const CoreItem &item(size_t g, size_t local) const { return items[first[g] + position[first[g] + local]]; }
  bool isAlive(size_t g, size_t local) const { return position[first[g] + local] < count[g]; }
  /// Takes the alive item at `at` out of the group; setting `count` back undoes it.
  void remove(size_t g, size_t at);
  /// Leaves the item alone.
  void fix(size_t g, size_t local);
  double pairTerm(const CorePair &pair, size_t a, size_t b) const { return pair.table[a * numItems(pair.b) + b]; }
  size_t numItems(size_t g) const { return first[g + 1] - first[g]; }

  double perturbation(const CoreChoices &choices) const;
  std::array<double, kNumCosts> weights(const CoreChoices &choices) const;
  /// The plan of the whole problem.
  Choices expand(const CoreChoices &choices) const;

  /// `objective` less what is fixed, in the core's units, rounded up.
  double toCore(const llvm::APInt &objective) const;
  /// A difference of objectives in the core's units.
  double lengthToCore(double difference) const;
  /// A lower bound of the core as one of the problem's objective, which it stays: rounded up to a multiple of the step,
  /// or rounded down where there is none.
  double toReal(double bound) const;

  const ExactProblem *exact = nullptr;
  std::vector<size_t> groups; // the problem's, ascending
  Choices base;               // of the problem's groups; that of groups outside the core is final
  std::vector<uint32_t> first, count, position;
  std::vector<CoreItem> items;
  std::vector<CorePair> pairs;
  std::vector<std::vector<uint32_t>> twins; // core groups with the same choices, in order
  std::array<double, kNumCosts> limits{};
  std::array<bool, kNumCosts> isWhole{}; // weights are integers of a common unit, exact sums included
  double largest = 0;                    // perturbation of no plan of the core is more
  /// Objectives are multiples of `step`, and doubles hold them exactly; 0: they do not.
  double step = 0;

private:
  void findTwins();
  llvm::APInt offset; // of the objective
  llvm::APInt unit;   // of the core's integers, where step is not 0
};

/// Rules out choices that another choice of the group replaces without loss, and choices whose cost does not fit beside
/// the least of all other groups. The best plan (least perturbation, then the earliest choices) stays. False where a
/// group has no choice left. Interrupted, it rules out fewer.
bool presolve(const ExactProblem &exact, Candidates &left, const std::function<bool()> &isInterrupted);

} // namespace dyadic

#endif // DYADIC_LIB_SEARCH_CORE_H
