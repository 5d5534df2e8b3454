// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayerwiseEvaluator.h"
#include "Parallel.h"
#include "dyadic/Pipelines/Compiler.h"
#include "dyadic/Support/Error.h"
#include <atomic>

namespace dyadic {

StorageGrid gridOf(const CalibratedValue &value, const CalibrationOptions &method, unsigned bits) {
  auto [low, high] = rangeOf(value, method, bits);
  StorageGrid grid;
  grid.range = storageRange(bits, /*isSigned=*/bits > 15);
  AffineParameters parameters = chooseAffine(low, high, grid.range);
  grid.scale = parameters.scale;
  grid.zeroPoint = parameters.zeroPoint;
  return grid;
}

llvm::Expected<std::unique_ptr<LayerwiseEvaluator>>
LayerwiseEvaluator::create(mlir::ModuleOp floatModule, const CalibrationTable &table, std::vector<Sample> samples,
                           AloneWeights fitted, LayerKernels &kernels) {
  auto program = LayerwiseProgram::create(floatModule, kernels);
  if (!program)
    return program.takeError();
  std::unique_ptr<LayerwiseEvaluator> evaluator(new LayerwiseEvaluator(table, std::move(samples), std::move(fitted)));
  evaluator->program = std::move(*program);
  return std::move(evaluator);
}

/// Made once: the elements of a map stay where they are.
const Tensor &LayerwiseEvaluator::packedWeights(size_t layer, unsigned bits) {
  std::pair<size_t, unsigned> key(layer, bits);
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (auto found = packed.find(key); found != packed.end())
      return found->second;
  }
  const LayerwiseProgram::Layer &of = program->getLayers()[layer];
  auto alone = fitted.find({of.id, bits});
  Tensor made = program->packedWeights(layer, alone == fitted.end() ? of.rounded(bits) : alone->second);
  std::lock_guard<std::mutex> lock(mutex);
  return packed.try_emplace(key, std::move(made)).first->second;
}

llvm::Error LayerwiseEvaluator::run(size_t sample, llvm::ArrayRef<SensitivityKey> keys,
                                    llvm::function_ref<void(size_t, const PerturbedNetwork &)> observe) {
  auto taken = runs.take(*program);
  if (!taken)
    return taken.takeError();
  LayerwiseProgram::Run &run = **taken;
  if (llvm::Error error = run.load(samples[sample]))
    return error;
  std::string hash =
      llvm::any_of(keys, [](const SensitivityKey &key) { return key.isProbe(); }) ? sampleHash(samples[sample]) : "";
  for (auto [i, key] : llvm::enumerate(keys)) {
    size_t local = 0;
    auto observeChange = [&, i = i](const LayerwiseProgram::Change &change) -> llvm::Error {
      if (llvm::Error error = run.apply(change, local))
        return error;
      PerturbedNetwork network;
      for (size_t output : program->getOutputs()) {
        network.reference.push_back(&run.floatValue(output));
        network.outputs.push_back(&run.value(output));
      }
      network.localReference = &run.floatValue(local);
      network.local = &run.value(local);
      network.batch = batchOf(samples[sample]);
      observe(i, network);
      return llvm::Error::success();
    };
    LayerwiseProgram::Change change;
    StorageGrid grid;
    if (key.isValue) {
      std::optional<size_t> value = program->valueOf(key.id);
      auto calibrated = table.values.find(key.id);
      if (!value || calibrated == table.values.end())
        return makeError("value '" + escaped(key.id) + "' is not one of the float program's");
      grid = gridOf(calibrated->second, table.method, key.bits);
      local = *value;
      change.values[local] = &grid;
    } else {
      std::optional<size_t> layer = program->layerOf(key.id);
      if (!layer)
        return makeError("layer '" + escaped(key.id) + "' has no weights that can be exchanged");
      local = program->getLayers()[*layer].value;
      for (size_t number = 0; key.isProbe() && number < kProbes; ++number) {
        const LayerwiseProgram::Layer &of = program->getLayers()[*layer];
        Tensor weights = program->packedWeights(*layer, probedWeights(of.weights, hash, of.id, number));
        change.weights[*layer] = &weights;
        if (llvm::Error error = observeChange(change))
          return error;
      }
      if (key.isProbe())
        continue;
      change.weights[*layer] = &packedWeights(*layer, key.bits);
      if (key.isPair()) {
        std::optional<size_t> partner = program->layerOf(key.partner);
        if (!partner)
          return makeError("layer '" + escaped(key.partner) + "' has no weights that can be exchanged");
        change.weights[*partner] = &packedWeights(*partner, key.partnerBits);
        local = program->getLayers()[*partner].value;
      }
    }
    if (llvm::Error error = observeChange(change))
      return error;
  }
  runs.giveBack(std::move(*taken));
  return llvm::Error::success();
}

llvm::Error LayerwiseEvaluator::computeReferences() {
  references.resize(samples.size());
  return parallelFor(samples.size(), [&](size_t i) -> llvm::Error {
    auto run = runs.take(*program);
    if (!run)
      return run.takeError();
    if (llvm::Error error = (*run)->evaluate(samples[i], {}))
      return error;
    for (size_t output : program->getOutputs())
      references[i].push_back((*run)->value(output));
    runs.giveBack(std::move(*run));
    return llvm::Error::success();
  });
}

llvm::Expected<std::vector<double>>
LayerwiseEvaluator::evaluate(const Configuration &configuration, const SensitivityMetric &metric,
                             llvm::function_ref<bool(llvm::ArrayRef<double>)> isEnough) {
  if (references.empty())
    if (llvm::Error error = computeReferences())
      return std::move(error);
  LayerwiseProgram::Change change;
  for (const auto &[id, bits] : configuration.weights)
    if (std::optional<size_t> layer = program->layerOf(id))
      change.weights[*layer] = &packedWeights(*layer, bits);
  for (const auto &[id, grid] : configuration.values)
    if (std::optional<size_t> value = program->valueOf(id))
      change.values[*value] = &grid;
  std::vector<double> result(samples.size());
  std::vector<bool> isDone(samples.size());
  size_t first = 0; // of which so many count
  std::atomic<bool> isOver = false;
  std::mutex counting;
  auto measure = [&](size_t i) -> llvm::Error {
    if (isOver)
      return llvm::Error::success();
    auto run = runs.take(*program);
    if (!run)
      return run.takeError();
    if (llvm::Error error = (*run)->evaluate(samples[i], change))
      return error;
    PerturbedNetwork network;
    for (auto [reference, output] : llvm::zip(references[i], program->getOutputs())) {
      network.reference.push_back(&reference);
      network.outputs.push_back(&(*run)->value(output));
    }
    network.batch = batchOf(samples[i]);
    double measured = sensitivityOf(sensitivityUnits(metric.measure(network)));
    runs.giveBack(std::move(*run));
    // One after the other, however many are measured at once.
    std::lock_guard<std::mutex> lock(counting);
    result[i] = measured;
    isDone[i] = true;
    while (!isOver && first < result.size() && isDone[first])
      isOver = isEnough(llvm::ArrayRef(result).take_front(++first));
    return llvm::Error::success();
  };
  if (llvm::Error error = parallelFor(samples.size(), measure))
    return std::move(error);
  result.resize(first);
  return result;
}

} // namespace dyadic
