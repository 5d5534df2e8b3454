// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights and biases of one output channel as integers, and the bounds of the sums
// that they can produce. Plain C++; the numbers follow Support/Dyadic.h.

#ifndef DYADIC_SUPPORT_QUANTIZER_H
#define DYADIC_SUPPORT_QUANTIZER_H

#include "dyadic/Support/Dyadic.h"
#include <vector>

namespace dyadic {

/// The weights of one output channel.
struct QuantizedChannel {
  std::vector<int8_t> weights;
  float scale = 1.0f;
};

/// Symmetric weights of `bits` bits over the scale that the largest one gives. The
/// scale is doubled until inputScale * scale, that of the accumulator, is a normal f32 and
/// the bias fits: |bias / (inputScale * scale)| + |inputZeroPoint * sum w| < 2^30 (unless
/// the second term alone exceeds it: then no scale helps, and the accumulator proof reports it).
QuantizedChannel quantizeChannel(const float *weights, size_t count, unsigned bits, float bias, float inputScale,
                                 int64_t inputZeroPoint);

/// The bias as the accumulator starts from it: rne(bias / (inputScale * scale)) -
/// inputZeroPoint * sum w. It may exceed 32 bits; the accumulator proof decides.
int64_t foldedBias(float bias, float inputScale, int64_t inputZeroPoint, const QuantizedChannel &channel);

/// Smallest and largest `bias + sum w[i] * x[i]` for all x[i] in [low, high], exact.
StorageRange accumulatorRange(const int64_t *weights, size_t count, int64_t bias, int64_t low, int64_t high);

/// The largest absolute value, 0 of none.
int64_t largestMagnitude(const int64_t *numbers, size_t count);

} // namespace dyadic

#endif // DYADIC_SUPPORT_QUANTIZER_H
