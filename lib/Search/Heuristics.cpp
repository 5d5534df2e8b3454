// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Heuristics.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <tuple>

namespace dyadic {

namespace {

/// Moves tried against each other, and rounds of exchanges.
constexpr size_t kExchangeMoves = 150;
constexpr int kRounds = 50;

struct Move {
  size_t group;
  uint16_t to;
  double perturbation; // by how much it rises
  std::array<double, kNumCosts> weights;
  double priced; // perturbation and price of the weights
};

/// A plan that moves change.
class Walk {
public:
  Walk(const Core &core, CoreChoices start, const Multipliers &multipliers)
      : core(core), multipliers(multipliers), pairsOf(core.size()), plan(std::move(start)),
        weights(core.weights(plan)) {
    for (const CorePair &pair : core.pairs) {
      pairsOf[pair.a].push_back(&pair);
      pairsOf[pair.b].push_back(&pair);
    }
  }

  bool meetLimits();
  void descend();
  bool exchange();
  CoreChoices take() { return std::move(plan); }

private:
  std::vector<Move> moves() const;
  void apply(const Move &move) {
    plan[move.group] = move.to;
    for (size_t k = 0; k < kNumCosts; ++k)
      weights[k] += move.weights[k];
  }
  bool fits(const std::array<double, kNumCosts> &sums) const {
    for (size_t k = 0; k < kNumCosts; ++k)
      if (sums[k] > core.limits[k])
        return false;
    return true;
  }
  std::array<double, kNumCosts> after(const std::array<double, kNumCosts> &sums, const Move &move) const {
    std::array<double, kNumCosts> result = sums;
    for (size_t k = 0; k < kNumCosts; ++k)
      result[k] += move.weights[k];
    return result;
  }
  double excess(const std::array<double, kNumCosts> &sums) const {
    double sum = 0;
    for (size_t k = 0; k < kNumCosts; ++k)
      if (sums[k] > core.limits[k])
        sum += (sums[k] - core.limits[k]) / std::max(core.limits[k], 1e-9 * sums[k]);
    return sum;
  }

  const Core &core;
  const Multipliers &multipliers;
  std::vector<std::vector<const CorePair *>> pairsOf;
  CoreChoices plan;
  std::array<double, kNumCosts> weights;
};

std::vector<Move> Walk::moves() const {
  std::vector<Move> result;
  for (size_t g = 0; g < core.size(); ++g) {
    const CoreItem &now = core.item(g, plan[g]);
    for (const CoreItem &item : core.alive(g)) {
      if (item.local == now.local)
        continue;
      Move move{g, static_cast<uint16_t>(item.local), item.perturbation - now.perturbation, {}, 0};
      for (const CorePair *pair : pairsOf[g])
        move.perturbation +=
            pair->a == g
                ? core.pairTerm(*pair, item.local, plan[pair->b]) - core.pairTerm(*pair, now.local, plan[pair->b])
                : core.pairTerm(*pair, plan[pair->a], item.local) - core.pairTerm(*pair, plan[pair->a], now.local);
      move.priced = move.perturbation;
      for (size_t k = 0; k < kNumCosts; ++k) {
        move.weights[k] = item.weights[k] - now.weights[k];
        move.priced += multipliers[k] * move.weights[k];
      }
      result.push_back(move);
    }
  }
  return result;
}

bool Walk::meetLimits() {
  for (size_t step = 0; step < 4 * core.size() + 4 && !fits(weights); ++step) {
    double now = excess(weights), least = HUGE_VAL;
    std::optional<Move> best;
    for (const Move &move : moves()) {
      double less = now - excess(after(weights, move));
      if (less <= 0)
        continue;
      double rate = std::max(move.priced, 0.0) / less;
      if (rate < least) {
        least = rate;
        best = move;
      }
    }
    if (!best)
      return false;
    apply(*best);
  }
  weights = core.weights(plan);
  return fits(weights);
}

/// Takes the move that improves most while there is one.
void Walk::descend() {
  for (size_t step = 0; step < 4 * core.size(); ++step) {
    std::optional<Move> best;
    for (const Move &move : moves())
      if (move.perturbation < (best ? best->perturbation : 0.0) && fits(after(weights, move)))
        best = move;
    if (!best)
      return;
    apply(*best);
  }
}

/// Takes two moves that improve together; false where there are none among the most promising.
bool Walk::exchange() {
  std::vector<Move> all = moves();
  llvm::sort(all, [](const Move &a, const Move &b) {
    return std::tie(a.priced, a.group, a.to) < std::tie(b.priced, b.group, b.to);
  });
  if (all.size() > kExchangeMoves)
    all.resize(kExchangeMoves);
  double least = 0;
  std::pair<const Move *, const Move *> best{};
  for (size_t i = 0; i < all.size(); ++i)
    for (size_t j = i + 1; j < all.size(); ++j) {
      // With pair terms between the two groups the sum is only near; exact sums decide in the end.
      double sum = all[i].perturbation + all[j].perturbation;
      if (sum < least && all[i].group != all[j].group && fits(after(after(weights, all[i]), all[j]))) {
        least = sum;
        best = {&all[i], &all[j]};
      }
    }
  if (!best.first)
    return false;
  apply(*best.first);
  apply(*best.second);
  return true;
}

} // namespace

std::optional<CoreChoices> improvedPlan(const Core &core, CoreChoices start, const Multipliers &multipliers) {
  for (size_t g = 0; g < core.size(); ++g)
    if (!core.isAlive(g, start[g]))
      start[g] = core.alive(g)[0].local;
  Walk walk(core, std::move(start), multipliers);
  if (!walk.meetLimits())
    return std::nullopt;
  for (int round = 0; round < kRounds; ++round) {
    walk.descend();
    if (!walk.exchange())
      break;
  }
  return walk.take();
}

std::optional<CoreChoices> greedyPlan(const Core &core) {
  CoreChoices start;
  for (size_t g = 0; g < core.size(); ++g) {
    const CoreItem *best = &core.alive(g)[0];
    for (const CoreItem &item : core.alive(g))
      if (item.perturbation < best->perturbation)
        best = &item;
    start.push_back(best->local);
  }
  Walk walk(core, std::move(start), Multipliers{});
  if (!walk.meetLimits())
    return std::nullopt;
  walk.descend();
  return walk.take();
}

} // namespace dyadic
