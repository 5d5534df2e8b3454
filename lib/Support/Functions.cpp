// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/Functions.h"
#include <cmath>

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

SoftmaxTables softmaxTables(float scale) {
  SoftmaxTables tables;
  for (int k = 0; k < 256; ++k) {
    tables.low.push_back(expOfMinus(static_cast<double>(scale) * k));
    tables.high.push_back(expOfMinus(static_cast<double>(scale) * 256.0 * k));
  }
  return tables;
}

FunctionTable functionTable(const std::function<double(double)> &function, const StoredValue &input,
                            const StoredValue &output) {
  FunctionTable table;
  bool hasKnots = input.bits > kTableBits;
  table.shift = hasKnots ? static_cast<int32_t>(input.bits - kSegmentBits) : 0;
  int64_t count = hasKnots ? (int64_t(1) << kSegmentBits) + 1 : input.range.max - input.range.min + 1;
  // Knots reach beyond the result's range by its length: a segment that crosses the limit
  // keeps its direction.
  double unit = hasKnots ? 1 << kKnotFraction : 1;
  double span = hasKnots ? static_cast<double>(output.range.max - output.range.min) : 0;
  double least = (static_cast<double>(output.range.min) - span) * unit,
         most = (static_cast<double>(output.range.max) + span) * unit;
  for (int64_t i = 0; i < count; ++i) {
    int64_t stored = input.range.min + (i << table.shift);
    double x = static_cast<double>(input.affine.scale) * static_cast<double>(stored - input.affine.zeroPoint);
    double y = (function(x) / static_cast<double>(output.affine.scale) + output.affine.zeroPoint) * unit;
    y = std::isnan(y) ? output.affine.zeroPoint * unit : std::min(std::max(y, least), most);
    table.entries.push_back(static_cast<int32_t>(roundHalfEven(y)));
  }
  return table;
}

} // namespace dyadic
