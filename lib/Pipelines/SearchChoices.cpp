// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PlanSearcher.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/Pipelines/Diagnostics.h"
#include "dyadic/Support/Quantizer.h"
#include "dyadic/Transforms/LayerPairs.h"

using namespace mlir;
using namespace dyadic::qnn;
using llvm::Error;
using llvm::Expected;

namespace dyadic {

Error PlanSearcher::describeLayers() {
  DiagnosticCollector diagnostics(request.floatModule->getContext());
  if (failed(searchLayers(request.floatModule, *request.plan, layers)))
    return diagnostics.takeError(request.file, "cannot be quantized");
  if (layers.empty())
    return failBudget("no layer has weights, expected one whose bits can be chosen");
  for (Operation *op : layersOf(entryFunction(request.floatModule)))
    if (isa<ConvOp, MatmulOp>(op) && ConstantView(op->getOperand(1)))
      if (StringAttr id = cast<LayerOpInterface>(op).getIdAttr())
        weights[id.str()] = layerWeights(op);
  choices = settings.choices.empty() ? defaultChoices(settings.budget) : settings.choices;
  problem.model = request.plan->model;
  problem.groups = choiceGroups(layers, choices);
  if (settings.measuresPairs)
    pairs = layerPairs(request.floatModule);
  return Error::success();
}

const SearchLayer &PlanSearcher::layer(llvm::StringRef id) const {
  return *llvm::find_if(layers, [&](const SearchLayer &layer) { return layer.id == id; });
}

bool PlanSearcher::isLegal(const SearchLayer &layer, BitWidths widths) const {
  const LayerWeights &of = weights.find(layer.id)->second;
  StorageRange input = storageRange(widths.activations, widths.activations > 15);
  int64_t most = std::max(input.max, -input.min);
  auto count = static_cast<int64_t>(of.weights.size() / of.numChannels());
  // The bias takes less than half of the range, see quantizeChannel.
  if (count * weightRange(widths.weights).max * most < (int64_t(1) << 30))
    return true;
  auto value = request.table->values.find(layer.value);
  if (value == request.table->values.end())
    return true; // an error follows
  StorageGrid grid = gridOf(value->second, request.table->method, widths.activations);
  for (size_t c = 0; c < of.numChannels(); ++c) {
    std::vector<float> numbers = of.channel(c);
    float bias = of.bias.empty() ? 0 : of.bias[c];
    QuantizedChannel stored =
        quantizeChannel(numbers.data(), numbers.size(), widths.weights, bias, grid.scale, grid.zeroPoint);
    std::vector<int64_t> integers(stored.weights.begin(), stored.weights.end());
    StorageRange sums =
        accumulatorRange(integers.data(), integers.size(), foldedBias(bias, grid.scale, grid.zeroPoint, stored),
                         grid.range.min, grid.range.max);
    if (sums.min < INT32_MIN || sums.max > INT32_MAX)
      return false;
  }
  return true;
}

Error PlanSearcher::dropIllegalChoices() {
  for (ChoiceGroup &group : problem.groups) {
    llvm::erase_if(group.choices, [&](const BitChoice &choice) {
      auto bits = *parseBits(choice.bits);
      return llvm::any_of(group.layers,
                          [&](const std::string &id) { return !isLegal(layer(id), {bits.first, bits.second}); });
    });
    if (group.choices.empty())
      return nodeError(request.file, group.name,
                       "no choice of bits keeps its sums within 32 bits, expected narrower ones");
  }
  return Error::success();
}

} // namespace dyadic
