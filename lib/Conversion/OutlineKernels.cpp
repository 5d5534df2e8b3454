// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BufferUses.h"
#include "dyadic/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace dyadic {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "dyadic/Conversion/Passes.h.inc"

void noteLayers(Operation *kernel, Location location) {
  llvm::SetVector<Attribute> ids; // in the lowering's order
  location->walk([&](Location inner) {
    if (auto fused = dyn_cast<FusedLoc>(inner))
      if (auto id = dyn_cast_or_null<StringAttr>(fused.getMetadata()))
        ids.insert(id);
    return WalkResult::advance();
  });
  if (!ids.empty())
    kernel->setAttr(kLayersAttr, ArrayAttr::get(kernel->getContext(), ids.getArrayRef()));
}

namespace {
struct OutlineKernels : impl::OutlineKernelsBase<OutlineKernels> {
  void runOnOperation() override {
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>())) {
      if (function.isExternal() || !function.isPublic())
        continue;
      unsigned index = 0;
      for (Operation &op : llvm::make_early_inc_range(function.front()))
        if (isa<linalg::LinalgOp>(op))
          outline(function, &op, index++);
    }
  }

private:
  static bool isConstant(Value value) {
    return value.getDefiningOp() && value.getDefiningOp()->hasTrait<OpTrait::ConstantLike>();
  }

  static void outline(func::FuncOp function, Operation *op, unsigned index) {
    OpBuilder builder(function);
    builder.setInsertionPointAfter(function);
    llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
    getUsedValuesDefinedAbove(op->getRegions(), used);
    SmallVector<Value> arguments, constants;
    for (Value value : used)
      (isConstant(value) ? constants : arguments).push_back(value);

    std::string name = (function.getName() + "_kernel_" + Twine(index)).str();
    auto type = builder.getFunctionType(ValueRange(arguments).getTypes(), {});
    auto kernel = func::FuncOp::create(builder, op->getLoc(), name, type);
    kernel.setPrivate();
    kernel->setAttr("llvm.linkage", LLVM::LinkageAttr::get(builder.getContext(), LLVM::Linkage::Internal));
    kernel->setAttr("passthrough", builder.getStrArrayAttr({"noinline", "nounwind"}));
    noteLayers(kernel, op->getLoc());
    for (auto [i, value] : llvm::enumerate(arguments))
      if (isa<MemRefType>(value.getType()) && isAlone(arguments, i))
        kernel.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), builder.getUnitAttr());

    Block *body = kernel.addEntryBlock();
    builder.setInsertionPointToStart(body);
    IRMapping mapping;
    mapping.map(arguments, body->getArguments());
    for (Value constant : constants)
      mapping.map(constant, builder.clone(*constant.getDefiningOp())->getResult(0));
    builder.clone(*op, mapping);
    func::ReturnOp::create(builder, op->getLoc());

    builder.setInsertionPoint(op);
    func::CallOp::create(builder, op->getLoc(), kernel, arguments);
    op->erase();
  }
};
} // namespace
} // namespace dyadic
