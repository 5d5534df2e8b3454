// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bodies of packed kernels, in the LLVM dialect: explicit vectors and the target's
// dot instructions, because no general vectoriser finds them.

#ifndef DYADIC_LIB_CONVERSION_PACKEDKERNELS_H
#define DYADIC_LIB_CONVERSION_PACKEDKERNELS_H

#include "dyadic/IR/QnnDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace dyadic {

/// Fills the body of `kernel`, whose arguments are pointers to the operands of `op` in their
/// order. Operands are buffers whose last dimension is contiguous; the input is contiguous.
void buildPackedConv(mlir::LLVM::LLVMFuncOp kernel, qnn::PackedConvOp op);
void buildPackedDepthwise(mlir::LLVM::LLVMFuncOp kernel, qnn::PackedDepthwiseOp op);

} // namespace dyadic

#endif // DYADIC_LIB_CONVERSION_PACKEDKERNELS_H
