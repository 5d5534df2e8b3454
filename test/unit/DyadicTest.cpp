// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Multipliers and roundings of Support/Dyadic.h against definitions of their own:
// 128-bit integers for the mathematics, gemmlowp's two steps for `double`.

#include "dyadic/Support/Dyadic.h"
#include "gtest/gtest.h"
#include <limits>
#include <random>

using namespace dyadic;

namespace {

using Wide = __int128;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

const int32_t kExponents[] = {1, 2, 7, 30, 31, 32, 33, 47, 61, 62};
const int32_t kMultipliers[] = {0, 1 << 30, (1 << 30) + 1, 1518500250, INT32_MAX - 1, INT32_MAX};
const int64_t kInputs[] = {INT32_MIN, INT32_MIN + 1, -65537,        -3,       -2, -1, 0, 1, 2, 3,
                           255,       65536,         INT32_MAX - 1, INT32_MAX};

/// Largest integer that is not above p / d, for d > 0.
Wide floorDiv(Wide p, Wide d) { return p / d - (p % d < 0 ? 1 : 0); }

/// The nearest integer to p / 2^e; a tie goes up, or to the even neighbour.
int64_t nearest(Wide p, int e, bool tiesToEven) {
  const Wide d = Wide(1) << e;
  const Wide below = floorDiv(p, d), twiceRest = 2 * (p - below * d);
  if (twiceRest != d)
    return static_cast<int64_t>(below + (twiceRest > d ? 1 : 0));
  return static_cast<int64_t>(tiesToEven && below % 2 == 0 ? below : below + 1);
}

/// gemmlowp's SaturatingRoundingDoublingHighMul: round(2 * a * b / 2^32), the quotient truncated after a nudge.
int32_t doublingHighMul(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN)
    return INT32_MAX;
  const int64_t product = int64_t(a) * b;
  const int64_t nudge = product >= 0 ? int64_t(1) << 30 : 1 - (int64_t(1) << 30);
  return static_cast<int32_t>((product + nudge) / (int64_t(1) << 31));
}

/// gemmlowp's RoundingDivideByPOT: nearest, ties away from zero.
int32_t divideByPowerOfTwo(int32_t x, int exponent) {
  const int64_t mask = (int64_t(1) << exponent) - 1, rest = x & mask, threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return static_cast<int32_t>((int64_t(x) >> exponent) + (rest > threshold ? 1 : 0));
}

int64_t maxAbs(int64_t x) { return x < 0 ? -x : x; }

TEST(EncodeMultiplier, RoundTripError) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> fraction(0.5, 1.0);
  std::uniform_int_distribution<int> exponent(-31, 29);
  for (int i = 0; i < 20000; ++i) {
    const double M = std::ldexp(fraction(random), exponent(random));
    std::optional<Multiplier> f = encodeMultiplier(M);
    ASSERT_TRUE(f) << M;
    EXPECT_GE(f->m, 1 << 30);
    EXPECT_GE(f->e, 1);
    EXPECT_LE(f->e, 62);
    EXPECT_LE(std::fabs(std::ldexp(f->m, -f->e) - M), M * 0x1p-31) << M;
  }
}

TEST(EncodeMultiplier, SmallFactors) {
  EXPECT_EQ(encodeMultiplier(0.0)->m, 0);
  EXPECT_EQ(encodeMultiplier(std::numeric_limits<double>::denorm_min())->m, 0);
  std::optional<Multiplier> below = encodeMultiplier(std::nextafter(0x1p-32, 0.0));
  EXPECT_EQ(below->m, 0);
  EXPECT_EQ(below->e, 1);
  std::optional<Multiplier> at = encodeMultiplier(0x1p-32);
  EXPECT_EQ(at->m, 1 << 30);
  EXPECT_EQ(at->e, 62);
}

TEST(EncodeMultiplier, RoundingReachesTheNextPowerOfTwo) {
  std::optional<Multiplier> f = encodeMultiplier(std::nextafter(1.0, 0.0));
  EXPECT_EQ(f->m, 1 << 30);
  EXPECT_EQ(f->e, 30);
  f = encodeMultiplier(std::nextafter(0x1p-31, 0.0));
  EXPECT_EQ(f->m, 1 << 30);
  EXPECT_EQ(f->e, 61);
}

TEST(EncodeMultiplier, TiesOfTheMantissaGoToEven) {
  EXPECT_EQ(encodeMultiplier(((1 << 30) + 0.5) * 0x1p-31)->m, 1 << 30);
  EXPECT_EQ(encodeMultiplier(((1 << 30) + 1.5) * 0x1p-31)->m, (1 << 30) + 2);
  EXPECT_EQ(encodeMultiplier((0x7fffffff - 0.5) * 0x1p-31)->m, 0x7ffffffe);
}

TEST(EncodeMultiplier, LargestFactors) {
  std::optional<Multiplier> f = encodeMultiplier(0x1p30 - 0.5);
  EXPECT_EQ(f->m, INT32_MAX);
  EXPECT_EQ(f->e, 1);
  EXPECT_FALSE(encodeMultiplier(0x1p30 - 0.25)); // a tie that reaches 2^31
  EXPECT_FALSE(encodeMultiplier(0x1p30 - 0.125));
  EXPECT_FALSE(encodeMultiplier(0x1p30));
  EXPECT_FALSE(encodeMultiplier(1e300));
}

TEST(EncodeMultiplier, RefusesWhatIsNoFactor) {
  EXPECT_FALSE(encodeMultiplier(-1.0));
  EXPECT_FALSE(encodeMultiplier(-1e-300));
  EXPECT_FALSE(encodeMultiplier(kNaN));
  EXPECT_FALSE(encodeMultiplier(kInf));
  EXPECT_FALSE(encodeMultiplier(-kInf));
}

void expectRounded(int64_t p, int32_t e) {
  EXPECT_EQ(shiftRounded(p, e, Rounding::HalfUp), nearest(p, e, false)) << p << " / 2^" << e;
  EXPECT_EQ(shiftRounded(p, e, Rounding::HalfEven), nearest(p, e, true)) << p << " / 2^" << e;
}

void expectDouble(int64_t x, int32_t m, int32_t e) {
  const int64_t found = shiftRounded(x * m, e, Rounding::Double);
  if (e <= 31)
    EXPECT_EQ(found, nearest(Wide(x) * m, e, false)) << x << " * " << m << " / 2^" << e;
  else
    EXPECT_EQ(found, divideByPowerOfTwo(doublingHighMul(static_cast<int32_t>(x), m), e - 31))
        << x << " * " << m << " / 2^" << e;
}

TEST(ShiftRounded, ExtremesOfEveryOperand) {
  for (int32_t e : kExponents)
    for (int32_t m : kMultipliers)
      for (int64_t x : kInputs) {
        expectRounded(x * m, e);
        expectDouble(x, m, e);
      }
}

TEST(ShiftRounded, TiesOfBothSigns) {
  for (int32_t e : kExponents)
    for (int64_t k = -5; k <= 5; ++k)
      for (int64_t off = -1; off <= 1; ++off) {
        const Wide p = Wide(k) * (Wide(1) << e) + (Wide(1) << (e - 1)) + off;
        if (p > INT64_MAX / 2 || p < INT64_MIN / 2)
          continue;
        expectRounded(static_cast<int64_t>(p), e);
      }
  EXPECT_EQ(shiftRounded(1, 1, Rounding::HalfUp), 1);
  EXPECT_EQ(shiftRounded(-1, 1, Rounding::HalfUp), 0);
  EXPECT_EQ(shiftRounded(-3, 1, Rounding::HalfUp), -1);
  EXPECT_EQ(shiftRounded(1, 1, Rounding::HalfEven), 0);
  EXPECT_EQ(shiftRounded(3, 1, Rounding::HalfEven), 2);
  EXPECT_EQ(shiftRounded(-1, 1, Rounding::HalfEven), 0);
  EXPECT_EQ(shiftRounded(-3, 1, Rounding::HalfEven), -2);
}

TEST(ShiftRounded, LargestSums) {
  for (int32_t e : kExponents) {
    const int64_t largest = INT64_MAX - (int64_t(1) << (e - 1));
    for (int64_t p : {largest, largest - 1, -largest, -largest + 1})
      expectRounded(p, e);
  }
}

TEST(ShiftRounded, Random) {
  std::mt19937_64 random(2);
  std::uniform_int_distribution<int64_t> input(INT32_MIN, INT32_MAX);
  std::uniform_int_distribution<int32_t> multiplier(1 << 30, INT32_MAX), exponent(1, 62);
  for (int i = 0; i < 200000; ++i) {
    const int64_t x = input(random) >> (random() % 32);
    const int32_t m = multiplier(random), e = exponent(random);
    expectRounded(x * m, e);
    expectDouble(x, m, e);
  }
}

TEST(ShiftRounded, DoubleAtTiesOfItsSecondStep) {
  // (2^30 * x) / 2^31 is exact for even x, so that the second step sees ties of both signs.
  for (int32_t e = 32; e <= 40; ++e)
    for (int64_t k = -9; k <= 9; ++k)
      expectDouble(k * (int64_t(1) << (e - 31)), 1 << 30, e);
  EXPECT_EQ(shiftRounded(int64_t(2) << 30, 32, Rounding::Double), 1);     // 0.5 away from zero
  EXPECT_EQ(shiftRounded(-(int64_t(2) << 30), 32, Rounding::Double), -1); // -0.5 away from zero
}

TEST(Requantize, AddsTheZeroPointAndClamps) {
  const Multiplier half{1 << 30, 31};
  EXPECT_EQ(requantize(7, half, 10, 0, 255, Rounding::HalfUp), 14);
  EXPECT_EQ(requantize(-7, half, 10, 0, 255, Rounding::HalfUp), 7);
  EXPECT_EQ(requantize(5, half, 10, 0, 255, Rounding::HalfEven), 12);
  EXPECT_EQ(requantize(INT32_MAX, half, 10, 0, 255, Rounding::HalfUp), 255);
  EXPECT_EQ(requantize(INT32_MIN, half, 10, 3, 255, Rounding::HalfUp), 3);
  EXPECT_EQ(requantize(INT32_MIN, {INT32_MAX, 1}, -128, -128, 127, Rounding::Double), -128);
  EXPECT_EQ(requantize(INT32_MAX, {0, 1}, 5, 0, 255, Rounding::HalfEven), 5);
}

TEST(Requantize, WideShiftInTwoStepsIsExact) {
  // What kernels do for half_up and e >= 32: the high word, then a 32-bit shift.
  for (int32_t e : kExponents)
    for (int32_t m : kMultipliers)
      for (int64_t x : kInputs)
        if (e >= 32) {
          const int64_t high = (x * m + (int64_t(1) << (e - 1))) >> 32;
          ASSERT_TRUE(high >= INT32_MIN && high <= INT32_MAX);
          EXPECT_EQ(high >> (e - 32), shiftRounded(x * m, e, Rounding::HalfUp));
        }
}

void expectPair(double M1, double M2, int64_t bound1, int64_t bound2) {
  std::optional<MultiplierPair> f = encodeMultiplierPair(M1, M2, bound1, bound2);
  ASSERT_TRUE(f) << M1 << " " << M2;
  const Wide sum = Wide(bound1) * f->m1 + Wide(bound2) * f->m2 + (Wide(1) << (f->e - 1));
  EXPECT_LT(sum, Wide(1) << 63) << M1 << " " << M2;
  EXPECT_GE(f->e, 1);
  EXPECT_LE(f->e, 62);
  EXPECT_LE(std::fabs(std::ldexp(f->m1, -f->e) - M1), std::ldexp(0.5, -f->e));
  EXPECT_LE(std::fabs(std::ldexp(f->m2, -f->e) - M2), std::ldexp(0.5, -f->e));
}

TEST(EncodeMultiplierPair, Random) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> logarithm(-31.9, 26.0), width(2, 31);
  for (int i = 0; i < 20000; ++i)
    expectPair(std::exp2(logarithm(random)), std::exp2(logarithm(random)),
               static_cast<int64_t>(std::exp2(width(random))), static_cast<int64_t>(std::exp2(width(random))));
}

TEST(EncodeMultiplierPair, TheLargerIsNormalised) {
  std::mt19937_64 random(4);
  std::uniform_real_distribution<double> logarithm(-20.0, 20.0);
  for (int i = 0; i < 20000; ++i) {
    const double M1 = std::exp2(logarithm(random)), M2 = std::exp2(logarithm(random));
    std::optional<MultiplierPair> f = encodeMultiplierPair(M1, M2, 65535, 65535);
    ASSERT_TRUE(f);
    EXPECT_GE(std::max(f->m1, f->m2), 1 << 30) << M1 << " " << M2;
    EXPECT_EQ(f->m1 >= f->m2, M1 >= M2);
  }
}

TEST(EncodeMultiplierPair, EqualFactors) {
  std::optional<MultiplierPair> f = encodeMultiplierPair(0.75, 0.75, 255, 255);
  EXPECT_EQ(f->m1, 3 << 29);
  EXPECT_EQ(f->m2, 3 << 29);
  EXPECT_EQ(f->e, 31);
  f = encodeMultiplierPair(std::nextafter(1.0, 0.0), std::nextafter(1.0, 0.0), 255, 255);
  EXPECT_EQ(f->m1, 1 << 30);
  EXPECT_EQ(f->m2, 1 << 30);
  EXPECT_EQ(f->e, 30);
}

TEST(EncodeMultiplierPair, OneZeroOrBoth) {
  std::optional<MultiplierPair> f = encodeMultiplierPair(0.0, 0.5, 255, 255);
  EXPECT_EQ(f->m1, 0);
  EXPECT_EQ(f->m2, 1 << 30);
  EXPECT_EQ(f->e, 31);
  f = encodeMultiplierPair(0.0, 0x1p-40, 255, 255);
  EXPECT_EQ(f->m1, 0);
  EXPECT_EQ(f->m2, 0);
}

TEST(EncodeMultiplierPair, BoundsOf32BitsLowerTheExponent) {
  const int64_t bound = int64_t(1) << 31;
  for (double M : {0.99, 0.99 * 0x1p-31, 0x1p-32, 0.99 * 0x1p30})
    expectPair(M, M, bound, bound);
  // At e = 62 the products alone fit and the half does not.
  const double M = 0.99 * 0x1p-31;
  EXPECT_EQ(encodeMultiplier(M)->e, 62);
  std::optional<MultiplierPair> f = encodeMultiplierPair(M, M, bound, bound);
  EXPECT_EQ(f->e, 61);
  EXPECT_EQ(f->m1, static_cast<int32_t>(std::nearbyint(std::ldexp(M, 61))));
  EXPECT_EQ(f->m1, f->m2);
}

TEST(EncodeMultiplierPair, Refuses) {
  EXPECT_FALSE(encodeMultiplierPair(-1, 1, 255, 255));
  EXPECT_FALSE(encodeMultiplierPair(1, kNaN, 255, 255));
  EXPECT_FALSE(encodeMultiplierPair(1, kInf, 255, 255));
  EXPECT_FALSE(encodeMultiplierPair(1, 0x1p30, 255, 255));
}

TEST(RequantizeSum, RoundsOnce) {
  std::mt19937_64 random(5);
  std::uniform_int_distribution<int32_t> input(-65535, 65535), multiplier(0, INT32_MAX), exponent(1, 48);
  for (int i = 0; i < 100000; ++i) {
    const int64_t a = input(random), b = input(random);
    const MultiplierPair f{multiplier(random), multiplier(random), exponent(random)};
    const Wide sum = Wide(a) * f.m1 + Wide(b) * f.m2;
    for (Rounding rounding : {Rounding::HalfUp, Rounding::HalfEven}) {
      const int64_t exact = 3 + nearest(sum, f.e, rounding == Rounding::HalfEven);
      EXPECT_EQ(requantizeSum(a, b, f, 3, -32768, 32767, rounding),
                std::min<int64_t>(std::max<int64_t>(exact, -32768), 32767));
    }
    ASSERT_LT(maxAbs(a) * int64_t(f.m1), int64_t(1) << 48);
  }
}

TEST(RoundHalfEven, AgreesWithTheDefaultMode) {
  std::mt19937_64 random(6);
  std::uniform_real_distribution<double> any(-1e15, 1e15);
  for (double x : {0.0, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999999999999994, 4503599627370495.5, -4503599627370495.5})
    EXPECT_EQ(roundHalfEven(x), std::nearbyint(x)) << x;
  for (int i = 0; i < 10000; ++i) {
    const double x = std::ldexp(any(random), -static_cast<int>(random() % 60));
    EXPECT_EQ(roundHalfEven(x), std::nearbyint(x)) << x;
  }
}

} // namespace

//===----------------------------------------------------------------------===//
// Products and tables
//===----------------------------------------------------------------------===//

TEST(EncodeProductMultiplier, FitsItsBound) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> exponent(-40, 29);
  for (int i = 0; i < 100000; ++i) {
    int64_t bound = int64_t(1) << (random() % 33);
    double M = std::exp2(exponent(random));
    std::optional<Multiplier> f = encodeProductMultiplier(M, bound);
    ASSERT_TRUE(f.has_value()) << M;
    __int128 largest = static_cast<__int128>(bound) * f->m + (static_cast<__int128>(1) << (f->e - 1));
    EXPECT_LT(largest, static_cast<__int128>(1) << 63);
    if (f->m >= 1 << 30)
      EXPECT_NEAR(std::ldexp(f->m, -f->e) / M, 1.0, 0x1p-30);
  }
  EXPECT_FALSE(encodeProductMultiplier(0x1p30, 1).has_value());
  // One bit lower: 2^32 * 0x7FC00000 + 2^61 is too much.
  EXPECT_EQ(encodeProductMultiplier(0x1.FFp-32, int64_t(1) << 32)->m, 0x3FE00000);
  EXPECT_EQ(encodeProductMultiplier(0x1.FFp-32, int64_t(1) << 31)->m, 0x7FC00000);
}

TEST(RequantizeProduct, IsTheExactQuotient) {
  std::mt19937_64 random(8);
  for (int i = 0; i < 100000; ++i) {
    int64_t a = static_cast<int64_t>(random() % 131071) - 65535, b = static_cast<int64_t>(random() % 131071) - 65535;
    Multiplier f = *encodeProductMultiplier(std::exp2(-static_cast<double>(random() % 40)), 65535LL * 65535);
    __int128 p = static_cast<__int128>(a) * b * f.m;
    __int128 exact = (p + (static_cast<__int128>(1) << (f.e - 1))) >> f.e;
    int64_t expected = static_cast<int64_t>(std::min<__int128>(std::max<__int128>(exact + 3, -32768), 32767));
    EXPECT_EQ(requantizeProduct(a, b, f, 3, -32768, 32767, Rounding::HalfUp), expected);
  }
}

TEST(LookUp, Knots) {
  // y = 3x at x = 0, 8, 16, with 8 fraction bits: a line is met everywhere.
  const int32_t knots[] = {0, 24 << 8, 48 << 8};
  for (int64_t x = 0; x < 16; ++x)
    EXPECT_EQ(lookUp(knots, x, 3, -1000, 1000), 3 * x);
  EXPECT_EQ(lookUp(knots, 15, 3, 0, 40), 40);
  // Ties are rounded up, below zero too: 1/2 and -1/2 between the knots.
  const int32_t half[] = {0, 1 << 8, 0, -(1 << 8)};
  EXPECT_EQ(lookUp(half, 1, 1, -10, 10), 1);
  EXPECT_EQ(lookUp(half, 5, 1, -10, 10), 0);
  const int32_t entries[] = {7, -7};
  EXPECT_EQ(lookUp(entries, 1, 0, -8, 8), -7);
}
