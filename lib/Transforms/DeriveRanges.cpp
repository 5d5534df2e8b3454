// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Spreads.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/Moments.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Transforms/Passes.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_DERIVERANGES
#include "dyadic/Transforms/Passes.h.inc"

static LogicalResult checkInputs(func::FuncOp function, const RangeMap &inputs) {
  std::map<std::string, unsigned> known;
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    known[argumentName(function, i).str()] = i;
  for (const auto &[name, range] : inputs)
    if (!known.count(name)) {
      std::string names;
      for (const auto &[other, index] : known)
        names += (names.empty() ? "'" : ", '") + escaped(other) + "'";
      return function.emitError() << "a range is given for '" << escaped(name) << "', expected one of the inputs "
                                  << names;
    }
  for (const auto &[name, index] : known)
    if (!inputs.count(name))
      return function.emitError() << "no range for input '" << escaped(name)
                                  << "', which batch normalization does not tell, expected --input-range="
                                  << escaped(name) << ":LOW,HIGH";
  return success();
}

static LogicalResult addRange(Operation *op, Spread spread, StringRef id, RangeMap &ranges) {
  auto low = static_cast<float>(spread.low), high = static_cast<float>(spread.high);
  if (!std::isfinite(low) || !std::isfinite(high))
    return op->emitOpError() << "reaches from " << spread.low << " to " << spread.high
                             << " by what batch normalization tells, expected finite numbers, or --calibration=PATH";
  ranges[id.str()] = {low, high};
  return success();
}

LogicalResult deriveRanges(ModuleOp module, double sigmas, const RangeMap &inputs, RangeMap &ranges) {
  func::FuncOp function = entryFunction(module);
  if (!function)
    return module.emitError() << "module has no single entry function";
  auto hasMoments = [](Operation &op) { return !readMoments(&op).means.empty(); };
  if (llvm::none_of(function.front(), hasMoments))
    return function.emitError() << "no batch normalization, from which --calibration-method=batchnorm takes ranges, "
                                   "expected some, or --calibration=PATH with representative inputs";
  if (failed(checkInputs(function, inputs)))
    return failure();
  SpreadMap spreads(sigmas);
  for (BlockArgument argument : function.getArguments()) {
    const StoredRange &range = inputs.at(argumentName(function, argument.getArgNumber()).str());
    spreads.set(argument, {(static_cast<double>(range.min) + range.max) / 2, range.min, range.max});
  }
  for (Operation &op : function.front()) {
    if (isa<LayerOpInterface>(op) && !spreads.add(&op))
      return op.emitOpError() << "has a value whose range does not follow from batch normalization, expected "
                                 "--calibration=PATH with representative inputs";
    writeMoments(&op, {});
  }
  ranges = inputs;
  for (Operation *op : layersOf(function))
    if (StringAttr id = cast<LayerOpInterface>(op).getIdAttr())
      if (failed(addRange(op, unite(spreads.at(layerValue(op))), id, ranges)))
        return failure();
  return success();
}

namespace {
struct DeriveRanges : impl::DeriveRangesBase<DeriveRanges> {
  using DeriveRangesBase::DeriveRangesBase;

  void runOnOperation() override {
    RangeMap given, ranges;
    if (failed(parseRanges(getOperation(), inputs, given)) ||
        failed(deriveRanges(getOperation(), sigmas, given, ranges)) || failed(applyRanges(getOperation(), ranges)))
      signalPassFailure();
  }
};
} // namespace
} // namespace dyadic
