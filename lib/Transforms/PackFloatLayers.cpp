// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayerPacking.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/Transforms/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_PACKFLOATLAYERS
#include "dyadic/Transforms/Passes.h.inc"

/// A depthwise kernel is unrolled: beyond so many positions it stays a loop.
static constexpr int64_t kMostTaps = 64;

namespace {
struct PackFloatLayers : impl::PackFloatLayersBase<PackFloatLayers> {
  using PackFloatLayersBase::PackFloatLayersBase;

  void runOnOperation() override {
    if (lanes == 0)
      return; // the target's float unit is not known
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal())
        continue;
      SmallVector<Operation *> linear;
      for (Operation &op : function.front())
        if (isa<ConvOp, MatmulOp>(op))
          linear.push_back(&op);
      for (Operation *op : linear)
        if (std::optional<FloatLayer> layer = matchFloatLayer(op))
          pack(*layer);
      eraseDead(function);
    }
  }

private:
  void pack(FloatLayer &layer) {
    if (layer.isDepthwise() && layer.kernelHeight * layer.kernelWidth > kMostTaps)
      return;
    FloatTail tail = matchFloatTail(layer);
    SmallVector<Operation *> ops{layer.op};
    llvm::append_range(ops, tail.ops);
    // Values that the kernel reads must exist before it: the last operation is the place.
    OpBuilder builder(ops.back());
    Location location = locationOf(builder, ops);
    Value result = build(builder, location, layer, tail);
    Value old = ops.back()->getResult(0);
    old.replaceAllUsesWith(shaped(builder, location, result, cast<RankedTensorType>(old.getType()).getShape()));
    for (Operation *op : llvm::reverse(ops))
      op->erase();
  }

  Value build(OpBuilder &builder, Location location, FloatLayer &layer, const FloatTail &tail) {
    Value input = padded(builder, layer.op->getLoc(), layer, /*zeroPoint=*/0, /*slack=*/0);
    SmallVector<int64_t> shape{layer.batch, layer.outHeight, layer.outWidth, layer.outputs};
    Value residual = tail.residual ? shaped(builder, location, tail.residual, shape) : Value();
    Value dest = tensor::EmptyOp::create(builder, location, shape, builder.getF32Type());
    Type type = dest.getType();
    int64_t lineSize = layer.width * layer.channels, line = layer.strideHeight * lineSize,
            pixel = layer.strideWidth * layer.channels, tapLine = layer.dilationHeight * lineSize,
            tapPixel = layer.dilationWidth * layer.channels;
    llvm::APFloat low(tail.low), high(tail.high);
    if (layer.isDepthwise()) {
      auto [weights, bias] = constants(builder, location, layer, /*groups=*/1, /*depth=*/1);
      return PackedFloatDepthwiseOp::create(builder, location, type, input, weights, bias, residual, dest, line, pixel,
                                            ArrayRef<int64_t>{layer.kernelHeight, layer.kernelWidth}, tapLine, tapPixel,
                                            lanes, depthwiseRows, low, high)
          .getOutput();
    }
    // A line of a kernel over all channels is contiguous.
    bool joined = layer.groups == 1 && layer.dilationWidth == 1;
    int64_t taps = joined ? 1 : layer.kernelWidth, run = joined ? layer.kernelWidth * layer.depth() : layer.depth();
    auto [weights, bias] = constants(builder, location, layer, layer.groups, layer.depth());
    return PackedFloatConvOp::create(builder, location, type, input, weights, bias, residual, dest, line, pixel,
                                     ArrayRef<int64_t>{layer.kernelHeight, taps}, tapLine, tapPixel, run, layer.groups,
                                     lanes, rows, low, high)
        .getOutput();
  }

  /// Weights and biases in panels of the channels of each of `groups` groups.
  static std::pair<Value, Value> constants(OpBuilder &builder, Location location, const FloatLayer &layer,
                                           int64_t groups, int64_t depth) {
    int64_t perGroup = layer.outputs / groups, panels = (perGroup + kPanelChannels - 1) / kPanelChannels;
    int64_t taps = layer.kernelHeight * layer.kernelWidth;
    std::vector<float> weights, bias;
    weights.reserve(groups * panels * taps * depth * kPanelChannels);
    auto append = [&](std::vector<float> &to, int64_t group, int64_t panel, llvm::function_ref<float(int64_t)> of) {
      for (int64_t i = 0; i < kPanelChannels; ++i) {
        int64_t inGroup = panel * kPanelChannels + i;
        to.push_back(inGroup < perGroup ? of(group * perGroup + inGroup) : 0.0f);
      }
    };
    for (int64_t g = 0; g < groups; ++g)
      for (int64_t p = 0; p < panels; ++p) {
        append(bias, g, p, [&](int64_t m) { return layer.bias[m]; });
        for (int64_t t = 0; t < taps; ++t)
          for (int64_t c = 0; c < depth; ++c)
            append(weights, g, p, [&](int64_t m) { return layer.weights[(m * depth + c) * taps + t]; });
      }
    auto constant = [&](ArrayRef<float> values) {
      auto type = RankedTensorType::get({static_cast<int64_t>(values.size())}, builder.getF32Type());
      return makeConstant(builder, location, makeFloats(type, values));
    };
    return {constant(weights), constant(bias)};
  }
};
} // namespace
} // namespace dyadic
