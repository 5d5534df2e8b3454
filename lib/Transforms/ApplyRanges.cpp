// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/IR/Layers.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Transforms/Passes.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_APPLYRANGES
#include "dyadic/Transforms/Passes.h.inc"

static LogicalResult insertRange(OpBuilder &builder, Value value, StringRef id, const RangeMap &ranges) {
  auto found = ranges.find(id.str());
  if (found == ranges.end())
    return emitError(value.getLoc()) << "no range for value '" << escaped(id)
                                     << "', expected one in the calibration table";
  const auto &[min, max, operands] = found->second;
  if (!std::isfinite(min) || !std::isfinite(max) || min > max)
    return emitError(value.getLoc()) << "range [" << min << ", " << max << "] of value '" << escaped(id)
                                     << "', expected finite ordered numbers";
  builder.setInsertionPointAfterValue(value);
  auto range = RangeOp::create(builder, value.getLoc(), value.getType(), value, builder.getF32FloatAttr(min),
                               builder.getF32FloatAttr(max), FloatAttr(), FloatAttr());
  if (operands) {
    range.setOperandMinAttr(builder.getF32FloatAttr(operands->first));
    range.setOperandMaxAttr(builder.getF32FloatAttr(operands->second));
  }
  value.replaceAllUsesExcept(range.getOutput(), range);
  return success();
}

LogicalResult applyRanges(ModuleOp module, const RangeMap &ranges) {
  func::FuncOp function = entryFunction(module);
  if (!function)
    return module.emitError() << "module has no single entry function";
  OpBuilder builder(module.getContext());
  for (Operation *op : layersOf(function))
    if (StringAttr id = cast<LayerOpInterface>(op).getIdAttr())
      if (failed(insertRange(builder, layerValue(op), id, ranges)))
        return failure();
  for (BlockArgument argument : function.getArguments())
    if (failed(insertRange(builder, argument, argumentName(function, argument.getArgNumber()), ranges)))
      return failure();
  return success();
}

LogicalResult parseRanges(ModuleOp module, ArrayRef<std::string> entries, RangeMap &ranges) {
  for (StringRef entry : entries) {
    auto [id, text] = entry.rsplit('=');
    auto [low, high] = text.split(':');
    double min = 0, max = 0;
    if (id.empty() || low.getAsDouble(min) || high.getAsDouble(max))
      return module.emitError() << "range '" << escaped(entry) << "', expected ID=MIN:MAX";
    ranges[id.str()] = {static_cast<float>(min), static_cast<float>(max)};
  }
  return success();
}

namespace {
struct ApplyRanges : impl::ApplyRangesBase<ApplyRanges> {
  using ApplyRangesBase::ApplyRangesBase;

  void runOnOperation() override {
    RangeMap map;
    if (failed(parseRanges(getOperation(), ranges, map)) || failed(applyRanges(getOperation(), map)))
      signalPassFailure();
  }
};
} // namespace
} // namespace dyadic
