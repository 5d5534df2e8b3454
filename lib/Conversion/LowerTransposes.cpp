// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM moves the numbers of a transpose one by one. Here squares of 16 bytes by 16 are turned in registers.

#include "BufferUses.h"
#include "VectorBuilder.h"
#include "dyadic/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace dyadic {
#define GEN_PASS_DEF_LOWERTRANSPOSES
#include "dyadic/Conversion/Passes.h.inc"

namespace {
/// Bytes of a register.
constexpr int64_t kRegister = 16;
/// Up to so many numbers are interleaved or taken apart rather than turned in squares.
constexpr int64_t kMostInterleaved = 4;

/// A loop: how often, and bytes from one time to the next in the input and in the destination.
struct Axis {
  int64_t size, from, to;
};

/// Numbers of `bytes` bytes, moved so that another axis becomes the contiguous one.
struct Turn {
  int64_t bytes = 0;
  Axis along{}, across{}; // contiguous in the input, in the destination
  SmallVector<Axis> others;

  /// What `op` moves; nothing where it computes, moves lines, or numbers of another size.
  static std::optional<Turn> of(linalg::GenericOp op) {
    if (op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1 || op.getNumParallelLoops() != op.getNumLoops() ||
        !llvm::hasSingleElement(*op.getBody()) ||
        op.getBody()->getTerminator()->getOperand(0) != op.getBody()->getArgument(0))
      return std::nullopt;
    Value input = op.getDpsInputs()[0], dest = op.getDpsInits()[0];
    AffineMap fromMap = op.getMatchingIndexingMap(op.getDpsInputOperand(0)),
              toMap = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
    std::optional<StridedLayout> from = layoutOf(input), to = layoutOf(dest);
    unsigned width = cast<MemRefType>(dest.getType()).getElementTypeBitWidth();
    if (!from || !to || !fromMap.isPermutation() || !toMap.isPermutation() ||
        (width != 8 && width != 16 && width != 32))
      return std::nullopt;
    Turn turn;
    turn.bytes = width / 8;
    for (unsigned d = 0; d < op.getNumLoops(); ++d) {
      AffineExpr loop = getAffineDimExpr(d, op.getContext());
      size_t i = *fromMap.getResultPosition(loop), o = *toMap.getResultPosition(loop);
      turn.add({to->sizes[o], from->strides[i] * turn.bytes, to->strides[o] * turn.bytes});
    }
    turn.along = turn.take([&](const Axis &axis) { return axis.from == turn.bytes && axis.to != turn.bytes; });
    turn.across = turn.take([&](const Axis &axis) { return axis.to == turn.bytes && axis.from != turn.bytes; });
    return turn.along.size > 1 && turn.across.size > 1 ? std::optional(turn) : std::nullopt;
  }

private:
  /// Loops that follow each other on both sides are one; those of one element are left out.
  void add(Axis axis) {
    if (axis.size == 1)
      return;
    if (!others.empty() && others.back().from == axis.size * axis.from && others.back().to == axis.size * axis.to) {
      axis.size *= others.back().size;
      others.pop_back();
    }
    others.push_back(axis);
  }

  Axis take(function_ref<bool(const Axis &)> isWanted) {
    auto found = llvm::find_if(others, isWanted);
    if (found == others.end())
      return {1, 0, 0};
    Axis axis = *found;
    others.erase(found);
    return axis;
  }
};

class TurnKernel {
public:
  TurnKernel(VectorBuilder &b, const Turn &turned) : b(b), turned(turned) {}

  /// Walks over what is neither contiguous in the input nor in the destination.
  void walk(Value input, Value dest, size_t next = 0) {
    if (next == turned.others.size())
      return turn(input, dest);
    b.loop(turned.others[next].size, [&](Value i) {
      walk(b.address(input, b.times(i, turned.others[next].from)), b.address(dest, b.times(i, turned.others[next].to)),
           next + 1);
    });
  }

private:
  /// `size` in steps: whole ones, the last one over some of the one before; or a smaller one.
  void steps(int64_t size, int64_t step, function_ref<void(Value, int64_t)> body) {
    if (size < step)
      return body(b.constant(0), size);
    b.loop(size / step, [&](Value i) { body(b.times(i, step), step); });
    if (size % step != 0)
      body(b.constant(size - step), step);
  }

  /// A matrix: lines of `along` become columns of `across`.
  void turn(Value input, Value dest) {
    bool interleaves = across.size <= kMostInterleaved && along.to == across.size * bytes;
    bool takesApart = along.size <= kMostInterleaved && across.from == along.size * bytes;
    if (interleaves && along.size >= lanes)
      return steps(along.size, lanes, [&](Value first, int64_t) {
        interleave(b.address(input, b.times(first, along.from)), b.address(dest, b.times(first, along.to)));
      });
    if (takesApart && across.size >= lanes)
      return steps(across.size, lanes, [&](Value first, int64_t) {
        takeApart(b.address(input, b.times(first, across.from)), b.address(dest, b.times(first, across.to)));
      });
    steps(along.size, lanes, [&](Value column, int64_t columns) {
      Value from = b.address(input, b.times(column, along.from)), to = b.address(dest, b.times(column, along.to));
      steps(across.size, lanes, [&](Value row, int64_t rows) {
        block(b.address(from, b.times(row, across.from)), b.address(to, b.times(row, across.to)), rows, columns);
      });
    });
  }

  VectorType vector(int64_t count) { return b.vector(count, static_cast<unsigned>(8 * bytes)); }

  /// Turns a block: after log2(lanes) times, the halves of all registers interleaved by lanes are its columns.
  void block(Value input, Value dest, int64_t rows, int64_t columns) {
    SmallVector<Value> lines;
    for (int64_t r = 0; r < lanes; ++r)
      lines.push_back(r < rows ? b.loadPart(vector(lanes), columns, b.address(input, r * across.from))
                               : b.splat(lanes, static_cast<unsigned>(8 * bytes), 0));
    SmallVector<int32_t> low, high;
    for (int32_t i = 0; i < lanes / 2; ++i) {
      int32_t half = static_cast<int32_t>(lanes / 2), all = static_cast<int32_t>(lanes);
      llvm::append_range(low, ArrayRef<int32_t>{i, all + i});
      llvm::append_range(high, ArrayRef<int32_t>{half + i, all + half + i});
    }
    for (int64_t done = 1; done < lanes; done *= 2) {
      SmallVector<Value> next;
      for (int64_t r = 0; r < lanes / 2; ++r) {
        next.push_back(b.shuffle(lines[r], lines[r + lanes / 2], low));
        next.push_back(b.shuffle(lines[r], lines[r + lanes / 2], high));
      }
      lines = next;
    }
    for (int64_t c = 0; c < columns; ++c)
      b.storePart(lines[c], rows, b.address(dest, c * along.to));
  }

  /// `pieces`, one after the other, as one vector; what fills up a power of two is of no meaning.
  Value joined(SmallVector<Value> pieces) {
    while (pieces.size() > 1) {
      SmallVector<Value> next;
      for (size_t i = 0; i < pieces.size(); i += 2) {
        int64_t count = cast<VectorType>(pieces[i].getType()).getNumElements();
        SmallVector<int32_t> all(2 * count);
        for (int64_t k = 0; k < 2 * count; ++k)
          all[k] = static_cast<int32_t>(k);
        next.push_back(b.shuffle(pieces[i], pieces[i + 1 < pieces.size() ? i + 1 : i], all));
      }
      pieces = next;
    }
    return pieces.front();
  }

  void interleave(Value input, Value dest) {
    SmallVector<Value> lines;
    for (int64_t r = 0; r < across.size; ++r)
      lines.push_back(b.load(vector(lanes), b.address(input, r * across.from)));
    Value all = joined(lines);
    SmallVector<int32_t> order;
    for (int64_t c = 0; c < lanes; ++c)
      for (int64_t r = 0; r < across.size; ++r)
        order.push_back(static_cast<int32_t>(r * lanes + c));
    b.store(b.shuffle(all, all, order), dest);
  }

  void takeApart(Value input, Value dest) {
    Value all = b.load(vector(lanes * along.size), input);
    for (int64_t c = 0; c < along.size; ++c) {
      SmallVector<int32_t> order;
      for (int64_t r = 0; r < lanes; ++r)
        order.push_back(static_cast<int32_t>(r * along.size + c));
      b.store(b.shuffle(all, all, order), b.address(dest, c * along.to));
    }
  }

  VectorBuilder &b;
  const Turn &turned;
  const Axis &along = turned.along, &across = turned.across;
  int64_t bytes = turned.bytes, lanes = kRegister / bytes;
};

struct LowerTransposes : impl::LowerTransposesBase<LowerTransposes> {
  void runOnOperation() override {
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>())) {
      if (function.isExternal() || !function.isPublic())
        continue;
      unsigned index = 0;
      for (auto op : llvm::to_vector(function.front().getOps<linalg::GenericOp>()))
        if (std::optional<Turn> turned = Turn::of(op)) {
          lower(function, op, *turned, index++);
          op.erase();
        }
    }
  }

private:
  static void lower(func::FuncOp function, linalg::GenericOp op, const Turn &turned, unsigned index) {
    OpBuilder builder(op), outer(function);
    outer.setInsertionPointAfter(function);
    std::string name = (function.getName() + "_transpose_" + Twine(index)).str();
    auto pointer = LLVM::LLVMPointerType::get(op.getContext());
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(op.getContext()), {pointer, pointer});
    auto kernel = LLVM::LLVMFuncOp::create(outer, op.getLoc(), name, type, LLVM::Linkage::Internal);
    kernel->setAttr("passthrough", builder.getStrArrayAttr({"noinline", "nounwind"}));
    noteLayers(kernel, op.getLoc());
    Block *entry = kernel.addEntryBlock(outer);
    outer.setInsertionPointToStart(entry);
    VectorBuilder vectors(outer, op.getLoc());
    TurnKernel(vectors, turned).walk(entry->getArgument(0), entry->getArgument(1));
    LLVM::ReturnOp::create(outer, op.getLoc(), ValueRange());
    SmallVector<Value> arguments;
    for (auto [i, buffer] : llvm::enumerate(op->getOperands())) {
      if (isAlone(op->getOperands(), i))
        kernel.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), builder.getUnitAttr());
      arguments.push_back(addressOf(builder, op.getLoc(), buffer));
    }
    LLVM::CallOp::create(builder, op.getLoc(), kernel, arguments);
  }
};
} // namespace
} // namespace dyadic
