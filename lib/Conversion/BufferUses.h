// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Buffers and their views: which memory a value is a part of, and who uses it.

#ifndef DYADIC_LIB_CONVERSION_BUFFERUSES_H
#define DYADIC_LIB_CONVERSION_BUFFERUSES_H

#include "dyadic/Support/StridedLayout.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace dyadic {

/// The buffer that `value` is a view of: an argument or what allocates. A `memref.view` of the workspace is a
/// buffer of its own, because the planner keeps live buffers apart.
mlir::Value bufferOf(mlir::Value value);

/// Where the elements of `value` lie in its buffer; nothing where that is known only when the program runs.
std::optional<StridedLayout> layoutOf(mlir::Value value);

/// The address of the first element of `value`, whose layout is static, as an LLVM pointer.
mlir::Value addressOf(mlir::OpBuilder &builder, mlir::Location location, mlir::Value value);

/// Uses of `buffer` and of all its views by what is no view.
llvm::SmallVector<mlir::OpOperand *> usesOf(mlir::Value buffer);

/// True where no other of `values` is a part of the same buffer as number `i`.
bool isAlone(mlir::ValueRange values, size_t i);

/// The numbers of a constant buffer, or nothing.
std::optional<std::vector<int64_t>> constantOf(mlir::Value buffer);

} // namespace dyadic

#endif // DYADIC_LIB_CONVERSION_BUFFERUSES_H
