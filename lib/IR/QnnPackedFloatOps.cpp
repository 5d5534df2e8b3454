// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of the packed level of float layers: no read leaves the input.

#include "dyadic/IR/QnnDialect.h"

using namespace mlir;
using namespace dyadic;
using namespace dyadic::qnn;

static ArrayRef<int64_t> shapeOf(Value value) { return cast<ShapedType>(value.getType()).getShape(); }
static int64_t sizeOf(Value value) { return cast<ShapedType>(value.getType()).getNumElements(); }

/// Both operations: shapes, and that the last tap of the last position, which reads `read` elements, lies in the image.
template <typename Op> static LogicalResult verifyPackedFloat(Op op, int64_t panels, int64_t run, int64_t read) {
  for (Value value : op->getOperands()) {
    auto type = cast<ShapedType>(value.getType());
    if (!type.hasStaticShape() || !type.getElementType().isF32())
      return op.emitOpError() << "operand of type " << type << ", expected a static shape of f32";
  }
  ArrayRef<int64_t> input = shapeOf(op.getInput()), output = shapeOf(op.getDest());
  if (input.size() != 4 || output.size() != 4 || input[0] != output[0])
    return op.emitOpError() << "input and destination have shapes [" << input << "] and [" << output
                            << "], expected [N, H, W, C] and [N, OH, OW, M]";
  if (op.getOutput() && op.getOutput().getType() != op.getDest().getType())
    return op.emitOpError() << "result of type " << op.getOutput().getType() << ", expected that of the destination";
  if (op.getResidual() && shapeOf(op.getResidual()) != output)
    return op.emitOpError() << "residual of type " << op.getResidual().getType()
                            << ", expected the destination's shape";
  int64_t lanes = op.getLanes(), rows = op.getRows();
  if (lanes < 1 || kPanelChannels % lanes != 0 || rows < 1)
    return op.emitOpError() << lanes << " lanes and " << rows << " rows, expected a divisor of " << kPanelChannels
                            << " and at least 1";
  if (!(op.getLow() <= op.getHigh())) // NaN too
    return op.emitOpError() << "bounds that are not in order, expected low <= high";

  ArrayRef<int64_t> taps = op.getTaps();
  if (taps.size() != 2 || taps[0] < 1 || taps[1] < 1 || run < 1)
    return op.emitOpError() << "taps [" << taps << "] of " << run << " numbers, expected two counts of at least 1";
  int64_t weights = panels * taps[0] * taps[1] * run * kPanelChannels;
  if (sizeOf(op.getWeights()) != weights || sizeOf(op.getBias()) != panels * kPanelChannels)
    return op.emitOpError() << "weights of type " << op.getWeights().getType() << " and bias of type "
                            << op.getBias().getType() << ", expected " << weights << " and " << panels * kPanelChannels
                            << " numbers";
  int64_t steps[] = {static_cast<int64_t>(op.getLine()), static_cast<int64_t>(op.getPixel()),
                     static_cast<int64_t>(op.getTapLine()), static_cast<int64_t>(op.getTapPixel())};
  int64_t counts[] = {output[1] - 1, output[2] - 1, taps[0] - 1, taps[1] - 1}, end = read;
  for (auto [step, count] : llvm::zip(steps, counts)) {
    if (step < 0)
      return op.emitOpError() << "a step of " << step << " elements, expected none below 0";
    end += step * count;
  }
  if (int64_t image = input[1] * input[2] * input[3]; end > image)
    return op.emitOpError() << "reads " << end << " elements of an image of " << image;
  return success();
}

LogicalResult PackedFloatConvOp::verify() {
  int64_t groups = getGroups(), run = getRun(), outputs = shapeOf(getDest()).empty() ? 0 : shapeOf(getDest()).back();
  if (groups < 1 || outputs % groups != 0)
    return emitOpError() << groups << " groups for " << outputs << " channels, expected a divisor";
  int64_t panels = groups * ((outputs / groups + kPanelChannels - 1) / kPanelChannels);
  return verifyPackedFloat(*this, panels, run, groups * run);
}

LogicalResult PackedFloatDepthwiseOp::verify() {
  ArrayRef<int64_t> input = shapeOf(getInput()), output = shapeOf(getDest());
  if (input.empty() || output.empty() || input.back() != output.back())
    return emitOpError() << "input of type " << getInput().getType() << " and destination of type "
                         << getDest().getType() << ", expected as many channels";
  return verifyPackedFloat(*this, (output.back() + kPanelChannels - 1) / kPanelChannels, /*run=*/1, output.back());
}
