// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The layers that are packed: convolutions and matrix products with constant weights, and
// what rounds their sums.

#ifndef DYADIC_LIB_TRANSFORMS_LINEARLAYERS_H
#define DYADIC_LIB_TRANSFORMS_LINEARLAYERS_H

#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Transforms/IntegerRanges.h"
#include <cmath>
#include <optional>
#include <vector>

namespace dyadic {

/// The shape of a convolution over [N, H, W, C], or of a matmul seen as one.
struct LinearGeometry {
  mlir::Operation *op = nullptr;
  mlir::Value input;
  int64_t batch = 1, height = 1, width = 1, channels = 1; // of the input
  int64_t outHeight = 1, outWidth = 1, outputs = 1, groups = 1;
  int64_t kernelHeight = 1, kernelWidth = 1, strideHeight = 1, strideWidth = 1, dilationHeight = 1, dilationWidth = 1;
  int64_t padTop = 0, padLeft = 0, padBottom = 0, padRight = 0;

  int64_t depth() const { return channels / groups; }
  bool isDepthwise() const { return groups > 1 && groups == channels && groups == outputs; }
  bool hasPads() const { return padTop || padLeft || padBottom || padRight; }
};

/// A layer of the integer level.
struct LinearLayer : LinearGeometry {
  int64_t zeroPoint = 0;
  std::vector<int64_t> weights; // [outputs][depth][kernelHeight][kernelWidth]
  std::vector<int64_t> bias;

  int64_t weight(int64_t m, int64_t c, int64_t kh, int64_t kw) const {
    return weights[((m * depth() + c) * kernelHeight + kh) * kernelWidth + kw];
  }
  int64_t weightSum(int64_t m) const;
};

/// A layer of the float level.
struct FloatLayer : LinearGeometry {
  std::vector<float> weights; // [outputs][depth][kernelHeight][kernelWidth]
  std::vector<float> bias;
};

/// What a layer's sums become: the operation that rounds them, or none.
struct RoundedBy {
  mlir::Operation *op = nullptr; // qnn.requantize, qnn.add or qnn.prelu
  qnn::Epilogue kind = qnn::Epilogue::Store;
  mlir::Value residual;
  int64_t residualZeroPoint = 0;
  std::vector<mlir::DenseElementsAttr> rows; // as `channels` has them, without the bias
};

/// The layer that `op` is, or nothing where it is not of the integer level, has weights or a bias
/// that are not constants, or a window of more than two dimensions.
std::optional<LinearLayer> matchLinearLayer(mlir::Operation *op);

/// What the layer reads: its input and, where it has a border, the zero point there.
StorageRange inputRange(const LinearLayer &layer, IntegerRanges &ranges);

/// The operation that rounds the layer's sums, where a kernel's epilogue can do it.
RoundedBy matchRounding(const LinearLayer &layer);

/// What follows a float layer's sums in a kernel: the addition of `residual`, then min(max(x, low), high).
struct FloatTail {
  llvm::SmallVector<mlir::Operation *, 2> ops; // in order; each is the only reader of what is before it
  mlir::Value residual;
  float low = -INFINITY, high = INFINITY;
};

/// As `matchLinearLayer`, for the float level.
std::optional<FloatLayer> matchFloatLayer(mlir::Operation *op);

/// A residual addition and a ReLU or Clip, either or both.
FloatTail matchFloatTail(const FloatLayer &layer);

} // namespace dyadic

#endif // DYADIC_LIB_TRANSFORMS_LINEARLAYERS_H
