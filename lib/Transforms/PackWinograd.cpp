// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayerPacking.h"
#include "dyadic/Support/Quantizer.h"
#include "dyadic/Support/Winograd.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

/// Fewer channels leave too little between the transforms.
static constexpr int64_t kLeastChannels = 16;

/// Tiles cost 16 products a channel where 2x2 positions cost 36; the transforms and what lies beyond odd edges must
/// leave a gain.
static bool pays(const LinearLayer &layer) {
  int64_t tiles = ((layer.outHeight + 1) / 2) * ((layer.outWidth + 1) / 2);
  return layer.channels >= kLeastChannels && layer.outputs >= kLeastChannels &&
         10 * tiles * 16 <= 7 * layer.outHeight * layer.outWidth * 9;
}

/// True where the layer has a 3x3 window that moves by one, and all sums of the transformed layer fit 32 bits.
static bool isCandidate(const LinearLayer &layer, StorageRange range) {
  if (layer.groups != 1 || layer.kernelHeight != 3 || layer.kernelWidth != 3 || layer.strideHeight != 1 ||
      layer.strideWidth != 1 || layer.dilationHeight != 1 || layer.dilationWidth != 1 || layer.channels % 4 != 0)
    return false;
  if (4 * (range.max - range.min) > UINT8_MAX)
    return false;
  int64_t largest = std::max(std::abs(range.min), std::abs(range.max));
  for (int64_t m = 0; m < layer.outputs; ++m) {
    int64_t sum = 0;
    for (int64_t i = 0; i < 9 * layer.channels; ++i)
      sum += std::abs(layer.weights[m * 9 * layer.channels + i]);
    if (4 * sum * largest > INT32_MAX)
      return false;
  }
  return true;
}

/// The weights of one panel and kernel position, block by block.
using TapBlocks = std::vector<std::vector<int8_t>>;

/// The blocks of every panel's 9 kernel positions, at least `channels` / 4 and a multiple of `multiple` of each.
static std::vector<TapBlocks> tapBlocks(const LinearLayer &layer, int64_t panels, int64_t multiple) {
  std::vector<TapBlocks> taps;
  int64_t count = (layer.channels / 4 + multiple - 1) / multiple * multiple;
  for (int64_t panel = 0; panel < panels; ++panel)
    for (int64_t k = 0; k < 9; ++k) {
      TapBlocks &blocks = taps.emplace_back(count, std::vector<int8_t>(4 * kPanelChannels, 0));
      for (int64_t i = 0; i < kPanelChannels && panel * kPanelChannels + i < layer.outputs; ++i)
        for (int64_t c = 0; c < layer.channels; ++c)
          blocks[c / 4][4 * i + c % 4] = static_cast<int8_t>(layer.weight(panel * kPanelChannels + i, c, k / 3, k % 3));
    }
  return taps;
}

/// The transformed blocks of a panel, position by position, or nothing where a weight leaves a byte.
static std::optional<std::vector<TapBlocks>> transformed(ArrayRef<TapBlocks> taps) {
  std::vector<TapBlocks> positions(kWinogradInputs, taps.front());
  for (size_t block = 0; block < taps.front().size(); ++block)
    for (size_t i = 0; i < 4 * kPanelChannels; ++i) {
      std::array<int64_t, 9> g;
      for (size_t k = 0; k < 9; ++k)
        g[k] = taps[k][block][i];
      for (auto [p, u] : llvm::enumerate(winogradWeights(g))) {
        if (!llvm::isInt<8>(u))
          return std::nullopt;
        positions[p][block][i] = static_cast<int8_t>(u);
      }
    }
  return positions;
}

Value packWinograd(LayerPacker &packer, StorageRange range, Dot dot) {
  LinearLayer &layer = packer.layer;
  bool isAsked = packer.schedule.kernel == KernelSchedule::Kernel::Winograd;
  if (packer.schedule.kernel == KernelSchedule::Kernel::Direct || blockInputs(dot) != 4 || (!isAsked && !pays(layer)) ||
      !isCandidate(layer, range))
    return {};
  int64_t panels = (layer.outputs + kPanelChannels - 1) / kPanelChannels;
  unsigned weightBits = storedBits(layer.weights);
  std::vector<TapBlocks> taps = tapBlocks(layer, panels, blocksPerByte(weightBits));
  // Transformed inputs are unsigned, or where the instruction wants that, signed.
  int64_t shift = dot == Dot::Sdot ? INT8_MIN : 0, xMax = 4 * (range.max - range.min) + shift;
  auto offset = [&](int64_t p) { return winogradOffset(p, range.min, range.max) + shift; };
  std::vector<AccumulatorPlan> plans;
  std::vector<int64_t> corrections(kWinogradOutputs * panels * kPanelChannels, 0);
  for (int64_t panel = 0; panel < panels; ++panel) {
    std::optional<std::vector<TapBlocks>> positions = transformed(ArrayRef(taps).slice(9 * panel, 9));
    if (!positions)
      return {};
    for (int64_t i = 0; i < kPanelChannels; ++i) {
      std::array<int64_t, kWinogradInputs> shifts{};
      for (int64_t p = 0; p < kWinogradInputs; ++p)
        for (const std::vector<int8_t> &block : (*positions)[p])
          for (int64_t k = 0; k < 4; ++k)
            shifts[p] -= offset(p) * block[4 * i + k];
      for (auto [o, correction] : llvm::enumerate(winogradOutput(shifts)))
        corrections[(static_cast<int64_t>(o) * panels + panel) * kPanelChannels + i] =
            static_cast<int32_t>(correction); // modulo 2^32
    }
    for (TapBlocks &position : *positions) {
      std::vector<WeightBlock> blocks;
      for (auto [i, block] : llvm::enumerate(position)) // those that fill up read what the last one reads
        blocks.push_back({std::min<int64_t>(4 * static_cast<int64_t>(i), layer.channels - 4), std::move(block)});
      std::optional<AccumulatorPlan> plan = dot == Dot::Maddubs
                                                ? planConsecutive(std::move(blocks), kPanelChannels, xMax)
                                                : planInOrder(std::move(blocks));
      if (!plan)
        return {};
      plans.push_back(std::move(*plan));
    }
  }
  std::vector<int64_t> weights;
  for (const TapBlocks &tap : taps)
    for (const std::vector<int8_t> &block : tap)
      llvm::append_range(weights, block);
  weights = packWeights(weights, weightBits, 4 * kPanelChannels);
  PanelTable table(plans, kWinogradInputs);

  // Whole tiles: the last line and column of odd outputs are computed and not kept.
  int64_t tilesHigh = (layer.outHeight + 1) / 2, tilesWide = (layer.outWidth + 1) / 2;
  layer.padBottom += layer.outHeight % 2;
  layer.padRight += layer.outWidth % 2;
  OpBuilder &builder = packer.builder;
  Location location = packer.location;
  Value input = packer.padded(0);
  Value empty = tensor::EmptyOp::create(
      builder, location, ArrayRef<int64_t>{layer.batch, tilesHigh, tilesWide, kWinogradInputs * layer.channels},
      builder.getIntegerType(8, /*isSigned=*/false));
  Value tiles =
      WinogradInputOp::create(builder, location, empty.getType(), input, empty, offset(5), offset(0)).getOutput();
  LayerPacker::Destination to = packer.destination();
  int64_t sumBound = static_cast<int64_t>(taps.size() * taps.front().size()) / panels * 4 * UINT8_MAX *
                     largestMagnitude(layer.weights.data(), layer.weights.size());
  int64_t ofChannel = 9 * layer.channels;
  LayerPacker::Channels rows = packer.channelRows(
      layer.bias, panels, sumBound,
      [&](int64_t p, int64_t i) {
        int64_t channel = p * kPanelChannels + i;
        return channel < layer.outputs ? channel : -1;
      },
      [&](int64_t channel) {
        return accumulatorRange(&layer.weights[channel * ofChannel], ofChannel, 0, -UINT8_MAX, UINT8_MAX);
      });
  auto packed = PackedWinogradOp::create(
      builder, location, to.dest.getType(), tiles, packer.constant({static_cast<int64_t>(weights.size())}, 8, weights),
      packer.constant({static_cast<int64_t>(table.offsets.size())}, table.offsetWidth(), table.offsets),
      packer.constant({panels * kWinogradInputs, table.columns()}, 32, table.rows), rows.value,
      packer.constant({kWinogradOutputs, panels * kPanelChannels}, 32, corrections), to.residual, to.dest, dot,
      table.groupSizes, weightBits, xMax, packer.rounding.kind, rows.highHalves, rows.shortProducts, rows.sumShift,
      rows.residualShift, packer.rounding.residualZeroPoint, to.isResidualUnsigned, to.zeroPoint, to.clamp, to.rounding,
      packer.schedule.rows, packer.order());
  return packed.getOutput();
}

} // namespace dyadic
