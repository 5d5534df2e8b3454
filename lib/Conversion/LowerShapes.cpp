// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LinalgLowering.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

Value LinalgLowering::lower(ReshapeOp op) {
  return buildReshape(builder, op.getLoc(), of(op.getInput()), typeOf(op.getOutput()).getShape());
}

Value LinalgLowering::lower(PadOp op) {
  double border = isFloat(op.getInput()) ? op.getValue().convertToDouble()
                                         : static_cast<double>(static_cast<int64_t>(*op.getXZp()));
  return buildPadded(builder, op.getLoc(), of(op.getInput()), op.getLow(), op.getHigh(),
                     scalar(op.getLoc(), op.getInput(), border));
}

Value LinalgLowering::lower(ConcatOp op) {
  auto type = signless(typeOf(op.getOutput()));
  Value result = buildEmpty(builder, op.getLoc(), type.getShape(), type.getElementType());
  SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0)),
      strides(type.getRank(), builder.getIndexAttr(1));
  int64_t first = 0, axis = static_cast<int64_t>(op.getAxis());
  for (Value input : op.getInputs()) {
    SmallVector<OpFoldResult> sizes;
    for (int64_t size : typeOf(input).getShape())
      sizes.push_back(builder.getIndexAttr(size));
    offsets[axis] = builder.getIndexAttr(first);
    result = tensor::InsertSliceOp::create(builder, op.getLoc(), of(input), result, offsets, sizes, strides);
    first += typeOf(input).getDimSize(axis);
  }
  return result;
}

Value LinalgLowering::copyFrom(Operation *op, Value input, ArrayRef<AffineExpr> source) {
  auto type = signless(typeOf(op->getResult(0)));
  unsigned rank = type.getRank();
  return buildGeneric(builder, op->getLoc(), input,
                      buildEmpty(builder, op->getLoc(), type.getShape(), type.getElementType()),
                      {map(rank, source), builder.getMultiDimIdentityMap(rank)}, std::string(rank, 'p'),
                      [](ScalarBuilder &, ValueRange a) { return a[0]; });
}

Value LinalgLowering::transpose(Location location, Value input, ArrayRef<int64_t> permutation) {
  auto type = cast<RankedTensorType>(input.getType());
  SmallVector<AffineExpr> source(type.getRank());
  SmallVector<int64_t> shape;
  for (auto [i, p] : llvm::enumerate(permutation)) {
    source[p] = dim(i);
    shape.push_back(type.getDimSize(p));
  }
  return buildGeneric(builder, location, input, buildEmpty(builder, location, shape, type.getElementType()),
                      {map(type.getRank(), source), builder.getMultiDimIdentityMap(type.getRank())},
                      std::string(type.getRank(), 'p'), [](ScalarBuilder &, ValueRange a) { return a[0]; });
}

Value LinalgLowering::lower(TransposeOp op) { return transpose(op.getLoc(), of(op.getInput()), op.getPermutation()); }

/// Forward steps are a part of the operand; what is left to reverse is a gather, whose
/// map then has a bare dimension only where both sides have the same size.
Value LinalgLowering::lower(SliceOp op) {
  RankedTensorType input = typeOf(op.getInput()), output = typeOf(op.getOutput());
  SmallVector<OpFoldResult> offsets, sizes, steps;
  SmallVector<int64_t> shape;
  SmallVector<AffineExpr> source;
  for (auto [d, offset, step] : llvm::enumerate(op.getOffsets(), op.getSteps())) {
    bool isForward = step > 0 || output.getDimSize(d) == 1;
    offsets.push_back(builder.getIndexAttr(isForward ? offset : 0));
    steps.push_back(builder.getIndexAttr(isForward ? std::max<int64_t>(step, 1) : 1));
    shape.push_back(isForward ? output.getDimSize(d) : input.getDimSize(d));
    sizes.push_back(builder.getIndexAttr(shape.back()));
    source.push_back(isForward ? dim(d) : dim(d) * step + offset);
  }
  Value part = tensor::ExtractSliceOp::create(builder, op.getLoc(), of(op.getInput()), offsets, sizes, steps);
  if (ArrayRef<int64_t>(shape) == output.getShape() &&
      llvm::all_of(source, [](AffineExpr e) { return isa<AffineDimExpr>(e); }))
    return part;
  return copyFrom(op, part, source);
}

Value LinalgLowering::lower(GatherOp op) {
  auto type = signless(typeOf(op.getOutput()));
  unsigned rank = type.getRank(), axis = op.getAxis();
  Value input = of(op.getInput()), indices = buildIndexTable(builder, op.getLoc(), op.getIndices());
  return buildGeneric(builder, op.getLoc(), indices,
                      buildEmpty(builder, op.getLoc(), type.getShape(), type.getElementType()),
                      {map(rank, {dim(axis)}), builder.getMultiDimIdentityMap(rank)}, std::string(rank, 'p'),
                      [&](ScalarBuilder &s, ValueRange a) { return buildElementAt(s, input, axis, a[0]); });
}

} // namespace dyadic
