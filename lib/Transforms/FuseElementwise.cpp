// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A composition of element-wise operations on one value is one function of it. Quantized
// step by step, x * sigmoid(x) is rounded twice and its parts need scales of their own;
// as one table it is rounded once.

#include "dyadic/IR/Constants.h"
#include "dyadic/IR/FunctionBody.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/Transforms/Passes.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "dyadic/Transforms/Passes.h.inc"

namespace {

/// The one number of a constant operand.
std::optional<float> scalarOf(Value value) {
  ConstantView view(value);
  if (!view || view.size() != 1)
    return std::nullopt;
  return view.floatAt(0);
}

/// Operations with a body in `append`.
bool isElementwise(Operation *op) {
  // Constants are one number; nothing else repeats along a dimension.
  if (isa<AddOp, SubOp, MulOp>(op))
    return llvm::all_of(op->getOperands(), [&](Value operand) {
      return ConstantView(operand) ? scalarOf(operand).has_value() : operand.getType() == op->getResult(0).getType();
    });
  return isa<MapOp, ReluOp, ClipOp>(op);
}

/// A set of operations that compute one value from one other.
struct Group {
  llvm::SetVector<Operation *> operations; // the last one first
  Value leaf;
};

/// The largest group that ends in `root`: operands are taken in, the last one first, and
/// whenever one value is all that is left, that is a group.
Group groupOf(Operation *root) {
  Group best, group;
  llvm::SetVector<Value> leaves;
  auto take = [&](Operation *op) {
    group.operations.insert(op);
    for (Value operand : op->getOperands())
      if (!ConstantView(operand))
        leaves.insert(operand);
  };
  auto isInside = [&](Value value) {
    Operation *op = value.getDefiningOp();
    return op && isElementwise(op) && value.getType() == root->getResult(0).getType() &&
           llvm::all_of(value.getUsers(), [&](Operation *user) { return group.operations.contains(user); });
  };
  for (take(root);;) {
    if (leaves.size() == 1) {
      best = group;
      best.leaf = leaves.front();
    }
    Value last;
    for (Value leaf : leaves)
      if (isInside(leaf) && (!last || last.getDefiningOp()->isBeforeInBlock(leaf.getDefiningOp())))
        last = leaf;
    if (!last)
      return best;
    leaves.remove(last);
    take(last.getDefiningOp());
  }
}

/// Clamps alone are for the layer before them to absorb, and one step is not a composition.
bool isWorthwhile(const Group &group) {
  auto computes = [](Operation *op) { return !boundsOf(op); };
  return group.leaf && group.operations.size() > 1 &&
         group.leaf.getType() == group.operations[0]->getResult(0).getType() &&
         (llvm::count_if(group.operations, computes) > 1 ||
          llvm::any_of(group.operations, [](Operation *op) { return isa<MapOp>(op); }));
}

struct FuseElementwise : impl::FuseElementwiseBase<FuseElementwise> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal())
        continue;
      SmallVector<Operation *> candidates;
      for (Operation &op : llvm::reverse(function.front()))
        if (isElementwise(&op))
          candidates.push_back(&op);
      llvm::SmallPtrSet<Operation *, 16> done;
      for (Operation *op : candidates) {
        if (done.contains(op))
          continue;
        Group group = groupOf(op);
        if (!isWorthwhile(group))
          continue;
        done.insert_range(group.operations);
        fuse(group);
      }
      eraseDead(function);
    }
  }

private:
  static void fuse(const Group &group) {
    Operation *root = group.operations.front();
    OpBuilder builder(root);
    auto map = MapOp::create(builder, root->getLoc(), root->getResult(0).getType(), group.leaf,
                             cast<LayerOpInterface>(root).getIdAttr());
    Block *block = builder.createBlock(&map.getBody(), {}, {builder.getF32Type()}, {root->getLoc()});
    IRMapping scalars;
    scalars.map(group.leaf, block->getArgument(0));
    SmallVector<Operation *> ordered(group.operations.begin(), group.operations.end());
    llvm::sort(ordered, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
    for (Operation *op : ordered)
      scalars.map(op->getResult(0), append(op, builder, scalars));
    YieldOp::create(builder, root->getLoc(), scalars.lookup(root->getResult(0)));
    root->getResult(0).replaceAllUsesWith(map.getOutput());
    for (Operation *op : llvm::reverse(ordered))
      op->erase();
  }

  /// The scalar form of `op`.
  static Value append(Operation *op, OpBuilder &builder, IRMapping &scalars) {
    Location location = op->getLoc();
    auto constant = [&](float x) -> Value {
      return arith::ConstantOp::create(builder, location, builder.getF32FloatAttr(x));
    };
    auto of = [&](unsigned i) {
      std::optional<float> scalar = scalarOf(op->getOperand(i));
      return scalar ? constant(*scalar) : scalars.lookup(op->getOperand(i));
    };
    if (auto map = dyn_cast<MapOp>(op)) {
      IRMapping inner;
      inner.map(map.getBody().front().getArgument(0), of(0));
      for (Operation &step : map.getBody().front().without_terminator())
        builder.clone(step, inner);
      return inner.lookup(map.getBody().front().back().getOperand(0));
    }
    if (isa<AddOp>(op))
      return arith::AddFOp::create(builder, location, of(0), of(1));
    if (isa<SubOp>(op))
      return arith::SubFOp::create(builder, location, of(0), of(1));
    if (isa<MulOp>(op))
      return arith::MulFOp::create(builder, location, of(0), of(1));
    ActivationBounds bounds = *boundsOf(op);
    Value x = arith::MaximumFOp::create(builder, location, of(0), constant(bounds.min));
    return std::isinf(bounds.max) ? x : arith::MinimumFOp::create(builder, location, x, constant(bounds.max));
  }
};

} // namespace
} // namespace dyadic
