// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The weights of a layer of the float level as plain numbers, and what rounding makes of them.

#ifndef DYADIC_PIPELINES_LAYERWEIGHTS_H
#define DYADIC_PIPELINES_LAYERWEIGHTS_H

#include "mlir/IR/Operation.h"
#include <string>
#include <vector>

namespace dyadic {

/// A convolution or matrix product with constant weights.
struct LayerWeights {
  std::string id;
  std::vector<float> weights; // as the model has them, over `shape`
  std::vector<int64_t> shape; // [M, C, K...] of a convolution, [K, N] of a matrix
  std::vector<float> bias;    // one a channel; empty: none
  size_t channelAxis = 0;     // of the shape: output channels

  size_t numChannels() const { return static_cast<size_t>(shape[channelAxis]); }
  /// The weights of one output channel, in order.
  std::vector<float> channel(size_t index) const;
  /// The weights rounded to `bits` bits, each channel to the nearest numbers of its own symmetric grid
  /// (docs/Arithmetic.md, section 1). What a bias that does not fit makes of a scale is left out.
  std::vector<float> rounded(unsigned bits) const;
};

/// The weights of `op`, a qnn.conv or qnn.matmul of the float level with constant weights and bias.
LayerWeights layerWeights(mlir::Operation *op);

/// Gives `op`, a layer of the quantized level, integer weights per channel and, unless it is null, a bias. What is read
/// as an accumulator gets their scales.
void setWeights(mlir::Operation *op, mlir::Value weights, mlir::Value bias);

} // namespace dyadic

#endif // DYADIC_PIPELINES_LAYERWEIGHTS_H
