// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PackedEpilogue.h"
#include "PackedKernels.h"
#include "PanelLoops.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

/// Its loop over lines is outside that over panels.
KernelWork workOf(PackedDepthwiseOp op) {
  int64_t channels = cast<MemRefType>(op.getDest().getType()).getDimSize(3);
  int64_t products = countPositions(op) * channels * static_cast<int64_t>(op.getOffsets().size());
  return {products / rate::kDepthwiseProducts, {countLines(op), (channels + kPanelChannels - 1) / kPanelChannels}};
}

void buildPackedDepthwise(VectorBuilder &b, ValueRange arguments, ArrayRef<Range> ranges, PackedDepthwiseOp op) {
  Value weights = arguments[1], channels = arguments[2];
  EpilogueInfo info(op);
  Epilogue epilogue(b, info);
  PositionLoops loops(b, op, rowsOf(op, 4));
  auto inputType = cast<MemRefType>(op.getInput().getType());
  unsigned width = inputType.getElementTypeBitWidth();
  ArrayRef<int64_t> offsets = op.getOffsets();
  bool inOrder = op.getDot() == Dot::Mlal;
  int64_t total = info.type.getDimSize(3), pairs = static_cast<int64_t>(offsets.size()) / 2;

  // `vpunpck` works within 128 bits: the sums come out in this order of channels.
  const int32_t interleave[2][16] = {{0, 16, 1, 17, 2, 18, 3, 19, 8, 24, 9, 25, 10, 26, 11, 27},
                                     {4, 20, 5, 21, 6, 22, 7, 23, 12, 28, 13, 29, 14, 30, 15, 31}};
  const int32_t natural[2][8] = {{0, 1, 2, 3, 8, 9, 10, 11}, {4, 5, 6, 7, 12, 13, 14, 15}};
  auto panel = [&](Place line, Value index, int64_t count) {
    Value w = b.address(weights, b.times(index, pairs * 2 * kPanelChannels * 2));
    Value panelChannels = b.address(channels, b.times(index, 4 * kPanelChannels));
    Place first = loops.shiftBoth(line, b.times(index, kPanelChannels));
    loops.tiles(first, [&](Place place, int64_t rows) {
      SmallVector<Value> sums(2 * rows, b.splat(kSumLanes, 32, 0));
      auto weight = [&](int64_t p, int64_t v) { return b.load(b.vector(16, 16), b.address(w, (2 * p + v) * 32)); };
      auto tap = [&](Value from, int64_t offset) -> Value {
        if (offset < 0)
          return b.splat(kPanelChannels, 16, 0);
        Value x = b.loadPart(b.vector(kPanelChannels, width), count, b.address(from, offset * width / 8));
        return b.extend(x, op.getInputUnsigned(), 16);
      };
      auto multiplyLanes = [&](int64_t p) {
        for (int64_t t : {0, 1}) {
          if (offsets[2 * p + t] < 0)
            continue;
          Value ws = weight(p, t);
          for (int64_t r = 0; r < rows; ++r) {
            Value x = tap(b.address(place.input, r * loops.pixelBytes()), offsets[2 * p + t]);
            for (int64_t v : {0, 1})
              sums[2 * r + v] = b.add(
                  sums[2 * r + v], b.multiply(b.extend(b.half(x, v), false, 32), b.extend(b.half(ws, v), false, 32)));
          }
        }
      };
      auto multiplyPairs = [&](int64_t p) {
        Value ws[2] = {weight(p, 0), weight(p, 1)};
        for (int64_t r = 0; r < rows; ++r) {
          Value from = b.address(place.input, r * loops.pixelBytes());
          Value x = tap(from, offsets[2 * p]), y = tap(from, offsets[2 * p + 1]);
          for (int64_t v : {0, 1}) {
            Value both = b.shuffle(x, y, interleave[v]);
            Value products = b.intrinsic("llvm.x86.avx2.pmadd.wd", b.vector(kSumLanes, 32), {both, ws[v]});
            sums[2 * r + v] = b.add(sums[2 * r + v], products);
          }
        }
      };
      for (int64_t p = 0; p < pairs; ++p)
        inOrder ? multiplyLanes(p) : multiplyPairs(p);
      for (int64_t r = 0; r < rows; ++r) {
        Value ordered[2];
        for (int64_t v : {0, 1}) {
          ordered[v] = inOrder ? sums[2 * r + v] : b.shuffle(sums[2 * r], sums[2 * r + 1], natural[v]);
          Value bias = b.load(b.vector(kSumLanes, 32), b.address(panelChannels, 4 * kSumLanes * v));
          ordered[v] = b.add(ordered[v], bias);
        }
        Place at = loops.skip(place, r);
        epilogue.store(ordered, panelChannels, at.residual, at.dest, count);
      }
    });
  };
  walkChannels(b, loops, total, ranges, firstPlace(arguments, info.kind == qnn::Epilogue::Add), panel);
}

} // namespace dyadic
