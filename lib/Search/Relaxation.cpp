// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Relaxation.h"

namespace dyadic {

static double price(const CoreItem &item, const Multipliers &multipliers) {
  double sum = item.perturbation;
  for (size_t k = 0; k < kNumCosts; ++k)
    sum += multipliers[k] * item.weights[k];
  return sum;
}

static void add(const CoreItem &item, PlanColumn &column) {
  column.perturbation += item.perturbation;
  for (size_t k = 0; k < kNumCosts; ++k)
    column.weights[k] += item.weights[k];
}

double Relaxation::bound(const Multipliers &multipliers, PlanColumn &column) {
  column.perturbation = 0;
  column.weights = {};
  column.choices.resize(core.size());
  double sum = 0;
  for (size_t g = 0; g < core.size(); ++g) {
    llvm::ArrayRef<CoreItem> items = core.alive(g);
    if (network.contains(g)) {
      for (size_t i = 0; i < items.size(); ++i)
        unary[core.first[g] + i] = price(items[i], multipliers);
      continue;
    }
    double least = price(items[0], multipliers);
    const CoreItem *best = &items[0];
    for (const CoreItem &item : items.drop_front()) {
      double value = price(item, multipliers);
      if (value < least) {
        least = value;
        best = &item;
      }
    }
    sum += least;
    add(*best, column);
    column.choices[g] = best->local;
  }
  if (!network.empty()) {
    sum += network.minimise(unary, column.choices);
    for (size_t g = 0; g < core.size(); ++g)
      if (network.contains(g))
        add(core.item(g, column.choices[g]), column);
    for (const CorePair &pair : core.pairs)
      column.perturbation += core.pairTerm(pair, column.choices[pair.a], column.choices[pair.b]);
  }
  double limits = 0;
  for (size_t k = 0; k < kNumCosts; ++k)
    limits += multipliers[k] * core.limits[k];
  // All terms are at least 0: each of them, and their sum in any order, is within `terms` rounding errors.
  double terms = static_cast<double>(core.size() + core.pairs.size()) + 4.0 * kNumCosts + 16;
  slack = terms * 0x1p-52 * (sum + limits);
  return sum - limits - slack;
}

void Relaxation::reducedCosts(const Multipliers &multipliers, std::vector<double> &reduced) {
  reduced.resize(core.items.size());
  for (size_t g = 0; g < core.size(); ++g) {
    if (network.contains(g))
      continue;
    llvm::ArrayRef<CoreItem> items = core.alive(g);
    double least = price(items[0], multipliers);
    for (const CoreItem &item : items.drop_front())
      least = std::min(least, price(item, multipliers));
    for (size_t i = 0; i < items.size(); ++i) {
      double value = price(items[i], multipliers);
      reduced[core.first[g] + i] = value - least - 0x1p-48 * value;
    }
  }
  if (network.empty())
    return;
  network.marginals(unary, reduced);
  for (size_t g = 0; g < core.size(); ++g)
    if (network.contains(g))
      for (size_t i = 0; i < core.count[g]; ++i)
        reduced[core.first[g] + i] -= slack;
}

} // namespace dyadic
