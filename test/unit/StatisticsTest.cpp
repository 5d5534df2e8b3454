// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Statistics are exact and do not depend on the order or the parts in which the
// numbers came.

#include "dyadic/Calibration/Statistics.h"
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

using namespace dyadic;

namespace {

ValueStatistics observed(llvm::ArrayRef<float> values) {
  ValueStatistics statistics;
  EXPECT_TRUE(statistics.observe(values));
  return statistics;
}

/// The definition: everything is known before anything is counted. floor by integer arithmetic on the bits.
ValueStatistics expected(const std::vector<float> &values) {
  float min = *std::min_element(values.begin(), values.end()), max = *std::max_element(values.begin(), values.end());
  auto floorDiv = [](float x, int exponent) -> int64_t {
    int e = 0;
    auto mantissa = static_cast<int64_t>(std::frexp(x, &e) * (1 << 24));
    if (mantissa == 0)
      return 0;
    int shift = exponent - (e - 24);
    return shift <= 0 ? mantissa << -shift : mantissa >> std::min(shift, 63);
  };
  float magnitude = std::max(std::fabs(min), std::fabs(max));
  Histogram histogram;
  histogram.exponent = magnitude == 0 ? -149 : std::max(-149, std::ilogb(magnitude) - 23);
  while (floorDiv(max, histogram.exponent) - floorDiv(min, histogram.exponent) + 1 > 8192)
    ++histogram.exponent;
  histogram.first = floorDiv(min, histogram.exponent);
  histogram.counts.resize(floorDiv(max, histogram.exponent) - histogram.first + 1);
  for (float x : values)
    ++histogram.counts[floorDiv(x, histogram.exponent) - histogram.first];
  auto result = ValueStatistics::fromParts(min, max, histogram);
  EXPECT_TRUE(bool(result)) << llvm::toString(result.takeError());
  return result ? *result : ValueStatistics();
}

/// Numbers of very different kinds.
std::vector<float> makeValues(std::mt19937 &random, size_t count) {
  std::vector<float> values;
  int kind = random() % 6;
  float center = std::ldexp(1.0f + random() % 1000, static_cast<int>(random() % 100) - 60);
  for (size_t i = 0; i < count; ++i) {
    float unit = static_cast<float>(random()) / 4294967296.0f;
    switch (kind) {
    case 0: // a common layer
      values.push_back(6 * unit - 2);
      break;
    case 1: // any exponent, both signs
      values.push_back(std::ldexp(unit - 0.5f, static_cast<int>(random() % 250) - 140));
      break;
    case 2: // far from zero, close together
      values.push_back(-center * (1 + unit / (1 << 14)));
      break;
    case 3: // zeros and a few others
      values.push_back(random() % 10 ? 0.0f : unit - 0.5f);
      break;
    case 4: // denormal
      values.push_back(std::ldexp(std::floor(unit * 5000) - 2000, -149));
      break;
    default: // growing
      values.push_back(std::ldexp(unit - 0.25f, static_cast<int>(i % 128) - 20));
    }
  }
  return values;
}

} // namespace

TEST(StatisticsTest, Empty) {
  ValueStatistics statistics = observed({});
  EXPECT_EQ(statistics.count(), 0u);
  EXPECT_EQ(statistics.min(), 0);
  EXPECT_EQ(statistics.max(), 0);
  EXPECT_TRUE(statistics.histogram().counts.empty());
  ASSERT_TRUE(bool(ValueStatistics::fromParts(0, 0, Histogram())));
}

TEST(StatisticsTest, SmallestExamples) {
  ValueStatistics one = observed({1.0f});
  EXPECT_EQ(one.histogram().exponent, -23);
  EXPECT_EQ(one.histogram().first, 1 << 23);
  EXPECT_EQ(one.histogram().counts, std::vector<uint64_t>{1});
  // -1 and 1 are 2 apart: 8192 bins of 2^-12 reach from -1 to just below 1, so the width is 2^-11.
  ValueStatistics two = observed({-1.0f, 1.0f});
  EXPECT_EQ(two.histogram().exponent, -11);
  EXPECT_EQ(two.histogram().first, -2048);
  EXPECT_EQ(two.histogram().counts.size(), 4097u);
  ValueStatistics all = observed({std::numeric_limits<float>::lowest(), std::numeric_limits<float>::max()});
  EXPECT_EQ(all.histogram().exponent, 116);
  EXPECT_EQ(all.histogram().first, -4096);
  EXPECT_EQ(all.histogram().counts.size(), 8192u);
}

TEST(StatisticsTest, EqualToTheDefinitionHoweverObserved) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<float> values = makeValues(random, 1 + random() % 400);
    if (random() % 2) {
      std::vector<float> more = makeValues(random, 1 + random() % 100);
      values.insert(values.end(), more.begin(), more.end());
    }
    ValueStatistics whole = observed(values);
    EXPECT_TRUE(whole == expected(values));
    EXPECT_LE(whole.histogram().counts.size(), 8192u);

    std::shuffle(values.begin(), values.end(), random);
    ValueStatistics one, merged;
    for (float x : values)
      EXPECT_TRUE(one.observe(x));
    EXPECT_TRUE(one == whole);
    // In parts, merged as a tree of random form.
    std::vector<ValueStatistics> parts;
    for (size_t i = 0; i < values.size();) {
      size_t n = std::min<size_t>(random() % 60, values.size() - i);
      parts.push_back(observed(llvm::ArrayRef(values).slice(i, n)));
      i += n;
    }
    while (parts.size() > 1) {
      size_t a = random() % parts.size(), b = random() % parts.size();
      if (a == b)
        continue;
      EXPECT_TRUE(parts[a].merge(parts[b]));
      parts.erase(parts.begin() + b);
    }
    EXPECT_TRUE(parts[0] == whole);
  }
}

TEST(StatisticsTest, MergeWithItself) {
  ValueStatistics statistics = observed({-1.0f, 0.5f, 3.0f});
  EXPECT_TRUE(statistics.merge(statistics));
  EXPECT_TRUE(statistics == observed({-1.0f, 0.5f, 3.0f, -1.0f, 0.5f, 3.0f}));
}

TEST(StatisticsTest, ZeroHasNoSign) {
  for (std::vector<float> values : {std::vector<float>{0.0f, -0.0f}, {-0.0f, 0.0f}, {-0.0f}}) {
    ValueStatistics statistics = observed(values);
    EXPECT_FALSE(std::signbit(statistics.min()));
    EXPECT_FALSE(std::signbit(statistics.max()));
  }
}

TEST(StatisticsTest, NothingIsCountedWhereOneIsNotFinite) {
  ValueStatistics statistics = observed({1.0f, 2.0f}), before = statistics;
  for (float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
    EXPECT_FALSE(statistics.observe({bad, 5.0f}));
    EXPECT_FALSE(statistics.observe({5.0f, bad}));
    EXPECT_TRUE(statistics == before);
  }
}

TEST(StatisticsTest, MergeRefusesTooMany) {
  Histogram histogram = observed({1.0f}).histogram();
  histogram.counts[0] = ValueStatistics::kMaxCount;
  auto full = ValueStatistics::fromParts(1, 1, histogram);
  ASSERT_TRUE(bool(full));
  ValueStatistics copy = *full;
  EXPECT_FALSE(copy.merge(observed({1.0f})));
  EXPECT_TRUE(copy == *full);
}

TEST(StatisticsTest, PartsMustFit) {
  Histogram good = observed({-1.0f, 1.0f}).histogram();
  auto error = [](float min, float max, Histogram histogram) {
    return llvm::toString(ValueStatistics::fromParts(min, max, std::move(histogram)).takeError());
  };
  EXPECT_EQ(error(-1, 1, good), "");
  EXPECT_EQ(error(1, -1, good), "found a smallest number above the largest");
  EXPECT_EQ(error(-1, 2, good), "found 4097 counts from bin -2048, expected 6145 from bin -2048 for this min and max");
  EXPECT_EQ(error(-1, 3.5, good), "found exponent -11, expected -10 for this min and max");
  EXPECT_EQ(error(-1, 0.5, good), "found exponent -11, expected -12 for this min and max");
  EXPECT_EQ(error(-0.999f, 1, good), "found exponent -11, expected -12 for this min and max");
  Histogram bad = good;
  bad.counts.resize(8193);
  EXPECT_EQ(error(-1, 1, bad), "found 8193 counts, expected at most 8192");
  bad = good;
  bad.counts.pop_back();
  EXPECT_EQ(error(-1, 1, bad), "found 4096 counts from bin -2048, expected 4097 from bin -2048 for this min and max");
  bad = good;
  bad.counts.back() = 0;
  EXPECT_EQ(error(-1, 1, bad), "found no numbers in the bins of min and max");
  bad.counts.assign(4097, 0);
  EXPECT_EQ(error(-1, 1, bad), "counts add up to 0, expected at least 1");
  bad.counts.assign(4097, UINT64_MAX);
  EXPECT_EQ(error(-1, 1, bad), "counts add up to more than 2^53");
}
