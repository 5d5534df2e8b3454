// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights as the loops of packed convolutions want them: those that share bytes apart, those of
// Winograd's convolution transformed.

#ifndef DYADIC_LIB_CONVERSION_PANELWEIGHTS_H
#define DYADIC_LIB_CONVERSION_PANELWEIGHTS_H

#include "VectorBuilder.h"
#include "dyadic/IR/QnnDialect.h"

namespace dyadic {

/// Bytes of a block of weights of one byte, and of a vector of half its channels.
inline constexpr int64_t kBlockBytes = 4 * qnn::kPanelChannels;
inline constexpr int64_t kVectorBytes = kBlockBytes / 2;

/// Of 32 bytes that each hold weights of `bits` bits, those of block `place`, as numbers of 8 bits
/// (Support/NarrowWeights.h).
mlir::Value narrowWeights(VectorBuilder &b, mlir::Value stored, int64_t bits, int64_t place);

/// Writes `blocks` blocks of weights of `bits` bits from `stored` to `target`, one byte a weight.
void unpackPanel(VectorBuilder &b, mlir::Value stored, mlir::Value target, int64_t blocks, int64_t bits);

/// Transforms the weights of panel `panel` of `op` to 16 positions at `target` (Support/Winograd.h),
/// `winogradStride(op)` bytes from each to the next.
void transformPanel(VectorBuilder &b, qnn::PackedWinogradOp op, mlir::Value weights, mlir::Value panel,
                    mlir::Value target);
/// A block more than a position has: 16 positions a power of two apart would share a few lines of the nearest cache.
int64_t winogradStride(qnn::PackedWinogradOp op);

/// Bytes of memory of its own that a thread needs for the weights of one panel; 0 where they are used as they are
/// stored.
int64_t panelScratchBytes(qnn::PackedConvOp op);
int64_t panelScratchBytes(qnn::PackedWinogradOp op);
inline int64_t panelScratchBytes(qnn::PackedFloatConvOp) { return 0; }

/// Bytes of weights that every position (of Winograd's, every tile) is multiplied with.
int64_t multipliedBytes(qnn::PackedConvOp op);
int64_t multipliedBytes(qnn::PackedWinogradOp op);
int64_t multipliedBytes(qnn::PackedFloatConvOp op);

} // namespace dyadic

#endif // DYADIC_LIB_CONVERSION_PANELWEIGHTS_H
