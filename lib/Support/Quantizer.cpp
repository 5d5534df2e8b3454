// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/Quantizer.h"

namespace dyadic {

static int64_t sum(const std::vector<int8_t> &weights) {
  int64_t total = 0;
  for (int8_t w : weights)
    total += w;
  return total;
}

QuantizedChannel quantizeChannel(const float *weights, size_t count, unsigned bits, float bias, float inputScale,
                                 int64_t inputZeroPoint) {
  float magnitude = 0;
  for (size_t i = 0; i < count; ++i)
    magnitude = std::max(magnitude, std::fabs(weights[i]));
  QuantizedChannel channel;
  channel.scale = chooseWeightScale(magnitude, bits);
  channel.weights.resize(count);
  for (;;) {
    for (size_t i = 0; i < count; ++i)
      channel.weights[i] = static_cast<int8_t>(quantizeWeight(weights[i], channel.scale, bits));
    double product = static_cast<double>(inputScale) * channel.scale;
    double start = std::fabs(static_cast<double>(bias) / product);
    double correction = std::fabs(static_cast<double>(inputZeroPoint) * static_cast<double>(sum(channel.weights)));
    bool fits = start + correction < 0x1p30 || correction >= 0x1p30;
    if ((fits && product >= FLT_MIN) || channel.scale > FLT_MAX / 2)
      return channel;
    channel.scale *= 2;
  }
}

int64_t foldedBias(float bias, float inputScale, int64_t inputZeroPoint, const QuantizedChannel &channel) {
  std::optional<int64_t> start = quantizeBias(bias, static_cast<double>(inputScale) * channel.scale);
  // A bias that no scale could make fit saturates here and fails the proof.
  int64_t value = start ? *start : (bias < 0 ? -(int64_t(1) << 40) : int64_t(1) << 40);
  return value - inputZeroPoint * sum(channel.weights);
}

StorageRange accumulatorRange(const int64_t *weights, size_t count, int64_t bias, int64_t low, int64_t high) {
  StorageRange range{bias, bias};
  for (size_t i = 0; i < count; ++i) {
    range.min += weights[i] * (weights[i] < 0 ? high : low);
    range.max += weights[i] * (weights[i] < 0 ? low : high);
  }
  return range;
}

int64_t largestMagnitude(const int64_t *numbers, size_t count) {
  int64_t largest = 0;
  for (size_t i = 0; i < count; ++i)
    largest = std::max(largest, std::abs(numbers[i]));
  return largest;
}

} // namespace dyadic
