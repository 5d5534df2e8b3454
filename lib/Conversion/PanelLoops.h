// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a kernel walks over the panels of its output channels, and these against its lines.

#ifndef DYADIC_LIB_CONVERSION_PANELLOOPS_H
#define DYADIC_LIB_CONVERSION_PANELLOOPS_H

#include "KernelWork.h"
#include "PackedEpilogue.h"
#include "PanelWeights.h"
#include "PositionLoops.h"

namespace dyadic {

/// A panel: its group and its place among all, how many channels of the output it has, and which of the prepared
/// panels it is.
struct Panel {
  mlir::Value group, index;
  int64_t count;
  mlir::Value slot;
};

inline int64_t bytesOf(mlir::Value buffer) {
  auto type = mlir::cast<mlir::MemRefType>(buffer.getType());
  return type.getNumElements() * type.getElementTypeBitWidth() / 8;
}

/// Bytes of the weights as the loops read them, and of what says which inputs they take.
template <typename Op> int64_t weightBytes(Op op) {
  return (panelScratchBytes(op) > 0 ? multipliedBytes(op) : bytesOf(op.getWeights())) + bytesOf(op.getOffsets());
}
inline int64_t weightBytes(qnn::PackedFloatConvOp op) { return bytesOf(op.getWeights()); }

template <typename Op> qnn::LoopOrder orderOf(Op op) { return op.getOrder(); }
inline qnn::LoopOrder orderOf(qnn::PackedFloatConvOp) { return qnn::LoopOrder::Auto; }

/// True where a panel's weights should stay while all lines pass by, rather than the lines
/// while all panels do: by the bytes that come from farther than the nearest cache.
template <typename Op> bool readsLinesAgain(Op op, int64_t panels, int64_t lines) {
  if (orderOf(op) != qnn::LoopOrder::Auto)
    return orderOf(op) == qnn::LoopOrder::Panels;
  constexpr int64_t kNearest = 24 * 1024;
  // With the lines outside every share of them prepares all panels: that must not cost more than the lines do.
  constexpr int64_t kMostPrepared = 32 * 1024;
  if (panelScratchBytes(op) > 0 && multipliedBytes(op) > kMostPrepared)
    return true;
  int64_t input = bytesOf(op.getInput()), weights = weightBytes(op);
  int64_t again = input > kNearest ? (panels - 1) * input : 0;
  int64_t againWeights = weights > kNearest ? (lines - 1) * weights : 0;
  return again <= againWeights;
}

/// The loops over the panels and the lines of a kernel, and which of them is outside.
struct PanelLoops {
  /// The channels are `groups` groups of panels; a position has `size` lines.
  template <typename Op> PanelLoops(Op op, int64_t groups, int64_t size) : groups(groups), lines(countLines(op, size)) {
    outputs = mlir::cast<mlir::MemRefType>(op.getDest().getType()).getDimSize(3) / groups;
    full = outputs / kPanelChannels;
    rest = outputs % kPanelChannels;
    arePanelsOutside = readsLinesAgain(op, groups * panelsPerGroup(), lines);
  }

  int64_t panelsPerGroup() const { return full + (rest != 0); }
  /// Panels that are prepared at one time: with the lines outside all of them, before the first line.
  int64_t preparedPanels() const { return arePanelsOutside ? 1 : groups * panelsPerGroup(); }
  /// The passes of both loops, the outer one first: over lines, and over groups or, of one group, panels.
  std::vector<int64_t> passes() const {
    int64_t panels = groups > 1 ? groups : panelsPerGroup();
    return arePanelsOutside ? std::vector<int64_t>{panels, lines} : std::vector<int64_t>{lines, panels};
  }

  int64_t groups, lines;
  int64_t outputs, full, rest; // channels of a group; its whole panels; the channels beyond them
  bool arePanelsOutside;
};

/// Every `size` channels of every line: `body` gets the line, the place of the channels among all such, and how many of
/// the output's `channels` they are. `ranges` are the shares of the two loops.
inline void walkChannels(VectorBuilder &b, PositionLoops &positions, int64_t channels, int64_t size,
                         llvm::ArrayRef<Range> ranges, Place first,
                         llvm::function_ref<void(Place, mlir::Value, int64_t)> body) {
  positions.lines(first, ranges[0], [&](Place line) {
    int64_t full = channels / size, rest = channels % size;
    mlir::Value last = b.constant(full);
    b.loop(b.clip(ranges[1], b.constant(0), full), [&](mlir::Value p) { body(line, p, size); });
    if (rest != 0)
      b.ifAny(b.clip(ranges[1], last, 1), [&] { body(line, last, rest); });
  });
}

/// What a kernel of panels has to do: every position is multiplied with all weights.
template <typename Op> KernelWork panelWork(Op op, int64_t groups, int64_t size) {
  return {countPositions(op, size) * multipliedBytes(op) / rate::kPackedBytes, PanelLoops(op, groups, size).passes()};
}

/// Bytes of memory of its own that a thread needs for weights that are prepared (PanelWeights.h).
inline int64_t scratchBytes(qnn::PackedConvOp op) {
  return panelScratchBytes(op) * PanelLoops(op, static_cast<int64_t>(op.getGroups()), /*size=*/1).preparedPanels();
}
inline int64_t scratchBytes(qnn::PackedWinogradOp op) {
  return panelScratchBytes(op) * PanelLoops(op, /*groups=*/1, /*size=*/2).preparedPanels();
}

/// What a kernel does with a panel: `prepare` (may be null) once before all of its lines, `enter` when its turn comes,
/// `body` for a line, moved to the panel's channels.
struct PanelWork {
  llvm::function_ref<void(const Panel &)> prepare, enter;
  llvm::function_ref<void(Place, const Panel &)> body;
};

/// Every line of positions of every panel. What is read again and again, the lines or the panel, stays in the nearest
/// cache. `ranges` are the shares of the two loops.
inline void walkPanels(VectorBuilder &b, PositionLoops &positions, const PanelLoops &loops,
                       llvm::ArrayRef<Range> ranges, Place first, const PanelWork &work) {
  const Range &panels = ranges[loops.arePanelsOutside ? 0 : 1], &lines = ranges[loops.arePanelsOutside ? 1 : 0];
  auto everyPanel = [&](llvm::function_ref<void(const Panel &, llvm::function_ref<Place(Place)>)> visit) {
    auto ofGroup = [&](mlir::Value group, const Range &inside) {
      auto panel = [&](mlir::Value inGroup, int64_t count) {
        mlir::Value index = b.add(b.times(group, loops.panelsPerGroup()), inGroup);
        mlir::Value channel = b.add(b.times(group, loops.outputs), b.times(inGroup, kPanelChannels));
        mlir::Value slot = loops.arePanelsOutside ? b.constant(0) : index;
        visit({group, index, count, slot}, [&](Place place) { return positions.shiftOutput(place, channel); });
      };
      b.loop(b.clip(inside, b.constant(0), loops.full), [&](mlir::Value p) { panel(p, kPanelChannels); });
      mlir::Value full = b.constant(loops.full);
      if (loops.rest != 0)
        b.ifAny(b.clip(inside, full, 1), [&] { panel(full, loops.rest); });
    };
    if (loops.groups == 1)
      return ofGroup(b.constant(0), panels);
    b.loop(panels, [&](mlir::Value group) { ofGroup(group, {loops.panelsPerGroup()}); });
  };
  if (loops.arePanelsOutside) {
    everyPanel([&](const Panel &panel, llvm::function_ref<Place(Place)> ofPanel) {
      if (work.prepare)
        work.prepare(panel);
      work.enter(panel);
      positions.lines(ofPanel(first), lines, [&](Place line) { work.body(line, panel); });
    });
    return;
  }
  if (work.prepare)
    everyPanel([&](const Panel &panel, llvm::function_ref<Place(Place)>) { work.prepare(panel); });
  positions.lines(first, lines, [&](Place line) {
    everyPanel([&](const Panel &panel, llvm::function_ref<Place(Place)> ofPanel) {
      work.enter(panel);
      work.body(ofPanel(line), panel);
    });
  });
}

} // namespace dyadic

#endif // DYADIC_LIB_CONVERSION_PANELLOOPS_H
