// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// x * y + c with one rounding, from operations that every CPU with IEEE doubles has.

#ifndef DYADIC_SUPPORT_FUSEDMULTIPLYADD_H
#define DYADIC_SUPPORT_FUSEDMULTIPLYADD_H

#include <cstdint>
#include <cstring>

namespace dyadic {

/// The product of two f32 is exact in f64. Its sum with `c` is rounded to odd: where it is not exact, to the neighbour
/// whose last bit is 1. Rounding that to f32 gives the exact sum's rounding, because f64 has more than two bits more
/// than f32 (Boldo, Melquiond: "Emulation of a FMA and correctly rounded sums", 2008). What the sum lacks is Knuth's
/// TwoSum. Infinities and NaN pass through: their error is NaN or 0.
inline float fusedMultiplyAdd(float x, float y, float c) {
  const double product = static_cast<double>(x) * y, addend = c;
  double sum = product + addend;
  const double ofAddend = sum - product;
  const double error = (product - (sum - ofAddend)) + (addend - ofAddend);
  if (error < 0 || error > 0) {
    uint64_t bits, errorBits;
    std::memcpy(&bits, &sum, sizeof bits);
    std::memcpy(&errorBits, &error, sizeof bits);
    bits = (bits - ((bits ^ errorBits) >> 63)) | 1; // towards 0, then odd
    std::memcpy(&sum, &bits, sizeof sum);
  }
  return static_cast<float>(sum);
}

} // namespace dyadic

#endif // DYADIC_SUPPORT_FUSEDMULTIPLYADD_H
