// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The sliding window that convolutions and pools share.

#ifndef DYADIC_IR_WINDOW_H
#define DYADIC_IR_WINDOW_H

#include "dyadic/IR/QnnDialect.h"
#include "llvm/ADT/SmallVector.h"

namespace dyadic::qnn {

/// One entry a spatial dimension everywhere.
struct Window {
  llvm::SmallVector<int64_t> input, output; // spatial sizes
  llvm::SmallVector<int64_t> kernel, strides, dilations, padBegin, padEnd;
  bool channelsLast = false;

  size_t rank() const { return kernel.size(); }
  /// The dimension of operand and result that is spatial dimension `d`.
  size_t dimension(size_t d) const { return channelsLast ? d + 1 : d + 2; }
  /// The dimension of operand and result that holds the channels.
  size_t channelDimension() const { return channelsLast ? rank() + 1 : 1; }
  /// Number of positions of the whole kernel.
  int64_t volume() const;
  /// Size along `d` that the window formula gives: floor((in + pads - extent) / stride) + 1.
  int64_t expectedOutput(size_t d) const;
  /// The input coordinate of kernel position `k` at output position `o`; it may lie outside.
  int64_t inputAt(size_t d, int64_t o, int64_t k) const { return o * strides[d] + k * dilations[d] - padBegin[d]; }
  /// How many kernel positions along `d` fall into the input at output position `o`.
  int64_t countInside(size_t d, int64_t o) const;
  bool hasPadding() const;
  /// True where every window contains a position of the input.
  bool alwaysTouchesInput() const;
};

/// The window of a verified operation, defaults filled in.
Window windowOf(ConvOp op);
Window windowOf(MaxPoolOp op);
Window windowOf(AvgPoolOp op);
/// The dimension of the result of a convolution or matmul that holds its output channels.
int64_t channelDimensionOf(mlir::Operation *op);
/// `window`, which slides over the result of `pad`, as one over its operand: the border is
/// part of the padding. Nothing where batch or channels have a border.
std::optional<Window> windowBefore(PadOp pad, Window window);

} // namespace dyadic::qnn

#endif // DYADIC_IR_WINDOW_H
