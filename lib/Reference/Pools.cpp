// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Maximum and mean of the positions of a window that lie in the input.

#include "Indexing.h"
#include "Operations.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace dyadic::reference {

/// A pool's kernel has no weights that would bound its size.
static Error checkKernel(mlir::Operation *op, const qnn::Window &window) {
  int64_t volume = 1;
  for (int64_t size : window.kernel)
    if (MulOverflow(volume, size, volume) || volume > kMaxElements)
      return operationError(op, "kernel with too many positions, expected at most " + Twine(kMaxElements));
  return Error::success();
}

/// Calls visit(elements, o) for every result element `o` of a pool with result `out`:
/// `elements` are the offsets of its window's elements inside of the input.
template <typename Visit> static void forEachWindow(const qnn::Window &window, const Tensor &out, Visit visit) {
  const int64_t channels = out.shape[window.channelDimension()];
  const ImageLayout from{channels, volumeOf(window.input), window.channelsLast};
  const ImageLayout to{channels, volumeOf(window.output), window.channelsLast};
  std::vector<int64_t> elements;
  forEachIndex(window.output, [&](ArrayRef<int64_t> position, int64_t o) {
    const std::vector<Tap> taps = tapsAt(window, position, /*insideOnly=*/true);
    for (int64_t n = 0; n < out.shape[0]; ++n)
      for (int64_t c = 0; c < channels; ++c) {
        elements.clear();
        for (const Tap &tap : taps)
          elements.push_back(from.offset(n, c, tap.input));
        visit(elements, to.offset(n, c, o));
      }
  });
}

Error run(qnn::MaxPoolOp op, Operands in, Tensor &out) {
  const qnn::Window window = qnn::windowOf(op);
  if (Error error = checkKernel(op, window))
    return error;
  if (isFloat(out)) {
    ArrayRef<float> x = floats(*in[0]);
    forEachWindow(window, out, [&](ArrayRef<int64_t> elements, int64_t o) {
      float largest = x[elements.front()];
      for (int64_t element : elements)
        largest = maximum(largest, x[element]);
      out.as<float>()[o] = largest;
    });
    return Error::success();
  }
  forEachWindow(window, out, [&](ArrayRef<int64_t> elements, int64_t o) {
    int64_t largest = in[0]->intAt(elements.front());
    for (int64_t element : elements)
      largest = std::max(largest, in[0]->intAt(element));
    out.setInt(o, largest);
  });
  return Error::success();
}

Error run(qnn::AvgPoolOp op, Operands in, Tensor &out) {
  const qnn::Window window = qnn::windowOf(op);
  if (Error error = checkKernel(op, window))
    return error;
  if (isFloat(out)) {
    ArrayRef<float> x = floats(*in[0]);
    forEachWindow(window, out, [&](ArrayRef<int64_t> elements, int64_t o) {
      float sum = 0;
      for (int64_t element : elements)
        sum += x[element];
      out.as<float>()[o] = sum / static_cast<float>(elements.size());
    });
    return Error::success();
  }
  const int64_t zeroPoint = static_cast<int64_t>(op.getXZp().value_or(0));
  forEachWindow(window, out, [&](ArrayRef<int64_t> elements, int64_t o) {
    int64_t sum = 0;
    for (int64_t element : elements)
      sum += in[0]->intAt(element) - zeroPoint;
    out.setInt(o, sum);
  });
  return Error::success();
}

} // namespace dyadic::reference
