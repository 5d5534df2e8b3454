// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The element types of tensors in memory and their MLIR types: the one place
// where the ABI's numbers and the IR's types meet.

#ifndef DYADIC_IR_TENSORTYPES_H
#define DYADIC_IR_TENSORTYPES_H

#include "dyadic/Support/Tensor.h"
#include "mlir/IR/BuiltinTypes.h"
#include <optional>

namespace dyadic {

/// What an element of MLIR type `type` is in memory: f32, f64, siN and uiN of 8, 16,
/// 32 or 64 bits, i1 (bool). Nothing for all other types, signless and `!quant` ones
/// among them: neither says what a stored number means.
std::optional<ElementType> elementTypeOf(mlir::Type type);

/// The MLIR type that elementTypeOf maps to `type`.
mlir::Type mlirType(ElementType type, mlir::MLIRContext *context);

} // namespace dyadic

#endif // DYADIC_IR_TENSORTYPES_H
