// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Transforms/IntegerRanges.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/Types.h"
#include "dyadic/IR/Window.h"
#include "dyadic/Support/Quantizer.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

int64_t magnitude(StorageRange range, int64_t zeroPoint) {
  return std::max(std::abs(range.min - zeroPoint), std::abs(range.max - zeroPoint));
}

std::string accumulatorFault(int64_t bound, unsigned activationBits) {
  unsigned excess = 0;
  while ((bound >> excess) > INT32_MAX)
    ++excess;
  std::string text = "accumulator bound " + std::to_string(bound) + " exceeds " + std::to_string(INT32_MAX) +
                     " with activations of " + std::to_string(activationBits) + " bits";
  if (activationBits > excess + 1)
    text += ", the largest legal width is " + std::to_string(activationBits - excess);
  return text;
}

static StorageRange typeRange(Value value) {
  Type element = cast<RankedTensorType>(value.getType()).getElementType();
  return isIntegerElementType(element) ? integerRange(element) : StorageRange{};
}

StorageRange IntegerRanges::of(Value value) {
  if (auto found = known.find(value); found != known.end())
    return found->second;
  StorageRange range = typeRange(value);
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
    if (auto type = function ? function.getArgAttrOfType<TypeAttr>(argument.getArgNumber(), kTypeAttr) : TypeAttr())
      if (std::optional<QuantInfo> info = quantInfo(type.getValue()))
        range = {info->min, info->max};
  } else if (Operation *op = value.getDefiningOp()) {
    range = compute(op);
  }
  return known[value] = range;
}

/// The union over all output channels.
static StorageRange linearRange(Operation *op, StorageRange input) {
  ConstantView weights(op->getOperand(1));
  bool hasBias = op->getNumOperands() == 3;
  if (!weights || (hasBias && !ConstantView(op->getOperand(2)))) {
    // Nothing is known but the types: every weight at its limit, and any bias.
    auto type = cast<RankedTensorType>(op->getOperand(1).getType());
    int64_t count = type.getNumElements() / type.getDimSize(isa<ConvOp>(op) ? 0 : 1);
    int64_t most = count * 128 * std::max(std::abs(input.min), std::abs(input.max));
    StorageRange start = hasBias ? typeRange(op->getOperand(2)) : StorageRange{};
    return {start.min - most, start.max + most};
  }
  std::vector<int64_t> values = weights.ints(), bias;
  bool isConv = isa<ConvOp>(op);
  int64_t channels = weights.getType().getDimSize(isConv ? 0 : 1), count = weights.size() / channels;
  bias = op->getNumOperands() == 3 ? ConstantView(op->getOperand(2)).ints() : std::vector<int64_t>(channels, 0);
  std::vector<int64_t> column(count);
  StorageRange result;
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t i = 0; i < count; ++i)
      column[i] = isConv ? values[c * count + i] : values[i * channels + c];
    StorageRange range = accumulatorRange(column.data(), count, bias[c], input.min, input.max);
    result = c == 0 ? range : StorageRange{std::min(result.min, range.min), std::max(result.max, range.max)};
  }
  return result;
}

StorageRange IntegerRanges::compute(Operation *op) {
  if (auto quantize = dyn_cast<QuantizeOp>(op))
    return {quantize.getClamp()[0], quantize.getClamp()[1]};
  if (auto requantize = dyn_cast<RequantizeOp>(op))
    return requantize.getClamp() ? StorageRange{(*requantize.getClamp())[0], (*requantize.getClamp())[1]}
                                 : typeRange(op->getResult(0));
  if (auto add = dyn_cast<AddOp>(op))
    return add.getClamp() ? StorageRange{(*add.getClamp())[0], (*add.getClamp())[1]} : typeRange(op->getResult(0));
  if (auto mul = dyn_cast<MulOp>(op))
    return mul.getClamp() ? StorageRange{(*mul.getClamp())[0], (*mul.getClamp())[1]} : typeRange(op->getResult(0));
  if (auto prelu = dyn_cast<PReluOp>(op))
    return prelu.getClamp() ? StorageRange{(*prelu.getClamp())[0], (*prelu.getClamp())[1]}
                            : typeRange(op->getResult(0));
  if (auto table = dyn_cast<TableOp>(op))
    return {table.getClamp()[0], table.getClamp()[1]};
  if (isa<ConvOp, MatmulOp>(op)) {
    StorageRange input = of(op->getOperand(0));
    // The border's number need not be one that the input can hold.
    if (auto conv = dyn_cast<ConvOp>(op); conv && windowOf(conv).hasPadding()) {
      int64_t border = static_cast<int64_t>(conv.getXZp().value_or(0));
      input = {std::min(input.min, border), std::max(input.max, border)};
    }
    return linearRange(op, input);
  }
  if (auto pool = dyn_cast<AvgPoolOp>(op)) {
    StorageRange input = of(pool.getInput());
    int64_t volume = windowOf(pool).volume(), zeroPoint = static_cast<int64_t>(pool.getXZp().value_or(0));
    return {std::min<int64_t>(0, volume * (input.min - zeroPoint)),
            std::max<int64_t>(0, volume * (input.max - zeroPoint))};
  }
  if (auto pad = dyn_cast<PadOp>(op)) {
    StorageRange input = of(pad.getInput());
    int64_t border = static_cast<int64_t>(pad.getXZp().value_or(0));
    return {std::min(input.min, border), std::max(input.max, border)};
  }
  if (op->hasTrait<PassThrough>())
    return of(op->getOperand(0));
  if (isa<SoftmaxOp>(op))
    return storageRange(kSoftmaxBits, /*isSigned=*/false);
  if (isa<ConcatOp>(op)) {
    StorageRange range = of(op->getOperand(0));
    for (Value input : op->getOperands().drop_front())
      range = {std::min(range.min, of(input).min), std::max(range.max, of(input).max)};
    return range;
  }
  if (isa<arith::ConstantOp>(op)) {
    ConstantView view(op->getResult(0));
    if (view && isa<IntegerType>(view.getType().getElementType())) {
      std::vector<int64_t> values = view.ints();
      return {*llvm::min_element(values), *llvm::max_element(values)};
    }
  }
  return typeRange(op->getResult(0));
}

} // namespace dyadic
