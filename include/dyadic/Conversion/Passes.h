// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_CONVERSION_PASSES_H
#define DYADIC_CONVERSION_PASSES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace dyadic {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "dyadic/Conversion/Passes.h.inc"

/// From the float or the integer level to the LLVM dialect. The entry function then
/// takes one pointer an input, one a result and the workspace, in this order.
void buildLoweringPipeline(mlir::OpPassManager &manager);
/// Registers it as `quant-lower-to-llvm`.
void registerLoweringPipeline();

/// Attribute of the entry function: bytes of workspace for one sample.
inline constexpr llvm::StringLiteral kWorkspaceAttr = "dyadic.workspace";

/// Attribute of a kernel: the ids of the layers that it computes, several where it fuses them.
inline constexpr llvm::StringLiteral kLayersAttr = "dyadic.layers";

} // namespace dyadic

#endif // DYADIC_CONVERSION_PASSES_H
