// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The statistics of the report against numbers worked out by hand and by simulation.

#include "dyadic/Pipelines/Agreement.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace dyadic;

static Tensor tensor(std::vector<int64_t> shape, const std::vector<float> &numbers) {
  Tensor result(ElementType::F32, std::move(shape));
  std::copy(numbers.begin(), numbers.end(), result.as<float>());
  return result;
}

static SampleSums sums(double signal, double noise) {
  SampleSums result;
  result.signal = signal;
  result.noise = noise;
  return result;
}

TEST(Agreement, SumsOfASample) {
  SampleSums s(tensor({2}, {3, 4}), tensor({2}, {3, 3}));
  EXPECT_EQ(s.signal, 25);
  EXPECT_EQ(s.noise, 1);
  EXPECT_EQ(s.dot, 21);
  EXPECT_EQ(s.other, 18);
  EXPECT_NEAR(s.sqnr(), 13.979400086720377, 1e-12);
}

TEST(Agreement, ExactAndSilentValues) {
  Agreement agreement;
  EXPECT_FALSE(agreement.worstSample());
  agreement.add(SampleSums(tensor({2}, {0, 0}), tensor({2}, {0, 0})));
  EXPECT_EQ(agreement.sqnr(), INFINITY);
  EXPECT_EQ(agreement.cosine(), 1);
  EXPECT_EQ(agreement.relativeError(), 0.0);
  EXPECT_FALSE(agreement.worstSample());
  EXPECT_FALSE(agreement.sqnrStandardError());
  agreement.add(SampleSums(tensor({2}, {0, 0}), tensor({2}, {0, 1})));
  EXPECT_EQ(agreement.sqnr(), -INFINITY);
  EXPECT_EQ(agreement.cosine(), 0);
  EXPECT_FALSE(agreement.relativeError());
  EXPECT_EQ(agreement.worstSample(), 1u);
}

TEST(Agreement, WorstSampleIsTheFirstOfEquals) {
  Agreement agreement;
  for (auto [signal, noise] : {std::pair(100.0, 1.0), {10.0, 1.0}, {20.0, 2.0}, {100.0, 0.0}})
    agreement.add(sums(signal, noise));
  EXPECT_EQ(agreement.worstSample(), 1u);
  EXPECT_EQ(agreement.sqnrOf(1), 10);
  EXPECT_EQ(agreement.sqnrOf(3), INFINITY);
}

TEST(Agreement, StandardErrorByHand) {
  // S = 90, 110 and N = 1, 3: d = 0.9 - 0.5 and 1.1 - 1.5, so sqrt(0.32 / 2) = 0.4 of a neper of power.
  Agreement agreement;
  agreement.add(sums(90, 1));
  EXPECT_FALSE(agreement.sqnrStandardError());
  agreement.add(sums(110, 3));
  ASSERT_TRUE(agreement.sqnrStandardError());
  EXPECT_NEAR(*agreement.sqnrStandardError(), 0.4 * 10 / std::log(10.0), 1e-12);
  // Samples that all have the same ratio leave no doubt about it.
  Agreement steady;
  for (double scale : {1.0, 2.0, 5.0})
    steady.add(sums(100 * scale, scale));
  EXPECT_NEAR(*steady.sqnrStandardError(), 0, 1e-12);
}

TEST(Agreement, StandardErrorIsTheSpreadOverDraws) {
  std::mt19937 random(1);
  std::gamma_distribution<double> signal(4, 25), noise(2, 0.5);
  double sum = 0, squares = 0, predicted = 0;
  constexpr int draws = 2000;
  for (int draw = 0; draw < draws; ++draw) {
    Agreement agreement;
    for (int i = 0; i < 50; ++i)
      agreement.add(sums(signal(random), noise(random)));
    sum += agreement.sqnr();
    squares += agreement.sqnr() * agreement.sqnr();
    predicted += *agreement.sqnrStandardError();
  }
  double mean = sum / draws, spread = std::sqrt(squares / draws - mean * mean);
  EXPECT_NEAR(predicted / draws / spread, 1, 0.05);
}

TEST(Proportion, StandardErrorAndWilson) {
  Proportion half{50, 100};
  EXPECT_DOUBLE_EQ(half.standardError(), 0.05);
  // Published: Wilson's interval of 50 of 100 is 0.4038 to 0.5962, of 10 of 10 it is 0.7225 to 1.
  EXPECT_NEAR(half.interval().first, 0.4038, 5e-5);
  EXPECT_NEAR(half.interval().second, 0.5962, 5e-5);
  Proportion all{10, 10};
  EXPECT_EQ(all.standardError(), 0);
  EXPECT_NEAR(all.interval().first, 0.7225, 5e-5);
  EXPECT_EQ(all.interval().second, 1);
  EXPECT_EQ((Proportion{0, 7}.interval().first), 0);
}

TEST(TopOne, OfWhatLooksLikeClasses) {
  using Classes = std::vector<size_t>;
  EXPECT_EQ(topOne(tensor({1, 3}, {1, 5, 5}), 1), Classes{1});
  EXPECT_EQ(topOne(tensor({1, 3, 1, 1}, {1, 2, 5}), 1), Classes{2});
  EXPECT_EQ(topOne(tensor({3}, {9, 2, 5}), 1), Classes{0});
  EXPECT_EQ(topOne(tensor({2, 2}, {1, 2, 4, 3}), 2), (Classes{1, 0}));
  EXPECT_FALSE(topOne(tensor({2, 2}, {1, 2, 4, 3}), 1)); // a matrix of one sample
  EXPECT_FALSE(topOne(tensor({1, 1}, {1}), 1));          // nothing to choose from
  EXPECT_FALSE(topOne(tensor({2, 1}, {1, 2}), 2));       // nor in each row
  EXPECT_FALSE(topOne(tensor({1, 2, 2}, {1, 2, 3, 4}), 1));
}
