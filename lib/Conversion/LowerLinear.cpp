// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LinalgLowering.h"
#include "dyadic/IR/Constants.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

Value LinalgLowering::accumulate(ScalarBuilder &s, Value x, bool isUnsignedX, Value w, Value sum) {
  if (isa<FloatType>(x.getType()))
    return math::FmaOp::create(s.builder, s.location, x, w, sum);
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

struct LinalgLowering::ConvShape {
  int64_t batch, groups, filters, depth;                          // filters and channels of one group
  SmallVector<int64_t> input, output, kernel, strides, dilations; // input with its border

  size_t rank() const { return kernel.size(); }
  /// `front`, `space`, `back`.
  static SmallVector<int64_t> join(ArrayRef<int64_t> front, ArrayRef<int64_t> space, ArrayRef<int64_t> back = {}) {
    SmallVector<int64_t> result(front);
    llvm::append_range(result, space);
    llvm::append_range(result, back);
    return result;
  }
};

Value LinalgLowering::lower(ConvOp op) {
  Location location = op.getLoc();
  Window window = windowOf(op);
  RankedTensorType weights = typeOf(op.getWeights());
  int64_t batch = typeOf(op.getInput()).getDimSize(0), groups = op.getGroup();
  ConvShape shape{batch,
                  groups,
                  weights.getDimSize(0) / groups,
                  weights.getDimSize(1),
                  {},
                  window.output,
                  window.kernel,
                  window.strides,
                  window.dilations};
  SmallVector<int64_t> low(window.rank() + 2, 0), high(low);
  for (size_t d = 0; d < window.rank(); ++d) {
    low[window.dimension(d)] = window.padBegin[d];
    high[window.dimension(d)] = window.padEnd[d];
    shape.input.push_back(window.input[d] + window.padBegin[d] + window.padEnd[d]);
  }
  Value x =
      buildPadded(builder, location, of(op.getInput()), low, high,
                  scalar(location, op.getInput(), static_cast<double>(static_cast<int64_t>(op.getXZp().value_or(0)))));
  // A pointwise convolution has one long spatial dimension.
  if (window.volume() == 1 && llvm::all_of(window.strides, [](int64_t s) { return s == 1; })) {
    int64_t all = 1;
    for (int64_t d : shape.input)
      all *= d;
    shape.input = shape.output = {all};
    shape.kernel = shape.strides = shape.dilations = {1};
  }
  Value y = window.channelsLast ? lowerChannelsLast(op, shape, x) : lowerChannelsFirst(op, shape, x);
  return buildReshape(builder, location, y, typeOf(op.getOutput()).getShape());
}

Value LinalgLowering::lowerChannelsFirst(ConvOp op, const ConvShape &shape, Value x) {
  Location location = op.getLoc();
  size_t rank = shape.rank();
  x = buildReshape(builder, location, x, ConvShape::join({shape.batch, shape.groups, shape.depth}, shape.input));
  Value w = buildReshape(builder, location, of(op.getWeights()),
                         ConvShape::join({shape.groups, shape.filters, shape.depth}, shape.kernel));
  Value start =
      startFrom(op, op.getBias(), ConvShape::join({shape.batch, shape.groups * shape.filters}, shape.output), 1);
  start =
      buildReshape(builder, location, start, ConvShape::join({shape.batch, shape.groups, shape.filters}, shape.output));

  // Loops: n, g, o, all output dimensions but the last, kernel, channel, the last.
  unsigned dims = 4 + 2 * rank, firstOutput = 3, firstKernel = 3 + rank - 1, channel = firstKernel + rank,
           last = dims - 1;
  auto output = [&](size_t d) { return dim(d + 1 == rank ? last : firstOutput + d); };
  SmallVector<AffineExpr> xs{dim(0), dim(1), dim(channel)}, ws{dim(1), dim(2), dim(channel)},
      ys{dim(0), dim(1), dim(2)};
  for (size_t d = 0; d < rank; ++d) {
    xs.push_back(output(d) * shape.strides[d] + dim(firstKernel + d) * shape.dilations[d]);
    ws.push_back(dim(firstKernel + d));
    ys.push_back(output(d));
  }
  std::string loops = "ppp" + std::string(rank - 1, 'p') + std::string(1 + rank, 'r') + "p";
  bool isUnsignedX = isUnsigned(op.getInput());
  return buildGeneric(builder, location, {x, w}, start, {map(dims, xs), map(dims, ws), map(dims, ys)}, loops,
                      [=](ScalarBuilder &s, ValueRange a) { return accumulate(s, a[0], isUnsignedX, a[1], a[2]); });
}

/// Filters whose sums stay in registers: the largest divisor of `filters` that is a number
/// of vectors and not more; all of them where there is none.
static int64_t filterBlock(int64_t filters) {
  constexpr int64_t kVector = 8, kMost = 64;
  if (filters <= kMost)
    return filters;
  for (int64_t block = kMost; block > 0; block -= kVector)
    if (filters % block == 0)
      return block;
  return filters;
}

Value LinalgLowering::weightsAs(ConvOp op, ArrayRef<int64_t> from, ArrayRef<int64_t> permutation) {
  Location location = op.getLoc();
  SmallVector<int64_t> to;
  for (int64_t p : permutation)
    to.push_back(from[p]);
  ConstantView view(op.getWeights());
  if (!view)
    return transpose(location, buildReshape(builder, location, of(op.getWeights()), from), permutation);
  // Flat, as every constant.
  auto flat = RankedTensorType::get({view.size()}, signless(op.getWeights().getType()).getElementType());
  return buildReshape(builder, location, makeConstant(builder, location, transposed(view, from, permutation, flat)),
                      to);
}

Value LinalgLowering::lowerChannelsLast(ConvOp op, const ConvShape &shape, Value x) {
  Location location = op.getLoc();
  size_t rank = shape.rank();
  bool isReal = isFloat(op.getInput()), isUnsignedX = isUnsigned(op.getInput());
  bool isDepthwise = shape.depth == 1 && shape.filters == 1;
  int64_t filters = isDepthwise ? shape.groups : shape.filters, block = filterBlock(filters);

  // Loops by name: g(roup), b(lock of filters), f(ilter), c(hannel), o(utput) and k(ernel). The last one vectorises.
  // A float sum always runs over kernel positions, then channels. A depthwise filter is its group and its channel.
  constexpr int64_t kFew = 8;
  StringRef order = "gbokcf", ofWeights = "gbfck", ofInput = "gc", ofOutput = "gbf";
  if (isDepthwise)
    order = "obkf", ofWeights = "bfk", ofInput = ofOutput = "bf";
  else if (shape.depth == 1 && shape.groups > 1)
    order = "okcgbf";
  else if (!isReal && shape.filters < kFew && shape.depth >= kFew)
    order = "gbofkc";
  auto size = [&](char loop) {
    return loop == 'g' ? shape.groups : loop == 'b' ? filters / block : loop == 'f' ? block : shape.depth;
  };
  unsigned next = 1; // after the samples
  llvm::SmallDenseMap<char, unsigned> at;
  std::string loops = "p";
  SmallVector<int64_t> permutation;
  for (char loop : order) {
    unsigned count = loop == 'k' || loop == 'o' ? rank : 1;
    at[loop] = next;
    next += count;
    loops.append(count, loop == 'c' || loop == 'k' ? 'r' : 'p');
    if (size_t dimension = ofWeights.find(loop); dimension != StringRef::npos)
      for (unsigned d = 0; d < count; ++d)
        permutation.push_back(dimension + d);
  }

  SmallVector<AffineExpr> all, xs{dim(0)}, ws, ys{dim(0)};
  SmallVector<int64_t> weights, input, output;
  for (char loop : ofWeights.drop_back()) {
    all.push_back(dim(at[loop]));
    weights.push_back(size(loop));
  }
  for (size_t d = 0; d < rank; ++d) {
    all.push_back(dim(at['k'] + d));
    xs.push_back(dim(at['o'] + d) * shape.strides[d] + dim(at['k'] + d) * shape.dilations[d]);
    ys.push_back(dim(at['o'] + d));
  }
  for (char loop : ofInput) {
    xs.push_back(dim(at[loop]));
    input.push_back(size(loop));
  }
  for (char loop : ofOutput) {
    ys.push_back(dim(at[loop]));
    output.push_back(size(loop));
  }
  for (int64_t p : permutation)
    ws.push_back(all[p]);

  x = buildReshape(builder, location, x, ConvShape::join({shape.batch}, shape.input, input));
  Value w = weightsAs(op, ConvShape::join(weights, shape.kernel), permutation);
  Value start = startFrom(op, op.getBias(),
                          ConvShape::join({shape.batch}, shape.output, {shape.groups * shape.filters}), rank + 1);
  start = buildReshape(builder, location, start, ConvShape::join({shape.batch}, shape.output, output));
  return buildGeneric(builder, location, {x, w}, start, {map(next, xs), map(next, ws), map(next, ys)}, loops,
                      [=](ScalarBuilder &s, ValueRange a) { return accumulate(s, a[0], isUnsignedX, a[1], a[2]); });
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
