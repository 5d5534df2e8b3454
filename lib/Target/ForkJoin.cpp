// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Target/ForkJoin.h"
#include "dyadic/Conversion/Passes.h"
#include "dyadic/Runtime/dyadic.h"

using namespace llvm;

namespace dyadic {

/// Structures have slots of 8 bytes, whatever a pointer has.
static Value *slot(IRBuilder<> &b, Value *structure, unsigned i) {
  return b.CreateConstGEP1_64(b.getInt64Ty(), structure, i);
}

static Value *load(IRBuilder<> &b, Type *type, Value *structure, unsigned i) {
  return b.CreateLoad(type, slot(b, structure, i));
}

static Value *buildStructure(IRBuilder<> &b, ArrayRef<Value *> fields) {
  AllocaInst *structure = b.CreateAlloca(ArrayType::get(b.getInt64Ty(), fields.size()));
  for (auto [i, field] : enumerate(fields))
    b.CreateStore(field, slot(b, structure, i));
  return structure;
}

Value *buildTeam(IRBuilder<> &b, Value *parallelFor, Value *context, Value *threads) {
  return buildStructure(b, {parallelFor, context, threads});
}

namespace {
/// What workers share: which function to call, with what, for how many parts. The counter of the parts that are taken
/// has a cache line of its own.
enum Shared : unsigned { kPart, kArguments, kParts, kWorkers, kNext = DYADIC_ALIGNMENT / 8, kSharedSlots = 2 * kNext };
} // namespace

/// True where the architecture's baseline counts without a helper that another library would have to bring.
static bool hasAtomics(const Module &module) {
  Triple triple(module.getTargetTriple());
  return triple.isX86() || triple.isAArch64();
}

/// worker(shared, number): takes parts until none is left; without a counter that all share, every part whose number is
/// its own and some times the number of workers.
static Function *buildWorker(Module &module) {
  LLVMContext &context = module.getContext();
  IRBuilder<> b(context);
  Type *ptr = b.getPtrTy(), *i64 = b.getInt64Ty(), *nothing = b.getVoidTy();
  // Parts may be samples of a batch: as many as an address can tell apart.
  Type *index = module.getDataLayout().getIntPtrType(context);
  auto *worker = Function::Create(FunctionType::get(nothing, {ptr, i64}, false), GlobalValue::InternalLinkage,
                                  "dyadic_worker", module);
  worker->setDoesNotThrow();
  auto *entry = BasicBlock::Create(context, "entry", worker), *take = BasicBlock::Create(context, "take", worker),
       *compute = BasicBlock::Create(context, "compute", worker), *exit = BasicBlock::Create(context, "exit", worker);
  Value *shared = worker->getArg(0), *number = worker->getArg(1);
  b.SetInsertPoint(entry);
  Value *part = load(b, ptr, shared, kPart), *arguments = load(b, ptr, shared, kArguments);
  Value *parts = load(b, i64, shared, kParts), *next = slot(b, shared, kNext), *i;
  if (hasAtomics(module)) {
    b.CreateBr(take);
    b.SetInsertPoint(take);
    // What parts read was written before parallel_for; what they write is read after it.
    Value *taken = b.CreateAtomicRMW(AtomicRMWInst::Add, next, ConstantInt::get(index, 1), MaybeAlign(),
                                     AtomicOrdering::Monotonic);
    i = b.CreateZExt(taken, i64);
  } else {
    Value *workers = load(b, i64, shared, kWorkers), *own = b.CreateAlloca(i64);
    b.CreateStore(number, own);
    b.CreateBr(take);
    b.SetInsertPoint(take);
    i = b.CreateLoad(i64, own);
    b.CreateStore(b.CreateAdd(i, workers), own);
  }
  b.CreateCondBr(b.CreateICmpULT(i, parts), compute, exit);
  b.SetInsertPoint(compute);
  b.CreateCall(FunctionType::get(nothing, {ptr, i64, i64}, false), part, {arguments, i, number});
  b.CreateBr(take);
  b.SetInsertPoint(exit);
  b.CreateRetVoid();
  return worker;
}

Function *buildFork(Module &module) {
  LLVMContext &context = module.getContext();
  IRBuilder<> b(context);
  Type *ptr = b.getPtrTy(), *i64 = b.getInt64Ty(), *nothing = b.getVoidTy();
  auto *fork = cast<Function>(
      module.getOrInsertFunction(kForkFunction, FunctionType::get(nothing, {ptr, i64, ptr, ptr}, false)).getCallee());
  fork->setDoesNotThrow();
  fork->addFnAttr(Attribute::NoInline);
  Value *team = fork->getArg(0), *parts = fork->getArg(1), *part = fork->getArg(2), *arguments = fork->getArg(3);
  b.SetInsertPoint(BasicBlock::Create(context, "entry", fork));
  AllocaInst *shared = b.CreateAlloca(ArrayType::get(i64, kSharedSlots));
  shared->setAlignment(Align(DYADIC_ALIGNMENT));
  b.CreateStore(ConstantInt::get(module.getDataLayout().getIntPtrType(context), 0), slot(b, shared, kNext));
  Value *threads = load(b, i64, team, 2);
  Value *workers = b.CreateSelect(b.CreateICmpSLT(threads, parts), threads, parts);
  for (auto [i, field] :
       {std::pair<unsigned, Value *>(kPart, part), {kArguments, arguments}, {kParts, parts}, {kWorkers, workers}})
    b.CreateStore(field, slot(b, shared, i));
  b.CreateCall(FunctionType::get(nothing, {ptr, i64, ptr, ptr}, false), load(b, ptr, team, 0),
               {load(b, ptr, team, 1), workers, buildWorker(module), shared});
  b.CreateRetVoid();
  return fork;
}

} // namespace dyadic
