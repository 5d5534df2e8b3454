// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Conversion/Passes.h"
#include "dyadic/Support/WorkSplit.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace dyadic {
#define GEN_PASS_DEF_FORKKERNELS
#include "dyadic/Conversion/Passes.h.inc"

namespace {
std::vector<LoopSplit> splitOf(LLVM::LLVMFuncOp kernel) {
  std::vector<LoopSplit> loops;
  if (auto attribute = kernel->getAttrOfType<DenseI64ArrayAttr>(kSplitAttr))
    for (ArrayRef<int64_t> rest = attribute; rest.size() >= 2; rest = rest.drop_front(2))
      loops.push_back({rest[0], rest[1]});
  return loops;
}

/// Builds i64 arithmetic and the slots, 8 bytes each, through which a kernel's arguments reach its parts.
struct Slots {
  Slots(OpBuilder &builder, Location location) : builder(builder), location(location) {}

  Value constant(int64_t value) {
    return LLVM::ConstantOp::create(builder, location, builder.getI64Type(), builder.getI64IntegerAttr(value));
  }
  Value slot(Value slots, size_t i) {
    return LLVM::GEPOp::create(builder, location, slots.getType(), builder.getI64Type(), slots,
                               ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(i)});
  }

  OpBuilder &builder;
  Location location;
};

struct ForkKernels : impl::ForkKernelsBase<ForkKernels> {
  void runOnOperation() override {
    pointer = LLVM::LLVMPointerType::get(&getContext());
    i64 = IntegerType::get(&getContext(), 64);
    nothing = LLVM::LLVMVoidType::get(&getContext());
    llvm::StringMap<LLVM::LLVMFuncOp> kernels, parts;
    SmallVector<LLVM::LLVMFuncOp> entries;
    for (auto function : getOperation().getOps<LLVM::LLVMFuncOp>()) {
      if (function->hasAttr(kTimeAttr))
        kernels[function.getName()] = function;
      if (function->hasAttr(kWorkspaceAttr))
        entries.push_back(function);
    }
    for (LLVM::LLVMFuncOp entry : entries) {
      SmallVector<LLVM::CallOp> calls;
      int64_t whole = 0, alone = 0; // of one core; what is left with any number of threads
      entry.walk([&](LLVM::CallOp call) {
        LLVM::LLVMFuncOp kernel = call.getCallee() ? kernels.lookup(*call.getCallee()) : LLVM::LLVMFuncOp();
        if (!kernel)
          return;
        std::vector<LoopSplit> loops = splitOf(kernel);
        int64_t time = kernel->getAttrOfType<IntegerAttr>(kTimeAttr).getInt();
        whole += time;
        alone += time / countParts(loops);
        if (!loops.empty())
          calls.push_back(call);
      });
      Value team = addTeam(entry);
      entry->setAttr(kUsefulThreadsAttr,
                     IntegerAttr::get(i64, std::max<int64_t>(1, whole / std::max<int64_t>(1, alone))));
      if (calls.empty())
        continue;
      Shared shared = shareArguments(entry, team, calls);
      for (LLVM::CallOp call : calls) {
        LLVM::LLVMFuncOp kernel = kernels[*call.getCallee()], &part = parts[*call.getCallee()];
        if (!part)
          part = buildPart(kernel);
        fork(call, splitOf(kernel), part, team, shared);
      }
    }
    for (auto &[name, kernel] : kernels) {
      kernel->removeAttr(kTimeAttr);
      kernel->removeAttr(kSplitAttr);
      kernel->removeAttr(kScratchAttr);
    }
  }

private:
  /// The entry function's last argument: who computes parts, or null.
  Value addTeam(LLVM::LLVMFuncOp entry) {
    SmallVector<Type> types(entry.getFunctionType().getParams());
    types.push_back(pointer);
    entry.setFunctionType(LLVM::LLVMFunctionType::get(entry.getFunctionType().getReturnType(), types));
    if (ArrayAttr attributes = entry.getArgAttrsAttr()) {
      SmallVector<Attribute> all(attributes.begin(), attributes.end());
      all.push_back(DictionaryAttr::get(&getContext()));
      entry.setArgAttrsAttr(ArrayAttr::get(&getContext(), all));
    }
    return entry.getBody().front().addArgument(pointer, entry.getLoc());
  }

  /// What all forks of an entry function use: memory for a kernel's arguments, and whether there is a team.
  struct Shared {
    Value slots, isAlone;
  };

  Shared shareArguments(LLVM::LLVMFuncOp entry, Value team, ArrayRef<LLVM::CallOp> calls) {
    int64_t most = 0;
    for (LLVM::CallOp call : calls)
      most = std::max<int64_t>(most, call.getArgOperands().size());
    OpBuilder builder = OpBuilder::atBlockBegin(&entry.getBody().front());
    Slots make(builder, entry.getLoc());
    Value slots = LLVM::AllocaOp::create(builder, entry.getLoc(), pointer, i64, make.constant(most));
    Value none = LLVM::ZeroOp::create(builder, entry.getLoc(), pointer);
    return {slots, LLVM::ICmpOp::create(builder, entry.getLoc(), LLVM::ICmpPredicate::eq, team, none)};
  }

  /// The call as it is without a team; with one, the same in parts.
  void fork(LLVM::CallOp call, const std::vector<LoopSplit> &loops, LLVM::LLVMFuncOp part, Value team, Shared shared) {
    Location location = call.getLoc();
    Block *before = call->getBlock(), *after = before->splitBlock(call->getNextNode());
    OpBuilder builder(&getContext());
    Block *direct = builder.createBlock(after), *parted = builder.createBlock(after);
    builder.setInsertionPointToEnd(before);
    LLVM::CondBrOp::create(builder, location, shared.isAlone, direct, parted);

    builder.setInsertionPointToEnd(parted);
    Slots make(builder, location);
    for (auto [i, argument] : llvm::enumerate(call.getArgOperands().drop_back(2 * loops.size())))
      LLVM::StoreOp::create(builder, location, argument, make.slot(shared.slots, i));
    Value function = LLVM::AddressOfOp::create(builder, location, part);
    LLVM::CallOp::create(builder, location, forkFunction(),
                         ValueRange{team, make.constant(countParts(loops)), function, shared.slots});
    LLVM::BrOp::create(builder, location, after);

    call->moveBefore(direct, direct->end());
    builder.setInsertionPointToEnd(direct);
    LLVM::BrOp::create(builder, location, after);
  }

  LLVM::LLVMFuncOp forkFunction() {
    if (auto known = getOperation().lookupSymbol<LLVM::LLVMFuncOp>(kForkFunction))
      return known;
    OpBuilder builder = OpBuilder::atBlockBegin(getOperation().getBody());
    return LLVM::LLVMFuncOp::create(builder, getOperation().getLoc(), kForkFunction,
                                    LLVM::LLVMFunctionType::get(nothing, {pointer, i64, pointer, pointer}));
  }

  /// `part(arguments, i, worker)`: calls `kernel` for part `i`. Of the parts of several loops those of the inner ones
  /// are powers of two: bits of `i`.
  LLVM::LLVMFuncOp buildPart(LLVM::LLVMFuncOp kernel) {
    OpBuilder builder(kernel);
    builder.setInsertionPointAfter(kernel);
    Location location = kernel.getLoc();
    auto part =
        LLVM::LLVMFuncOp::create(builder, location, (kernel.getName() + "_part").str(),
                                 LLVM::LLVMFunctionType::get(nothing, {pointer, i64, i64}), LLVM::Linkage::Internal);
    part->setAttr("passthrough", builder.getStrArrayAttr({"nounwind"}));
    Block *body = part.addEntryBlock(builder);
    builder.setInsertionPointToStart(body);
    Slots make(builder, location);
    std::vector<LoopSplit> loops = splitOf(kernel);
    SmallVector<Value> arguments;
    for (auto [i, type] : llvm::enumerate(kernel.getFunctionType().getParams().drop_back(2 * loops.size())))
      arguments.push_back(LLVM::LoadOp::create(builder, location, type, make.slot(body->getArgument(0), i)));
    if (auto scratch = kernel->getAttrOfType<IntegerAttr>(kScratchAttr)) { // the worker's own
      Value bytes = LLVM::MulOp::create(builder, location, body->getArgument(2), make.constant(scratch.getInt()));
      arguments.back() = LLVM::GEPOp::create(builder, location, pointer, builder.getI8Type(), arguments.back(),
                                             ArrayRef<LLVM::GEPArg>{bytes});
    }
    SmallVector<Value> passes;
    Value index = body->getArgument(1);
    for (const LoopSplit &loop : llvm::reverse(loops)) {
      Value i = index;
      if (&loop != &loops.front()) {
        i = LLVM::AndOp::create(builder, location, index, make.constant(loop.parts - 1));
        index = LLVM::LShrOp::create(builder, location, index, make.constant(llvm::Log2_64(loop.parts)));
      }
      Value next = LLVM::AddOp::create(builder, location, i, make.constant(1));
      for (Value bound : {next, i}) { // the passes are in the reverse order
        if (loop.parts != loop.count) {
          Value product = LLVM::MulOp::create(builder, location, bound, make.constant(loop.count));
          bound = LLVM::LShrOp::create(builder, location, product, make.constant(llvm::Log2_64(loop.parts)));
        }
        passes.push_back(bound);
      }
    }
    arguments.append(passes.rbegin(), passes.rend());
    LLVM::CallOp::create(builder, location, kernel, arguments);
    LLVM::ReturnOp::create(builder, location, ValueRange());
    return part;
  }

  Type pointer, i64, nothing;
};
} // namespace
} // namespace dyadic
