// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BufferUses.h"
#include "PackedKernels.h"
#include "PanelLoops.h"
#include "dyadic/Conversion/DotProbe.h"
#include "dyadic/Conversion/Passes.h"
#include "dyadic/IR/Layers.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_LOWERPACKEDLAYERS
#include "dyadic/Conversion/Passes.h.inc"

namespace {
struct LowerPackedLayers : impl::LowerPackedLayersBase<LowerPackedLayers> {
  using LowerPackedLayersBase::LowerPackedLayersBase;

  void runOnOperation() override {
    if (dotLanes != kSumLanes && dotLanes != 2 * kSumLanes) {
      getOperation().emitError() << "dot-lanes=" << dotLanes.getValue() << ", expected 8 or 16";
      return signalPassFailure();
    }
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>())) {
      unsigned index = 0;
      SmallVector<Operation *> packed;
      function.walk([&](Operation *op) {
        if (isPacked(op))
          packed.push_back(op);
      });
      for (Operation *op : packed)
        if (failed(lower(function, op, index++)))
          return signalPassFailure();
    }
  }

private:
  static KernelWork workOf(Operation *op) {
    return TypeSwitch<Operation *, KernelWork>(op)
        .Case<PackedConvOp, PackedDepthwiseOp, PackedFloatConvOp, PackedFloatDepthwiseOp, PackedWinogradOp,
              WinogradInputOp>([](auto packed) { return dyadic::workOf(packed); });
  }

  /// What `kMethodAttr` says.
  static std::string methodOf(Operation *op) {
    return TypeSwitch<Operation *, std::string>(op)
        .Case<PackedConvOp, PackedDepthwiseOp>([](auto packed) { return stringifyDot(packed.getDot()).str(); })
        .Case<PackedFloatConvOp, PackedFloatDepthwiseOp>([](auto) { return "fma"; })
        .Case([](PackedWinogradOp winograd) { return "winograd " + stringifyDot(winograd.getDot()).str(); })
        .Default([](Operation *) { return ""; });
  }

  /// Of the panels of `op` at `positions` positions, with blocks of `channels` channels.
  template <typename Op> static llvm::StringMap<int64_t> panelProducts(Op op, int64_t positions, int64_t channels) {
    llvm::StringMap<int64_t> products;
    ArrayRef<int64_t> sizes = op.getGroupSizes();
    size_t columns = 2 + sizes.size();
    std::optional<std::vector<int64_t>> table = constantOf(op.getPanels());
    for (size_t i = 0; table && i < table->size(); ++i)
      if (i % columns >= 2) {
        int64_t size = sizes[i % columns - 2];
        products[DotSequence{op.getDot(), size}.name()] +=
            (*table)[i] * size * channels * blockInputs(op.getDot()) * positions;
      }
    return products;
  }

  /// What `kProductsAttr` says.
  static llvm::StringMap<int64_t> productsOf(Operation *op) {
    if (auto conv = dyn_cast<PackedConvOp>(op))
      return panelProducts(conv, countPositions(conv), conv.getHalves() ? kPanelChannels / 2 : kPanelChannels);
    if (auto winograd = dyn_cast<PackedWinogradOp>(op))
      return panelProducts(winograd, countPositions(winograd, /*size=*/2), kPanelChannels);
    if (auto depthwise = dyn_cast<PackedDepthwiseOp>(op)) {
      int64_t weights = cast<MemRefType>(depthwise.getWeights().getType()).getNumElements();
      llvm::StringMap<int64_t> products;
      // With maddubs nibbles of weights, in 16-bit sums of so many blocks.
      products[DotSequence{depthwise.getDot(), kNibblesInSum / 2}.name()] = countPositions(depthwise) * weights;
      return products;
    }
    return {};
  }

  static void noteProducts(Operation *kernel, Operation *op) {
    Builder builder(op->getContext());
    SmallVector<NamedAttribute> attributes;
    for (const auto &entry : productsOf(op))
      attributes.push_back(builder.getNamedAttr(entry.getKey(), builder.getI64IntegerAttr(entry.getValue())));
    if (!attributes.empty())
      kernel->setAttr(kProductsAttr, builder.getDictionaryAttr(attributes));
  }

  static int64_t scratchBytesOf(Operation *op) {
    return TypeSwitch<Operation *, int64_t>(op)
        .Case<PackedConvOp, PackedWinogradOp>([](auto packed) { return scratchBytes(packed); })
        .Default([](Operation *) { return 0; });
  }

  /// The address of `bytes` bytes behind the planned workspace, or null where none was planned.
  static Value scratchOf(func::FuncOp function, OpBuilder &builder, Location location, int64_t bytes) {
    auto workspace = function->getAttrOfType<IntegerAttr>(kWorkspaceAttr);
    if (!workspace)
      return {};
    auto most = function->getAttrOfType<IntegerAttr>(kScratchAttr);
    function->setAttr(kScratchAttr, builder.getI64IntegerAttr(std::max(bytes, most ? most.getInt() : 0)));
    auto start = static_cast<int64_t>(llvm::alignTo(workspace.getInt(), kBufferAlignment));
    Value address = memref::ExtractAlignedPointerAsIndexOp::create(builder, location, function.getArguments().back());
    address =
        arith::AddIOp::create(builder, location, address, arith::ConstantIndexOp::create(builder, location, start));
    address = arith::IndexCastOp::create(builder, location, builder.getI64Type(), address);
    return LLVM::IntToPtrOp::create(builder, location, LLVM::LLVMPointerType::get(builder.getContext()), address);
  }

  LogicalResult lower(func::FuncOp function, Operation *op, unsigned index) {
    OpBuilder builder(op);
    auto pointer = LLVM::LLVMPointerType::get(op->getContext());
    SmallVector<Value> arguments;
    for (Value operand : op->getOperands()) {
      std::optional<StridedLayout> layout = isa<MemRefType>(operand.getType()) ? layoutOf(operand) : std::nullopt;
      if (!layout || layout->strides.back() != 1)
        return op->emitError() << "operand of type " << operand.getType() << ", expected a buffer of static strides";
      arguments.push_back(addressOf(builder, op->getLoc(), operand));
    }
    auto scratch = static_cast<int64_t>(llvm::alignTo(scratchBytesOf(op), kBufferAlignment));
    if (scratch > 0) {
      arguments.push_back(scratchOf(function, builder, op->getLoc(), scratch));
      if (!arguments.back())
        return op->emitError() << "needs " << scratch
                               << " bytes behind the workspace, expected quant-plan-memory before";
    }

    OpBuilder outer(function);
    outer.setInsertionPointAfter(function);
    std::string name = (function.getName() + "_packed_" + Twine(index)).str();
    KernelSplit split(workOf(op));
    SmallVector<Type> types(arguments.size(), pointer);
    llvm::append_range(types, split.argumentTypes(builder.getI64Type()));
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(op->getContext()), types);
    auto kernel = LLVM::LLVMFuncOp::create(outer, op->getLoc(), name, type, LLVM::Linkage::Internal);
    kernel->setAttr("passthrough", builder.getStrArrayAttr({"noinline", "nounwind"}));
    for (unsigned i = 0; i < arguments.size(); ++i)
      if (i >= op->getNumOperands() ||
          isAlone(op->getOperands(), i)) // a sum may be stored in the place of its residual
        kernel.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), builder.getUnitAttr());
    noteLayers(kernel, op->getLoc());
    split.note(kernel);
    if (std::string method = methodOf(op); !method.empty())
      kernel->setAttr(kMethodAttr, builder.getStringAttr(method));
    noteProducts(kernel, op);
    if (scratch > 0)
      kernel->setAttr(kScratchAttr, builder.getI64IntegerAttr(scratch));
    Block *entry = kernel.addEntryBlock(outer);
    outer.setInsertionPointToStart(entry);
    VectorBuilder vectors(outer, op->getLoc());
    ValueRange pointers = entry->getArguments().take_front(op->getNumOperands());
    Value panel = scratch > 0 ? entry->getArgument(op->getNumOperands()) : Value();
    SmallVector<Range> ranges = split.ranges(entry->getArguments().drop_front(arguments.size()));
    TypeSwitch<Operation *>(op)
        .Case([&](PackedConvOp conv) { buildPackedConv(vectors, pointers, panel, ranges, conv, dotLanes); })
        .Case([&](PackedDepthwiseOp depthwise) { buildPackedDepthwise(vectors, pointers, ranges, depthwise); })
        .Case([&](PackedFloatConvOp conv) { buildPackedFloatConv(vectors, pointers, ranges, conv); })
        .Case(
            [&](PackedFloatDepthwiseOp depthwise) { buildPackedFloatDepthwise(vectors, pointers, ranges, depthwise); })
        .Case([&](PackedWinogradOp winograd) {
          buildPackedWinograd(vectors, pointers, panel, ranges, winograd, dotLanes);
        })
        .Case([&](WinogradInputOp input) { buildWinogradInput(vectors, pointers, ranges, input); });
    LLVM::ReturnOp::create(outer, op->getLoc(), ValueRange());
    llvm::append_range(arguments, split.allPasses([&](int64_t value) -> Value {
      return LLVM::ConstantOp::create(builder, op->getLoc(), builder.getI64Type(), builder.getI64IntegerAttr(value));
    }));
    LLVM::CallOp::create(builder, op->getLoc(), kernel, arguments);
    op->erase();
    return success();
  }
};
} // namespace
} // namespace dyadic
