// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PackedKernels.h"
#include "PanelLoops.h"
#include "PanelSums.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

KernelWork workOf(PackedConvOp op) { return panelWork(op, static_cast<int64_t>(op.getGroups()), /*size=*/1); }

/// Positions that a tile has unless the schedule says: their sums and a block's weights fill the registers.
static int64_t usualRows(PackedConvOp op) {
  int64_t rows = op.getDot() == Dot::Maddubs ? 4 : 6;
  return op.getHalves() ? std::min(2 * rows, kMostRows) : rows;
}

namespace {
/// The sums of a panel at the positions of a tile: its halves one after the other where each has its own blocks.
class PanelTile {
public:
  PanelTile(VectorBuilder &b, DotBuilder &dots, Epilogue &epilogue, PackedConvOp op, ValueRange arguments,
            int64_t pixelBytes, int64_t rows)
      : b(b), epilogue(epilogue), arguments(arguments), scratchBytes(panelScratchBytes(op)), halves(op.getHalves()),
        areScaled(op.getScaledSums()),
        sums(b, dots, op, pixelBytes, static_cast<int64_t>(op.getWeightBits()), kPanelChannels / (halves ? 2 : 1)),
        sumType(b.vector(dots.lanes, 32)) {
    if (halves)
      both = LLVM::AllocaOp::create(b.builder, b.location, arguments[0].getType(), b.builder.getI8Type(),
                                    b.constant(rows * kVectors * kVectorSize), /*alignment=*/32);
  }

  /// Unpacks the panel's weights to `scratch`; takes them from there.
  void prepare(const Panel &panel, Value scratch) {
    select(panel.index);
    sums.unpack(prepared(panel, scratch), scratchBytes / kBlockBytes);
  }
  void enter(const Panel &panel, Value scratch) {
    if (halves)
      return;
    select(panel.index);
    if (scratch)
      sums.takeUnpacked(prepared(panel, scratch));
  }

  /// Two vectors a position, of `rows` positions from the address `input` on; `channels` are the panel's.
  SmallVector<Value> compute(const Panel &panel, Value input, int64_t rows, Value channels) {
    if (!halves)
      return inHalves(ofPart(input, rows, channels));
    b.loop(kVectors, [&](Value half) {
      select(b.add(b.times(panel.index, kVectors), half));
      Value shift = b.times(half, kVectorSize), to = b.address(both, shift);
      for (auto [r, sum] : llvm::enumerate(ofPart(input, rows, b.address(channels, shift))))
        b.store(sum, b.address(to, static_cast<int64_t>(r) * kVectors * kVectorSize));
    });
    SmallVector<Value> all;
    for (int64_t i = 0; i < rows * kVectors; ++i)
      all.push_back(vector(both, i));
    return all;
  }

private:
  static constexpr int64_t kVectors = kPanelChannels / kSumLanes, kVectorSize = 4 * kSumLanes;

  void select(Value row) { sums.select(arguments[1], arguments[2], arguments[3], row); }
  /// The selected sums, which begin with the first row of `channels`.
  SmallVector<Value> ofPart(Value input, int64_t rows, Value channels) {
    SmallVector<Value> start, factors;
    for (int64_t v = 0; areScaled && v < sums.vectors; ++v)
      factors.push_back(b.bitcast(epilogue.row(channels, 1, v), b.vector(2 * kSumLanes, 16)));
    sums.scaleBy(factors);
    for (int64_t i = 0; i < rows * sums.vectors; ++i)
      start.push_back(b.load(sumType, b.address(channels, i % sums.vectors * 4 * sumType.getNumElements())));
    return sums.add(input, rows, start);
  }
  /// Sums of 16 channels a register as two of 8.
  SmallVector<Value> inHalves(SmallVector<Value> all) {
    if (sumType.getNumElements() == kSumLanes)
      return all;
    SmallVector<Value> result;
    for (Value sum : all)
      for (int64_t half : {0, 1})
        result.push_back(b.half(sum, half));
    return result;
  }
  Value vector(Value from, int64_t index) {
    return b.load(b.vector(kSumLanes, 32), b.address(from, index * kVectorSize));
  }
  Value prepared(const Panel &panel, Value scratch) { return b.address(scratch, b.times(panel.slot, scratchBytes)); }

  VectorBuilder &b;
  Epilogue &epilogue;
  ValueRange arguments;
  int64_t scratchBytes;
  bool halves;
  bool areScaled; // the sums, by the second row of `channels`
  PanelSums sums;
  VectorType sumType;
  Value both; // sums of both halves, [positions][16]
};
} // namespace

void buildPackedConv(VectorBuilder &b, ValueRange arguments, Value scratch, ArrayRef<Range> ranges, PackedConvOp op,
                     int64_t lanes) {
  EpilogueInfo info(op);
  Epilogue epilogue(b, info);
  DotBuilder dots(b, op.getDot(), op.getFlip(), lanes);
  int64_t rows = rowsOf(op, usualRows(op));
  PositionLoops loops(b, op, rows);
  PanelTile tile(b, dots, epilogue, op, arguments, loops.pixelBytes(), rows);
  auto prepare = [&](const Panel &panel) { tile.prepare(panel, scratch); };
  auto enter = [&](const Panel &panel) { tile.enter(panel, scratch); };
  auto body = [&](Place line, const Panel &panel) {
    Value channels = b.address(arguments[4], b.times(panel.index, 4 * kPanelChannels));
    loops.tiles(line, [&](Place place, int64_t rows) {
      SmallVector<Value> sums = tile.compute(panel, place.input, rows, channels);
      SmallVector<Epilogue::Position> positions;
      for (int64_t r = 0; r < rows; ++r) {
        Place at = loops.skip(place, r);
        positions.push_back({{sums[2 * r], sums[2 * r + 1]}, at.residual, at.dest});
      }
      epilogue.store(positions, channels, panel.count);
    });
  };
  PanelWork work{{}, enter, body};
  if (scratch)
    work.prepare = prepare;
  walkPanels(b, loops, PanelLoops(op, static_cast<int64_t>(op.getGroups()), /*size=*/1), ranges,
             firstPlace(arguments, info.kind == qnn::Epilogue::Add), work);
}

} // namespace dyadic
