// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayerPacking.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/Transforms/Passes.h"
#include "dyadic/Transforms/Schedules.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_PACKLAYERS
#include "dyadic/Transforms/Passes.h.inc"

/// The instruction for the inputs: a CPU with `usdot` has `sdot` too, for signed ones.
static Dot dotFor(const StorageRange &range, unsigned width, Dot bytes, Dot words) {
  if (width > 8)
    return words;
  return bytes == Dot::Usdot && range.min < 0 ? Dot::Sdot : bytes;
}

namespace {
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
          if (failed(pack(*layer, ranges, *bytes, *words)))
            return signalPassFailure();
      eraseDead(function);
    }
  }

private:
  LogicalResult pack(LinearLayer &layer, IntegerRanges &ranges, Dot bytes, Dot words) {
    FailureOr<KernelSchedule> schedule = scheduleOf(getOperation(), servedId(layer.op));
    if (failed(schedule))
      return failure();
    StorageRange range = inputRange(layer, ranges);
    unsigned width = cast<RankedTensorType>(layer.input.getType()).getElementType().getIntOrFloatBitWidth();
    if (width > 16 || range.max > INT16_MAX)
      return success();
    // Offsets are 32-bit numbers of bytes.
    if (layer.batch * (layer.height + layer.padTop + layer.padBottom) * (layer.width + layer.padLeft + layer.padRight) >
        (int64_t(1) << 29) / layer.channels)
      return success();
    RoundedBy rounding = matchRounding(layer);
    // Values that the kernel reads must exist before it: the operation that rounds is the place.
    Operation *place = rounding.op ? rounding.op : layer.op;
    OpBuilder builder(place);
    LayerPacker packer(builder, layer, rounding, *schedule);
    Dot dot = dotFor(range, width, bytes, words);
    Value result =
        layer.isDepthwise() ? packDepthwise(packer, range, dot, words) : packWinograd(packer, range, dot, words);
    if (!result && schedule->kernel == KernelSchedule::Kernel::Winograd)
      return layer.op->emitError() << "schedule: this layer has no exact Winograd convolution, expected 3x3 windows "
                                      "that move by one, a multiple of 4 input channels, and operands that are narrow "
                                      "enough (4-bit weights with inputs of up to 6 bits always are)";
    packer.usualRows = rows;
    if (!result && !layer.isDepthwise())
      result = packConv(packer, range, dot);
    if (!result)
      return success();
    Value old = place->getResult(0);
    old.replaceAllUsesWith(packer.shaped(result, cast<RankedTensorType>(old.getType()).getShape()));
    place->erase();
    if (place != layer.op)
      layer.op->erase();
    return success();
  }
};
} // namespace
} // namespace dyadic
