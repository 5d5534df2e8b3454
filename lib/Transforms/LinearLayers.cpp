// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LinearLayers.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/Types.h"
#include "dyadic/IR/Window.h"
#include <numeric>

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

int64_t LinearLayer::weightSum(int64_t m) const {
  auto begin = weights.begin() + m * static_cast<int64_t>(weights.size()) / outputs;
  return std::accumulate(begin, begin + static_cast<int64_t>(weights.size()) / outputs, int64_t(0));
}

/// Lines of a pointwise layer: as long as the nearest cache holds, or all positions in one
/// where these divide badly. A position has `bytes` of input.
static int64_t lineOf(int64_t positions, int64_t bytes) {
  int64_t most = std::max<int64_t>(1, 16384 / bytes), best = 0;
  for (int64_t size = std::min(most, positions); size >= 8 && best == 0; --size)
    if (positions % size == 0)
      best = size;
  return best ? best : positions;
}

/// True where a reader of `value` wants a border around it, whose lines then lie apart.
static bool getsBorder(Value value) {
  auto wantsBorder = [](Operation *user) {
    if (auto conv = dyn_cast<ConvOp>(user))
      return windowOf(conv).hasPadding();
    if (auto pool = dyn_cast<MaxPoolOp>(user))
      return windowOf(pool).hasPadding();
    if (auto pool = dyn_cast<AvgPoolOp>(user))
      return windowOf(pool).hasPadding();
    return isa<PadOp>(user);
  };
  SmallVector<Value> values{value};
  while (!values.empty())
    for (Operation *user : values.pop_back_val().getUsers()) {
      if (wantsBorder(user))
        return true;
      if (auto reshape = dyn_cast<ReshapeOp>(user))
        values.push_back(reshape.getOutput());
    }
  return false;
}

/// The value that holds what becomes of the sums of `op`.
static Value roundedSums(Operation *op) {
  Value sums = op->getResult(0);
  Operation *user = sums.hasOneUse() ? *sums.getUsers().begin() : nullptr;
  return user && isa<RequantizeOp, AddOp, PReluOp>(user) ? user->getResult(0) : sums;
}

/// True where `attribute` has one number, or one for each of the channels, the last dimension.
static bool isByChannel(DenseElementsAttr attribute, int64_t outputs) {
  return attribute.getNumElements() == 1 ||
         (attribute.getNumElements() == outputs && attribute.getType().getShape().back() == outputs);
}

/// The shape of `op`, or false where its window is not one that kernels know.
static bool matchGeometry(Operation *op, LinearGeometry &layer) {
  layer.op = op;
  layer.input = op->getOperand(0);
  RankedTensorType input = typeOf(layer.input), output = typeOf(op->getResult(0));
  layer.outputs = output.getShape().back();
  layer.channels = input.getShape().back();
  if (auto conv = dyn_cast<ConvOp>(op)) {
    Window window = windowOf(conv);
    if (!conv.getChannelsLast() || window.rank() > 2)
      return false;
    layer.batch = input.getDimSize(0);
    layer.groups = static_cast<int64_t>(conv.getGroup());
    size_t last = window.rank() - 1;
    layer.width = window.input[last];
    layer.outWidth = window.output[last];
    layer.kernelWidth = window.kernel[last];
    layer.strideWidth = window.strides[last];
    layer.dilationWidth = window.dilations[last];
    layer.padLeft = window.padBegin[last];
    layer.padRight = window.padEnd[last];
    if (window.rank() == 2) {
      layer.height = window.input[0];
      layer.outHeight = window.output[0];
      layer.kernelHeight = window.kernel[0];
      layer.strideHeight = window.strides[0];
      layer.dilationHeight = window.dilations[0];
      layer.padTop = window.padBegin[0];
      layer.padBottom = window.padEnd[0];
    }
  } else {
    layer.width = layer.outWidth = input.getNumElements() / layer.channels;
  }
  // Without a window that moves across lines, these may be as long as is best, where they follow each other.
  bool pointwise = layer.kernelHeight == 1 && layer.kernelWidth == 1 && layer.strideHeight == 1 &&
                   layer.strideWidth == 1 && !layer.hasPads() && !getsBorder(layer.input) &&
                   !getsBorder(roundedSums(op));
  if (pointwise) {
    int64_t positions = layer.batch * layer.height * layer.width;
    layer.width = layer.outWidth = lineOf(positions, layer.channels * input.getElementTypeBitWidth() / 8);
    layer.height = layer.outHeight = positions / layer.width;
    layer.batch = 1;
  }
  return true;
}

/// The weights of `op` as [outputs][depth][kernel]: a matmul's matrix is transposed.
template <typename T> static std::vector<T> weightsOf(Operation *op, const ConstantView &view, std::vector<T> stored) {
  if (!isa<MatmulOp>(op))
    return stored;
  std::vector<T> weights;
  weights.reserve(stored.size());
  for (int64_t offset : transposedOffsets(view.getType().getShape(), {1, 0}))
    weights.push_back(stored[offset]);
  return weights;
}

std::optional<LinearLayer> matchLinearLayer(Operation *op) {
  LinearLayer layer;
  ConstantView weights(op->getOperand(1));
  if (levelOf(op->getResult(0).getType()) != Level::Integer || !weights || !matchGeometry(op, layer))
    return std::nullopt;
  layer.weights = weightsOf(op, weights, weights.ints());
  layer.zeroPoint = static_cast<int64_t>(isa<ConvOp>(op) ? cast<ConvOp>(op).getXZp().value_or(0)
                                                         : cast<MatmulOp>(op).getXZp().value_or(0));
  layer.bias.assign(layer.outputs, 0);
  if (op->getNumOperands() == 3) {
    ConstantView bias(op->getOperand(2));
    if (!bias)
      return std::nullopt;
    layer.bias = bias.ints();
  }
  return layer;
}

StorageRange inputRange(const LinearLayer &layer, IntegerRanges &ranges) {
  StorageRange range = ranges.of(layer.input);
  if (!layer.hasPads())
    return range;
  return {std::min(range.min, layer.zeroPoint), std::max(range.max, layer.zeroPoint)};
}

std::optional<FloatLayer> matchFloatLayer(Operation *op) {
  FloatLayer layer;
  ConstantView weights(op->getOperand(1));
  if (levelOf(op->getResult(0).getType()) != Level::Float || !weights || !matchGeometry(op, layer))
    return std::nullopt;
  layer.weights = weightsOf(op, weights, weights.floats());
  layer.bias.assign(layer.outputs, 0);
  if (op->getNumOperands() == 3) {
    ConstantView bias(op->getOperand(2));
    if (!bias)
      return std::nullopt;
    layer.bias = bias.floats();
  }
  return layer;
}

FloatTail matchFloatTail(const FloatLayer &layer) {
  FloatTail tail;
  Value value = layer.op->getResult(0);
  auto reader = [&]() { return value.hasOneUse() ? *value.user_begin() : nullptr; };
  auto add = dyn_cast_or_null<AddOp>(reader());
  if (add && add.getLhs().getType() == value.getType() && add.getRhs().getType() == value.getType()) {
    tail.residual = add.getLhs() == value ? add.getRhs() : add.getLhs();
    tail.ops.push_back(add);
    value = add.getOutput();
  }
  Operation *activation = reader();
  if (std::optional<ActivationBounds> bounds = activation ? boundsOf(activation) : std::nullopt) {
    tail.low = bounds->min;
    tail.high = bounds->max;
    tail.ops.push_back(activation);
  }
  return tail;
}

RoundedBy matchRounding(const LinearLayer &layer) {
  Value sums = layer.op->getResult(0);
  if (!sums.hasOneUse())
    return {};
  Operation *user = *sums.getUsers().begin();
  RoundedBy found;
  found.op = user;
  if (auto requantize = dyn_cast<RequantizeOp>(user)) {
    if (requantize.getXZp() != 0 || *requantize.getRounding() == qnn::Rounding::Double)
      return {};
    found.kind = Epilogue::Requantize;
    found.rows = {*requantize.getMultiplier(), *requantize.getExponent()};
  } else if (auto add = dyn_cast<AddOp>(user)) {
    bool isLeft = add.getLhs() == sums;
    if (add.getLhs() == add.getRhs() || *(isLeft ? add.getAZp() : add.getBZp()) != 0)
      return {};
    found.kind = Epilogue::Add;
    found.residual = isLeft ? add.getRhs() : add.getLhs();
    if (typeOf(found.residual).getShape() != typeOf(sums).getShape())
      return {};
    found.residualZeroPoint = static_cast<int64_t>(isLeft ? *add.getBZp() : *add.getAZp());
    DenseElementsAttr a = *add.getAMultiplier(), b = *add.getBMultiplier();
    found.rows = {isLeft ? a : b, *add.getExponent(), isLeft ? b : a};
  } else if (auto prelu = dyn_cast<PReluOp>(user)) {
    if (prelu.getXZp().value_or(0) != 0)
      return {};
    found.kind = Epilogue::PRelu;
    found.rows = {*prelu.getMultiplier(), *prelu.getExponent(), *prelu.getNegativeMultiplier(),
                  *prelu.getNegativeExponent()};
  } else {
    return {};
  }
  for (DenseElementsAttr row : found.rows)
    if (!isByChannel(row, layer.outputs))
      return {};
  return found;
}

} // namespace dyadic
