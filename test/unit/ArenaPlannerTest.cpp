// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/ArenaPlanner.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <random>

using namespace dyadic;

namespace {
constexpr int64_t kAlignment = 64;

/// Buffers that live together are apart, at aligned places in the arena.
void checkPlan(const std::vector<ArenaBuffer> &buffers, int64_t total) {
  for (const ArenaBuffer &a : buffers) {
    EXPECT_EQ(a.offset % kAlignment, 0);
    EXPECT_LE(a.offset + a.size, total);
    for (const ArenaBuffer &b : buffers)
      if (&a != &b && a.begin <= b.end && b.begin <= a.end)
        EXPECT_TRUE(a.offset + a.size <= b.offset || b.offset + b.size <= a.offset);
  }
  EXPECT_GE(total, largestLiveSet(buffers));
}

TEST(ArenaPlanner, PlansNothing) {
  std::vector<ArenaBuffer> buffers;
  EXPECT_EQ(planArena(buffers, kAlignment), 0);
  EXPECT_EQ(largestLiveSet(buffers), 0);
}

TEST(ArenaPlanner, LargestLiveSetCountsBytesOfOneMoment) {
  std::vector<ArenaBuffer> buffers = {{100, 0, 2}, {50, 2, 3}, {70, 3, 4}};
  EXPECT_EQ(largestLiveSet(buffers), 150);
}

TEST(ArenaPlanner, ChainsTakeTwoNeighbours) {
  std::vector<ArenaBuffer> buffers;
  for (int64_t i = 0; i < 20; ++i)
    buffers.push_back({i % 2 ? 64 : 640, i, i + 1});
  int64_t total = planArena(buffers, kAlignment);
  checkPlan(buffers, total);
  EXPECT_EQ(total, 704);
}

// By size alone the first and the last one take the same place, and leave none for the two between them.
TEST(ArenaPlanner, KeepsTheBestOfSeveralOrders) {
  std::vector<ArenaBuffer> buffers = {{192, 0, 2}, {192, 4, 5}, {64, 3, 4}, {192, 2, 3}};
  int64_t total = planArena(buffers, kAlignment);
  checkPlan(buffers, total);
  EXPECT_EQ(total, 384);
}

// Depthwise layers: a border around every second value. Large buffers must take turns at both ends of the arena.
TEST(ArenaPlanner, SearchesWhereNoOrderFits) {
  std::vector<ArenaBuffer> buffers;
  for (int64_t i = 0; i < 40; ++i)
    buffers.push_back({i % 3 == 2 ? 12096 : 8000, i, i + 1});
  int64_t total = planArena(buffers, kAlignment);
  checkPlan(buffers, total);
  EXPECT_EQ(total, 20096);
}

TEST(ArenaPlanner, NeverOverlapsAndStaysNearTheLowerBound) {
  std::mt19937 engine(1);
  double sum = 0;
  for (int round = 0; round < 100; ++round) {
    std::vector<ArenaBuffer> buffers;
    std::uniform_int_distribution<int64_t> units(1, 40), births(0, 60), lives(1, 4);
    for (int i = 0; i < 60; ++i) {
      int64_t begin = births(engine);
      buffers.push_back({64 * units(engine), begin, begin + lives(engine)});
    }
    std::vector<ArenaBuffer> again = buffers;
    int64_t total = planArena(buffers, kAlignment);
    checkPlan(buffers, total);
    EXPECT_EQ(planArena(again, kAlignment), total);
    for (size_t i = 0; i < buffers.size(); ++i)
      EXPECT_EQ(again[i].offset, buffers[i].offset);
    sum += static_cast<double>(total) / static_cast<double>(largestLiveSet(buffers));
  }
  EXPECT_LT(sum / 100, 1.05);
}
} // namespace
