// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Runtime/SequenceLimits.h"
#include "JitSession.h"
#include "dyadic/Conversion/DotProbe.h"
#include "dyadic/Support/Error.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include <chrono>

using namespace mlir;

namespace dyadic {

/// Calls a microsecond, the best of several series.
static double callRate(void (*probe)(void *)) {
  constexpr int kSeries = 40, kCalls = 500;
  alignas(64) unsigned char data[896] = {};
  double best = 0;
  for (int series = 0; series < kSeries; ++series) {
    auto start = std::chrono::steady_clock::now();
    for (int call = 0; call < kCalls; ++call)
      probe(data);
    std::chrono::duration<double, std::micro> elapsed = std::chrono::steady_clock::now() - start;
    best = std::max(best, kCalls / elapsed.count());
  }
  return best;
}

llvm::Expected<std::map<std::string, double>> measureSequenceLimits(const Target &target,
                                                                    const std::set<std::string> &sequences) {
  std::map<std::string, double> limits;
  if (target.cpus.size() != 1 || target.cpus[0].isEmulated)
    return limits;
  MLIRContext context;
  context.loadDialect<LLVM::LLVMDialect>();
  registerBuiltinDialectTranslation(context);
  registerLLVMDialectTranslation(context);
  OpBuilder builder(&context);
  Location location = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder, location);
  builder.setInsertionPointToStart(module->getBody());
  std::map<std::string, std::pair<std::string, int64_t>> probes; // the function, its multiply-accumulates
  for (const std::string &name : sequences)
    if (std::optional<DotSequence> sequence = DotSequence::parse(name)) {
      std::string function = "probe" + std::to_string(probes.size());
      if (int64_t products = buildDotProbe(builder, location, function, *sequence, target.cpus[0].code().lanes))
        probes[name] = {function, products};
    }
  if (probes.empty())
    return limits;
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine = createTargetMachine(target);
  if (!machine)
    return machine.takeError();
  auto llvmContext = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> translated = translateModuleToLLVMIR(*module, *llvmContext, "probes");
  if (!translated)
    return makeError("the probes of the CPU's speed could not be translated");
  translated->setTargetTriple((*machine)->getTargetTriple());
  translated->setDataLayout((*machine)->createDataLayout());
  CodeFeatures code = codeFeatures(target, target.cpus[0].code());
  for (llvm::Function &function : *translated) {
    function.addFnAttr("target-cpu", code.cpu);
    function.addFnAttr("target-features", code.features);
  }
  auto jit = createJit(**machine);
  if (!jit)
    return jit.takeError();
  if (llvm::Error error =
          (*jit)->addIRModule(llvm::orc::ThreadSafeModule(std::move(translated), std::move(llvmContext))))
    return std::move(error);
  for (const auto &[name, probe] : probes) {
    auto symbol = (*jit)->lookup(probe.first);
    if (!symbol)
      return symbol.takeError();
    limits[name] = callRate(symbol->toPtr<void (*)(void *)>()) * static_cast<double>(probe.second);
  }
  return limits;
}

} // namespace dyadic
