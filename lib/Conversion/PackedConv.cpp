// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DotBuilder.h"
#include "PackedEpilogue.h"
#include "PackedKernels.h"
#include "PositionLoops.h"
#include "dyadic/Support/AccumulatorPlan.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

namespace {
/// One panel of channels at one tile of positions.
class ConvTile {
public:
  ConvTile(VectorBuilder &b, DotBuilder &dots, Epilogue &epilogue, PositionLoops &loops, PackedConvOp op)
      : b(b), dots(dots), epilogue(epilogue), loops(loops), groupSizes(op.getGroupSizes()),
        offsetWidth(cast<MemRefType>(op.getOffsets().getType()).getElementTypeBitWidth()) {}

  /// Where a panel's blocks and numbers begin; set for each panel.
  Value weights, offsets, channels;
  SmallVector<Value> counts; // of groups of each size
  int64_t storedChannels = kPanelChannels;

  void compute(Place place, int64_t rows) {
    SmallVector<Value> sums;
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t v : {0, 1})
        sums.push_back(b.load(b.vector(kSumLanes, 32), b.address(channels, 4 * kSumLanes * v)));
    Value w = weights, o = offsets;
    for (auto [size, count] : llvm::zip(groupSizes, counts)) {
      sums = b.loop(count, sums, [&, size = size](Value k, ValueRange carried) {
        Value wk = b.address(w, b.times(k, size * kBlockBytes)), ok = b.address(o, b.times(k, size * offsetBytes()));
        return size > kUnrolledGroup ? longGroup(place, rows, size, wk, ok, carried)
                                     : shortGroup(place, rows, size, wk, ok, carried);
      });
      w = b.address(w, b.times(count, size * kBlockBytes));
      o = b.address(o, b.times(count, size * offsetBytes()));
    }
    for (int64_t r = 0; r < rows; ++r) {
      Place at = loops.skip(place, r);
      epilogue.store(ArrayRef<Value>(sums).slice(2 * r, 2), channels, at.residual, at.dest, storedChannels);
    }
  }

  static constexpr int64_t kBlockBytes = 4 * kPanelChannels;

private:
  int64_t offsetBytes() const { return offsetWidth / 8; }

  Value address(Place place, Value offset) { return b.address(place.input, b.loadIndex(offset, offsetWidth)); }
  Value block(Value weights, int64_t i, int64_t v) {
    return b.load(b.vector(kSumLanes, 32), b.address(weights, (2 * i + v) * kBlockBytes / 2));
  }

  /// `sums` plus a group of `size` blocks. A position's group takes one register for a moment.
  SmallVector<Value> shortGroup(Place place, int64_t rows, int64_t size, Value wk, Value ok, ValueRange sums) {
    SmallVector<Value> addresses, ws[2], result;
    for (int64_t i = 0; i < size; ++i) {
      addresses.push_back(address(place, b.address(ok, offsetBytes() * i)));
      for (int64_t v : {0, 1})
        ws[v].push_back(block(wk, i, v));
    }
    for (int64_t r = 0; r < rows; ++r) {
      SmallVector<Value> xs;
      for (Value address : addresses)
        xs.push_back(dots.input(b.address(address, r * loops.pixelBytes())));
      for (int64_t v : {0, 1})
        result.push_back(dots.accumulate(sums[2 * r + v], xs, ws[v]));
    }
    return result;
  }

  /// The same for more blocks, in a loop that keeps all groups in registers and `sums` elsewhere.
  SmallVector<Value> longGroup(Place place, int64_t rows, int64_t size, Value wk, Value ok, ValueRange sums) {
    SmallVector<Value> groups(sums.size(), dots.emptyGroup());
    groups = b.loop(b.constant(size / kUnrolledGroup), groups, [&](Value k, ValueRange carried) {
      SmallVector<Value> next(carried);
      Value w = b.address(wk, b.times(k, kUnrolledGroup * kBlockBytes)),
            o = b.address(ok, b.times(k, kUnrolledGroup * offsetBytes()));
      for (int64_t i = 0; i < kUnrolledGroup; ++i) {
        Value from = address(place, b.address(o, offsetBytes() * i)), ws[2] = {block(w, i, 0), block(w, i, 1)};
        for (int64_t r = 0; r < rows; ++r) {
          Value x = dots.input(b.address(from, r * loops.pixelBytes()));
          for (int64_t v : {0, 1})
            next[2 * r + v] = dots.addToGroup(next[2 * r + v], x, ws[v]);
        }
      }
      return next;
    });
    for (auto [group, sum] : llvm::zip(groups, sums))
      group = dots.addGroup(sum, group);
    return groups;
  }

  VectorBuilder &b;
  DotBuilder &dots;
  Epilogue &epilogue;
  PositionLoops &loops;
  ArrayRef<int64_t> groupSizes;
  unsigned offsetWidth;
};
} // namespace

/// True where a panel's weights should stay while all lines pass by, rather than the lines
/// while all panels do: by the bytes that come from farther than the nearest cache.
static bool readsLinesAgain(PackedConvOp op) {
  constexpr int64_t kNearest = 24 * 1024;
  auto bytes = [](Value value) {
    auto type = cast<MemRefType>(value.getType());
    return type.getNumElements() * type.getElementTypeBitWidth() / 8;
  };
  auto output = cast<MemRefType>(op.getDest().getType());
  int64_t panels = cast<MemRefType>(op.getPanels().getType()).getDimSize(0);
  int64_t lines = output.getDimSize(0) * output.getDimSize(1);
  int64_t input = bytes(op.getInput()), weights = bytes(op.getWeights()) + bytes(op.getOffsets());
  int64_t again = input > kNearest ? (panels - 1) * input : 0;
  int64_t againWeights = weights > kNearest ? (lines - 1) * weights : 0;
  return again <= againWeights;
}

void buildPackedConv(VectorBuilder &b, ValueRange arguments, PackedConvOp op) {
  Value weights = arguments[1], offsets = arguments[2], panels = arguments[3], channels = arguments[4];
  int64_t offsetBytes = cast<MemRefType>(op.getOffsets().getType()).getElementTypeBitWidth() / 8;
  EpilogueInfo info(op);
  Epilogue epilogue(b, info);
  DotBuilder dots(b, op.getDot(), op.getFlip());
  PositionLoops loops(b, op, op.getDot() == Dot::Maddubs ? 4 : 6);
  ConvTile tile(b, dots, epilogue, loops, op);

  int64_t groups = static_cast<int64_t>(op.getGroups()), outputs = info.type.getDimSize(3) / groups;
  int64_t panelsPerGroup = (outputs + kPanelChannels - 1) / kPanelChannels;
  using PanelBody = function_ref<void(function_ref<Place(Place)>)>;
  // Sets the tile to a panel; `body` gets what moves a place to its channels.
  auto panel = [&](Value group, Value inGroup, int64_t count, PanelBody body) {
    Value index = b.add(b.times(group, panelsPerGroup), inGroup);
    Value channel = b.add(b.times(group, outputs), b.times(inGroup, kPanelChannels));
    int64_t columns = 2 + static_cast<int64_t>(op.getGroupSizes().size());
    Value row = b.address(panels, b.times(index, 4 * columns));
    tile.weights = b.address(weights, b.times(b.loadIndex(row), ConvTile::kBlockBytes));
    tile.offsets = b.address(offsets, b.times(b.loadIndex(b.address(row, 4)), offsetBytes));
    tile.channels = b.address(channels, b.times(index, 4 * kPanelChannels));
    tile.counts.clear();
    for (int64_t column = 2; column < columns; ++column)
      tile.counts.push_back(b.loadIndex(b.address(row, 4 * column)));
    tile.storedChannels = count;
    body([&](Place place) { return loops.shiftOutput(place, channel); });
  };
  auto everyPanel = [&](PanelBody body) {
    b.loop(groups, [&](Value group) {
      int64_t full = outputs / kPanelChannels;
      b.loop(full, [&](Value p) { panel(group, p, kPanelChannels, body); });
      if (outputs % kPanelChannels != 0)
        panel(group, b.constant(full), outputs % kPanelChannels, body);
    });
  };
  auto computeLine = [&](Place line) {
    loops.tiles(line, [&](Place place, int64_t rows) { tile.compute(place, rows); });
  };
  // What is read again and again should stay in the nearest cache: the lines or the panel.
  Place first = firstPlace(arguments, info.kind == qnn::Epilogue::Add);
  if (readsLinesAgain(op))
    everyPanel([&](function_ref<Place(Place)> ofPanel) { loops.lines(ofPanel(first), computeLine); });
  else
    loops.lines(first, [&](Place line) {
      everyPanel([&](function_ref<Place(Place)> ofPanel) { computeLine(ofPanel(line)); });
    });
}

} // namespace dyadic
