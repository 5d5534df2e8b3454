// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PackedKernels.h"
#include "PanelLoops.h"
#include "PanelSums.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

KernelWork workOf(PackedConvOp op) { return panelWork(op, static_cast<int64_t>(op.getGroups()), /*size=*/1); }

void buildPackedConv(VectorBuilder &b, ValueRange arguments, Value scratch, ArrayRef<Range> ranges, PackedConvOp op) {
  Value weights = arguments[1], offsets = arguments[2], panels = arguments[3], channels = arguments[4];
  EpilogueInfo info(op);
  Epilogue epilogue(b, info);
  DotBuilder dots(b, op.getDot(), op.getFlip());
  PositionLoops loops(b, op, rowsOf(op, op.getDot() == Dot::Maddubs ? 4 : 6));
  PanelSums panelSums(b, dots, op, loops.pixelBytes(), static_cast<int64_t>(op.getWeightBits()));
  Place first = firstPlace(arguments, info.kind == qnn::Epilogue::Add);
  PanelLoops panelLoops(op, static_cast<int64_t>(op.getGroups()), /*size=*/1);
  int64_t panelBytes = panelScratchBytes(op);
  auto prepared = [&](const Panel &panel) { return b.address(scratch, b.times(panel.slot, panelBytes)); };
  auto prepare = [&](const Panel &panel) {
    panelSums.select(weights, offsets, panels, panel.index);
    panelSums.unpack(prepared(panel), panelBytes / kBlockBytes);
  };
  auto enter = [&](const Panel &panel) {
    panelSums.select(weights, offsets, panels, panel.index);
    if (scratch)
      panelSums.takeUnpacked(prepared(panel));
  };
  auto body = [&](Place line, const Panel &panel) {
    Value panelChannels = b.address(channels, b.times(panel.index, 4 * kPanelChannels));
    loops.tiles(line, [&](Place place, int64_t rows) {
      SmallVector<Value> sums;
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t v : {0, 1})
          sums.push_back(b.load(b.vector(kSumLanes, 32), b.address(panelChannels, 4 * kSumLanes * v)));
      sums = panelSums.add(place.input, rows, sums);
      for (int64_t r = 0; r < rows; ++r) {
        Place at = loops.skip(place, r);
        epilogue.store(ArrayRef<Value>(sums).slice(2 * r, 2), panelChannels, at.residual, at.dest, panel.count);
      }
    });
  };
  PanelWork work{{}, enter, body};
  if (scratch)
    work.prepare = prepare;
  walkPanels(b, loops, panelLoops, ranges, first, work);
}

} // namespace dyadic
