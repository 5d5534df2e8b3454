// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a kernel walks over the panels of its output channels, and these against its lines.

#ifndef DYADIC_LIB_CONVERSION_PANELLOOPS_H
#define DYADIC_LIB_CONVERSION_PANELLOOPS_H

#include "PackedEpilogue.h"
#include "PositionLoops.h"

namespace dyadic {

/// A panel: its place among all, and how many channels of the output it has.
struct Panel {
  mlir::Value index;
  int64_t count;
};

/// True where a panel's weights should stay while all lines pass by, rather than the lines
/// while all panels do: by the bytes that come from farther than the nearest cache.
template <typename Op> bool readsLinesAgain(Op op, int64_t panels, int64_t lines) {
  constexpr int64_t kNearest = 24 * 1024;
  auto bytes = [](mlir::Value value) {
    auto type = mlir::cast<mlir::MemRefType>(value.getType());
    return type.getNumElements() * type.getElementTypeBitWidth() / 8;
  };
  int64_t input = bytes(op.getInput()), weights = bytes(op.getWeights()) + bytes(op.getOffsets());
  int64_t again = input > kNearest ? (panels - 1) * input : 0;
  int64_t againWeights = weights > kNearest ? (lines - 1) * weights : 0;
  return again <= againWeights;
}

/// Every line of positions of every panel: `body` gets the line, moved to the panel's channels. The channels are
/// `groups` groups of panels. What is read again and again, the lines or the panel, stays in the nearest cache.
template <typename Op>
void walkPanels(VectorBuilder &b, PositionLoops &loops, Op op, int64_t groups, Place first,
                llvm::function_ref<void(Place, const Panel &)> body) {
  auto output = mlir::cast<mlir::MemRefType>(op.getDest().getType());
  int64_t outputs = output.getDimSize(3) / groups, full = outputs / kPanelChannels, rest = outputs % kPanelChannels;
  int64_t panelsPerGroup = full + (rest != 0);
  auto everyPanel = [&](llvm::function_ref<void(const Panel &, llvm::function_ref<Place(Place)>)> visit) {
    b.loop(groups, [&](mlir::Value group) {
      auto panel = [&](mlir::Value inGroup, int64_t count) {
        mlir::Value index = b.add(b.times(group, panelsPerGroup), inGroup);
        mlir::Value channel = b.add(b.times(group, outputs), b.times(inGroup, kPanelChannels));
        visit({index, count}, [&](Place place) { return loops.shiftOutput(place, channel); });
      };
      b.loop(full, [&](mlir::Value p) { panel(p, kPanelChannels); });
      if (rest != 0)
        panel(b.constant(full), rest);
    });
  };
  if (readsLinesAgain(op, groups * panelsPerGroup, output.getDimSize(0) * loops.height()))
    everyPanel([&](const Panel &panel, llvm::function_ref<Place(Place)> ofPanel) {
      loops.lines(ofPanel(first), [&](Place line) { body(line, panel); });
    });
  else
    loops.lines(first, [&](Place line) {
      everyPanel([&](const Panel &panel, llvm::function_ref<Place(Place)> ofPanel) { body(ofPanel(line), panel); });
    });
}

} // namespace dyadic

#endif // DYADIC_LIB_CONVERSION_PANELLOOPS_H
