// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Runtime/Jit.h"
#include "JitSession.h"
#include "dyadic/Support/Error.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include <chrono>

using namespace llvm;

namespace dyadic {

Expected<std::unique_ptr<orc::LLJIT>> createJit(const TargetMachine &machine) {
  orc::JITTargetMachineBuilder builder(machine.getTargetTriple());
  builder.setFeatures(machine.getTargetFeatureString());
  builder.setCPU(machine.getTargetCPU().str());
  builder.setRelocationModel(Reloc::PIC_);
  builder.setOptions(machine.Options);
  builder.setCodeGenOptLevel(machine.getOptLevel());
  auto jit = orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(builder)).create();
  if (!jit)
    return jit.takeError();
  auto process = orc::DynamicLibrarySearchGenerator::GetForCurrentProcess((*jit)->getDataLayout().getGlobalPrefix());
  if (!process)
    return process.takeError();
  (*jit)->getMainJITDylib().addGenerator(std::move(*process));
  return std::move(*jit);
}

/// Adds the module to `jit` and opens the model.
static Expected<const dyadic_model *> open(orc::LLJIT &jit, CompiledModule &compiled) {
  if (Error error = jit.addIRModule(orc::ThreadSafeModule(std::move(compiled.module), std::move(compiled.context))))
    return error;
  auto symbol = jit.lookup(compiled.prefix + "_open");
  if (!symbol)
    return symbol.takeError();
  const char *message = "";
  const dyadic_model *model = symbol->toPtr<dyadic_open_function>()(&message);
  if (!model)
    return makeError(message);
  return model;
}

Expected<std::unique_ptr<Program>> loadJit(CompiledModule compiled) {
  auto jit = createJit(*compiled.machine);
  if (!jit)
    return jit.takeError();
  auto model = open(**jit, compiled);
  if (!model)
    return model.takeError();
  return std::make_unique<Program>(*model, std::shared_ptr<void>(std::move(*jit)));
}

//===----------------------------------------------------------------------===//
// Profiling
//===----------------------------------------------------------------------===//

static uint64_t readClock() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

static constexpr char kClock[] = "dyadic_read_clock";
static constexpr char kCounters[] = "dyadic_kernel_nanoseconds";

/// The kernel that `function` is, or is a specialised copy of (NAME.specialized.1).
static std::optional<size_t> kernelIndex(const StringMap<size_t> &kernels, const Function *function) {
  auto found = function ? kernels.find(function->getName().split('.').first) : kernels.end();
  return found == kernels.end() ? std::nullopt : std::optional<size_t>(found->second);
}

/// Adds the time of every call of a kernel to its counter.
static void instrument(Module &module, ArrayRef<Kernel> kernels) {
  LLVMContext &context = module.getContext();
  Type *i64 = Type::getInt64Ty(context);
  FunctionCallee clock = module.getOrInsertFunction(kClock, FunctionType::get(i64, false));
  auto *array = ArrayType::get(i64, std::max<size_t>(kernels.size(), 1));
  auto *counters = new GlobalVariable(module, array, /*isConstant=*/false, GlobalValue::ExternalLinkage,
                                      ConstantAggregateZero::get(array), kCounters);
  StringMap<size_t> indices;
  for (auto [i, kernel] : enumerate(kernels))
    indices[kernel.name] = i;
  for (Function &function : module) {
    if (function.isDeclaration() || kernelIndex(indices, &function))
      continue;
    // What was true of its memory is not any more.
    function.setMemoryEffects(MemoryEffects::unknown());
    SmallVector<std::pair<CallInst *, size_t>> calls;
    for (Instruction &instruction : instructions(function))
      if (auto *call = dyn_cast<CallInst>(&instruction))
        if (std::optional<size_t> kernel = kernelIndex(indices, call->getCalledFunction()))
          calls.push_back({call, *kernel});
    for (auto [call, kernel] : calls) {
      IRBuilder<> builder(call);
      Value *start = builder.CreateCall(clock);
      builder.SetInsertPoint(call->getNextNode());
      Value *elapsed = builder.CreateSub(builder.CreateCall(clock), start);
      Value *counter = builder.CreateConstInBoundsGEP2_64(array, counters, 0, kernel);
      builder.CreateStore(builder.CreateAdd(builder.CreateLoad(i64, counter), elapsed), counter);
    }
  }
}

Expected<ProfiledProgram> ProfiledProgram::load(CompiledModule compiled) {
  instrument(*compiled.module, compiled.kernels);
  auto jit = createJit(*compiled.machine);
  if (!jit)
    return jit.takeError();
  orc::SymbolMap clock{{(*jit)->mangleAndIntern(kClock),
                        {orc::ExecutorAddr::fromPtr(&readClock), JITSymbolFlags::Exported | JITSymbolFlags::Callable}}};
  if (Error error = (*jit)->getMainJITDylib().define(orc::absoluteSymbols(std::move(clock))))
    return std::move(error);
  auto model = open(**jit, compiled);
  if (!model)
    return model.takeError();
  auto counters = (*jit)->lookup(kCounters);
  if (!counters)
    return counters.takeError();
  ProfiledProgram result;
  result.counters = counters->toPtr<uint64_t *>();
  result.kernels = std::move(compiled.kernels);
  result.program = std::make_unique<Program>(*model, std::shared_ptr<void>(std::move(*jit)));
  return std::move(result);
}

std::vector<uint64_t> ProfiledProgram::takeNanoseconds() {
  std::vector<uint64_t> taken(counters, counters + kernels.size());
  std::fill_n(counters, kernels.size(), 0);
  return taken;
}

} // namespace dyadic
