// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bodies of packed kernels, in the LLVM dialect: explicit vectors and the target's
// dot instructions, because no general vectoriser finds them.

#ifndef DYADIC_LIB_CONVERSION_PACKEDKERNELS_H
#define DYADIC_LIB_CONVERSION_PACKEDKERNELS_H

#include "KernelWork.h"
#include "PanelWeights.h"
#include "dyadic/IR/QnnDialect.h"

namespace dyadic {

KernelWork workOf(qnn::PackedConvOp op);
KernelWork workOf(qnn::PackedWinogradOp op);
KernelWork workOf(qnn::WinogradInputOp op);
KernelWork workOf(qnn::PackedDepthwiseOp op);
KernelWork workOf(qnn::PackedFloatConvOp op);
KernelWork workOf(qnn::PackedFloatDepthwiseOp op);

/// Builds the kernel of `op` into a function whose `arguments` are pointers to the operands, in
/// their order; `ranges` are what it makes of the loops of `workOf(op)`; `scratch` points to `scratchBytes(op)`
/// bytes, or is null where that is 0; `lanes` are the sums of a register of dot instructions. Operands are buffers
/// whose last dimension is contiguous; the input is contiguous.
void buildPackedConv(VectorBuilder &b, mlir::ValueRange arguments, mlir::Value scratch, llvm::ArrayRef<Range> ranges,
                     qnn::PackedConvOp op, int64_t lanes);
void buildPackedWinograd(VectorBuilder &b, mlir::ValueRange arguments, mlir::Value scratch,
                         llvm::ArrayRef<Range> ranges, qnn::PackedWinogradOp op, int64_t lanes);
void buildWinogradInput(VectorBuilder &b, mlir::ValueRange arguments, llvm::ArrayRef<Range> ranges,
                        qnn::WinogradInputOp op);
void buildPackedDepthwise(VectorBuilder &b, mlir::ValueRange arguments, llvm::ArrayRef<Range> ranges,
                          qnn::PackedDepthwiseOp op);
void buildPackedFloatConv(VectorBuilder &b, mlir::ValueRange arguments, llvm::ArrayRef<Range> ranges,
                          qnn::PackedFloatConvOp op);
void buildPackedFloatDepthwise(VectorBuilder &b, mlir::ValueRange arguments, llvm::ArrayRef<Range> ranges,
                               qnn::PackedFloatDepthwiseOp op);

} // namespace dyadic

#endif // DYADIC_LIB_CONVERSION_PACKEDKERNELS_H
