// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementary functions in integer arithmetic: table entries are the same on every
// host, whatever its libm does.

#ifndef DYADIC_SUPPORT_FUNCTIONS_H
#define DYADIC_SUPPORT_FUNCTIONS_H

#include "dyadic/Support/Dyadic.h"
#include <functional>
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

/// How a stored value reads: `real = scale * (stored - zeroPoint)` for `bits` wide numbers
/// in `range`.
struct StoredValue {
  AffineParameters affine;
  StorageRange range;
  unsigned bits = 8;
};

/// The attributes of `qnn.table` (docs/Arithmetic.md, equations 24 and 25): one entry a
/// number where the input has at most kTableBits, else 513 knots every 2^shift-th number.
struct FunctionTable {
  std::vector<int32_t> entries;
  int32_t shift = 0;
};
FunctionTable functionTable(const std::function<double(double)> &function, const StoredValue &input,
                            const StoredValue &output);

} // namespace dyadic

#endif // DYADIC_SUPPORT_FUNCTIONS_H
