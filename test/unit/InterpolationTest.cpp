// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fractions in fixed point, and what gathers and interpolations give.

#include "dyadic/IR/Interpolation.h"
#include "TestModule.h"

using namespace dyadic;
using namespace dyadic::test;

namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

qnn::AxisInterpolation axis(unsigned bits, Ints low, Ints fractions, int64_t size = 4) {
  return {0, size, bits, {low.begin(), low.end()}, {fractions.begin(), fractions.end()}};
}

Ints vector(llvm::ArrayRef<int64_t> values) { return values.vec(); }

TEST(Interpolation, TrimDropsBitsThatAreZeroEverywhere) {
  qnn::AxisInterpolation a = axis(24, {0, 1, 2}, {0, 1 << 22, 3 << 22});
  qnn::trimFractions(a);
  EXPECT_EQ(a.bits, 2u);
  EXPECT_EQ(vector(a.fractions), (Ints{0, 1, 3}));
  qnn::AxisInterpolation whole = axis(24, {0, 1}, {0, 0});
  qnn::trimFractions(whole);
  EXPECT_EQ(whole.bits, 0u);
}

TEST(Interpolation, NarrowRoundsToNearestEven) {
  // In quarters of the new unit: 1.25, 1.5 (tie, up to even), 2.5 (tie, down to even), 2.75.
  qnn::AxisInterpolation axes[] = {axis(4, {0, 0, 0, 0}, {5, 6, 10, 11})};
  qnn::narrowFractions(axes, 2);
  EXPECT_EQ(axes[0].bits, 2u);
  EXPECT_EQ(vector(axes[0].fractions), (Ints{1, 2, 2, 3}));
}

TEST(Interpolation, WhatRoundsToOneIsTheNextElement) {
  qnn::AxisInterpolation axes[] = {axis(4, {1, 3}, {15, 15})};
  qnn::narrowFractions(axes, 1);
  EXPECT_EQ(vector(axes[0].low), (Ints{2, 3}));
  EXPECT_EQ(vector(axes[0].fractions), (Ints{0, 0}));
}

TEST(Interpolation, NarrowTakesFromTheWidestAndTheLast) {
  qnn::AxisInterpolation axes[] = {axis(2, {0}, {1}), axis(24, {0}, {1 << 20}), axis(24, {0}, {1 << 20})};
  qnn::narrowFractions(axes, 15);
  EXPECT_EQ(axes[0].bits, 2u);
  EXPECT_EQ(axes[1].bits, 7u);
  EXPECT_EQ(axes[2].bits, 6u);
  EXPECT_EQ(axes[1].fractions[0], 8);
  EXPECT_EQ(axes[2].fractions[0], 4);
}

TEST(Interpolation, WeightsAddUpToOne) {
  qnn::AxisInterpolation a = axis(3, {0, 3}, {5, 0});
  EXPECT_EQ(a.lowWeight(0) + a.highWeight(0), 8);
  EXPECT_EQ(a.high(0), 1);
  EXPECT_EQ(a.high(1), 3);
}

TEST(Interpolation, ReferenceOfRealNumbers) {
  const std::string op = "qnn.interpolate %x {axes = array<i64: 0, 1>, positions = array<i64: 0, 1, 0, 0, 1>, "
                         "fractions = array<i64: 1, 0, 0, 1, 1>, fraction_bits = array<i64: 1, 2>} : "
                         "(tensor<2x2xf32>) -> tensor<2x3xf32>";
  Tensor y = runText(unary("tensor<2x2xf32>", op, "tensor<2x3xf32>"), {floatTensor({2, 2}, {0, 4, 8, 16})});
  EXPECT_EQ(floatsOf(y), (Floats{4, 5.5, 10, 8, 10, 16}));
}

TEST(Interpolation, ReferenceOfIntegersIsExact) {
  const std::string op = "qnn.interpolate %x {axes = array<i64: 0, 1>, positions = array<i64: 0, 1, 0, 0, 1>, "
                         "fractions = array<i64: 1, 0, 0, 1, 1>, fraction_bits = array<i64: 1, 2>, x_zp = 3 : i64} : "
                         "(tensor<2x2xui8>) -> tensor<2x3xsi32>";
  Tensor y =
      runText(unary("tensor<2x2xui8>", op, "tensor<2x3xsi32>"), {intTensor(ElementType::U8, {2, 2}, {3, 7, 11, 19})});
  EXPECT_EQ(intsOf(y), (Ints{32, 44, 80, 64, 80, 128})); // eight times the real numbers above
}

TEST(Gather, RepeatsAndLeavesOut) {
  const std::string op = "qnn.gather %x {axis = 1 : i64, indices = array<i64: 2, 0, 2>} : "
                         "(tensor<2x3xsi8>) -> tensor<2x3xsi8>";
  Tensor y = runText(unary("tensor<2x3xsi8>", op, "tensor<2x3xsi8>"),
                     {intTensor(ElementType::S8, {2, 3}, {1, 2, 3, -4, -5, -6})});
  EXPECT_EQ(intsOf(y), (Ints{3, 1, 3, -6, -4, -6}));
}

} // namespace
