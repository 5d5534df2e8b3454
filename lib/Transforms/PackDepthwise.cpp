// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayerPacking.h"
#include "dyadic/Support/Quantizer.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

/// A kernel is unrolled: beyond so many positions it stays a loop.
static constexpr int64_t kMostTaps = 64;

namespace {
/// A position of the kernel, and the distance of its input.
struct Tap {
  int64_t kh, kw, offset;
};
} // namespace

/// The kernel's positions column by column, filled up to a multiple of `together` with some whose offset is
/// -1. Those above each other go together: neighbours along the line share them. Of bytes two by two the last line's
/// go with each other. A position has `channels` channels.
static std::vector<Tap> tapsOf(const LinearLayer &layer, int64_t channels, Dot dot) {
  std::vector<Tap> taps;
  int64_t together = positionsTogether(dot), lineSize = layer.width * layer.channels;
  int64_t high =
      dot == Dot::Maddubs ? layer.kernelHeight / together * together : llvm::alignTo(layer.kernelHeight, together);
  auto push = [&](int64_t kh, int64_t kw) {
    bool exists = kh < layer.kernelHeight && kw < layer.kernelWidth;
    int64_t offset = kh * layer.dilationHeight * lineSize + kw * layer.dilationWidth * channels;
    taps.push_back({kh, kw, exists ? offset : -1});
  };
  for (int64_t kw = 0; kw < layer.kernelWidth; ++kw)
    for (int64_t kh = 0; kh < high; ++kh)
      push(kh, kw);
  if (high < layer.kernelHeight)
    for (uint64_t kw = 0; kw < llvm::alignTo(layer.kernelWidth, together); ++kw)
      push(layer.kernelHeight - 1, static_cast<int64_t>(kw));
  return taps;
}

/// The nibbles of `weights` in the order of `packed_depthwise`, 64 a pair of positions: a weight is 16 h + l.
static std::vector<int64_t> nibblesOf(ArrayRef<int64_t> weights) {
  constexpr size_t kPair = 2 * kByteDepthwiseChannels;
  bool areNarrow = llvm::all_of(weights, llvm::isInt<4>);
  std::vector<int64_t> nibbles;
  for (; !weights.empty(); weights = weights.drop_front(kPair)) {
    ArrayRef<int64_t> pair = weights.take_front(kPair);
    std::vector<int64_t> high;
    for (int64_t w : pair)
      high.push_back(areNarrow ? 0 : llvm::divideFloorSigned(w + kLargestNibble, kNibbleBase));
    for (auto [w, h] : llvm::zip(pair, high))
      nibbles.push_back(w - kNibbleBase * h);
    if (!areNarrow)
      llvm::append_range(nibbles, high);
  }
  return nibbles;
}

/// True where `dot` multiplies bytes and the results of 32 channels are narrowed to bytes at once.
static bool isForBytes(const LayerPacker &packer, Dot dot) {
  if (!isOfBytes(dot) || (packer.rounding.kind != Epilogue::Requantize && packer.rounding.kind != Epilogue::PRelu))
    return false;
  auto type = cast<RankedTensorType>(packer.rounding.op->getResult(0).getType());
  return type.getElementType().getIntOrFloatBitWidth() == 8;
}

/// Neighbouring positions become one with the channels of all, where these fill a panel up: the window moves by one, so
/// they read what lies side by side.
static void joinPositions(LinearLayer &layer) {
  int64_t joined = kByteDepthwiseChannels / layer.channels;
  if (joined < 2 || kByteDepthwiseChannels % layer.channels != 0 || layer.strideWidth != 1 ||
      layer.outWidth % joined != 0 || layer.width % joined != 0)
    return;
  layer.channels *= joined;
  layer.outputs *= joined;
  layer.groups *= joined;
  layer.width /= joined;
  layer.outWidth /= joined;
}

Value packDepthwise(LayerPacker &packer, StorageRange range, Dot bytes, Dot words) {
  LinearLayer &layer = packer.layer;
  const RoundedBy &rounding = packer.rounding;
  OpBuilder &builder = packer.builder;
  if (layer.kernelHeight * layer.kernelWidth > kMostTaps)
    return {};
  bool areBytes = isForBytes(packer, bytes);
  Dot dot = areBytes ? bytes : words;
  Type element = cast<RankedTensorType>(layer.input.getType()).getElementType();
  Value input = packer.padded(0);
  const int64_t channels = layer.channels; // of a position; a joined one has each several times
  std::vector<int64_t> bias = layer.bias;
  if (areBytes && range.min < 0) // the kernel inverts the sign bit, which adds 128
    for (int64_t c = 0; c < channels; ++c)
      bias[c] = static_cast<int32_t>(bias[c] - 128 * layer.weightSum(c)); // modulo 2^32, as the kernel sums
  if (areBytes) {
    joinPositions(layer);
    input = packer.shaped(input, {layer.batch, layer.height, layer.width, layer.channels});
  }
  int64_t panelSize = areBytes ? kByteDepthwiseChannels : kPanelChannels, together = positionsTogether(dot);
  int64_t panels = (layer.channels + panelSize - 1) / panelSize;
  std::vector<Tap> taps = tapsOf(layer, channels, dot);
  std::vector<int64_t> offsets, weights;
  for (const Tap &tap : taps)
    offsets.push_back(tap.offset);
  auto pushWeight = [&](int64_t c, const Tap &tap) {
    weights.push_back(c < layer.channels && tap.offset >= 0 ? layer.weight(c % channels, 0, tap.kh, tap.kw) : 0);
  };
  static constexpr int64_t kOrder[kPanelChannels] = {0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15};
  // Channels in the order of the instruction, each with the weights that go together; of `mlal` tap by tap.
  auto channelAt = [&](int64_t i) {
    switch (dot) {
    case Dot::Dpbusd:
      return byteDepthwiseChannel(i);
    case Dot::Maddubs:
      return pairDepthwiseChannel(i);
    case Dot::Mlal:
      return i;
    default:
      return kOrder[i];
    }
  };
  size_t step = dot == Dot::Mlal ? 1 : together;
  for (int64_t p = 0; p < panels; ++p)
    for (size_t t = 0; t < taps.size(); t += step)
      for (int64_t i = 0; i < panelSize; ++i)
        for (size_t k = 0; k < step; ++k)
          pushWeight(p * panelSize + channelAt(i), taps[t + k]);
  int64_t largest = largestMagnitude(weights.data(), weights.size());
  if (dot == Dot::Maddubs) {
    weights = nibblesOf(weights);
    largest = (kNibbleBase + 1) * kLargestNibble;
  }
  LayerPacker::Destination to = packer.destination();
  int64_t largestInput = element.getIntOrFloatBitWidth() == 8 ? UINT8_MAX : int64_t(1) << 15;
  int64_t sumBound = static_cast<int64_t>(taps.size()) * largestInput * largest;
  auto channelOf = [&](int64_t p, int64_t i) {
    int64_t place = p * kPanelChannels + i;
    int64_t channel = areBytes ? place / panelSize * panelSize + byteDepthwiseChannel(place % panelSize) : place;
    return channel < layer.channels ? channel % channels : -1;
  };
  auto sumsOf = [&](int64_t channel) {
    std::vector<int64_t> ofChannel;
    for (const Tap &tap : taps)
      if (tap.offset >= 0)
        ofChannel.push_back(layer.weight(channel, 0, tap.kh, tap.kw));
    return accumulatorRange(ofChannel.data(), ofChannel.size(), 0, areBytes ? 0 : -largestInput, largestInput);
  };
  LayerPacker::Channels rows = packer.channelRows(bias, panels * panelSize / kPanelChannels, sumBound, channelOf,
                                                  sumsOf, dot == Dot::Maddubs ? kNibbleBase : 0);
  auto packed = PackedDepthwiseOp::create(
      builder, packer.location, to.dest.getType(), input,
      packer.constant({static_cast<int64_t>(weights.size())}, areBytes ? 8 : 16, weights), rows.value, to.residual,
      to.dest, layer.strideHeight * layer.width * layer.channels, layer.strideWidth * layer.channels, offsets, dot,
      areBytes ? range.min >= 0 : element.isUnsignedInteger(), rounding.kind, rows.highHalves, rows.shortProducts,
      rows.scaledSums, rows.sumShift, rows.residualShift, rounding.residualZeroPoint, to.isResidualUnsigned,
      to.zeroPoint, to.clamp, to.rounding, packer.schedule.rows);
  return packed.getOutput();
}

} // namespace dyadic
