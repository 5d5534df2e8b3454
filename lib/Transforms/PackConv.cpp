// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayerPacking.h"
#include "dyadic/Support/Quantizer.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

/// What inverting the sign bit adds to inputs that `dot` does not multiply as they are; else 0.
static int64_t flippedBy(const StorageRange &range, Dot dot) {
  if (multipliesWords(dot))
    return 0;
  if (dot == Dot::Sdot)
    return range.max > INT8_MAX ? -128 : 0;
  return range.min < 0 ? 128 : 0;
}

namespace {
/// The panels of a convolution and their blocks.
class ConvPanels {
public:
  ConvPanels(const LinearLayer &layer, Dot dot)
      : layer(layer), dot(dot), lanes(blockInputs(dot)), depth(layer.depth()), perGroup(layer.outputs / layer.groups),
        panelsPerGroup((perGroup + kPanelChannels - 1) / kPanelChannels),
        // A line of a kernel over all channels is contiguous: as one run it fills the blocks better.
        joined(layer.groups == 1 && layer.dilationWidth == 1 && depth % lanes != 0),
        runs(joined ? 1 : layer.kernelWidth), run(joined ? layer.kernelWidth * depth : depth) {}

  int64_t count() const { return panelsPerGroup * layer.groups; }
  /// The channel at place `i` of panel `p`, -1 where there is none.
  int64_t channelOf(int64_t p, int64_t i) const {
    int64_t inGroup = p % panelsPerGroup * kPanelChannels + i;
    return inGroup < perGroup ? p / panelsPerGroup * perGroup + inGroup : -1;
  }

  /// Elements behind the input that the last block of the last position may reach.
  int64_t slack() const {
    if (run % lanes == 0)
      return 0;
    int64_t beyond = lanes - run % lanes;
    int64_t end = (layer.outWidth - 1) * layer.strideWidth * layer.channels +
                  (runs - 1) * layer.dilationWidth * layer.channels + (layer.groups - 1) * depth + run + beyond;
    bool lastLine = (layer.outHeight - 1) * layer.strideHeight + (layer.kernelHeight - 1) * layer.dilationHeight + 1 >=
                    layer.height + layer.padTop + layer.padBottom;
    int64_t lineSize = (layer.width + layer.padLeft + layer.padRight) * layer.channels;
    return lastLine ? std::max<int64_t>(0, end - lineSize) : 0;
  }

  /// Of `channels` places of panel `p` from `first` on; none where no channel is there. The layer has its border.
  std::vector<WeightBlock> blocks(int64_t p, int64_t first, int64_t channels) const {
    std::vector<WeightBlock> blocks;
    if (channelOf(p, first) < 0)
      return blocks;
    int64_t lineSize = layer.width * layer.channels, group = p / panelsPerGroup;
    for (int64_t kh = 0; kh < layer.kernelHeight; ++kh)
      for (int64_t r = 0; r < runs; ++r)
        for (int64_t start = 0; start < run; start += lanes) {
          WeightBlock block{kh * layer.dilationHeight * lineSize + r * layer.dilationWidth * layer.channels +
                                group * depth + start,
                            std::vector<int8_t>(channels * lanes, 0)};
          for (int64_t m = 0; m < channels && channelOf(p, first + m) >= 0; ++m)
            for (int64_t i = 0; i < lanes && start + i < run; ++i) {
              int64_t c = (start + i) % depth, kw = joined ? (start + i) / depth : r;
              block.weights[blockWeight(dot, m, i)] =
                  static_cast<int8_t>(layer.weight(channelOf(p, first + m), c, kh, kw));
            }
          blocks.push_back(std::move(block));
        }
    return blocks;
  }

private:
  const LinearLayer &layer;
  Dot dot;
  int64_t lanes, depth, perGroup, panelsPerGroup;
  bool joined;
  int64_t runs, run;
};
} // namespace

/// The plans of all panels of a layer, or of all their halves where fewer channels overflow in so many fewer blocks
/// that it pays: every half loads its inputs.
static std::vector<AccumulatorPlan> planPanels(const ConvPanels &panels, Dot dot, ArrayRef<int64_t> weights,
                                               int64_t xMax, unsigned weightBits, bool &halves) {
  int64_t blocks = 0; // of 8 channels, before any is split
  auto plan = [&](int64_t channels) {
    std::vector<AccumulatorPlan> plans;
    for (int64_t p = 0; p < panels.count(); ++p)
      for (int64_t first = 0; first < kPanelChannels; first += channels) {
        std::vector<WeightBlock> ofPart = panels.blocks(p, first, channels);
        blocks += static_cast<int64_t>(ofPart.size());
        plans.push_back(planFor(dot, std::move(ofPart), xMax, weightBits, channels));
      }
    return plans;
  };
  auto cost = [](ArrayRef<AccumulatorPlan> plans) {
    int64_t sum = 0;
    for (const AccumulatorPlan &plan : plans)
      sum += costOf(plan);
    return sum;
  };
  halves = false;
  bool fitAnyway = largestMagnitude(weights.data(), weights.size()) * 2 * kUnrolledGroup * xMax <= INT16_MAX;
  if (dot != Dot::Maddubs || weightBits != 8 || fitAnyway)
    return plan(kPanelChannels);
  std::vector<AccumulatorPlan> ofHalves = plan(kPanelChannels / 2);
  int64_t costOfHalves = cost(ofHalves);
  halves = 4 * costOfHalves > 5 * blocks; // worse than groups of 4 throughout: the whole panel's are worse still
  if (halves)
    return ofHalves;
  std::vector<AccumulatorPlan> ofPanels = plan(kPanelChannels);
  halves = 33 * costOfHalves < 2 * 32 * cost(ofPanels);
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
  std::vector<AccumulatorPlan> plans = planPanels(panels, dot, layer.weights, xMax, weightBits, halves);

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
  LayerPacker::Channels rows =
      packer.channelRows(bias, panels.count(), sumBound, [&](int64_t p, int64_t i) { return panels.channelOf(p, i); });
  auto packed = PackedConvOp::create(
      builder, packer.location, to.dest.getType(), input,
      packer.constant({static_cast<int64_t>(weights.size())}, 8 * bytesOfInput, weights),
      packer.constant({static_cast<int64_t>(table.offsets.size())}, table.offsetWidth(), table.offsets),
      packer.constant({static_cast<int64_t>(plans.size()), table.columns()}, 32, table.rows), rows.value, to.residual,
      to.dest, layer.strideHeight * lineSize, layer.strideWidth * layer.channels, layer.groups, dot, table.groupSizes,
      weightBits, halves, xMax, flip != 0, rounding.kind, rows.highHalves, rows.sumShift, rows.residualShift,
      rounding.residualZeroPoint, to.isResidualUnsigned, to.zeroPoint, to.clamp, to.rounding, packer.rows(halves),
      packer.order());
  return packed.getOutput();
}

} // namespace dyadic
