// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Transforms/LayerPairs.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

static bool hasWeights(Operation *op) {
  return isa<ConvOp, MatmulOp>(op) && ConstantView(op->getOperand(1)) && cast<LayerOpInterface>(op).getIdAttr();
}

/// Whether `op` joins several values that are computed.
static bool joins(Operation *op) {
  return llvm::count_if(op->getOperands(), [](Value operand) { return !ConstantView(operand); }) > 1;
}

/// Adds the layers with weights that `value` comes from, through no other of them and at most one operation that joins.
static void addSources(Value value, bool hasJoined, llvm::SetVector<Operation *> &sources) {
  Operation *op = value.getDefiningOp();
  if (!op || ConstantView(value))
    return;
  if (hasWeights(op)) {
    sources.insert(op);
    return;
  }
  if (joins(op) && hasJoined)
    return;
  for (Value operand : op->getOperands())
    addSources(operand, hasJoined || joins(op), sources);
}

static llvm::SetVector<Operation *> sourcesOf(Value value) {
  llvm::SetVector<Operation *> sources;
  addSources(value, /*hasJoined=*/false, sources);
  return sources;
}

std::vector<std::pair<std::string, std::string>> layerPairs(ModuleOp module) {
  llvm::SetVector<std::pair<Operation *, Operation *>> pairs;
  auto add = [&](Operation *a, Operation *b) {
    if (a != b)
      pairs.insert(a->isBeforeInBlock(b) ? std::make_pair(a, b) : std::make_pair(b, a));
  };
  for (Operation *op : layersOf(entryFunction(module))) {
    if (hasWeights(op))
      for (Operation *source : sourcesOf(op->getOperand(0)))
        add(source, op);
    if (isa<AddOp, SubOp, MulOp>(op) && joins(op))
      for (Operation *left : sourcesOf(op->getOperand(0)))
        for (Operation *right : sourcesOf(op->getOperand(1)))
          add(left, right);
  }
  auto idOf = [](Operation *op) { return cast<LayerOpInterface>(op).getIdAttr().str(); };
  std::vector<std::pair<std::string, std::string>> ids;
  for (auto [a, b] : pairs)
    ids.push_back({idOf(a), idOf(b)});
  return ids;
}

} // namespace dyadic
