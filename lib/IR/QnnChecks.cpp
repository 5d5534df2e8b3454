// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "QnnChecks.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Types.h"

using namespace mlir;

namespace dyadic::qnn {

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

LogicalResult verifyTensors(Operation *op, ValueRange values) {
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

LogicalResult verifyZeroPoint(Operation *op, StringRef name, std::optional<uint64_t> zeroPoint, Value input) {
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

LogicalResult verifyValue(Operation *op, StringRef name, Value value) {
  std::optional<QuantInfo> info = quantInfo(ranked(value).getElementType());
  if (!info || info->axis != -1 || info->bits > 16)
    return op->emitOpError() << name << " of type " << value.getType() << ", expected one scale and at most 16 bits";
  return success();
}

LogicalResult verifyWindow(Operation *op, RankedTensorType input, RankedTensorType output, ArrayRef<int64_t> kernel,
                           ArrayRef<int64_t> strides, ArrayRef<int64_t> pads, ArrayRef<int64_t> dilations,
                           bool mustTouchInput, llvm::function_ref<Window()> window) {
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

LogicalResult verifyClamp(Operation *op, ArrayRef<int64_t> clamp, int64_t zeroPoint, Type element) {
  StorageRange range = integerRange(element);
  if (clamp.size() != 2 || clamp[0] > clamp[1] || clamp[0] < range.min || clamp[1] > range.max)
    return op->emitOpError() << "'clamp' is [" << clamp << "], expected two ordered numbers in [" << range.min << ", "
                             << range.max << "]";
  if (zeroPoint < range.min || zeroPoint > range.max)
    return op->emitOpError() << "'zero_point' " << zeroPoint << " is outside [" << range.min << ", " << range.max
                             << "]";
  return success();
}

LogicalResult verifyBroadcast(Operation *op, StringRef name, DenseElementsAttr attribute, RankedTensorType to) {
  if (!broadcastsTo(attribute.getType().getShape(), to.getShape()))
    return op->emitOpError() << "'" << name << "' of type " << attribute.getType() << " does not broadcast to " << to;
  return success();
}

LogicalResult verifyMultiplier(Operation *op, StringRef name, DenseElementsAttr multiplier, bool normalised) {
  for (int32_t m : multiplier.getValues<int32_t>())
    if (m < 0 || (normalised && m != 0 && m < (1 << 30)))
      return op->emitOpError() << "'" << name << "' contains " << m << ", expected 0 or a number in [2^30, 2^31)";
  return success();
}

LogicalResult verifyExponent(Operation *op, StringRef name, DenseElementsAttr exponent) {
  for (int32_t e : exponent.getValues<int32_t>())
    if (e < 1 || e > 62)
      return op->emitOpError() << "'" << name << "' contains " << e << ", expected a number in [1, 62]";
  return success();
}

LogicalResult verifyPassThrough(Operation *op, Value input, Value output) {
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

LogicalResult verifyEntries(Operation *op, StringRef name, ArrayRef<int64_t> values, int64_t rank) {
  if (static_cast<int64_t>(values.size()) != rank)
    return op->emitOpError() << "'" << name << "' has " << values.size() << " entries, expected " << rank;
  return success();
}

} // namespace dyadic::qnn
