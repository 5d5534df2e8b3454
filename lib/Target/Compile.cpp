// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Target/Compile.h"
#include "dyadic/Conversion/Passes.h"
#include "dyadic/IR/Fingerprint.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Target/FloatUnit.h"
#include "dyadic/Target/ForkJoin.h"
#include "dyadic/Target/ModelAbi.h"
#include "dyadic/Transforms/Schedules.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

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
static void optimise(llvm::Module &module, llvm::TargetMachine &machine, CodeEffort effort) {
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
  if (effort == CodeEffort::Full) {
    builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
    return;
  }
  llvm::FunctionPassManager cleanup;
  cleanup.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  cleanup.addPass(llvm::EarlyCSEPass());
  cleanup.addPass(llvm::SimplifyCFGPass());
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      cleanup.run(function, functions);
}

/// Reads which layers the kernels serve, and takes the note off them.
static std::vector<Kernel> takeKernels(ModuleOp module) {
  std::vector<Kernel> kernels;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    auto ids = dyn_cast_or_null<ArrayAttr>(function->removeAttr(kLayersAttr));
    auto products = dyn_cast_or_null<DictionaryAttr>(function->removeAttr(kProductsAttr));
    if (!ids) {
      function->removeAttr(kMethodAttr);
      continue;
    }
    Kernel kernel{function.getName().str(), {}, {}, {}};
    if (products)
      for (NamedAttribute entry : products)
        kernel.products[entry.getName().str()] = cast<IntegerAttr>(entry.getValue()).getInt();
    if (auto method = dyn_cast_or_null<StringAttr>(function->removeAttr(kMethodAttr)))
      kernel.method = method.str();
    for (auto id : ids.getAsRange<StringAttr>())
      kernel.layers.push_back(id.str());
    kernels.push_back(std::move(kernel));
  }
  return kernels;
}

namespace {
/// The program lowered for one CPU.
struct Variant {
  std::unique_ptr<llvm::Module> module;
  std::string entry; // the function of one sample
  std::string fork;  // the function that shares work out
  int64_t workspaceBytes = 0, scratchBytes = 0, liveSetBytes = 0, usefulThreads = 1;
  std::vector<Kernel> kernels;
};
} // namespace

/// Lowers `module`, which is consumed, to LLVM IR.
static llvm::Expected<Variant> lower(ModuleOp module, const TargetCpu &cpu, const llvm::Triple &triple,
                                     llvm::LLVMContext &context, CodeEffort effort) {
  Variant variant;
  variant.entry = entryFunction(module).getName().str();
  selectSchedule(module, cpu.family->name);
  PassManager manager(module.getContext());
  manager.enableVerifier(effort == CodeEffort::Full);
  LoweringOptions lowering;
  lowering.byteDot = cpu.family->byteDot.str();
  lowering.wordDot = cpu.family->wordDot.str();
  lowering.rows = cpu.family->rows;
  lowering.dotLanes = cpu.family->lanes;
  lowering.emulateDots = cpu.isEmulated;
  FloatUnit unit = floatUnitOf(cpu, triple);
  lowering.floatLanes = unit.lanes;
  lowering.floatRows = unit.rows;
  lowering.floatDepthwiseRows = unit.depthwiseRows;
  lowering.expandMultiplyAdds = !unit.hasFusedMultiplyAdd;
  buildLoweringPipeline(manager, lowering);
  if (failed(manager.run(module)))
    return makeError("the program could not be lowered");
  auto function = module.lookupSymbol<LLVM::LLVMFuncOp>(variant.entry);
  auto take = [&](StringRef name, int64_t &number) {
    if (auto attribute = dyn_cast_or_null<IntegerAttr>(function->removeAttr(name)))
      number = attribute.getInt();
  };
  take(kWorkspaceAttr, variant.workspaceBytes);
  take(kLiveSetAttr, variant.liveSetBytes);
  take(kUsefulThreadsAttr, variant.usefulThreads);
  take(kScratchAttr, variant.scratchBytes);
  variant.liveSetBytes += variant.scratchBytes; // of one thread
  variant.kernels = takeKernels(module);
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  variant.module = translateModuleToLLVMIR(module, context, "model");
  if (!variant.module)
    return makeError("the program could not be translated to LLVM IR");
  return variant;
}

/// Functions say by their attributes which instructions they may use. The stack of kernels is aligned to their
/// registers where the ABI's is not: LLVM learns too late that it will spill some, and every other access would
/// touch two cache lines.
static void setFeatures(llvm::Module &module, const CodeFeatures &code, const CpuTarget &family) {
  auto registerBytes = llvm::Align(4 * family.lanes);
  bool alignsStack = module.getTargetTriple().isX86() && family.rows > 0;
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", code.cpu);
    function.addFnAttr("target-features", code.features);
    if (family.isSmall)
      function.addFnAttr(llvm::Attribute::OptimizeForSize);
    if (alignsStack && function.hasFnAttribute(llvm::Attribute::NoInline))
      function.addFnAttr(llvm::Attribute::getWithStackAlignment(module.getContext(), registerBytes));
  }
}

/// Gives the functions of one CPU among several names of their own.
static void renameFunctions(Variant &variant, llvm::StringRef prefix) {
  auto renamed = [&](llvm::StringRef name) { return (prefix + "_" + name).str(); };
  for (llvm::Function &function : *variant.module)
    if (!function.isDeclaration())
      function.setName(renamed(function.getName()));
  variant.entry = renamed(variant.entry);
  variant.fork = renamed(variant.fork);
  for (Kernel &kernel : variant.kernels)
    kernel.name = renamed(kernel.name);
}

llvm::Expected<CompiledModule> compileModule(ModuleOp module, const Target &target, llvm::StringRef prefix,
                                             bool exportAlias, CodeEffort effort) {
  CompiledModule compiled;
  compiled.prefix = prefix.str();
  compiled.isHost = target.isHost;
  llvm::Expected<Signature> signature = readSignature(module);
  if (!signature)
    return signature.takeError();
  compiled.signature = *signature;
  std::string print = fingerprint(module);
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine = createTargetMachine(target);
  if (!machine)
    return machine.takeError();
  compiled.machine = std::move(*machine);
  if (effort == CodeEffort::Quick)
    compiled.machine->setOptLevel(llvm::CodeGenOptLevel::None);
  compiled.context = std::make_unique<llvm::LLVMContext>();
  compiled.module = std::make_unique<llvm::Module>(prefix, *compiled.context);
  compiled.module->setTargetTriple(compiled.machine->getTargetTriple());
  compiled.module->setDataLayout(compiled.machine->createDataLayout());

  llvm::SmallVector<llvm::Constant *> models;
  for (const TargetCpu &cpu : target.cpus) {
    bool isLast = &cpu == &target.cpus.back();
    OwningOpRef<ModuleOp> copy = isLast ? OwningOpRef<ModuleOp>() : OwningOpRef<ModuleOp>(module.clone());
    llvm::Expected<Variant> variant =
        lower(isLast ? module : *copy, cpu, llvm::Triple(target.triple), *compiled.context, effort);
    if (!variant)
      return variant.takeError();
    variant->module->setTargetTriple(compiled.module->getTargetTriple());
    variant->module->setDataLayout(compiled.module->getDataLayout());
    variant->fork = buildFork(*variant->module)->getName().str();
    setFeatures(*variant->module, codeFeatures(target, cpu.code()), *cpu.family);
    std::string name = compiled.prefix;
    if (target.cpus.size() > 1)
      renameFunctions(*variant, name += "_" + cIdentifier(cpu.name()));
    if (llvm::Linker::linkModules(*compiled.module, std::move(variant->module)))
      return makeError("the code for " + cpu.name() + " could not be joined to the others");
    models.push_back(addModel(
        *compiled.module, compiled.module->getFunction(variant->entry), compiled.module->getFunction(variant->fork),
        compiled.signature,
        {name, print, target.nameOf(cpu), variant->workspaceBytes, variant->scratchBytes, variant->usefulThreads}));
    int64_t workspaceBytes = variant->workspaceBytes;
    if (variant->scratchBytes > 0)
      workspaceBytes = static_cast<int64_t>(llvm::alignTo(workspaceBytes, kBufferAlignment)) + variant->scratchBytes;
    if (workspaceBytes > compiled.workspaceBytes) {
      compiled.workspaceBytes = workspaceBytes;
      compiled.liveSetBytes = variant->liveSetBytes;
    }
    llvm::append_range(compiled.kernels, std::move(variant->kernels));
  }
  addOpen(*compiled.module, target, models, prefix, exportAlias);
  // What is equal, within and between the CPUs, is stored once.
  for (llvm::GlobalVariable &variable : compiled.module->globals())
    if (variable.isConstant() && variable.hasLocalLinkage())
      variable.setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
  optimise(*compiled.module, *compiled.machine, effort);
  return compiled;
}

} // namespace dyadic
