// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LinalgLowering.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

Value LinalgLowering::accumulate(ScalarBuilder &s, Value x, bool isUnsignedX, Value w, Value sum) {
  if (isa<FloatType>(x.getType()))
    return s.add(sum, s.multiply(x, w));
  return s.add(sum, s.multiply(s.extend(x, isUnsignedX, 32), s.extend(w, false, 32)));
}

Value LinalgLowering::startFrom(Operation *op, Value bias, ArrayRef<int64_t> shape, unsigned axis) {
  Type element = signless(op->getResult(0).getType()).getElementType();
  if (!bias)
    return buildFilled(builder, op->getLoc(), shape, scalar(op->getLoc(), op->getResult(0), 0));
  unsigned rank = shape.size();
  return buildGeneric(builder, op->getLoc(), of(bias), buildEmpty(builder, op->getLoc(), shape, element),
                      {map(rank, {dim(axis)}), builder.getMultiDimIdentityMap(rank)}, std::string(rank, 'p'),
                      [](ScalarBuilder &, ValueRange arguments) { return arguments[0]; });
}

Value LinalgLowering::lower(ConvOp op) {
  Location location = op.getLoc();
  Window window = windowOf(op);
  size_t rank = window.rank();
  SmallVector<int64_t> low(2, 0), high(2, 0);
  llvm::append_range(low, window.padBegin);
  llvm::append_range(high, window.padEnd);
  Value x =
      buildPadded(builder, location, of(op.getInput()), low, high,
                  scalar(location, op.getInput(), static_cast<double>(static_cast<int64_t>(op.getXZp().value_or(0)))));
  SmallVector<int64_t> inputSpace(cast<RankedTensorType>(x.getType()).getShape().drop_front(2));
  // A pointwise convolution has one long spatial dimension.
  bool pointwise = window.volume() == 1 && llvm::all_of(window.strides, [](int64_t s) { return s == 1; });
  SmallVector<int64_t> outputSpace = window.output, kernel = window.kernel, strides = window.strides,
                       dilations = window.dilations;
  if (pointwise && rank > 1) {
    int64_t all = 1;
    for (int64_t d : inputSpace)
      all *= d;
    inputSpace = outputSpace = {all};
    kernel = strides = dilations = {1};
    rank = 1;
  }
  int64_t batch = typeOf(op.getInput()).getDimSize(0), groups = op.getGroup();
  int64_t filters = typeOf(op.getWeights()).getDimSize(0), depth = typeOf(op.getWeights()).getDimSize(1);
  auto shape = [&](ArrayRef<int64_t> front, ArrayRef<int64_t> space) {
    SmallVector<int64_t> result(front);
    llvm::append_range(result, space);
    return result;
  };
  x = buildReshape(builder, location, x, shape({batch, groups, depth}, inputSpace));
  Value w = buildReshape(builder, location, of(op.getWeights()), shape({groups, filters / groups, depth}, kernel));
  Value start = startFrom(op, op.getBias(), shape({batch, filters}, outputSpace), 1);
  start = buildReshape(builder, location, start, shape({batch, groups, filters / groups}, outputSpace));

  // Loops: n, g, o, all output dimensions but the last, channel, kernel, the last.
  unsigned dims = 4 + 2 * rank, firstOutput = 3, channel = 3 + rank - 1, firstKernel = channel + 1, last = dims - 1;
  auto output = [&](size_t d) { return dim(d + 1 == rank ? last : firstOutput + d); };
  SmallVector<AffineExpr> xs{dim(0), dim(1), dim(channel)}, ws{dim(1), dim(2), dim(channel)},
      ys{dim(0), dim(1), dim(2)};
  for (size_t d = 0; d < rank; ++d) {
    xs.push_back(output(d) * strides[d] + dim(firstKernel + d) * dilations[d]);
    ws.push_back(dim(firstKernel + d));
    ys.push_back(output(d));
  }
  std::string loops = "ppp" + std::string(rank - 1, 'p') + std::string(1 + rank, 'r') + "p";
  bool isUnsignedX = isUnsigned(op.getInput());
  Value y = buildGeneric(builder, location, {x, w}, start, {map(dims, xs), map(dims, ws), map(dims, ys)}, loops,
                         [=](ScalarBuilder &s, ValueRange a) { return accumulate(s, a[0], isUnsignedX, a[1], a[2]); });
  return buildReshape(builder, location, y, typeOf(op.getOutput()).getShape());
}

Value LinalgLowering::lower(MatmulOp op) {
  Location location = op.getLoc();
  int64_t depth = typeOf(op.getWeights()).getDimSize(0), columns = typeOf(op.getWeights()).getDimSize(1);
  int64_t rows = typeOf(op.getInput()).getNumElements() / depth;
  Value x = buildReshape(builder, location, of(op.getInput()), {rows, depth});
  Value start = startFrom(op, op.getBias(), {rows, columns}, 1);
  bool isUnsignedX = isUnsigned(op.getInput());
  // Loops: row, depth, column.
  Value y = buildGeneric(builder, location, {x, of(op.getWeights())}, start,
                         {map(3, {dim(0), dim(1)}), map(3, {dim(1), dim(2)}), map(3, {dim(0), dim(2)})}, "prp",
                         [=](ScalarBuilder &s, ValueRange a) { return accumulate(s, a[0], isUnsignedX, a[1], a[2]); });
  return buildReshape(builder, location, y, typeOf(op.getOutput()).getShape());
}

} // namespace dyadic
