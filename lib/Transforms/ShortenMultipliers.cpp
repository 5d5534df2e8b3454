// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// M = Sx * Sw / Sy has 24 bits and more because the scale of a channel's weights has. Moved by less than half a step of
// the result at full range, that scale gives an M of few bits, and its products with sums fit 32 bits.

#include "dyadic/IR/Constants.h"
#include "dyadic/IR/FunctionBody.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/Types.h"
#include "dyadic/Support/Quantizer.h"
#include "dyadic/Support/ShortProducts.h"
#include "dyadic/Transforms/Passes.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_SHORTENMULTIPLIERS
#include "dyadic/Transforms/Passes.h.inc"

/// Inputs of more bits have sums that leave multipliers too little.
static constexpr unsigned kMostInputBits = 8;

static Type elementOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

/// A stored value with one scale.
static std::optional<QuantInfo> storedInfo(Value value) {
  std::optional<QuantInfo> info = quantInfo(elementOf(value));
  return info && info->scales.size() == 1 && !isAccumulatorType(elementOf(value)) ? info : std::nullopt;
}

namespace {

/// A convolution or matmul with weights by channel, whose sums are rounded once, to `output`.
class ShortenedLayer {
public:
  static std::optional<ShortenedLayer> match(Operation *op);
  /// Moves the scales of all channels, or where one has no short multiplier, none.
  void shorten();
  double unit() const { return output.scales[0] / input.scales[0]; }

private:
  ShortenedLayer(Operation *op, QuantInfo input, QuantInfo weights, QuantInfo output)
      : op(op), input(std::move(input)), weights(std::move(weights)), output(std::move(output)) {}

  /// One less where weights may be split into nibbles, one of which counts 16 times: see `packed_depthwise`.
  int mostBits() const { return isDepthwise(op) ? kShortBits - 1 : kShortBits; }
  int64_t channels() const { return static_cast<int64_t>(weights.scales.size()); }
  std::vector<int64_t> channelWeights(const std::vector<int64_t> &numbers, int64_t channel) const;
  std::optional<float> shortenedScale(const std::vector<int64_t> &numbers, float scale, float bias) const;
  bool fits(const std::vector<int64_t> &numbers, float scale, float bias) const;

  Operation *op;
  QuantInfo input, weights, output;
  std::optional<QuantInfo> residual; // what is added to the sums before they are rounded
};

} // namespace

std::optional<ShortenedLayer> ShortenedLayer::match(Operation *op) {
  Value result = op->getResult(0);
  std::optional<QuantInfo> input = storedInfo(op->getOperand(0)), weights = quantInfo(elementOf(op->getOperand(1)));
  auto storage = op->getOperand(1).getDefiningOp<quant::StorageCastOp>();
  if (!input || input->bits > kMostInputBits || !weights || weights->axis == -1 || !storage ||
      !ConstantView(storage.getInput()) || (op->getNumOperands() == 3 && !ConstantView(op->getOperand(2))))
    return std::nullopt;
  if (std::optional<QuantInfo> output = storedInfo(result))
    return ShortenedLayer(op, *input, *weights, *output);
  auto add = result.hasOneUse() ? dyn_cast<AddOp>(*result.user_begin()) : AddOp();
  if (!add || !isAccumulatorType(elementOf(result)))
    return std::nullopt;
  std::optional<QuantInfo> output = storedInfo(add.getOutput()),
                           other = storedInfo(add.getLhs() == result ? add.getRhs() : add.getLhs());
  if (!output || !other)
    return std::nullopt;
  ShortenedLayer layer(op, *input, *weights, *output);
  layer.residual = *other;
  return layer;
}

std::vector<int64_t> ShortenedLayer::channelWeights(const std::vector<int64_t> &numbers, int64_t channel) const {
  int64_t count = static_cast<int64_t>(numbers.size()) / channels();
  std::vector<int64_t> result(count);
  for (int64_t i = 0; i < count; ++i)
    result[i] = numbers[isa<ConvOp>(op) ? channel * count + i : i * channels() + channel];
  return result;
}

/// True where the rewrite to dyadic numbers gives the channel a multiplier whose products fit 32 bits.
bool ShortenedLayer::fits(const std::vector<int64_t> &numbers, float scale, float bias) const {
  double product = input.scales[0] * scale;
  if (product < FLT_MIN)
    return false;
  QuantizedChannel channel{std::vector<int8_t>(numbers.begin(), numbers.end()), scale};
  int64_t start = foldedBias(bias, static_cast<float>(input.scales[0]), input.zeroPoint, channel);
  StorageRange sums = accumulatorRange(numbers.data(), numbers.size(), start, input.min, input.max);
  double M = shortFactor(product / output.scales[0]);
  if (!residual) {
    std::optional<Multiplier> f = encodeMultiplier(M);
    return f && fitShortProducts(sums, {}, reduced({f->m, 0, f->e}), output.zeroPoint);
  }
  StorageRange added{residual->min - residual->zeroPoint, residual->max - residual->zeroPoint};
  std::optional<MultiplierPair> f = encodeMultiplierPair(M, shortFactor(residual->scales[0] / output.scales[0]),
                                                         int64_t(1) << 31, std::max(-added.min, added.max));
  return f && fitShortProducts(sums, added, reduced(*f), output.zeroPoint);
}

/// The nearest scale with the most bits of a multiplier, at least so many that what it is moved by is less than half a
/// step at the end of the output's range.
std::optional<float> ShortenedLayer::shortenedScale(const std::vector<int64_t> &numbers, float scale,
                                                    float bias) const {
  double M = input.scales[0] * scale / output.scales[0];
  for (int bits = mostBits(); bits > static_cast<int>(output.bits); --bits) {
    auto moved = static_cast<float>(roundToBits(M, bits) * output.scales[0] / input.scales[0]);
    if (fits(numbers, moved, bias))
      return moved;
  }
  return std::nullopt;
}

void ShortenedLayer::shorten() {
  std::vector<int64_t> numbers = ConstantView(op->getOperand(1).getDefiningOp()->getOperand(0)).ints();
  std::vector<float> bias(channels(), 0.0f);
  if (op->getNumOperands() == 3)
    bias = ConstantView(op->getOperand(2)).floats();
  SmallVector<double> scales, sums;
  for (int64_t c = 0; c < channels(); ++c) {
    std::optional<float> scale =
        shortenedScale(channelWeights(numbers, c), static_cast<float>(weights.scales[c]), bias[c]);
    if (!scale)
      return;
    scales.push_back(*scale);
    sums.push_back(input.scales[0] * *scale);
  }
  OpBuilder builder(op);
  Value storage = op->getOperand(1).getDefiningOp()->getOperand(0), result = op->getResult(0);
  auto withElement = [](Value value, Type element) {
    return RankedTensorType::get(cast<RankedTensorType>(value.getType()).getShape(), element);
  };
  MLIRContext *context = op->getContext();
  Type element = symmetricPerAxisType(context, weights.bits, scales, weights.axis, weights.min, weights.max);
  op->setOperand(1, quant::StorageCastOp::create(builder, op->getLoc(), withElement(storage, element), storage));
  if (auto type = dyn_cast<quant::UniformQuantizedPerAxisType>(elementOf(result)))
    result.setType(withElement(
        result, symmetricPerAxisType(context, 32, sums, type.getQuantizedDimension(), INT32_MIN, INT32_MAX)));
}

void shortenMultiplierOf(Operation *layer) {
  if (std::optional<ShortenedLayer> shortened = ShortenedLayer::match(layer))
    shortened->shorten();
}

double shortMultiplierUnit(Operation *layer) {
  std::optional<ShortenedLayer> shortened = ShortenedLayer::match(layer);
  return shortened ? shortened->unit() : 0;
}

void shortenMultipliers(ModuleOp module) {
  func::FuncOp function = entryFunction(module);
  for (Operation *op : layersOf(function))
    if (isa<ConvOp, MatmulOp>(op))
      shortenMultiplierOf(op);
  eraseDead(function);
}

namespace {
struct ShortenMultipliers : impl::ShortenMultipliersBase<ShortenMultipliers> {
  void runOnOperation() override {
    if (!entryFunction(getOperation())) {
      getOperation().emitError() << "module has no single entry function";
      return signalPassFailure();
    }
    shortenMultipliers(getOperation());
  }
};
} // namespace
} // namespace dyadic
