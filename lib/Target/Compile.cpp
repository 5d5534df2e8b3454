// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Target/Compile.h"
#include "dyadic/Conversion/Passes.h"
#include "dyadic/IR/Fingerprint.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Target/ModelAbi.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/Passes/PassBuilder.h"

using namespace mlir;

namespace dyadic {

std::string cIdentifier(llvm::StringRef text) {
  std::string result;
  for (char c : text)
    result += llvm::isAlnum(c) && static_cast<unsigned char>(c) < 0x80 ? c : '_';
  if (result.empty() || llvm::isDigit(result[0]))
    result = "m_" + result;
  return result;
}

/// A compiled model may call memcpy, memset and memmove, and nothing else.
static void optimise(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::TargetLibraryInfoImpl libraryInfo(machine.getTargetTriple());
  libraryInfo.disableAllFunctions();
  for (llvm::LibFunc function : {llvm::LibFunc_memcpy, llvm::LibFunc_memset, llvm::LibFunc_memmove})
    libraryInfo.setAvailable(function);
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(libraryInfo); });
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = true;
  tuning.SLPVectorization = true;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

/// Reads which layers the kernels serve, and takes the note off them.
static std::vector<Kernel> takeKernels(ModuleOp module) {
  std::vector<Kernel> kernels;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    auto ids = dyn_cast_or_null<ArrayAttr>(function->removeAttr(kLayersAttr));
    if (!ids)
      continue;
    Kernel kernel{function.getName().str(), {}};
    for (auto id : ids.getAsRange<StringAttr>())
      kernel.layers.push_back(id.str());
    kernels.push_back(std::move(kernel));
  }
  return kernels;
}

llvm::Expected<CompiledModule> compileModule(ModuleOp module, const Target &target, llvm::StringRef prefix,
                                             bool exportAlias) {
  CompiledModule compiled;
  compiled.prefix = prefix.str();
  llvm::Expected<Signature> signature = readSignature(module);
  if (!signature)
    return signature.takeError();
  compiled.signature = *signature;
  AbiOptions options;
  options.prefix = prefix.str();
  options.fingerprint = fingerprint(module);
  options.exportAlias = exportAlias;
  std::string entry = entryFunction(module).getName().str();

  PassManager manager(module.getContext());
  LoweringOptions lowering;
  lowering.byteDot = target.cpu->byteDot.str();
  lowering.wordDot = target.cpu->wordDot.str();
  buildLoweringPipeline(manager, lowering);
  if (failed(manager.run(module)))
    return makeError("the program could not be lowered");
  auto function = module.lookupSymbol<LLVM::LLVMFuncOp>(entry);
  if (auto bytes = function->getAttrOfType<IntegerAttr>(kWorkspaceAttr))
    options.workspaceBytes = bytes.getInt();
  function->removeAttr(kWorkspaceAttr);
  compiled.workspaceBytes = options.workspaceBytes;
  compiled.kernels = takeKernels(module);

  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine = createTargetMachine(target);
  if (!machine)
    return machine.takeError();
  compiled.machine = std::move(*machine);
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  compiled.context = std::make_unique<llvm::LLVMContext>();
  compiled.module = translateModuleToLLVMIR(module, *compiled.context, prefix);
  if (!compiled.module)
    return makeError("the program could not be translated to LLVM IR");
  compiled.module->setTargetTriple(compiled.machine->getTargetTriple());
  compiled.module->setDataLayout(compiled.machine->createDataLayout());
  addModelAbi(*compiled.module, compiled.module->getFunction(entry), compiled.signature, target, options);
  optimise(*compiled.module, *compiled.machine);
  return compiled;
}

} // namespace dyadic
