// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `open`: asks the CPU, or the system that knows it, for the instructions of each code that
// the library has, and returns the best that can run.

#include "dyadic/Target/ModelAbi.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InlineAsm.h"

using namespace llvm;

namespace dyadic {

namespace {
/// Branches to `missing` where the CPU lacks something; else goes on at the builder's place.
class CpuCheck {
public:
  CpuCheck(Module &module, const Triple &triple, IRBuilder<> &b, Function *function)
      : module(module), triple(triple), b(b), function(function), ptr(b.getPtrTy()) {}

  void require(const CpuTarget &family, BasicBlock *missing) {
    for (const CpuidRequirement &needed : family.cpuid) {
      // The leaf exists, then has the bits.
      demand(b.CreateICmpUGE(cpuid(needed.leaf & 0x80000000, 0), b.getInt32(needed.leaf)), missing);
      demandBits(cpuid(needed.leaf, needed.reg, needed.subleaf), needed.mask, missing);
    }
    if (family.savedState) // OSXSAVE is among the bits above
      demandBits(xgetbv(), family.savedState, missing);
    for (const ArmRequirement &needed : family.arm)
      demand(hasFeature(needed), missing);
  }

private:
  void demand(Value *condition, BasicBlock *missing) {
    auto *next = BasicBlock::Create(module.getContext(), "has", function, missing);
    b.CreateCondBr(condition, next, missing);
    b.SetInsertPoint(next);
  }
  void demandBits(Value *bits, uint32_t mask, BasicBlock *missing) {
    demand(b.CreateICmpEQ(b.CreateAnd(bits, b.getInt32(mask)), b.getInt32(mask)), missing);
  }

  Value *cpuid(uint32_t leaf, unsigned reg, uint32_t subleaf = 0) {
    Type *i32 = b.getInt32Ty();
    auto *result = StructType::get(i32, i32, i32, i32);
    auto *code = InlineAsm::get(FunctionType::get(result, {i32, i32}, false), "cpuid",
                                "={ax},={bx},={cx},={dx},0,2,~{dirflag},~{fpsr},~{flags}", /*hasSideEffects=*/true);
    return b.CreateExtractValue(b.CreateCall(code, {b.getInt32(leaf), b.getInt32(subleaf)}), reg);
  }

  Value *xgetbv() {
    Type *i32 = b.getInt32Ty();
    auto *code = InlineAsm::get(FunctionType::get(StructType::get(i32, i32), {i32}, false), ".byte 0x0f, 0x01, 0xd0",
                                "={ax},={dx},{cx},~{dirflag},~{fpsr},~{flags}", /*hasSideEffects=*/true);
    return b.CreateExtractValue(b.CreateCall(code, {b.getInt32(0)}), 0);
  }

  /// Reading a register of a CPU that a system runs may trap: there the system is asked.
  Value *hasFeature(const ArmRequirement &needed) {
    if (triple.isOSLinux())
      return auxiliaryBit(needed);
    return triple.isOSDarwin() ? systemNumber(needed) : registerField(needed);
  }

  Value *auxiliaryBit(const ArmRequirement &needed) {
    Type *i64 = b.getInt64Ty();
    FunctionCallee getauxval = module.getOrInsertFunction("getauxval", FunctionType::get(i64, {i64}, false));
    Value *bits = b.CreateCall(getauxval, {b.getInt64(needed.auxiliaryKey)});
    return b.CreateICmpNE(b.CreateAnd(bits, b.getInt64(needed.hwcap)), b.getInt64(0));
  }

  Value *systemNumber(const ArmRequirement &needed) {
    Type *i32 = b.getInt32Ty(), *i64 = b.getInt64Ty();
    FunctionCallee sysctl =
        module.getOrInsertFunction("sysctlbyname", FunctionType::get(i32, {ptr, ptr, ptr, ptr, i64}, false));
    Value *number = b.CreateAlloca(i64), *size = b.CreateAlloca(i64);
    b.CreateStore(b.getInt64(0), number);
    b.CreateStore(b.getInt64(4), size);
    Constant *name =
        privateConstant(module, ConstantDataArray::getString(module.getContext(), needed.sysctl), "feature");
    // Where it fails the number stays 0.
    b.CreateCall(sysctl, {name, number, size, ConstantPointerNull::get(ptr), b.getInt64(0)});
    return b.CreateICmpNE(b.CreateLoad(i64, number), b.getInt64(0));
  }

  Value *registerField(const ArmRequirement &needed) {
    auto *code = InlineAsm::get(FunctionType::get(b.getInt64Ty(), false), "mrs $0, " + needed.idRegister.str(), "=r",
                                /*hasSideEffects=*/true);
    Value *field = b.CreateAnd(b.CreateLShr(b.CreateCall(code), needed.shift), b.getInt64(0xF));
    return b.CreateICmpNE(field, b.getInt64(0));
  }

  Module &module;
  const Triple &triple;
  IRBuilder<> &b;
  Function *function;
  PointerType *ptr;
};
} // namespace

/// What `open` reports where the CPU can run nothing.
static std::string missingText(const Target &target) {
  auto needs = map_range(target.cpus, [](const TargetCpu &cpu) { return cpu.code().needs.str(); });
  return "this CPU or operating system lacks what the library was compiled for: " + join(needs, ", or ");
}

void addOpen(Module &module, const Target &target, ArrayRef<Constant *> models, StringRef prefix, bool exportAlias) {
  LLVMContext &context = module.getContext();
  auto *ptr = PointerType::get(context, 0);
  auto *function =
      Function::Create(FunctionType::get(ptr, {ptr}, false), GlobalValue::ExternalLinkage, prefix + "_open", module);
  function->setDoesNotThrow();
  // It runs before anything is known about the CPU: baseline instructions only.
  CodeFeatures baseline = baselineFeatures(target);
  function->addFnAttr("target-cpu", baseline.cpu);
  function->addFnAttr("target-features", baseline.features);
  IRBuilder<> b(BasicBlock::Create(context, "entry", function));
  Triple triple(target.triple);
  CpuCheck check(module, triple, b, function);
  bool isMatched = false;
  for (auto [cpu, model] : reverse(zip_equal(target.cpus, models))) {
    auto *next = BasicBlock::Create(context, "next", function);
    check.require(cpu.code(), next);
    b.CreateRet(model);
    b.SetInsertPoint(next);
    // Whatever comes after one that needs nothing is never chosen.
    isMatched = pred_empty(next);
    if (isMatched) {
      next->eraseFromParent();
      break;
    }
  }
  if (!isMatched) {
    auto *report = BasicBlock::Create(context, "report", function),
         *done = BasicBlock::Create(context, "done", function);
    b.CreateCondBr(b.CreateIsNull(function->getArg(0)), done, report);
    b.SetInsertPoint(report);
    Constant *text = ConstantDataArray::getString(context, missingText(target));
    b.CreateStore(privateConstant(module, text, "text"), function->getArg(0));
    b.CreateBr(done);
    b.SetInsertPoint(done);
    b.CreateRet(ConstantPointerNull::get(ptr));
  }
  if (exportAlias && function->getName() != "dyadic_open")
    GlobalAlias::create("dyadic_open", function);
}

} // namespace dyadic
