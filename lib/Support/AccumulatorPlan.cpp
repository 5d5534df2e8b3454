// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/AccumulatorPlan.h"
#include "PairExcess.h"
#include <algorithm>
#include <list>
#include <tuple>

namespace dyadic {

namespace {
/// What the weights of some blocks sum up to in every 16-bit lane: the positive ones, and the negative ones.
class LaneSums {
public:
  explicit LaneSums(int64_t lanes) : sums(2 * lanes) {}
  explicit LaneSums(const WeightBlock &block) : LaneSums(static_cast<int64_t>(block.weights.size()) / 2) {
    add(block.weights.data());
  }

  void add(const int8_t *weights) {
    for (size_t lane = 0, lanes = sums.size() / 2; lane < lanes; ++lane)
      for (int i = 0; i < 2; ++i) {
        int16_t w = weights[2 * lane + i];
        sums[lane] = static_cast<int16_t>(sums[lane] + std::max<int16_t>(w, 0));
        sums[lanes + lane] = static_cast<int16_t>(sums[lanes + lane] + std::max<int16_t>(static_cast<int16_t>(-w), 0));
      }
  }
  void add(const LaneSums &others) {
    for (size_t i = 0; i < sums.size(); ++i)
      sums[i] = static_cast<int16_t>(sums[i] + others.sums[i]);
  }
  void remove(const LaneSums &others) {
    for (size_t i = 0; i < sums.size(); ++i)
      sums[i] = static_cast<int16_t>(sums[i] - others.sums[i]);
  }
  bool fits(int64_t xMax) const {
    auto middle = sums.begin() + static_cast<ptrdiff_t>(sums.size() / 2);
    return most(sums.begin(), middle) * xMax <= INT16_MAX && most(middle, sums.end()) * xMax <= -int64_t(INT16_MIN);
  }
  /// The largest sum of a lane.
  int load() const { return most(sums.begin(), sums.end()); }

private:
  static int16_t most(std::vector<int16_t>::const_iterator from, std::vector<int16_t>::const_iterator to) {
    int16_t result = 0;
    for (; from != to; ++from)
      result = std::max(result, *from);
    return result;
  }

  std::vector<int16_t> sums;
};

struct SummedBlock {
  explicit SummedBlock(WeightBlock &&of) : block(std::move(of)), sums(block), load(sums.load()) {}

  WeightBlock block;
  LaneSums sums;
  int load;
};
using SummedBlocks = std::list<SummedBlock>;

/// How many blocks that do not fit the search for partners tries.
constexpr int kCandidates = 48;

/// False where not even the `size` lightest blocks fit together: others hardly will.
bool hasGroup(const SummedBlocks &rest, unsigned size, int64_t xMax) {
  if (rest.size() < size)
    return false;
  auto block = rest.rbegin();
  LaneSums sums = block->sums;
  for (unsigned i = 1; i < size; ++i)
    sums.add((++block)->sums);
  return sums.fits(xMax);
}

/// Takes groups of `size` blocks out of `rest` (heaviest first) as long as it finds them. The
/// heaviest block is joined by the heaviest that still fit; where none do it stays behind.
std::vector<std::vector<WeightBlock>> takeGroups(SummedBlocks &rest, unsigned size, int64_t xMax) {
  std::vector<std::vector<WeightBlock>> groups;
  if (size > kUnrolledGroup && !hasGroup(rest, size, xMax)) // a long search in vain
    return groups;
  SummedBlocks left;
  while (!rest.empty()) {
    SummedBlocks group;
    group.splice(group.end(), rest, rest.begin());
    LaneSums sums = group.front().sums;
    // Light blocks, at the end, are the likeliest partners of a heavy one.
    auto candidate = rest.end();
    for (int failed = 0; group.size() < size && candidate != rest.begin() && failed < kCandidates;) {
      --candidate;
      sums.add(candidate->sums);
      if (sums.fits(xMax)) {
        auto taken = candidate++;
        group.splice(group.end(), rest, taken);
      } else {
        sums.remove(candidate->sums);
        ++failed;
      }
    }
    if (group.size() == size) {
      groups.emplace_back();
      for (SummedBlock &of : group)
        groups.back().push_back(std::move(of.block));
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

AccumulatorPlan planSingly(std::vector<WeightBlock> blocks, int64_t channels, int64_t xMax) {
  std::vector<WeightBlock> excess = takeExcess(blocks, channels, xMax);
  std::move(excess.begin(), excess.end(), std::back_inserter(blocks));
  return planInOrder(std::move(blocks));
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

/// Blocks that fit by themselves, in as many groups of each size as the search finds, the largest size first.
static AccumulatorPlan planGroups(std::vector<WeightBlock> blocks, int64_t xMax, unsigned leastGroup) {
  SummedBlocks rest;
  for (WeightBlock &block : blocks)
    rest.emplace_back(std::move(block));
  rest.sort([](const SummedBlock &a, const SummedBlock &b) { return a.load > b.load; });

  AccumulatorPlan plan;
  for (size_t level = 0; level < kGroupSizes.size(); ++level) {
    if (kGroupSizes[level] % leastGroup != 0)
      continue;
    auto groups = takeGroups(rest, kGroupSizes[level], xMax);
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

AccumulatorPlan planAccumulator(std::vector<WeightBlock> blocks, int64_t channels, int64_t xMax, unsigned leastGroup) {
  fillUp(blocks, leastGroup);
  std::vector<WeightBlock> halved;
  for (const WeightBlock &block : blocks) {
    if (fitsSixteenBits(block.weights.data(), 1, channels, xMax)) {
      halved.push_back(block);
      continue;
    }
    auto [first, second] = split(block);
    halved.push_back(std::move(first));
    halved.push_back(std::move(second));
  }
  if (halved.size() == blocks.size())
    return planGroups(std::move(blocks), xMax, leastGroup);
  // Halves are lighter, and find more partners; the excess alone needs fewer blocks.
  AccumulatorPlan ofHalves = planGroups(std::move(halved), xMax, leastGroup);
  std::vector<WeightBlock> excess = takeExcess(blocks, channels, xMax);
  std::move(excess.begin(), excess.end(), std::back_inserter(blocks));
  AccumulatorPlan ofExcess = planGroups(std::move(blocks), xMax, leastGroup);
  return costOf(ofExcess) < costOf(ofHalves) ? ofExcess : ofHalves;
}

} // namespace dyadic
