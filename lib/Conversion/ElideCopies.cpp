// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BufferUses.h"
#include "dyadic/Conversion/Passes.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/QnnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_ELIDECOPIES
#include "dyadic/Conversion/Passes.h.inc"

namespace {
MemRefType typeOf(Value value) { return cast<MemRefType>(value.getType()); }

bool isWritten(OpOperand &use) {
  if (auto copy = dyn_cast<memref::CopyOp>(use.getOwner()))
    return &use == &copy.getTargetMutable();
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(use.getOwner()))
    return destination.isDpsInit(&use);
  return !isa<memref::LoadOp>(use.getOwner());
}

//===----------------------------------------------------------------------===//
// Readers
//===----------------------------------------------------------------------===//

/// Distances between elements of an input [N, H, W, C], counted where it is contiguous, and where it lies now.
class Distances {
public:
  Distances(ArrayRef<int64_t> shape, const StridedLayout &layout)
      : layout(layout), channels(shape[3]), line(shape[2] * shape[3]) {}

  /// `distance` elements further, without leaving the image's lines on the way.
  int64_t map(int64_t distance) const {
    return distance / line * layout.strides[1] + distance % line / channels * layout.strides[2] + distance % channels;
  }

private:
  const StridedLayout &layout;
  int64_t channels, line;
};

/// True where distances in the operation's attributes count whole positions of its input.
template <typename Op> bool countsPositions(Op op) {
  MemRefType type = typeOf(op.getInput());
  int64_t channels = type.getDimSize(3);
  return op.getPixel() % channels == 0 && op.getLine() % (type.getDimSize(2) * channels) == 0;
}

/// True where the operation can read its input from `layout`, in a buffer of `elements` elements.
bool canRead(PackedConvOp op, const StridedLayout &layout, int64_t elements) {
  MemRefType type = typeOf(op.getInput());
  std::optional<std::vector<int64_t>> offsets = constantOf(op.getOffsets());
  if (!offsets || offsets->empty() || !countsPositions(op))
    return false;
  // The table of offsets is a constant, which stays: it may only count within a position. A block of several
  // positions, whose channels are few, has weights of the next one's too.
  int64_t bytes = type.getElementTypeBitWidth() / 8, channels = type.getDimSize(3);
  if (channels * bytes < 4)
    return false;
  int64_t farthest = *llvm::max_element(*offsets);
  // A block may reach beyond the last channel, into whatever lies there, but not beyond the buffer.
  return farthest < channels * bytes && (layout.last() - channels + 1) * bytes + farthest + 4 <= elements * bytes;
}

template <typename Op> void read(Op op, const Distances &distances) {
  op.setLine(distances.map(static_cast<int64_t>(op.getLine())));
  op.setPixel(distances.map(static_cast<int64_t>(op.getPixel())));
}

/// True where `use` can be a part of a buffer of `elements` elements that lies at `layout`.
bool accepts(OpOperand &use, const StridedLayout &layout, int64_t elements) {
  Operation *op = use.getOwner();
  if (isa<linalg::LinalgOp, memref::CopyOp, memref::LoadOp>(op))
    return true;
  if (!isa<PackedConvOp, PackedDepthwiseOp, PackedWinogradOp>(op) || layout.sizes.size() != 4 || layout.strides[3] != 1)
    return false;
  if (use.getOperandNumber() != 0) // a residual or the destination; other operands are constants
    return true;
  if (auto conv = dyn_cast<PackedConvOp>(op))
    return canRead(conv, layout, elements);
  auto depthwise = dyn_cast<PackedDepthwiseOp>(op);
  return depthwise && countsPositions(depthwise);
}

/// Makes `use` the part `part` of a larger buffer.
void move(OpOperand &use, Value part, const StridedLayout &layout) {
  Operation *op = use.getOwner();
  if (use.getOperandNumber() == 0 && isa<PackedConvOp, PackedDepthwiseOp>(op)) {
    Distances distances(typeOf(use.get()).getShape(), layout);
    if (auto conv = dyn_cast<PackedConvOp>(op))
      read(conv, distances);
    if (auto depthwise = dyn_cast<PackedDepthwiseOp>(op)) {
      read(depthwise, distances);
      SmallVector<int64_t> offsets;
      for (int64_t offset : depthwise.getOffsets())
        offsets.push_back(offset < 0 ? offset : distances.map(offset));
      depthwise.setOffsets(offsets);
    }
  }
  use.set(part);
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// Operations of a block that are the first and the last to use a buffer.
struct Life {
  Life(ArrayRef<OpOperand *> uses, Block &block) {
    for (OpOperand *use : uses) {
      Operation *top = block.findAncestorOpInBlock(*use->getOwner());
      if (!first || top->isBeforeInBlock(first))
        first = top;
      if (!last || last->isBeforeInBlock(top))
        last = top;
    }
  }
  Operation *first = nullptr, *last = nullptr;
};

bool meet(ArrayRef<Interval> a, ArrayRef<Interval> b) {
  return llvm::all_of(llvm::zip(a, b), [](auto pair) {
    auto [x, y] = pair;
    return x.first <= y.last && y.first <= x.last;
  });
}

struct ElideCopies : impl::ElideCopiesBase<ElideCopies> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal() || !function.isPublic())
        continue;
      for (auto copy : llvm::to_vector(function.front().getOps<memref::CopyOp>()))
        if (copy.getSource() == copy.getTarget() || elide(copy))
          copy.erase();
      for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.front())))
        if (isa<ViewLikeOpInterface, memref::AllocOp>(op) && op.use_empty())
          op.erase();
    }
  }

private:
  static bool elide(memref::CopyOp copy) {
    Block &block = *copy->getBlock();
    Value source = bufferOf(copy.getSource()), target = bufferOf(copy.getTarget());
    auto alloc = source.getDefiningOp<memref::AllocOp>();
    std::optional<StridedLayout> stored = layoutOf(copy.getTarget());
    if (!alloc || source == target || !stored || !typeOf(copy.getSource()).getLayout().isIdentity() ||
        typeOf(copy.getSource()).getNumElements() != typeOf(source).getNumElements() ||
        !(isa<BlockArgument>(target) || target.getDefiningOp<memref::AllocOp>()))
      return false;

    SmallVector<std::pair<OpOperand *, StridedLayout>> moved;
    SmallVector<OpOperand *> uses = usesOf(source);
    for (OpOperand *use : uses) {
      if (use->getOwner() == copy)
        continue;
      std::optional<StridedLayout> part = layoutOf(use->get());
      part = part ? placeIn(*stored, *part) : std::nullopt;
      Operation *top = block.findAncestorOpInBlock(*use->getOwner());
      if (!part || !accepts(*use, *part, typeOf(target).getNumElements()) ||
          (isWritten(*use) && !top->isBeforeInBlock(copy)))
        return false;
      moved.emplace_back(use, *part);
    }
    if (!isFree(target, *stored, copy, Life(uses, block)))
      return false;

    if (Operation *buffer = target.getDefiningOp(); buffer && buffer != &block.front())
      buffer->moveBefore(&block.front());
    for (auto &[use, layout] : moved) {
      OpBuilder builder(block.findAncestorOpInBlock(*use->getOwner()));
      move(*use, partOf(builder, use->getOwner()->getLoc(), target, layout), layout);
    }
    return true;
  }

  /// True where nothing else happens to the elements `stored` of `target` from the first use of the copy's source to
  /// the copy, and nothing changes them until the last.
  static bool isFree(Value target, const StridedLayout &stored, memref::CopyOp copy, const Life &life) {
    Block &block = *copy->getBlock();
    std::vector<int64_t> shape = typeOf(target).getShape();
    std::optional<std::vector<Interval>> bounds = boundsIn(shape, stored);
    if (!bounds)
      return false;
    for (OpOperand *use : usesOf(target)) {
      Operation *top = block.findAncestorOpInBlock(*use->getOwner());
      if (top == copy || top->isBeforeInBlock(life.first))
        continue;
      if (copy->isBeforeInBlock(top) && (!isWritten(*use) || life.last->isBeforeInBlock(top)))
        continue;
      std::optional<StridedLayout> layout = layoutOf(use->get());
      std::optional<std::vector<Interval>> others = layout ? boundsIn(shape, *layout) : std::nullopt;
      if (!others || meet(*bounds, *others))
        return false;
    }
    return true;
  }

  static Value partOf(OpBuilder &builder, Location location, Value buffer, const StridedLayout &layout) {
    MemRefType type = typeOf(buffer);
    auto part = MemRefType::get(layout.sizes, type.getElementType());
    StridedLayout contiguous = rowMajor(layout.sizes);
    if (layout.offset != 0 || layout.strides != contiguous.strides)
      part = MemRefType::get(layout.sizes, type.getElementType(),
                             StridedLayoutAttr::get(builder.getContext(), layout.offset, layout.strides));
    if (part == type)
      return buffer;
    return memref::ReinterpretCastOp::create(builder, location, part, buffer, layout.offset, layout.sizes,
                                             layout.strides);
  }
};
} // namespace
} // namespace dyadic
