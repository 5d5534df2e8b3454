// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LinearLayers.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/Types.h"
#include "dyadic/Support/AccumulatorPlan.h"
#include "dyadic/Transforms/IntegerRanges.h"
#include "dyadic/Transforms/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <map>

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_PACKLAYERS
#include "dyadic/Transforms/Passes.h.inc"

/// A depthwise kernel is unrolled: beyond so many positions it stays a loop.
static constexpr int64_t kMostTaps = 64;

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }
static bool isUnsignedValue(Value value) { return typeOf(value).getElementType().isUnsignedInteger(); }

/// `value` in another shape.
static Value shaped(OpBuilder &builder, Location location, Value value, ArrayRef<int64_t> shape) {
  RankedTensorType type = typeOf(value);
  return type.getShape() == shape ? value
                                  : ReshapeOp::create(builder, location, type.clone(shape), value, StringAttr());
}

namespace {
/// `offsets`, `panels` and `group_sizes` of a packed convolution.
struct PanelTable {
  explicit PanelTable(ArrayRef<AccumulatorPlan> plans) {
    for (auto [level, size] : llvm::enumerate(kGroupSizes))
      if (llvm::any_of(plans, [&, level = level](const AccumulatorPlan &plan) { return plan.groups[level] > 0; }))
        groupSizes.push_back(size);
    std::map<std::vector<int64_t>, int64_t> starts; // equal lists are stored once
    int64_t block = 0;
    for (const AccumulatorPlan &plan : plans) {
      std::vector<int64_t> list;
      for (const WeightBlock &of : plan.blocks)
        list.push_back(of.offset);
      auto [start, isNew] = starts.try_emplace(list, static_cast<int64_t>(offsets.size()));
      if (isNew)
        llvm::append_range(offsets, list);
      llvm::append_range(rows, ArrayRef<int64_t>{block, start->second});
      for (auto [level, size] : llvm::enumerate(kGroupSizes))
        if (llvm::is_contained(groupSizes, size))
          rows.push_back(plan.groups[level]);
      block += static_cast<int64_t>(list.size());
    }
  }
  int64_t columns() const { return 2 + static_cast<int64_t>(groupSizes.size()); }
  unsigned offsetWidth() const { return llvm::all_of(offsets, llvm::isInt<16>) ? 16 : 32; }

  std::vector<int64_t> offsets, rows, groupSizes;
};

struct PackLayers : impl::PackLayersBase<PackLayers> {
  using PackLayersBase::PackLayersBase;

  void runOnOperation() override {
    std::optional<Dot> bytes = symbolizeDot(byteDot), words = symbolizeDot(wordDot);
    if (!bytes || !words)
      return; // the target has no kernels
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal())
        continue;
      IntegerRanges ranges;
      SmallVector<Operation *> linear;
      for (Operation &op : function.front())
        if (isa<ConvOp, MatmulOp>(op))
          linear.push_back(&op);
      for (Operation *op : linear)
        if (std::optional<LinearLayer> layer = matchLinearLayer(op))
          pack(*layer, ranges, *bytes, *words);
      eraseDead(function);
    }
  }

private:
  /// The input with its border, as [N, H, W, C]; `slack` elements may be read beyond its end.
  static Value padded(OpBuilder &builder, LinearLayer &layer, int64_t slack) {
    Location location = layer.op->getLoc();
    Type element = typeOf(layer.input).getElementType();
    int64_t more = (slack + layer.channels - 1) / layer.channels;
    if (layer.hasPads() || more > 0) {
      // Lines as one dimension: a border of them is contiguous.
      Value lines = shaped(builder, location, layer.input, {layer.batch, layer.height, layer.width * layer.channels});
      layer.height += layer.padTop + layer.padBottom;
      layer.width += layer.padLeft + layer.padRight + more;
      auto type = RankedTensorType::get({layer.batch, layer.height, layer.width * layer.channels}, element);
      layer.input = PadOp::create(builder, location, type, lines,
                                  ArrayRef<int64_t>{0, layer.padTop, layer.padLeft * layer.channels},
                                  ArrayRef<int64_t>{0, layer.padBottom, (layer.padRight + more) * layer.channels},
                                  llvm::APFloat(0.0f), builder.getI64IntegerAttr(layer.zeroPoint), StringAttr());
    }
    return shaped(builder, location, layer.input, {layer.batch, layer.height, layer.width, layer.channels});
  }

  static Value constant(OpBuilder &builder, Location location, ArrayRef<int64_t> shape, unsigned width,
                        ArrayRef<int64_t> values) {
    return makeConstant(builder, location,
                        makeInts(RankedTensorType::get(shape, builder.getIntegerType(width)), values));
  }

  struct Channels {
    Value value;
    bool highHalves = true;
  };

  /// The rows of `channels`: of panel p the channels from `first(p)` on, `count(p)` of them.
  static Channels channelRows(OpBuilder &builder, const LinearLayer &layer, const RoundedBy &rounding,
                              ArrayRef<int64_t> bias, int64_t panels,
                              function_ref<std::pair<int64_t, int64_t>(int64_t)> range) {
    int64_t rows = 1 + static_cast<int64_t>(rounding.rows.size());
    std::vector<int64_t> numbers(rows * panels * kPanelChannels, 0);
    Channels result;
    for (int64_t r = 0; r < rows; ++r) {
      bool isExponent = r == 2 || r == 4;
      std::vector<int64_t> values;
      if (r > 0)
        for (int32_t value : rounding.rows[r - 1].getValues<int32_t>())
          values.push_back(value);
      for (int64_t p = 0; p < panels; ++p) {
        auto [first, count] = range(p);
        for (int64_t i = 0; i < kPanelChannels; ++i) {
          int64_t &number = numbers[(r * panels + p) * kPanelChannels + i];
          if (isExponent)
            number = 32; // of channels that are not there
          if (i < count)
            number = r == 0 ? bias[first + i] : values[values.size() == 1 ? 0 : first + i];
          // Zero times anything is zero whatever the exponent: let it not cost the others their speed.
          if (isExponent && rounding.kind != Epilogue::Add && i < count &&
              numbers[((r - 1) * panels + p) * kPanelChannels + i] == 0)
            number = 32;
          result.highHalves &= !isExponent || number >= 32;
        }
      }
    }
    result.value = constant(builder, layer.op->getLoc(), {rows, panels * kPanelChannels}, 32, numbers);
    return result;
  }

  static void pack(LinearLayer &layer, IntegerRanges &ranges, Dot bytes, Dot words) {
    StorageRange range = ranges.of(layer.input);
    if (layer.hasPads())
      range = {std::min(range.min, layer.zeroPoint), std::max(range.max, layer.zeroPoint)};
    unsigned width = typeOf(layer.input).getElementType().getIntOrFloatBitWidth();
    if (width > 16 || range.max > INT16_MAX)
      return;
    // Offsets are 32-bit numbers of bytes.
    if (layer.batch * (layer.height + layer.padTop + layer.padBottom) * (layer.width + layer.padLeft + layer.padRight) >
        (int64_t(1) << 29) / layer.channels)
      return;
    RoundedBy rounding = matchRounding(layer);
    // Values that the kernel reads must exist before it: the operation that rounds is the place.
    Operation *place = rounding.op ? rounding.op : layer.op;
    OpBuilder builder(place);
    Value result = layer.isDepthwise() ? packDepthwise(builder, layer, rounding)
                                       : packConv(builder, layer, rounding, range, width == 8 ? bytes : words);
    if (!result)
      return;
    Value old = place->getResult(0);
    old.replaceAllUsesWith(shaped(builder, place->getLoc(), result, typeOf(old).getShape()));
    place->erase();
    if (place != layer.op)
      layer.op->erase();
  }

  /// Where a fused kernel comes from: every layer that it computes.
  static Location locationOf(OpBuilder &builder, const LinearLayer &layer, const RoundedBy &rounding) {
    SmallVector<Location> locations;
    for (Operation *op : {layer.op, rounding.op})
      if (op)
        if (StringAttr id = servedId(op))
          locations.push_back(FusedLoc::get(builder.getContext(), {op->getLoc()}, id));
    return locations.empty() ? layer.op->getLoc() : FusedLoc::get(builder.getContext(), locations);
  }

  struct Destination {
    Value residual, dest;
    DenseI64ArrayAttr clamp;
    int64_t zeroPoint = 0;
    qnn::Rounding rounding = qnn::Rounding::HalfUp;
  };

  static Destination destination(OpBuilder &builder, Location location, const LinearLayer &layer,
                                 const RoundedBy &rounding) {
    Destination result;
    Operation *op = rounding.op ? rounding.op : layer.op;
    auto type = RankedTensorType::get({layer.batch, layer.outHeight, layer.outWidth, layer.outputs},
                                      typeOf(op->getResult(0)).getElementType());
    result.dest = tensor::EmptyOp::create(builder, location, type.getShape(), type.getElementType());
    result.clamp = builder.getDenseI64ArrayAttr({});
    if (!rounding.op)
      return result;
    result.clamp = rounding.op->getAttrOfType<DenseI64ArrayAttr>("clamp");
    result.zeroPoint = rounding.op->getAttrOfType<IntegerAttr>("zero_point").getInt();
    result.rounding = rounding.op->getAttrOfType<RoundingAttr>("rounding").getValue();
    if (rounding.residual)
      result.residual = shaped(builder, location, rounding.residual, type.getShape());
    return result;
  }

  static Value packConv(OpBuilder &builder, LinearLayer &layer, const RoundedBy &rounding, StorageRange range,
                        Dot dot) {
    int64_t lanes = blockInputs(dot), bytesOfInput = 4 / lanes, depth = layer.depth();
    bool flip = bytesOfInput == 1 && range.min < 0;
    // A line of a kernel over all channels is contiguous: as one run it fills the blocks better.
    bool joined = layer.groups == 1 && layer.dilationWidth == 1 && depth % lanes != 0;
    int64_t runs = joined ? 1 : layer.kernelWidth, run = joined ? layer.kernelWidth * depth : depth;
    int64_t slack = 0;
    if (run % lanes != 0) {
      // The last block of the last position may reach beyond the last line.
      int64_t beyond = lanes - run % lanes;
      int64_t end = (layer.outWidth - 1) * layer.strideWidth * layer.channels +
                    (runs - 1) * layer.dilationWidth * layer.channels + (layer.groups - 1) * depth + run + beyond;
      bool lastLine =
          (layer.outHeight - 1) * layer.strideHeight + (layer.kernelHeight - 1) * layer.dilationHeight + 1 >=
          layer.height + layer.padTop + layer.padBottom;
      int64_t lineSize = (layer.width + layer.padLeft + layer.padRight) * layer.channels;
      if (lastLine)
        slack = std::max<int64_t>(0, end - lineSize);
    }
    Location location = locationOf(builder, layer, rounding);
    Value input = padded(builder, layer, slack);
    int64_t lineSize = layer.width * layer.channels, perGroup = layer.outputs / layer.groups;
    int64_t panelsPerGroup = (perGroup + kPanelChannels - 1) / kPanelChannels, panels = panelsPerGroup * layer.groups;
    auto channelsOf = [&](int64_t p) {
      int64_t inGroup = (p % panelsPerGroup) * kPanelChannels;
      return std::make_pair(p / panelsPerGroup * perGroup + inGroup, std::min(kPanelChannels, perGroup - inGroup));
    };
    int64_t xMax = flip ? range.max + 128 : range.max;
    std::vector<int64_t> weights, bias = layer.bias;
    std::vector<AccumulatorPlan> plans;
    if (flip)
      for (int64_t m = 0; m < layer.outputs; ++m)
        bias[m] = static_cast<int32_t>(bias[m] - 128 * layer.weightSum(m)); // modulo 2^32, as the kernel sums
    for (int64_t p = 0; p < panels; ++p) {
      auto [first, count] = channelsOf(p);
      int64_t group = p / panelsPerGroup;
      std::vector<WeightBlock> blocks;
      for (int64_t kh = 0; kh < layer.kernelHeight; ++kh)
        for (int64_t r = 0; r < runs; ++r)
          for (int64_t start = 0; start < run; start += lanes) {
            WeightBlock block{kh * layer.dilationHeight * lineSize + r * layer.dilationWidth * layer.channels +
                                  group * depth + start,
                              std::vector<int8_t>(kPanelChannels * lanes, 0)};
            for (int64_t m = 0; m < count; ++m)
              for (int64_t i = 0; i < lanes && start + i < run; ++i) {
                int64_t c = (start + i) % depth, kw = joined ? (start + i) / depth : r;
                block.weights[m * lanes + i] = static_cast<int8_t>(layer.weight(first + m, c, kh, kw));
              }
            blocks.push_back(std::move(block));
          }
      AccumulatorPlan plan;
      if (dot == Dot::Maddubs) {
        plan = planAccumulator(std::move(blocks), kPanelChannels, xMax);
      } else {
        plan.groups.back() = static_cast<int64_t>(blocks.size());
        plan.blocks = std::move(blocks);
      }
      for (WeightBlock &block : plan.blocks) {
        block.offset *= bytesOfInput;
        llvm::append_range(weights, block.weights);
      }
      plans.push_back(std::move(plan));
    }
    PanelTable table(plans);
    Destination to = destination(builder, location, layer, rounding);
    Channels rows = channelRows(builder, layer, rounding, bias, panels, channelsOf);
    auto numbers = [&](ArrayRef<int64_t> shape, unsigned width, ArrayRef<int64_t> values) {
      return constant(builder, location, shape, width, values);
    };
    auto packed =
        PackedConvOp::create(builder, location, to.dest.getType(), input,
                             numbers({static_cast<int64_t>(weights.size())}, 8 * bytesOfInput, weights),
                             numbers({static_cast<int64_t>(table.offsets.size())}, table.offsetWidth(), table.offsets),
                             numbers({panels, table.columns()}, 32, table.rows), rows.value, to.residual, to.dest,
                             layer.strideHeight * lineSize, layer.strideWidth * layer.channels, layer.groups, dot,
                             table.groupSizes, xMax, flip, rounding.kind, rows.highHalves, rounding.residualZeroPoint,
                             to.residual && isUnsignedValue(to.residual), to.zeroPoint, to.clamp, to.rounding);
    return packed.getOutput();
  }

  static Value packDepthwise(OpBuilder &builder, LinearLayer &layer, const RoundedBy &rounding) {
    if (layer.kernelHeight * layer.kernelWidth > kMostTaps)
      return {};
    Location location = locationOf(builder, layer, rounding);
    Value input = padded(builder, layer, 0);
    int64_t lineSize = layer.width * layer.channels, panels = (layer.channels + kPanelChannels - 1) / kPanelChannels;
    auto offset = [&](int64_t kh, int64_t kw) {
      return kh * layer.dilationHeight * lineSize + kw * layer.dilationWidth * layer.channels;
    };
    // Two positions above each other make a pair: neighbours along the line share it.
    SmallVector<std::pair<int64_t, int64_t>> taps;
    std::vector<int64_t> offsets, weights;
    for (int64_t kw = 0; kw < layer.kernelWidth; ++kw)
      for (int64_t kh = 0; kh < layer.kernelHeight + layer.kernelHeight % 2; ++kh) {
        taps.emplace_back(kh, kw);
        offsets.push_back(kh < layer.kernelHeight ? offset(kh, kw) : -1);
      }
    static constexpr int64_t kOrder[kPanelChannels] = {0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15};
    for (int64_t p = 0; p < panels; ++p)
      for (size_t t = 0; t < taps.size(); t += 2)
        for (int64_t i : kOrder)
          for (auto [kh, kw] : {taps[t], taps[t + 1]}) {
            int64_t c = p * kPanelChannels + i;
            weights.push_back(c < layer.channels && kh < layer.kernelHeight ? layer.weight(c, 0, kh, kw) : 0);
          }
    Destination to = destination(builder, location, layer, rounding);
    Channels rows = channelRows(builder, layer, rounding, layer.bias, panels, [&](int64_t p) {
      return std::make_pair(p * kPanelChannels, std::min(kPanelChannels, layer.channels - p * kPanelChannels));
    });
    auto packed = PackedDepthwiseOp::create(
        builder, location, to.dest.getType(), input,
        constant(builder, location, {static_cast<int64_t>(weights.size())}, 16, weights), rows.value, to.residual,
        to.dest, layer.strideHeight * lineSize, layer.strideWidth * layer.channels, offsets,
        isUnsignedValue(layer.input), rounding.kind, rows.highHalves, rounding.residualZeroPoint,
        to.residual && isUnsignedValue(to.residual), to.zeroPoint, to.clamp, to.rounding);
    return packed.getOutput();
  }
};
} // namespace
} // namespace dyadic
