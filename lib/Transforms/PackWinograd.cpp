// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConvPanels.h"
#include "LayerPacking.h"
#include "dyadic/Support/Quantizer.h"
#include "dyadic/Support/Winograd.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

/// Fewer channels leave too little between the transforms.
static constexpr int64_t kLeastChannels = 16;

static int64_t tilesOf(const LinearLayer &layer) { return (layer.outHeight + 1) / 2 * ((layer.outWidth + 1) / 2); }

/// Tiles cost 16 products a channel where 2x2 positions cost 36; the transforms and what lies beyond odd edges must
/// leave a gain.
static bool pays(const LinearLayer &layer) {
  return 10 * tilesOf(layer) * 16 <= 7 * layer.outHeight * layer.outWidth * 9;
}

/// The same for products of 16-bit numbers, of which an instruction has half as many: by the instructions on vectors
/// that a panel takes, those of the direct kernel after its first plan. Their numbers are those of the loops; what the
/// transform of weights takes, which writes to 16 places, was measured on Zen 4.
static bool paysInWords(const LinearLayer &layer, Dot direct, int64_t xMax, int64_t panels) {
  constexpr int64_t kOutputs = 100, kTransformedInputs = 70, kTransformedWeights = 60, kEpilogue = 10;
  AccumulatorPlan plan =
      planFor(direct, ConvPanels(layer, direct).blocks(0, 0, kPanelChannels), xMax, storedBits(layer.weights));
  int64_t position = kEpilogue;
  for (auto [size, count] : llvm::zip(kGroupSizes, plan.groups))
    position += 2 * count * (2 * size + 1);
  int64_t tile = 2 * 16 * layer.channels + kOutputs + kTransformedInputs * layer.channels / 16 / panels;
  return tilesOf(layer) * tile + kTransformedWeights * layer.channels < layer.outHeight * layer.outWidth * position;
}

/// True where the layer has a 3x3 window that moves by one, and all sums of the transformed layer fit 32 bits.
static bool isCandidate(const LinearLayer &layer, StorageRange range) {
  if (layer.groups != 1 || layer.kernelHeight != 3 || layer.kernelWidth != 3 || layer.strideHeight != 1 ||
      layer.strideWidth != 1 || layer.dilationHeight != 1 || layer.dilationWidth != 1 || layer.channels % 4 != 0)
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

/// The blocks of `lanes` inputs of every panel's 9 kernel positions, as many as the channels have and a multiple of
/// `multiple` of each.
static std::vector<TapBlocks> tapBlocks(const LinearLayer &layer, int64_t panels, int64_t lanes, int64_t multiple) {
  std::vector<TapBlocks> taps;
  int64_t count = llvm::alignTo(layer.channels / lanes, multiple);
  for (int64_t panel = 0; panel < panels; ++panel)
    for (int64_t k = 0; k < 9; ++k) {
      TapBlocks &blocks = taps.emplace_back(count, std::vector<int8_t>(lanes * kPanelChannels, 0));
      for (int64_t i = 0; i < kPanelChannels && panel * kPanelChannels + i < layer.outputs; ++i)
        for (int64_t c = 0; c < layer.channels; ++c)
          blocks[c / lanes][lanes * i + c % lanes] =
              static_cast<int8_t>(layer.weight(panel * kPanelChannels + i, c, k / 3, k % 3));
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

namespace {
/// How a layer is transformed: to which numbers, and with which plans.
struct Transform {
  Dot dot;
  unsigned weightBits = 8; // as they are stored
  int64_t xMax = 0;        // of a transformed input
  int64_t center = 0, around = 0;
  std::vector<TapBlocks> taps;
  std::vector<AccumulatorPlan> plans;
  std::vector<int64_t> corrections;

  int64_t offset(int64_t p) const { return p == 5 ? center : around; }
};
} // namespace

/// Transformed inputs and weights in bytes, where all of them fit.
static std::optional<Transform> inBytes(const LinearLayer &layer, StorageRange range, Dot dot, int64_t panels) {
  if (blockInputs(dot) != 4 || 4 * (range.max - range.min) > UINT8_MAX)
    return std::nullopt;
  Transform form{dot, storedBits(layer.weights)};
  form.taps = tapBlocks(layer, panels, 4, blocksPerByte(form.weightBits));
  // Transformed inputs are unsigned, or where the instruction wants that, signed.
  int64_t shift = dot == Dot::Sdot ? INT8_MIN : 0;
  form.xMax = 4 * (range.max - range.min) + shift;
  form.center = winogradOffset(5, range.min, range.max) + shift;
  form.around = winogradOffset(0, range.min, range.max) + shift;
  form.corrections.resize(kWinogradOutputs * panels * kPanelChannels);
  for (int64_t panel = 0; panel < panels; ++panel) {
    std::optional<std::vector<TapBlocks>> positions = transformed(ArrayRef(form.taps).slice(9 * panel, 9));
    if (!positions)
      return std::nullopt;
    for (int64_t i = 0; i < kPanelChannels; ++i) {
      std::array<int64_t, kWinogradInputs> shifts{};
      for (int64_t p = 0; p < kWinogradInputs; ++p)
        for (const std::vector<int8_t> &block : (*positions)[p])
          for (int64_t k = 0; k < 4; ++k)
            shifts[p] -= form.offset(p) * block[4 * i + k];
      for (auto [o, correction] : llvm::enumerate(winogradOutput(shifts)))
        form.corrections[(static_cast<int64_t>(o) * panels + panel) * kPanelChannels + i] =
            static_cast<int32_t>(correction); // modulo 2^32
    }
    for (TapBlocks &position : *positions) {
      std::vector<WeightBlock> blocks;
      for (auto [i, block] : llvm::enumerate(position)) // those that fill up read what the last one reads
        blocks.push_back({std::min<int64_t>(4 * static_cast<int64_t>(i), layer.channels - 4), std::move(block)});
      std::optional<AccumulatorPlan> plan = dot == Dot::Maddubs
                                                ? planConsecutive(std::move(blocks), kPanelChannels, form.xMax)
                                                : planInOrder(std::move(blocks));
      if (!plan)
        return std::nullopt;
      form.plans.push_back(std::move(*plan));
    }
  }
  return form;
}

/// In 16-bit numbers, which fit always: weights of 8 bits grow by 9, inputs by 4. Nothing is shifted or corrected.
static Transform inWords(const LinearLayer &layer, StorageRange range, Dot dot, int64_t panels) {
  constexpr unsigned kTogether = 2; // blocks whose weights have registers
  int64_t lanes = blockInputs(dot);
  Transform form{dot, storedBits(layer.weights)};
  form.taps = tapBlocks(layer, panels, lanes, std::max<int64_t>(kTogether, blocksPerByte(form.weightBits)));
  form.xMax = 4 * std::max(std::abs(range.min), std::abs(range.max));
  form.corrections.resize(kWinogradOutputs * panels * kPanelChannels);
  std::vector<WeightBlock> blocks; // offsets in bytes; those that fill up read what the last one reads
  for (int64_t i = 0, count = static_cast<int64_t>(form.taps.front().size()); i < count; ++i)
    blocks.push_back({4 * std::min(i, layer.channels / lanes - 1), {}});
  form.plans.assign(panels * kWinogradInputs, planInOrder(std::move(blocks), kTogether));
  return form;
}

/// The transform of a layer that the schedule asks for or that pays, in bytes where it can be; nothing where the layer
/// is computed directly.
static std::optional<Transform> chooseTransform(LayerPacker &packer, StorageRange range, Dot bytes, Dot words) {
  const LinearLayer &layer = packer.layer;
  bool isAsked = packer.schedule.kernel == KernelSchedule::Kernel::Winograd;
  bool hasChannels = layer.channels >= kLeastChannels && layer.outputs >= kLeastChannels;
  if (packer.schedule.kernel == KernelSchedule::Kernel::Direct || (!isAsked && !hasChannels) ||
      !isCandidate(layer, range))
    return std::nullopt;
  int64_t panels = (layer.outputs + kPanelChannels - 1) / kPanelChannels;
  if (isAsked || pays(layer))
    if (std::optional<Transform> form = inBytes(layer, range, bytes, panels))
      return form;
  if (bytes == Dot::Maddubs && words == Dot::Maddwd &&
      (isAsked || paysInWords(layer, bytes, range.max + flippedBy(range, bytes), panels)))
    return inWords(layer, range, words, panels);
  return std::nullopt;
}

Value packWinograd(LayerPacker &packer, StorageRange range, Dot bytes, Dot words) {
  LinearLayer &layer = packer.layer;
  std::optional<Transform> chosen = chooseTransform(packer, range, bytes, words);
  if (!chosen)
    return {};
  const auto &[dot, weightBits, xMax, center, around, taps, plans, corrections] = *chosen;
  int64_t panels = static_cast<int64_t>(taps.size()) / 9, lanes = blockInputs(dot);
  std::vector<int64_t> weights;
  for (const TapBlocks &tap : taps)
    for (const std::vector<int8_t> &block : tap)
      llvm::append_range(weights, block);
  weights = packWeights(weights, weightBits, lanes * kPanelChannels);
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
      builder.getIntegerType(32 / static_cast<unsigned>(lanes), /*isSigned=*/multipliesWords(dot)));
  Value tiles = WinogradInputOp::create(builder, location, empty.getType(), input, empty, center, around,
                                        multipliesWords(dot) && range.min >= 0)
                    .getOutput();
  LayerPacker::Destination to = packer.destination();
  int64_t sumBound = static_cast<int64_t>(taps.size() * taps.front().size()) / panels * lanes * UINT8_MAX *
                     largestMagnitude(layer.weights.data(), layer.weights.size());
  int64_t ofChannel = 9 * layer.channels;
  StorageRange inputs = storageRange(8, /*isSigned=*/range.min < 0);
  LayerPacker::Channels rows = packer.channelRows(
      layer.bias, panels, sumBound,
      [&](int64_t p, int64_t i) {
        int64_t channel = p * kPanelChannels + i;
        return channel < layer.outputs ? channel : -1;
      },
      [&](int64_t channel) {
        return accumulatorRange(&layer.weights[channel * ofChannel], ofChannel, 0, inputs.min, inputs.max);
      });
  auto packed = PackedWinogradOp::create(
      builder, location, to.dest.getType(), tiles, packer.constant({static_cast<int64_t>(weights.size())}, 8, weights),
      packer.constant({static_cast<int64_t>(table.offsets.size())}, table.offsetWidth(), table.offsets),
      packer.constant({panels * kWinogradInputs, table.columns()}, 32, table.rows), rows.value,
      packer.constant({kWinogradOutputs, panels * kPanelChannels}, 32, corrections), to.residual, to.dest, dot,
      table.groupSizes, weightBits, xMax, range.min >= 0, packer.rounding.kind, rows.highHalves, rows.shortProducts,
      rows.sumShift, rows.residualShift, packer.rounding.residualZeroPoint, to.isResidualUnsigned, to.zeroPoint,
      to.clamp, to.rounding, packer.schedule.rows, packer.order());
  return packed.getOutput();
}

} // namespace dyadic
