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

/// Calls visit(taps, base, o) for every result element `o`: `taps` are the positions
/// inside of the input, relative to offset `base`, the start of the image.
template <typename Visit> static void forEachWindow(const qnn::Window &window, int64_t images, Visit visit) {
  const int64_t inputArea = volumeOf(window.input), outputArea = volumeOf(window.output);
  forEachIndex(window.output, [&](ArrayRef<int64_t> position, int64_t o) {
    const std::vector<Tap> taps = tapsAt(window, position, /*insideOnly=*/true);
    for (int64_t image = 0; image < images; ++image)
      visit(taps, image * inputArea, image * outputArea + o);
  });
}

Error run(qnn::MaxPoolOp op, Operands in, Tensor &out) {
  const qnn::Window window = qnn::windowOf(op);
  const int64_t images = out.shape[0] * out.shape[1];
  if (Error error = checkKernel(op, window))
    return error;
  if (isFloat(out)) {
    ArrayRef<float> x = floats(*in[0]);
    forEachWindow(window, images, [&](ArrayRef<Tap> taps, int64_t base, int64_t o) {
      float largest = x[base + taps.front().input];
      for (const Tap &tap : taps)
        largest = maximum(largest, x[base + tap.input]);
      out.as<float>()[o] = largest;
    });
    return Error::success();
  }
  forEachWindow(window, images, [&](ArrayRef<Tap> taps, int64_t base, int64_t o) {
    int64_t largest = in[0]->intAt(base + taps.front().input);
    for (const Tap &tap : taps)
      largest = std::max(largest, in[0]->intAt(base + tap.input));
    out.setInt(o, largest);
  });
  return Error::success();
}

Error run(qnn::AvgPoolOp op, Operands in, Tensor &out) {
  const qnn::Window window = qnn::windowOf(op);
  const int64_t images = out.shape[0] * out.shape[1];
  if (Error error = checkKernel(op, window))
    return error;
  if (isFloat(out)) {
    ArrayRef<float> x = floats(*in[0]);
    forEachWindow(window, images, [&](ArrayRef<Tap> taps, int64_t base, int64_t o) {
      float sum = 0;
      for (const Tap &tap : taps)
        sum += x[base + tap.input];
      out.as<float>()[o] = sum / static_cast<float>(taps.size());
    });
    return Error::success();
  }
  const int64_t zeroPoint = static_cast<int64_t>(op.getXZp().value_or(0));
  forEachWindow(window, images, [&](ArrayRef<Tap> taps, int64_t base, int64_t o) {
    int64_t sum = 0;
    for (const Tap &tap : taps)
      sum += in[0]->intAt(base + tap.input) - zeroPoint;
    out.setInt(o, sum);
  });
  return Error::success();
}

} // namespace dyadic::reference
