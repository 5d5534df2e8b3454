// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner loops of packed convolutions: one panel of channels against a few positions.

#ifndef DYADIC_LIB_CONVERSION_PANELSUMS_H
#define DYADIC_LIB_CONVERSION_PANELSUMS_H

#include "DotBuilder.h"
#include "PanelWeights.h"
#include "PositionLoops.h"
#include "dyadic/Support/AccumulatorPlan.h"

namespace dyadic {

/// The sums of a panel at a few neighbouring positions, after its accumulator plan.
class PanelSums {
public:
  using Value = mlir::Value;

  /// Positions are `pixelBytes` of input apart. `op` has `offsets` and `group_sizes`. The sums are those of
  /// `channels` channels, the whole panel or half of it, in `vectors` registers.
  template <typename Op>
  PanelSums(VectorBuilder &b, DotBuilder &dots, Op op, int64_t pixelBytes, int64_t storedBits,
            int64_t channels = kPanelChannels)
      : vectors(channels / dots.lanes), b(b), dots(dots), pixelBytes(pixelBytes), storedBits(storedBits),
        weightBits(storedBits), keptWeights(op.getDot() == qnn::Dot::Maddubs ? 4 : 8), groupSizes(op.getGroupSizes()),
        offsetWidth(mlir::cast<mlir::MemRefType>(op.getOffsets().getType()).getElementTypeBitWidth()) {}

  const int64_t vectors;

  /// Turns to the panel, or the half of one, of row `index` of the table at `panels`.
  void select(Value allWeights, Value allOffsets, Value panels, Value index);

  /// Writes the panel's weights, `blocks` blocks, to `scratch`, one byte a weight.
  void unpack(Value scratch, int64_t blocks);
  /// Takes the panel's weights from where they were unpacked to.
  void takeUnpacked(Value scratch);

  /// What the sums of the panel's channels are multiplied by where they widen, one vector for each of theirs: pairs of
  /// 16-bit numbers. Nothing unless it is said.
  void scaleBy(llvm::SmallVector<Value> factors) { this->factors = std::move(factors); }

  /// `sums`, `vectors` of them a position, plus the products of `rows` positions from the address `input` on.
  llvm::SmallVector<Value> add(Value input, int64_t rows, llvm::SmallVector<Value> sums);

private:
  Value factor(int64_t v) const { return factors.empty() ? Value() : factors[v]; }
  int64_t offsetBytes() const { return offsetWidth / 8; }
  Value address(Value input, Value offset) { return b.address(input, b.loadIndex(offset, offsetWidth)); }
  /// Bytes of `blocks` blocks of weights, a whole number of those that share them.
  int64_t weightBytes(int64_t blocks) const { return blocks * vectors * vectorBytes() * weightBits / 8; }
  int64_t vectorBytes() const { return 4 * dots.lanes; }
  /// Vector `v` of the weights of block `i` of a group at `weights`.
  Value block(Value weights, int64_t i, int64_t v);
  /// `sums` plus a group of `size` blocks. A position's group takes one register for a moment.
  llvm::SmallVector<Value> shortGroup(Value input, int64_t rows, int64_t size, Value wk, Value ok,
                                      mlir::ValueRange sums);
  /// The same for more blocks, in a loop that keeps all groups in registers and `sums` elsewhere.
  llvm::SmallVector<Value> longGroup(Value input, int64_t rows, int64_t size, Value wk, Value ok,
                                     mlir::ValueRange sums);

  VectorBuilder &b;
  DotBuilder &dots;
  int64_t pixelBytes, storedBits, weightBits; // of a weight in memory; where the loops take it from
  int64_t keptWeights;                        // vectors of them that have registers next to the sums
  llvm::ArrayRef<int64_t> groupSizes;
  unsigned offsetWidth;
  Value weights, offsets;
  llvm::SmallVector<Value> counts; // of groups of each size
  llvm::SmallVector<Value> factors;
};

} // namespace dyadic

#endif // DYADIC_LIB_CONVERSION_PANELSUMS_H
