// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BufferUses.h"
#include "KernelWork.h"
#include "dyadic/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
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
        if (auto nest = dyn_cast<linalg::LinalgOp>(op))
          outline(function, nest, index++);
    }
  }

private:
  static bool isConstant(Value value) {
    return value.getDefiningOp() && value.getDefiningOp()->hasTrait<OpTrait::ConstantLike>();
  }

  /// The dimensions of the loops that may be split: the two outermost parallel ones.
  static SmallVector<unsigned> splitDimensions(linalg::LinalgOp op) {
    SmallVector<unsigned> dimensions;
    SmallVector<int64_t> sizes = op.getStaticLoopRanges();
    for (auto [d, kind] : llvm::enumerate(op.getIteratorTypesArray()))
      if (kind == utils::IteratorType::parallel && sizes[d] > 1 && dimensions.size() < 2)
        dimensions.push_back(d);
    return dimensions;
  }

  static KernelWork workOf(linalg::LinalgOp op) {
    int64_t passes = 1;
    SmallVector<int64_t> sizes = op.getStaticLoopRanges();
    for (int64_t size : sizes)
      passes *= size;
    KernelWork work{passes / rate::kElements, {}};
    for (unsigned d : splitDimensions(op))
      work.loops.push_back(sizes[d]);
    return work;
  }

  /// The loop nest of `op`, which makes `ranges` of the loops that may be split.
  static void expandLoops(linalg::LinalgOp op, ArrayRef<Range> ranges) {
    IRRewriter rewriter(op);
    SmallVector<unsigned> dimensions = splitDimensions(op);
    FailureOr<linalg::LinalgLoops> loops = linalg::linalgOpToLoops(rewriter, op);
    for (auto [d, range] : llvm::zip(dimensions, ranges))
      if (range.first) {
        auto loop = cast<scf::ForOp>((*loops)[d]);
        loop.setLowerBound(range.first);
        loop.setUpperBound(range.end);
      }
    rewriter.eraseOp(op);
  }

  static void outline(func::FuncOp function, linalg::LinalgOp op, unsigned index) {
    OpBuilder builder(function);
    builder.setInsertionPointAfter(function);
    llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
    getUsedValuesDefinedAbove(op->getRegions(), used);
    SmallVector<Value> arguments, constants;
    for (Value value : used)
      (isConstant(value) ? constants : arguments).push_back(value);

    std::string name = (function.getName() + "_kernel_" + Twine(index)).str();
    KernelSplit split(workOf(op));
    SmallVector<Type> added = split.argumentTypes(builder.getIndexType());
    SmallVector<Type> types(ValueRange(arguments).getTypes());
    types.append(added);
    auto type = builder.getFunctionType(types, {});
    auto kernel = func::FuncOp::create(builder, op->getLoc(), name, type);
    kernel.setPrivate();
    kernel->setAttr("llvm.linkage", LLVM::LinkageAttr::get(builder.getContext(), LLVM::Linkage::Internal));
    kernel->setAttr("passthrough", builder.getStrArrayAttr({"noinline", "nounwind"}));
    noteLayers(kernel, op->getLoc());
    split.note(kernel);
    for (auto [i, value] : llvm::enumerate(arguments))
      if (isa<MemRefType>(value.getType()) && isAlone(arguments, i))
        kernel.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), builder.getUnitAttr());

    Block *body = kernel.addEntryBlock();
    builder.setInsertionPointToStart(body);
    IRMapping mapping;
    mapping.map(arguments, body->getArguments().take_front(arguments.size()));
    for (Value constant : constants)
      mapping.map(constant, builder.clone(*constant.getDefiningOp())->getResult(0));
    auto nest = cast<linalg::LinalgOp>(builder.clone(*op, mapping));
    func::ReturnOp::create(builder, op->getLoc());
    if (!added.empty())
      expandLoops(nest, split.ranges(body->getArguments().drop_front(arguments.size())));

    builder.setInsertionPoint(op);
    llvm::append_range(arguments, split.allPasses([&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(builder, op->getLoc(), value);
    }));
    func::CallOp::create(builder, op->getLoc(), kernel, arguments);
    op->erase();
  }
};
} // namespace
} // namespace dyadic
