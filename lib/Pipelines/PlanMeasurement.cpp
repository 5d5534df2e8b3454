// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PlanMeasurement.h"
#include "dyadic/Pipelines/Compiler.h"
#include "dyadic/Pipelines/CopyModule.h"
#include "dyadic/Search/Sensitivity.h"
#include "dyadic/Support/Error.h"
#include "llvm/Support/ThreadPool.h"

namespace dyadic {

llvm::Error PlanMeasurement::prepare() {
  for (size_t index : request.heldBack) {
    auto sample = request.samples->read(index);
    if (!sample)
      return sample.takeError();
    auto outputs = request.floatProgram->outputs(*sample);
    if (!outputs)
      return outputs.takeError();
    if (!outputs->empty() && (*outputs)[0].type == ElementType::F32)
      if (auto classes = topOne((*outputs)[0], batchOf(*sample)))
        decisions += classes->size();
    samples.push_back(std::move(*sample));
    references.push_back(std::move(*outputs));
  }
  return llvm::Error::success();
}

llvm::Error PlanMeasurement::checkDrop(const Budget &budget, llvm::StringRef option) const {
  if (!budget.drop)
    return llvm::Error::success();
  std::string prefix = option.str() + "=" + escaped(budget.text) + ": drop needs ";
  if (decisions == 0)
    return fileError(request.file, prefix + "an output with classes, expected sqnr for others");
  if (*budget.drop * static_cast<double>(decisions) < 1)
    return fileError(request.file, prefix + "at least " + shortestText(std::ceil(1 / *budget.drop)) +
                                       " held-back samples, found " + llvm::Twine(decisions));
  return llvm::Error::success();
}

llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> PlanMeasurement::quantized(mlir::ModuleOp floatModule,
                                                                             const Listener &listener, Plan &plan,
                                                                             FittedProgram &fitted) const {
  if (request.weightRounding != WeightRounding::Nearest && !request.calibration.empty()) {
    FitRequest fit{floatModule,       request.file,    request.table,       request.weightRounding,
                   request.evaluator, request.samples, request.calibration, &listener,
                   samples,           request.kernels};
    auto made = fitProgram(fit, plan);
    if (!made)
      return made.takeError();
    fitted = std::move(*made);
    return mlir::OwningOpRef<mlir::ModuleOp>(fitted.module->clone());
  }
  return quantizedCopy(floatModule, request.file, *request.table, plan);
}

llvm::Expected<MeasuredPlan> PlanMeasurement::measure(mlir::ModuleOp floatModule, const Listener &listener, Plan plan,
                                                      FittedProgram &fitted) const {
  auto module = quantized(floatModule, listener, plan, fitted);
  if (!module)
    return module.takeError();
  if (CarriedOutputs outputs = std::move(fitted.outputs); !outputs.empty())
    return compare(outputs);
  if (llvm::Error error = lowerToIntegers(**module, request.file, plan, {}))
    return std::move(error);
  return measureProgram(**module);
}

namespace {
/// A plan that another thread measures, in a context of its own.
struct ApartPlan {
  std::optional<llvm::Expected<MeasuredPlan>> measured;
  FittedProgram fitted;                           // without its modules
  std::optional<ModuleBytes> module, floatModule; // these

  llvm::Error take(FittedProgram &made) {
    if (made.module) {
      auto integers = ModuleBytes::of(*made.module), floats = ModuleBytes::of(*made.floatModule);
      if (llvm::Error error = llvm::joinErrors(integers.takeError(), floats.takeError()))
        return error;
      module = std::move(*integers);
      floatModule = std::move(*floats);
    }
    fitted = std::move(made);
    fitted.module = mlir::OwningOpRef<mlir::ModuleOp>();
    fitted.floatModule = mlir::OwningOpRef<mlir::ModuleOp>();
    return llvm::Error::success();
  }

  /// With its modules in `context`.
  llvm::Error give(mlir::MLIRContext &context, FittedProgram &to) {
    if (module) {
      auto integers = module->read(context), floats = floatModule->read(context);
      if (llvm::Error error = llvm::joinErrors(integers.takeError(), floats.takeError()))
        return error;
      fitted.module = std::move(*integers);
      fitted.floatModule = std::move(*floats);
    }
    to = std::move(fitted);
    return llvm::Error::success();
  }
};
} // namespace

llvm::Expected<std::vector<MeasuredPlan>> PlanMeasurement::measure(llvm::ArrayRef<Plan> plans,
                                                                   llvm::MutableArrayRef<FittedProgram> fitted) const {
  std::vector<MeasuredPlan> results;
  if (plans.empty())
    return results;
  auto bytes = ModuleBytes::of(request.floatModule);
  if (!bytes)
    return bytes.takeError();
  Listener quiet = *request.listener; // the first plan tells how far all are
  quiet.progress = nullptr;
  std::vector<ApartPlan> apart(plans.size());
  auto measureApart = [&](size_t i) -> llvm::Expected<MeasuredPlan> {
    std::unique_ptr<mlir::MLIRContext> context = createContext();
    auto module = bytes->read(*context);
    if (!module)
      return module.takeError();
    FittedProgram made;
    auto measured = measure(**module, quiet, plans[i], made);
    if (measured)
      if (llvm::Error error = apart[i].take(made))
        return std::move(error);
    return measured;
  };
  llvm::DefaultThreadPool pool(llvm::hardware_concurrency());
  for (size_t i = 1; i < plans.size(); ++i)
    pool.async([&, i] { apart[i].measured.emplace(measureApart(i)); });
  apart[0].measured.emplace(measure(request.floatModule, *request.listener, plans[0], fitted[0]));
  pool.wait();
  llvm::Error failure = llvm::Error::success();
  for (size_t i = 0; i < plans.size(); ++i) {
    llvm::Expected<MeasuredPlan> &measured = *apart[i].measured;
    if (measured)
      results.push_back(std::move(*measured));
    else if (llvm::Error error = measured.takeError(); !failure) // the first one's is told
      failure = std::move(error);
    else
      llvm::consumeError(std::move(error));
  }
  for (size_t i = 1; i < plans.size() && !failure; ++i)
    failure = apart[i].give(*request.floatModule->getContext(), fitted[i]);
  if (failure)
    return std::move(failure);
  return results;
}

llvm::Expected<MeasuredPlan> PlanMeasurement::measureProgram(mlir::ModuleOp integers) const {
  auto program = jitModule(integers, /*exposeValues=*/false);
  if (!program)
    return program.takeError();
  CarriedOutputs outputs;
  for (const Sample &sample : samples) {
    auto found = runSample(**program, quantizeInputs(**program, sample));
    if (!found)
      return found.takeError();
    for (auto [tensor, info] : llvm::zip(*found, (*program)->outputs()))
      tensor = realNumbers(tensor, info);
    outputs.push_back(std::move(*found));
  }
  return compare(outputs);
}

MeasuredPlan PlanMeasurement::compare(llvm::ArrayRef<std::vector<Tensor>> outputs) const {
  MeasuredPlan measured;
  for (auto [sample, expected, found] : llvm::zip_equal(samples, references, outputs)) {
    PerturbedNetwork network;
    network.batch = batchOf(sample);
    for (auto [reference, output] : llvm::zip(expected, found)) {
      network.reference.push_back(&reference);
      network.outputs.push_back(&output);
    }
    measured.divergences.push_back(divergenceMetric.measure(network));
    measured.divergence += measured.divergences.back() / static_cast<double>(samples.size());
    measured.error += errorMetric.measure(network) / static_cast<double>(samples.size());
    if (expected.empty() || expected[0].type != ElementType::F32 || found[0].type != ElementType::F32)
      continue;
    measured.agreement.add({expected[0], found[0]});
    countTopOne(measured.topOne, expected[0], found[0], network.batch);
  }
  return measured;
}

} // namespace dyadic
