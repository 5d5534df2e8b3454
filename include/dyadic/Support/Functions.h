// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementary functions in integer arithmetic: table entries are the same on every
// host, whatever its libm does.

#ifndef DYADIC_SUPPORT_FUNCTIONS_H
#define DYADIC_SUPPORT_FUNCTIONS_H

#include <cstdint>
#include <vector>

namespace dyadic {

/// round(2^30 * exp(-t)) for t >= 0 (NaN gives 0). Computed to 60 fractional bits, so
/// that it is the nearest integer unless a tie is closer than 2^-25 of a unit.
int32_t expOfMinus(double t);

/// The tables of `qnn.softmax`: entry k of `low` is 2^30 * exp(-scale * k), of `high`
/// 2^30 * exp(-scale * 256 * k), for k in [0, 256).
struct SoftmaxTables {
  std::vector<int32_t> high, low;
};
SoftmaxTables softmaxTables(float scale);

/// Constants of expOfNonPositive: exp(x) = 2^n * p(r) with x = n ln 2 + r, |r| <= ln(2) / 2
/// and ln 2 in two parts, after Cody and Waite; p by Moshier (Cephes, expf).
namespace exp_constants {
inline constexpr float kLowest = -87.0f, kLog2E = 1.44269504088896341f;
inline constexpr float kMagic = 12582912.0f; // 1.5 * 2^23: adding it rounds to an integer
inline constexpr int32_t kMagicBits = 0x4B400000;
inline constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
inline constexpr float kPolynomial[] = {1.9875691500e-4f,
                                        1.3981999507e-3f,
                                        8.3334519073e-3f,
                                        4.1665795894e-2f,
                                        1.6666665459e-1f,
                                        5.0000001201e-1f,
                                        1.0f,
                                        1.0f};
} // namespace exp_constants

/// exp(x) in f32 for x <= 0, the softmax of float programs; relative error below 4e-7
/// (x < -87 counts as -87, NaN stays). The lowering computes the same bits.
float expOfNonPositive(float x);

} // namespace dyadic

#endif // DYADIC_SUPPORT_FUNCTIONS_H
