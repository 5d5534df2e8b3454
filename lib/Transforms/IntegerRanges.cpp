// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Transforms/IntegerRanges.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Interpolation.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/Types.h"
#include "dyadic/IR/Window.h"
#include "dyadic/Support/Quantizer.h"
#include <numeric>

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

int64_t magnitude(StorageRange range, int64_t zeroPoint) {
  return std::max(std::abs(range.min - zeroPoint), std::abs(range.max - zeroPoint));
}

unsigned largestLegalWidth(unsigned bits, llvm::function_ref<StorageRange(unsigned)> sums) {
  for (unsigned width = bits - 1; width >= 2 && width < bits; --width) {
    StorageRange range = sums(bits - width);
    if (range.min >= INT32_MIN && range.max <= INT32_MAX)
      return width;
  }
  return 0;
}

/// x / 2^shift, rounded away from 0.
static int64_t shifted(int64_t x, unsigned shift) { return x < 0 ? x >> shift : -(-x >> shift); }

StorageRange channelRange(const std::vector<int64_t> &weights, int64_t bias, int64_t zeroPoint, StorageRange input,
                          unsigned shift) {
  int64_t start = bias + zeroPoint * std::accumulate(weights.begin(), weights.end(), int64_t(0));
  // From 2^29 on the doubling of (15) in docs/Arithmetic.md may have been at work.
  if (std::abs(start) < int64_t(1) << 29)
    start = shifted(start, shift);
  return accumulatorRange(weights.data(), weights.size(), start, shifted(input.min - zeroPoint, shift),
                          shifted(input.max - zeroPoint, shift));
}

std::string accumulatorFault(int64_t bound, unsigned activationBits, unsigned legalBits) {
  std::string text = "accumulator bound " + std::to_string(bound) + " exceeds " + std::to_string(INT32_MAX) +
                     " with activations of " + std::to_string(activationBits) + " bits";
  if (legalBits > 0)
    text += ", the largest legal width is " + std::to_string(legalBits);
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

static int64_t inputZeroPoint(Operation *op) {
  auto attribute = op->getAttrOfType<IntegerAttr>("x_zp");
  return attribute ? attribute.getInt() : 0;
}

/// The union over all output channels.
static StorageRange linearRange(Operation *op, StorageRange input, unsigned shift) {
  int64_t zeroPoint = inputZeroPoint(op);
  ConstantView weights(op->getOperand(1));
  bool hasBias = op->getNumOperands() == 3;
  if (!weights || (hasBias && !ConstantView(op->getOperand(2)))) {
    // Nothing is known but the types: every weight at its limit, and any bias.
    auto type = cast<RankedTensorType>(op->getOperand(1).getType());
    int64_t count = type.getNumElements() / type.getDimSize(isa<ConvOp>(op) ? 0 : 1);
    int64_t most = count * 128 * (std::max(std::abs(input.min), std::abs(input.max)) >> shift);
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
    StorageRange range = channelRange(column, bias[c], zeroPoint, input, shift);
    result = c == 0 ? range : StorageRange{std::min(result.min, range.min), std::max(result.max, range.max)};
  }
  return result;
}

/// The sums of a convolution, matmul or average pool over inputs in `input`, or of `shift` bits less.
static StorageRange sumRange(Operation *op, StorageRange input, unsigned shift = 0) {
  if (auto pool = dyn_cast<AvgPoolOp>(op)) {
    int64_t volume = windowOf(pool).volume(), zeroPoint = inputZeroPoint(op);
    return {std::min<int64_t>(0, volume * shifted(input.min - zeroPoint, shift)),
            std::max<int64_t>(0, volume * shifted(input.max - zeroPoint, shift))};
  }
  if (auto interpolate = dyn_cast<InterpolateOp>(op)) {
    // The weights of an element of the result are not negative and add up to this.
    int64_t sum = int64_t(1) << totalFractionBits(interpolate), zeroPoint = inputZeroPoint(op);
    int64_t span = (input.max - input.min) >> shift;
    return {sum * std::max(shifted(input.min - zeroPoint, shift), -span),
            sum * std::min(shifted(input.max - zeroPoint, shift), span)};
  }
  // The border's number need not be one that the input can hold.
  if (auto conv = dyn_cast<ConvOp>(op); conv && windowOf(conv).hasPadding())
    input = {std::min(input.min, inputZeroPoint(op)), std::max(input.max, inputZeroPoint(op))};
  return linearRange(op, input, shift);
}

unsigned IntegerRanges::largestWidth(Operation *op, unsigned bits) {
  StorageRange input = of(op->getOperand(0));
  return largestLegalWidth(bits, [&](unsigned shift) { return sumRange(op, input, shift); });
}

StorageRange IntegerRanges::compute(Operation *op) {
  // Every operation that rounds says what it clamps to.
  if (auto clamp = op->getAttrOfType<DenseI64ArrayAttr>("clamp"))
    return {clamp[0], clamp[1]};
  if (accumulates(op))
    return sumRange(op, of(op->getOperand(0)));
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
