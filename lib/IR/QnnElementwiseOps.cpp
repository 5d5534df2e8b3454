// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of element-wise operations.

#include "QnnChecks.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/FunctionBody.h"
#include "dyadic/IR/Types.h"

using namespace mlir;
using namespace dyadic;
using namespace dyadic::qnn;

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
