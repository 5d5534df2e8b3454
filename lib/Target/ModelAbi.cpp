// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Target/ModelAbi.h"
#include "dyadic/Runtime/dyadic.h"
#include "dyadic/Target/ForkJoin.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/IRBuilder.h"

using namespace llvm;

namespace dyadic {

namespace {

class AbiBuilder {
public:
  AbiBuilder(Module &module, Function *sample, Function *fork, const Signature &signature, const AbiOptions &options)
      : module(module), context(module.getContext()), sample(sample), fork(fork), signature(signature),
        options(options), i32(Type::getInt32Ty(context)), i64(Type::getInt64Ty(context)),
        ptr(PointerType::get(context, 0)) {}

  Constant *build() {
    for (Function *function : {sample, fork})
      function->setLinkage(GlobalValue::InternalLinkage);
    sample->setName(options.prefix + "_sample");
    Function *sampleAt = buildSampleAt(), *apart = buildApart();
    return buildDescriptor(buildWorkspaceSize(apart), buildRun(sampleAt, buildSamplePart(sampleAt), apart));
  }

private:
  Function *internalFunction(StringRef suffix, Type *result, ArrayRef<Type *> arguments) {
    auto *function = Function::Create(FunctionType::get(result, arguments, false), GlobalValue::InternalLinkage,
                                      options.prefix + "_" + suffix, module);
    function->setDoesNotThrow();
    for (StringRef attribute : {"target-cpu", "target-features"})
      function->addFnAttr(sample->getFnAttribute(attribute));
    return function;
  }

  /// From the workspace of one sample to that of the next.
  uint64_t workspaceStride() const {
    return std::max<uint64_t>(alignTo(options.workspaceBytes, DYADIC_ALIGNMENT) + options.scratchBytes,
                              DYADIC_ALIGNMENT);
  }

  //===--------------------------------------------------------------------===//
  // The descriptor
  //===--------------------------------------------------------------------===//

  Constant *global(Constant *value, StringRef name) { return privateConstant(module, value, name); }
  Constant *text(StringRef value) { return global(ConstantDataArray::getString(context, value), "text"); }
  Constant *int32(int64_t value) { return ConstantInt::get(i32, static_cast<uint64_t>(value), true); }
  Constant *int64(int64_t value) { return ConstantInt::get(i64, static_cast<uint64_t>(value), true); }

  // The structures have no padding that a C compiler would not have: members are
  // ordered so that natural alignment leaves none.
  Constant *describe(const BoundaryTensor &tensor) {
    SmallVector<uint64_t> shape;
    // A batched value whose first dimension is not the batch has it in front.
    if (signature.hasBatch && !tensor.hasBatch)
      shape.push_back(static_cast<uint64_t>(-1));
    for (auto [d, size] : enumerate(tensor.shape))
      shape.push_back(d == 0 && tensor.hasBatch ? static_cast<uint64_t>(-1) : static_cast<uint64_t>(size));
    Constant *null = ConstantPointerNull::get(ptr);
    Constant *shapePointer = shape.empty() ? null : global(ConstantDataArray::get(context, shape), "shape");
    Constant *scales = tensor.scales.empty()
                           ? null
                           : global(ConstantDataArray::get(context, ArrayRef<float>(tensor.scales)), "scales");
    int axis = tensor.axis < 0 ? -1 : tensor.axis + static_cast<int>(shape.size() - tensor.shape.size());
    return ConstantStruct::getAnon({text(tensor.name), int32(static_cast<int32_t>(tensor.type)), int32(shape.size()),
                                    shapePointer, int32(axis), int32(tensor.scales.size()), scales,
                                    int64(tensor.zeroPoint), int64(tensor.range.min), int64(tensor.range.max)});
  }

  Constant *describe(const std::vector<BoundaryTensor> &tensors) {
    SmallVector<Constant *> entries;
    for (const BoundaryTensor &tensor : tensors)
      entries.push_back(describe(tensor));
    if (entries.empty())
      return ConstantPointerNull::get(ptr);
    return global(ConstantArray::get(ArrayType::get(entries[0]->getType(), entries.size()), entries), "tensors");
  }

  Constant *buildDescriptor(Function *workspaceSize, Function *run) {
    int64_t outputs = signature.outputs.size() - signature.numValues;
    // Sizes are the target's, whose pointers may be shorter than ours.
    auto *tensorType = StructType::get(ptr, i32, i32, ptr, i32, i32, ptr, i64, i64, i64);
    auto *modelType = StructType::get(i32, i32, i32, i32, i32, i32, ptr, ptr, ptr, ptr, ptr, ptr);
    auto size = [&](Type *type) { return int32(static_cast<int64_t>(module.getDataLayout().getTypeAllocSize(type))); };
    return global(ConstantStruct::getAnon({size(modelType), int32(DYADIC_ABI_VERSION), size(tensorType),
                                           int32(signature.inputs.size()), int32(outputs), int32(signature.numValues),
                                           describe(signature.inputs), describe(signature.outputs),
                                           text(options.fingerprint), text(options.target), workspaceSize, run}),
                  "model");
  }

  //===--------------------------------------------------------------------===//
  // run
  //===--------------------------------------------------------------------===//

  /// A batch that the program does not take.
  Value *isBadBatch(IRBuilder<> &b, Value *batch) {
    return signature.hasBatch ? b.CreateICmpSLT(batch, int64(1)) : b.CreateICmpNE(batch, int64(1));
  }

  Value *smaller(IRBuilder<> &b, Value *x, Value *y) { return b.CreateSelect(b.CreateICmpSLT(x, y), x, y); }

  /// apart(batch, threads): how many samples are computed each by one thread; the others are
  /// computed one after the other, each by all threads. A batch that keeps all threads busy (or as many as one sample
  /// does) is computed apart, but for a remainder that would not.
  Function *buildApart() {
    Function *function = internalFunction("apart", i64, {i64, i64});
    Value *batch = function->getArg(0), *threads = function->getArg(1);
    auto block = [&](StringRef name) { return BasicBlock::Create(context, name, function); };
    auto *entry = block("entry"), *doubling = block("doubling"), *twice = block("twice"), *halving = block("halving"),
         *reduce = block("reduce"), *done = block("done");
    IRBuilder<> b(entry);
    Value *enough = smaller(b, threads, int64(options.usefulThreads));
    b.CreateBr(doubling);

    // The remainder without a division: the largest threads * 2^k up to the batch, then down again.
    b.SetInsertPoint(doubling);
    PHINode *step = b.CreatePHI(i64, 2);
    step->addIncoming(threads, entry);
    b.CreateCondBr(b.CreateICmpSGT(step, b.CreateLShr(batch, 1)), halving, twice);
    b.SetInsertPoint(twice);
    step->addIncoming(b.CreateShl(step, 1), twice);
    b.CreateBr(doubling);
    b.SetInsertPoint(halving);
    PHINode *rest = b.CreatePHI(i64, 2), *size = b.CreatePHI(i64, 2);
    rest->addIncoming(batch, doubling);
    size->addIncoming(step, doubling);
    b.CreateCondBr(b.CreateICmpSLT(size, threads), done, reduce);
    b.SetInsertPoint(reduce);
    rest->addIncoming(b.CreateSelect(b.CreateICmpSGE(rest, size), b.CreateSub(rest, size), rest), reduce);
    size->addIncoming(b.CreateLShr(size, 1), reduce);
    b.CreateBr(halving);

    b.SetInsertPoint(done);
    b.CreateRet(b.CreateSelect(b.CreateICmpSGE(rest, enough), batch, b.CreateSub(batch, rest)));
    return function;
  }

  Function *buildWorkspaceSize(Function *apart) {
    Function *function = internalFunction("workspace_size", i64, {i64, i32});
    auto *entry = BasicBlock::Create(context, "entry", function), *good = BasicBlock::Create(context, "good", function),
         *bad = BasicBlock::Create(context, "bad", function);
    IRBuilder<> b(entry);
    Value *batch = function->getArg(0), *threads = function->getArg(1);
    b.CreateCondBr(b.CreateOr(isBadBatch(b, batch), b.CreateICmpSLT(threads, int32(1))), bad, good);
    IRBuilder<>(bad).CreateRet(int64(0));
    b.SetInsertPoint(good);
    Value *wide = b.CreateSExt(threads, i64), *workers = smaller(b, b.CreateCall(apart, {batch, wide}), wide);
    Value *slots = b.CreateSelect(b.CreateICmpEQ(workers, int64(0)), int64(1), workers);
    Value *bytes = b.CreateMul(slots, int64(workspaceStride()));
    if (options.scratchBytes > 0) { // one sample by all threads
      Value *helpers = b.CreateMul(b.CreateSub(wide, int64(1)), int64(options.scratchBytes));
      Value *together = b.CreateAdd(helpers, int64(workspaceStride()));
      bytes = b.CreateSelect(b.CreateICmpSGT(together, bytes), together, bytes);
    }
    b.CreateRet(bytes);
    return function;
  }

  Value *field(IRBuilder<> &b, Value *structure, unsigned i, Type *type) {
    return b.CreateLoad(type, b.CreateConstGEP1_64(i64, structure, i));
  }

  /// sample_at(inputs, outputs, i, workspace, team): computes sample i of the batch.
  Function *buildSampleAt() {
    Function *function = internalFunction("sample_at", Type::getVoidTy(context), {ptr, ptr, i64, ptr, ptr});
    IRBuilder<> b(BasicBlock::Create(context, "entry", function));
    SmallVector<Value *> arguments;
    auto add = [&](Value *array, const std::vector<BoundaryTensor> &tensors) {
      for (auto [i, tensor] : enumerate(tensors)) {
        Value *base = b.CreateLoad(ptr, b.CreateConstGEP1_64(ptr, array, i));
        arguments.push_back(b.CreateGEP(b.getInt8Ty(), base, b.CreateMul(function->getArg(2), int64(tensor.bytes()))));
      }
    };
    add(function->getArg(0), signature.inputs);
    add(function->getArg(1), signature.outputs);
    arguments.append({function->getArg(3), function->getArg(4)});
    b.CreateCall(sample, arguments);
    b.CreateRetVoid();
    return function;
  }

  /// sample_part({inputs, outputs, workspace}, i, worker): computes sample i alone, in the worker's slot of the
  /// workspace.
  Function *buildSamplePart(Function *sampleAt) {
    Function *function = internalFunction("sample_part", Type::getVoidTy(context), {ptr, i64, i64});
    IRBuilder<> b(BasicBlock::Create(context, "entry", function));
    Value *state = function->getArg(0);
    Value *slot =
        b.CreateGEP(b.getInt8Ty(), field(b, state, 2, ptr), b.CreateMul(function->getArg(2), int64(workspaceStride())));
    b.CreateCall(sampleAt, {field(b, state, 0, ptr), field(b, state, 1, ptr), function->getArg(1), slot,
                            ConstantPointerNull::get(ptr)});
    b.CreateRetVoid();
    return function;
  }

  Function *buildRun(Function *sampleAt, Function *samplePart, Function *apart) {
    Function *function = internalFunction("run", i32, {ptr, ptr, i64, ptr, i32, ptr, ptr});
    Value *inputs = function->getArg(0), *outputs = function->getArg(1), *batch = function->getArg(2),
          *workspace = function->getArg(3), *threads = function->getArg(4), *parallelFor = function->getArg(5),
          *callbackContext = function->getArg(6);
    IRBuilder<> b(BasicBlock::Create(context, "entry", function));
    auto refuseIf = [&](Value *condition, dyadic_status status) {
      auto *refuse = BasicBlock::Create(context, "refuse", function),
           *next = BasicBlock::Create(context, "next", function);
      b.CreateCondBr(condition, refuse, next);
      IRBuilder<>(refuse).CreateRet(int32(status));
      b.SetInsertPoint(next);
    };
    Value *null = b.CreateOr(b.CreateIsNull(workspace), b.CreateOr(b.CreateIsNull(inputs), b.CreateIsNull(outputs)));
    refuseIf(null, DYADIC_NULL_ARGUMENT);
    Value *anyNull = b.getFalse();
    for (auto [array, count] :
         {std::pair(inputs, signature.inputs.size()), std::pair(outputs, signature.outputs.size())})
      for (size_t i = 0; i < count; ++i)
        anyNull = b.CreateOr(anyNull, b.CreateIsNull(b.CreateLoad(ptr, b.CreateConstGEP1_64(ptr, array, i))));
    refuseIf(anyNull, DYADIC_NULL_ARGUMENT);
    refuseIf(isBadBatch(b, batch), DYADIC_BAD_BATCH);
    Value *alone = b.CreateICmpEQ(threads, int32(1));
    refuseIf(
        b.CreateOr(b.CreateICmpSLT(threads, int32(1)), b.CreateAnd(b.CreateNot(alone), b.CreateIsNull(parallelFor))),
        DYADIC_BAD_THREADS);

    auto block = [&](StringRef name) { return BasicBlock::Create(context, name, function); };
    auto *checked = b.GetInsertBlock(), *several = block("several"), *shared = block("shared"), *rest = block("rest"),
         *loop = block("loop"), *done = block("done");
    Value *none = ConstantPointerNull::get(ptr);
    b.CreateCondBr(alone, rest, several);

    b.SetInsertPoint(several);
    Value *wide = b.CreateSExt(threads, i64), *team = buildTeam(b, parallelFor, callbackContext, wide);
    Value *samplesApart = b.CreateCall(apart, {batch, wide});
    b.CreateCondBr(b.CreateICmpEQ(samplesApart, int64(0)), rest, shared);

    b.SetInsertPoint(shared);
    Value *state = b.CreateAlloca(ArrayType::get(i64, 3));
    for (auto [i, value] : enumerate(SmallVector<Value *>{inputs, outputs, workspace}))
      b.CreateStore(value, b.CreateConstGEP1_64(i64, state, i));
    b.CreateCall(fork, {team, samplesApart, samplePart, state});
    b.CreateBr(rest);

    b.SetInsertPoint(rest);
    PHINode *index = b.CreatePHI(i64, 4), *helpers = b.CreatePHI(ptr, 4);
    auto enter = [&](BasicBlock *from, Value *first, Value *who) {
      index->addIncoming(first, from);
      helpers->addIncoming(who, from);
    };
    enter(checked, int64(0), none);
    enter(several, int64(0), team);
    enter(shared, samplesApart, team);
    b.CreateCondBr(b.CreateICmpSLT(index, batch), loop, done);

    b.SetInsertPoint(loop);
    b.CreateCall(sampleAt, {inputs, outputs, index, workspace, helpers});
    enter(loop, b.CreateAdd(index, int64(1)), helpers);
    b.CreateBr(rest);

    b.SetInsertPoint(done);
    b.CreateRet(int32(DYADIC_OK));
    return function;
  }

  Module &module;
  LLVMContext &context;
  Function *sample, *fork;
  const Signature &signature;
  const AbiOptions &options;
  Type *i32, *i64;
  PointerType *ptr;
};

} // namespace

Constant *privateConstant(Module &module, Constant *value, StringRef name) {
  auto *variable =
      new GlobalVariable(module, value->getType(), /*isConstant=*/true, GlobalValue::PrivateLinkage, value, name);
  variable->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
  return variable;
}

Constant *addModel(Module &module, Function *sample, Function *fork, const Signature &signature,
                   const AbiOptions &options) {
  return AbiBuilder(module, sample, fork, signature, options).build();
}

static const char kHeader[] = {
#include "dyadic/Target/AbiHeader.inc"
};

std::string modelHeader(StringRef prefix) {
  std::string guard = prefix.upper() + "_DYADIC_MODEL_H";
  std::string text(kHeader, sizeof(kHeader));
  text += "\n#ifndef " + guard + "\n#define " + guard + "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  text += "/* Opens the model `" + prefix.str() + "`: see dyadic_open_function above. */\n";
  text += "const dyadic_model *" + prefix.str() + "_open(const char **message);\n";
  text += "\n#ifdef __cplusplus\n}\n#endif\n#endif\n";
  return text;
}

} // namespace dyadic
