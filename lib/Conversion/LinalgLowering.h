// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The lowering of one function to linalg: one method an operation, by kind in
// LowerElementwise.cpp, LowerFunctions.cpp, LowerInterpolation.cpp, LowerLinear.cpp, LowerPools.cpp and
// LowerShapes.cpp.

#ifndef DYADIC_LIB_CONVERSION_LINALGLOWERING_H
#define DYADIC_LIB_CONVERSION_LINALGLOWERING_H

#include "LinalgBuilder.h"
#include "dyadic/IR/Interpolation.h"
#include "dyadic/IR/Window.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace dyadic {

class LinalgLowering {
public:
  explicit LinalgLowering(mlir::func::FuncOp function) : function(function), builder(function.getContext()) {}
  mlir::LogicalResult run();

private:
  using Value = mlir::Value;

  // The driver and what all methods use (LowerToLinalg.cpp). `old` values are those
  // of the qnn operations.
  mlir::LogicalResult lower(mlir::Operation *op);
  Value lowerOp(mlir::Operation *op);
  /// Stored flat: LLVM builds an array of many dimensions from one object a row.
  Value lower(mlir::arith::ConstantOp op);
  Value lower(mlir::tensor::EmptyOp op);
  /// A packed operation on signless integers.
  Value copySignless(mlir::Operation *op);
  Value of(Value old) { return values.lookup(old); }
  mlir::RankedTensorType typeOf(Value old);
  mlir::Type elementOf(Value old) { return typeOf(old).getElementType(); }
  bool isUnsigned(Value old) { return elementOf(old).isUnsignedInteger(); }
  bool isFloat(Value old) { return elementOf(old).isF32(); }
  mlir::AffineExpr dim(unsigned i) { return builder.getAffineDimExpr(i); }
  mlir::AffineMap map(unsigned dims, llvm::ArrayRef<mlir::AffineExpr> results);
  /// A scalar of the (signless) element type of `old`.
  Value scalar(mlir::Location location, Value old, double value);

  // Linear layers.
  Value lower(qnn::ConvOp op);
  Value lower(qnn::MatmulOp op);
  /// The parts that both layouts of a convolution share.
  struct ConvShape;
  /// Loops over the spatial dimensions, the last innermost.
  Value lowerChannelsFirst(qnn::ConvOp op, const ConvShape &shape, Value x);
  /// Loops over filters or channels innermost.
  Value lowerChannelsLast(qnn::ConvOp op, const ConvShape &shape, Value x);
  /// The weights read in shape `from` and permuted, while compiling where they are constant.
  Value weightsAs(qnn::ConvOp op, llvm::ArrayRef<int64_t> from, llvm::ArrayRef<int64_t> permutation);
  /// acc + x * w in i32, or fused in f32.
  static Value accumulate(ScalarBuilder &s, Value x, bool isUnsignedX, Value w, Value sum);
  /// The result's start: the bias along dimension `axis`, or zeros.
  Value startFrom(mlir::Operation *op, Value bias, llvm::ArrayRef<int64_t> shape, unsigned axis);

  // Pools.
  Value lower(qnn::MaxPoolOp op);
  Value lower(qnn::AvgPoolOp op);
  /// Reduces every window of `input`, padded with `border`, into `start`.
  Value reduceWindows(mlir::Location location, Value input, const qnn::Window &window, Value border, Value start,
                      BodyBuilder body);

  // Interpolation.
  Value lower(qnn::InterpolateOp op);
  /// One dimension of it; `first` sees an element of `input` before it is weighted.
  Value interpolate(mlir::Location location, Value input, const qnn::AxisInterpolation &axis, mlir::Type element,
                    llvm::function_ref<Value(ScalarBuilder &, Value)> first);

  // Element-wise operations.
  Value lower(qnn::ReluOp op) { return clip(op, 0.0f, INFINITY); }
  Value lower(qnn::ClipOp op) { return clip(op, op.getMin().convertToFloat(), op.getMax().convertToFloat()); }
  Value lower(qnn::AddOp op);
  Value lower(qnn::SubOp op);
  Value lower(qnn::MulOp op);
  Value lower(qnn::PReluOp op);
  Value lower(qnn::RequantizeOp op);
  /// Clamping first makes every number small, so that adding 1.5 * 2^23 rounds to
  /// nearest even in the lowest bits of the float: no libm, no rounding mode.
  Value lower(qnn::QuantizeOp op);
  Value lower(qnn::DequantizeOp op);
  Value clip(mlir::Operation *op, float low, float high);
  /// clamp(zero point + value) as the stored type.
  static Value finish(ScalarBuilder &s, Value value, int64_t zeroPoint, llvm::ArrayRef<int64_t> clamp,
                      mlir::RankedTensorType type);
  /// x - zero point in i64; `old` tells x's sign.
  Value difference(ScalarBuilder &s, Value x, Value old, int64_t zeroPoint);

  // Functions (float programs call no libm) and softmax.
  Value lower(qnn::MapOp op);
  Value lower(qnn::TableOp op);
  Value lower(qnn::SoftmaxOp op);
  /// Dyadic.h's softmaxQuotient, unrolled.
  static Value softmaxQuotient(ScalarBuilder &s, Value weight, Value sum);

  // Shape operations.
  Value lower(qnn::ReshapeOp op);
  Value lower(qnn::PadOp op);
  Value lower(qnn::ConcatOp op);
  Value lower(qnn::TransposeOp op);
  Value lower(qnn::SliceOp op);
  Value lower(qnn::GatherOp op);
  /// `input` with dimension `permutation[i]` as dimension `i`.
  Value transpose(mlir::Location location, Value input, llvm::ArrayRef<int64_t> permutation);
  /// A copy whose element `d` of the result of `op` is element `source(d)` of `input`.
  Value copyFrom(mlir::Operation *op, Value input, llvm::ArrayRef<mlir::AffineExpr> source);

  mlir::func::FuncOp function;
  mlir::OpBuilder builder;
  llvm::DenseMap<Value, Value> values;                 // old value -> lowered value
  llvm::DenseMap<Value, mlir::RankedTensorType> types; // of arguments, before they became signless
};

} // namespace dyadic

#endif // DYADIC_LIB_CONVERSION_LINALGLOWERING_H
