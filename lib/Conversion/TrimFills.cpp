// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BufferUses.h"
#include "dyadic/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace dyadic {
#define GEN_PASS_DEF_TRIMFILLS
#include "dyadic/Conversion/Passes.h.inc"

namespace {
struct TrimFills : impl::TrimFillsBase<TrimFills> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && function.isPublic())
        for (auto fill : llvm::to_vector(function.front().getOps<linalg::FillOp>()))
          trim(fill);
  }

private:
  /// What uses the filled buffer next, if that is a copy into it.
  static OpOperand *nextCopy(linalg::FillOp fill, Value buffer) {
    Block *block = fill->getBlock();
    OpOperand *next = nullptr;
    Operation *place = nullptr;
    for (OpOperand *use : usesOf(buffer)) {
      Operation *top = block->findAncestorOpInBlock(*use->getOwner());
      if (!top || (top != fill && fill->isBeforeInBlock(top) && (!place || top->isBeforeInBlock(place)))) {
        next = use;
        place = top;
      }
    }
    auto copy = next ? dyn_cast<memref::CopyOp>(next->getOwner()) : nullptr;
    return copy && next == &copy.getTargetMutable() && bufferOf(copy.getSource()) != buffer ? next : nullptr;
  }

  static void trim(linalg::FillOp fill) {
    Value buffer = bufferOf(fill.output());
    auto type = cast<MemRefType>(buffer.getType());
    if (!buffer.getDefiningOp<memref::AllocOp>() || cast<MemRefType>(fill.output().getType()) != type)
      return;
    OpOperand *target = nextCopy(fill, buffer);
    std::optional<StridedLayout> layout = target ? layoutOf(target->get()) : std::nullopt;
    std::optional<std::vector<Interval>> bounds = layout ? boundsIn(type.getShape(), *layout) : std::nullopt;
    if (!bounds)
      return;
    int64_t elements = 1;
    for (const Interval &interval : *bounds)
      elements *= interval.last - interval.first + 1;
    if (elements != layout->numElements())
      return; // not all of the box is copied

    // What lies before and behind the box along each dimension, within the box along those before.
    OpBuilder builder(fill);
    size_t rank = bounds->size();
    SmallVector<int64_t> offsets(rank, 0), sizes(type.getShape()), strides(rank, 1);
    auto fillPart = [&](size_t d, int64_t first, int64_t size) {
      offsets[d] = first;
      sizes[d] = size;
      if (size == 0)
        return;
      Value part = memref::SubViewOp::create(builder, fill.getLoc(), buffer, offsets, sizes, strides);
      linalg::FillOp::create(builder, fill.getLoc(), fill.value(), part);
    };
    for (size_t d = 0; d < rank; ++d) {
      const Interval &inside = (*bounds)[d];
      fillPart(d, 0, inside.first);
      fillPart(d, inside.last + 1, type.getDimSize(d) - inside.last - 1);
      offsets[d] = inside.first;
      sizes[d] = inside.last - inside.first + 1;
    }
    fill.erase();
  }
};
} // namespace
} // namespace dyadic
