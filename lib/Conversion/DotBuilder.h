// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The multiplication of blocks of input by blocks of weights, in the target's dot instructions.

#ifndef DYADIC_LIB_CONVERSION_DOTBUILDER_H
#define DYADIC_LIB_CONVERSION_DOTBUILDER_H

#include "PackedEpilogue.h"
#include "VectorBuilder.h"

namespace dyadic {

/// 4 bytes of input times the weights of as many channels as a register has sums.
class DotBuilder {
public:
  using Value = mlir::Value;
  /// VNNI has instructions for `lanes` sums, 8 or 16; all others are for 8.
  DotBuilder(VectorBuilder &b, qnn::Dot dot, bool flip, int64_t lanes);

  const int64_t lanes;

  /// The 4 bytes at `pointer` in every 32-bit lane.
  Value input(Value pointer);
  /// `sum` plus the products of a group, `xs` and `ws` as vectors of 32-bit lanes. With `maddubs`, `factors` multiply
  /// the sums of the group as in addGroup().
  Value accumulate(Value sum, llvm::ArrayRef<Value> xs, llvm::ArrayRef<Value> ws, Value factors = {});

  /// With `maddubs`, the sums of a group by themselves: 16 lanes of 16 bits, two a channel.
  Value emptyGroup();
  Value addToGroup(Value group, llvm::ArrayRef<Value> xs, llvm::ArrayRef<Value> ws);
  /// `sum` plus the two lanes of each channel, times those of `factors` where there are any.
  Value addGroup(Value sum, Value group, Value factors = {});

private:
  VectorBuilder &b;
  qnn::Dot dot;
  bool flip;
  Value ones;
};

} // namespace dyadic

#endif // DYADIC_LIB_CONVERSION_DOTBUILDER_H
