// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linear interpolation along dimensions, in fixed point: what `qnn.interpolate` means.

#ifndef DYADIC_IR_INTERPOLATION_H
#define DYADIC_IR_INTERPOLATION_H

#include "dyadic/IR/QnnDialect.h"
#include "llvm/ADT/SmallVector.h"

namespace dyadic::qnn {

/// Where each position of a result's dimension lies between two of the operand's.
struct AxisInterpolation {
  int64_t axis = 0, size = 1;                // the dimension, and its size in the operand
  unsigned bits = 0;                         // of the fractions
  llvm::SmallVector<int64_t> low, fractions; // one a position; fractions in [0, 2^bits)

  int64_t high(size_t i) const { return std::min(low[i] + 1, size - 1); }
  /// The weight of the element at `high(i)`, in units of 2^-bits.
  int64_t highWeight(size_t i) const { return fractions[i]; }
  int64_t lowWeight(size_t i) const { return (int64_t(1) << bits) - fractions[i]; }
};

/// As many bits as an f32 represents both weights exactly with.
inline constexpr unsigned kFractionBits = 24;
/// The fraction bits of all axes together at the integer level.
inline constexpr unsigned kMaxFractionBits = 30;

/// The axes of a verified operation.
llvm::SmallVector<AxisInterpolation> interpolationOf(InterpolateOp op);
/// Writes `axes` back into the operation's attributes.
void setInterpolation(InterpolateOp op, llvm::ArrayRef<AxisInterpolation> axes);

/// Drops bits of the fractions that are 0 everywhere.
void trimFractions(AxisInterpolation &axis);
/// Rounds fractions (to nearest, ties to even) until all axes together have at most
/// `totalBits`, taking each bit from the last of those with most.
void narrowFractions(llvm::MutableArrayRef<AxisInterpolation> axes, unsigned totalBits);
/// The fraction bits of all axes together: accumulators are in units of 2^-this.
unsigned totalFractionBits(InterpolateOp op);

} // namespace dyadic::qnn

#endif // DYADIC_IR_INTERPOLATION_H
