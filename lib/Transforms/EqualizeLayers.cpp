// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   y = relu(conv(x, w, b))          y' = relu(conv(x, w / e, b / e))
//   z = conv(y, v)             =>    z  = conv(y', v * e)                  with one factor e > 0 a channel of y
//
// The function is the same. Where channels of y have very different ranges, y' spends its codes on all of them.

#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/Types.h"
#include "dyadic/IR/Window.h"
#include "dyadic/Transforms/Passes.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

static bool hasConstants(Operation *op) {
  return ConstantView(op->getOperand(1)) && (op->getNumOperands() == 2 || ConstantView(op->getOperand(2)));
}

/// True for a convolution with channels first or a matmul, whose operands but the first are constant.
static bool isLinear(Operation *op) {
  auto conv = dyn_cast<ConvOp>(op);
  return (conv ? !conv.getChannelsLast() : isa<MatmulOp>(op)) && hasConstants(op);
}

std::vector<EqualizableValue> equalizableValues(ModuleOp module) {
  std::vector<EqualizableValue> values;
  for (Operation *op : layersOf(entryFunction(module))) {
    StringAttr id = cast<LayerOpInterface>(op).getIdAttr();
    if (!id || !isLinear(op))
      continue;
    // Bounds must scale: 0 and infinity do.
    ActivationBounds bounds = activationBounds(absorbedBy(op));
    if (std::isfinite(bounds.max) || (std::isfinite(bounds.min) && bounds.min != 0))
      continue;
    Value value = layerValue(op);
    bool isEqualizable = !value.use_empty();
    EqualizableValue entry{id.str(), channelDimensionOf(op), true, {}};
    for (OpOperand &use : value.getUses()) {
      Operation *user = use.getOwner();
      // Channels of one are those of the other.
      isEqualizable &= use.getOperandNumber() == 0 && user->getName() == op->getName() && isLinear(user) &&
                       cast<LayerOpInterface>(user).getIdAttr();
      if (!isEqualizable)
        break;
      entry.isDepthwise &= isDepthwise(user);
      entry.readers.push_back(cast<LayerOpInterface>(user).getIdAttr().str());
    }
    if (isEqualizable)
      values.push_back(std::move(entry));
  }
  return values;
}

/// Replaces operand `index`, a constant, with what `scaled` makes of each of its numbers.
static void scaleConstant(Operation *op, unsigned index, llvm::function_ref<double(float number, size_t at)> scaled) {
  OpBuilder builder(op);
  std::vector<float> numbers = ConstantView(op->getOperand(index)).floats();
  for (size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<float>(scaled(numbers[i], i));
  auto type = cast<RankedTensorType>(op->getOperand(index).getType());
  op->setOperand(index, makeConstant(builder, op->getLoc(), makeFloats(type, numbers)));
}

/// Divides the layer's outputs by the factors.
static void scaleOutputs(Operation *op, ArrayRef<float> factors) {
  auto count = static_cast<size_t>(ConstantView(op->getOperand(1)).size()) / factors.size();
  bool isConv = isa<ConvOp>(op);
  scaleConstant(op, 1, [&](float w, size_t i) {
    return static_cast<double>(w) / factors[isConv ? i / count : i % factors.size()];
  });
  if (op->getNumOperands() == 3)
    scaleConstant(op, 2, [&](float b, size_t i) { return static_cast<double>(b) / factors[i]; });
}

/// Multiplies what the layer does with its inputs by the factors.
static void scaleInputs(Operation *op, ArrayRef<float> factors) {
  auto weights = cast<RankedTensorType>(op->getOperand(1).getType());
  auto outputs = static_cast<size_t>(weights.getDimSize(isa<ConvOp>(op) ? 0 : 1));
  if (isa<MatmulOp>(op))
    return scaleConstant(op, 1, [&](float w, size_t i) { return static_cast<double>(w) * factors[i / outputs]; });
  size_t count = static_cast<size_t>(weights.getNumElements()) / outputs;
  auto channels = static_cast<size_t>(weights.getDimSize(1)); // of a group
  size_t volume = count / channels, perGroup = outputs / (factors.size() / channels);
  scaleConstant(op, 1, [&](float w, size_t i) {
    return static_cast<double>(w) * factors[i / count / perGroup * channels + i % count / volume];
  });
}

void equalizeLayers(ModuleOp module, const ChannelFactors &factors) {
  func::FuncOp function = entryFunction(module);
  for (Operation *op : layersOf(function)) {
    StringAttr id = cast<LayerOpInterface>(op).getIdAttr();
    auto found = factors.find(id ? id.str() : "");
    if (found == factors.end())
      continue;
    scaleOutputs(op, found->second);
    for (Operation *user : layerValue(op).getUsers())
      scaleInputs(user, found->second);
  }
  eraseDead(function);
}

void restoreScales(ModuleOp module, const ChannelFactors &factors) {
  func::FuncOp function = entryFunction(module);
  for (unsigned i = 0; i < function.getNumResults(); ++i) {
    auto found = factors.find(resultName(function, i).str());
    auto type = function.getResultAttrOfType<TypeAttr>(i, kTypeAttr);
    auto uniform = type ? dyn_cast<quant::UniformQuantizedType>(type.getValue()) : quant::UniformQuantizedType();
    if (found == factors.end() || !uniform || !function.getResultAttr(i, kValueAttr))
      continue;
    SmallVector<double> scales;
    for (float factor : found->second)
      scales.push_back(static_cast<float>(uniform.getScale() * factor));
    SmallVector<int64_t> zeroPoints(scales.size(), uniform.getZeroPoint());
    int64_t axis = 1;
    if (auto tensor = cast<RankedTensorType>(function.getResultTypes()[i]); tensor.getRank() > 0)
      for (Operation *op : layersOf(function)) // the dimension that holds the channels
        if (StringAttr id = cast<LayerOpInterface>(op).getIdAttr();
            id && id == found->first && isa<ConvOp, MatmulOp>(op))
          axis = channelDimensionOf(op);
    function.setResultAttr(
        i, kTypeAttr,
        TypeAttr::get(quant::UniformQuantizedPerAxisType::get(
            uniform.getFlags(), uniform.getStorageType(), uniform.getExpressedType(), scales, zeroPoints,
            static_cast<int32_t>(axis), uniform.getStorageTypeMin(), uniform.getStorageTypeMax())));
  }
}

} // namespace dyadic
