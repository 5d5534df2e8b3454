// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConvPanels.h"
#include "LayerPacking.h"
#include "dyadic/Support/Quantizer.h"
#include <numeric>

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

/// The plans of all panels of a layer, or of all their halves, in which fewer channels overflow: there fewer blocks are
/// split, but every half loads its inputs, and they meet in memory.
static std::vector<AccumulatorPlan> planPanels(const LinearLayer &layer, const ConvPanels &panels, Dot dot,
                                               int64_t xMax, unsigned weightBits, bool &halves) {
  auto plan = [&](int64_t channels, auto planOf) {
    std::vector<AccumulatorPlan> plans;
    for (int64_t p = 0; p < panels.count(); ++p)
      for (int64_t first = 0; first < kPanelChannels; first += channels)
        plans.push_back(planOf(panels.blocks(p, first, channels), channels));
    return plans;
  };
  auto grouped = [&](std::vector<WeightBlock> blocks, int64_t channels) {
    return planFor(dot, std::move(blocks), xMax, weightBits, channels);
  };
  auto singly = [&](std::vector<WeightBlock> blocks, int64_t channels) {
    return planSingly(std::move(blocks), channels, xMax);
  };
  halves = false;
  bool isOfBytes = dot == Dot::Maddubs && weightBits == 8;
  if (isOfBytes && layer.batch * layer.outHeight * layer.outWidth == 1)
    return plan(kPanelChannels, singly);
  std::vector<AccumulatorPlan> ofPanels = plan(kPanelChannels, grouped);
  bool fitAnyway =
      largestMagnitude(layer.weights.data(), layer.weights.size()) * 2 * kUnrolledGroup * xMax <= INT16_MAX;
  if (!isOfBytes || fitAnyway)
    return ofPanels;
  std::vector<AccumulatorPlan> ofHalves = plan(kPanelChannels / 2, grouped);
  auto cost = [](ArrayRef<AccumulatorPlan> plans) {
    return std::accumulate(plans.begin(), plans.end(), int64_t(0),
                           [](int64_t total, const AccumulatorPlan &plan) { return total + costOf(plan); });
  };
  // Measured on Zen 4: what halves load more is a twentieth of the time; a panel in two halves takes that of 10
  // multiplications more at every position.
  halves = 19 * 2 * cost(ofPanels) > 20 * (cost(ofHalves) + 10 * panels.count());
  return halves ? ofHalves : ofPanels;
}

Value packConv(LayerPacker &packer, StorageRange range, Dot dot) {
  LinearLayer &layer = packer.layer;
  const RoundedBy &rounding = packer.rounding;
  OpBuilder &builder = packer.builder;
  int64_t lanes = blockInputs(dot), bytesOfInput = 4 / lanes;
  int64_t flip = flippedBy(range, dot), xMax = range.max + flip;
  unsigned weightBits = bytesOfInput == 1 ? storedBits(layer.weights) : 8;
  ConvPanels panels(layer, dot);
  Value input = packer.padded(panels.slack());
  bool halves;
  std::vector<AccumulatorPlan> plans = planPanels(layer, panels, dot, xMax, weightBits, halves);

  std::vector<int64_t> weights, bias = layer.bias;
  if (flip)
    for (int64_t m = 0; m < layer.outputs; ++m)
      bias[m] = static_cast<int32_t>(bias[m] - flip * layer.weightSum(m)); // modulo 2^32, as the kernel sums
  for (AccumulatorPlan &plan : plans)
    for (WeightBlock &block : plan.blocks) {
      block.offset *= bytesOfInput;
      llvm::append_range(weights, block.weights);
    }
  weights = packWeights(weights, weightBits, kPanelChannels * lanes);
  PanelTable table(plans);
  int64_t lineSize = layer.width * layer.channels;
  LayerPacker::Destination to = packer.destination();
  size_t mostBlocks = 0;
  for (const AccumulatorPlan &plan : plans)
    mostBlocks = std::max(mostBlocks, plan.blocks.size());
  int64_t sumBound = static_cast<int64_t>(mostBlocks) * lanes * largestInput(dot, xMax) *
                     largestMagnitude(layer.weights.data(), layer.weights.size());
  StorageRange inputs = multipliedInputs(dot, xMax);
  int64_t ofChannel = static_cast<int64_t>(layer.weights.size()) / layer.outputs;
  LayerPacker::Channels rows = packer.channelRows(
      bias, panels.count(), sumBound, [&](int64_t p, int64_t i) { return panels.channelOf(p, i); },
      [&](int64_t channel) {
        return accumulatorRange(&layer.weights[channel * ofChannel], ofChannel, 0, inputs.min, inputs.max);
      },
      dot == Dot::Maddubs ? 1 : 0);
  auto packed = PackedConvOp::create(
      builder, packer.location, to.dest.getType(), input,
      packer.constant({static_cast<int64_t>(weights.size())}, 8 * bytesOfInput, weights),
      packer.constant({static_cast<int64_t>(table.offsets.size())}, table.offsetWidth(), table.offsets),
      packer.constant({static_cast<int64_t>(plans.size()), table.columns()}, 32, table.rows), rows.value, to.residual,
      to.dest, layer.strideHeight * lineSize, layer.strideWidth * layer.channels, layer.groups, dot, table.groupSizes,
      weightBits, halves, xMax, flip != 0, rounding.kind, rows.highHalves, rows.shortProducts, rows.scaledSums,
      rows.sumShift, rows.residualShift, rounding.residualZeroPoint, to.isResidualUnsigned, to.zeroPoint, to.clamp,
      to.rounding, packer.rows(halves), packer.order());
  return packed.getOutput();
}

} // namespace dyadic
