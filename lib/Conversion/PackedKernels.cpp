// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PackedKernels.h"
#include "PackedEpilogue.h"
#include "VectorBuilder.h"
#include "dyadic/Support/AccumulatorPlan.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

namespace {
/// Bytes from one element to the next of each dimension of a buffer.
struct ByteStrides {
  explicit ByteStrides(MemRefType type) {
    int64_t offset;
    SmallVector<int64_t> strides;
    if (type && succeeded(type.getStridesAndOffset(strides, offset)))
      for (int64_t stride : strides)
        bytes.push_back(stride * type.getElementTypeBitWidth() / 8);
  }
  int64_t operator[](size_t d) const { return bytes.empty() ? 0 : bytes[d]; }
  SmallVector<int64_t> bytes;
};

/// Neighbouring positions that a kernel computes together: first `large` tiles of `rows`
/// positions, then `small` ones of `rows - 1`, so that all are about as large.
struct Tiles {
  Tiles(int64_t positions, int64_t most) {
    int64_t count = (positions + most - 1) / most;
    rows = (positions + count - 1) / count;
    small = rows * count - positions;
    large = count - small;
  }
  int64_t rows, large, small;
};

/// The addresses of one position of the output.
struct Place {
  Value input, residual, dest;
};

/// Of kernel arguments, which are in the order of the operation's operands.
static Place firstPlace(ValueRange arguments, bool hasResidual) {
  return {arguments.front(), hasResidual ? arguments[arguments.size() - 2] : Value(), arguments.back()};
}

/// Walks over images, lines and tiles of positions.
class PositionLoops {
public:
  template <typename Op>
  PositionLoops(VectorBuilder &b, Op op, int64_t mostRows)
      : b(b), mostRows(mostRows), output(cast<MemRefType>(op.getDest().getType())),
        input(cast<MemRefType>(op.getInput().getType())), dest(output),
        residual(op.getResidual() ? cast<MemRefType>(op.getResidual().getType()) : MemRefType()) {
    element = input.getElementTypeBitWidth() / 8;
    image = input.getDimSize(1) * input.getDimSize(2) * input.getDimSize(3) * element;
    line = static_cast<int64_t>(op.getLine()) * element;
    pixel = static_cast<int64_t>(op.getPixel()) * element;
  }

  /// Every line of the output; `start` is the address of the first position.
  void lines(Place start, function_ref<void(Place)> body) {
    b.loop(output.getDimSize(0), [&](Value n) {
      Place first = move(start, n, image, 0);
      b.loop(output.getDimSize(1), [&](Value oh) { body(move(first, oh, line, 1)); });
    });
  }

  /// Every tile of a line.
  void tiles(Place row, function_ref<void(Place, int64_t)> body) {
    Tiles tiles(output.getDimSize(2), mostRows);
    b.loop(tiles.large, [&](Value t) { body(move(row, t, pixel, 2, tiles.rows), tiles.rows); });
    if (tiles.small == 0)
      return;
    row = skip(row, tiles.large * tiles.rows);
    b.loop(tiles.small, [&](Value t) { body(move(row, t, pixel, 2, tiles.rows - 1), tiles.rows - 1); });
  }

  /// The same place, `channel` channels of the output further.
  Place shiftOutput(Place place, Value channel) { return move(place, channel, 0, 3); }
  /// The same place, `channel` channels further where input and output have the same ones.
  Place shiftBoth(Place place, Value channel) { return move(place, channel, element, 3); }

  /// `positions` further along the line.
  Place skip(Place place, int64_t positions) {
    return {b.address(place.input, positions * pixel),
            place.residual ? b.address(place.residual, positions * residual[2]) : Value(),
            b.address(place.dest, positions * dest[2])};
  }
  int64_t pixelBytes() const { return pixel; }

private:
  Place move(Place place, Value index, int64_t inputBytes, size_t dimension, int64_t positions = 1) {
    return {b.address(place.input, b.times(index, inputBytes * positions)),
            place.residual ? b.address(place.residual, b.times(index, residual[dimension] * positions)) : Value(),
            b.address(place.dest, b.times(index, dest[dimension] * positions))};
  }

  VectorBuilder &b;
  int64_t mostRows;
  MemRefType output, input;
  ByteStrides dest, residual;
  int64_t element, image, line, pixel; // bytes of the input
};

/// The multiplication of 4 bytes of input by the weights of 8 channels.
class DotBuilder {
public:
  DotBuilder(VectorBuilder &b, Dot dot, bool flip) : b(b), dot(dot), flip(flip) {
    if (dot == Dot::Maddubs)
      ones = b.splat(16, 16, 1);
  }

  /// The 4 bytes at `pointer` in every 32-bit lane.
  Value input(Value pointer) {
    Value x = b.broadcast(b.load(b.builder.getI32Type(), pointer), kSumLanes);
    if (flip)
      x = LLVM::XOrOp::create(b.builder, b.location, x, b.splat(kSumLanes, 32, 0x80808080));
    return x;
  }
  /// `sum` plus the products of a group, `x` and `w` as vectors of 8 32-bit lanes.
  Value accumulate(Value sum, ArrayRef<Value> xs, ArrayRef<Value> ws) {
    VectorType words = b.vector(8, 32), pairs = b.vector(16, 16), bytes = b.vector(32, 8);
    auto fused = [&](StringRef name, VectorType type) {
      for (auto [x, w] : llvm::zip(xs, ws))
        sum = b.intrinsic(name, words, {sum, b.bitcast(x, type), b.bitcast(w, type)});
      return sum;
    };
    switch (dot) {
    case Dot::Maddubs: {
      Value group;
      for (auto [x, w] : llvm::zip(xs, ws)) {
        Value products = b.intrinsic("llvm.x86.avx2.pmadd.ub.sw", pairs, {b.bitcast(x, bytes), b.bitcast(w, bytes)});
        group = group ? b.add(group, products) : products;
      }
      return b.add(sum, b.intrinsic("llvm.x86.avx2.pmadd.wd", words, {group, ones}));
    }
    case Dot::Maddwd:
      for (auto [x, w] : llvm::zip(xs, ws))
        sum = b.add(sum, b.intrinsic("llvm.x86.avx2.pmadd.wd", words, {b.bitcast(x, pairs), b.bitcast(w, pairs)}));
      return sum;
    case Dot::Dpbusd:
      return fused("llvm.x86.avx512.vpdpbusd.256", bytes);
    case Dot::Dpwssd:
      return fused("llvm.x86.avx512.vpdpwssd.256", pairs);
    }
    return sum;
  }

private:
  VectorBuilder &b;
  Dot dot;
  bool flip;
  Value ones;
};

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

void buildPackedDepthwise(VectorBuilder &b, ValueRange arguments, PackedDepthwiseOp op) {
  Value weights = arguments[1], channels = arguments[2];
  EpilogueInfo info(op);
  Epilogue epilogue(b, info);
  PositionLoops loops(b, op, 4);
  auto inputType = cast<MemRefType>(op.getInput().getType());
  unsigned width = inputType.getElementTypeBitWidth();
  ArrayRef<int64_t> offsets = op.getOffsets();
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
      auto tap = [&](Value from, int64_t offset) -> Value {
        if (offset < 0)
          return b.splat(kPanelChannels, 16, 0);
        Value x = b.loadPart(b.vector(kPanelChannels, width), count, b.address(from, offset * width / 8));
        return b.extend(x, op.getInputUnsigned(), 16);
      };
      for (int64_t p = 0; p < pairs; ++p) {
        Value ws[2];
        for (int64_t v : {0, 1})
          ws[v] = b.load(b.vector(16, 16), b.address(w, (2 * p + v) * 32));
        for (int64_t r = 0; r < rows; ++r) {
          Value from = b.address(place.input, r * loops.pixelBytes());
          Value x = tap(from, offsets[2 * p]), y = tap(from, offsets[2 * p + 1]);
          for (int64_t v : {0, 1}) {
            Value both = b.shuffle(x, y, interleave[v]);
            Value products = b.intrinsic("llvm.x86.avx2.pmadd.wd", b.vector(kSumLanes, 32), {both, ws[v]});
            sums[2 * r + v] = b.add(sums[2 * r + v], products);
          }
        }
      }
      for (int64_t r = 0; r < rows; ++r) {
        Value ordered[2];
        for (int64_t v : {0, 1}) {
          ordered[v] = b.shuffle(sums[2 * r], sums[2 * r + 1], natural[v]);
          Value bias = b.load(b.vector(kSumLanes, 32), b.address(panelChannels, 4 * kSumLanes * v));
          ordered[v] = b.add(ordered[v], bias);
        }
        Place at = loops.skip(place, r);
        epilogue.store(ordered, panelChannels, at.residual, at.dest, count);
      }
    });
  };
  loops.lines(firstPlace(arguments, info.kind == qnn::Epilogue::Add), [&](Place line) {
    int64_t full = total / kPanelChannels;
    b.loop(full, [&](Value p) { panel(line, p, kPanelChannels); });
    if (total % kPanelChannels != 0)
      panel(line, b.constant(full), total % kPanelChannels);
  });
}

} // namespace dyadic
