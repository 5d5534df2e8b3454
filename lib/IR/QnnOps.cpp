// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers. Each says what was found and what was expected; the messages reach
// users through hand-written .mlir files and hostile models alike.

#include "dyadic/IR/Constants.h"
#include "dyadic/IR/FunctionBody.h"
#include "dyadic/IR/Interpolation.h"
#include "dyadic/IR/QnnDialect.h"
#include "dyadic/IR/Types.h"
#include "dyadic/IR/Window.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace dyadic;
using namespace dyadic::qnn;

#define GET_OP_CLASSES
#include "dyadic/IR/QnnOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Shared checks
//===----------------------------------------------------------------------===//

static RankedTensorType ranked(Value value) { return cast<RankedTensorType>(value.getType()); }

/// At most 2^31 elements: more is a mistake or an attack.
static bool fitsLimit(ArrayRef<int64_t> shape) {
  int64_t limit = int64_t(1) << 31;
  for (int64_t size : shape) {
    if (size > limit)
      return false;
    limit /= std::max<int64_t>(size, 1);
  }
  return true;
}

/// Static shapes without empty dimensions, quantized types that hold together, and
/// one level for all tensors in `values`.
static LogicalResult verifyTensors(Operation *op, ValueRange values) {
  for (Value value : values) {
    RankedTensorType type = ranked(value);
    if (!type.hasStaticShape() || llvm::is_contained(type.getShape(), 0))
      return op->emitOpError() << "type " << type << " has no static shape of positive sizes";
    if (!fitsLimit(type.getShape()))
      return op->emitOpError() << "type " << type << " has too many elements, expected at most 2^31";
    if (failed(verifyQuantizedType([&] { return op->emitOpError(); }, type)))
      return failure();
    if (levelOf(type) != levelOf(values.front().getType()))
      return op->emitOpError() << "mixes " << values.front().getType() << " and " << type
                               << ", which belong to different levels";
  }
  return success();
}

/// `x_zp` stands exactly at the integer level and is a stored number of `input`.
static LogicalResult verifyZeroPoint(Operation *op, StringRef name, std::optional<uint64_t> zeroPoint, Value input) {
  bool isInteger = levelOf(input.getType()) == Level::Integer;
  if (zeroPoint.has_value() != isInteger)
    return op->emitOpError() << (isInteger ? "needs" : "must not have") << " '" << name << "' with operands of type "
                             << ranked(input).getElementType();
  if (!isInteger)
    return success();
  StorageRange range = integerRange(ranked(input).getElementType());
  if (!isStorageType(ranked(input).getElementType()))
    range = {0, 0}; // accumulators are centred
  int64_t value = static_cast<int64_t>(*zeroPoint);
  if (value < range.min || value > range.max)
    return op->emitOpError() << "'" << name << "' " << value << " is outside [" << range.min << ", " << range.max
                             << "]";
  return success();
}

/// A quantized value that somebody stores: one scale and at most 16 bits.
static LogicalResult verifyValue(Operation *op, StringRef name, Value value) {
  std::optional<QuantInfo> info = quantInfo(ranked(value).getElementType());
  if (!info || info->axis != -1 || info->bits > 16)
    return op->emitOpError() << name << " of type " << value.getType() << ", expected one scale and at most 16 bits";
  return success();
}

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

/// Result of a window over an input of shape [N, C, ...] or [N, ..., C].
static LogicalResult verifyWindow(Operation *op, RankedTensorType input, RankedTensorType output,
                                  ArrayRef<int64_t> kernel, ArrayRef<int64_t> strides, ArrayRef<int64_t> pads,
                                  ArrayRef<int64_t> dilations, bool mustTouchInput,
                                  llvm::function_ref<Window()> window) {
  size_t rank = kernel.size();
  if (rank == 0 || input.getRank() != static_cast<int64_t>(rank) + 2 || output.getRank() != input.getRank())
    return op->emitOpError() << "operand " << input << " and result " << output << " of a window with " << rank
                             << " spatial dimensions, expected rank " << rank + 2;
  auto check = [&](StringRef name, ArrayRef<int64_t> values, size_t size, int64_t least) -> LogicalResult {
    if (!values.empty() && values.size() != size)
      return op->emitOpError() << "'" << name << "' has " << values.size() << " entries, expected " << size;
    for (int64_t value : values)
      if (value < least || value > (int64_t(1) << 31))
        return op->emitOpError() << "'" << name << "' contains " << value << ", expected a number in [" << least
                                 << ", 2^31]";
    return success();
  };
  if (failed(check("kernel", kernel, rank, 1)) || failed(check("strides", strides, rank, 1)) ||
      failed(check("dilations", dilations, rank, 1)) || failed(check("pads", pads, 2 * rank, 0)))
    return failure();
  Window w = window();
  SmallVector<int64_t> padded(input.getShape());
  for (size_t d = 0; d < rank; ++d)
    padded[w.dimension(d)] += w.padBegin[d] + w.padEnd[d];
  if (!fitsLimit(padded) || !fitsLimit(w.kernel))
    return op->emitOpError() << "the window has too many positions, expected at most 2^31 with the padding";
  for (size_t d = 0; d < rank; ++d) {
    if (w.output[d] != w.expectedOutput(d) || w.output[d] <= 0)
      return op->emitOpError() << "result size " << w.output[d] << " in spatial dimension " << d << ", expected "
                               << w.expectedOutput(d);
    if (mustTouchInput && (w.countInside(d, 0) == 0 || w.countInside(d, w.output[d] - 1) == 0))
      return op->emitOpError() << "a window in spatial dimension " << d << " lies in the padding alone";
  }
  return success();
}

static LogicalResult verifyClamp(Operation *op, ArrayRef<int64_t> clamp, int64_t zeroPoint, Type element) {
  StorageRange range = integerRange(element);
  if (clamp.size() != 2 || clamp[0] > clamp[1] || clamp[0] < range.min || clamp[1] > range.max)
    return op->emitOpError() << "'clamp' is [" << clamp << "], expected two ordered numbers in [" << range.min << ", "
                             << range.max << "]";
  if (zeroPoint < range.min || zeroPoint > range.max)
    return op->emitOpError() << "'zero_point' " << zeroPoint << " is outside [" << range.min << ", " << range.max
                             << "]";
  return success();
}

static LogicalResult verifyBroadcast(Operation *op, StringRef name, DenseElementsAttr attribute, RankedTensorType to) {
  if (!broadcastsTo(attribute.getType().getShape(), to.getShape()))
    return op->emitOpError() << "'" << name << "' of type " << attribute.getType() << " does not broadcast to " << to;
  return success();
}

/// m is 0 or in [2^30, 2^31) (any non-negative number for the smaller of two), e in [1, 62].
static LogicalResult verifyMultiplier(Operation *op, StringRef name, DenseElementsAttr multiplier, bool normalised) {
  for (int32_t m : multiplier.getValues<int32_t>())
    if (m < 0 || (normalised && m != 0 && m < (1 << 30)))
      return op->emitOpError() << "'" << name << "' contains " << m << ", expected 0 or a number in [2^30, 2^31)";
  return success();
}

static LogicalResult verifyExponent(Operation *op, StringRef name, DenseElementsAttr exponent) {
  for (int32_t e : exponent.getValues<int32_t>())
    if (e < 1 || e > 62)
      return op->emitOpError() << "'" << name << "' contains " << e << ", expected a number in [1, 62]";
  return success();
}

static LogicalResult verifyPassThrough(Operation *op, Value input, Value output) {
  if (failed(verifyTensors(op, {input, output})))
    return failure();
  if (ranked(input).getElementType() != ranked(output).getElementType())
    return op->emitOpError() << "result elements of type " << ranked(output).getElementType()
                             << ", expected the operand's, " << ranked(input).getElementType();
  // Scales along a dimension do not follow every move.
  if (isa<quant::UniformQuantizedPerAxisType>(ranked(input).getElementType()))
    return op->emitOpError() << "operand with scales along an axis, expected one scale";
  return success();
}

static LogicalResult verifyEntries(Operation *op, StringRef name, ArrayRef<int64_t> values, int64_t rank) {
  if (static_cast<int64_t>(values.size()) != rank)
    return op->emitOpError() << "'" << name << "' has " << values.size() << " entries, expected " << rank;
  return success();
}

//===----------------------------------------------------------------------===//
// Linear layers
//===----------------------------------------------------------------------===//

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
// Element-wise operations
//===----------------------------------------------------------------------===//

/// Two operands of the result's rank, in which a dimension of size 1 repeats.
template <typename BinaryOp> static LogicalResult verifyBinary(BinaryOp op) {
  if (failed(verifyTensors(op, {op.getLhs(), op.getRhs(), op.getOutput()})))
    return failure();
  RankedTensorType lhs = ranked(op.getLhs()), rhs = ranked(op.getRhs()), output = ranked(op.getOutput());
  bool fits = lhs.getRank() == output.getRank() && rhs.getRank() == output.getRank();
  for (int64_t d = 0; fits && d < output.getRank(); ++d) {
    int64_t a = lhs.getDimSize(d), b = rhs.getDimSize(d);
    fits = (a == b || a == 1 || b == 1) && output.getDimSize(d) == std::max(a, b);
  }
  if (!fits)
    return op.emitOpError() << "of " << lhs << " and " << rhs << " as " << output
                            << ", expected one rank and sizes that are equal or 1";
  if (levelOf(output) == Level::Quantized && failed(verifyValue(op, "result", op.getOutput())))
    return failure();
  return success();
}

/// What both `add` and `mul` have at the integer level.
template <typename BinaryOp> static LogicalResult verifyIntegerBinary(BinaryOp op) {
  if (!isStorageType(ranked(op.getOutput()).getElementType()))
    return op.emitOpError() << "result of type " << op.getOutput().getType() << ", expected 8 or 16-bit integers";
  if (*op.getRounding() == qnn::Rounding::Double)
    return op.emitOpError() << "'rounding' double is for qnn.requantize alone, expected half_up or half_even";
  return verifyClamp(op, *op.getClamp(), *op.getZeroPoint(), ranked(op.getOutput()).getElementType());
}

LogicalResult AddOp::verify() {
  if (failed(verifyBinary(*this)))
    return failure();
  RankedTensorType output = ranked(getOutput());
  bool isInteger = levelOf(output) == Level::Integer;
  bool all = getAMultiplier() && getBMultiplier() && getExponent() && getZeroPoint() && getClamp() && getRounding();
  bool any = getAMultiplier() || getBMultiplier() || getExponent() || getZeroPoint() || getClamp() || getRounding();
  if (isInteger ? !all : any)
    return emitOpError() << (isInteger ? "needs all of" : "must not have any of")
                         << " 'a_multiplier', 'b_multiplier', 'exponent', 'zero_point', 'clamp' and 'rounding'";
  if (failed(verifyZeroPoint(*this, "a_zp", getAZp(), getLhs())) ||
      failed(verifyZeroPoint(*this, "b_zp", getBZp(), getRhs())))
    return failure();
  if (!isInteger)
    return success();
  // The multiplier of a difference is negative.
  if (failed(verifyIntegerBinary(*this)) || failed(verifyMultiplier(*this, "a_multiplier", *getAMultiplier(), false)) ||
      failed(verifyExponent(*this, "exponent", *getExponent())) ||
      failed(verifyBroadcast(*this, "a_multiplier", *getAMultiplier(), output)) ||
      failed(verifyBroadcast(*this, "b_multiplier", *getBMultiplier(), output)) ||
      failed(verifyBroadcast(*this, "exponent", *getExponent(), output)))
    return failure();
  return success();
}

LogicalResult SubOp::verify() {
  if (failed(verifyBinary(*this)))
    return failure();
  if (levelOf(getOutput().getType()) == Level::Integer)
    return emitOpError() << "with operands of type " << ranked(getLhs()).getElementType()
                         << ", expected qnn.add with a negative 'b_multiplier'";
  return success();
}

LogicalResult MulOp::verify() {
  if (failed(verifyBinary(*this)))
    return failure();
  bool isInteger = levelOf(getOutput().getType()) == Level::Integer;
  bool all = getMultiplier() && getExponent() && getZeroPoint() && getClamp() && getRounding();
  bool any = getMultiplier() || getExponent() || getZeroPoint() || getClamp() || getRounding();
  if (isInteger ? !all : any)
    return emitOpError() << (isInteger ? "needs all of" : "must not have any of")
                         << " 'multiplier', 'exponent', 'zero_point', 'clamp' and 'rounding'";
  if (failed(verifyZeroPoint(*this, "a_zp", getAZp(), getLhs())) ||
      failed(verifyZeroPoint(*this, "b_zp", getBZp(), getRhs())))
    return failure();
  for (Value operand : {getLhs(), getRhs()}) {
    Type element = ranked(operand).getElementType();
    if (isInteger && !isStorageType(element))
      return emitOpError() << "operand of type " << operand.getType() << ", expected 8 or 16-bit integers";
    if (levelOf(operand.getType()) == Level::Quantized && failed(verifyValue(*this, "operand", operand)))
      return failure();
  }
  if (!isInteger)
    return success();
  int64_t m = static_cast<int32_t>(*getMultiplier()), e = static_cast<int32_t>(*getExponent());
  if (m < 0 || e < 1 || e > 62)
    return emitOpError() << "multiplier " << m << " and exponent " << e
                         << ", expected at least 0 and a number in [1, 62]";
  return verifyIntegerBinary(*this);
}

LogicalResult MapOp::verify() {
  if (failed(verifyTensors(*this, {getInput(), getOutput()})))
    return failure();
  RankedTensorType input = ranked(getInput()), output = ranked(getOutput());
  if (input.getShape() != output.getShape())
    return emitOpError() << "result of type " << output << ", expected the shape of " << input;
  if (levelOf(input) == Level::Integer)
    return emitOpError() << "operand of type " << input << ", expected f32 or a quantized type";
  if (levelOf(input) == Level::Quantized &&
      (failed(verifyValue(*this, "operand", getInput())) || failed(verifyValue(*this, "result", getOutput()))))
    return failure();
  Block &block = getBody().front();
  if (block.getNumArguments() != 1 || !block.getArgument(0).getType().isF32())
    return emitOpError() << "body with " << block.getNumArguments() << " arguments, expected one f32";
  if (!isa<YieldOp>(block.back()))
    return emitOpError() << "body ends with '" << block.back().getName() << "', expected qnn.yield";
  for (Operation &op : block.without_terminator())
    if (!isScalarOperation(&op))
      return op.emitOpError() << "in the body of qnn.map, expected an f32 operation that qnn.map lists";
  return success();
}

LogicalResult TableOp::verify() {
  if (failed(verifyTensors(*this, {getInput(), getOutput()})))
    return failure();
  RankedTensorType input = ranked(getInput()), output = ranked(getOutput());
  if (input.getShape() != output.getShape() || !isStorageType(input.getElementType()) ||
      !isStorageType(output.getElementType()))
    return emitOpError() << "operand " << input << " and result " << output
                         << ", expected 8 or 16-bit integers of one shape";
  int64_t count = getEntries().getNumElements(), shift = getShift();
  if (shift < 0 || shift > 16 || count < (shift ? 2 : 1) || count > 1024 ||
      cast<ShapedType>(getEntries().getType()).getRank() != 1)
    return emitOpError()
           << "table of type " << getEntries().getType() << " with shift " << shift
           << ", expected one dimension of at most 1024 entries (2 or more with a shift) and a shift in [0, 16]";
  StorageRange range = integerRange(input.getElementType());
  int64_t low = getLow();
  if (low < range.min || low > range.max)
    return emitOpError() << "'low' " << low << " is outside [" << range.min << ", " << range.max << "]";
  if (failed(verifyClamp(*this, getClamp(), getClamp().empty() ? 0 : getClamp()[0], output.getElementType())))
    return failure();
  for (int32_t entry : getEntries().getValues<int32_t>())
    if (shift ? std::abs(static_cast<int64_t>(entry)) > (1 << 26) : entry < getClamp()[0] || entry > getClamp()[1])
      return emitOpError() << "'entries' contains " << entry << ", expected a number "
                           << (shift ? "of magnitude at most 2^26" : "in the range of 'clamp'");
  return success();
}

LogicalResult PReluOp::verify() {
  if (failed(verifyTensors(*this, {getInput(), getOutput()})))
    return failure();
  RankedTensorType input = ranked(getInput()), output = ranked(getOutput());
  if (input.getShape() != output.getShape())
    return emitOpError() << "result of type " << output << ", expected the shape of " << input;
  bool isInteger = levelOf(input) == Level::Integer;
  if (bool(getSlope()) == isInteger)
    return emitOpError() << (isInteger ? "must not have" : "needs") << " a slope with operands of type "
                         << input.getElementType();
  if (getSlope() && !broadcastsTo(ranked(getSlope()).getShape(), input.getShape()))
    return emitOpError() << "slope of type " << getSlope().getType() << " does not broadcast to " << input;
  bool all = getMultiplier() && getExponent() && getNegativeMultiplier() && getNegativeExponent() && getZeroPoint() &&
             getClamp() && getRounding();
  bool any = getMultiplier() || getExponent() || getNegativeMultiplier() || getNegativeExponent() || getZeroPoint() ||
             getClamp() || getRounding();
  if (isInteger ? !all : any)
    return emitOpError() << (isInteger ? "needs all of" : "must not have any of")
                         << " 'multiplier', 'exponent', 'negative_multiplier', 'negative_exponent', 'zero_point', "
                            "'clamp' and 'rounding'";
  if (levelOf(output) == Level::Quantized && failed(verifyValue(*this, "result", getOutput())))
    return failure();
  if (failed(verifyZeroPoint(*this, "x_zp", getXZp(), getInput())))
    return failure();
  if (!isInteger)
    return success();
  if (!isStorageType(output.getElementType()))
    return emitOpError() << "result of type " << output << ", expected 8 or 16-bit integers";
  if (*getRounding() == qnn::Rounding::Double)
    return emitOpError() << "'rounding' double is for qnn.requantize alone, expected half_up or half_even";
  if (failed(verifyMultiplier(*this, "multiplier", *getMultiplier(), true)) ||
      failed(verifyExponent(*this, "exponent", *getExponent())) ||
      failed(verifyExponent(*this, "negative_exponent", *getNegativeExponent())) ||
      failed(verifyClamp(*this, *getClamp(), *getZeroPoint(), output.getElementType())) ||
      failed(verifyBroadcast(*this, "multiplier", *getMultiplier(), output)) ||
      failed(verifyBroadcast(*this, "exponent", *getExponent(), output)) ||
      failed(verifyBroadcast(*this, "negative_multiplier", *getNegativeMultiplier(), output)) ||
      failed(verifyBroadcast(*this, "negative_exponent", *getNegativeExponent(), output)))
    return failure();
  return success();
}

LogicalResult ClipOp::verify() {
  if (!(getMin() <= getMax()))
    return emitOpError() << "'min' " << getMin().convertToFloat() << " and 'max' " << getMax().convertToFloat()
                         << ", expected ordered numbers";
  return success();
}

LogicalResult RequantizeOp::verify() {
  if (failed(verifyTensors(*this, {getInput(), getOutput()})))
    return failure();
  RankedTensorType input = ranked(getInput()), output = ranked(getOutput());
  if (levelOf(input) == Level::Float)
    return emitOpError() << "operand of type " << input << ", expected a quantized type or integers";
  if (input.getShape() != output.getShape())
    return emitOpError() << "result of type " << output << ", expected the shape of " << input;
  bool isInteger = levelOf(input) == Level::Integer;
  bool all = getMultiplier() && getExponent() && getZeroPoint() && getClamp() && getRounding();
  bool any = getMultiplier() || getExponent() || getZeroPoint() || getRounding();
  if (isInteger ? !all : any)
    return emitOpError() << (isInteger ? "needs all of" : "must not have any of")
                         << " 'multiplier', 'exponent', 'zero_point'" << (isInteger ? ", 'clamp'" : "")
                         << " and 'rounding'";
  if (!isInteger) {
    if (failed(verifyValue(*this, "result", getOutput())))
      return failure();
    if (getXZp() != 0)
      return emitOpError() << "must not have 'x_zp' with operands of type " << input.getElementType();
    if (getClamp() && (getClamp()->size() != 2 || (*getClamp())[0] > (*getClamp())[1]))
      return emitOpError() << "'clamp' is [" << *getClamp() << "], expected two ordered numbers";
    return success();
  }
  if (failed(verifyZeroPoint(*this, "x_zp", getXZp(), getInput())))
    return failure();
  if (!isStorageType(output.getElementType()))
    return emitOpError() << "result of type " << output << ", expected 8 or 16-bit integers";
  if (failed(verifyMultiplier(*this, "multiplier", *getMultiplier(), true)) ||
      failed(verifyExponent(*this, "exponent", *getExponent())) ||
      failed(verifyClamp(*this, *getClamp(), *getZeroPoint(), output.getElementType())) ||
      failed(verifyBroadcast(*this, "multiplier", *getMultiplier(), output)) ||
      failed(verifyBroadcast(*this, "exponent", *getExponent(), output)))
    return failure();
  return success();
}

LogicalResult SoftmaxOp::verify() {
  if (failed(verifyTensors(*this, {getInput(), getOutput()})))
    return failure();
  RankedTensorType input = ranked(getInput()), output = ranked(getOutput());
  int64_t axis = static_cast<int64_t>(getAxis());
  if (input.getShape() != output.getShape() || axis < 0 || axis >= input.getRank())
    return emitOpError() << "result of type " << output << " along dimension " << axis << " of " << input;
  if (input.getDimSize(axis) > kSoftmaxLimit)
    return emitOpError() << input.getDimSize(axis) << " elements along dimension " << axis << ", expected at most "
                         << kSoftmaxLimit;
  bool isInteger = levelOf(input) == Level::Integer;
  if (isInteger != (getHigh() && getLow()) || (getHigh().has_value() != getLow().has_value()))
    return emitOpError() << (isInteger ? "needs" : "must not have") << " 'high' and 'low'";
  if (!isInteger)
    return success();
  if (!isStorageType(input.getElementType()) || !output.getElementType().isUnsignedInteger(16))
    return emitOpError() << "operand " << input << " and result " << output
                         << ", expected 8 or 16-bit integers and ui16";
  for (DenseElementsAttr table : {*getHigh(), *getLow()}) {
    if (table.getNumElements() != 256)
      return emitOpError() << "a table of " << table.getNumElements() << " entries, expected 256";
    for (int32_t entry : table.getValues<int32_t>())
      if (entry < 0 || entry > (1 << 30))
        return emitOpError() << "a table contains " << entry << ", expected a number in [0, 2^30]";
  }
  if (getHigh()->getValues<int32_t>()[0] != (1 << 30) || getLow()->getValues<int32_t>()[0] != (1 << 30))
    return emitOpError() << "the first entry of a table is not 2^30";
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
// Shape operations
//===----------------------------------------------------------------------===//

LogicalResult ReshapeOp::verify() {
  if (failed(verifyPassThrough(*this, getInput(), getOutput())))
    return failure();
  if (ranked(getInput()).getNumElements() != ranked(getOutput()).getNumElements())
    return emitOpError() << "operand " << getInput().getType() << " and result " << getOutput().getType()
                         << " differ in the number of elements";
  return success();
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  if (getInput().getType() == getType())
    return getInput();
  return {};
}

LogicalResult TransposeOp::verify() {
  RankedTensorType input = ranked(getInput()), output = ranked(getOutput());
  if (failed(verifyTensors(*this, {getInput(), getOutput()})) ||
      failed(verifyEntries(*this, "permutation", getPermutation(), input.getRank())))
    return failure();
  SmallVector<bool> seen(input.getRank(), false);
  for (auto [i, p] : llvm::enumerate(getPermutation())) {
    if (p < 0 || p >= input.getRank() || seen[p])
      return emitOpError() << "'permutation' is [" << getPermutation() << "], expected each dimension once";
    seen[p] = true;
    if (output.getRank() != input.getRank() || output.getDimSize(i) != input.getDimSize(p))
      return emitOpError() << "result of type " << output << " for permutation [" << getPermutation() << "] of "
                           << input;
  }
  return verifyPassThrough(*this, getInput(), getOutput());
}

LogicalResult SliceOp::verify() {
  RankedTensorType input = ranked(getInput()), output = ranked(getOutput());
  if (failed(verifyPassThrough(*this, getInput(), getOutput())) ||
      failed(verifyEntries(*this, "offsets", getOffsets(), input.getRank())) ||
      failed(verifyEntries(*this, "steps", getSteps(), input.getRank())))
    return failure();
  if (output.getRank() != input.getRank())
    return emitOpError() << "result of type " << output << ", expected rank " << input.getRank();
  for (int64_t d = 0; d < input.getRank(); ++d) {
    int64_t size = input.getDimSize(d), first = getOffsets()[d], step = getSteps()[d];
    int64_t steps = output.getDimSize(d) - 1;
    bool inside =
        first >= 0 && first < size && step != 0 &&
        (steps == 0 || (step > 0 ? steps <= (size - 1 - first) / step : step >= -size && steps <= first / -step));
    if (!inside)
      return emitOpError() << "dimension " << d << " of size " << size << " from " << first << " in " << steps
                           << " steps of " << step << " leaves the operand";
  }
  return success();
}

LogicalResult GatherOp::verify() {
  RankedTensorType input = ranked(getInput()), output = ranked(getOutput());
  if (failed(verifyPassThrough(*this, getInput(), getOutput())))
    return failure();
  int64_t axis = static_cast<int64_t>(getAxis());
  if (axis < 0 || axis >= input.getRank())
    return emitOpError() << "'axis' is " << axis << ", expected a dimension of " << input;
  SmallVector<int64_t> expected(input.getShape());
  expected[axis] = getIndices().size();
  if (output.getShape() != ArrayRef<int64_t>(expected))
    return emitOpError() << "result of type " << output << " for " << getIndices().size() << " indices along dimension "
                         << axis << " of " << input;
  for (int64_t index : getIndices())
    if (index < 0 || index >= input.getDimSize(axis))
      return emitOpError() << "'indices' contains " << index << ", expected a number in [0, "
                           << input.getDimSize(axis) - 1 << "]";
  return success();
}

LogicalResult PadOp::verify() {
  RankedTensorType input = ranked(getInput()), output = ranked(getOutput());
  if (failed(verifyPassThrough(*this, getInput(), getOutput())) ||
      failed(verifyEntries(*this, "low", getLow(), input.getRank())) ||
      failed(verifyEntries(*this, "high", getHigh(), input.getRank())) ||
      failed(verifyZeroPoint(*this, "x_zp", getXZp(), getInput())))
    return failure();
  for (int64_t d = 0; d < input.getRank(); ++d)
    if (output.getRank() != input.getRank() || getLow()[d] < 0 || getHigh()[d] < 0 ||
        output.getDimSize(d) != input.getDimSize(d) + getLow()[d] + getHigh()[d])
      return emitOpError() << "result of type " << output << " for padding of [" << getLow() << "] before and ["
                           << getHigh() << "] after " << input;
  if (!getValue().isFinite())
    return emitOpError() << "'value' is not finite";
  return success();
}

LogicalResult ConcatOp::verify() {
  if (getInputs().empty())
    return emitOpError() << "has no operands, expected at least one";
  RankedTensorType output = ranked(getOutput());
  int64_t axis = static_cast<int64_t>(getAxis()), total = 0;
  if (axis < 0 || axis >= output.getRank())
    return emitOpError() << "'axis' is " << axis << ", expected a dimension of " << output;
  for (Value input : getInputs()) {
    if (failed(verifyPassThrough(*this, input, getOutput())))
      return failure();
    SmallVector<int64_t> expected(output.getShape()), found(ranked(input).getShape());
    if (found.size() == expected.size()) {
      total += found[axis];
      expected[axis] = found[axis];
    }
    if (found != expected)
      return emitOpError() << "operand of type " << input.getType() << ", expected the sizes of " << output
                           << " but along dimension " << axis;
  }
  if (total != output.getDimSize(axis))
    return emitOpError() << "operands have " << total << " elements along dimension " << axis << ", expected "
                         << output.getDimSize(axis);
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
