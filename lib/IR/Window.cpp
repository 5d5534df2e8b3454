// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/IR/Window.h"

using namespace mlir;

namespace dyadic::qnn {

int64_t Window::volume() const {
  int64_t result = 1;
  for (int64_t k : kernel)
    result *= k;
  return result;
}

int64_t Window::expectedOutput(size_t d) const {
  int64_t extent = (kernel[d] - 1) * dilations[d] + 1;
  int64_t room = input[d] + padBegin[d] + padEnd[d] - extent;
  return room < 0 ? 0 : room / strides[d] + 1;
}

int64_t Window::countInside(size_t d, int64_t o) const {
  // Kernel positions k with 0 <= start + k * dilation < input.
  int64_t start = inputAt(d, o, 0), step = dilations[d];
  int64_t first = start >= 0 ? 0 : (-start + step - 1) / step;
  int64_t last = start >= input[d] ? -1 : (input[d] - 1 - start) / step;
  return std::max<int64_t>(0, std::min(last, kernel[d] - 1) - first + 1);
}

bool Window::hasPadding() const {
  auto nonZero = [](int64_t p) { return p != 0; };
  return llvm::any_of(padBegin, nonZero) || llvm::any_of(padEnd, nonZero);
}

bool Window::alwaysTouchesInput() const {
  for (size_t d = 0; d < rank(); ++d)
    for (int64_t o = 0; o < output[d]; ++o)
      if (countInside(d, o) == 0)
        return false;
  return true;
}

static Window makeWindow(Type input, Type output, ArrayRef<int64_t> kernel, ArrayRef<int64_t> strides,
                         ArrayRef<int64_t> pads, ArrayRef<int64_t> dilations, bool channelsLast) {
  size_t rank = kernel.size();
  auto orDefault = [rank](ArrayRef<int64_t> given, int64_t value) {
    return given.empty() ? SmallVector<int64_t>(rank, value) : SmallVector<int64_t>(given);
  };
  Window w;
  w.channelsLast = channelsLast;
  auto space = [&](Type type) {
    return SmallVector<int64_t>(cast<RankedTensorType>(type).getShape().slice(channelsLast ? 1 : 2, rank));
  };
  w.input = space(input);
  w.output = space(output);
  w.kernel.assign(kernel.begin(), kernel.end());
  w.strides = orDefault(strides, 1);
  w.dilations = orDefault(dilations, 1);
  SmallVector<int64_t> both = pads.empty() ? SmallVector<int64_t>(2 * rank, 0) : SmallVector<int64_t>(pads);
  w.padBegin.assign(both.begin(), both.begin() + rank);
  w.padEnd.assign(both.begin() + rank, both.end());
  return w;
}

Window windowOf(ConvOp op) {
  return makeWindow(op.getInput().getType(), op.getType(),
                    cast<RankedTensorType>(op.getWeights().getType()).getShape().drop_front(2), op.getStrides(),
                    op.getPads(), op.getDilations(), op.getChannelsLast());
}

template <typename Pool> static Window poolWindow(Pool op) {
  return makeWindow(op.getInput().getType(), op.getType(), op.getKernel(), op.getStrides(), op.getPads(),
                    op.getDilations(), op.getChannelsLast());
}

Window windowOf(MaxPoolOp op) { return poolWindow(op); }
Window windowOf(AvgPoolOp op) { return poolWindow(op); }

int64_t channelDimensionOf(Operation *op) {
  auto conv = dyn_cast<ConvOp>(op);
  return conv && !conv.getChannelsLast() ? 1 : cast<RankedTensorType>(op->getResult(0).getType()).getRank() - 1;
}

std::optional<Window> windowBefore(PadOp pad, Window window) {
  ArrayRef<int64_t> low = pad.getLow(), high = pad.getHigh();
  for (size_t d : {size_t(0), window.channelDimension()})
    if (low[d] != 0 || high[d] != 0)
      return std::nullopt;
  for (size_t d = 0; d < window.rank(); ++d) {
    size_t at = window.dimension(d);
    window.input[d] -= low[at] + high[at];
    window.padBegin[d] += low[at];
    window.padEnd[d] += high[at];
  }
  return window;
}

} // namespace dyadic::qnn
