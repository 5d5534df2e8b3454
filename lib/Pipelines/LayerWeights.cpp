// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/LayerWeights.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/QnnDialect.h"
#include "dyadic/IR/Types.h"
#include "dyadic/IR/Window.h"
#include "dyadic/Support/Quantizer.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

/// Where element `i` of channel `c` lies.
static size_t offsetOf(const LayerWeights &layer, size_t c, size_t i) {
  size_t count = layer.numChannels(), size = layer.weights.size() / count;
  return layer.channelAxis == 0 ? c * size + i : i * count + c;
}

std::vector<float> LayerWeights::channel(size_t index) const {
  std::vector<float> result(weights.size() / numChannels());
  for (size_t i = 0; i < result.size(); ++i)
    result[i] = weights[offsetOf(*this, index, i)];
  return result;
}

std::vector<float> LayerWeights::rounded(unsigned bits) const {
  std::vector<float> result(weights.size());
  for (size_t c = 0; c < numChannels(); ++c) {
    std::vector<float> numbers = channel(c);
    QuantizedChannel stored = quantizeChannel(numbers.data(), numbers.size(), bits, /*bias=*/0, /*inputScale=*/1,
                                              /*inputZeroPoint=*/0);
    for (size_t i = 0; i < numbers.size(); ++i)
      result[offsetOf(*this, c, i)] = static_cast<float>(stored.weights[i]) * stored.scale;
  }
  return result;
}

LayerWeights layerWeights(Operation *op) {
  LayerWeights layer;
  ConstantView weights(op->getOperand(1));
  layer.id = cast<LayerOpInterface>(op).getIdAttr().str();
  layer.weights = weights.floats();
  layer.shape = weights.getType().getShape().vec();
  if (op->getNumOperands() == 3)
    layer.bias = ConstantView(op->getOperand(2)).floats();
  layer.channelAxis = isa<ConvOp>(op) ? 0 : 1;
  return layer;
}

void setWeights(Operation *op, Value weights, Value bias) {
  auto elementOf = [](Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); };
  op->setOperand(1, weights);
  if (bias && op->getNumOperands() == 3)
    op->setOperand(2, bias);
  else if (bias)
    op->insertOperands(2, bias);
  Value result = op->getResult(0);
  if (!isAccumulatorType(elementOf(result)))
    return;
  QuantInfo input = *quantInfo(elementOf(op->getOperand(0))), info = *quantInfo(elementOf(weights));
  SmallVector<double> sums;
  for (double scale : info.scales)
    sums.push_back(input.scales[0] * scale);
  auto type = cast<RankedTensorType>(result.getType());
  result.setType(
      type.clone(symmetricPerAxisType(op->getContext(), 32, sums, channelDimensionOf(op), INT32_MIN, INT32_MAX)));
}

} // namespace dyadic
