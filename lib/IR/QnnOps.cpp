// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers. Each says what was found and what was expected; the messages reach
// users through hand-written .mlir files and hostile models alike.

#include "QnnChecks.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/FunctionBody.h"
#include "dyadic/IR/Interpolation.h"
#include "dyadic/IR/Types.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace dyadic;
using namespace dyadic::qnn;

#define GET_OP_CLASSES
#include "dyadic/IR/QnnOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Linear layers
//===----------------------------------------------------------------------===//

/// The accumulator of a layer has the scales of its products, Sx * Sw for each channel.
static LogicalResult verifyAccumulatorScales(Operation *op, const QuantInfo &input, const QuantInfo &weights,
                                             Value output, int64_t channels, int64_t axis) {
  std::optional<QuantInfo> info = quantInfo(ranked(output).getElementType());
  bool fits = info && info->isSigned && info->zeroPoint == 0 && (info->axis == -1 || info->axis == axis);
  for (int64_t c = 0; fits && c < channels; ++c) {
    double product = input.scales[0] * weights.scales[weights.axis == -1 ? 0 : c];
    fits = std::abs(info->scales[info->axis == -1 ? 0 : c] - product) <= 1e-6 * product;
  }
  if (!fits)
    return op->emitOpError() << "accumulator of type " << output.getType()
                             << ", expected the scales of the products along axis " << axis;
  return success();
}

/// Operand, weights, bias and result types of conv and matmul, `channels` of which lie along
/// `weightAxis` of the weights and `channelAxis` of the result.
static LogicalResult verifyLinear(Operation *op, Value input, Value weights, Value bias, Value output, int64_t channels,
                                  int weightAxis, int64_t channelAxis, std::optional<uint64_t> zeroPoint) {
  if (failed(verifyTensors(op, {input, weights, output})) || failed(verifyZeroPoint(op, "x_zp", zeroPoint, input)))
    return failure();
  Level level = levelOf(input.getType());
  if (bias) {
    RankedTensorType type = ranked(bias);
    if (type.getShape() != ArrayRef<int64_t>{channels})
      return op->emitOpError() << "bias of type " << type << ", expected shape [" << channels << "]";
    bool isInteger = type.getElementType().isSignedInteger(32);
    if (level == Level::Integer ? !isInteger : !type.getElementType().isF32())
      return op->emitOpError() << "bias of type " << type << ", expected elements of type "
                               << (level == Level::Integer ? "si32" : "f32");
  }
  if (level == Level::Integer) {
    if (!isStorageType(ranked(input).getElementType()))
      return op->emitOpError() << "input of type " << input.getType() << ", expected 8 or 16-bit integers";
    if (!ranked(weights).getElementType().isSignedInteger(8))
      return op->emitOpError() << "weights of type " << weights.getType() << ", expected si8";
    if (!ranked(output).getElementType().isSignedInteger(32))
      return op->emitOpError() << "result of type " << output.getType() << ", expected the si32 accumulator";
  }
  if (level == Level::Quantized) {
    std::optional<QuantInfo> info = quantInfo(ranked(weights).getElementType());
    if (!info || !info->isSigned || info->zeroPoint != 0 || info->bits > 8 ||
        (info->axis != -1 && info->axis != weightAxis))
      return op->emitOpError() << "weights of type " << weights.getType()
                               << ", expected signed symmetric ones of 2 to 8 bits with scales along axis "
                               << weightAxis;
    if (failed(verifyValue(op, "input", input)))
      return failure();
    std::optional<QuantInfo> activation = quantInfo(ranked(input).getElementType());
    if (isAccumulatorType(ranked(output).getElementType()))
      return verifyAccumulatorScales(op, *activation, *info, output, channels, channelAxis);
    if (failed(verifyValue(op, "result", output)))
      return failure();
  }
  return success();
}

LogicalResult ConvOp::verify() {
  RankedTensorType input = ranked(getInput()), weights = ranked(getWeights()), output = ranked(getOutput());
  if (weights.getRank() < 3)
    return emitOpError() << "weights of type " << weights << ", expected at least one spatial dimension";
  int64_t axis = getChannelsLast() ? input.getRank() - 1 : 1;
  if (failed(verifyLinear(*this, getInput(), getWeights(), getBias(), getOutput(), weights.getDimSize(0), 0, axis,
                          getXZp())))
    return failure();
  int64_t group = getGroup(), channels = input.getRank() > 1 ? input.getDimSize(axis) : 0,
          filters = weights.getDimSize(0);
  if (group < 1 || group > filters || filters % group != 0 || channels != weights.getDimSize(1) * group)
    return emitOpError() << "group " << group << " with " << channels << " input channels and weights of type "
                         << weights << ", expected input channels = group * " << weights.getDimSize(1)
                         << " and a divisor of " << filters;
  if (failed(verifyWindow(*this, input, output, weights.getShape().drop_front(2), getStrides(), getPads(),
                          getDilations(),
                          /*mustTouchInput=*/false, [&] { return windowOf(*this); })))
    return failure();
  if (output.getDimSize(0) != input.getDimSize(0) || output.getDimSize(axis) != filters)
    return emitOpError() << "result of type " << output << ", expected " << input.getDimSize(0) << " samples of "
                         << filters << " channels";
  return success();
}

LogicalResult MatmulOp::verify() {
  RankedTensorType input = ranked(getInput()), weights = ranked(getWeights()), output = ranked(getOutput());
  if (weights.getRank() != 2 || input.getRank() < 1)
    return emitOpError() << "weights of type " << weights << ", expected a matrix";
  if (failed(verifyLinear(*this, getInput(), getWeights(), getBias(), getOutput(), weights.getDimSize(1), 1,
                          output.getRank() - 1, getXZp())))
    return failure();
  SmallVector<int64_t> expected(input.getShape());
  expected.back() = weights.getDimSize(1);
  if (input.getShape().back() != weights.getDimSize(0) || output.getShape() != ArrayRef<int64_t>(expected))
    return emitOpError() << "product of " << input << " and " << weights << " as " << output;
  return success();
}

LogicalResult BatchNormOp::verify() {
  if (failed(verifyTensors(*this, {getInput(), getOutput()})))
    return failure();
  RankedTensorType input = ranked(getInput());
  if (input.getRank() < 2 || getOutput().getType() != input)
    return emitOpError() << "result of type " << getOutput().getType()
                         << ", expected the operand's, of at least two dimensions";
  for (Value parameter : {getScale(), getOffset(), getMean(), getVariance()})
    if (ranked(parameter).getShape() != ArrayRef<int64_t>{input.getDimSize(1)})
      return emitOpError() << "parameter of type " << parameter.getType() << ", expected shape [" << input.getDimSize(1)
                           << "]";
  return success();
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

template <typename Pool> static LogicalResult verifyPool(Pool op) {
  RankedTensorType input = ranked(op.getInput()), output = ranked(op.getOutput());
  if (failed(verifyWindow(op, input, output, op.getKernel(), op.getStrides(), op.getPads(), op.getDilations(),
                          /*mustTouchInput=*/true, [&] { return windowOf(op); })))
    return failure();
  size_t axis = windowOf(op).channelDimension();
  if (output.getDimSize(0) != input.getDimSize(0) || output.getDimSize(axis) != input.getDimSize(axis))
    return op.emitOpError() << "result of type " << output << ", expected the samples and channels of " << input;
  return success();
}

LogicalResult MaxPoolOp::verify() {
  if (failed(verifyPassThrough(*this, getInput(), getOutput())))
    return failure();
  return verifyPool(*this);
}

/// Operand and result types of what sums elements of a single operand.
template <typename Sum> static LogicalResult verifySum(Sum op) {
  Value input = op.getInput(), output = op.getOutput();
  if (failed(verifyTensors(op, {input, output})) || failed(verifyZeroPoint(op, "x_zp", op.getXZp(), input)))
    return failure();
  Level level = levelOf(input.getType());
  if (level == Level::Integer &&
      (!isStorageType(ranked(input).getElementType()) || !ranked(output).getElementType().isSignedInteger(32)))
    return op.emitOpError() << "operand " << input.getType() << " and result " << output.getType()
                            << ", expected 8 or 16-bit integers and the si32 sum";
  return level == Level::Quantized ? verifyValue(op, "input", input) : success();
}

LogicalResult AvgPoolOp::verify() { return failed(verifySum(*this)) ? failure() : verifyPool(*this); }

//===----------------------------------------------------------------------===//
// Interpolation
//===----------------------------------------------------------------------===//

/// The numbers of entries that the axes and the result's shape ask for.
static LogicalResult verifyInterpolationSizes(InterpolateOp op) {
  RankedTensorType input = ranked(op.getInput()), output = ranked(op.getOutput());
  if (output.getRank() != input.getRank())
    return op.emitOpError() << "result of type " << output << ", expected rank " << input.getRank();
  int64_t last = -1, count = 0;
  SmallVector<int64_t> expected(input.getShape());
  for (int64_t axis : op.getAxes()) {
    if (axis <= last || axis >= input.getRank())
      return op.emitOpError() << "'axes' is [" << op.getAxes() << "], expected increasing dimensions of " << input;
    last = axis;
    expected[axis] = output.getDimSize(axis);
    count += expected[axis];
  }
  if (last < 0 || output.getShape() != ArrayRef<int64_t>(expected))
    return op.emitOpError() << "result of type " << output << " along dimensions [" << op.getAxes() << "] of " << input;
  if (failed(verifyEntries(op, "positions", op.getPositions(), count)) ||
      failed(verifyEntries(op, "fractions", op.getFractions(), count)) ||
      failed(verifyEntries(op, "fraction_bits", op.getFractionBits(), op.getAxes().size())))
    return failure();
  return success();
}

LogicalResult InterpolateOp::verify() {
  if (failed(verifySum(*this)) || failed(verifyInterpolationSizes(*this)))
    return failure();
  for (int64_t bits : getFractionBits())
    if (bits < 0 || bits > kFractionBits)
      return emitOpError() << "'fraction_bits' contains " << bits << ", expected a number in [0, " << kFractionBits
                           << "]";
  if (levelOf(getInput().getType()) == Level::Integer && totalFractionBits(*this) > kMaxFractionBits)
    return emitOpError() << totalFractionBits(*this) << " fraction bits, expected at most " << kMaxFractionBits;
  for (const AxisInterpolation &a : interpolationOf(*this))
    for (auto [low, fraction] : llvm::zip(a.low, a.fractions)) {
      if (low < 0 || low >= a.size)
        return emitOpError() << "'positions' contains " << low << ", expected a number in [0, " << a.size - 1 << "]";
      if (fraction < 0 || fraction >> a.bits != 0)
        return emitOpError() << "'fractions' contains " << fraction << ", expected a number in [0, 2^" << a.bits << ")";
    }
  return success();
}

//===----------------------------------------------------------------------===//
// Between the levels
//===----------------------------------------------------------------------===//

LogicalResult RangeOp::verify() {
  auto verifyRange = [&](const APFloat &min, const APFloat &max, StringRef prefix) -> LogicalResult {
    if (min.isFinite() && max.isFinite() && min <= max)
      return success();
    return emitOpError() << "'" << prefix << "min' " << min.convertToFloat() << " and '" << prefix << "max' "
                         << max.convertToFloat() << ", expected finite ordered numbers";
  };
  if (failed(verifyRange(getMin(), getMax(), "")))
    return failure();
  if (getOperandMin().has_value() != getOperandMax().has_value())
    return emitOpError() << "has one of 'operand_min' and 'operand_max', expected both or none";
  return getOperandMin() ? verifyRange(*getOperandMin(), *getOperandMax(), "operand_") : success();
}

LogicalResult QuantizeOp::verify() {
  RankedTensorType input = ranked(getInput()), output = ranked(getOutput());
  if (failed(verifyTensors(*this, {getInput()})) || failed(verifyTensors(*this, {getOutput()})))
    return failure();
  if (input.getShape() != output.getShape() || !isStorageType(output.getElementType()))
    return emitOpError() << "result of type " << output << ", expected 8 or 16-bit integers of the operand's shape";
  if (!getScale().isFinite() || getScale().isNegative() || getScale().isZero())
    return emitOpError() << "'scale' " << getScale().convertToFloat() << ", expected a positive finite number";
  if (failed(verifyClamp(*this, getClamp(), getZeroPoint(), output.getElementType())))
    return failure();
  int64_t zeroPoint = static_cast<int64_t>(getZeroPoint());
  if (zeroPoint < getClamp()[0] || zeroPoint > getClamp()[1])
    return emitOpError() << "'zero_point' " << zeroPoint << " is outside of 'clamp' [" << getClamp() << "]";
  return success();
}

LogicalResult DequantizeOp::verify() {
  RankedTensorType input = ranked(getInput()), output = ranked(getOutput());
  if (failed(verifyTensors(*this, {getInput()})) || failed(verifyTensors(*this, {getOutput()})) ||
      failed(verifyZeroPoint(*this, "zero_point", getZeroPoint(), getInput())))
    return failure();
  if (input.getShape() != output.getShape())
    return emitOpError() << "result of type " << output << ", expected the shape of " << input;
  for (float scale : getScale().getValues<float>())
    if (!(scale > 0) || std::isinf(scale))
      return emitOpError() << "'scale' contains " << scale << ", expected positive finite numbers";
  return verifyBroadcast(*this, "scale", getScale(), output);
}
