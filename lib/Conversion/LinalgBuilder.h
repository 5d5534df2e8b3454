// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small helpers that keep the lowering of an operation to a few lines.

#ifndef DYADIC_LIB_CONVERSION_LINALGBUILDER_H
#define DYADIC_LIB_CONVERSION_LINALGBUILDER_H

#include "dyadic/Conversion/Passes.h"
#include "dyadic/IR/QnnDialect.h"

namespace dyadic {

/// The same type on signless integers.
mlir::RankedTensorType signless(mlir::Type type);

/// Scalar arithmetic inside of a linalg body, or constants outside of one.
struct ScalarBuilder {
  mlir::OpBuilder &builder;
  mlir::Location location;

  mlir::Value integer(int64_t value, unsigned width);
  mlir::Value real(float value);
  /// Extends to `width` bits, as unsigned or signed.
  mlir::Value extend(mlir::Value value, bool isUnsigned, unsigned width);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value subtract(mlir::Value a, mlir::Value b);
  mlir::Value multiply(mlir::Value a, mlir::Value b);
  /// x < y ? ifLess : otherwise.
  mlir::Value selectLess(mlir::Value x, mlir::Value y, mlir::Value ifLess, mlir::Value otherwise);
  mlir::Value clamp(mlir::Value value, int64_t low, int64_t high);
  mlir::Value truncate(mlir::Value value, mlir::Type type);
  /// `value / 2^exponent` (both i64), rounded: Dyadic.h's shiftRounded.
  mlir::Value shiftRounded(mlir::Value value, mlir::Value exponent, qnn::Rounding rounding);
};

/// A constant attribute as an operand of an element-wise body: inlined where it is
/// one number, else an input with a broadcasting map.
class BroadcastOperands {
public:
  BroadcastOperands(mlir::OpBuilder &builder, mlir::Location location, int64_t rank)
      : builder(builder), location(location), rank(rank) {}
  /// Returns a handle for get().
  size_t add(mlir::DenseElementsAttr attribute);
  /// Operands and maps to append to a linalg.generic's inputs.
  llvm::SmallVector<mlir::Value> inputs;
  llvm::SmallVector<mlir::AffineMap> maps;
  /// The scalar of handle `h` inside of the body, whose block arguments for `inputs` start at `first`.
  mlir::Value get(size_t h, ScalarBuilder &scalars, mlir::ValueRange arguments, size_t first) const;

private:
  mlir::OpBuilder &builder;
  mlir::Location location;
  int64_t rank;
  struct Entry {
    mlir::DenseElementsAttr splat;
    size_t input = 0;
  };
  llvm::SmallVector<Entry> entries;
};

using BodyBuilder = llvm::function_ref<mlir::Value(ScalarBuilder &, mlir::ValueRange)>;

/// A linalg.generic with one result. `loops` has 'p' (parallel) or 'r' (reduction) for each loop.
mlir::Value buildGeneric(mlir::OpBuilder &builder, mlir::Location location, mlir::ValueRange inputs, mlir::Value output,
                         llvm::ArrayRef<mlir::AffineMap> maps, llvm::StringRef loops, BodyBuilder body);

/// An element-wise linalg.generic over `inputs` (of the result's rank; sizes of 1 repeat)
/// and `broadcast` (may be null); the body sees the scalars of both, in this order.
mlir::Value buildElementwise(mlir::OpBuilder &builder, mlir::Location location, mlir::ValueRange inputs,
                             mlir::RankedTensorType resultType, const BroadcastOperands *broadcast, BodyBuilder body);

mlir::Value buildEmpty(mlir::OpBuilder &builder, mlir::Location location, llvm::ArrayRef<int64_t> shape,
                       mlir::Type element);
mlir::Value buildFilled(mlir::OpBuilder &builder, mlir::Location location, llvm::ArrayRef<int64_t> shape,
                        mlir::Value scalar);
/// `value` with a border of `scalar`.
mlir::Value buildPadded(mlir::OpBuilder &builder, mlir::Location location, mlir::Value value,
                        llvm::ArrayRef<int64_t> low, llvm::ArrayRef<int64_t> high, mlir::Value scalar);
/// A constant vector of 32-bit positions.
mlir::Value buildIndexTable(mlir::OpBuilder &builder, mlir::Location location, llvm::ArrayRef<int64_t> indices);
/// Inside of a linalg body: the element of `tensor` at the body's own position, but at
/// `position` (an integer) along dimension `axis`.
mlir::Value buildElementAt(ScalarBuilder &scalars, mlir::Value tensor, unsigned axis, mlir::Value position);
/// The same numbers in another static shape.
mlir::Value buildReshape(mlir::OpBuilder &builder, mlir::Location location, mlir::Value value,
                         llvm::ArrayRef<int64_t> shape);

} // namespace dyadic

#endif // DYADIC_LIB_CONVERSION_LINALGBUILDER_H
