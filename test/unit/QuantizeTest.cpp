// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Support/Dyadic.h where real numbers become integers: entry, exit, the choice of
// scales, weights and biases; and Support/Quantizer.h, which enlarges scales.

#include "dyadic/Support/Dyadic.h"
#include "dyadic/Support/Quantizer.h"
#include "gtest/gtest.h"
#include <limits>
#include <random>

using namespace dyadic;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

TEST(StorageRange, Widths) {
  EXPECT_EQ(storageRange(8, false).max, 255);
  EXPECT_EQ(storageRange(8, true).min, -128);
  EXPECT_EQ(storageRange(15, false).max, 32767);
  EXPECT_EQ(storageRange(32, true).min, INT32_MIN);
  EXPECT_EQ(storageRange(32, true).max, INT32_MAX);
  EXPECT_EQ(weightRange(8).min, -127);
  EXPECT_EQ(weightRange(2).max, 1);
}

TEST(Quantize, TiesGoToEven) {
  EXPECT_EQ(quantize(0.5f, 1.0f, 0, -128, 127), 0);
  EXPECT_EQ(quantize(1.5f, 1.0f, 0, -128, 127), 2);
  EXPECT_EQ(quantize(2.5f, 1.0f, 0, -128, 127), 2);
  EXPECT_EQ(quantize(-0.5f, 1.0f, 0, -128, 127), 0);
  EXPECT_EQ(quantize(-1.5f, 1.0f, 0, -128, 127), -2);
  EXPECT_EQ(quantize(2.5f, 1.0f, 1, 0, 255), 3); // the zero point comes after the rounding
  EXPECT_EQ(quantize(std::nextafterf(0.5f, 1.0f), 1.0f, 0, -128, 127), 1);
}

TEST(Quantize, NaNGivesTheZeroPointAndInfinitiesSaturate) {
  EXPECT_EQ(quantize(kNaN, 0.1f, 114, 0, 255), 114);
  EXPECT_EQ(quantize(kInf, 0.1f, 114, 0, 255), 255);
  EXPECT_EQ(quantize(-kInf, 0.1f, 114, 0, 255), 0);
  EXPECT_EQ(quantize(3e38f, FLT_MIN, -3, -32768, 32767), 32767); // the quotient overflows
  EXPECT_EQ(quantize(-3e38f, FLT_MIN, -3, -32768, 32767), -32768);
}

TEST(Quantize, Saturates) {
  EXPECT_EQ(quantize(127.4f, 1.0f, 0, -128, 127), 127);
  EXPECT_EQ(quantize(127.6f, 1.0f, 0, -128, 127), 127);
  EXPECT_EQ(quantize(-128.5f, 1.0f, 0, -128, 127), -128);
  EXPECT_EQ(quantize(1e9f, 1.0f, 65535, 0, 65535), 65535);
  EXPECT_EQ(quantize(-1e9f, 1.0f, 65535, 0, 65535), 0);
  EXPECT_EQ(quantize(6.0f, 1.0f, 0, 2, 5), 5);
}

TEST(Quantize, TrueDivision) {
  // Not x * (1 / S), which differs in the last bit and so at ties.
  std::mt19937 random(1);
  std::uniform_real_distribution<float> value(-10, 10), scale(0.01f, 0.2f);
  for (int i = 0; i < 20000; ++i) {
    const float x = value(random), s = scale(random);
    const int64_t expected = std::min<int64_t>(std::max<int64_t>(std::llrint(x / s) + 7, -32768), 32767);
    EXPECT_EQ(quantize(x, s, 7, -32768, 32767), expected) << x << " / " << s;
  }
}

TEST(Dequantize, RoundsTheIntegerThenMultiplies) {
  EXPECT_EQ(dequantize(130, 0.5f, 128), 1.0f);
  EXPECT_EQ(dequantize(0, 0.1f, 128), -128.0f * 0.1f);
  EXPECT_EQ(dequantize(INT32_MAX, 1.0f, 0), 2147483648.0f);
  EXPECT_EQ(dequantize(16777217, 3.0f, 0), 16777216.0f * 3.0f);
  EXPECT_EQ(dequantize(INT32_MIN, 0x1p-31f, 0), -1.0f);
}

void expectUsable(float low, float high, StorageRange range) {
  const AffineParameters a = chooseAffine(low, high, range);
  EXPECT_TRUE(std::isfinite(a.scale) && a.scale > 0) << low << " " << high;
  EXPECT_GE(a.zeroPoint, range.min) << low << " " << high;
  EXPECT_LE(a.zeroPoint, range.max) << low << " " << high;
  EXPECT_EQ(quantize(0.0f, a.scale, a.zeroPoint, range.min, range.max), a.zeroPoint);
  EXPECT_EQ(dequantize(a.zeroPoint, a.scale, a.zeroPoint), 0.0f);
}

TEST(ChooseAffine, ZeroIsAlwaysExact) {
  const float ends[] = {0.0f, -0.0f, FLT_MIN, -FLT_MIN, 1e-45f, -1e-45f, 1e-20f,
                        0.1f, -0.1f, 6.0f,    -6.0f,    1e20f,  FLT_MAX, -FLT_MAX};
  for (unsigned bits = 2; bits <= 16; ++bits)
    for (bool isSigned : {false, true})
      for (float low : ends)
        for (float high : ends)
          if (low <= high)
            expectUsable(low, high, storageRange(bits, isSigned));
}

TEST(ChooseAffine, HandComputed) {
  AffineParameters a = chooseAffine(0.0f, 255.0f, storageRange(8, false));
  EXPECT_EQ(a.scale, 1.0f);
  EXPECT_EQ(a.zeroPoint, 0);
  a = chooseAffine(-1.0f, 1.0f, storageRange(8, false));
  EXPECT_EQ(a.scale, static_cast<float>(2.0 / 255));
  EXPECT_EQ(a.zeroPoint, 127); // f32(2 / 255) is above 2 / 255, so that the zero point is just below 127.5
  a = chooseAffine(0.0f, 6.0f, storageRange(8, true));
  EXPECT_EQ(a.zeroPoint, -128);
  a = chooseAffine(2.0f, 6.0f, storageRange(4, false)); // widened to [0, 6]
  EXPECT_EQ(a.scale, 0.4f);
  EXPECT_EQ(a.zeroPoint, 0);
  a = chooseAffine(-6.0f, -2.0f, storageRange(4, false)); // widened to [-6, 0]
  EXPECT_EQ(a.scale, 0.4f);
  EXPECT_EQ(a.zeroPoint, 15);
}

TEST(ChooseAffine, EmptyRangeGivesScaleOne) {
  for (bool isSigned : {false, true}) {
    const AffineParameters a = chooseAffine(0.0f, 0.0f, storageRange(8, isSigned));
    EXPECT_EQ(a.scale, 1.0f);
    EXPECT_EQ(a.zeroPoint, 0);
  }
}

TEST(ChooseAffine, EndsAreRepresentedWithinHalfAStep) {
  std::mt19937 random(2);
  std::uniform_real_distribution<float> end(0.001f, 100.0f);
  for (int i = 0; i < 5000; ++i) {
    const float low = -end(random), high = end(random);
    const StorageRange range = storageRange(2 + random() % 15, random() % 2);
    const AffineParameters a = chooseAffine(low, high, range);
    for (float x : {low, high}) {
      const float back = dequantize(quantize(x, a.scale, a.zeroPoint, range.min, range.max), a.scale, a.zeroPoint);
      EXPECT_LE(std::fabs(double(back) - x), 0.51 * double(a.scale));
    }
  }
}

TEST(Weights, ScaleAndRounding) {
  EXPECT_EQ(chooseWeightScale(127.0f, 8), 1.0f);
  EXPECT_EQ(chooseWeightScale(0.5f, 2), 0.5f);
  EXPECT_EQ(chooseWeightScale(0.0f, 8), 1.0f);
  EXPECT_EQ(chooseWeightScale(1e-45f, 8), FLT_MIN);
  EXPECT_TRUE(std::isfinite(chooseWeightScale(FLT_MAX, 2)));
  EXPECT_EQ(quantizeWeight(0.5f, 1.0f, 8), 0);
  EXPECT_EQ(quantizeWeight(1.5f, 1.0f, 8), 2);
  EXPECT_EQ(quantizeWeight(-2.5f, 1.0f, 8), -2);
  EXPECT_EQ(quantizeWeight(-1000.0f, 1.0f, 8), -127);
  EXPECT_EQ(quantizeWeight(kInf, 1.0f, 4), 7);
  EXPECT_EQ(quantizeWeight(-1.0f, 1.0f, 2), -1);
}

TEST(Weights, LargestMagnitudeGetsTheLargestNumber) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> logarithm(-30, 30);
  for (int i = 0; i < 5000; ++i)
    for (unsigned bits = 2; bits <= 8; ++bits) {
      const float w = std::exp2(logarithm(random));
      const float scale = chooseWeightScale(w, bits);
      EXPECT_EQ(quantizeWeight(w, scale, bits), weightRange(bits).max);
      EXPECT_EQ(quantizeWeight(-w, scale, bits), weightRange(bits).min);
    }
}

TEST(Bias, RoundingAndRange) {
  EXPECT_EQ(quantizeBias(2.5f, 1.0), 2);
  EXPECT_EQ(quantizeBias(-3.5f, 1.0), -4);
  EXPECT_EQ(quantizeBias(1.0f, 0.25), 4);
  EXPECT_EQ(quantizeBias(0.0f, 1e-300), 0);
  EXPECT_EQ(quantizeBias(1.0f, 0x1p-30), 1 << 30);
  EXPECT_FALSE(quantizeBias(1.0f, 0x1p-31));
  EXPECT_FALSE(quantizeBias(-1.0f, 1e-300));
  EXPECT_FALSE(quantizeBias(kNaN, 1.0));
  EXPECT_FALSE(quantizeBias(kInf, 1.0));
}

TEST(Channel, ScaleGrowsUntilTheBiasFits) {
  const float weights[] = {0.5f, -1.0f};
  QuantizedChannel channel = quantizeChannel(weights, 2, 8, 0.0f, 1.0f, 0);
  EXPECT_EQ(channel.scale, chooseWeightScale(1.0f, 8));
  EXPECT_EQ(channel.weights, (std::vector<int8_t>{64, -127}));
  channel = quantizeChannel(weights, 2, 8, 0x1p24f, 1.0f, 0); // 127 * 2^24 is 1.98 * 2^30
  EXPECT_EQ(channel.scale, 2 * chooseWeightScale(1.0f, 8));
  EXPECT_EQ(channel.weights, (std::vector<int8_t>{32, -64}));
}

TEST(Channel, ScaleGrowsUntilTheAccumulatorsIsNormal) {
  const float weights[] = {0x1p-80f * 127, 0x1p-80f};
  for (float inputScale : {0x1p-40f, 0x1p-47f, 0x1p-60f, FLT_MIN}) {
    const QuantizedChannel channel = quantizeChannel(weights, 2, 8, 0.0f, inputScale, 0);
    const int doublings = std::max(0, -126 + 80 - std::ilogb(inputScale));
    EXPECT_EQ(channel.scale, std::ldexp(0x1p-80f, doublings)) << inputScale;
    EXPECT_GE(inputScale * channel.scale, FLT_MIN) << inputScale;
    EXPECT_EQ(channel.weights[0], std::lrint(std::ldexp(127.0, -doublings))) << inputScale;
  }
  // So does a channel of zeros, and a bias keeps its value.
  const float zero = 0.0f;
  EXPECT_EQ(quantizeChannel(&zero, 1, 8, 0.0f, FLT_MIN, 0).scale, 1.0f);
  const QuantizedChannel channel = quantizeChannel(weights, 2, 8, 0x1p-120f, 0x1p-60f, 3);
  EXPECT_EQ(channel.scale, 0x1p-66f);
  EXPECT_EQ(foldedBias(0x1p-120f, 0x1p-60f, 3, channel), 64);
}

} // namespace
