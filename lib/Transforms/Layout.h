// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order in which the dimensions of a tensor are stored, and how operations carry it
// from operands to results.

#ifndef DYADIC_LIB_TRANSFORMS_LAYOUT_H
#define DYADIC_LIB_TRANSFORMS_LAYOUT_H

#include "dyadic/IR/QnnDialect.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace dyadic {

/// Stored dimension `i` is dimension `layout[i]` of the tensor.
using Layout = llvm::SmallVector<int64_t, 6>;

Layout identityLayout(int64_t rank);
/// [0, 2, ..., rank - 1, 1], for a rank of 2 or more.
Layout channelsLastLayout(int64_t rank);
/// Where each dimension is stored.
Layout inverseLayout(llvm::ArrayRef<int64_t> layout);
/// True where both store the elements of a tensor of shape `shape` in one order: they
/// differ in dimensions of size 1 alone.
bool storeAlike(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b);
/// The type of the stored tensor.
mlir::RankedTensorType storedType(mlir::RankedTensorType type, llvm::ArrayRef<int64_t> layout);

/// The number of leading operands that have the layout of the operation; the others are parameters.
unsigned numLaidOut(mlir::Operation *op);
/// The layout of the result of `op` where its operands have layout `operand`, which the operation then works
/// in by rewriteAxes (a transpose or reshape moves nothing at all); nothing where it cannot.
std::optional<Layout> layoutAfter(mlir::Operation *op, llvm::ArrayRef<int64_t> operand);
/// The layout of the operands that gives the result layout `result`; nothing where there is none.
std::optional<Layout> layoutBefore(mlir::Operation *op, llvm::ArrayRef<int64_t> result);
/// Rewrites the attributes of `op`, other than a transpose or reshape, for operands of layout `layout`.
void rewriteAxes(mlir::Operation *op, llvm::ArrayRef<int64_t> layout);

} // namespace dyadic

#endif // DYADIC_LIB_TRANSFORMS_LAYOUT_H
