// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What packed float kernels are shaped by: the float unit of a target, as data.

#ifndef DYADIC_TARGET_FLOATUNIT_H
#define DYADIC_TARGET_FLOATUNIT_H

#include "dyadic/Target/Targets.h"

namespace dyadic {

struct FloatUnit {
  /// f32 numbers in a register; 0: small code, without packed kernels.
  int64_t lanes;
  /// Positions that a kernel computes together, against 16 channels or, of a depthwise convolution, one register of
  /// them: so many that sums, weights and inputs just fill the registers.
  int64_t rows, depthwiseRows;
  /// Otherwise it is made of operations in f64, many times slower.
  bool hasFusedMultiplyAdd;
};

/// Bits do not depend on it: a sum is the same chain of fused multiply-adds everywhere.
FloatUnit floatUnitOf(const TargetCpu &cpu, const llvm::Triple &triple);

} // namespace dyadic

#endif // DYADIC_TARGET_FLOATUNIT_H
