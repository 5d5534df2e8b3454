// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayerPacking.h"

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

Value packConv(LayerPacker &packer, StorageRange range, Dot dot) {
  LinearLayer &layer = packer.layer;
  const RoundedBy &rounding = packer.rounding;
  OpBuilder &builder = packer.builder;
  int64_t lanes = blockInputs(dot), bytesOfInput = 4 / lanes, depth = layer.depth();
  int64_t flip = flippedBy(range, dot);
  // A line of a kernel over all channels is contiguous: as one run it fills the blocks better.
  bool joined = layer.groups == 1 && layer.dilationWidth == 1 && depth % lanes != 0;
  int64_t runs = joined ? 1 : layer.kernelWidth, run = joined ? layer.kernelWidth * depth : depth;
  int64_t slack = 0;
  if (run % lanes != 0) {
    // The last block of the last position may reach beyond the last line.
    int64_t beyond = lanes - run % lanes;
    int64_t end = (layer.outWidth - 1) * layer.strideWidth * layer.channels +
                  (runs - 1) * layer.dilationWidth * layer.channels + (layer.groups - 1) * depth + run + beyond;
    bool lastLine = (layer.outHeight - 1) * layer.strideHeight + (layer.kernelHeight - 1) * layer.dilationHeight + 1 >=
                    layer.height + layer.padTop + layer.padBottom;
    int64_t lineSize = (layer.width + layer.padLeft + layer.padRight) * layer.channels;
    if (lastLine)
      slack = std::max<int64_t>(0, end - lineSize);
  }
  Value input = packer.padded(slack);
  int64_t lineSize = layer.width * layer.channels, perGroup = layer.outputs / layer.groups;
  int64_t panelsPerGroup = (perGroup + kPanelChannels - 1) / kPanelChannels, panels = panelsPerGroup * layer.groups;
  auto channelsOf = [&](int64_t p) {
    int64_t inGroup = (p % panelsPerGroup) * kPanelChannels;
    return std::make_pair(p / panelsPerGroup * perGroup + inGroup, std::min(kPanelChannels, perGroup - inGroup));
  };
  int64_t xMax = range.max + flip;
  unsigned weightBits = bytesOfInput == 1 ? storedBits(layer.weights) : 8;
  std::vector<int64_t> weights, bias = layer.bias;
  std::vector<AccumulatorPlan> plans;
  if (flip)
    for (int64_t m = 0; m < layer.outputs; ++m)
      bias[m] = static_cast<int32_t>(bias[m] - flip * layer.weightSum(m)); // modulo 2^32, as the kernel sums
  for (int64_t p = 0; p < panels; ++p) {
    auto [first, count] = channelsOf(p);
    int64_t group = p / panelsPerGroup;
    std::vector<WeightBlock> blocks;
    for (int64_t kh = 0; kh < layer.kernelHeight; ++kh)
      for (int64_t r = 0; r < runs; ++r)
        for (int64_t start = 0; start < run; start += lanes) {
          WeightBlock block{kh * layer.dilationHeight * lineSize + r * layer.dilationWidth * layer.channels +
                                group * depth + start,
                            std::vector<int8_t>(kPanelChannels * lanes, 0)};
          for (int64_t m = 0; m < count; ++m)
            for (int64_t i = 0; i < lanes && start + i < run; ++i) {
              int64_t c = (start + i) % depth, kw = joined ? (start + i) / depth : r;
              block.weights[blockWeight(dot, m, i)] = static_cast<int8_t>(layer.weight(first + m, c, kh, kw));
            }
          blocks.push_back(std::move(block));
        }
    AccumulatorPlan plan = planFor(dot, std::move(blocks), xMax, weightBits);
    for (WeightBlock &block : plan.blocks) {
      block.offset *= bytesOfInput;
      llvm::append_range(weights, block.weights);
    }
    plans.push_back(std::move(plan));
  }
  weights = packWeights(weights, weightBits, kPanelChannels * lanes);
  PanelTable table(plans);
  LayerPacker::Destination to = packer.destination();
  LayerPacker::Channels rows = packer.channelRows(bias, panels, [&](int64_t p, int64_t i) {
    auto [first, count] = channelsOf(p);
    return i < count ? first + i : -1;
  });
  auto packed = PackedConvOp::create(
      builder, packer.location, to.dest.getType(), input,
      packer.constant({static_cast<int64_t>(weights.size())}, 8 * bytesOfInput, weights),
      packer.constant({static_cast<int64_t>(table.offsets.size())}, table.offsetWidth(), table.offsets),
      packer.constant({panels, table.columns()}, 32, table.rows), rows.value, to.residual, to.dest,
      layer.strideHeight * lineSize, layer.strideWidth * layer.channels, layer.groups, dot, table.groupSizes,
      weightBits, xMax, flip != 0, rounding.kind, rows.highHalves, rounding.residualZeroPoint, to.isResidualUnsigned,
      to.zeroPoint, to.clamp, to.rounding, packer.schedule.rows, packer.order());
  return packed.getOutput();
}

} // namespace dyadic
