// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "FloatOutputs.h"
#include "Parallel.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace dyadic {

/// The rows that are held take no more memory, unless those of one layer do; nor do the values to go on from.
static constexpr uint64_t kMaxBytes = uint64_t(256) << 20;

/// The module of `layers` as one that returns what they compute, then their residuals.
static OwningOpRef<ModuleOp> returning(ArrayRef<LinearLayer> layers) {
  IRMapping mapping;
  OwningOpRef<ModuleOp> module(cast<ModuleOp>(layers.front().op->getParentOfType<ModuleOp>()->clone(mapping)));
  func::FuncOp function = entryFunction(*module);
  SmallVector<Value> values;
  for (const LinearLayer &layer : layers)
    values.push_back(mapping.lookup(layer.op->getResult(0)));
  for (const LinearLayer &layer : layers)
    if (layer.residual)
      values.push_back(mapping.lookup(layer.residual));
  function.front().getTerminator()->setOperands(values);
  function.setAllResultAttrs(ArrayRef<DictionaryAttr>());
  function.setType(FunctionType::get(module->getContext(), function.getArgumentTypes(), TypeRange(ValueRange(values))));
  function->removeAttr(qnn::kBatchAttr); // shapes as they stand
  eraseDead(function);
  return module;
}

llvm::Expected<std::unique_ptr<FloatOutputs>> FloatOutputs::create(ArrayRef<LinearLayer> layers,
                                                                   ArrayRef<Sample> samples, LayerKernels &kernels) {
  std::unique_ptr<FloatOutputs> result(new FloatOutputs(layers, samples));
  auto program = LayerwiseProgram::create(*returning(layers), kernels, /*keepsLayouts=*/true);
  if (!program)
    return program.takeError();
  ArrayRef<size_t> outputs = (*program)->getOutputs();
  for (size_t i = 0, residual = layers.size(); i < layers.size(); ++i) {
    Wanted wanted{outputs[i], {}, (*program)->isChannelsLast(i)};
    if (layers[i].residual) {
      wanted.residual = outputs[residual];
      wanted.isResidualChannelsLast = (*program)->isChannelsLast(residual++);
    }
    result->wanted.push_back(wanted);
  }
  result->program = std::move(*program);
  return result;
}

static void addTo(std::vector<float> &sum, const std::vector<float> &term) {
  for (size_t i = 0; i < sum.size(); ++i)
    sum[i] += term[i];
}

/// The rows of a layer, less the bias.
std::vector<float> FloatOutputs::rowsOf(const LayerwiseProgram::Run &run, size_t index, size_t sample) const {
  const LinearLayer &layer = layers[index];
  const Wanted &of = wanted[index];
  std::vector<int64_t> positions = layer.positions(sample);
  std::vector<float> rows = layer.rows.gatherOutputs(run.value(of.output), positions, of.isChannelsLast);
  if (of.residual)
    addTo(rows, layer.rows.gatherOutputs(run.value(*of.residual), positions, of.isResidualChannelsLast));
  if (layer.op->getNumOperands() < 3)
    return rows;
  std::vector<float> bias = ConstantView(layer.op->getOperand(2)).floats();
  for (size_t j = 0; j < rows.size(); ++j)
    rows[j] -= bias[j % bias.size()];
  return rows;
}

/// How many stages have to run for layers up to `end`.
size_t FloatOutputs::stagesUntil(size_t end) const {
  size_t stages = 0;
  for (const Wanted &of : ArrayRef(wanted).take_front(end))
    stages = std::max({stages, program->stagesUntil(of.output), of.residual ? program->stagesUntil(*of.residual) : 0});
  return stages;
}

/// What is known after the stages of layers up to `end` and is read later, by other stages or as a layer's rows.
std::vector<size_t> FloatOutputs::valuesAfter(size_t end) const {
  size_t stages = stagesUntil(end);
  std::vector<size_t> read = program->valuesAcross(stages);
  std::set<size_t> values(read.begin(), read.end());
  for (const Wanted &of : ArrayRef(wanted).drop_front(end))
    for (std::optional<size_t> value : {std::optional(of.output), of.residual})
      if (value && program->stagesUntil(*value) <= stages)
        values.insert(*value);
  return {values.begin(), values.end()};
}

/// Brings a sample from where it is to the end of the layers that are held, takes their rows, and keeps `values`.
llvm::Error FloatOutputs::advance(size_t sample, ArrayRef<size_t> values) {
  auto taken = runs.take(*program);
  if (!taken)
    return taken.takeError();
  LayerwiseProgram::Run &run = **taken;
  if (stage == 0)
    if (llvm::Error error = run.setInputs(samples[sample]))
      return error;
  for (auto [value, numbers] : llvm::zip(live, liveNumbers[sample]))
    run.setValue(value, numbers);
  if (llvm::Error error = run.runStages(stage, stagesUntil(first + outputs.size())))
    return error;
  for (size_t i = 0; i < outputs.size(); ++i)
    outputs[i][sample] = rowsOf(run, first + i, sample);
  liveNumbers[sample].clear();
  for (size_t value : values)
    liveNumbers[sample].push_back(run.copyOf(value));
  runs.giveBack(std::move(*taken));
  return llvm::Error::success();
}

/// Holds the rows of layers from `begin` on, as many as memory may hold.
llvm::Error FloatOutputs::hold(size_t begin) {
  size_t end = begin;
  uint64_t bytes = 0;
  do {
    const LinearLayer &layer = layers[end++];
    bytes += static_cast<uint64_t>(layer.rowsPerSample() * layer.channels()) * samples.size() * sizeof(float);
  } while (end < layers.size() && bytes < kMaxBytes);
  first = begin;
  outputs.assign(end - begin, std::vector<std::vector<float>>(samples.size()));
  liveNumbers.resize(samples.size());
  std::vector<size_t> values = valuesAfter(end);
  uint64_t liveBytes = 0;
  for (size_t value : values)
    liveBytes += program->bytesOf(value) * samples.size();
  if (liveBytes > kMaxBytes)
    values.clear();
  llvm::Error error = parallelFor(samples.size(), [&](size_t s) { return advance(s, values); });
  stage = liveBytes > kMaxBytes ? 0 : stagesUntil(end);
  live = std::move(values);
  return error;
}

llvm::Expected<std::vector<std::vector<float>> *> FloatOutputs::of(size_t index) {
  if (outputs.empty() || index >= first + outputs.size())
    if (llvm::Error error = hold(index))
      return std::move(error);
  return &outputs[index - first];
}

} // namespace dyadic
