// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConvPanels.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

int64_t flippedBy(const StorageRange &range, Dot dot) {
  if (multipliesWords(dot))
    return 0;
  if (dot == Dot::Sdot)
    return range.max > INT8_MAX ? -128 : 0;
  return range.min < 0 ? 128 : 0;
}

ConvPanels::ConvPanels(const LinearLayer &layer, Dot dot)
    : layer(layer), dot(dot), lanes(blockInputs(dot)), depth(layer.depth()), perGroup(layer.outputs / layer.groups),
      panelsPerGroup((perGroup + kPanelChannels - 1) / kPanelChannels),
      // A line of a kernel over all channels is contiguous: as one run it fills the blocks better.
      joined(layer.groups == 1 && layer.dilationWidth == 1 && depth % lanes != 0), runs(joined ? 1 : layer.kernelWidth),
      run(joined ? layer.kernelWidth * depth : depth) {}

int64_t ConvPanels::slack() const {
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

std::vector<WeightBlock> ConvPanels::blocks(int64_t p, int64_t first, int64_t channels) const {
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

} // namespace dyadic
