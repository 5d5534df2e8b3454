// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   relu(move(conv))       =>  move(relu(conv))
//   relu(max_pool(conv))   =>  max_pool(relu(conv))
//
// A layer absorbs an activation that follows it at once: then its clamp is the
// activation, and no code of the range is spent on what the activation cuts off.

#include "dyadic/IR/Layers.h"
#include "dyadic/Transforms/Passes.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_HOISTACTIVATIONS
#include "dyadic/Transforms/Passes.h.inc"

/// The value of a layer that would absorb `activation`, where nothing but operations
/// that commute with it, each used once, stands between them.
static Value absorbingLayer(Operation *activation) {
  Value value = activation->getOperand(0);
  while (Operation *op = value.getDefiningOp()) {
    if (!value.hasOneUse())
      return nullptr;
    // Bounds are increasing functions: the largest of bounded numbers is the bounded largest.
    if (!isMove(op) && !isa<MaxPoolOp>(op))
      return absorbs(layerRoot(op), activation) ? value : Value();
    value = op->getOperand(0);
  }
  return nullptr;
}

namespace {
struct HoistActivations : impl::HoistActivationsBase<HoistActivations> {
  void runOnOperation() override {
    SmallVector<Operation *> activations;
    getOperation().walk([&](Operation *op) {
      if (boundsOf(op))
        activations.push_back(op);
    });
    for (Operation *op : activations)
      if (Value layer = absorbingLayer(op); layer && layer != op->getOperand(0))
        hoist(op, layer);
  }

private:
  static void hoist(Operation *activation, Value layer) {
    activation->getResult(0).replaceAllUsesWith(activation->getOperand(0));
    OpOperand &use = *layer.use_begin();
    activation->moveAfter(layer.getDefiningOp());
    activation->setOperand(0, layer);
    activation->getResult(0).setType(layer.getType());
    use.set(activation->getResult(0));
  }
};
} // namespace
} // namespace dyadic
