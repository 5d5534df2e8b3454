// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/ChannelOrder.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <numeric>
#include <random>

using namespace dyadic;

namespace {
llvm::BitVector setOf(unsigned size, std::initializer_list<unsigned> bits) {
  llvm::BitVector set(size);
  for (unsigned bit : bits)
    set.set(bit);
  return set;
}

/// Blocks that are split: those in which any channel of a set of `size` overflows.
unsigned splits(const std::vector<int64_t> &order, const std::vector<llvm::BitVector> &overflows, size_t size) {
  unsigned count = 0;
  for (size_t start = 0; start < order.size(); start += size) {
    llvm::BitVector together(overflows[0].size());
    for (size_t i = start; i < std::min(order.size(), start + size); ++i)
      together |= overflows[order[i]];
    count += together.count();
  }
  return count;
}

/// Every other channel overflows in block 0, the others in block 1.
std::vector<llvm::BitVector> alternating(unsigned channels) {
  std::vector<llvm::BitVector> overflows;
  for (unsigned c = 0; c < channels; ++c)
    overflows.push_back(setOf(2, {c % 2}));
  return overflows;
}

std::vector<int64_t> natural(size_t size) {
  std::vector<int64_t> order(size);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

bool isPermutation(std::vector<int64_t> order) {
  std::sort(order.begin(), order.end());
  return order == natural(order.size());
}

TEST(ChannelOrder, KeepsTheOrderWhereNothingOverflows) {
  EXPECT_EQ(clusterChannels(std::vector<llvm::BitVector>(40, llvm::BitVector(9)), 16), natural(40));
  EXPECT_TRUE(clusterChannels({}, 16).empty());
}

TEST(ChannelOrder, PutsChannelsWithTheSameOverflowsTogether) {
  // Apart they split one block a panel.
  std::vector<llvm::BitVector> overflows = alternating(32);
  std::vector<int64_t> order = clusterChannels(overflows, 16);
  ASSERT_TRUE(isPermutation(order));
  EXPECT_EQ(splits(natural(32), overflows, 16), 4u);
  EXPECT_EQ(splits(order, overflows, 16), 2u);
}

TEST(ChannelOrder, OrdersPanelsByHalvesToo) {
  // One panel: whatever the order, it splits both blocks; each of its halves needs only one.
  std::vector<llvm::BitVector> overflows = alternating(16);
  std::vector<int64_t> order = clusterChannels(overflows, 16);
  ASSERT_TRUE(isPermutation(order));
  EXPECT_EQ(splits(order, overflows, 8), 2u);
}

TEST(ChannelOrder, FewerBlocksOverflowOfRandomSets) {
  std::mt19937 random(1);
  std::vector<llvm::BitVector> overflows;
  for (int c = 0; c < 100; ++c) { // the last panel has 4 channels
    llvm::BitVector &set = overflows.emplace_back(16);
    for (unsigned block = 0; block < 16; ++block)
      set[block] = random() % 8 == 0;
  }
  std::vector<int64_t> order = clusterChannels(overflows, 16);
  ASSERT_TRUE(isPermutation(order));
  EXPECT_LT(4 * splits(order, overflows, 16), 3 * splits(natural(100), overflows, 16));
  EXPECT_LT(4 * splits(order, overflows, 8), 3 * splits(natural(100), overflows, 8));
  EXPECT_EQ(order, clusterChannels(overflows, 16));
}

TEST(ChannelOrder, KeepsPairsThatOverflowApart) {
  // Channels overflow with their neighbour of the other parity alone: no pair of both parities in a block.
  auto overflows = [](int64_t a, int64_t b) { return a % 2 != b % 2 ? setOf(1, {0}) : setOf(1, {}); };
  std::vector<int64_t> order = natural(19);
  pairChannels(order, overflows);
  ASSERT_TRUE(isPermutation(order));
  for (size_t i = 0; i < 16; i += 2)
    EXPECT_EQ(order[i] % 2, order[i + 1] % 2);
  EXPECT_EQ(std::vector<int64_t>(order.begin() + 16, order.end()), (std::vector<int64_t>{16, 17, 18}));
  for (size_t i = 0; i < 8; ++i) // within their 8
    EXPECT_LT(order[i], 8);
}

TEST(ChannelOrder, GathersWhatOverflowsInOneBlock) {
  // 0 overflows with everybody, 1 too: as a pair, or in one block, they spoil one block instead of two.
  auto overflows = [](int64_t a, int64_t b) { return std::min(a, b) < 2 ? setOf(1, {0}) : setOf(1, {}); };
  std::vector<int64_t> order{0, 2, 3, 4, 1, 5, 6, 7};
  pairChannels(order, overflows);
  auto blockOf = [&](int64_t c) { return (std::find(order.begin(), order.end(), c) - order.begin()) / 4; };
  EXPECT_EQ(blockOf(0), blockOf(1));
}

TEST(ChannelOrder, KeepsPairsWhereNothingIsGained) {
  std::vector<int64_t> order = natural(16);
  pairChannels(order, [](int64_t, int64_t) { return setOf(1, {0}); });
  EXPECT_EQ(order, natural(16));
}
} // namespace
