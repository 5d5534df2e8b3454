// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What packing shares between kinds of kernels: a layer's border, the numbers of its channels,
// its destination, the table of its panels.

#ifndef DYADIC_LIB_TRANSFORMS_LAYERPACKING_H
#define DYADIC_LIB_TRANSFORMS_LAYERPACKING_H

#include "LinearLayers.h"
#include "dyadic/IR/Types.h"
#include "dyadic/Search/Schedule.h"
#include "dyadic/Support/AccumulatorPlan.h"
#include "dyadic/Support/NarrowWeights.h"
#include "dyadic/Transforms/IntegerRanges.h"

namespace dyadic {

/// `offsets`, `panels` and `group_sizes` of a packed convolution. Starts count from the first of every
/// `rowsTogether` rows; 0: from the first of all.
struct PanelTable {
  explicit PanelTable(llvm::ArrayRef<AccumulatorPlan> plans, size_t rowsTogether = 0);
  int64_t columns() const { return 2 + static_cast<int64_t>(groupSizes.size()); }
  unsigned offsetWidth() const { return llvm::all_of(offsets, llvm::isInt<16>) ? 16 : 32; }

  std::vector<int64_t> offsets, rows, groupSizes;
};

/// The plan of `channels` channels of a panel whose inputs lie in [0, xMax]; only maddubs needs groups, and weights of
/// `weightBits` that share their bytes.
AccumulatorPlan planFor(qnn::Dot dot, std::vector<WeightBlock> blocks, int64_t xMax, unsigned weightBits = 8,
                        int64_t channels = qnn::kPanelChannels);

/// `value` in another shape.
mlir::Value shaped(mlir::OpBuilder &builder, mlir::Location location, mlir::Value value, llvm::ArrayRef<int64_t> shape);

/// The layer's input with its border, which holds `zeroPoint` (or 0.0), as [N, H, W, C]; the geometry becomes that of
/// the result. `slack` elements may be read beyond its end.
mlir::Value padded(mlir::OpBuilder &builder, mlir::Location location, LinearGeometry &layer, int64_t zeroPoint,
                   int64_t slack);

/// Where a fused kernel comes from: every layer of `ops`, which may be null.
mlir::Location locationOf(mlir::OpBuilder &builder, llvm::ArrayRef<mlir::Operation *> ops);

/// A layer on its way to a packed operation. `layer` changes: it gets its border.
class LayerPacker {
public:
  using Value = mlir::Value;
  LayerPacker(mlir::OpBuilder &builder, LinearLayer &layer, const RoundedBy &rounding, KernelSchedule schedule);

  Value padded(int64_t slack) { return dyadic::padded(builder, layer.op->getLoc(), layer, layer.zeroPoint, slack); }
  Value constant(llvm::ArrayRef<int64_t> shape, unsigned width, llvm::ArrayRef<int64_t> values);

  struct Channels {
    Value value;
    bool highHalves = true, shortProducts = false, scaledSums = false;
    int64_t sumShift = 0, residualShift = 0;
  };
  /// The rows of `channels`: `channelOf(p, i)` is the channel at place i of panel p, -1 where there is none. No sum of
  /// a channel's products exceeds `sumBound` in magnitude; `sumsOf`, where it is known, has the range of those of one.
  /// Where sums widen from 16 bits, the second of two neighbours counting `widening` times, they may do it by the
  /// multiplier; 0: they do not.
  Channels channelRows(llvm::ArrayRef<int64_t> bias, int64_t panels, int64_t sumBound,
                       llvm::function_ref<int64_t(int64_t, int64_t)> channelOf,
                       llvm::function_ref<StorageRange(int64_t)> sumsOf = nullptr, int64_t widening = 0);

  struct Destination {
    Value residual, dest;
    mlir::DenseI64ArrayAttr clamp;
    int64_t zeroPoint = 0;
    qnn::Rounding rounding = qnn::Rounding::HalfUp;
    bool isResidualUnsigned = false;
  };
  Destination destination();

  qnn::LoopOrder order() const;
  /// Positions that a convolution computes together, `halves` those of half a panel.
  int64_t rows(bool halves) const;

  Value shaped(Value value, llvm::ArrayRef<int64_t> shape) { return dyadic::shaped(builder, location, value, shape); }

  mlir::OpBuilder &builder;
  LinearLayer &layer;
  const RoundedBy &rounding;
  mlir::Location location; // of every layer that the kernel computes
  KernelSchedule schedule;
  int64_t usualRows = 0; // of a convolution on the target; 0: what suits the instruction
};

/// The result of the packed operation for a layer whose input lies in `range`; null where this kind of kernel cannot
/// compute it, and then nothing has changed.
mlir::Value packConv(LayerPacker &packer, StorageRange range, qnn::Dot dot);
/// `bytes` and `words` are the instructions for transformed inputs of up to 8 bits and of more.
mlir::Value packWinograd(LayerPacker &packer, StorageRange range, qnn::Dot bytes, qnn::Dot words);
/// `bytes` and `words` are the instructions for inputs of up to 8 bits and of more.
mlir::Value packDepthwise(LayerPacker &packer, StorageRange range, qnn::Dot bytes, qnn::Dot words);

} // namespace dyadic

#endif // DYADIC_LIB_TRANSFORMS_LAYERPACKING_H
