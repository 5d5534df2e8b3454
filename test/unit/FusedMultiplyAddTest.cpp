// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/FusedMultiplyAdd.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>
#include <random>

using namespace dyadic;

namespace {

uint32_t bitsOf(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

float floatOf(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

void expectFused(float x, float y, float c) {
  const float expected = std::fma(x, y, c), found = fusedMultiplyAdd(x, y, c);
  if (std::isnan(expected))
    EXPECT_TRUE(std::isnan(found)) << x << " * " << y << " + " << c;
  else
    EXPECT_EQ(bitsOf(found), bitsOf(expected)) << x << " * " << y << " + " << c;
}

TEST(FusedMultiplyAdd, TwoRoundingsWouldBeWrong) {
  // The square lies in the middle of two f32; what is added decides, and f64 has no room for it.
  const float x = 1 + 0x1p-12f;
  EXPECT_EQ(static_cast<float>(static_cast<double>(x) * x + 0x1p-80), 1 + 0x1p-11f);
  EXPECT_EQ(fusedMultiplyAdd(x, x, 0x1p-80f), 1 + 0x1p-11f + 0x1p-23f);
  EXPECT_EQ(fusedMultiplyAdd(x, x, -0x1p-80f), 1 + 0x1p-11f);
  EXPECT_EQ(fusedMultiplyAdd(-x, x, -0x1p-80f), -(1 + 0x1p-11f + 0x1p-23f));
}

TEST(FusedMultiplyAdd, SpecialNumbers) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const float special[] = {0.0f,
                           -0.0f,
                           1.0f,
                           -1.0f,
                           inf,
                           -inf,
                           nan,
                           0x1p-149f,
                           -0x1p-149f,
                           0x1p-126f,
                           0x1.fffffep127f,
                           -0x1.fffffep127f,
                           0x1p-75f,
                           0x1.8p-75f,
                           3.0f};
  for (float x : special)
    for (float y : special)
      for (float c : special)
        expectFused(x, y, c);
}

TEST(FusedMultiplyAdd, RandomNumbers) {
  std::mt19937 random(1);
  for (int i = 0; i < 200000; ++i) {
    expectFused(floatOf(random()), floatOf(random()), floatOf(random())); // of any size
    // Of sizes that meet, with few bits: exact middles are frequent.
    auto few = [&] { return std::ldexp(static_cast<float>(random() % 8192), static_cast<int>(random() % 24) - 12); };
    expectFused(few(), few(), -few());
    expectFused(few(), few(), few() + 0x1p-20f);
  }
}

} // namespace
