// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "QuantizationDecisions.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/Transforms/Passes.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

static int64_t elements(Value value) { return cast<RankedTensorType>(value.getType()).getNumElements(); }

int64_t macsOf(Operation *op) {
  if (!isa<ConvOp, MatmulOp>(op))
    return 0;
  int64_t channels = cast<RankedTensorType>(op->getOperand(1).getType()).getDimSize(isa<ConvOp>(op) ? 0 : 1);
  return elements(op->getResult(0)) * (elements(op->getOperand(1)) / channels);
}

/// Kernels of depthwise convolutions, and loops over more than two dimensions, keep a byte a weight.
static bool sharesBytes(Operation *op) {
  auto conv = dyn_cast<ConvOp>(op);
  if (!conv)
    return true;
  auto weights = cast<RankedTensorType>(conv.getWeights().getType());
  return weights.getRank() <= 4 && !(conv.getGroup() > 1 && weights.getDimSize(1) == 1 &&
                                     weights.getDimSize(0) == static_cast<int64_t>(conv.getGroup()));
}

LogicalResult searchLayers(ModuleOp module, const Plan &plan, std::vector<SearchLayer> &layers) {
  func::FuncOp function = entryFunction(module);
  if (!function)
    return module.emitError() << "module has no single entry function";
  Plan copy = plan;
  QuantizationDecisions decisions(function, copy);
  if (failed(decisions.decideWidths()))
    return failure();
  for (Operation *op : layersOf(function)) {
    if (!isa<ConvOp, MatmulOp>(op) || decisions.isFloatLayer(op) || !ConstantView(op->getOperand(1)))
      continue;
    const Storage *input = decisions.storageOf(op->getOperand(0));
    if (!input)
      continue; // a constant
    layers.push_back({idOf(op).str(), input->id, elements(op->getOperand(1)), macsOf(op), sharesBytes(op)});
  }
  return success();
}

} // namespace dyadic
