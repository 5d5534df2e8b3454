// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Target/ModelAbi.h"
#include "dyadic/Runtime/dyadic.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/IRBuilder.h"

using namespace llvm;

namespace dyadic {

namespace {

class AbiBuilder {
public:
  AbiBuilder(Module &module, Function *sample, const Signature &signature, const AbiOptions &options)
      : module(module), context(module.getContext()), sample(sample), signature(signature), options(options),
        i32(Type::getInt32Ty(context)), i64(Type::getInt64Ty(context)), ptr(PointerType::get(context, 0)) {}

  Constant *build() {
    sample->setLinkage(GlobalValue::InternalLinkage);
    sample->setName(options.prefix + "_sample");
    Function *task = buildTask();
    return buildDescriptor(buildWorkspaceSize(), buildRun(task));
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

  uint64_t workspaceStride() const { return std::max<int64_t>(options.workspaceBytes, DYADIC_ALIGNMENT); }

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

  Value *workers(IRBuilder<> &b, Value *batch, Value *threads) {
    Value *wide = b.CreateSExt(threads, i64);
    return b.CreateSelect(b.CreateICmpSLT(wide, batch), wide, batch);
  }

  Function *buildWorkspaceSize() {
    Function *function = internalFunction("workspace_size", i64, {i64, i32});
    IRBuilder<> b(BasicBlock::Create(context, "", function));
    Value *batch = function->getArg(0), *threads = function->getArg(1);
    Value *bad = b.CreateOr(isBadBatch(b, batch), b.CreateICmpSLT(threads, int32(1)));
    Value *bytes = b.CreateMul(workers(b, batch, threads), int64(workspaceStride()));
    b.CreateRet(b.CreateSelect(bad, int64(0), bytes));
    return function;
  }

  /// task({inputs, outputs, batch, workspace, workers}, i): samples i, i + workers, ...
  /// with slot i of the workspace. Strided, so that no division is needed.
  Function *buildTask() {
    Function *function = internalFunction("task", Type::getVoidTy(context), {ptr, i64});
    auto *entry = BasicBlock::Create(context, "entry", function), *loop = BasicBlock::Create(context, "loop", function),
         *exit = BasicBlock::Create(context, "exit", function);
    IRBuilder<> b(entry);
    auto field = [&](unsigned i, Type *type) {
      return b.CreateLoad(type, b.CreateConstGEP1_64(i64, function->getArg(0), i));
    };
    Value *inputs = field(0, ptr), *outputs = field(1, ptr), *batch = field(2, i64), *workspace = field(3, ptr),
          *step = field(4, i64);
    Type *byte = Type::getInt8Ty(context);
    Value *slot = b.CreateGEP(byte, workspace, b.CreateMul(function->getArg(1), int64(workspaceStride())));
    SmallVector<std::pair<Value *, int64_t>> bases;
    auto load = [&](Value *array, const std::vector<BoundaryTensor> &tensors) {
      for (auto [i, tensor] : enumerate(tensors))
        bases.push_back({b.CreateLoad(ptr, b.CreateConstGEP1_64(ptr, array, i)), tensor.bytes()});
    };
    load(inputs, signature.inputs);
    load(outputs, signature.outputs);
    b.CreateBr(loop);

    b.SetInsertPoint(loop);
    PHINode *index = b.CreatePHI(i64, 2);
    SmallVector<Value *> arguments;
    for (auto [base, bytes] : bases)
      arguments.push_back(b.CreateGEP(byte, base, b.CreateMul(index, int64(bytes))));
    arguments.push_back(slot);
    b.CreateCall(sample, arguments);
    Value *next = b.CreateAdd(index, step);
    b.CreateCondBr(b.CreateICmpSLT(next, batch), loop, exit);
    index->addIncoming(function->getArg(1), entry);
    index->addIncoming(next, loop);
    IRBuilder<>(exit).CreateRetVoid();
    return function;
  }

  Function *buildRun(Function *task) {
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

    Value *count = workers(b, batch, threads);
    Value *state = b.CreateAlloca(ArrayType::get(i64, 5));
    for (auto [i, value] : enumerate(SmallVector<Value *>{inputs, outputs, batch, workspace, count}))
      b.CreateStore(value, b.CreateConstGEP1_64(i64, state, i));
    auto *direct = BasicBlock::Create(context, "direct", function),
         *shared = BasicBlock::Create(context, "shared", function);
    b.CreateCondBr(b.CreateICmpEQ(count, int64(1)), direct, shared);
    b.SetInsertPoint(direct);
    b.CreateCall(task, {state, int64(0)});
    b.CreateRet(int32(DYADIC_OK));
    b.SetInsertPoint(shared);
    b.CreateCall(FunctionType::get(b.getVoidTy(), {ptr, i64, ptr, ptr}, false), parallelFor,
                 {callbackContext, count, task, state});
    b.CreateRet(int32(DYADIC_OK));
    return function;
  }

  Module &module;
  LLVMContext &context;
  Function *sample;
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

Constant *addModel(Module &module, Function *sample, const Signature &signature, const AbiOptions &options) {
  return AbiBuilder(module, sample, signature, options).build();
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
