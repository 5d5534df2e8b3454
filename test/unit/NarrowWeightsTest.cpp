// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/NarrowWeights.h"
#include "gtest/gtest.h"
#include <random>

using namespace dyadic;

TEST(NarrowWeights, TakesTheLeastBitsThatHoldAll) {
  EXPECT_EQ(storedBits({-2, 1}), 2u);
  EXPECT_EQ(storedBits({2}), 4u);
  EXPECT_EQ(storedBits({-8, 7}), 4u);
  EXPECT_EQ(storedBits({-9}), 8u);
  EXPECT_EQ(storedBits({8}), 8u);
}

TEST(NarrowWeights, LaysBlocksOneUponTheOther) {
  // Two blocks of two weights: 1 + 8 and -8 + 8, then 7 + 8 and -1 + 8.
  EXPECT_EQ(packWeights({1, -8, 7, -1}, 4, 2), (std::vector<int64_t>{static_cast<int8_t>(0xF9), 0x70}));
  // Four blocks of one weight.
  EXPECT_EQ(packWeights({-2, -1, 0, 1}, 2, 1), (std::vector<int64_t>{static_cast<int8_t>(0xE4)}));
}

TEST(NarrowWeights, ComesBackAsItWas) {
  std::mt19937 engine(1);
  for (unsigned bits : {2u, 4u, 8u}) {
    int half = 1 << (bits - 1);
    std::uniform_int_distribution<int> number(-half, half - 1);
    std::vector<int64_t> weights(64 * 12);
    for (int64_t &weight : weights)
      weight = number(engine);
    std::vector<int64_t> bytes = packWeights(weights, bits, 64);
    EXPECT_EQ(bytes.size(), weights.size() * bits / 8);
    EXPECT_EQ(unpackWeights(bytes, bits, 64), weights);
  }
}
