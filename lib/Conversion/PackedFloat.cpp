// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of float layers: a few positions against 16 channels, one fused multiply-add for each number.

#include "PackedKernels.h"
#include "PanelLoops.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

/// Elements of a run that one turn of the inner loop takes.
static constexpr int64_t kUnrolled = 4;
static constexpr int64_t kBytes = 4; // of a number

namespace {
/// From the bias of a panel to its stored numbers.
class FloatChannels {
public:
  template <typename Op>
  FloatChannels(VectorBuilder &b, Op op)
      : b(b), lanes(static_cast<int64_t>(op.getLanes())), low(op.getLow()), high(op.getHigh()),
        type(VectorType::get({lanes}, b.builder.getF32Type())) {}

  Value load(Value pointer) { return b.load(type, pointer); }
  /// Numbers [0, count); no byte more is read.
  Value loadPart(Value pointer, int64_t count) {
    return count >= lanes ? load(pointer) : b.bitcast(b.loadPart(b.vector(lanes, 32), count, pointer), type);
  }
  Value multiplyAdd(Value x, Value w, Value sum) { return LLVM::FMAOp::create(b.builder, b.location, x, w, sum); }
  Value broadcast(Value pointer) { return b.broadcast(b.load(b.builder.getF32Type(), pointer), lanes); }

  /// What becomes of `sums`, the first `count` of which are stored at `dest`.
  void store(Value sums, int64_t count, Value residual, Value dest) {
    if (residual)
      sums = LLVM::FAddOp::create(b.builder, b.location, sums, loadPart(residual, count));
    if (!low.isInfinity() || !low.isNegative())
      sums = LLVM::MaximumOp::create(b.builder, b.location, sums, splat(low));
    if (!high.isInfinity() || high.isNegative())
      sums = LLVM::MinimumOp::create(b.builder, b.location, sums, splat(high));
    b.storePart(sums, count, dest);
  }

  VectorBuilder &b;
  int64_t lanes;

private:
  Value splat(const APFloat &value) {
    return LLVM::ConstantOp::create(b.builder, b.location, type, DenseElementsAttr::get(type, value));
  }

  APFloat low, high;
  VectorType type;
};

/// The sums of a panel of a convolution at a few neighbouring positions.
class RunSums {
public:
  RunSums(FloatChannels &channels, PackedFloatConvOp op, int64_t pixelBytes)
      : channels(channels), b(channels.b), pixelBytes(pixelBytes), taps(op.getTaps()),
        tapLine(kBytes * static_cast<int64_t>(op.getTapLine())),
        tapPixel(kBytes * static_cast<int64_t>(op.getTapPixel())), run(static_cast<int64_t>(op.getRun())) {}

  int64_t weightBytes() const { return taps[0] * taps[1] * run * kChannelBytes; }

  /// `sums`, as many vectors for each of `rows` positions, plus all products; the first position is at `input`.
  SmallVector<Value> add(Value input, Value weights, int64_t rows, SmallVector<Value> sums) {
    return repeat(taps[0], sums, [&](Value kh, ValueRange ofLine) {
      Value lineInput = b.address(input, b.times(kh, tapLine));
      Value lineWeights = b.address(weights, b.times(kh, taps[1] * run * kChannelBytes));
      return repeat(taps[1], ofLine, [&](Value kw, ValueRange ofTap) {
        return addRun(b.address(lineInput, b.times(kw, tapPixel)),
                      b.address(lineWeights, b.times(kw, run * kChannelBytes)), rows, ofTap);
      });
    });
  }

private:
  static constexpr int64_t kChannelBytes = kBytes * kPanelChannels; // of one input element's weights

  SmallVector<Value> repeat(int64_t count, ValueRange sums,
                            llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
    return count == 1 ? body(b.constant(0), sums) : b.loop(b.constant(count), sums, body);
  }

  SmallVector<Value> addRun(Value x, Value w, int64_t rows, ValueRange sums) {
    int64_t turns = run / kUnrolled;
    SmallVector<Value> result(sums);
    if (turns > 0)
      result = repeat(turns, result, [&](Value k, ValueRange carried) {
        SmallVector<Value> next(carried);
        Value xk = b.address(x, b.times(k, kUnrolled * kBytes)),
              wk = b.address(w, b.times(k, kUnrolled * kChannelBytes));
        for (int64_t i = 0; i < kUnrolled; ++i)
          addElement(xk, wk, i, rows, next);
        return next;
      });
    for (int64_t i = turns * kUnrolled; i < run; ++i)
      addElement(x, w, i, rows, result);
    return result;
  }

  /// Element `i` behind `x`, against its weights.
  void addElement(Value x, Value w, int64_t i, int64_t rows, SmallVectorImpl<Value> &sums) {
    size_t vectors = sums.size() / rows;
    SmallVector<Value> ws;
    for (size_t v = 0; v < vectors; ++v)
      ws.push_back(channels.load(b.address(w, i * kChannelBytes + static_cast<int64_t>(v) * channels.lanes * kBytes)));
    for (int64_t r = 0; r < rows; ++r) {
      Value number = channels.broadcast(b.address(x, r * pixelBytes + i * kBytes));
      for (auto [v, weight] : llvm::enumerate(ws)) {
        Value &sum = sums[r * vectors + v];
        sum = channels.multiplyAdd(number, weight, sum);
      }
    }
  }

  FloatChannels &channels;
  VectorBuilder &b;
  int64_t pixelBytes;
  ArrayRef<int64_t> taps;
  int64_t tapLine, tapPixel, run;
};
} // namespace

KernelWork workOf(PackedFloatConvOp op) { return panelWork(op, static_cast<int64_t>(op.getGroups()), /*size=*/1); }

KernelWork workOf(PackedFloatDepthwiseOp op) {
  int64_t channels = cast<MemRefType>(op.getDest().getType()).getDimSize(3);
  int64_t products = countPositions(op) * channels * op.getTaps()[0] * op.getTaps()[1];
  return {products / rate::kDepthwiseProducts, {countLines(op), (channels + kPanelChannels - 1) / kPanelChannels}};
}

void buildPackedFloatConv(VectorBuilder &b, ValueRange arguments, ArrayRef<Range> ranges, PackedFloatConvOp op) {
  Value weights = arguments[1], bias = arguments[2];
  FloatChannels channels(b, op);
  PositionLoops loops(b, op, static_cast<int64_t>(op.getRows()));
  RunSums runs(channels, op, loops.pixelBytes());
  int64_t lanes = channels.lanes, groupBytes = kBytes * static_cast<int64_t>(op.getRun());
  Place first = firstPlace(arguments, static_cast<bool>(op.getResidual()));
  PanelLoops panelLoops(op, static_cast<int64_t>(op.getGroups()), /*size=*/1);
  auto enter = [](const Panel &) {};
  auto body = [&](Place line, const Panel &panel) {
    Value panelWeights = b.address(weights, b.times(panel.index, runs.weightBytes()));
    Value panelBias = b.address(bias, b.times(panel.index, kBytes * kPanelChannels));
    line.input = b.address(line.input, b.times(panel.group, groupBytes));
    int64_t vectors = (panel.count + lanes - 1) / lanes; // those beyond the last channel are left out
    loops.tiles(line, [&](Place place, int64_t rows) {
      SmallVector<Value> sums;
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t v = 0; v < vectors; ++v)
          sums.push_back(channels.load(b.address(panelBias, v * lanes * kBytes)));
      sums = runs.add(place.input, panelWeights, rows, sums);
      for (int64_t r = 0; r < rows; ++r) {
        Place at = loops.skip(place, r);
        for (int64_t v = 0; v < vectors; ++v) {
          int64_t start = v * lanes * kBytes;
          channels.store(sums[r * vectors + v], panel.count - v * lanes,
                         at.residual ? b.address(at.residual, start) : Value(), b.address(at.dest, start));
        }
      }
    });
  };
  walkPanels(b, loops, panelLoops, ranges, first, {{}, enter, body});
}

void buildPackedFloatDepthwise(VectorBuilder &b, ValueRange arguments, ArrayRef<Range> ranges,
                               PackedFloatDepthwiseOp op) {
  Value weights = arguments[1], bias = arguments[2];
  FloatChannels channels(b, op);
  PositionLoops loops(b, op, static_cast<int64_t>(op.getRows()));
  int64_t total = cast<MemRefType>(op.getDest().getType()).getDimSize(3), lanes = channels.lanes;
  ArrayRef<int64_t> taps = op.getTaps();
  int64_t tapLine = kBytes * static_cast<int64_t>(op.getTapLine()),
          tapPixel = kBytes * static_cast<int64_t>(op.getTapPixel());

  /// One vector of channels at a few neighbouring positions, whose windows share what they read.
  auto vector = [&](Place place, int64_t rows, int64_t count, Value w, Value start) {
    SmallVector<Value> sums(rows, channels.load(start));
    for (int64_t kh = 0; kh < taps[0]; ++kh)
      for (int64_t kw = 0; kw < taps[1]; ++kw) {
        Value weight = channels.load(b.address(w, (kh * taps[1] + kw) * kBytes * kPanelChannels));
        for (int64_t r = 0; r < rows; ++r) {
          Value from = b.address(place.input, kh * tapLine + kw * tapPixel + r * loops.pixelBytes());
          sums[r] = channels.multiplyAdd(channels.loadPart(from, count), weight, sums[r]);
        }
      }
    for (int64_t r = 0; r < rows; ++r) {
      Place at = loops.skip(place, r);
      channels.store(sums[r], count, at.residual, at.dest);
    }
  };
  auto panel = [&](Place line, Value index, int64_t count) {
    Value w = b.address(weights, b.times(index, taps[0] * taps[1] * kBytes * kPanelChannels));
    Value panelBias = b.address(bias, b.times(index, kBytes * kPanelChannels));
    Place first = loops.shiftBoth(line, b.times(index, kPanelChannels));
    loops.tiles(first, [&](Place place, int64_t rows) {
      for (int64_t v = 0; v < count; v += lanes)
        vector(loops.shiftBoth(place, b.constant(v)), rows, std::min(lanes, count - v), b.address(w, v * kBytes),
               b.address(panelBias, v * kBytes));
    });
  };
  walkChannels(b, loops, total, kPanelChannels, ranges, firstPlace(arguments, static_cast<bool>(op.getResidual())),
               panel);
}

} // namespace dyadic
