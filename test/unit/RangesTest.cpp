// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ranges: methods as text, percentiles, and the two measures against their definitions,
// computed number by number.

#include "dyadic/Calibration/Ranges.h"
#include "dyadic/Support/Dyadic.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace dyadic;

namespace {

const CalibrationOptions kMinMax{CalibrationMethod::MinMax}, kMse{CalibrationMethod::MSE},
    kEntropy{CalibrationMethod::Entropy};

ValueStatistics observed(const std::vector<float> &values) {
  ValueStatistics statistics;
  EXPECT_TRUE(statistics.observe(values));
  return statistics;
}

/// What layers produce: kind 0 symmetric, 1 after a ReLU, 2 after a ReLU6, 3 skewed, 4 with far outliers.
std::vector<float> makeLayer(std::mt19937 &random, int kind, size_t count) {
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> values;
  for (size_t i = 0; i < count; ++i) {
    float x = normal(random);
    if (kind == 1)
      x = std::max(x, 0.0f);
    if (kind == 2)
      x = std::min(std::max(4 * x, 0.0f), 6.0f);
    if (kind == 3)
      x = std::exp(x) - 0.4f;
    if (kind == 4 && i % 1000 == 0)
      x *= 40;
    values.push_back(x);
  }
  return values;
}

/// The mean squared error of quantizing the numbers themselves.
double meanError(const std::vector<float> &values, float low, float high, unsigned bits) {
  StorageRange range = storageRange(bits, false);
  AffineParameters affine = chooseAffine(low, high, range);
  double sum = 0;
  for (float x : values) {
    int64_t q = quantize(x, affine.scale, affine.zeroPoint, range.min, range.max);
    double error = static_cast<double>(x) - static_cast<double>(dequantize(q, affine.scale, affine.zeroPoint));
    sum += error * error;
  }
  return sum / static_cast<double>(values.size());
}

/// divergence() bin by bin, as its comment says.
double plainDivergence(const ValueStatistics &statistics, float low, float high, unsigned bits) {
  const Histogram &histogram = statistics.histogram();
  std::vector<double> counts(histogram.counts.begin(), histogram.counts.end());
  auto n = static_cast<int64_t>(counts.size()), zero = -histogram.first;
  if (zero >= 0 && zero < n)
    counts[zero] =
        std::min(counts[zero], std::max(zero > 0 ? counts[zero - 1] : 0, zero + 1 < n ? counts[zero + 1] : 0));
  double unit = std::ldexp(1.0, histogram.exponent);
  AffineParameters affine = chooseAffine(low, high, storageRange(bits, false));
  std::vector<double> p(n), exact(n);
  std::vector<int64_t> level(n);
  int64_t left = n, right = -1;
  for (int64_t i = 0; i < n; ++i) {
    double start = static_cast<double>(histogram.first + i) * unit;
    bool isInside = (low == statistics.min() || start >= low) && (high == statistics.max() || start < high);
    if (isInside) {
      left = std::min(left, i);
      right = i;
    }
    double middle = (start + unit / 2) / affine.scale;
    level[i] = std::min<int64_t>(std::max<int64_t>(std::floor(middle + 0.5) + affine.zeroPoint, 0), (1 << bits) - 1);
  }
  if (right - left + 1 < (1 << bits) && (left > 0 || right < n - 1))
    return INFINITY;
  if (left == 0)
    exact[0] = std::max(counts[0] - counts[1], 0.0);
  if (right == n - 1)
    exact[n - 1] = std::max(counts[n - 1] - counts[n - 2], 0.0);
  double total = 0, inside = 0;
  for (int64_t i = 0; i < n; ++i) {
    p[std::min(std::max(i, left), right)] += counts[i];
    total += counts[i];
    inside += i >= left && i <= right ? counts[i] : 0;
  }
  double sum = 0;
  for (int64_t i = left; i <= right; ++i) {
    double cell = 0;
    int filled = 0;
    for (int64_t k = left; k <= right; ++k)
      if (level[k] == level[i]) {
        cell += counts[k] - exact[k];
        filled += counts[k] > exact[k];
      }
    double q = (counts[i] > exact[i] ? cell / filled : 0) + exact[i];
    if (p[i] > 0)
      sum += q > 0 ? p[i] / total * std::log((p[i] / total) / (q / inside)) : INFINITY;
  }
  return sum;
}

} // namespace

TEST(RangesTest, MethodsAreParsed) {
  auto roundTrip = [](llvm::StringRef text) {
    auto options = parseCalibrationMethod(text);
    return options ? toString(*options) : llvm::toString(options.takeError());
  };
  for (const char *text :
       {"minmax", "entropy", "mse", "percentile:99.9", "percentile:0.000001", "percentile:99.999999", "batchnorm:6.5"})
    EXPECT_EQ(roundTrip(text), text);
  EXPECT_EQ(roundTrip("percentile"), "percentile:99.99");
  EXPECT_EQ(roundTrip("percentile:100.000000"), "percentile:100");
  EXPECT_EQ(roundTrip("batchnorm"), "batchnorm:8");
  for (const char *bad :
       {"0", "0.0", "100.1", "101", "-1", "", ".", "5.", ".5", "1e2", "nan", "99.9999999", "0099", "9 "})
    EXPECT_EQ(roundTrip(std::string("percentile:") + bad),
              std::string("calibration method 'percentile:") + bad +
                  "' has a bad percentile, expected a number above 0 and up to 100 with at most 6 decimals");
  for (const char *bad : {"max", "MSE", "mse:8", "entropy ", ""})
    EXPECT_EQ(roundTrip(bad), std::string("unknown calibration method '") + bad +
                                  "', expected minmax, percentile[:99.99], entropy, mse or batchnorm[:8]");
}

TEST(RangesTest, PercentileLeavesOutWholeBins) {
  // 0, 1, ..., 7999: bins of width 1, one number each.
  std::vector<float> values(8000);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(i);
  ValueStatistics statistics = observed(values);
  ASSERT_EQ(statistics.histogram().exponent, 0);
  auto range = [&](double percentile) {
    return chooseRange(statistics, {CalibrationMethod::Percentile, percentile}, 8);
  };
  EXPECT_EQ(chooseRange(statistics, kMinMax, 8), std::make_pair(0.0f, 7999.0f));
  EXPECT_EQ(range(100), std::make_pair(0.0f, 7999.0f));
  EXPECT_EQ(range(99.99), std::make_pair(0.0f, 7999.0f));  // 0.4 of a number on each side
  EXPECT_EQ(range(99.975), std::make_pair(1.0f, 7999.0f)); // exactly one: [1, 7999) holds 1 to 7998
  EXPECT_EQ(range(99), std::make_pair(40.0f, 7960.0f));
  EXPECT_EQ(range(50), std::make_pair(2000.0f, 6000.0f));
  EXPECT_EQ(range(0.000001), std::make_pair(3999.0f, 4001.0f));
}

TEST(RangesTest, OrderedAndInside) {
  std::mt19937 random(11);
  for (int round = 0; round < 30; ++round) {
    std::vector<float> values = makeLayer(random, round % 5, 1 + random() % 800);
    float scale = std::ldexp(1.0f, static_cast<int>(random() % 200) - 120), shift = round % 3 ? 0 : random() % 9 - 4.0f;
    for (float &x : values)
      x = scale * (x + shift);
    ValueStatistics statistics = observed(values);
    for (CalibrationOptions options : {kMinMax, {CalibrationMethod::Percentile, 97.5}, kMse, kEntropy})
      for (unsigned bits : {2, 4, 8, 12, 16}) {
        auto [low, high] = chooseRange(statistics, options, bits);
        EXPECT_LE(low, high) << toString(options);
        EXPECT_GE(low, statistics.min());
        EXPECT_LE(high, statistics.max());
        EXPECT_LE(std::min(low, 0.0f), std::max(high, 0.0f));
      }
  }
}

TEST(RangesTest, ConstantsAndNothing) {
  for (CalibrationOptions options : {kMinMax, {CalibrationMethod::Percentile, 50}, kMse, kEntropy}) {
    EXPECT_EQ(chooseRange(ValueStatistics(), options, 8), std::make_pair(0.0f, 0.0f));
    for (float x : {0.0f, -3.5f, 1e-45f, 3e38f})
      EXPECT_EQ(chooseRange(observed({x, x, x}), options, 8), std::make_pair(x, x));
    EXPECT_EQ(chooseRange(observed({0.0f, 1e-45f}), options, 8), std::make_pair(0.0f, 1e-45f));
  }
}

TEST(RangesTest, ExpectedErrorIsThatOfTheNumbers) {
  std::mt19937 random(5);
  for (int kind = 0; kind < 4; ++kind) {
    std::vector<float> values = makeLayer(random, kind, 200000);
    ValueStatistics statistics = observed(values);
    for (unsigned bits : {2, 3, 4, 6, 8, 10, 12})
      for (float part : {1.0f, 0.7f, 0.3f}) {
        float low = part * statistics.min(), high = part * statistics.max();
        double error = meanError(values, low, high, bits);
        // Above 10 bits numbers that the grid holds exactly (sixes) count as rounded.
        EXPECT_NEAR(expectedError(statistics, low, high, bits), error, (bits > 10 ? 0.2 : 0.02) * error)
            << "kind " << kind << ", " << bits << " bits, " << part;
      }
  }
}

TEST(RangesTest, MseIsNeverWorseThanMinMax) {
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    std::vector<float> values = makeLayer(random, round % 5, 20000);
    ValueStatistics statistics = observed(values);
    for (unsigned bits : {2, 3, 4, 6, 8, 11, 16}) {
      auto [low, high] = chooseRange(statistics, kMse, bits);
      EXPECT_LE(expectedError(statistics, low, high, bits),
                expectedError(statistics, statistics.min(), statistics.max(), bits));
    }
  }
}

TEST(RangesTest, MseIsTheBestOfAFineGrid) {
  std::mt19937 random(9);
  for (int kind = 0; kind < 5; ++kind) {
    ValueStatistics statistics = observed(makeLayer(random, kind, 50000));
    for (unsigned bits : {3, 5, 8}) {
      auto [low, high] = chooseRange(statistics, kMse, bits);
      double best = INFINITY;
      for (float i = 1; i <= 40; ++i)
        for (float j = 1; j <= 40; ++j)
          best = std::min(best, expectedError(statistics, statistics.min() * i / 40, statistics.max() * j / 40, bits));
      EXPECT_LE(expectedError(statistics, low, high, bits), 1.02 * best) << "kind " << kind << ", " << bits << " bits";
    }
  }
}

TEST(RangesTest, WideTypesKeepNearlyAll) {
  std::mt19937 random(13);
  for (int kind = 0; kind < 4; ++kind) {
    ValueStatistics statistics = observed(makeLayer(random, kind, 100000));
    for (const CalibrationOptions &options : {kMse, kEntropy}) {
      auto [low, high] = chooseRange(statistics, options, 16);
      EXPECT_GE(high - low, 0.97f * (statistics.max() - statistics.min())) << toString(options) << ", kind " << kind;
    }
  }
}

TEST(RangesTest, ReluStaysUnsigned) {
  std::mt19937 random(17);
  for (int kind : {1, 2}) {
    ValueStatistics statistics = observed(makeLayer(random, kind, 50000));
    for (const CalibrationOptions &options : {kMse, kEntropy})
      for (unsigned bits : {2, 4, 8})
        EXPECT_EQ(chooseRange(statistics, options, bits).first, 0.0f);
  }
  // Bits enough, and nothing but the sixes at the end: nothing is gained by leaving them out.
  std::vector<float> sixes(5000, 6.0f);
  for (int i = 0; i < 5000; ++i)
    sixes.push_back(static_cast<float>(random()) / 4294967296.0f * 5.9f);
  EXPECT_EQ(chooseRange(observed(sixes), kEntropy, 8).second, 6.0f);
}

TEST(RangesTest, DivergenceIsItsDefinition) {
  std::mt19937 random(19);
  for (int kind = 0; kind < 5; ++kind) {
    ValueStatistics statistics = observed(makeLayer(random, kind, 100000));
    double unit = std::ldexp(1.0, statistics.histogram().exponent);
    auto edge = [&](double x) { return static_cast<float>(std::floor(x / unit) * unit); };
    for (unsigned bits : {2, 4, 6, 8})
      for (float part : {1.0f, 0.8f, 0.5f, 0.1f}) {
        float low = part == 1 ? statistics.min() : edge(part * statistics.min());
        float high = part == 1 ? statistics.max() : edge(part * statistics.max());
        double expected = plainDivergence(statistics, low, high, bits);
        if (std::isinf(expected))
          EXPECT_TRUE(std::isinf(divergence(statistics, low, high, bits)));
        else
          EXPECT_NEAR(divergence(statistics, low, high, bits), expected, 1e-9 + 1e-6 * expected)
              << "kind " << kind << ", " << bits << " bits, " << part;
      }
  }
}

TEST(RangesTest, EntropyLeavesOutliersOut) {
  std::mt19937 random(23);
  ValueStatistics statistics = observed(makeLayer(random, 4, 200000));
  auto [low, high] = chooseRange(statistics, kEntropy, 4);
  EXPECT_LT(high, 0.2f * statistics.max());
  EXPECT_GT(low, 0.2f * statistics.min());
  EXPECT_LE(divergence(statistics, low, high, 4), divergence(statistics, statistics.min(), statistics.max(), 4));
}

TEST(RangesTest, UnitsDoNotMatter) {
  std::mt19937 random(29);
  std::vector<float> values = makeLayer(random, 3, 30000);
  for (const CalibrationOptions &options : {kMse, kEntropy}) {
    auto [low, high] = chooseRange(observed(values), options, 6);
    for (int exponent : {-60, 40}) {
      std::vector<float> scaled;
      for (float x : values)
        scaled.push_back(std::ldexp(x, exponent));
      EXPECT_EQ(chooseRange(observed(scaled), options, 6),
                std::make_pair(std::ldexp(low, exponent), std::ldexp(high, exponent)));
    }
  }
}
