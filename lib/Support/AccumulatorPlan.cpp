// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/AccumulatorPlan.h"
#include <algorithm>
#include <list>
#include <tuple>

namespace dyadic {

namespace {
/// The sums of the positive and of the negative weights of every 16-bit lane.
class LaneSums {
public:
  explicit LaneSums(int64_t lanes) : positive(lanes), negative(lanes) {}

  void add(const int8_t *weights, int sign = 1) {
    for (size_t lane = 0; lane < positive.size(); ++lane)
      for (int i = 0; i < 2; ++i) {
        int w = weights[2 * lane + i];
        positive[lane] = static_cast<int16_t>(positive[lane] + sign * std::max(w, 0));
        negative[lane] = static_cast<int16_t>(negative[lane] + sign * std::max(-w, 0));
      }
  }
  bool fits(int64_t xMax) const {
    int most = 0, least = 0;
    for (size_t lane = 0; lane < positive.size(); ++lane) {
      most = std::max<int>(most, positive[lane]);
      least = std::max<int>(least, negative[lane]);
    }
    return most * xMax <= INT16_MAX && least * xMax <= -static_cast<int64_t>(INT16_MIN);
  }
  /// The largest sum of a lane.
  int load() const {
    return std::max(*std::max_element(positive.begin(), positive.end()),
                    *std::max_element(negative.begin(), negative.end()));
  }

private:
  std::vector<int16_t> positive, negative;
};

/// How many blocks that do not fit the search for partners tries.
constexpr int kCandidates = 24;

/// False where not even the `size` lightest blocks fit together: others hardly will.
bool hasGroup(const std::list<WeightBlock> &rest, unsigned size, int64_t lanes, int64_t xMax) {
  if (rest.size() < size)
    return false;
  LaneSums sums(lanes);
  auto block = rest.rbegin();
  for (unsigned i = 0; i < size; ++i)
    sums.add((block++)->weights.data());
  return sums.fits(xMax);
}

/// Takes groups of `size` blocks out of `rest` (heaviest first) as long as it finds them. The
/// heaviest block is joined by the heaviest that still fit; where none do it stays behind.
std::vector<std::vector<WeightBlock>> takeGroups(std::list<WeightBlock> &rest, unsigned size, int64_t lanes,
                                                 int64_t xMax) {
  std::vector<std::vector<WeightBlock>> groups;
  if (size > kUnrolledGroup && !hasGroup(rest, size, lanes, xMax)) // a long search in vain
    return groups;
  std::list<WeightBlock> left;
  while (!rest.empty()) {
    std::list<WeightBlock> group;
    group.splice(group.end(), rest, rest.begin());
    LaneSums sums(lanes);
    sums.add(group.front().weights.data());
    // Light blocks, at the end, are the likeliest partners of a heavy one.
    auto candidate = rest.end();
    for (int failed = 0; group.size() < size && candidate != rest.begin() && failed < kCandidates;) {
      --candidate;
      sums.add(candidate->weights.data());
      if (sums.fits(xMax)) {
        auto taken = candidate++;
        group.splice(group.end(), rest, taken);
      } else {
        sums.add(candidate->weights.data(), -1);
        ++failed;
      }
    }
    if (group.size() == size) {
      groups.emplace_back(group.begin(), group.end());
    } else {
      left.splice(left.end(), group, group.begin());
      // The others go back to where they were: the lightest.
      group.reverse();
      rest.splice(rest.end(), group);
    }
  }
  rest = std::move(left);
  return groups;
}

/// Weights of at most 64 in size: two of them sum to at most 128, and 128 * 255 < 2^15.
std::pair<WeightBlock, WeightBlock> split(const WeightBlock &block) {
  std::pair<WeightBlock, WeightBlock> halves{block, block};
  for (size_t i = 0; i < block.weights.size(); ++i) {
    halves.first.weights[i] = static_cast<int8_t>(block.weights[i] / 2);
    halves.second.weights[i] = static_cast<int8_t>(block.weights[i] - block.weights[i] / 2);
  }
  return halves;
}
} // namespace

bool fitsSixteenBits(const int8_t *weights, unsigned count, int64_t channels, int64_t xMax) {
  LaneSums sums(2 * channels);
  for (unsigned i = 0; i < count; ++i)
    sums.add(weights + i * 4 * channels);
  return sums.fits(xMax);
}

/// Adds blocks of zeros that read what the last one reads.
static void fillUp(std::vector<WeightBlock> &blocks, unsigned multiple) {
  while (blocks.size() % multiple != 0)
    blocks.push_back({blocks.back().offset, std::vector<int8_t>(blocks.back().weights.size(), 0)});
}

int64_t costOf(const AccumulatorPlan &plan) {
  int64_t cost = 0;
  for (size_t level = 0; level < kGroupSizes.size(); ++level)
    cost += plan.groups[level] * (kGroupSizes[level] + 1);
  return cost;
}

AccumulatorPlan planInOrder(std::vector<WeightBlock> blocks, unsigned leastGroup) {
  fillUp(blocks, leastGroup);
  AccumulatorPlan plan;
  auto level = std::find(kGroupSizes.begin(), kGroupSizes.end(), leastGroup) - kGroupSizes.begin();
  plan.groups[level] = static_cast<int64_t>(blocks.size() / leastGroup);
  plan.blocks = std::move(blocks);
  return plan;
}

std::optional<AccumulatorPlan> planConsecutive(std::vector<WeightBlock> blocks, int64_t channels, int64_t xMax) {
  AccumulatorPlan plan;
  size_t next = 0;
  for (size_t level = 0; level < kGroupSizes.size(); ++level)
    for (; next + kGroupSizes[level] <= blocks.size(); next += kGroupSizes[level]) {
      LaneSums sums(2 * channels);
      for (unsigned i = 0; i < kGroupSizes[level]; ++i)
        sums.add(blocks[next + i].weights.data());
      if (!sums.fits(xMax))
        break;
      ++plan.groups[level];
    }
  if (next != blocks.size())
    return std::nullopt;
  plan.blocks = std::move(blocks);
  return plan;
}

AccumulatorPlan planAccumulator(std::vector<WeightBlock> blocks, int64_t channels, int64_t xMax, unsigned leastGroup) {
  fillUp(blocks, leastGroup);
  std::vector<WeightBlock> fitting;
  for (WeightBlock &block : blocks) {
    if (fitsSixteenBits(block.weights.data(), 1, channels, xMax)) {
      fitting.push_back(std::move(block));
    } else {
      auto [first, second] = split(block);
      fitting.push_back(std::move(first));
      fitting.push_back(std::move(second));
    }
  }
  auto load = [&](const WeightBlock &block) {
    LaneSums sums(2 * channels);
    sums.add(block.weights.data());
    return sums.load();
  };
  std::vector<std::pair<int, size_t>> order;
  for (size_t i = 0; i < fitting.size(); ++i)
    order.emplace_back(-load(fitting[i]), i);
  std::sort(order.begin(), order.end());
  std::list<WeightBlock> rest;
  for (auto [negated, i] : order)
    rest.push_back(std::move(fitting[i]));

  AccumulatorPlan plan;
  for (size_t level = 0; level < kGroupSizes.size() && kGroupSizes[level] >= leastGroup; ++level) {
    auto groups = takeGroups(rest, kGroupSizes[level], 2 * channels, xMax);
    // Within a class the order is free: that of the input is the kindest to the caches.
    for (auto &group : groups)
      std::sort(group.begin(), group.end(), [](const WeightBlock &a, const WeightBlock &b) {
        return std::tie(a.offset, a.weights) < std::tie(b.offset, b.weights);
      });
    std::sort(groups.begin(), groups.end(), [](const auto &a, const auto &b) {
      return std::tie(a.front().offset, a.front().weights) < std::tie(b.front().offset, b.front().weights);
    });
    plan.groups[level] = static_cast<int64_t>(groups.size());
    for (auto &group : groups)
      std::move(group.begin(), group.end(), std::back_inserter(plan.blocks));
  }
  return plan;
}

} // namespace dyadic
