// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/AccumulatorPlan.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <map>
#include <numeric>
#include <random>

using namespace dyadic;

namespace {
constexpr int64_t kChannels = 16;
using Groups = decltype(AccumulatorPlan::groups);

std::vector<WeightBlock> randomBlocks(size_t count, double spread, int limit, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> uniform(-0.5, 0.5);
  std::vector<WeightBlock> blocks(count);
  for (size_t b = 0; b < count; ++b) {
    blocks[b].offset = static_cast<int64_t>(4 * b);
    for (int64_t i = 0; i < 4 * kChannels; ++i) {
      double u = uniform(engine), w = -spread * (u < 0 ? -1 : 1) * std::log1p(-2 * std::abs(u)); // Laplace
      blocks[b].weights.push_back(static_cast<int8_t>(std::max<double>(-limit, std::min<double>(limit, w))));
    }
  }
  return blocks;
}

std::vector<WeightBlock> constantBlocks(size_t count, int weight) {
  std::vector<WeightBlock> blocks(count);
  for (size_t b = 0; b < count; ++b)
    blocks[b] = {static_cast<int64_t>(4 * b), std::vector<int8_t>(4 * kChannels, static_cast<int8_t>(weight))};
  return blocks;
}

/// Every group fits, by brute force over the extreme inputs of each lane, and the weights of
/// every input still add up to what they were.
void check(const std::vector<WeightBlock> &blocks, const AccumulatorPlan &plan, int64_t xMax) {
  std::map<std::pair<int64_t, int64_t>, int> sums; // by input and channel
  for (const WeightBlock &block : blocks)
    for (int64_t k = 0; k < 4 * kChannels; ++k)
      sums[{block.offset + k % 4, k / 4}] += block.weights[k];
  size_t next = 0;
  for (size_t level = 0; level < kGroupSizes.size(); ++level)
    for (int64_t g = 0; g < plan.groups[level]; ++g) {
      std::vector<int64_t> most(2 * kChannels), least(2 * kChannels);
      for (unsigned i = 0; i < kGroupSizes[level]; ++i, ++next) {
        ASSERT_LT(next, plan.blocks.size());
        const WeightBlock &block = plan.blocks[next];
        for (int64_t k = 0; k < 4 * kChannels; ++k) {
          (block.weights[k] > 0 ? most : least)[k / 2] += xMax * block.weights[k];
          sums.at({block.offset + k % 4, k / 4}) -= block.weights[k]; // throws where no block read that
        }
      }
      for (int64_t lane = 0; lane < 2 * kChannels; ++lane) {
        EXPECT_LE(most[lane], INT16_MAX);
        EXPECT_GE(least[lane], INT16_MIN);
      }
    }
  EXPECT_EQ(next, plan.blocks.size());
  for (auto &[place, rest] : sums)
    EXPECT_EQ(rest, 0);
}

TEST(AccumulatorPlan, EveryGroupFitsAndNothingIsLost) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    auto blocks = randomBlocks(1 + seed * 7, 5.0 + 3 * seed, 127, seed);
    check(blocks, planAccumulator(blocks, kChannels, 255), 255);
    check(blocks, planAccumulator(blocks, kChannels, 15), 15);
  }
}

TEST(AccumulatorPlan, LargestWeightsAreSplit) {
  for (int weight : {127, -127, -128, 65, -65}) {
    auto blocks = constantBlocks(9, weight);
    AccumulatorPlan plan = planAccumulator(blocks, kChannels, 255);
    check(blocks, plan, 255);
    EXPECT_EQ(plan.blocks.size(), std::abs(weight) == 65 ? 15u : 18u); // three pairs of 65 exceed by 6 in all
  }
}

TEST(AccumulatorPlan, ExcessOfThreePairsIsOneBlock) {
  auto blocks = constantBlocks(3, 30);
  for (int pair : {1, 2, 3}) // of channel `pair`: the second of block 0 and both of block 1
    for (int i : {0, 1})
      blocks[pair / 2].weights[4 * pair + 2 * (pair % 2) + i] = 70;
  AccumulatorPlan plan = planAccumulator(blocks, kChannels, 255);
  check(blocks, plan, 255);
  ASSERT_EQ(plan.blocks.size(), 4u);
  EXPECT_TRUE(std::any_of(plan.blocks.begin(), plan.blocks.end(), [](const WeightBlock &b) { return b.offset == 3; }));
}

TEST(AccumulatorPlan, ExcessOfPairsAtTheEndsStaysWithinTheirBlocks) {
  for (int pair = 0; pair < 6; ++pair)
    for (int weight : {127, -128}) {
      auto blocks = constantBlocks(3, 1);
      for (int i : {0, 1})
        blocks[pair / 2].weights[2 * (pair % 2) + i] = static_cast<int8_t>(weight);
      AccumulatorPlan plan = planAccumulator(blocks, kChannels, 255);
      check(blocks, plan, 255);
      EXPECT_EQ(plan.blocks.size(), 4u);
    }
}

TEST(AccumulatorPlan, SinglyInOrderWithTheExcessBehind) {
  for (unsigned seed = 0; seed < 5; ++seed) {
    auto blocks = randomBlocks(40, 40, 127, seed);
    AccumulatorPlan plan = planSingly(blocks, kChannels, 255);
    check(blocks, plan, 255);
    EXPECT_GT(plan.blocks.size(), blocks.size());
    EXPECT_EQ(plan.groups, (Groups{0, 0, 0, 0, 0, 0, static_cast<int64_t>(plan.blocks.size())}));
    for (size_t b = 0; b < blocks.size(); ++b)
      EXPECT_EQ(plan.blocks[b].offset, blocks[b].offset);
  }
  auto light = constantBlocks(7, 30);
  EXPECT_EQ(planSingly(light, kChannels, 255).blocks.size(), light.size());
}

TEST(AccumulatorPlan, ThreeBlocksAreOneGroup) {
  AccumulatorPlan plan = planAccumulator(constantBlocks(6, 20), kChannels, 255); // 40 a lane and block
  EXPECT_EQ(plan.groups, (Groups{0, 0, 0, 0, 2, 0, 0}));
}

TEST(AccumulatorPlan, LimitsAreExact) {
  // 64 + 64 = 128 times 255 is 32640; 65 + 64 = 129 times 255 is 32895.
  EXPECT_TRUE(fitsSixteenBits(constantBlocks(1, 64)[0].weights.data(), 1, kChannels, 255));
  EXPECT_FALSE(fitsSixteenBits(constantBlocks(1, 65)[0].weights.data(), 1, kChannels, 255));
  // 2^15 itself is a negative number only: 2 * 64 * 256 = 2^15.
  EXPECT_FALSE(fitsSixteenBits(constantBlocks(1, 64)[0].weights.data(), 1, kChannels, 256));
  EXPECT_TRUE(fitsSixteenBits(constantBlocks(1, -64)[0].weights.data(), 1, kChannels, 256));
  EXPECT_FALSE(fitsSixteenBits(constantBlocks(1, -65)[0].weights.data(), 1, kChannels, 255));
}

TEST(AccumulatorPlan, NarrowWeightsShareSums) {
  // 16 products of at most 7 * 255, then 128 of at most 7 * 15.
  auto blocks = constantBlocks(72, 7);
  AccumulatorPlan bytes = planAccumulator(blocks, kChannels, 255), nibbles = planAccumulator(blocks, kChannels, 15);
  check(blocks, bytes, 255);
  check(blocks, nibbles, 15);
  EXPECT_EQ(bytes.groups, (Groups{0, 0, 9, 0, 0, 0, 0}));
  EXPECT_EQ(nibbles.groups, (Groups{1, 0, 1, 0, 0, 0, 0}));
}

TEST(AccumulatorPlan, LaplaceWeightsPairUp) {
  auto blocks = randomBlocks(288, 20.0, 127, 3);
  AccumulatorPlan plan = planAccumulator(blocks, kChannels, 255);
  EXPECT_GT(4 * plan.groups[3] + 3 * plan.groups[4] + 2 * plan.groups[5],
            static_cast<int64_t>(plan.blocks.size() * 8 / 10));
}

TEST(AccumulatorPlan, Deterministic) {
  auto blocks = randomBlocks(100, 25.0, 127, 9);
  AccumulatorPlan a = planAccumulator(blocks, kChannels, 255), b = planAccumulator(blocks, kChannels, 255);
  ASSERT_EQ(a.blocks.size(), b.blocks.size());
  for (size_t i = 0; i < a.blocks.size(); ++i) {
    EXPECT_EQ(a.blocks[i].offset, b.blocks[i].offset);
    EXPECT_EQ(a.blocks[i].weights, b.blocks[i].weights);
  }
}
TEST(AccumulatorPlan, CostCountsBlocksAndWidenedGroups) {
  EXPECT_EQ(costOf(planAccumulator(constantBlocks(8, 127), kChannels, 255)), 16 + 16); // split, and then alone
  EXPECT_EQ(costOf(planAccumulator(constantBlocks(8, 16), kChannels, 255)), 8 + 2);
  EXPECT_EQ(costOf(planAccumulator({}, kChannels, 255)), 0);
}
} // namespace

TEST(AccumulatorPlan, FillsUpGroupsOfBlocksThatShareBytes) {
  std::vector<WeightBlock> blocks = constantBlocks(5, 7);
  AccumulatorPlan plan = planAccumulator(blocks, kChannels, 255, /*leastGroup=*/2);
  check(blocks, plan, 255);
  EXPECT_EQ(plan.blocks.size(), 6u);
  EXPECT_EQ(plan.groups, (Groups{0, 0, 0, 1, 0, 1, 0}));
  AccumulatorPlan inOrder = planInOrder(constantBlocks(3, 1), /*leastGroup=*/4);
  EXPECT_EQ(inOrder.blocks.size(), 4u);
  EXPECT_EQ(inOrder.groups, (Groups{0, 0, 0, 1, 0, 0, 0}));
}

TEST(AccumulatorPlan, ConsecutiveGroupsKeepTheOrder) {
  std::vector<WeightBlock> blocks = constantBlocks(13, 10); // 20 a lane and block: 255 * 20 * 6 fits 15 bits
  std::optional<AccumulatorPlan> plan = planConsecutive(blocks, kChannels, 255);
  ASSERT_TRUE(plan);
  check(blocks, *plan, 255);
  EXPECT_EQ(plan->groups, (Groups{0, 0, 0, 3, 0, 0, 1}));
  for (size_t i = 0; i < blocks.size(); ++i)
    EXPECT_EQ(plan->blocks[i].offset, blocks[i].offset);
  EXPECT_FALSE(planConsecutive(constantBlocks(3, 65), kChannels, 255)); // two of a lane are beyond 128
}
