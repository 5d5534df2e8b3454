// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/Winograd.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <random>

using namespace dyadic;

namespace {
using Tile = std::array<int64_t, kWinogradInputs>;

std::array<int64_t, kWinogradOutputs> convolve(const Tile &d, const std::array<int64_t, 9> &g) {
  std::array<int64_t, kWinogradOutputs> y{};
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 2; ++j)
      for (int k = 0; k < 9; ++k)
        y[2 * i + j] += d[4 * (i + k / 3) + j + k % 3] * g[k];
  return y;
}

TEST(Winograd, IsExactlyFourTimesTheConvolution) {
  std::mt19937 engine(1);
  std::uniform_int_distribution<int> data(-1000, 1000), weights(-127, 127);
  for (int round = 0; round < 1000; ++round) {
    Tile d;
    std::array<int64_t, 9> g;
    for (int64_t &x : d)
      x = data(engine);
    for (int64_t &w : g)
      w = weights(engine);
    Tile v = winogradInput(d), u = winogradWeights(g), m;
    for (int p = 0; p < kWinogradInputs; ++p)
      m[p] = v[p] * u[p];
    auto y = winogradOutput(m), expected = convolve(d, g);
    for (int o = 0; o < kWinogradOutputs; ++o)
      EXPECT_EQ(y[o], 4 * expected[o]);
  }
}

TEST(Winograd, TransformedFourBitWeightsFitSevenBits) {
  int64_t most = 0;
  for (int signs = 0; signs < 512; ++signs) {
    std::array<int64_t, 9> g;
    for (int k = 0; k < 9; ++k)
      g[k] = signs >> k & 1 ? 7 : -7;
    for (int64_t u : winogradWeights(g))
      most = std::max(most, std::abs(u));
  }
  EXPECT_EQ(most, 63);
}

TEST(Winograd, OffsetMakesInputsUnsignedAndIsTight) {
  for (auto [min, max] : {std::pair<int64_t, int64_t>(0, 15), {-8, 7}, {3, 66}, {0, 0}}) {
    Tile least, most;
    least.fill(INT64_MAX);
    most.fill(INT64_MIN);
    for (int corner = 0; corner < 1 << 16; ++corner) {
      Tile d;
      for (int i = 0; i < kWinogradInputs; ++i)
        d[i] = corner >> i & 1 ? max : min;
      Tile v = winogradInput(d);
      for (int p = 0; p < kWinogradInputs; ++p) {
        int64_t shifted = v[p] + winogradOffset(p, min, max);
        least[p] = std::min(least[p], shifted);
        most[p] = std::max(most[p], shifted);
      }
    }
    for (int p = 0; p < kWinogradInputs; ++p) {
      EXPECT_EQ(least[p], 0);
      EXPECT_EQ(most[p], 4 * (max - min));
    }
  }
}
} // namespace
