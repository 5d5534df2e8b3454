// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PanelWeights.h"
#include "dyadic/Support/NarrowWeights.h"
#include "dyadic/Support/Winograd.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

static constexpr int64_t kTaps = 9;

/// Positions for which a panel is not unpacked before their loop: that costs about what unpacking in the
/// loop costs for as many.
static constexpr int64_t kFewPositions = 32;

Value narrowWeights(VectorBuilder &b, Value stored, int64_t bits, int64_t place) {
  auto type = cast<VectorType>(stored.getType());
  int64_t count = type.getNumElements() * type.getElementTypeBitWidth() / 8;
  VectorType bytes = b.vector(count, 8);
  if (bits == 8)
    return b.bitcast(stored, bytes);
  // No machine shifts bytes: what comes from the neighbours is masked.
  int64_t half = int64_t(1) << (bits - 1);
  Value shifted = b.shiftRight(b.bitcast(stored, b.vector(count / 4, 32)), place * bits);
  Value number = b.bitAnd(b.bitcast(shifted, bytes), b.splat(count, 8, 2 * half - 1));
  return b.subtract(number, b.splat(count, 8, half));
}

/// The address of half `v` of block `i`, of those whose bytes begin at `from`.
static Value halfBlock(VectorBuilder &b, Value from, Value i, int64_t v) {
  return b.address(b.address(from, b.times(i, kBlockBytes)), v * kVectorBytes);
}

void unpackPanel(VectorBuilder &b, Value stored, Value target, int64_t blocks, int64_t bits) {
  int64_t shared = blocksPerByte(static_cast<unsigned>(bits));
  b.loop(blocks / shared, [&](Value unit) {
    for (int64_t v : {0, 1}) {
      Value bytes = b.load(b.vector(kVectorBytes, 8), halfBlock(b, stored, unit, v));
      for (int64_t i = 0; i < shared; ++i)
        b.store(narrowWeights(b, bytes, bits, i),
                b.address(halfBlock(b, target, b.times(unit, shared), v), i * kBlockBytes));
    }
  });
}

/// 2G g of three lines or columns.
static std::array<Value, 4> weightTransform(VectorBuilder &b, std::array<Value, 3> g) {
  Value outer = b.add(g[0], g[2]);
  return {b.add(g[0], g[0]), b.add(outer, g[1]), b.subtract(outer, g[1]), b.add(g[2], g[2])};
}

template <typename Op> static int64_t storedBytes(Op op) {
  auto type = cast<ShapedType>(op.getWeights().getType());
  return type.getNumElements() * type.getElementTypeBitWidth() / 8;
}

template <typename Op> static int64_t countPanels(Op op) {
  return cast<ShapedType>(op.getChannels().getType()).getDimSize(1) / kPanelChannels;
}

/// Blocks of a kernel position of a panel of Winograd's convolution.
static int64_t tapBlocks(PackedWinogradOp op) {
  int64_t shared = blocksPerByte(static_cast<unsigned>(op.getWeightBits()));
  return storedBytes(op) * shared / (countPanels(op) * kTaps * kPanelChannels * blockInputs(op.getDot()));
}

int64_t winogradStride(PackedWinogradOp op) { return (tapBlocks(op) + 1) * kBlockBytes; }

void transformPanel(VectorBuilder &b, PackedWinogradOp op, Value weights, Value panel, Value target) {
  // Half a block, as it is stored: 16-bit numbers come from 8 bits.
  bool widens = multipliesWords(op.getDot());
  int64_t storedHalf = widens ? kVectorBytes / 2 : kVectorBytes, bits = static_cast<int64_t>(op.getWeightBits());
  int64_t shared = blocksPerByte(static_cast<unsigned>(bits)), units = tapBlocks(op) / shared;
  int64_t storedTap = units * 2 * storedHalf;
  Value stored = b.address(weights, b.times(panel, kTaps * storedTap));
  auto number = [&](Value tap, int64_t place) {
    Value bytes = narrowWeights(b, tap, bits, place);
    return widens ? b.extend(bytes, /*isUnsigned=*/false, 16) : bytes;
  };
  auto transform = [&](ArrayRef<Value> taps, int64_t place, Value to) {
    std::array<std::array<Value, 4>, 3> lines; // [column][line]
    for (int64_t column = 0; column < 3; ++column)
      lines[column] = weightTransform(
          b, {number(taps[column], place), number(taps[3 + column], place), number(taps[6 + column], place)});
    for (int64_t row = 0; row < 4; ++row)
      for (auto [column, u] : llvm::enumerate(weightTransform(b, {lines[0][row], lines[1][row], lines[2][row]})))
        b.store(u, b.address(to, (4 * row + static_cast<int64_t>(column)) * winogradStride(op)));
  };
  b.loop(units, [&](Value unit) {
    Value from = b.address(stored, b.times(unit, 2 * storedHalf));
    for (int64_t v : {0, 1}) {
      SmallVector<Value> taps;
      for (int64_t k = 0; k < kTaps; ++k)
        taps.push_back(b.load(b.vector(storedHalf, 8), b.address(from, v * storedHalf + k * storedTap)));
      for (int64_t i = 0; i < shared; ++i)
        transform(taps, i, b.address(halfBlock(b, target, b.times(unit, shared), v), i * kBlockBytes));
    }
  });
}

int64_t panelScratchBytes(PackedConvOp op) {
  auto output = cast<ShapedType>(op.getDest().getType());
  int64_t positions = output.getNumElements() / output.getDimSize(3), bits = static_cast<int64_t>(op.getWeightBits());
  if (bits == 8 || positions < kFewPositions)
    return 0;
  // Narrow blocks are never split: all panels have as many.
  return multipliedBytes(op) / countPanels(op);
}

int64_t panelScratchBytes(PackedWinogradOp op) { return kWinogradInputs * winogradStride(op); }

int64_t multipliedBytes(PackedConvOp op) {
  return storedBytes(op) * blocksPerByte(static_cast<unsigned>(op.getWeightBits()));
}

int64_t multipliedBytes(PackedWinogradOp op) { return panelScratchBytes(op) * countPanels(op); }

int64_t multipliedBytes(PackedFloatConvOp op) { return storedBytes(op); }

} // namespace dyadic
