// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "QuantizationDecisions.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/Transforms/Passes.h"
#include "llvm/ADT/IntEqClasses.h"

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

bool sharesBytes(Operation *op) {
  auto conv = dyn_cast<ConvOp>(op);
  if (!conv)
    return true;
  auto weights = cast<RankedTensorType>(conv.getWeights().getType());
  return weights.getRank() <= 4 && !(conv.getGroup() > 1 && weights.getDimSize(1) == 1 &&
                                     weights.getDimSize(0) == static_cast<int64_t>(conv.getGroup()));
}

LogicalResult searchLayers(ModuleOp module, const Plan &plan, std::vector<SearchLayer> &layers) {
  return withDecidedWidths(module, plan, [&](func::FuncOp function, QuantizationDecisions &decisions) {
    for (Operation *op : layersOf(function)) {
      if (!isa<ConvOp, MatmulOp>(op) || decisions.isFloatLayer(op) || !ConstantView(op->getOperand(1)))
        continue;
      const Storage *input = decisions.storageOf(op->getOperand(0));
      if (!input)
        continue; // a constant
      layers.push_back({idOf(op).str(), input->id, elements(op->getOperand(1)), macsOf(op), sharesBytes(op)});
    }
  });
}

LogicalResult storedValues(ModuleOp module, const Plan &plan, std::vector<std::vector<std::string>> &groups) {
  return withDecidedWidths(module, plan, [&](func::FuncOp function, QuantizationDecisions &decisions) {
    std::map<std::string, unsigned> numbers;
    std::vector<std::string> ids;
    llvm::IntEqClasses classes;
    auto note = [&](Value value) -> std::optional<unsigned> {
      const Storage *storage = decisions.storageOf(value);
      if (!storage)
        return std::nullopt; // a constant
      auto [found, isNew] = numbers.try_emplace(storage->id, ids.size());
      if (isNew) {
        ids.push_back(storage->id);
        classes.grow(ids.size());
      }
      return found->second;
    };
    for (BlockArgument argument : function.getArguments())
      note(argument);
    for (Operation *op : layersOf(function)) {
      std::optional<unsigned> result = note(layerValue(op));
      if (!isa<ConcatOp>(op) || !result || decisions.isFloatLayer(op))
        continue;
      for (Value operand : op->getOperands())
        if (std::optional<unsigned> branch = note(operand))
          classes.join(*result, *branch);
    }
    classes.compress(); // numbers them by their first values
    groups.resize(classes.getNumClasses());
    for (auto [i, id] : llvm::enumerate(ids))
      groups[classes[i]].push_back(id);
  });
}

} // namespace dyadic
