// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/Functions.h"
#include "dyadic/Support/Dyadic.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace dyadic;

TEST(Functions, ExpOfMinusIsTheNearestInteger) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> exponent(-30, 5);
  for (int i = 0; i < 100000; ++i) {
    double t = std::exp2(exponent(random));
    long double exact = std::exp(-static_cast<long double>(t)) * 0x1p30L;
    EXPECT_NEAR(static_cast<double>(exact), expOfMinus(t), 0.500001) << t;
  }
  EXPECT_EQ(expOfMinus(0), 1 << 30);
  EXPECT_EQ(expOfMinus(1e-300), 1 << 30);
  EXPECT_EQ(expOfMinus(40), 0);
  EXPECT_EQ(expOfMinus(INFINITY), 0);
  EXPECT_EQ(expOfMinus(NAN), 0);
}

/// The bound that the operation's description states.
TEST(Functions, SoftmaxErrorBound) {
  std::mt19937 random(2);
  for (float scale : {1e-5f, 1e-3f, 0.02f, 0.5f, 4.0f})
    for (int64_t n : {1, 2, 10, 1001, 5000}) {
      SoftmaxTables tables = softmaxTables(scale);
      std::uniform_int_distribution<int64_t> any(0, 65535);
      std::vector<int64_t> x(n);
      for (int64_t &value : x)
        value = any(random);
      int64_t largest = *std::max_element(x.begin(), x.end()), sum = 0;
      long double exact = 0;
      for (int64_t value : x) {
        sum += softmaxWeight(largest - value, tables.high.data(), tables.low.data());
        exact += std::exp(-static_cast<long double>(scale) * static_cast<long double>(largest - value));
      }
      for (int64_t value : x) {
        int64_t y = softmaxQuotient(softmaxWeight(largest - value, tables.high.data(), tables.low.data()), sum);
        double p = static_cast<double>(
            std::exp(-static_cast<long double>(scale) * static_cast<long double>(largest - value)) / exact);
        double limit = 0x1p-16 + static_cast<double>(n) * 0x1p-28;
        EXPECT_NEAR(static_cast<double>(y) * 0x1p-15, std::min(p, 1 - 0x1p-15), limit);
      }
    }
}

TEST(Functions, SoftmaxQuotientRoundsLikeADivision) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 100000; ++i) {
    int64_t sum = static_cast<int64_t>(random() >> (18 + random() % 40)) + 1;
    int64_t weight = static_cast<int64_t>(random() % static_cast<uint64_t>(sum + 1));
    auto exact = static_cast<int64_t>(((static_cast<__int128>(weight) << 16) + sum - (sum & 1)) /
                                      (static_cast<__int128>(sum) * 2));
    EXPECT_EQ(softmaxQuotient(weight, sum), std::min<int64_t>(exact, 32767)) << weight << " / " << sum;
  }
}

static StoredValue storedValue(float low, float high, unsigned bits) {
  StorageRange range = storageRange(bits, bits > 15);
  return {chooseAffine(low, high, range), range, bits};
}

/// Equation 24: up to 10 bits the table is the rounded function.
TEST(Functions, TableOfEveryNumber) {
  StoredValue x = storedValue(-8, 8, 10), y = storedValue(-1, 1, 8);
  FunctionTable table = functionTable([](double t) { return std::tanh(t); }, x, y);
  ASSERT_EQ(table.entries.size(), 1024u);
  ASSERT_EQ(table.shift, 0);
  for (int64_t q = 0; q < 1024; ++q) {
    double exact = std::tanh(static_cast<double>(dequantize(q, x.affine.scale, x.affine.zeroPoint)));
    EXPECT_NEAR(table.entries[q], exact / static_cast<double>(y.affine.scale) + y.affine.zeroPoint, 0.5001) << q;
  }
}

/// Equation 25 and the error that docs/Arithmetic.md states for it.
TEST(Functions, TableOfKnots) {
  for (unsigned bits : {11u, 12u, 15u, 16u}) {
    StoredValue x = storedValue(-6, 4, bits), y = storedValue(0, 60, 16);
    FunctionTable table = functionTable([](double t) { return std::exp(t); }, x, y);
    ASSERT_EQ(table.entries.size(), 513u);
    double h = std::ldexp(static_cast<double>(x.affine.scale), table.shift),
           scale = static_cast<double>(y.affine.scale);
    double bound = h * h / 8 * std::exp(4.0 + h) + scale * (0.5 + 0x1p-9);
    for (int64_t q = x.range.min; q <= x.range.max; ++q) {
      double exact = std::exp(static_cast<double>(x.affine.scale) * static_cast<double>(q - x.affine.zeroPoint));
      int64_t found = lookUp(table.entries.data(), q - x.range.min, table.shift, y.range.min, y.range.max);
      EXPECT_NEAR(static_cast<double>(dequantize(found, y.affine.scale, y.affine.zeroPoint)), exact, bound * 1.00001)
          << q;
    }
  }
}

/// A function that is not a number somewhere, or leaves every range.
TEST(Functions, TableAtTheLimits) {
  StoredValue x = storedValue(-1, 1, 8), y = storedValue(-1, 1, 8);
  FunctionTable table = functionTable([](double t) { return std::log(t); }, x, y);
  EXPECT_EQ(table.entries[0], y.affine.zeroPoint);
  EXPECT_EQ(table.entries[x.affine.zeroPoint], 0); // -infinity
  StoredValue wide = storedValue(-1, 1, 16);
  table = functionTable([](double t) { return 1 / t; }, wide, y);
  for (int32_t entry : table.entries)
    EXPECT_LE(std::abs(entry), 512 << 8);
}
