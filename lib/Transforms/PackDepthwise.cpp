// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayerPacking.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

/// A kernel is unrolled: beyond so many positions it stays a loop.
static constexpr int64_t kMostTaps = 64;

Value packDepthwise(LayerPacker &packer, Dot dot) {
  LinearLayer &layer = packer.layer;
  const RoundedBy &rounding = packer.rounding;
  OpBuilder &builder = packer.builder;
  if (layer.kernelHeight * layer.kernelWidth > kMostTaps)
    return {};
  Value input = packer.padded(0);
  int64_t lineSize = layer.width * layer.channels, panels = (layer.channels + kPanelChannels - 1) / kPanelChannels;
  auto offset = [&](int64_t kh, int64_t kw) {
    return kh * layer.dilationHeight * lineSize + kw * layer.dilationWidth * layer.channels;
  };
  // Two positions above each other make a pair: neighbours along the line share it.
  SmallVector<std::pair<int64_t, int64_t>> taps;
  std::vector<int64_t> offsets, weights;
  for (int64_t kw = 0; kw < layer.kernelWidth; ++kw)
    for (int64_t kh = 0; kh < layer.kernelHeight + layer.kernelHeight % 2; ++kh) {
      taps.emplace_back(kh, kw);
      offsets.push_back(kh < layer.kernelHeight ? offset(kh, kw) : -1);
    }
  static constexpr int64_t kOrder[kPanelChannels] = {0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15};
  auto pushWeight = [&](int64_t c, std::pair<int64_t, int64_t> tap) {
    auto [kh, kw] = tap;
    weights.push_back(c < layer.channels && kh < layer.kernelHeight ? layer.weight(c, 0, kh, kw) : 0);
  };
  for (int64_t p = 0; p < panels; ++p) {
    for (size_t t = 0; dot != Dot::Mlal && t < taps.size(); t += 2)
      for (int64_t i : kOrder)
        for (auto tap : {taps[t], taps[t + 1]})
          pushWeight(p * kPanelChannels + i, tap);
    for (size_t t = 0; dot == Dot::Mlal && t < taps.size(); ++t)
      for (int64_t i = 0; i < kPanelChannels; ++i)
        pushWeight(p * kPanelChannels + i, taps[t]);
  }
  LayerPacker::Destination to = packer.destination();
  LayerPacker::Channels rows = packer.channelRows(layer.bias, panels, [&](int64_t p) {
    return std::make_pair(p * kPanelChannels, std::min(kPanelChannels, layer.channels - p * kPanelChannels));
  });
  auto packed = PackedDepthwiseOp::create(
      builder, packer.location, to.dest.getType(), input,
      packer.constant({static_cast<int64_t>(weights.size())}, 16, weights), rows.value, to.residual, to.dest,
      layer.strideHeight * lineSize, layer.strideWidth * layer.channels, offsets, dot,
      cast<RankedTensorType>(layer.input.getType()).getElementType().isUnsignedInteger(), rounding.kind,
      rows.highHalves, rounding.residualZeroPoint, to.isResidualUnsigned, to.zeroPoint, to.clamp, to.rounding);
  return packed.getOutput();
}

} // namespace dyadic
