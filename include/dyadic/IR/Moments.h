// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a folded batch normalization says of a layer's value: the attribute `qnn.moments` of convolutions and matmuls.

#ifndef DYADIC_IR_MOMENTS_H
#define DYADIC_IR_MOMENTS_H

#include "mlir/IR/Operation.h"

namespace dyadic {

inline constexpr llvm::StringLiteral kMomentsAttr = "qnn.moments";

/// Of a layer's value on the training data: the mean and the standard deviation of every output channel.
struct ValueMoments {
  llvm::SmallVector<double> means, deviations;
};

/// The attribute's numbers: all means, then all deviations. No channels stand for no attribute.
ValueMoments readMoments(mlir::Operation *layer);
void writeMoments(mlir::Operation *layer, const ValueMoments &moments);

/// An error unless `attribute` has, for each output channel of `op`, a finite mean and a finite deviation of at least
/// 0.
mlir::LogicalResult verifyMoments(mlir::Operation *op, mlir::Attribute attribute);

} // namespace dyadic

#endif // DYADIC_IR_MOMENTS_H
