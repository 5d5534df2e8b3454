// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of 32 bits against the 64 bits of Dyadic.h.

#include "dyadic/Support/ShortProducts.h"
#include "gtest/gtest.h"
#include <random>

using namespace dyadic;

namespace {

/// What kernels compute: all modulo 2^32 until the shift.
int32_t shortResult(int64_t a1, int64_t a2, MultiplierPair f, int64_t zeroPoint = 0) {
  uint32_t sum = static_cast<uint32_t>(a1) * static_cast<uint32_t>(f.m1) +
                 static_cast<uint32_t>(a2) * static_cast<uint32_t>(f.m2) +
                 static_cast<uint32_t>(shortAddend(f.e, zeroPoint));
  return static_cast<int32_t>(sum) >> f.e;
}

TEST(ShortProducts, ReducedFactorsAreTheSame) {
  MultiplierPair f = reduced({3 << 20, 5 << 22, 40});
  EXPECT_EQ(f.m1, 3);
  EXPECT_EQ(f.m2, 20);
  EXPECT_EQ(f.e, 20);
  f = reduced({1 << 30, 0, 12}); // the exponent stays at least 1
  EXPECT_EQ(f.m1, 1 << 19);
  EXPECT_EQ(f.e, 1);
  f = reduced({1 << 30, -(3 << 20), 31}); // a difference
  EXPECT_EQ(f.m1, 1 << 10);
  EXPECT_EQ(f.m2, -3);
  EXPECT_EQ(f.e, 11);
  EXPECT_EQ(reduced({0, 0, 33}).e, 1);
}

TEST(ShortProducts, FitUpToTheLastNumber) {
  // 2^20 * 2047 + 2^19 and the numbers around where that leaves 32 bits.
  MultiplierPair f{2047, 0, 20};
  int64_t most = (INT32_MAX - (int64_t(1) << 19)) / 2047;
  EXPECT_TRUE(fitShortProducts({0, most}, {}, f, 0));
  EXPECT_FALSE(fitShortProducts({0, most + 1}, {}, f, 0));
  int64_t least = -(int64_t(1) << 31) / 2047;
  EXPECT_TRUE(fitShortProducts({least, 0}, {}, f, 0));
  EXPECT_FALSE(fitShortProducts({least - 1, 0}, {}, f, 0));
  EXPECT_FALSE(fitShortProducts({0, most}, {0, 1}, {2047, 1 << 20, 20}, 0));
  EXPECT_FALSE(fitShortProducts({0, 1}, {}, {1, 0, 32}, 0));
  EXPECT_FALSE(fitShortProducts({0, int64_t(1) << 31}, {}, {0, 0, 1}, 0)); // no 32-bit number
}

TEST(ShortProducts, AgreeWithSixtyFourBits) {
  std::mt19937_64 random(3);
  int fitting = 0;
  for (int i = 0; i < 20000; ++i) {
    int bits = 1 + static_cast<int>(random() % kShortBits);
    double M1 = roundToBits(
        std::ldexp(1.0 + static_cast<double>(random() % 4096) / 4096, -static_cast<int>(random() % 16)), bits);
    double M2 = i % 2 ? roundToBits(0.3 + static_cast<double>(random() % 1000) / 1000, kShortBits) : 0;
    int64_t bound = int64_t(1) << (random() % 26);
    StorageRange a1{-bound, bound - 1}, a2{-128, 127};
    std::optional<MultiplierPair> f = encodeMultiplierPair(M1, M2, bound, 128);
    ASSERT_TRUE(f);
    MultiplierPair s = reduced(*f);
    const int64_t zeroPoint = static_cast<int64_t>(random() % 256) - 128;
    if (!fitShortProducts(a1, a2, s, zeroPoint))
      continue;
    ++fitting;
    const auto start = static_cast<int32_t>(shortAddend(s.e, zeroPoint));
    ASSERT_TRUE(fitScaledSums(a1, start, a2, s));
    for (int64_t x : {a1.min, a1.max, int64_t(0), a1.min + static_cast<int64_t>(random() % (2 * bound))})
      for (int64_t y : {a2.min, a2.max, int64_t(0)})
        ASSERT_EQ(shortResult(x, y, s, zeroPoint),
                  requantizeSum(x, y, *f, zeroPoint, INT32_MIN, INT32_MAX, Rounding::HalfUp))
            << x << " " << y << " " << f->m1 << " " << f->m2 << " " << f->e;
  }
  EXPECT_GT(fitting, 5000);
}

TEST(ShortProducts, ZeroPointCounts) {
  MultiplierPair f{1, 0, 23};
  EXPECT_TRUE(fitShortProducts({0, 0}, {}, f, 255));
  EXPECT_FALSE(fitShortProducts({0, 0}, {}, f, 256));
  EXPECT_TRUE(fitShortProducts({0, 0}, {}, f, -256));
  EXPECT_FALSE(fitShortProducts({0, 0}, {}, f, -257));
}

TEST(ShortProducts, ScaledSumsFitUpToTheLastNumber) {
  MultiplierPair f{2047, 3, 20};
  int32_t start = INT32_MAX - 2047 * 1000 - 3 * 7;
  EXPECT_TRUE(fitScaledSums({-1000, 1000}, start, {-7, 7}, f));
  EXPECT_FALSE(fitScaledSums({-1000, 1001}, start, {-7, 7}, f));
  EXPECT_FALSE(fitScaledSums({-1000, 1000}, start, {-7, 8}, f));
  EXPECT_FALSE(fitScaledSums({-1000, 1000}, start + 1, {-7, 7}, f));
  EXPECT_FALSE(fitScaledSums({0, 1}, 0, {}, {1, 0, 32}));
}

TEST(ShortProducts, TiesGoUp) {
  MultiplierPair f = reduced({1 << 30, 0, 31}); // one half
  EXPECT_EQ(shortResult(3, 0, f), 2);
  EXPECT_EQ(shortResult(-3, 0, f), -1);
}

TEST(ShortFactor, NeedsToBeNear) {
  double exact = 2185.0 / 32768;
  EXPECT_EQ(shortFactor(exact), exact);
  EXPECT_EQ(shortFactor(exact * (1 + 0x1p-24)), exact);
  EXPECT_EQ(shortFactor(exact * (1 - 0x1p-24)), exact);
  double far = exact * (1 + 0x1p-22);
  EXPECT_EQ(shortFactor(far), far);
  EXPECT_EQ(shortFactor(2 - 0x1p-30), 2.0); // the next power of two
  EXPECT_EQ(shortFactor(0), 0);
}

TEST(ShortFactor, IsWhatAScaleOf24BitsGives) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<float> scale(1e-4f, 1.0f);
  for (int i = 0; i < 20000; ++i) {
    double x = scale(random), y = scale(random), wanted = roundToBits(scale(random), kShortBits);
    auto w = static_cast<float>(wanted * y / x);
    EXPECT_EQ(shortFactor(x * w / y), wanted);
  }
}

TEST(RoundToBits, IsNearest) {
  EXPECT_EQ(roundToBits(0.3, 3), 5.0 / 16);
  EXPECT_EQ(roundToBits(1000, 12), 1000);
  EXPECT_EQ(roundToBits(4097, 12), 4096); // a tie, to even
  EXPECT_EQ(roundToBits(4099, 12), 4100);
}

} // namespace
