// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constants of any size through one door: up to 1 KiB they are `dense`, larger
// ones are dense resources, which upstream folders leave alone.

#ifndef DYADIC_IR_CONSTANTS_H
#define DYADIC_IR_CONSTANTS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Value.h"

namespace dyadic {

/// Reads a dense or dense resource attribute of any integer type of up to 64 bits,
/// or of f32, in row-major order.
class ConstantView {
public:
  /// Invalid where `attribute` is neither, or its blob is missing or too short.
  explicit ConstantView(mlir::Attribute attribute);
  /// The constant behind `value`: an `arith.constant`, or one under a `quant.scast`.
  explicit ConstantView(mlir::Value value);

  explicit operator bool() const { return static_cast<bool>(type); }
  mlir::ShapedType getType() const { return type; }
  int64_t size() const { return type.getNumElements(); }

  float floatAt(int64_t i) const;
  int64_t intAt(int64_t i) const;
  std::vector<float> floats() const;
  std::vector<int64_t> ints() const;

private:
  void read(mlir::Attribute attribute);
  mlir::ShapedType type;
  mlir::DenseElementsAttr dense; // or
  llvm::ArrayRef<char> blob;     // of a resource
  std::vector<int64_t> unpacked; // of dense integers
};

/// An attribute of tensor type `type` (f32 elements) over `values`.
mlir::ElementsAttr makeFloats(mlir::RankedTensorType type, llvm::ArrayRef<float> values);
/// An attribute of tensor type `type` (integer elements of any width up to 64) over `values`.
mlir::ElementsAttr makeInts(mlir::RankedTensorType type, llvm::ArrayRef<int64_t> values);

/// For every element of a tensor of shape `shape` after its dimensions were permuted (dimension `i` of the result is
/// dimension `permutation[i]`), in order, the offset that it had before.
std::vector<int64_t> transposedOffsets(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> permutation);
/// The elements of `view`, read in shape `shape` and permuted, as an attribute of type `type`, of as many
/// elements of the same width and any shape.
mlir::ElementsAttr transposed(const ConstantView &view, llvm::ArrayRef<int64_t> shape,
                              llvm::ArrayRef<int64_t> permutation, mlir::RankedTensorType type);

/// `arith.constant` of the attribute.
mlir::Value makeConstant(mlir::OpBuilder &builder, mlir::Location location, mlir::ElementsAttr attribute);

/// An `i32` tensor attribute: rank 0 for one value; else [n, 1, ..., 1], so that it
/// broadcasts along dimension `axis` of a result of rank `rank`. `qnn.requantize`
/// and `qnn.add` take such attributes.
mlir::DenseIntElementsAttr broadcastInts(mlir::MLIRContext *context, llvm::ArrayRef<int32_t> values, int axis,
                                         int64_t rank);
mlir::DenseElementsAttr broadcastFloats(mlir::MLIRContext *context, llvm::ArrayRef<float> values, int axis,
                                        int64_t rank);

/// True where `from` broadcasts to `to` by NumPy's rule (aligned at the last dimension).
bool broadcastsTo(llvm::ArrayRef<int64_t> from, llvm::ArrayRef<int64_t> to);

} // namespace dyadic

#endif // DYADIC_IR_CONSTANTS_H
