// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations that move stored elements and compute none: bytes are copied,
// whatever their type.

#include "Indexing.h"
#include "Operations.h"

using namespace llvm;

namespace dyadic::reference {

static void copyElement(const Tensor &from, int64_t source, Tensor &to, int64_t target) {
  const size_t bytes = elementSize(from.type);
  std::memcpy(to.data.data() + target * bytes, from.data.data() + source * bytes, bytes);
}

Error run(qnn::ReshapeOp, Operands in, Tensor &out) {
  out.data = in[0]->data;
  return Error::success();
}

Error run(qnn::TransposeOp op, Operands in, Tensor &out) {
  Index source(out.shape.size(), 0);
  forEachIndex(out.shape, [&](ArrayRef<int64_t> index, int64_t i) {
    for (auto [d, from] : enumerate(op.getPermutation()))
      source[from] = index[d];
    copyElement(*in[0], offsetOf(source, in[0]->shape), out, i);
  });
  return Error::success();
}

Error run(qnn::SliceOp op, Operands in, Tensor &out) {
  Index source(out.shape.size(), 0);
  forEachIndex(out.shape, [&](ArrayRef<int64_t> index, int64_t i) {
    for (size_t d = 0; d < index.size(); ++d)
      source[d] = op.getOffsets()[d] + index[d] * op.getSteps()[d];
    copyElement(*in[0], offsetOf(source, in[0]->shape), out, i);
  });
  return Error::success();
}

Error run(qnn::GatherOp op, Operands in, Tensor &out) {
  const int64_t axis = static_cast<int64_t>(op.getAxis());
  Index source(out.shape.size(), 0);
  forEachIndex(out.shape, [&](ArrayRef<int64_t> index, int64_t i) {
    source.assign(index.begin(), index.end());
    source[axis] = op.getIndices()[index[axis]];
    copyElement(*in[0], offsetOf(source, in[0]->shape), out, i);
  });
  return Error::success();
}

Error run(qnn::PadOp op, Operands in, Tensor &out) {
  for (int64_t i = 0, end = out.size(); i < end; ++i) {
    if (isFloat(out))
      out.as<float>()[i] = op.getValue().convertToFloat();
    else
      out.setInt(i, static_cast<int64_t>(op.getXZp().value_or(0)));
  }
  Index target(out.shape.size(), 0);
  forEachIndex(in[0]->shape, [&](ArrayRef<int64_t> index, int64_t i) {
    for (size_t d = 0; d < index.size(); ++d)
      target[d] = index[d] + op.getLow()[d];
    copyElement(*in[0], i, out, offsetOf(target, out.shape));
  });
  return Error::success();
}

Error run(qnn::ConcatOp op, Operands in, Tensor &out) {
  int64_t first = 0;
  for (const Tensor *part : in) {
    Index target(out.shape.size(), 0);
    forEachIndex(part->shape, [&](ArrayRef<int64_t> index, int64_t i) {
      target.assign(index.begin(), index.end());
      target[op.getAxis()] += first;
      copyElement(*part, i, out, offsetOf(target, out.shape));
    });
    first += part->shape[op.getAxis()];
  }
  return Error::success();
}

} // namespace dyadic::reference
