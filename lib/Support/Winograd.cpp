// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/Winograd.h"

namespace dyadic {

namespace {
/// m x m', with m of R x N and x of N x N.
template <int R, int N>
std::array<int64_t, R * R> transform(const int (&m)[R][N], const std::array<int64_t, N * N> &x) {
  std::array<int64_t, R * N> lines{};
  std::array<int64_t, R * R> result{};
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < N; ++c)
      for (int k = 0; k < N; ++k)
        lines[r * N + c] += m[r][k] * x[k * N + c];
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < R; ++c)
      for (int k = 0; k < N; ++k)
        result[r * R + c] += lines[r * N + k] * m[c][k];
  return result;
}

constexpr int kWeights[4][3] = {{2, 0, 0}, {1, 1, 1}, {1, -1, 1}, {0, 0, 2}}; // 2G
constexpr int kInput[4][4] = {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}};
constexpr int kOutput[2][4] = {{1, 1, 1, 0}, {0, 1, -1, -1}};
} // namespace

std::array<int64_t, kWinogradInputs> winogradWeights(const std::array<int64_t, 9> &g) { return transform(kWeights, g); }

std::array<int64_t, kWinogradInputs> winogradInput(const std::array<int64_t, kWinogradInputs> &d) {
  return transform(kInput, d);
}

std::array<int64_t, kWinogradOutputs> winogradOutput(const std::array<int64_t, kWinogradInputs> &m) {
  return transform(kOutput, m);
}

int64_t winogradOffset(int64_t p, int64_t min, int64_t max) { return p == 5 ? -4 * min : 2 * (max - min); }

} // namespace dyadic
