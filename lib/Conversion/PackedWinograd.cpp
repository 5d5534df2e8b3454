// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Winograd's F(2x2, 3x3): see Support/Winograd.h for the arithmetic.

#include "PackedKernels.h"
#include "PanelLoops.h"
#include "PanelSums.h"
#include "dyadic/Support/Winograd.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

/// B' x of four lines or columns.
static std::array<Value, 4> inputTransform(VectorBuilder &b, std::array<Value, 4> x) {
  return {b.subtract(x[0], x[2]), b.add(x[1], x[2]), b.subtract(x[2], x[1]), b.subtract(x[1], x[3])};
}

/// A' x of four lines or columns.
static std::array<Value, 2> outputTransform(VectorBuilder &b, std::array<Value, 4> x) {
  Value both = b.add(x[1], x[2]), difference = b.subtract(x[1], x[2]);
  return {b.add(x[0], both), b.subtract(difference, x[3])};
}

KernelWork workOf(WinogradInputOp op) {
  auto tiles = cast<MemRefType>(op.getDest().getType());
  return {tiles.getNumElements() / rate::kTransformedBytes, {countLines(op)}};
}

KernelWork workOf(PackedWinogradOp op) { return panelWork(op, /*groups=*/1, /*size=*/2); }

void buildWinogradInput(VectorBuilder &b, ValueRange arguments, ArrayRef<Range> ranges, WinogradInputOp op) {
  auto input = cast<MemRefType>(op.getInput().getType()), tiles = cast<MemRefType>(op.getDest().getType());
  int64_t channels = input.getDimSize(3), line = input.getDimSize(2) * channels;
  unsigned width = tiles.getElementTypeBitWidth();
  const int64_t bytes = width / 8, kLanes = 32 / bytes;
  // `count` channels of a tile; the addition is modulo 2^8 or 2^16, as the offsets want it.
  auto transform = [&](Value from, Value to, int64_t count) {
    std::array<std::array<Value, 4>, 4> lines; // [column][line]
    for (int64_t column = 0; column < 4; ++column) {
      std::array<Value, 4> x;
      for (int64_t row = 0; row < 4; ++row) {
        x[row] = b.loadPart(b.vector(kLanes, 8), count, b.address(from, row * line + column * channels));
        if (width > 8)
          x[row] = b.extend(x[row], op.getInputUnsigned(), width);
      }
      lines[column] = inputTransform(b, x);
    }
    for (int64_t row = 0; row < 4; ++row) {
      auto transformed = inputTransform(b, {lines[0][row], lines[1][row], lines[2][row], lines[3][row]});
      for (int64_t column = 0; column < 4; ++column) {
        int64_t p = 4 * row + column;
        int64_t offset = static_cast<int64_t>(p == 5 ? op.getCenter() : op.getAround());
        Value shifted = offset == 0 ? transformed[column] : b.add(transformed[column], b.splat(kLanes, width, offset));
        b.storePart(shifted, count, b.address(to, p * channels * bytes));
      }
    }
  };
  int64_t image = input.getDimSize(1) * line, tileBytes = tiles.getDimSize(3) * bytes;
  b.loop(tiles.getDimSize(0), [&](Value n) {
    Range lines = b.clip(ranges[0], b.times(n, tiles.getDimSize(1)), tiles.getDimSize(1));
    b.loop(lines, [&](Value th) {
      Value fromLine = b.address(b.address(arguments[0], b.times(n, image)), b.times(th, 2 * line));
      Value line0 = b.add(b.times(n, tiles.getDimSize(1)), th);
      Value toLine = b.address(arguments[1], b.times(line0, tiles.getDimSize(2) * tileBytes));
      b.loop(tiles.getDimSize(2), [&](Value tw) {
        Value from = b.address(fromLine, b.times(tw, 2 * channels)), to = b.address(toLine, b.times(tw, tileBytes));
        b.loop(channels / kLanes, [&](Value c) {
          transform(b.address(from, b.times(c, kLanes)), b.address(to, b.times(c, kLanes * bytes)), kLanes);
        });
        if (int64_t rest = channels % kLanes, done = channels - rest; rest != 0)
          transform(b.address(from, done), b.address(to, done * bytes), rest);
      });
    });
  });
}

namespace {
/// The outputs of one panel at the tiles of `PositionLoops`.
class WinogradTile {
public:
  WinogradTile(VectorBuilder &b, PackedWinogradOp op, ValueRange arguments, Value scratch, PositionLoops &loops,
               Epilogue &epilogue, int64_t mostTiles, int64_t lanes)
      : b(b), op(op), arguments(arguments), scratch(scratch), loops(loops), epilogue(epilogue),
        dots(b, op.getDot(), /*flip=*/false, lanes), sums(b, dots, op, loops.pixelBytes(), /*storedBits=*/8),
        output(cast<MemRefType>(op.getDest().getType())), dest(output, 1),
        residual(op.getResidual() ? cast<MemRefType>(op.getResidual().getType()) : MemRefType(), 1),
        positionBytes(loops.pixelBytes() / kWinogradInputs),
        columns(cast<ShapedType>(op.getCorrections().getType()).getDimSize(1)), mostTiles(mostTiles) {
    products = LLVM::AllocaOp::create(b.builder, b.location, arguments[0].getType(), b.builder.getI8Type(),
                                      b.constant(kWinogradInputs * mostTiles * kRowBytes), /*alignment=*/32);
  }

  /// Transforms the weights of a panel.
  void prepare(const Panel &panel) { transformPanel(b, op, arguments[1], panel.index, prepared(panel)); }

  /// The panel's channels at `tiles` tiles from `place` on.
  void compute(Place place, int64_t tiles, const Panel &panel) {
    Value weights = prepared(panel);
    b.loop(kWinogradInputs, [&](Value p) {
      // Starts of positions count their blocks alone, next to which there is one more here: see winogradStride().
      sums.select(b.address(weights, b.times(p, kBlockBytes)), arguments[2], arguments[3],
                  b.add(b.times(panel.index, kWinogradInputs), p));
      SmallVector<Value> zeros(sums.vectors * tiles, b.splat(dots.lanes, 32, 0));
      SmallVector<Value> ofPosition = sums.add(b.address(place.input, b.times(p, positionBytes)), tiles, zeros);
      Value row = b.address(products, b.times(p, mostTiles * kRowBytes));
      for (auto [i, product] : llvm::enumerate(ofPosition))
        b.store(product, b.address(row, static_cast<int64_t>(i) * kRowBytes / sums.vectors));
    });
    b.loop(tiles, [&](Value t) {
      store(loops.skip(place, t), b.address(products, b.times(t, kRowBytes)),
            b.address(arguments[4], b.times(panel.index, 4 * kPanelChannels)),
            b.address(arguments[5], b.times(panel.index, 4 * kPanelChannels)), panel.count);
    });
  }

private:
  static constexpr int64_t kRowBytes = 4 * kPanelChannels;

  Value prepared(const Panel &panel) { return b.address(scratch, b.times(panel.slot, panelScratchBytes(op))); }

  /// `bytes`, or 0 where `index` is the last of an odd number.
  Value step(int64_t bytes, Value index, int64_t size) {
    Value whole = b.constant(bytes);
    if (size % 2 == 0)
      return whole;
    Value isLast = LLVM::ICmpOp::create(b.builder, b.location, LLVM::ICmpPredicate::eq, index, b.constant(size / 2));
    return LLVM::SelectOp::create(b.builder, b.location, isLast, b.constant(0), whole);
  }

  void store(Place place, Value tile, Value channels, Value corrections, int64_t count) {
    SmallVector<Value> outputs[kWinogradOutputs];
    for (int64_t v : {0, 1}) {
      std::array<std::array<Value, 2>, 4> lines; // [column][line]
      for (int64_t column = 0; column < 4; ++column) {
        std::array<Value, 4> m;
        for (int64_t row = 0; row < 4; ++row)
          m[row] = half(tile, (4 * row + column) * mostTiles * kRowBytes, v);
        lines[column] = outputTransform(b, m);
      }
      Value bias = half(channels, 0, v);
      for (int64_t row : {0, 1}) {
        auto pair = outputTransform(b, {lines[0][row], lines[1][row], lines[2][row], lines[3][row]});
        for (int64_t column : {0, 1}) {
          int64_t o = 2 * row + column;
          Value four = b.add(pair[column], half(corrections, 4 * o * columns, v));
          Value sum = LLVM::AShrOp::create(b.builder, b.location, four, b.splat(kSumLanes, 32, 2));
          outputs[o].push_back(b.add(sum, bias));
        }
      }
    }
    // Outputs beyond an odd edge go to a neighbour's place, which is written after them.
    SmallVector<Epilogue::Position> positions;
    for (int64_t o = kWinogradOutputs - 1; o >= 0; --o) {
      auto at = [&](Value from, ByteStrides &strides) -> Value {
        if (!from)
          return from;
        if (o / 2)
          from = b.address(from, step(strides[1], place.line, output.getDimSize(1)));
        return o % 2 ? b.address(from, step(strides[2], place.position, output.getDimSize(2))) : from;
      };
      positions.push_back({{outputs[o][0], outputs[o][1]}, at(place.residual, residual), at(place.dest, dest)});
    }
    epilogue.store(positions, channels, count);
  }
  Value half(Value from, int64_t bytes, int64_t v) {
    return b.load(b.vector(kSumLanes, 32), b.address(from, bytes + 4 * kSumLanes * v));
  }

  VectorBuilder &b;
  PackedWinogradOp op;
  ValueRange arguments;
  Value scratch; // transformed weights
  PositionLoops &loops;
  Epilogue &epilogue;
  DotBuilder dots;
  PanelSums sums;
  MemRefType output;
  ByteStrides dest, residual;
  int64_t positionBytes, columns, mostTiles;
  Value products; // [16][mostTiles][16] sums
};
} // namespace

void buildPackedWinograd(VectorBuilder &b, ValueRange arguments, Value scratch, ArrayRef<Range> ranges,
                         PackedWinogradOp op, int64_t lanes) {
  auto tiles = cast<MemRefType>(op.getInput().getType());
  EpilogueInfo info(op);
  Epilogue epilogue(b, info);
  int64_t mostTiles = rowsOf(op, lanes / 2); // they share a panel's weights
  PositionLoops loops(b, op, mostTiles, tiles.getDimSize(2) * tiles.getDimSize(3), tiles.getDimSize(3), /*size=*/2);
  WinogradTile tile(b, op, arguments, scratch, loops, epilogue, mostTiles, lanes);
  auto prepare = [&](const Panel &panel) { tile.prepare(panel); };
  auto enter = [](const Panel &) {};
  auto body = [&](Place line, const Panel &panel) {
    loops.tiles(line, [&](Place place, int64_t count) { tile.compute(place, count, panel); });
  };
  walkPanels(b, loops, PanelLoops(op, /*groups=*/1, /*size=*/2), ranges,
             firstPlace(arguments, info.kind == qnn::Epilogue::Add), {prepare, enter, body});
}

} // namespace dyadic
