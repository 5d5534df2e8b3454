// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PlanMeasurement.h"
#include "dyadic/Pipelines/Compiler.h"
#include "dyadic/Search/Sensitivity.h"
#include "dyadic/Support/Error.h"

namespace dyadic {

llvm::Error PlanMeasurement::prepare() {
  size_t count = request.floatProgram->outputs().size() - request.floatProgram->numValues();
  for (size_t index : request.heldBack) {
    auto sample = request.samples->read(index);
    if (!sample)
      return sample.takeError();
    auto outputs = runSample(*request.floatProgram, *sample);
    if (!outputs)
      return outputs.takeError();
    outputs->resize(count); // values of layers follow
    if (count > 0 && (*outputs)[0].type == ElementType::F32)
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

llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> PlanMeasurement::quantized(Plan &plan, FittedProgram &fitted) const {
  if (request.weightRounding != WeightRounding::Nearest && !request.calibration.empty()) {
    FitRequest fit{request.floatModule, request.file,    request.table,       request.weightRounding,
                   request.evaluator,   request.samples, request.calibration, request.listener};
    auto made = fitProgram(fit, plan);
    if (!made)
      return made.takeError();
    fitted = std::move(*made);
    return mlir::OwningOpRef<mlir::ModuleOp>(fitted.module->clone());
  }
  return quantizedCopy(request.floatModule, request.file, *request.table, plan);
}

llvm::Expected<MeasuredPlan> PlanMeasurement::measure(Plan plan, FittedProgram &fitted) const {
  auto module = quantized(plan, fitted);
  if (!module)
    return module.takeError();
  if (llvm::Error error = lowerToIntegers(**module, request.file, plan, {}))
    return std::move(error);
  return measureProgram(**module);
}

llvm::Expected<MeasuredPlan> PlanMeasurement::measureProgram(mlir::ModuleOp integers) const {
  auto program = jitModule(integers, /*exposeValues=*/false);
  if (!program)
    return program.takeError();
  MeasuredPlan measured;
  for (auto [sample, expected] : llvm::zip(samples, references)) {
    auto found = runSample(**program, quantizeInputs(**program, sample));
    if (!found)
      return found.takeError();
    for (auto [tensor, info] : llvm::zip(*found, (*program)->outputs()))
      tensor = realNumbers(tensor, info);
    PerturbedNetwork network;
    network.batch = batchOf(sample);
    for (auto [reference, output] : llvm::zip(expected, *found)) {
      network.reference.push_back(&reference);
      network.outputs.push_back(&output);
    }
    measured.divergence += divergenceMetric.measure(network) / static_cast<double>(samples.size());
    measured.error += errorMetric.measure(network) / static_cast<double>(samples.size());
    if (expected.empty() || expected[0].type != ElementType::F32 || (*found)[0].type != ElementType::F32)
      continue;
    measured.agreement.add({expected[0], (*found)[0]});
    countTopOne(measured.topOne, expected[0], (*found)[0], network.batch);
  }
  return measured;
}

} // namespace dyadic
