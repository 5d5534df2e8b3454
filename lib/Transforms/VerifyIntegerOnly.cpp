// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/IR/Layers.h"
#include "dyadic/IR/Types.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Transforms/Passes.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_VERIFYINTEGERONLY
#include "dyadic/Transforms/Passes.h.inc"

/// True for f32 that `qnn.dequantize` made and pass-through operations moved.
static bool isExit(Value value) {
  Operation *op = value.getDefiningOp();
  while (op && op->hasTrait<PassThrough>())
    op = op->getOperand(0).getDefiningOp();
  return isa_and_nonnull<DequantizeOp>(op);
}

static bool isIntegerOp(Operation *op) {
  if (isa<func::ReturnOp, arith::ConstantOp>(op))
    return true;
  if (isa<QuantizeOp>(op))
    return isa<BlockArgument>(op->getOperand(0));
  if (isa<DequantizeOp>(op))
    return llvm::all_of(op->getUsers(),
                        [](Operation *user) { return isa<func::ReturnOp>(user) || user->hasTrait<PassThrough>(); });
  if (!isa<QNNDialect>(op->getDialect()))
    return false;
  if (op->hasTrait<PassThrough>() && isExit(op->getResult(0)))
    return true;
  return llvm::all_of(op->getResultTypes(), [](Type type) { return levelOf(type) == Level::Integer; });
}

SmallVector<Operation *> floatIslands(ModuleOp module) {
  SmallVector<Operation *> islands;
  for (auto function : module.getOps<func::FuncOp>())
    for (Operation &op : function.getBody().getOps())
      if (!isIntegerOp(&op) && !isAbsorbed(&op))
        islands.push_back(&op);
  // The conversions around a float operation follow from it.
  auto isConversion = [](Operation *op) { return isa<QuantizeOp, DequantizeOp>(op); };
  if (!llvm::all_of(islands, isConversion))
    llvm::erase_if(islands, isConversion);
  return islands;
}

namespace {
struct VerifyIntegerOnly : impl::VerifyIntegerOnlyBase<VerifyIntegerOnly> {
  void runOnOperation() override {
    SmallVector<Operation *> islands = floatIslands(getOperation());
    for (Operation *op : islands) {
      InFlightDiagnostic error = op->emitError() << "'" << op->getName() << "' computes in float";
      if (auto layer = dyn_cast<LayerOpInterface>(op))
        if (StringAttr id = layer.getIdAttr())
          error << " (layer '" << escaped(id) << "')";
      error << ", expected integers between entry and exit";
    }
    if (!islands.empty())
      signalPassFailure();
  }
};
} // namespace
} // namespace dyadic
