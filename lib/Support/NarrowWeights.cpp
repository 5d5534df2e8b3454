// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/NarrowWeights.h"
#include <algorithm>

namespace dyadic {

unsigned storedBits(const std::vector<int64_t> &weights) {
  auto fits = [&](unsigned bits) {
    int64_t half = int64_t(1) << (bits - 1);
    return std::all_of(weights.begin(), weights.end(), [&](int64_t w) { return -half <= w && w < half; });
  };
  return fits(2) ? 2 : fits(4) ? 4 : 8;
}

std::vector<int64_t> packWeights(const std::vector<int64_t> &weights, unsigned bits, int64_t blockBytes) {
  if (bits == 8)
    return weights;
  int64_t shared = blocksPerByte(bits), half = int64_t(1) << (bits - 1);
  std::vector<int64_t> bytes(weights.size() / shared, 0);
  for (size_t i = 0; i < weights.size(); ++i) {
    int64_t index = static_cast<int64_t>(i), block = index / blockBytes;
    bytes[block / shared * blockBytes + index % blockBytes] |= (weights[i] + half) << (bits * (block % shared));
  }
  for (int64_t &byte : bytes)
    byte = static_cast<int8_t>(byte);
  return bytes;
}

std::vector<int64_t> unpackWeights(const std::vector<int64_t> &bytes, unsigned bits, int64_t blockBytes) {
  if (bits == 8)
    return bytes;
  int64_t shared = blocksPerByte(bits), half = int64_t(1) << (bits - 1);
  std::vector<int64_t> weights(bytes.size() * shared);
  for (size_t i = 0; i < weights.size(); ++i) {
    int64_t index = static_cast<int64_t>(i), block = index / blockBytes;
    int64_t byte = bytes[block / shared * blockBytes + index % blockBytes] & 0xFF;
    weights[i] = (byte >> (bits * (block % shared)) & (2 * half - 1)) - half;
  }
  return weights;
}

} // namespace dyadic
