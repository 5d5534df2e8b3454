// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Runtime/Jit.h"
#include "dyadic/Support/Error.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"

using namespace llvm;

namespace dyadic {

Expected<std::unique_ptr<Program>> loadJit(CompiledModule compiled) {
  orc::JITTargetMachineBuilder builder(compiled.machine->getTargetTriple());
  builder.setCPU(compiled.machine->getTargetCPU().str());
  builder.setRelocationModel(Reloc::PIC_);
  builder.setOptions(compiled.machine->Options);
  auto jit = orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(builder)).create();
  if (!jit)
    return jit.takeError();
  // memcpy and its like come from this process.
  auto process = orc::DynamicLibrarySearchGenerator::GetForCurrentProcess((*jit)->getDataLayout().getGlobalPrefix());
  if (!process)
    return process.takeError();
  (*jit)->getMainJITDylib().addGenerator(std::move(*process));
  if (Error error = (*jit)->addIRModule(orc::ThreadSafeModule(std::move(compiled.module), std::move(compiled.context))))
    return error;
  auto symbol = (*jit)->lookup(compiled.prefix + "_open");
  if (!symbol)
    return symbol.takeError();
  const char *message = "";
  const dyadic_model *model = symbol->toPtr<dyadic_open_function>()(&message);
  if (!model)
    return makeError(message);
  return std::make_unique<Program>(model, std::shared_ptr<void>(std::move(*jit)));
}

} // namespace dyadic
