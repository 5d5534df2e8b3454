// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BufferUses.h"
#include "dyadic/Conversion/Passes.h"
#include "dyadic/IR/QnnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_SHAREBUFFERS
#include "dyadic/Conversion/Passes.h.inc"

namespace {
/// Where an operation writes, and from which operands it reads no element but the one that it writes next.
struct Places {
  Value dest;
  SmallVector<OpOperand *> operands;
};

struct ShareBuffers : impl::ShareBuffersBase<ShareBuffers> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && function.isPublic())
        for (Operation &op : function.front()) {
          Places places = placesOf(&op);
          for (OpOperand *operand : places.operands)
            if (canTake(places.dest, *operand)) {
              auto alloc = places.dest.getDefiningOp<memref::AllocOp>();
              alloc.replaceAllUsesWith(operand->get());
              alloc.erase();
              break;
            }
        }
  }

private:
  static Places placesOf(Operation *op) {
    Places places;
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
      if (linalgOp.getNumDpsInits() != 1 || linalgOp.getNumParallelLoops() != linalgOp.getNumLoops())
        return places;
      OpOperand *dest = linalgOp.getDpsInitOperand(0);
      AffineMap map = linalgOp.getMatchingIndexingMap(dest);
      places.dest = dest->get();
      if (map.isPermutation())
        for (OpOperand *input : linalgOp.getDpsInputOperands())
          if (linalgOp.getMatchingIndexingMap(input) == map)
            places.operands.push_back(input);
      return places;
    }
    // What Winograd's tiles have beyond an odd edge goes to a neighbour's place before the neighbour, whose
    // residual must still be there.
    if (auto winograd = dyn_cast<PackedWinogradOp>(op)) {
      ArrayRef<int64_t> shape = cast<MemRefType>(winograd.getDest().getType()).getShape();
      if (shape[1] % 2 != 0 || shape[2] % 2 != 0)
        return places;
    }
    // The epilogue loads a residual, adds it and stores, 16 channels of a position at a time.
    auto residual = [&](auto packed) {
      places.dest = packed.getDest();
      if (packed.getResidual())
        for (OpOperand &operand : op->getOpOperands())
          if (operand.get() == packed.getResidual())
            places.operands.push_back(&operand);
    };
    llvm::TypeSwitch<Operation *>(op)
        .Case<PackedConvOp, PackedDepthwiseOp, PackedWinogradOp, PackedFloatConvOp, PackedFloatDepthwiseOp>(residual);
    return places;
  }

  /// True where `dest`, which `operand`'s owner is the first to use, may lie where `operand` lies, which it is
  /// the last to use.
  static bool canTake(Value dest, OpOperand &operand) {
    Operation *op = operand.getOwner();
    auto alloc = dest.getDefiningOp<memref::AllocOp>();
    Value source = bufferOf(operand.get());
    if (!alloc || !source.getDefiningOp<memref::AllocOp>() || source == dest ||
        operand.get().getType() != dest.getType())
      return false;
    Block *block = op->getBlock();
    auto isBefore = [&](Operation *other) {
      Operation *top = block->findAncestorOpInBlock(*other);
      return top && top->isBeforeInBlock(op);
    };
    auto isIn = [&](Operation *other) { return block->findAncestorOpInBlock(*other) == op; };
    for (OpOperand *use : usesOf(source))
      if (use != &operand && !isBefore(use->getOwner()))
        return false;
    int64_t here = 0;
    for (OpOperand *use : usesOf(dest)) {
      if (isBefore(use->getOwner()))
        return false;
      here += isIn(use->getOwner());
    }
    Operation *definition = operand.get().getDefiningOp();
    return here == 1 && llvm::none_of(dest.getUsers(), [&](Operation *user) {
             Operation *top = block->findAncestorOpInBlock(*user);
             return !top || !definition->isBeforeInBlock(top);
           });
  }
};
} // namespace
} // namespace dyadic
