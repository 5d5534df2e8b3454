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

Value LinalgLowering::gather(Operation *op, ArrayRef<AffineExpr> source) {
  auto type = signless(typeOf(op->getResult(0)));
  unsigned rank = type.getRank();
  return buildGeneric(builder, op->getLoc(), of(op->getOperand(0)),
                      buildEmpty(builder, op->getLoc(), type.getShape(), type.getElementType()),
                      {map(rank, source), builder.getMultiDimIdentityMap(rank)}, std::string(rank, 'p'),
                      [](ScalarBuilder &, ValueRange a) { return a[0]; });
}

Value LinalgLowering::lower(TransposeOp op) {
  SmallVector<AffineExpr> source(op.getPermutation().size());
  for (auto [i, p] : llvm::enumerate(op.getPermutation()))
    source[p] = dim(i);
  return gather(op, source);
}

Value LinalgLowering::lower(SliceOp op) {
  SmallVector<AffineExpr> source;
  for (auto [d, offset, step] : llvm::enumerate(op.getOffsets(), op.getSteps()))
    source.push_back(typeOf(op.getOutput()).getDimSize(d) == 1 ? builder.getAffineConstantExpr(offset)
                                                               : dim(d) * step + offset);
  return gather(op, source);
}

} // namespace dyadic
