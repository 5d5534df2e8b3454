// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/WorkSplit.h"
#include "gtest/gtest.h"

using namespace dyadic;

namespace {
std::vector<int64_t> parts(const std::vector<int64_t> &counts, int64_t nanoseconds) {
  std::vector<int64_t> result;
  for (const LoopSplit &loop : splitLoops(counts, nanoseconds))
    result.push_back(loop.parts);
  return result;
}
using Parts = std::vector<int64_t>;

TEST(WorkSplit, LittleWorkStaysWhole) {
  EXPECT_EQ(parts({56, 4}, kLeastSplitTime - 1), Parts({1, 1}));
  EXPECT_EQ(parts({56, 4}, 0), Parts({1, 1}));
  EXPECT_EQ(parts({}, 1'000'000), Parts());
  EXPECT_EQ(parts({1, 1}, 1'000'000), Parts({1, 1}));
  EXPECT_EQ(parts({0}, 1'000'000), Parts({1})); // nothing to do
}

TEST(WorkSplit, PartsAreNotTooShort) {
  for (int64_t time : {10'000, 11'111, 50'000, 127'999, 128'000, 10'000'000})
    for (const std::vector<int64_t> &counts : {Parts{7, 32}, Parts{56, 4}, Parts{1, 63}, Parts{1000}, Parts{3, 3, 3}}) {
      int64_t all = countParts(splitLoops(counts, time));
      EXPECT_LE(all, kMostParts);
      EXPECT_GE(time / all, kLeastPartTime);
    }
}

TEST(WorkSplit, TheOutermostLoopFirst) {
  EXPECT_EQ(parts({56, 4}, 1'000'000), Parts({56, 1}));
  EXPECT_EQ(parts({7, 32}, 1'000'000), Parts({7, 8}));
  EXPECT_EQ(parts({14, 5}, 1'000'000), Parts({14, 4}));
  EXPECT_EQ(parts({1, 63}, 1'000'000), Parts({1, 63}));
  EXPECT_EQ(parts({1, 100}, 1'000'000), Parts({1, 64}));
  EXPECT_EQ(parts({112, 4}, 30'000), Parts({8, 1})); // 15 parts at most
}

TEST(WorkSplit, EveryPassIsInOnePart) {
  for (int64_t count : {1, 2, 3, 7, 63, 64, 65, 100, 197, 1000})
    for (int64_t time : {10'000, 60'000, 1'000'000}) {
      LoopSplit loop = splitLoops({count}, time).front();
      EXPECT_TRUE(loop.parts == count || (loop.parts & (loop.parts - 1)) == 0);
      int64_t end = 0;
      for (int64_t i = 0; i < loop.parts; ++i) {
        EXPECT_LT(i * loop.count / loop.parts, (i + 1) * loop.count / loop.parts); // no part is empty
        EXPECT_EQ(i * loop.count / loop.parts, end);
        end = (i + 1) * loop.count / loop.parts;
      }
      EXPECT_EQ(end, count);
    }
}
} // namespace
