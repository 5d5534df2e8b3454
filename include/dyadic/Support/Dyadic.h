// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic contract of Dyadic, as code. This header is normative: constant
// folding, the reference interpreter, the scalar lowering and every kernel agree
// with it bit for bit. docs/Arithmetic.md derives the formulas.
//
// Plain C++17: no LLVM, no allocation, no global state. Every function is total
// on the domain that its comment states; callers check the domain.

#ifndef DYADIC_SUPPORT_DYADIC_H
#define DYADIC_SUPPORT_DYADIC_H

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <optional>

namespace dyadic {

/// How the exact quotient `p / 2^e` becomes an integer.
enum class Rounding : uint32_t {
  /// Nearest, ties towards plus infinity: floor(p / 2^e + 1/2). TOSA's single
  /// rounding, ruy, TVM.
  HalfUp = 0,
  /// Nearest, ties to the even neighbour. ONNX, ONNX Runtime, HAWQ.
  HalfEven = 1,
  /// Two roundings, as gemmlowp and TFLite: half up at bit 31, then half away
  /// from zero. For requantization alone.
  Double = 2,
};

/// The real factor `m / 2^e`, with `m` in [2^30, 2^31) or 0 and `e` in [1, 62].
struct Multiplier {
  int32_t m = 0;
  int32_t e = 1;
};

/// Two factors over one power of two: `m1 / 2^e` and `m2 / 2^e`.
struct MultiplierPair {
  int32_t m1 = 0;
  int32_t m2 = 0;
  int32_t e = 1;
};

/// `real = scale * (stored - zeroPoint)`, `stored` in [min, max].
struct AffineParameters {
  float scale = 1.0f;
  int32_t zeroPoint = 0;
};

/// The closed range of stored values of a `bits`-wide integer (1 to 32 bits).
struct StorageRange {
  int64_t min = 0;
  int64_t max = 0;
};

inline StorageRange storageRange(unsigned bits, bool isSigned) {
  if (isSigned)
    return {-(int64_t(1) << (bits - 1)), (int64_t(1) << (bits - 1)) - 1};
  return {0, (int64_t(1) << bits) - 1};
}

/// The symmetric range of weights: [-(2^(b-1) - 1), 2^(b-1) - 1], `bits` in [2, 8].
inline StorageRange weightRange(unsigned bits) {
  int64_t max = (int64_t(1) << (bits - 1)) - 1;
  return {-max, max};
}

/// `x` rounded to the nearest integer, ties to even, for |x| < 2^52. It does not
/// depend on the rounding mode that the host happens to be in beyond the default.
inline double roundHalfEven(double x) {
  const double magic = 4503599627370496.0; // 2^52
  return x >= 0 ? (x + magic) - magic : (x - magic) + magic;
}

/// `M` as `m / 2^e`: m = rne(f * 2^31) for M = f * 2^k, f in [1/2, 1), halved when
/// it reaches 2^31. `M < 2^-32` gives m = 0. Nothing for `M >= 2^30` (also when
/// it is reached by rounding), negative, or not finite.
inline std::optional<Multiplier> encodeMultiplier(double M) {
  if (!(M >= 0) || !std::isfinite(M))
    return std::nullopt;
  if (M < 0x1p-32)
    return Multiplier{0, 1};
  int exponent = 0;
  double fraction = std::frexp(M, &exponent);
  int64_t m = static_cast<int64_t>(roundHalfEven(fraction * 0x1p31));
  if (m == (int64_t(1) << 31)) {
    m >>= 1;
    ++exponent;
  }
  int e = 31 - exponent;
  if (e < 1)
    return std::nullopt;
  return Multiplier{static_cast<int32_t>(m), e};
}

/// Significant bits of a short factor at most.
inline constexpr int kShortBits = 12;

/// A quotient of `f32` scales is known to 2^-23 of itself: a number of kShortBits significant bits that is so near
/// takes its place. `M` is positive and finite, or comes back as it is.
inline double shortFactor(double M) {
  int exponent = 0;
  const double fraction = std::frexp(M, &exponent);
  const double rounded = roundHalfEven(std::ldexp(fraction, kShortBits));
  const double nearest = std::ldexp(rounded, exponent - kShortBits);
  return std::fabs(M - nearest) <= nearest * 0x1p-23 ? nearest : M;
}

/// `p / 2^e` as an integer, one rounding (`Double` is two), `e` in [1, 62],
/// |p| + 2^(e-1) < 2^63 (with `Double`, |p| + 2^(e-1) + 2^30).
inline int64_t shiftRounded(int64_t p, int32_t e, Rounding rounding) {
  const int64_t half = int64_t(1) << (e - 1);
  switch (rounding) {
  case Rounding::HalfEven:
    return (p + (half - 1) + ((p >> e) & 1)) >> e;
  case Rounding::Double:
    if (e > 31) {
      const int64_t nudge = int64_t(1) << 30;
      return (p + half + (p >= 0 ? nudge : -nudge)) >> e;
    }
    return (p + half) >> e;
  case Rounding::HalfUp:
    break;
  }
  return (p + half) >> e;
}

inline int64_t clampTo(int64_t x, int64_t min, int64_t max) { return x < min ? min : (x > max ? max : x); }

/// clamp(zeroPoint + round(x * m / 2^e)) for x in [-2^31, 2^31): the
/// requantization of an accumulator, or of a value less its zero point.
inline int64_t requantize(int64_t x, Multiplier f, int64_t zeroPoint, int64_t min, int64_t max, Rounding rounding) {
  return clampTo(zeroPoint + shiftRounded(x * f.m, f.e, rounding), min, max);
}

/// clamp(zeroPoint + round((a1 * m1 + a2 * m2) / 2^e)): the sum of two values (less
/// their zero points) or accumulators, rounded once.
/// |a1| * m1 + |a2| * m2 + 2^(e-1) < 2^63; `rounding` is not `Double`.
inline int64_t requantizeSum(int64_t a1, int64_t a2, MultiplierPair f, int64_t zeroPoint, int64_t min, int64_t max,
                             Rounding rounding) {
  return clampTo(zeroPoint + shiftRounded(a1 * f.m1 + a2 * f.m2, f.e, rounding), min, max);
}

/// `M1` and `M2` over one shared exponent: the larger m lies in [2^30, 2^31), the
/// other is rounded half to even; then `e` is lowered (and both m with it) until
/// `bound1 * m1 + bound2 * m2 + 2^(e-1) < 2^63`, where `bound` >= max |a|, at most
/// 2^31 each (or 2^32 and 0). Nothing where encodeMultiplier refuses the larger factor.
inline std::optional<MultiplierPair> encodeMultiplierPair(double M1, double M2, int64_t bound1, int64_t bound2) {
  if (!(M1 >= 0) || !(M2 >= 0))
    return std::nullopt;
  std::optional<Multiplier> larger = encodeMultiplier(std::max(M1, M2));
  if (!larger)
    return std::nullopt;
  if (larger->m == 0)
    return MultiplierPair{};
  for (int32_t e = larger->e; e >= 1; --e) {
    int64_t m1 = static_cast<int64_t>(roundHalfEven(std::ldexp(M1, e)));
    int64_t m2 = static_cast<int64_t>(roundHalfEven(std::ldexp(M2, e)));
    if (m1 > INT32_MAX || m2 > INT32_MAX)
      continue; // the rounding reached 2^31: one exponent lower is exact
    // Products below 2^63 and a power below 2^62: the sum of the three fits uint64.
    uint64_t sum = static_cast<uint64_t>(bound1) * static_cast<uint64_t>(m1) +
                   static_cast<uint64_t>(bound2) * static_cast<uint64_t>(m2) + (uint64_t(1) << (e - 1));
    if (sum < (uint64_t(1) << 63))
      return MultiplierPair{static_cast<int32_t>(m1), static_cast<int32_t>(m2), e};
  }
  return std::nullopt;
}

/// A factor for the product of two values: as encodeMultiplier, with `e` (and m with it)
/// lowered until `bound * m + 2^(e-1) < 2^63`, where `bound` >= max |a1 * a2|, at most 2^32.
inline std::optional<Multiplier> encodeProductMultiplier(double M, int64_t bound) {
  std::optional<MultiplierPair> pair = encodeMultiplierPair(M, 0, bound, 0);
  return pair ? std::optional<Multiplier>({pair->m1, pair->e}) : std::nullopt;
}

/// clamp(zeroPoint + round(a1 * a2 * m / 2^e)): the product of two values less their zero
/// points, rounded once. |a1 * a2| * m + 2^(e-1) < 2^63; `rounding` is not `Double`.
inline int64_t requantizeProduct(int64_t a1, int64_t a2, Multiplier f, int64_t zeroPoint, int64_t min, int64_t max,
                                 Rounding rounding) {
  return clampTo(zeroPoint + shiftRounded(a1 * a2 * f.m, f.e, rounding), min, max);
}

/// Entry: clamp(rne(x / scale) + zeroPoint), a true f32 division; NaN gives the
/// zero point, infinities saturate. `min <= zeroPoint <= max`, |bounds| <= 2^16.
inline int64_t quantize(float x, float scale, int64_t zeroPoint, int64_t min, int64_t max) {
  float quotient = x / scale;
  if (std::isnan(quotient))
    return zeroPoint;
  float low = static_cast<float>(min - zeroPoint), high = static_cast<float>(max - zeroPoint);
  quotient = std::min(std::max(quotient, low), high);
  return zeroPoint + static_cast<int64_t>(roundHalfEven(quotient));
}

/// Exit: f32(stored - zeroPoint) * scale, no contraction. `stored - zeroPoint` fits i32.
inline float dequantize(int64_t stored, float scale, int64_t zeroPoint) {
  return static_cast<float>(static_cast<int32_t>(stored - zeroPoint)) * scale;
}

/// Scale and zero point of the range [low, high], widened to contain 0, for stored
/// values in `range`: scale = f32((high - low) / (max - min)), zero point
/// rne(min - low / scale), clamped. An empty range gives scale 1. Both ends finite.
inline AffineParameters chooseAffine(float low, float high, StorageRange range) {
  double lo = std::min(0.0, static_cast<double>(low)), hi = std::max(0.0, static_cast<double>(high));
  AffineParameters result;
  if (hi > lo)
    result.scale = std::max(static_cast<float>((hi - lo) / static_cast<double>(range.max - range.min)), FLT_MIN);
  double zeroPoint = roundHalfEven(static_cast<double>(range.min) - lo / static_cast<double>(result.scale));
  if (hi == lo)
    zeroPoint = 0;
  result.zeroPoint = static_cast<int32_t>(
      std::min(std::max(zeroPoint, static_cast<double>(range.min)), static_cast<double>(range.max)));
  return result;
}

/// The scale of symmetric weights whose largest magnitude is `magnitude` (finite):
/// f32(magnitude / (2^(b-1) - 1)), 1 for an all-zero channel.
inline float chooseWeightScale(float magnitude, unsigned bits) {
  if (magnitude == 0)
    return 1.0f;
  return std::max(static_cast<float>(static_cast<double>(magnitude) / static_cast<double>(weightRange(bits).max)),
                  FLT_MIN);
}

/// A weight (a finite number): clamp(rne(w / scale)), the quotient in double.
inline int64_t quantizeWeight(float w, float scale, unsigned bits) {
  StorageRange range = weightRange(bits);
  double quotient = static_cast<double>(w) / static_cast<double>(scale);
  quotient = std::min(std::max(quotient, static_cast<double>(range.min)), static_cast<double>(range.max));
  return static_cast<int64_t>(roundHalfEven(quotient));
}

/// A bias over the accumulator's scale `Sx * Sw`: rne(b / (Sx * Sw)) in double.
/// Nothing where it does not fit below 2^31.
inline std::optional<int64_t> quantizeBias(float bias, double accumulatorScale) {
  double rounded = roundHalfEven(static_cast<double>(bias) / accumulatorScale);
  if (!(std::fabs(rounded) < 0x1p31))
    return std::nullopt;
  return static_cast<int64_t>(rounded);
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

/// Operands of up to this width have one entry a number, wider ones 513 knots.
inline constexpr unsigned kTableBits = 10;
/// The segments between knots are 2^kSegmentBits; knots have kKnotFraction fraction bits.
inline constexpr unsigned kSegmentBits = 9, kKnotFraction = 8;

/// Entry or, with `shift` > 0, interpolation between the knots of every 2^shift-th number,
/// rounded once (half up). `u` in [0, count << shift) or [0, (count - 1) << shift).
inline int64_t lookUp(const int32_t *entries, int64_t u, int32_t shift, int64_t min, int64_t max) {
  if (shift == 0)
    return entries[u];
  int64_t i = u >> shift, f = u & ((int64_t(1) << shift) - 1);
  int64_t sum = entries[i] * ((int64_t(1) << shift) - f) + entries[i + 1] * f;
  int64_t e = shift + kKnotFraction;
  return clampTo((sum + (int64_t(1) << (e - 1))) >> e, min, max);
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

/// Softmax numbers have 15 bits: real = stored / 2^15.
inline constexpr int32_t kSoftmaxBits = 15;
/// Rows longer than this could overflow the division below.
inline constexpr int64_t kSoftmaxLimit = 1 << 16;

/// exp of minus `distance` steps of the input's scale, times 2^30; `distance` in [0, 2^16).
/// The tables have 256 entries each (Support/Functions.h).
inline int64_t softmaxWeight(int64_t distance, const int32_t *high, const int32_t *low) {
  int64_t product = static_cast<int64_t>(high[distance >> 8]) * low[distance & 255];
  return (product + (int64_t(1) << 29)) >> 30;
}

/// min(floor(weight * 2^15 / sum + 1/2), 2^15 - 1) by restoring division: 16 steps of
/// compare and subtract, no division. weight <= sum < 2^46.
inline int64_t softmaxQuotient(int64_t weight, int64_t sum) {
  int64_t rest = (weight << kSoftmaxBits) + (sum >> 1), quotient = 0;
  for (int bit = kSoftmaxBits; bit >= 0; --bit)
    if (rest >= sum << bit) {
      rest -= sum << bit;
      quotient |= int64_t(1) << bit;
    }
  return std::min<int64_t>(quotient, (int64_t(1) << kSoftmaxBits) - 1);
}

} // namespace dyadic

#endif // DYADIC_SUPPORT_DYADIC_H
