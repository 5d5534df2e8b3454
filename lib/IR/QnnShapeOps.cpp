// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers and folds of operations that move elements.

#include "QnnChecks.h"
#include "dyadic/IR/Types.h"

using namespace mlir;
using namespace dyadic;
using namespace dyadic::qnn;

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
