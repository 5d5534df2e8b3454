// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Winograd's minimal filtering F(2x2, 3x3) in exact integers: 2x2 outputs of a 3x3
// convolution from 16 products a channel instead of 36.
//
//   4 Y = A' [ (2G) g (2G)'  *  B' d B ] A
//
// with the matrices of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015),
// section 4.1. G has halves; twice G has integers, so that the result is exactly four times the
// convolution and nothing is ever rounded.

#ifndef DYADIC_SUPPORT_WINOGRAD_H
#define DYADIC_SUPPORT_WINOGRAD_H

#include <array>
#include <cstdint>

namespace dyadic {

/// Inputs of a tile, 4 x 4; its outputs, 2 x 2. Both lie line by line.
inline constexpr int64_t kWinogradInputs = 16, kWinogradOutputs = 4;

/// (2G) g (2G)' of 3x3 weights. For |g| <= m the results are at most 9 m in size.
std::array<int64_t, kWinogradInputs> winogradWeights(const std::array<int64_t, 9> &g);

/// B' d B.
std::array<int64_t, kWinogradInputs> winogradInput(const std::array<int64_t, kWinogradInputs> &d);

/// A' m A.
std::array<int64_t, kWinogradOutputs> winogradOutput(const std::array<int64_t, kWinogradInputs> &m);

/// What has to be added to position `p` of B' d B for d in [min, max], so that the sum
/// lies in [0, 4 (max - min)]. The centre, (1, 1), sums four inputs; every other position as many as it subtracts.
int64_t winogradOffset(int64_t p, int64_t min, int64_t max);

} // namespace dyadic

#endif // DYADIC_SUPPORT_WINOGRAD_H
