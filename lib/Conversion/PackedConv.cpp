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
  ConvTile(VectorBuilder &b, DotBuilder &dots, Epilogue &epilogue, PositionLoops &loops)
      : b(b), dots(dots), epilogue(epilogue), loops(loops) {}

  /// Where a panel's blocks and numbers begin; set for each panel.
  Value weights, offsets, channels;
  std::array<Value, kGroupSizes.size()> counts;
  int64_t storedChannels = kPanelChannels;

  void compute(Place place, int64_t rows) {
    SmallVector<Value> sums;
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t v : {0, 1})
        sums.push_back(b.load(b.vector(kSumLanes, 32), b.address(channels, 4 * kSumLanes * v)));
    Value w = weights, o = offsets;
    for (auto [size, count] : llvm::zip(kGroupSizes, counts)) {
      if (!count)
        continue;
      sums = b.loop(count, sums, [&, size = size](Value k, ValueRange carried) {
        Value wk = b.address(w, b.times(k, size * kBlockBytes)), ok = b.address(o, b.times(k, size * 4));
        return step(place, rows, size, wk, ok, carried);
      });
      w = b.address(w, b.times(count, size * kBlockBytes));
      o = b.address(o, b.times(count, size * 4));
    }
    for (int64_t r = 0; r < rows; ++r) {
      Place at = loops.skip(place, r);
      epilogue.store(ArrayRef<Value>(sums).slice(2 * r, 2), channels, at.residual, at.dest, storedChannels);
    }
  }

  static constexpr int64_t kBlockBytes = 4 * kPanelChannels;

private:
  SmallVector<Value> step(Place place, int64_t rows, unsigned size, Value wk, Value ok, ValueRange sums) {
    SmallVector<Value> addresses, ws[2], result;
    for (unsigned i = 0; i < size; ++i) {
      addresses.push_back(b.address(place.input, b.loadIndex(b.address(ok, 4 * i))));
      for (int64_t v : {0, 1})
        ws[v].push_back(b.load(b.vector(kSumLanes, 32), b.address(wk, i * kBlockBytes + v * kBlockBytes / 2)));
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

  VectorBuilder &b;
  DotBuilder &dots;
  Epilogue &epilogue;
  PositionLoops &loops;
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
  bool summedInSixteen = op.getDot() == Dot::Maddubs;
  EpilogueInfo info(op);
  Epilogue epilogue(b, info);
  DotBuilder dots(b, op.getDot(), op.getFlip());
  PositionLoops loops(b, op, summedInSixteen ? 4 : 6);
  ConvTile tile(b, dots, epilogue, loops);

  int64_t groups = static_cast<int64_t>(op.getGroups()), outputs = info.type.getDimSize(3) / groups;
  int64_t panelsPerGroup = (outputs + kPanelChannels - 1) / kPanelChannels;
  using PanelBody = function_ref<void(function_ref<Place(Place)>)>;
  // Sets the tile to a panel; `body` gets what moves a place to its channels.
  auto panel = [&](Value group, Value inGroup, int64_t count, PanelBody body) {
    Value index = b.add(b.times(group, panelsPerGroup), inGroup);
    Value channel = b.add(b.times(group, outputs), b.times(inGroup, kPanelChannels));
    Value row = b.address(panels, b.times(index, 16)), start = b.loadIndex(row);
    tile.weights = b.address(weights, b.times(start, ConvTile::kBlockBytes));
    tile.offsets = b.address(offsets, b.times(start, 4));
    tile.channels = b.address(channels, b.times(index, 4 * kPanelChannels));
    for (size_t level = 0; level < kGroupSizes.size(); ++level)
      tile.counts[level] = summedInSixteen || kGroupSizes[level] == 1
                               ? b.loadIndex(b.address(row, 4 * (1 + static_cast<int64_t>(level))))
                               : Value();
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
