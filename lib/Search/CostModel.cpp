// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Search/CostModel.h"
#include "dyadic/Search/Plan.h"
#include "dyadic/Support/Error.h"

namespace dyadic {

CostModel::~CostModel() = default;

unsigned storedWeightBits(const SearchLayer &layer, BitWidths widths) {
  if (!layer.sharesBytes || widths.activations > 8 || widths.weights > 4)
    return 8;
  return widths.weights > 2 ? 4 : 2;
}

void addCosts(Costs &sum, const Costs &term) {
  for (auto [total, cost] : llvm::zip(sum, term))
    total = total && cost ? std::optional<double>(*total + *cost) : std::nullopt;
}

llvm::Error addCosts(AssignmentProblem &problem, llvm::ArrayRef<const CostModel *> models) {
  for (ChoiceGroup &group : problem.groups)
    for (const CostModel *model : models) {
      llvm::Expected<std::vector<Costs>> known = model->costs(group);
      if (!known)
        return known.takeError();
      for (auto [choice, costs] : llvm::zip_equal(group.choices, *known))
        for (auto [to, from] : llvm::zip(choice.costs, costs))
          if (from)
            to = from;
    }
  return llvm::Error::success();
}

WeightCostModel::WeightCostModel(llvm::ArrayRef<SearchLayer> given) {
  for (const SearchLayer &layer : given)
    layers[layer.id] = layer;
}

/// The position of `name` in kCostNames.
static constexpr size_t costIndex(llvm::StringLiteral name) {
  size_t k = 0;
  while (name != kCostNames[k])
    ++k;
  return k;
}

Costs WeightCostModel::layerCosts(const SearchLayer &layer, BitWidths widths) {
  auto weights = static_cast<double>(layer.weights), macs = static_cast<double>(layer.macs);
  Costs costs;
  costs[costIndex("size_mb")] = weights * storedWeightBits(layer, widths) / (8 << 20);
  costs[costIndex("bops")] = macs * widths.weights * widths.activations;
  costs[costIndex("weight_bits")] = weights * widths.weights;
  return costs;
}

llvm::Expected<std::vector<Costs>> WeightCostModel::costs(const ChoiceGroup &group) const {
  std::vector<Costs> result;
  for (const BitChoice &choice : group.choices) {
    auto bits = parseBits(choice.bits);
    if (!bits)
      return makeError("group '" + escaped(group.name) + "': choice '" + escaped(choice.bits) +
                       "' has no widths, expected wXaY");
    std::optional<Costs> sum;
    for (const std::string &id : group.layers) {
      auto layer = layers.find(id);
      if (layer == layers.end())
        return makeError("group '" + escaped(group.name) + "': no costs of layer '" + escaped(id) + "'");
      Costs costs = layerCosts(layer->second, {bits->first, bits->second});
      if (sum)
        addCosts(*sum, costs);
      else
        sum = costs;
    }
    result.push_back(sum.value_or(Costs()));
  }
  return result;
}

} // namespace dyadic
