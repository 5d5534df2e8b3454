// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/IR/Layers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

func::FuncOp entryFunction(ModuleOp module) {
  func::FuncOp entry;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function.isPublic() || function.isExternal())
      continue;
    if (entry)
      return nullptr;
    entry = function;
  }
  return entry;
}

std::optional<ActivationBounds> boundsOf(Operation *op) {
  if (isa<ReluOp>(op))
    return ActivationBounds{0.0f, INFINITY};
  if (auto clip = dyn_cast<ClipOp>(op))
    return ActivationBounds{clip.getMin().convertToFloat(), clip.getMax().convertToFloat()};
  return std::nullopt;
}

static bool roundsItself(Operation *op) {
  return isa<ConvOp, MatmulOp, AddOp, SubOp, MulOp, MapOp, PReluOp, AvgPoolOp, InterpolateOp, BatchNormOp>(op);
}

bool isDepthwise(Operation *op) {
  return isa<ConvOp>(op) && cast<RankedTensorType>(op->getOperand(1).getType()).getDimSize(1) == 1;
}

bool accumulates(Operation *op) { return isa<ConvOp, MatmulOp, AvgPoolOp, InterpolateOp>(op); }

bool isPacked(Operation *op) {
  return isa<DestinationStyleOpInterface>(op) && isa_and_nonnull<QNNDialect>(op->getDialect());
}

bool isMove(Operation *op) { return isa<ReshapeOp, TransposeOp, SliceOp, GatherOp>(op); }

bool absorbs(Operation *root, Operation *activation) {
  std::optional<ActivationBounds> bounds = boundsOf(activation);
  return root && roundsItself(root) && bounds && bounds->min <= 0 && bounds->max >= 0;
}

Operation *layerRoot(Operation *op) {
  while (op && (isa<RangeOp>(op) || boundsOf(op)))
    op = op->getOperand(0).getDefiningOp();
  return op;
}

SmallVector<Operation *> absorbedBy(Operation *root) {
  SmallVector<Operation *> result;
  Value value = root->getResult(0);
  while (value.hasOneUse()) {
    Operation *user = *value.user_begin();
    if (isa<RangeOp>(user)) {
      value = user->getResult(0);
      continue;
    }
    if (!absorbs(root, user))
      break;
    result.push_back(user);
    // No range clamps to one number: the activation that leaves nothing else does it itself.
    if (ActivationBounds all = activationBounds(result); all.min == all.max) {
      result.pop_back();
      break;
    }
    value = user->getResult(0);
  }
  return result;
}

bool isAbsorbed(Operation *op) {
  if (!boundsOf(op))
    return false;
  Operation *root = layerRoot(op->getOperand(0).getDefiningOp());
  return root && llvm::is_contained(absorbedBy(root), op);
}

Value layerValue(Operation *root) {
  SmallVector<Operation *> absorbed = absorbedBy(root);
  return (absorbed.empty() ? root : absorbed.back())->getResult(0);
}

ActivationBounds activationBounds(ArrayRef<Operation *> activations) {
  ActivationBounds result;
  for (Operation *op : activations) {
    ActivationBounds next = *boundsOf(op);
    // min(max(x, lo), hi) after [min, max], also where the intervals do not meet.
    result.min = std::min(std::max(result.min, next.min), next.max);
    result.max = std::min(std::max(result.max, next.min), next.max);
  }
  return result;
}

SmallVector<Operation *> layersOf(func::FuncOp function) {
  SmallVector<Operation *> result;
  for (Operation &op : function.front())
    if (isa<LayerOpInterface>(op) && !isAbsorbed(&op))
      result.push_back(&op);
  return result;
}

StringAttr storedId(quant::QuantizeCastOp op) {
  if (auto argument = dyn_cast<BlockArgument>(op.getInput()))
    return cast<func::FuncOp>(argument.getOwner()->getParentOp())
        .getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr);
  Operation *root = op.getInput().getDefiningOp();
  while (root && isAbsorbed(root))
    root = root->getOperand(0).getDefiningOp();
  auto layer = dyn_cast_or_null<LayerOpInterface>(root);
  return layer ? layer.getIdAttr() : StringAttr();
}

StringAttr servedId(Operation *op) {
  for (; op; op = op->getNumOperands() ? op->getOperand(0).getDefiningOp() : nullptr) {
    auto layer = dyn_cast<LayerOpInterface>(op);
    if (layer && layer.getIdAttr() && !isAbsorbed(op))
      return layer.getIdAttr();
  }
  return {};
}

void eraseDead(func::FuncOp function) {
  if (function.isExternal())
    return;
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.front())))
    if (isOpTriviallyDead(&op))
      op.erase();
}

StringRef argumentName(func::FuncOp function, unsigned index) {
  auto name = function.getArgAttrOfType<StringAttr>(index, kNameAttr);
  return name ? name.getValue() : StringRef();
}

StringRef resultName(func::FuncOp function, unsigned index) {
  auto name = function.getResultAttrOfType<StringAttr>(index, kNameAttr);
  return name ? name.getValue() : StringRef();
}

} // namespace dyadic
