// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/Compiler.h"
#include "dyadic/Conversion/Passes.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Pipelines/Diagnostics.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Files.h"
#include "dyadic/Transforms/Schedules.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/Transforms/AllocationOpInterfaceImpl.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace dyadic {

std::unique_ptr<MLIRContext> createContext() {
  DialectRegistry registry;
  registry
      .insert<qnn::QNNDialect, affine::AffineDialect, arith::ArithDialect, bufferization::BufferizationDialect,
              cf::ControlFlowDialect, func::FuncDialect, linalg::LinalgDialect, LLVM::LLVMDialect, math::MathDialect,
              memref::MemRefDialect, quant::QuantDialect, scf::SCFDialect, tensor::TensorDialect>();
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  bufferization::func_ext::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerSubsetOpInterfaceExternalModels(registry);
  memref::registerAllocationOpInterfaceExternalModels(registry); // results are made where they go
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
  registerPackedBufferization(registry);
  tensor::registerSubsetOpInterfaceExternalModels(registry);
  auto context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  return context;
}

llvm::Expected<OwningOpRef<ModuleOp>> importFloat(const OnnxSource &source, const ImportOptions &options,
                                                  MLIRContext &context, bool keepMoments) {
  llvm::Expected<OwningOpRef<ModuleOp>> module = importOnnx(source, options, context);
  if (!module)
    return module.takeError();
  DiagnosticCollector diagnostics(&context);
  PassManager manager(&context);
  manager.addPass(createFoldConstants({keepMoments}));
  manager.addPass(createHoistActivations());
  manager.addPass(createFuseElementwise());
  if (failed(manager.run(**module)))
    return diagnostics.takeError(source.name, "constants cannot be folded");
  return module;
}

llvm::Expected<OwningOpRef<ModuleOp>> parseModuleFile(llvm::StringRef file, MLIRContext &context) {
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> buffer = readFile(file);
  if (!buffer)
    return buffer.takeError();
  DiagnosticCollector diagnostics(&context);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>((*buffer)->getBuffer(), &context, file);
  if (!module)
    return diagnostics.takeError(file, "not a module");
  bool isAlone = true;
  if (func::FuncOp entry = entryFunction(*module))
    for (Operation &op : *module->getBody())
      if (&op != entry.getOperation()) {
        op.emitError() << "'" << op.getName() << "' beside the entry function, expected that alone";
        isAlone = false;
      }
  PassManager manager(&context);
  manager.addPass(createProveAccumulators());
  if (!isAlone || failed(manager.run(*module)))
    return diagnostics.takeError(file, "accumulators cannot be proven");
  return module;
}

llvm::Expected<std::vector<InputSpec>> inputSpecs(ModuleOp module) {
  llvm::Expected<Signature> signature = readSignature(module);
  if (!signature)
    return signature.takeError();
  std::vector<InputSpec> specs;
  for (const BoundaryTensor &input : signature->inputs)
    specs.push_back({input.name, input.type, input.shape});
  return specs;
}

static llvm::Error runPass(ModuleOp module, std::unique_ptr<Pass> pass, llvm::StringRef file,
                           llvm::StringRef fallback) {
  DiagnosticCollector diagnostics(module.getContext());
  PassManager manager(module.getContext());
  manager.addPass(std::move(pass));
  if (failed(manager.run(module)))
    return diagnostics.takeError(file, fallback);
  return llvm::Error::success();
}

llvm::Error exposeValues(ModuleOp module, llvm::StringRef file) {
  return runPass(module, createExposeValues(), file, "values cannot be exposed");
}

llvm::Error isolateLayers(ModuleOp module, llvm::StringRef file) {
  return runPass(module, createIsolateLayers(), file, "layers cannot be isolated");
}

llvm::Expected<std::unique_ptr<Program>> jitModule(ModuleOp module, bool withValues, CodeEffort effort) {
  OwningOpRef<ModuleOp> copy = module.clone();
  if (withValues)
    if (llvm::Error error = exposeValues(*copy, "program"))
      return error;
  DiagnosticCollector diagnostics(module.getContext());
  llvm::Expected<Target> target = parseTarget("native");
  if (!target)
    return target.takeError();
  llvm::Expected<CompiledModule> compiled = compileModule(*copy, *target, "program", /*exportAlias=*/false, effort);
  if (!compiled)
    return diagnostics.takeError("program", llvm::toString(compiled.takeError()));
  return loadJit(std::move(*compiled));
}

Sample quantizeInputs(const Program &program, const Sample &sample) {
  Sample stored = sample;
  for (auto [info, tensor] : llvm::zip(program.inputs(), stored.inputs)) {
    if (tensor.type != ElementType::F32 || info.type == ElementType::F32 || info.scales.size() != 1)
      continue;
    Tensor integers(info.type, tensor.shape);
    for (int64_t i = 0, n = tensor.size(); i < n; ++i)
      integers.setInt(i, dyadic::quantize(tensor.as<float>()[i], info.scales[0], info.zeroPoint, info.min, info.max));
    tensor = std::move(integers);
  }
  return stored;
}

int64_t batchOf(const Sample &sample) {
  return sample.inputs.empty() || sample.inputs[0].shape.empty() ? 1 : sample.inputs[0].shape[0];
}

llvm::Expected<std::vector<Tensor>> runSample(const Program &program, const Sample &sample) {
  std::vector<const Tensor *> inputs;
  for (const Tensor &input : sample.inputs)
    inputs.push_back(&input);
  std::string error;
  std::unique_ptr<Program::Call> call = program.prepare(inputs, 1, error);
  if (!call)
    return makeError(error);
  if (!call->run())
    return makeError("run returned status " + llvm::Twine(call->status));
  return std::move(call->outputs);
}

llvm::Expected<RangeMap> chooseRanges(ModuleOp floatModule, llvm::StringRef file, const CalibrationTable &table,
                                      const Plan &plan) {
  DiagnosticCollector diagnostics(floatModule.getContext());
  std::map<std::string, RangeWidths> widths;
  if (failed(rangeWidths(floatModule, plan, widths)))
    return diagnostics.takeError(file, "cannot be quantized");
  RangeMap ranges;
  for (const auto &[id, value] : table.values) {
    auto found = widths.find(id);
    RangeWidths width = found == widths.end() ? RangeWidths{plan.activationBits} : found->second;
    auto [min, max] = rangeOf(value, table.method, width.stored);
    ranges[id] = {min, max};
    if (width.operands)
      ranges[id].operands = rangeOf(value, table.method, *width.operands);
  }
  return std::move(ranges);
}

llvm::Error quantizeTypes(ModuleOp module, llvm::StringRef file, const RangeMap &ranges, Plan &plan) {
  DiagnosticCollector diagnostics(module.getContext());
  if (failed(applyRanges(module, ranges)))
    return diagnostics.takeError(file, "ranges cannot be applied");
  if (failed(quantizeGraph(module, plan)))
    return diagnostics.takeError(file, "cannot be quantized");
  if (plan.rounding == Rounding::HalfUp) // kernels round short products up alone
    shortenMultipliers(module);
  return llvm::Error::success();
}

llvm::Expected<OwningOpRef<ModuleOp>> quantizedCopy(ModuleOp floatModule, llvm::StringRef file,
                                                    const CalibrationTable &table, Plan &plan) {
  llvm::Expected<RangeMap> ranges = chooseRanges(floatModule, file, table, plan);
  if (!ranges)
    return ranges.takeError();
  OwningOpRef<ModuleOp> module = floatModule.clone();
  if (llvm::Error error = quantizeTypes(*module, file, *ranges, plan))
    return std::move(error);
  return std::move(module);
}

llvm::Error lowerToIntegers(ModuleOp module, llvm::StringRef file, const Plan &plan, const QuantizeOptions &options) {
  DiagnosticCollector diagnostics(module.getContext());
  PassManager manager(module.getContext());
  // While the types still know the scales: the extra results keep them.
  if (options.exposeValues)
    manager.addPass(createExposeValues());
  IntegerPipelineOptions pipeline;
  pipeline.rounding = plan.rounding == Rounding::HalfEven ? qnn::Rounding::HalfEven : qnn::Rounding::HalfUp;
  pipeline.integerOnly = options.integerOnly;
  buildIntegerPipeline(manager, pipeline);
  if (failed(manager.run(module)))
    return diagnostics.takeError(file, "cannot be rewritten to integers");
  setSchedules(module, plan.schedules);
  return llvm::Error::success();
}

llvm::Error quantizeModel(ModuleOp module, llvm::StringRef file, const RangeMap &ranges, Plan &plan,
                          const QuantizeOptions &options) {
  if (llvm::Error error = quantizeTypes(module, file, ranges, plan))
    return error;
  return lowerToIntegers(module, file, plan, options);
}

} // namespace dyadic
