// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/Functions.h"
#include <cmath>
#include <cstring>

namespace dyadic {

using Wide = unsigned __int128;

/// Fixed point with 62 fractional bits.
static constexpr int kFraction = 62;
static constexpr uint64_t kOne = uint64_t(1) << kFraction;
/// ln(2) with 62 fractional bits: 0.693147180559945309417232...
static constexpr uint64_t kLn2 = 0x2C5C85FDF473DE6B;

static uint64_t multiply(uint64_t a, uint64_t b) {
  return static_cast<uint64_t>((static_cast<Wide>(a) * b) >> kFraction);
}

int32_t expOfMinus(double t) {
  if (!(t < 32)) // below half a unit; NaN too
    return 0;
  // t = n ln 2 + r, both exact enough: t has at most 53 significant bits.
  int exponent = 0;
  double fraction = std::frexp(t, &exponent);
  Wide fixed = static_cast<Wide>(std::ldexp(fraction, 53));
  int shift = exponent - 53 + kFraction;
  if (shift < -64)
    return int32_t(1) << 30;
  fixed = shift >= 0 ? fixed << shift : fixed >> -shift;
  unsigned n = static_cast<unsigned>(fixed / kLn2);
  uint64_t r = static_cast<uint64_t>(fixed - static_cast<Wide>(n) * kLn2);
  // exp(-r) = 1 - r (1 - r/2 (1 - r/3 (...))), r < 0.7: 24 terms leave less than 2^-80.
  uint64_t sum = kOne;
  for (uint64_t k = 24; k >= 1; --k)
    sum = kOne - multiply(r, sum) / k;
  int drop = kFraction - 30 + static_cast<int>(n);
  return static_cast<int32_t>(drop > 63 ? 0 : ((sum >> (drop - 1)) + 1) >> 1);
}

float expOfNonPositive(float x) {
  using namespace exp_constants;
  x = x < kLowest ? kLowest : x;
  float shifted = x * kLog2E + kMagic, n = shifted - kMagic;
  float r = x - n * kLn2High;
  r -= n * kLn2Low;
  float p = kPolynomial[0];
  for (size_t i = 1; i < sizeof(kPolynomial) / sizeof(float); ++i)
    p = p * r + kPolynomial[i];
  int32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  uint32_t exponent = static_cast<uint32_t>(bits - (kMagicBits - 127)) << 23;
  float power;
  std::memcpy(&power, &exponent, sizeof power);
  return p * power;
}

SoftmaxTables softmaxTables(float scale) {
  SoftmaxTables tables;
  for (int k = 0; k < 256; ++k) {
    tables.low.push_back(expOfMinus(static_cast<double>(scale) * k));
    tables.high.push_back(expOfMinus(static_cast<double>(scale) * 256.0 * k));
  }
  return tables;
}

} // namespace dyadic
