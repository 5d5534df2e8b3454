// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LinalgLowering.h"
#include "dyadic/IR/Types.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

Value LinalgLowering::reduceWindows(Location location, Value input, const Window &window, Value border, Value start,
                                    BodyBuilder body) {
  size_t rank = window.rank();
  SmallVector<int64_t> low(rank + 2, 0), high(low);
  // Loops: n, c, output dimensions but the last, kernel, the last; or n, output, kernel, c.
  // An empty tensor gives the kernel's shape.
  unsigned dims = 2 + 2 * rank, firstKernel = 1 + rank, last = dims - 1, channel = window.channelsLast ? last : 1;
  SmallVector<AffineExpr> xs(rank + 2, dim(0)), ks, ys(xs);
  xs[window.channelDimension()] = ys[window.channelDimension()] = dim(channel);
  for (size_t d = 0; d < rank; ++d) {
    size_t at = window.dimension(d);
    low[at] = window.padBegin[d];
    high[at] = window.padEnd[d];
    AffineExpr output = window.channelsLast ? dim(1 + d) : dim(d + 1 == rank ? last : 2 + d);
    xs[at] = output * window.strides[d] + dim(firstKernel + d) * window.dilations[d];
    ks.push_back(dim(firstKernel + d));
    ys[at] = output;
  }
  Value x = buildPadded(builder, location, input, low, high, border);
  Value shape = buildEmpty(builder, location, window.kernel, builder.getI8Type());
  return buildGeneric(builder, location, {x, shape}, start, {map(dims, xs), map(dims, ks), map(dims, ys)},
                      std::string(1 + rank, 'p') + std::string(rank, 'r') + "p", body);
}

Value LinalgLowering::lower(MaxPoolOp op) {
  bool isReal = isFloat(op.getInput()), isUnsignedX = isUnsigned(op.getInput());
  double least = isReal ? -std::numeric_limits<double>::infinity()
                        : static_cast<double>(integerRange(elementOf(op.getInput())).min);
  Value border = scalar(op.getLoc(), op.getInput(), least);
  Value start = buildFilled(builder, op.getLoc(), typeOf(op.getOutput()).getShape(), border);
  return reduceWindows(op.getLoc(), of(op.getInput()), windowOf(op), border, start,
                       [=](ScalarBuilder &s, ValueRange a) -> Value {
                         if (isReal)
                           return arith::MaximumFOp::create(s.builder, s.location, a[2], a[0]);
                         if (isUnsignedX)
                           return arith::MaxUIOp::create(s.builder, s.location, a[2], a[0]);
                         return arith::MaxSIOp::create(s.builder, s.location, a[2], a[0]);
                       });
}

Value LinalgLowering::lower(AvgPoolOp op) {
  Location location = op.getLoc();
  bool isReal = isFloat(op.getInput()), isUnsignedX = isUnsigned(op.getInput());
  int64_t zeroPoint = static_cast<int64_t>(op.getXZp().value_or(0));
  Window window = windowOf(op);
  Value border = scalar(location, op.getInput(), static_cast<double>(zeroPoint));
  Value start = buildFilled(builder, location, typeOf(op.getOutput()).getShape(), scalar(location, op.getOutput(), 0));
  Value sum = reduceWindows(location, of(op.getInput()), window, border, start, [=](ScalarBuilder &s, ValueRange a) {
    if (isReal)
      return s.add(a[2], a[0]);
    return s.add(a[2], s.subtract(s.extend(a[0], isUnsignedX, 32), s.integer(zeroPoint, 32)));
  });
  if (!isReal)
    return sum;
  SmallVector<float> counts{1.0f};
  for (size_t d = 0; d < window.rank(); ++d) {
    SmallVector<float> next;
    for (float count : counts)
      for (int64_t o = 0; o < window.output[d]; ++o)
        next.push_back(count * static_cast<float>(window.countInside(d, o)));
    counts = next;
  }
  RankedTensorType type = typeOf(op.getOutput());
  BroadcastOperands broadcast(builder, location, type.getRank());
  SmallVector<int64_t> shape(window.output);
  if (window.channelsLast)
    shape.push_back(1);
  size_t count = broadcast.add(
      DenseElementsAttr::get(RankedTensorType::get(shape, builder.getF32Type()), ArrayRef<float>(counts)));
  return buildElementwise(builder, location, sum, type, &broadcast, [&](ScalarBuilder &s, ValueRange a) {
    return arith::DivFOp::create(s.builder, s.location, a[0], broadcast.get(count, s, a, 1));
  });
}

} // namespace dyadic
