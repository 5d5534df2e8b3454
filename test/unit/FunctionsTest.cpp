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

TEST(Functions, ExpOfNonPositive) {
  for (float x = -87.0f; x <= 0; x += 0.00371f)
    EXPECT_NEAR(expOfNonPositive(x) / std::exp(static_cast<double>(x)), 1.0, 4e-7) << x;
  EXPECT_EQ(expOfNonPositive(0), 1.0f);
  EXPECT_GT(expOfNonPositive(-INFINITY), 0);
  EXPECT_TRUE(std::isnan(expOfNonPositive(NAN)));
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
        double p = static_cast<double>(std::exp(-static_cast<long double>(scale) * static_cast<long double>(largest - value)) / exact);
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
    auto exact = static_cast<int64_t>(((static_cast<__int128>(weight) << 16) + sum - (sum & 1)) / (static_cast<__int128>(sum) * 2));
    EXPECT_EQ(softmaxQuotient(weight, sum), std::min<int64_t>(exact, 32767)) << weight << " / " << sum;
  }
}
