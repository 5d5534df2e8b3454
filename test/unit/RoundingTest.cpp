// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Rounding/Rounding.h"
#include "dyadic/Support/Dyadic.h"
#include "dyadic/Support/ShortProducts.h"
#include <gtest/gtest.h>
#include <random>
#include <set>

using namespace dyadic;

namespace {

/// Rows of a map, and the sums of them.
struct Problem {
  size_t inputs, outputs, rows;
  std::vector<float> x, y;
  LinearMap map;
  Moments moments{0, 0};
};

/// Correlated integer inputs; outputs are a linear function of them, not that of `weights`, and noise.
Problem makeProblem(size_t inputs, size_t outputs, size_t rows, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  Problem problem{inputs, outputs, rows, {}, {}, {}, Moments(inputs, outputs)};
  problem.map.inputScale = 0.03125;
  for (size_t i = 0; i < inputs * outputs; ++i)
    problem.map.weights.push_back(normal(random));
  for (size_t r = 0; r < rows; ++r) {
    double common = 40 * normal(random);
    for (size_t i = 0; i < inputs; ++i)
      problem.x.push_back(static_cast<float>(roundHalfEven(common + 20 * normal(random)) + 10.0));
    for (size_t o = 0; o < outputs; ++o) {
      double sum = 0.1 * normal(random) + 0.5;
      for (size_t i = 0; i < inputs; ++i)
        sum += problem.map.inputScale * (problem.map.weights[o * inputs + i] + 0.1 * static_cast<double>(i)) *
               problem.x[r * inputs + i];
      problem.y.push_back(static_cast<float>(sum));
    }
  }
  for (size_t r = 0; r < rows; r += 7)
    problem.moments.add(&problem.x[r * inputs], &problem.y[r * outputs], std::min<size_t>(7, rows - r));
  return problem;
}

/// sum over rows |y - S_x T x|^2 + ridge mean(diag) S_x^2 |T - W|^2, for output `o`, by its definition.
double fitError(const Problem &problem, const std::vector<double> &target, double ridge, size_t o) {
  double error = 0, diagonal = 0, distance = 0;
  for (size_t r = 0; r < problem.rows; ++r) {
    double rest = problem.y[r * problem.outputs + o];
    for (size_t i = 0; i < problem.inputs; ++i) {
      double x = problem.x[r * problem.inputs + i];
      rest -= problem.map.inputScale * target[o * problem.inputs + i] * x;
      diagonal += x * x / static_cast<double>(problem.inputs);
    }
    error += rest * rest;
  }
  for (size_t i = 0; i < problem.inputs; ++i) {
    double d = target[o * problem.inputs + i] - problem.map.weights[o * problem.inputs + i];
    distance += d * d;
  }
  return error + ridge * diagonal * problem.map.inputScale * problem.map.inputScale * distance;
}

/// Of as many columns as a few vectors have, and of more and fewer; also of a single line.
TEST(Rounding, MomentsAreSums) {
  constexpr size_t kRows = 300;
  for (auto [inputs, outputs] :
       std::vector<std::pair<size_t, size_t>>{{5, 3}, {1, 1}, {8, 8}, {9, 1}, {16, 9}, {25, 17}}) {
    Problem problem = makeProblem(inputs, outputs, kRows, 1);
    const Moments &moments = problem.moments;
    auto xAt = [&](size_t r, size_t i) { return static_cast<double>(problem.x[r * problem.inputs + i]); };
    EXPECT_EQ(moments.rows(), kRows);
    for (size_t i = 0; i < inputs; ++i) {
      double sum = 0;
      for (size_t r = 0; r < kRows; ++r)
        sum += xAt(r, i);
      EXPECT_EQ(moments.x()[i], sum);
      for (size_t j = 0; j <= i; ++j) {
        double product = 0;
        for (size_t r = 0; r < kRows; ++r)
          product += xAt(r, i) * xAt(r, j);
        EXPECT_EQ(moments.xx()[i * inputs + j], product); // exact
      }
      for (size_t o = 0; o < outputs; ++o) {
        double product = 0, y = 0;
        for (size_t r = 0; r < kRows; ++r) {
          product += xAt(r, i) * problem.y[r * outputs + o];
          y += problem.y[r * outputs + o];
        }
        EXPECT_EQ(moments.yx()[o * inputs + i], product); // row by row, whatever the vectors
        EXPECT_EQ(moments.y()[o], y);
      }
    }
    Moments means(inputs, outputs, /*hasProducts=*/false);
    means.add(problem.x.data(), problem.y.data(), kRows);
    EXPECT_FALSE(means.hasProducts());
    EXPECT_EQ(means.x(), moments.x());
  }
}

/// Integers as large as the fast sums take, and larger; more rows than they add up at once, and an odd number.
TEST(Rounding, MomentsOfIntegersAreExact) {
  constexpr size_t kInputs = 150, kRows = 1031;
  for (float most : {255.0f, 2047.0f, 2048.0f, 65535.0f, 0.5f}) {
    std::vector<float> x(kRows * kInputs);
    std::mt19937 random(7);
    for (float &number : x)
      number = random() % 3 == 0 ? -most : most;
    Moments moments(kInputs, 0);
    moments.add(x.data(), nullptr, kRows);
    for (size_t i = 0; i < kInputs; ++i)
      for (size_t j = 0; j <= i; ++j) {
        double product = 0;
        for (size_t r = 0; r < kRows; ++r)
          product += static_cast<double>(x[r * kInputs + i]) * x[r * kInputs + j];
        ASSERT_EQ(moments.xx()[i * kInputs + j], product) << most << " at " << i << ", " << j;
      }
  }
}

TEST(Rounding, MomentsOfPartsAddUp) {
  Problem problem = makeProblem(5, 3, 40, 8);
  Moments all(5, 3), first(5, 3), second(5, 3);
  all.add(problem.x.data(), problem.y.data(), 40);
  first.add(problem.x.data(), problem.y.data(), 15);
  second.add(&problem.x[15 * 5], &problem.y[15 * 3], 25);
  first.add(second);
  EXPECT_EQ(first.rows(), 40u);
  EXPECT_EQ(first.x(), all.x());
  EXPECT_EQ(first.xx(), all.xx());
  for (size_t o = 0; o < 3; ++o)
    EXPECT_NEAR(first.y()[o], all.y()[o], 1e-9);
  for (size_t i = 0; i < 15; ++i)
    EXPECT_NEAR(first.yx()[i], all.yx()[i], 1e-9 * std::fabs(all.yx()[i]));

  // Other outputs for the same rows.
  std::vector<float> other(problem.y.rbegin(), problem.y.rend());
  first.clearOutputs();
  EXPECT_EQ(first.y(), std::vector<double>(3));
  first.addOutputs(problem.x.data(), other.data(), 40);
  Moments expected(5, 3);
  expected.add(problem.x.data(), other.data(), 40);
  EXPECT_EQ(first.rows(), 40u);
  EXPECT_EQ(first.y(), expected.y());
  EXPECT_EQ(first.yx(), expected.yx());
  EXPECT_EQ(first.xx(), expected.xx());
}

TEST(Rounding, TargetIsTheMinimum) {
  Problem problem = makeProblem(6, 4, 50, 2);
  problem.map.moments = &problem.moments;
  for (double ridge : {0.001, 0.1, 10.0}) {
    std::vector<double> target = fitTarget(problem.map, ridge);
    for (size_t o = 0; o < 4; ++o) {
      double least = fitError(problem, target, ridge, o);
      for (size_t i = 0; i < 6; ++i)
        for (double step : {-1e-3, 1e-3}) {
          std::vector<double> other = target;
          other[o * 6 + i] += step;
          EXPECT_GT(fitError(problem, other, ridge, o), least);
        }
    }
  }
}

TEST(Rounding, TargetWithoutDataIsTheWeights) {
  Moments empty(4, 2);
  LinearMap map{&empty, 0.5, {1, 2, 3, 4, -5, 6, 7, 0.125}};
  EXPECT_EQ(fitTarget(map, 0.1), map.weights);
  // With fewer rows than inputs, what they do not see stays: here all but the first input.
  Moments one(4, 1);
  float x[4] = {10, 0, 0, 0}, y = 100;
  one.add(x, &y, 1);
  LinearMap first{&one, 0.5, {1, 2, 3, 4}};
  std::vector<double> target = fitTarget(first, 1e-9);
  EXPECT_NEAR(target[0], 20, 1e-6);
  EXPECT_EQ(std::vector<double>(target.begin() + 1, target.end()), (std::vector<double>{2, 3, 4}));
}

/// sum over rows |y - S_x T x|^2 of all outputs.
double squaredError(const Problem &problem, const std::vector<double> &target) {
  double error = 0;
  for (size_t o = 0; o < problem.outputs; ++o)
    error += fitError(problem, target, 0, o);
  return error;
}

TEST(Rounding, RidgeIsTheBestOnOtherRows) {
  const std::vector<double> ridges{0.001, 0.01, 0.1, 1, 10};
  std::set<double> chosen;
  for (unsigned seed = 0; seed < 20; ++seed) {
    // From hardly more rows than inputs to many: few say little of others.
    Problem fitted = makeProblem(12, 2, seed < 10 ? 14 : 400, seed), checked = makeProblem(12, 2, 100, 100 + seed);
    std::mt19937 random(seed);
    std::normal_distribution<double> noise(0, seed % 10 * 20);
    for (float &y : fitted.y)
      y += static_cast<float>(noise(random));
    // Rows of the same map.
    for (size_t r = 0; r < checked.rows; ++r)
      for (size_t o = 0; o < 2; ++o) {
        double sum = 0.5;
        for (size_t i = 0; i < 12; ++i)
          sum += 0.03125 * (fitted.map.weights[o * 12 + i] + 0.1 * static_cast<double>(i)) * checked.x[r * 12 + i];
        checked.y[r * 2 + o] = static_cast<float>(sum);
      }
    fitted.moments = Moments(12, 2);
    fitted.moments.add(fitted.x.data(), fitted.y.data(), fitted.rows);
    checked.moments = Moments(12, 2);
    checked.moments.add(checked.x.data(), checked.y.data(), checked.rows);
    fitted.map.moments = &fitted.moments;
    double ridge = chooseRidge(fitted.map, checked.moments, ridges);
    EXPECT_EQ(chooseRidge(fitted.map, checked.moments, ridges, /*threads=*/3), ridge);
    double error = squaredError(checked, fitTarget(fitted.map, ridge));
    for (double other : ridges)
      EXPECT_LE(error, squaredError(checked, fitTarget(fitted.map, other)) * (1 + 1e-9));
    chosen.insert(ridge);
  }
  EXPECT_GE(chosen.size(), 3u);
}

TEST(Rounding, RowsOfAMap) {
  Problem problem = makeProblem(7, 3, 1100, 9); // more than are computed at once
  problem.map.moments = &problem.moments;
  std::vector<double> offsets = meanErrors(problem.map, problem.map.weights);
  std::vector<float> found = mapRows(problem.map, problem.map.weights, offsets, problem.x.data(), 1100);
  EXPECT_EQ(mapRows(problem.map, problem.map.weights, offsets, problem.x.data(), 1100, /*threads=*/3), found);
  for (size_t o = 0; o < 3; ++o) {
    double rest = 0;
    for (size_t r = 0; r < 1100; ++r) {
      double sum = offsets[o];
      for (size_t i = 0; i < 7; ++i)
        sum += problem.map.inputScale * problem.map.weights[o * 7 + i] * problem.x[r * 7 + i];
      EXPECT_NEAR(found[r * 3 + o], sum, 1e-6 * (1 + std::fabs(sum)));
      rest += problem.y[r * 3 + o] - sum;
    }
    EXPECT_NEAR(rest, 0, 1e-6);
  }
  Moments empty(7, 3);
  EXPECT_EQ(meanErrors({&empty, 1, {}}, problem.map.weights), std::vector<double>(3));
}

TEST(Rounding, GoalsOfAClamp) {
  EXPECT_EQ(clampedGoal(3, 9, 0, 6), 3); // nothing is clamped
  EXPECT_EQ(clampedGoal(3, -9, 0, 6), 3);
  EXPECT_EQ(clampedGoal(-3, -1, 0, 6), -1); // on the right side already
  EXPECT_EQ(clampedGoal(-3, 2, 0, 6), 0);
  EXPECT_EQ(clampedGoal(8, 7, 0, 6), 7);
  EXPECT_EQ(clampedGoal(8, 5, 0, 6), 6);
  EXPECT_EQ(clampedGoal(-3, 2, -INFINITY, INFINITY), -3);
}

TEST(Rounding, GoalsOfAClampLowerItsError) {
  constexpr double kRidge = 0.01;
  Problem problem = makeProblem(6, 3, 200, 11);
  problem.map.moments = &problem.moments;
  const std::vector<double> zeros(3);
  const float min = 0, max = 5;
  // What is minimized: the error of clamped outputs and the ridge's term.
  auto objective = [&](const std::vector<double> &target, std::vector<float> &found) {
    found = mapRows(problem.map, target, zeros, problem.x.data(), 200);
    double error = 0;
    for (size_t i = 0; i < found.size(); ++i)
      error += std::pow(std::clamp(found[i], min, max) - std::clamp(problem.y[i], min, max), 2);
    for (size_t o = 0; o < 3; ++o)
      error += fitError(problem, target, kRidge, o) - fitError(problem, target, 0, o);
    return error;
  };
  std::vector<float> found, goals(problem.y.size());
  std::vector<double> target = fitTarget(problem.map, kRidge);
  double before = objective(target, found), first = before;
  for (int step = 0; step < 5; ++step) {
    for (size_t i = 0; i < goals.size(); ++i)
      goals[i] = clampedGoal(problem.y[i], found[i], min, max);
    problem.moments.clearOutputs();
    problem.moments.addOutputs(problem.x.data(), goals.data(), 200);
    target = fitTarget(problem.map, kRidge);
    double after = objective(target, found);
    EXPECT_LE(after, before * (1 + 1e-6));
    before = after;
  }
  EXPECT_LT(before, 0.9 * first);
}

/// (t - s q) (X X^T + damping) (t - s q)^T of output `o`.
double roundingError(const Problem &problem, const std::vector<double> &target, const std::vector<double> &rounded,
                     double damping) {
  size_t n = problem.inputs;
  double error = 0, mean = 0;
  for (size_t i = 0; i < n; ++i)
    mean += problem.moments.xx()[i * n + i] / static_cast<double>(n);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      double h = problem.moments.xx()[std::max(i, j) * n + std::min(i, j)] + (i == j ? damping * mean : 0);
      error += (target[i] - rounded[i]) * h * (target[j] - rounded[j]);
    }
  return error;
}

std::vector<double> realWeights(const RoundedWeights &rounded, size_t inputs, size_t o) {
  std::vector<double> result;
  for (size_t i = 0; i < inputs; ++i)
    result.push_back(static_cast<double>(rounded.scales[o]) * rounded.weights[o * inputs + i]);
  return result;
}

/// GPTQ as published: an inverse, and after each input the ones that are left are updated.
std::vector<double> gptqByInverse(const Problem &problem, std::vector<double> target, double scale, unsigned bits,
                                  double damping) {
  size_t n = problem.inputs;
  std::vector<size_t> left(n);
  double mean = 0;
  for (size_t i = 0; i < n; ++i) {
    left[i] = i;
    mean += problem.moments.xx()[i * n + i] / static_cast<double>(n);
  }
  auto h = [&](size_t i, size_t j) {
    return problem.moments.xx()[std::max(i, j) * n + std::min(i, j)] + (i == j ? damping * mean : 0);
  };
  std::sort(left.begin(), left.end(),
            [&](size_t a, size_t b) { return h(a, a) != h(b, b) ? h(a, a) > h(b, b) : a < b; });
  std::vector<double> result(n);
  while (!left.empty()) {
    size_t j = left.front(), m = left.size();
    result[j] =
        scale * static_cast<double>(quantizeWeight(static_cast<float>(target[j]), static_cast<float>(scale), bits));
    // The best response of the others to the error of j: minus H_rest^-1 H_rest,j times it, by elimination.
    std::vector<std::vector<double>> rows;
    for (size_t a = 1; a < m; ++a) {
      rows.emplace_back();
      for (size_t b = 1; b < m; ++b)
        rows.back().push_back(h(left[a], left[b]));
      rows.back().push_back(h(left[a], j) * (target[j] - result[j]));
    }
    for (size_t k = 0; k < rows.size(); ++k)
      for (size_t a = 0; a < rows.size(); ++a)
        if (a != k) {
          double factor = rows[a][k] / rows[k][k];
          for (size_t b = k; b < m; ++b)
            rows[a][b] -= factor * rows[k][b];
        }
    for (size_t a = 1; a < m; ++a)
      target[left[a]] += rows[a - 1][m - 1] / rows[a - 1][a - 1];
    left.erase(left.begin());
  }
  return result;
}

TEST(Rounding, GptqIsTheOneWithTheInverse) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    // More inputs than a block of the implementation has.
    Problem problem = makeProblem(seed < 5 ? 7 : 140, 2, 200, seed);
    unsigned bits = 3 + seed % 3;
    RoundedWeights rounded = roundByGptq(problem.moments, problem.map.weights, bits, 0.01);
    for (size_t o = 0; o < 2; ++o) {
      std::vector<double> row(problem.map.weights.begin() + static_cast<ptrdiff_t>(o * problem.inputs),
                              problem.map.weights.begin() + static_cast<ptrdiff_t>((o + 1) * problem.inputs));
      std::vector<double> expected = gptqByInverse(problem, row, rounded.scales[o], bits, 0.01);
      std::vector<double> found = realWeights(rounded, problem.inputs, o);
      for (size_t i = 0; i < problem.inputs; ++i)
        EXPECT_NEAR(found[i], expected[i], 1e-9) << "seed " << seed << ", input " << i;
    }
  }
}

/// With a unit, scales have few bits of their ratio to it, and weights are those of that scale.
TEST(Rounding, GptqKnowsShortScales) {
  Problem problem = makeProblem(9, 4, 100, 3);
  constexpr double kUnit = 0.37;
  RoundedWeights rounded = roundByGptq(problem.moments, problem.map.weights, 4, 0.01, 1, kUnit);
  for (size_t o = 0; o < 4; ++o) {
    EXPECT_EQ(rounded.scales[o], static_cast<float>(roundToBits(rounded.scales[o] / kUnit, kShortBits) * kUnit));
    std::vector<double> row(problem.map.weights.begin() + static_cast<ptrdiff_t>(o * 9),
                            problem.map.weights.begin() + static_cast<ptrdiff_t>(o * 9 + 9));
    std::vector<double> expected = gptqByInverse(problem, row, rounded.scales[o], 4, 0.01),
                        found = realWeights(rounded, 9, o);
    for (size_t i = 0; i < 9; ++i)
      EXPECT_NEAR(found[i], expected[i], 1e-9);
  }
}

TEST(Rounding, GptqTakesTheBestScale) {
  Problem problem = makeProblem(9, 4, 100, 3);
  RoundedWeights rounded = roundByGptq(problem.moments, problem.map.weights, 3, 0.01);
  for (size_t o = 0; o < 4; ++o) {
    std::vector<double> row(problem.map.weights.begin() + static_cast<ptrdiff_t>(o * 9),
                            problem.map.weights.begin() + static_cast<ptrdiff_t>(o * 9 + 9));
    double magnitude = 0;
    for (double w : row)
      magnitude = std::max(magnitude, std::fabs(w));
    double error = roundingError(problem, row, realWeights(rounded, 9, o), 0.01), least = HUGE_VAL;
    for (int part = 20; part >= 10; --part) {
      float scale = chooseWeightScale(static_cast<float>(magnitude * part / 20), 3);
      least = std::min(least, roundingError(problem, row, gptqByInverse(problem, row, scale, 3, 0.01), 0.01));
    }
    EXPECT_NEAR(error, least, 1e-9 * least);
    // And it is better than nearest, on correlated inputs.
    std::vector<double> nearest;
    float scale = chooseWeightScale(static_cast<float>(magnitude), 3);
    for (double w : row)
      nearest.push_back(static_cast<double>(scale) *
                        static_cast<double>(quantizeWeight(static_cast<float>(w), scale, 3)));
    EXPECT_LT(error, roundingError(problem, row, nearest, 0.01));
  }
}

TEST(Rounding, SeveralWidthsShareTheFactors) {
  Problem problem = makeProblem(30, 4, 200, 5);
  Moments inputsAlone(30, 0);
  inputsAlone.add(problem.x.data(), nullptr, 200);
  std::vector<unsigned> bits{2, 5, 3};
  std::vector<RoundedWeights> several = roundByGptq(inputsAlone, problem.map.weights, bits, 0.01);
  ASSERT_EQ(several.size(), 3u);
  for (size_t b = 0; b < 3; ++b) {
    RoundedWeights one = roundByGptq(problem.moments, problem.map.weights, bits[b], 0.01);
    EXPECT_EQ(several[b].weights, one.weights);
    EXPECT_EQ(several[b].scales, one.scales);
  }
}

TEST(Rounding, ThreadsChangeNoSum) {
  Problem problem = makeProblem(250, 110, 90, 6); // more than one block of either
  for (unsigned threads : {1u, 2u, 7u}) {
    Moments moments(250, 110), alone(250, 110);
    moments.add(problem.x.data(), problem.y.data(), 90, threads);
    alone.add(problem.x.data(), problem.y.data(), 90);
    EXPECT_EQ(moments.yx(), alone.yx());
    for (size_t i = 0; i < 250; ++i)
      for (size_t j = 0; j <= i; ++j)
        EXPECT_EQ(moments.xx()[i * 250 + j], problem.moments.xx()[i * 250 + j]); // exact
  }
}

TEST(Rounding, ThreadsChangeNothing) {
  Problem problem = makeProblem(80, 21, 300, 4);
  RoundedWeights one = roundByGptq(problem.moments, problem.map.weights, 4, 0.01);
  for (unsigned threads : {2u, 5u, 40u}) {
    RoundedWeights several = roundByGptq(problem.moments, problem.map.weights, 4, 0.01, threads);
    EXPECT_EQ(several.weights, one.weights);
    EXPECT_EQ(several.scales, one.scales);
  }
}

TEST(Rounding, ZeroChannels) {
  Moments empty(3, 1);
  RoundedWeights rounded = roundByGptq(empty, {0, 0, 0}, 4, 0.01);
  EXPECT_EQ(rounded.weights, (std::vector<int8_t>{0, 0, 0}));
  EXPECT_EQ(rounded.scales, std::vector<float>{1});
}

TEST(Rounding, BiasCorrectionGivesTheMean) {
  Problem problem = makeProblem(6, 3, 60, 5);
  problem.map.moments = &problem.moments;
  RoundedWeights rounded = roundByGptq(problem.moments, problem.map.weights, 4, 0.01);
  std::vector<double> correction = biasCorrection(problem.map, rounded);
  for (size_t o = 0; o < 3; ++o) {
    double rest = 0;
    std::vector<double> row = realWeights(rounded, 6, o);
    for (size_t r = 0; r < 60; ++r) {
      rest += problem.y[r * 3 + o] - correction[o];
      for (size_t i = 0; i < 6; ++i)
        rest -= problem.map.inputScale * row[i] * problem.x[r * 6 + i];
    }
    EXPECT_NEAR(rest, 0, 1e-9);
  }
  Moments empty(6, 3);
  EXPECT_EQ(biasCorrection({&empty, 1, problem.map.weights}, rounded), std::vector<double>(3));
}

TEST(Rounding, EqualizationFactors) {
  EXPECT_EQ(equalizationFactors({4, 1, 0, 0.01f}, false), (std::vector<float>{1, 0.5f, 0.12f, 0.12f}));
  EXPECT_EQ(equalizationFactors({1, 16, 0}, true), (std::vector<float>{0.125f, 1, 0.12f}));
  EXPECT_EQ(equalizationFactors({0, 0}, true), (std::vector<float>{1, 1}));
}

} // namespace
