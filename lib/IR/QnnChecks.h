// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What verifiers of several operations check.

#ifndef DYADIC_LIB_IR_QNNCHECKS_H
#define DYADIC_LIB_IR_QNNCHECKS_H

#include "dyadic/IR/QnnDialect.h"
#include "dyadic/IR/Window.h"

namespace dyadic::qnn {

inline mlir::RankedTensorType ranked(mlir::Value value) { return llvm::cast<mlir::RankedTensorType>(value.getType()); }

/// Static shapes without empty dimensions, quantized types that hold together, and
/// one level for all tensors in `values`.
mlir::LogicalResult verifyTensors(mlir::Operation *op, mlir::ValueRange values);

/// `x_zp` stands exactly at the integer level and is a stored number of `input`.
mlir::LogicalResult verifyZeroPoint(mlir::Operation *op, llvm::StringRef name, std::optional<uint64_t> zeroPoint,
                                    mlir::Value input);

/// A quantized value that somebody stores: one scale and at most 16 bits.
mlir::LogicalResult verifyValue(mlir::Operation *op, llvm::StringRef name, mlir::Value value);

/// Result of a window over an input of shape [N, C, ...] or [N, ..., C].
mlir::LogicalResult verifyWindow(mlir::Operation *op, mlir::RankedTensorType input, mlir::RankedTensorType output,
                                 llvm::ArrayRef<int64_t> kernel, llvm::ArrayRef<int64_t> strides,
                                 llvm::ArrayRef<int64_t> pads, llvm::ArrayRef<int64_t> dilations, bool mustTouchInput,
                                 llvm::function_ref<Window()> window);

mlir::LogicalResult verifyClamp(mlir::Operation *op, llvm::ArrayRef<int64_t> clamp, int64_t zeroPoint,
                                mlir::Type element);

mlir::LogicalResult verifyBroadcast(mlir::Operation *op, llvm::StringRef name, mlir::DenseElementsAttr attribute,
                                    mlir::RankedTensorType to);

/// m is 0 or in [2^30, 2^31) (any non-negative number for the smaller of two), e in [1, 62].
mlir::LogicalResult verifyMultiplier(mlir::Operation *op, llvm::StringRef name, mlir::DenseElementsAttr multiplier,
                                     bool normalised);

mlir::LogicalResult verifyExponent(mlir::Operation *op, llvm::StringRef name, mlir::DenseElementsAttr exponent);

mlir::LogicalResult verifyPassThrough(mlir::Operation *op, mlir::Value input, mlir::Value output);

mlir::LogicalResult verifyEntries(mlir::Operation *op, llvm::StringRef name, llvm::ArrayRef<int64_t> values,
                                  int64_t rank);

} // namespace dyadic::qnn

#endif // DYADIC_LIB_IR_QNNCHECKS_H
