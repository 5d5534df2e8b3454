// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/ScalarFunctions.h"
#include <gtest/gtest.h>
#include <limits>

using namespace dyadic;

static const float kInfinity = std::numeric_limits<float>::infinity();

/// The bounds that the comments of the functions state.
TEST(ScalarFunctions, Float) {
  HostFloat f;
  for (float x = -87.0f; x <= 88.0f; x += 0.00371f)
    EXPECT_NEAR(f.exp(x) / std::exp(static_cast<double>(x)), 1.0, 4e-7) << x;
  for (double x = 1e-37; x < 1e38; x *= 1.00371) {
    float number = static_cast<float>(x);
    double exact = std::log(static_cast<double>(number));
    EXPECT_NEAR(f.log(number), exact, 2e-7 + 1.5e-7 * std::fabs(exact)) << x;
  }
  for (float x = -12.0f; x <= 12.0f; x += 0.000371f) {
    double exact = std::tanh(static_cast<double>(x));
    EXPECT_NEAR(f.tanh(x), exact, 1e-6 * std::fabs(exact)) << x;
    EXPECT_NEAR(f.erf(x), std::erf(static_cast<double>(x)), 5e-7) << x;
  }
}

TEST(ScalarFunctions, FloatAtTheEnds) {
  HostFloat f;
  EXPECT_EQ(f.exp(0), 1.0f);
  EXPECT_EQ(f.log(1), 0.0f);
  EXPECT_EQ(f.tanh(0), 0.0f);
  EXPECT_EQ(f.exp(-kInfinity), 0);
  EXPECT_GT(f.exp(-87), 0);
  EXPECT_EQ(f.exp(kInfinity), kInfinity);
  EXPECT_EQ(f.exp(100), kInfinity);
  EXPECT_EQ(f.log(0), -kInfinity);
  EXPECT_EQ(f.log(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(f.log(-1)));
  EXPECT_TRUE(std::isnan(f.log(NAN)));
  EXPECT_EQ(f.tanh(kInfinity), 1.0f);
  EXPECT_EQ(f.tanh(-kInfinity), -1.0f);
  EXPECT_EQ(f.erf(-100), -1.0f);
  EXPECT_TRUE(std::isnan(f.exp(NAN)));
  EXPECT_TRUE(std::isnan(f.tanh(NAN)));
  EXPECT_TRUE(std::isnan(f.erf(NAN)));
}

TEST(ScalarFunctions, Double) {
  for (double x = -30; x <= 30; x += 0.00371) {
    auto near = [&](double result, double exact) {
      EXPECT_NEAR(result, exact, 1e-13 * std::max(1.0, std::fabs(exact))) << x;
    };
    near(HostDouble::exp(x), std::exp(x));
    near(HostDouble::tanh(x), std::tanh(x));
    near(HostDouble::erf(x), std::erf(x));
    near(HostDouble::log(std::exp(x)), std::log(std::exp(x)));
  }
  EXPECT_EQ(HostDouble::exp(-INFINITY), 0);
  EXPECT_EQ(HostDouble::exp(INFINITY), INFINITY);
  EXPECT_EQ(HostDouble::log(0), -INFINITY);
  EXPECT_TRUE(std::isnan(HostDouble::log(-1)));
  EXPECT_TRUE(std::isnan(HostDouble::erf(NAN)));
  EXPECT_EQ(HostDouble::log(1), 0);
}
