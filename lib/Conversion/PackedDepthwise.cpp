// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PackedEpilogue.h"
#include "PackedKernels.h"
#include "PanelLoops.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

static int64_t panelSize(PackedDepthwiseOp op) {
  return isOfBytes(op.getDot()) ? kByteDepthwiseChannels : kPanelChannels;
}

/// Its loop over lines is outside that over panels.
KernelWork workOf(PackedDepthwiseOp op) {
  int64_t channels = cast<MemRefType>(op.getDest().getType()).getDimSize(3);
  int64_t products = countPositions(op) * channels * static_cast<int64_t>(op.getOffsets().size());
  return {products / rate::kDepthwiseProducts,
          {countLines(op), static_cast<int64_t>(llvm::divideCeil(channels, panelSize(op)))}};
}

namespace {
/// Kernels that interleave the bytes of several kernel positions of 32 channels, within the halves of registers.
class ByteDepthwise {
public:
  static constexpr int64_t kVectors = kByteDepthwiseChannels / kSumLanes;

  ByteDepthwise(VectorBuilder &b, ValueRange arguments, PackedDepthwiseOp op)
      : b(b), op(op), arguments(arguments), info(op), epilogue(b, info),
        loops(b, op, rowsOf(op, op.getDot() == Dot::Dpbusd ? 4 : 1)), offsets(op.getOffsets()),
        planes(cast<MemRefType>(op.getWeights().getType()).getNumElements() /
               (llvm::alignTo(info.type.getDimSize(3), kByteDepthwiseChannels) * static_cast<int64_t>(offsets.size()))),
        bytes(b.vector(kByteDepthwiseChannels, 8)), words(b.vector(kByteDepthwiseChannels / 2, 16)),
        sumType(b.vector(kSumLanes, 32)) {}

  void build(ArrayRef<Range> ranges) {
    auto panel = [&](Place line, Value index, int64_t count) {
      auto bytesOfPanel = static_cast<int64_t>(offsets.size()) * planes * kByteDepthwiseChannels;
      weights = b.address(arguments[1], b.times(index, bytesOfPanel));
      channels = b.address(arguments[2], b.times(index, 4 * kByteDepthwiseChannels));
      present = count;
      Place first = loops.shiftBoth(line, b.times(index, kByteDepthwiseChannels));
      loops.tiles(first, [&](Place place, int64_t rows) { tile(place, rows); });
    };
    walkChannels(b, loops, info.type.getDimSize(3), kByteDepthwiseChannels, ranges,
                 firstPlace(arguments, /*hasResidual=*/false), panel);
  }

private:
  void tile(Place place, int64_t rows) {
    SmallVector<Value> sums;
    for (int64_t i = 0; i < rows * kVectors; ++i)
      sums.push_back(b.load(sumType, b.address(channels, 4 * kSumLanes * (i % kVectors))));
    op.getDot() == Dot::Dpbusd ? addFours(place, sums, rows) : addPairs(place, sums, rows);
    for (int64_t r = 0; r < rows; ++r)
      epilogue.storeBytes(ArrayRef<Value>(sums).slice(r * kVectors, kVectors), channels, loops.skip(place, r).dest,
                          present);
  }

  void addFours(Place place, MutableArrayRef<Value> sums, int64_t rows) {
    for (int64_t f = 0; 4 * f < static_cast<int64_t>(offsets.size()); ++f)
      for (int64_t r = 0; r < rows; ++r) {
        Value x[4];
        for (int64_t t = 0; t < 4; ++t)
          x[t] = tap(place, r, 4 * f + t);
        for (int64_t v = 0; v < kVectors; ++v) {
          Value pairs[2];
          for (int64_t i : {0, 1})
            pairs[i] = b.bitcast(interleave(x[2 * i], x[2 * i + 1], v / 2), words);
          Value fourth = b.bitcast(interleave(pairs[0], pairs[1], v % 2), bytes);
          Value &sum = sums[r * kVectors + v];
          sum = b.intrinsic("llvm.x86.avx512.vpdpbusd.256", sumType, {sum, fourth, weight(f * kVectors + v)});
        }
      }
  }

  /// Sums of products with nibbles have 16 bits: one of each nibble for the lower and one for the upper bytes of the
  /// pairs.
  void addPairs(Place place, MutableArrayRef<Value> sums, int64_t rows) {
    auto pairs = static_cast<int64_t>(offsets.size()) / 2;
    for (int64_t first = 0; first < pairs; first += kNibblesInSum / 2) {
      SmallVector<Value> narrow(4 * rows);
      for (int64_t p = first; p < std::min(pairs, first + kNibblesInSum / 2); ++p)
        for (int64_t r = 0; r < rows; ++r) {
          Value x = tap(place, r, 2 * p), y = tap(place, r, 2 * p + 1);
          for (int64_t upper : {0, 1}) {
            Value pair = interleave(x, y, upper);
            for (int64_t plane = 0; plane < planes; ++plane) {
              Value products =
                  b.intrinsic("llvm.x86.avx2.pmadd.ub.sw", words, {pair, weight((p * planes + plane) * 2 + upper)});
              Value &sum = narrow[4 * r + 2 * upper + plane];
              sum = sum ? b.add(sum, products) : products;
            }
          }
        }
      widen(sums, narrow, rows);
    }
  }

  /// Adds 16 h + l to the sums, h and l those of the nibbles, or that times the multiplier.
  void widen(MutableArrayRef<Value> sums, ArrayRef<Value> narrow, int64_t rows) {
    Value none = b.splat(16, 16, 0);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t v = 0; v < kVectors; ++v) {
        ArrayRef<Value> both = narrow.slice(4 * r + 2 * (v / 2), 2);
        Value pair = interleave(both[0], both[1] ? both[1] : none, v % 2);
        Value &sum = sums[r * kVectors + v];
        sum = b.add(sum, b.intrinsic("llvm.x86.avx2.pmadd.wd", sumType, {pair, factors(v)}));
      }
  }

  /// What the two nibbles' sums of vector `v` count.
  Value factors(int64_t v) {
    if (op.getScaledSums())
      return b.bitcast(epilogue.row(channels, 1, v), words);
    return b.bitcast(b.splat(kSumLanes, 32, (kNibbleBase << 16) | 1), words);
  }

  /// The 32 bytes of kernel position `i` for row `r` of the tile, unsigned.
  Value tap(Place place, int64_t r, int64_t i) {
    if (offsets[i] < 0)
      return b.splat(kByteDepthwiseChannels, 8, 0);
    Value x = b.loadPart(bytes, present, b.address(place.input, r * loops.pixelBytes() + offsets[i]));
    return op.getInputUnsigned()
               ? x
               : Value(LLVM::XOrOp::create(b.builder, b.location, x, b.splat(kByteDepthwiseChannels, 8, INT8_MIN)));
  }

  /// Vector `i` of the panel's weights.
  Value weight(int64_t i) { return b.load(bytes, b.address(weights, i * kByteDepthwiseChannels)); }

  /// Lanes of the lower or upper quarters of both halves, in turn from either operand.
  Value interleave(Value x, Value y, bool upper) {
    auto count = static_cast<int32_t>(cast<VectorType>(x.getType()).getNumElements());
    SmallVector<int32_t> lanes;
    for (int32_t half : {0, count / 2})
      for (int32_t i = 0; i < count / 4; ++i)
        for (int32_t operand : {0, count})
          lanes.push_back(operand + half + i + (upper ? count / 4 : 0));
    return b.shuffle(x, y, lanes);
  }

  VectorBuilder &b;
  PackedDepthwiseOp op;
  ValueRange arguments;
  EpilogueInfo info;
  Epilogue epilogue;
  PositionLoops loops;
  ArrayRef<int64_t> offsets;
  int64_t planes; // of weights: both nibbles, or the lower one alone
  VectorType bytes, words, sumType;
  Value weights, channels;
  int64_t present = 0; // channels of the panel
};
} // namespace

void buildPackedDepthwise(VectorBuilder &b, ValueRange arguments, ArrayRef<Range> ranges, PackedDepthwiseOp op) {
  if (isOfBytes(op.getDot()))
    return ByteDepthwise(b, arguments, op).build(ranges);
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
      SmallVector<Epilogue::Position> positions;
      for (int64_t r = 0; r < rows; ++r) {
        Value ordered[2];
        for (int64_t v : {0, 1}) {
          ordered[v] = inOrder ? sums[2 * r + v] : b.shuffle(sums[2 * r], sums[2 * r + 1], natural[v]);
          Value bias = b.load(b.vector(kSumLanes, 32), b.address(panelChannels, 4 * kSumLanes * v));
          ordered[v] = b.add(ordered[v], bias);
        }
        Place at = loops.skip(place, r);
        positions.push_back({{ordered[0], ordered[1]}, at.residual, at.dest});
      }
      epilogue.store(positions, panelChannels, count);
    });
  };
  walkChannels(b, loops, total, kPanelChannels, ranges, firstPlace(arguments, info.kind == qnn::Epilogue::Add), panel);
}

} // namespace dyadic
