// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the element types of the five levels are, and the one place that checks
// `!quant` types more strictly than upstream does.

#ifndef DYADIC_IR_TYPES_H
#define DYADIC_IR_TYPES_H

#include "dyadic/Support/Dyadic.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

namespace dyadic::qnn {

enum class Level { Float, Quantized, Integer };

/// f32, `!quant.uniform` or an integer of the integer level.
bool isElementType(mlir::Type type);
/// ui8, si8, ui16, si16 or si32.
bool isIntegerElementType(mlir::Type type);
/// ui8, si8, ui16 or si16: what a value (not an accumulator) is stored as.
bool isStorageType(mlir::Type type);
/// The level of a shaped type whose element type is one of the dialect's.
Level levelOf(mlir::Type shapedType);

/// The scales, zero point, width and axis of a uniform type, per tensor or per axis.
struct QuantInfo {
  llvm::SmallVector<double> scales; // one, or one a position along `axis`
  int64_t zeroPoint = 0;            // the same for all positions
  int axis = -1;                    // -1: per tensor
  unsigned bits = 8;
  bool isSigned = false;
  int64_t min = 0, max = 255; // of the stored numbers
};

/// Nothing for a type that is not uniform (per tensor or per axis) or whose zero
/// points differ.
std::optional<QuantInfo> quantInfo(mlir::Type elementType);

/// `!quant.uniform` with `f32` as expressed type, per tensor.
mlir::quant::UniformQuantizedType perTensorType(mlir::MLIRContext *context, unsigned bits, bool isSigned, float scale,
                                                int64_t zeroPoint);
/// `!quant.uniform`, symmetric (zero point 0), signed and per axis, with stored
/// numbers in [min, max].
mlir::quant::UniformQuantizedPerAxisType symmetricPerAxisType(mlir::MLIRContext *context, unsigned bits,
                                                              llvm::ArrayRef<double> scales, int axis, int64_t min,
                                                              int64_t max);

/// An accumulator's quantized type: 32 bits, signed.
bool isAccumulatorType(mlir::Type elementType);

/// The integer-level type that stores `elementType` (a `!quant` type): ui8 or si8 up
/// to 8 bits, ui16 or si16 up to 16, si32.
mlir::IntegerType storageType(mlir::Type elementType);

/// An integer-level element type's range of stored numbers.
StorageRange integerRange(mlir::Type integerElementType);

/// Checks what upstream does not: zero points inside of the storage range, one
/// scale a position of the axis, widths of 2 to 16 bits or 32. Other types pass.
mlir::LogicalResult verifyQuantizedType(llvm::function_ref<mlir::InFlightDiagnostic()> emitError,
                                        mlir::Type shapedType);

} // namespace dyadic::qnn

#endif // DYADIC_IR_TYPES_H
