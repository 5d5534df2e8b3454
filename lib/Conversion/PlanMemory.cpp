// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BufferUses.h"
#include "dyadic/Conversion/Passes.h"
#include "dyadic/Support/ArenaPlanner.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace dyadic {
#define GEN_PASS_DEF_PLANMEMORY
#include "dyadic/Conversion/Passes.h.inc"

namespace {
struct PlanMemory : impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && function.isPublic() && failed(plan(function)))
        return signalPassFailure();
  }

private:
  /// Position in the entry block of the operation that `op` is or lies in.
  static Operation *topLevel(Operation *op, Block &block) { return block.findAncestorOpInBlock(*op); }

  static LogicalResult plan(func::FuncOp function) {
    Block &block = function.front();
    DenseMap<Operation *, int64_t> position;
    for (auto [i, op] : llvm::enumerate(block))
      position[&op] = i;

    SmallVector<memref::AllocOp> allocs;
    WalkResult walk = function.walk([&](memref::AllocOp alloc) {
      if (alloc->getBlock() != &block || !alloc.getType().hasStaticShape() ||
          !alloc.getType().getLayout().isIdentity()) {
        alloc.emitError() << "buffer of type " << alloc.getType() << ", expected a static one in the entry block";
        return WalkResult::interrupt();
      }
      allocs.push_back(alloc);
      return WalkResult::advance();
    });
    if (walk.wasInterrupted())
      return failure();

    std::vector<ArenaBuffer> buffers;
    for (memref::AllocOp alloc : allocs) {
      ArenaBuffer buffer;
      SmallVector<OpOperand *> uses = usesOf(alloc);
      for (OpOperand *use : uses) {
        if (isa<func::ReturnOp>(use->getOwner()))
          return use->getOwner()->emitError() << "a buffer is returned, expected results in arguments";
        int64_t moment = position[topLevel(use->getOwner(), block)];
        buffer.begin = use == uses.front() ? moment : std::min(buffer.begin, moment);
        buffer.end = std::max(buffer.end, moment);
      }
      if (!uses.empty())
        buffer.size = (alloc.getType().getNumElements() * alloc.getType().getElementTypeBitWidth() + 7) / 8;
      buffers.push_back(buffer);
    }
    int64_t size = planArena(buffers, kBufferAlignment);

    OpBuilder builder(function.getContext());
    unsigned index = function.getNumArguments();
    if (failed(function.insertArgument(index, MemRefType::get({size}, builder.getI8Type()), {}, function.getLoc())))
      return failure();
    Value workspace = function.getArgument(index);
    for (auto [alloc, buffer] : llvm::zip(allocs, buffers)) {
      builder.setInsertionPoint(alloc);
      Value offset = arith::ConstantIndexOp::create(builder, alloc.getLoc(), buffer.offset);
      Value view = memref::ViewOp::create(builder, alloc.getLoc(), alloc.getType(), workspace, offset, ValueRange{});
      alloc.replaceAllUsesWith(view);
      alloc.erase();
    }
    function->setAttr(kWorkspaceAttr, builder.getI64IntegerAttr(size));
    function->setAttr(kLiveSetAttr, builder.getI64IntegerAttr(largestLiveSet(buffers)));
    return success();
  }
};
} // namespace
} // namespace dyadic
