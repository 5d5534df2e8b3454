// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "FloatOutputs.h"
#include "Parallel.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace dyadic {

/// The numbers that are held take no more memory, unless those of one layer do.
static constexpr uint64_t kMaxBytes = uint64_t(256) << 20;

llvm::Expected<std::unique_ptr<FloatOutputs>> FloatOutputs::create(ArrayRef<LinearLayer> layers,
                                                                   ArrayRef<Sample> samples) {
  std::unique_ptr<FloatOutputs> result(new FloatOutputs(layers, samples));
  IRMapping mapping;
  OwningOpRef<ModuleOp> module(cast<ModuleOp>(layers.front().op->getParentOfType<ModuleOp>()->clone(mapping)));
  func::FuncOp function = entryFunction(*module);
  SmallVector<Value> values;
  for (const LinearLayer &layer : layers)
    values.push_back(mapping.lookup(layer.op->getResult(0)));
  for (const LinearLayer &layer : layers) {
    result->residualIndices.push_back(values.size());
    if (layer.residual)
      values.push_back(mapping.lookup(layer.residual));
  }
  function.front().getTerminator()->setOperands(values);
  function.setAllResultAttrs(ArrayRef<DictionaryAttr>());
  function.setType(FunctionType::get(module->getContext(), function.getArgumentTypes(), TypeRange(ValueRange(values))));
  function->removeAttr(qnn::kBatchAttr); // shapes as they stand
  eraseDead(function);
  auto program = jitModule(*module, /*exposeValues=*/false);
  if (!program)
    return program.takeError();
  result->program = std::move(*program);
  return result;
}

static void addTo(Tensor &sum, const Tensor &term) {
  for (int64_t i = 0, n = sum.size(); i < n; ++i)
    sum.as<float>()[i] += term.as<float>()[i];
}

/// Runs all samples and keeps what layers from `begin` on compute, as many as memory may hold.
llvm::Error FloatOutputs::run(size_t begin) {
  size_t end = begin;
  uint64_t bytes = 0;
  do {
    const LinearLayer &layer = layers[end++];
    bytes += static_cast<uint64_t>(layer.rowsPerSample() * layer.channels()) * samples.size() * sizeof(float);
  } while (end < layers.size() && bytes < kMaxBytes);
  first = begin;
  outputs.assign(end - begin, std::vector<std::vector<float>>(samples.size()));
  return parallelFor(samples.size(), [&](size_t s) -> llvm::Error {
    auto tensors = runSample(*program, samples[s]);
    if (!tensors)
      return tensors.takeError();
    for (size_t i = begin; i < end; ++i) {
      const LinearLayer &layer = layers[i];
      if (layer.residual)
        addTo((*tensors)[i], (*tensors)[residualIndices[i]]);
      std::vector<float> &rows = outputs[i - begin][s];
      rows = layer.rows.gatherOutputs((*tensors)[i], layer.positions(s));
      if (layer.op->getNumOperands() < 3)
        continue;
      std::vector<float> bias = ConstantView(layer.op->getOperand(2)).floats();
      for (size_t j = 0; j < rows.size(); ++j)
        rows[j] -= bias[j % bias.size()];
    }
    return llvm::Error::success();
  });
}

llvm::Expected<std::vector<std::vector<float>> *> FloatOutputs::of(size_t index) {
  if (outputs.empty() || index >= first + outputs.size())
    if (llvm::Error error = run(index))
      return std::move(error);
  return &outputs[index - first];
}

} // namespace dyadic
