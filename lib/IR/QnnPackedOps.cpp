// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of the packed level. A plan of accumulators is proven here again, from the
// packed weights alone: whatever made it, a wrong one does not pass.

#include "dyadic/IR/Constants.h"
#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Support/AccumulatorPlan.h"
#include "dyadic/Support/NarrowWeights.h"
#include "dyadic/Support/Quantizer.h"
#include "dyadic/Support/ShortProducts.h"
#include "dyadic/Support/Winograd.h"

using namespace mlir;
using namespace dyadic;
using namespace dyadic::qnn;

using Effects = SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>;

static void addEffects(DestinationStyleOpInterface op, Effects &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (op.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand, SideEffects::DefaultResource::get());
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand, SideEffects::DefaultResource::get());
  }
}

void PackedConvOp::getEffects(Effects &effects) {
  addEffects(cast<DestinationStyleOpInterface>(getOperation()), effects);
}
void PackedDepthwiseOp::getEffects(Effects &effects) {
  addEffects(cast<DestinationStyleOpInterface>(getOperation()), effects);
}
void PackedWinogradOp::getEffects(Effects &effects) {
  addEffects(cast<DestinationStyleOpInterface>(getOperation()), effects);
}
void WinogradInputOp::getEffects(Effects &effects) {
  addEffects(cast<DestinationStyleOpInterface>(getOperation()), effects);
}
void PackedFloatConvOp::getEffects(Effects &effects) {
  addEffects(cast<DestinationStyleOpInterface>(getOperation()), effects);
}
void PackedFloatDepthwiseOp::getEffects(Effects &effects) {
  addEffects(cast<DestinationStyleOpInterface>(getOperation()), effects);
}

static unsigned widthOf(Value value) {
  return cast<ShapedType>(value.getType()).getElementType().getIntOrFloatBitWidth();
}

/// The bias, then what the epilogue needs.
static int64_t channelRows(Epilogue epilogue) {
  switch (epilogue) {
  case Epilogue::Store:
    return 1;
  case Epilogue::Requantize:
    return 3;
  case Epilogue::Add:
    return 4;
  case Epilogue::PRelu:
    return 5;
  }
  return 1;
}

/// Where sums widen from 16 bits, what the second of two neighbours counts.
template <typename Op> static int64_t widening(Op) { return 1; }
static int64_t widening(PackedDepthwiseOp) { return kNibbleBase; }

/// What both operations share: shapes, the numbers of the epilogue, bounds of the reads.
template <typename Op> static LogicalResult verifyPacked(Op op, int64_t panels) {
  auto shape = [](Value value) { return cast<ShapedType>(value.getType()).getShape(); };
  for (Value value : op->getOperands()) {
    auto type = cast<ShapedType>(value.getType());
    if (!type.hasStaticShape() || !isa<IntegerType>(type.getElementType()))
      return op.emitOpError() << "operand of type " << type << ", expected a static shape of integers";
  }
  if (shape(op.getInput()).size() != 4 || shape(op.getDest()).size() != 4 ||
      shape(op.getInput())[0] != shape(op.getDest())[0])
    return op.emitOpError() << "input and destination have shapes [" << shape(op.getInput()) << "] and ["
                            << shape(op.getDest()) << "], expected [N, H, W, C] and [N, OH, OW, M]";
  if (static_cast<int64_t>(op.getRows()) < 0 || static_cast<int64_t>(op.getRows()) > kMostRows)
    return op.emitOpError() << "'rows' is " << static_cast<int64_t>(op.getRows()) << ", expected 0 to " << kMostRows;
  if (op.getOutput() && op.getOutput().getType() != op.getDest().getType())
    return op.emitOpError() << "result of type " << op.getOutput().getType() << ", expected that of the destination";
  int64_t rows = channelRows(op.getEpilogue()) + (op.getShortProducts() && !hasScaledSums(op) ? 1 : 0);
  if (shape(op.getChannels()) != ArrayRef<int64_t>{rows, panels * kPanelChannels} || widthOf(op.getChannels()) != 32)
    return op.emitOpError() << "'channels' of type " << op.getChannels().getType() << ", expected " << rows << " x "
                            << panels * kPanelChannels << " 32-bit numbers";
  if ((op.getEpilogue() == Epilogue::Add) != static_cast<bool>(op.getResidual()))
    return op.emitOpError() << "needs a residual exactly where the epilogue adds";
  if (op.getResidual() && shape(op.getResidual()) != shape(op.getDest()))
    return op.emitOpError() << "residual of type " << op.getResidual().getType()
                            << ", expected the destination's shape";
  ConstantView numbers(op.getChannels());
  int64_t least = op.getHighHalves() ? kLeastHighExponent : 1, columns = panels * kPanelChannels;
  for (int64_t row = 2; numbers && row < channelRows(op.getEpilogue()); row += 2) // row 4 is there for PReLU alone
    for (int64_t i = 0; i < columns; ++i)
      if (int64_t exponent = numbers.intAt(row * columns + i); exponent < least || exponent > kMostExponent)
        return op.emitOpError() << "exponent " << exponent << ", expected one from " << least << " to "
                                << kMostExponent;
  bool stores = op.getEpilogue() == Epilogue::Store;
  if (stores ? widthOf(op.getDest()) != 32 : widthOf(op.getDest()) > 16 || op.getClamp().size() != 2)
    return op.emitOpError() << "destination of type " << op.getDest().getType()
                            << (stores ? ", expected 32-bit sums" : ", expected 8 or 16-bit numbers and 'clamp'");
  return success();
}

/// The products of the epilogue fit 32 bits, where those of a column's weights sum up to `sumsOf(column)`.
template <typename Op>
static LogicalResult verifyShortProducts(Op op, function_ref<StorageRange(int64_t column)> sumsOf) {
  bool areScaled = hasScaledSums(op), isAdd = op.getEpilogue() == Epilogue::Add;
  if (areScaled && (!op.getShortProducts() || op.getDot() != Dot::Maddubs))
    return op.emitOpError() << "'scaled_sums' with '" << stringifyDot(op.getDot()) << "'"
                            << (op.getShortProducts() ? "" : " and long products")
                            << ", expected 'maddubs' and 'short_products'";
  if (!op.getShortProducts())
    return success();
  if ((!isAdd && op.getEpilogue() != Epilogue::Requantize) || op.getRounding() != qnn::Rounding::HalfUp ||
      op.getHighHalves() || op.getSumShift() != 0 || op.getResidualShift() != 0)
    return op.emitOpError() << "'short_products' with epilogue '" << stringifyEpilogue(op.getEpilogue())
                            << "', expected requantize or add, rounded half up, without 'high_halves' and shifts";
  ConstantView view(op.getChannels());
  if (!view)
    return success();
  std::vector<int64_t> numbers = view.ints();
  int64_t columns = cast<ShapedType>(op.getChannels().getType()).getDimSize(1);
  StorageRange added;
  if (op.getResidual()) {
    added = storageRange(widthOf(op.getResidual()), !op.getResidualUnsigned());
    auto zeroPoint = static_cast<int64_t>(op.getResidualZp());
    added = {added.min - zeroPoint, added.max - zeroPoint};
  }
  for (int64_t i = 0; i < columns; ++i) {
    auto number = [&](int64_t row) { return static_cast<int32_t>(numbers[row * columns + i]); };
    int32_t m = areScaled ? static_cast<int16_t>(number(1)) : number(1), second = isAdd ? number(3) : 0, e = number(2);
    StorageRange sums = sumsOf(i);
    if (areScaled ? !fitScaledSums(sums, number(0), added, {m, second, e})
                  : !fitShortProducts({sums.min + number(0), sums.max + number(0)}, added, {m, second, e},
                                      static_cast<int64_t>(op.getZeroPoint())))
      return op.emitOpError() << "column " << i
                              << ": short products can leave 32 bits, expected fewer bits of multipliers";
    if (areScaled && number(1) >> 16 != widening(op) * m)
      return op.emitOpError() << "column " << i << ": sums widen by " << m << " and " << (number(1) >> 16)
                              << ", expected " << widening(op) << " times the first as the second";
    int64_t addend = areScaled ? 0 : shortAddend(e, static_cast<int64_t>(op.getZeroPoint()));
    if (!areScaled && number(isAdd ? 4 : 3) != addend)
      return op.emitOpError() << "column " << i << ": " << number(isAdd ? 4 : 3) << " rounds a division by 2^" << e
                              << " to a zero point of " << static_cast<int64_t>(op.getZeroPoint()) << ", expected "
                              << addend;
  }
  return success();
}

/// No number that the epilogue shifts leaves 32 bits, where the products of a channel sum up to `bound()` at most,
/// which is asked for only where something is shifted.
template <typename Op> static LogicalResult verifyShifts(Op op, function_ref<int64_t()> bound) {
  if (op.getSumShift() == 0 && op.getResidualShift() == 0)
    return success();
  auto verify = [&](uint64_t shift, int64_t bound, StringRef name) -> LogicalResult {
    if (shift == 0 || (shift < 32 && bound < int64_t(1) << (31 - shift)))
      return success();
    return op.emitOpError() << "'" << name << "' is " << static_cast<int64_t>(shift) << " for numbers up to " << bound
                            << ", expected shifted ones of 32 bits";
  };
  int64_t products = bound();
  if (ConstantView numbers(op.getChannels()); numbers) {
    std::vector<int64_t> rows = numbers.ints();
    products += largestMagnitude(rows.data(), cast<ShapedType>(op.getChannels().getType()).getDimSize(1));
  }
  if (failed(verify(op.getSumShift(), products, "sum_shift")))
    return failure();
  int64_t residual = 0;
  if (op.getResidual())
    residual = (int64_t(1) << widthOf(op.getResidual())) + std::abs(static_cast<int64_t>(op.getResidualZp()));
  return verify(op.getResidualShift(), residual, "residual_shift");
}

/// Elements from the first to the last one of an image [H, W, C], also those between where lines lie apart.
static int64_t imageElements(Value input) {
  auto type = cast<ShapedType>(input.getType());
  SmallVector<int64_t> strides;
  int64_t offset, last = 0;
  auto buffer = dyn_cast<MemRefType>(input.getType());
  if (!buffer || failed(buffer.getStridesAndOffset(strides, offset)) || llvm::any_of(strides, ShapedType::isDynamic))
    return type.getNumElements() / type.getDimSize(0);
  for (size_t d = 1; d < strides.size(); ++d)
    last += (type.getDimSize(d) - 1) * strides[d];
  return last + 1;
}

/// Channels of a block of weights.
static int64_t blockChannels(PackedConvOp op) { return op.getHalves() ? kPanelChannels / 2 : kPanelChannels; }
static int64_t blockChannels(PackedWinogradOp) { return kPanelChannels; }

/// Bits of a number of `weights`, of which several may be in it: Winograd's weights widen when they are transformed.
static unsigned weightWidth(PackedConvOp op) { return 32 / static_cast<unsigned>(blockInputs(op.getDot())); }
static unsigned weightWidth(PackedWinogradOp) { return 8; }

/// How a packed convolution's weights lie in memory: 0 and an error where that is none of the forms.
template <typename Op> static int64_t verifyWeights(Op op) {
  int64_t lanes = blockInputs(op.getDot()), bytesOfInput = 4 / lanes, bits = static_cast<int64_t>(op.getWeightBits());
  if (widthOf(op.getInput()) != 8 * bytesOfInput || widthOf(op.getWeights()) != weightWidth(op)) {
    op.emitOpError() << "input of type " << op.getInput().getType() << " and weights of type "
                     << op.getWeights().getType() << ", expected numbers of " << 8 * bytesOfInput << " and "
                     << weightWidth(op) << " bits";
    return 0;
  }
  if ((bits != 2 && bits != 4 && bits != 8) || (bits < 8 && weightWidth(op) != 8)) {
    op.emitOpError() << "weights of " << bits << " bits, expected 8, or in numbers of 8 bits 4 or 2";
    return 0;
  }
  int64_t bytes = cast<ShapedType>(op.getWeights().getType()).getNumElements(), blockSize = blockChannels(op) * lanes;
  if (bytes % blockSize != 0) {
    op.emitOpError() << bytes << " numbers of weights, expected a multiple of " << blockSize;
    return 0;
  }
  return bytes / blockSize * blocksPerByte(static_cast<unsigned>(bits));
}

/// The blocks of the operation's weights one after the other, as they are without sharing bytes.
template <typename Op> static std::vector<int64_t> blocksOf(Op op, const ConstantView &weights) {
  return unpackWeights(weights.ints(), static_cast<unsigned>(op.getWeightBits()),
                       blockChannels(op) * blockInputs(op.getDot()));
}

/// Offsets, groups and panels of a packed convolution with `rows` rows of the table; `last` is the farthest address
/// of a position, in elements of the input. `blocks` are those of all rows one after the other, empty where they are
/// not known; starts count from the first of every `rowsTogether` rows.
template <typename Op>
static LogicalResult verifyPlan(Op op, int64_t rows, int64_t last, const std::vector<int64_t> &weights,
                                int64_t rowsTogether) {
  int64_t lanes = blockInputs(op.getDot()), bytesOfInput = 4 / lanes, blockSize = blockChannels(op) * lanes;
  ArrayRef<int64_t> sizes = op.getGroupSizes();
  int64_t columns = 2 + static_cast<int64_t>(sizes.size());
  for (int64_t size : sizes)
    if (size < 1 || (size > kUnrolledGroup && (size % kUnrolledGroup != 0 || op.getDot() != Dot::Maddubs)))
      return op.emitOpError() << "groups of " << size << " blocks, expected at most " << kUnrolledGroup
                              << ", with maddubs also multiples of it";
  if (widthOf(op.getOffsets()) != 16 && widthOf(op.getOffsets()) != 32)
    return op.emitOpError() << "offsets of type " << op.getOffsets().getType() << ", expected 16 or 32-bit numbers";
  // Buffers come from constants that were proven as tensors.
  ConstantView offsets(op.getOffsets()), table(op.getPanels());
  if (weights.empty() || !offsets || !table)
    return success();
  int64_t elements = imageElements(op.getInput());
  for (int64_t i = 0; i < offsets.size(); ++i)
    if (offsets.intAt(i) < 0 || last * bytesOfInput + offsets.intAt(i) + 4 > elements * bytesOfInput)
      return op.emitOpError() << "offset " << offsets.intAt(i) << " reads beyond the input";
  std::vector<int8_t> bytes(weights.begin(), weights.end());
  int64_t next = 0, start = 0, blocks = static_cast<int64_t>(weights.size()) / blockSize;
  for (int64_t p = 0; p < rows; ++p) {
    if (p % rowsTogether == 0)
      start = next;
    int64_t first = table.intAt(columns * p), offset = table.intAt(columns * p + 1), firstBlock = next;
    if (first != next - start)
      return op.emitOpError() << "panel " << p << " starts at block " << first << ", expected " << next - start;
    for (auto [level, size] : llvm::enumerate(sizes))
      for (int64_t g = 0; g < table.intAt(columns * p + 2 + static_cast<int64_t>(level)); ++g) {
        if (next + size > blocks)
          return op.emitOpError() << "panel " << p << " has more blocks than there are weights";
        if (op.getDot() == Dot::Maddubs &&
            !fitsSixteenBits(bytes.data() + next * blockSize, static_cast<unsigned>(size), blockChannels(op),
                             static_cast<int64_t>(op.getXMax())))
          return op.emitOpError() << "panel " << p << ": the sum of " << 2 * size
                                  << " products can leave 16 bits, expected smaller groups";
        next += size;
      }
    if (offset < 0 || offset + next - firstBlock > offsets.size())
      return op.emitOpError() << "panel " << p << " has more blocks than there are offsets";
  }
  if (next != blocks)
    return op.emitOpError() << next << " blocks in panels, expected " << blocks << " as there are weights";
  return success();
}

/// Rows of the table of panels.
template <typename Op> static int64_t tableRows(Op op) {
  return cast<ShapedType>(op.getPanels().getType()).getNumElements() /
         (2 + static_cast<int64_t>(op.getGroupSizes().size()));
}

/// The blocks of the row of the table that has most of them.
static int64_t mostBlocks(PackedConvOp op) {
  ConstantView table(op.getPanels());
  int64_t most = 0, columns = 2 + static_cast<int64_t>(op.getGroupSizes().size());
  for (int64_t row = 0; table && row < tableRows(op); ++row) {
    int64_t blocks = 0;
    for (auto [level, size] : llvm::enumerate(op.getGroupSizes()))
      blocks += size * table.intAt(columns * row + 2 + static_cast<int64_t>(level));
    most = std::max(most, blocks);
  }
  return most;
}

/// Adds the products of `weight` with all numbers in `inputs`.
static void addProducts(StorageRange &sum, int64_t weight, StorageRange inputs) {
  sum.min += weight * (weight < 0 ? inputs.max : inputs.min);
  sum.max += weight * (weight < 0 ? inputs.min : inputs.max);
}

/// The sums of each column's products, for all inputs that the dot multiplies.
static std::vector<StorageRange> columnSums(PackedConvOp op, const std::vector<int64_t> &blocks) {
  ConstantView table(op.getPanels());
  int64_t channels = blockChannels(op), lanes = blockInputs(op.getDot()),
          columns = 2 + static_cast<int64_t>(op.getGroupSizes().size());
  StorageRange inputs = multipliedInputs(op.getDot(), static_cast<int64_t>(op.getXMax()));
  std::vector<StorageRange> sums(cast<ShapedType>(op.getChannels().getType()).getDimSize(1));
  const int64_t *block = blocks.data();
  for (int64_t row = 0; table && row < tableRows(op); ++row)
    for (auto [level, size] : llvm::enumerate(op.getGroupSizes()))
      for (int64_t i = 0, n = size * table.intAt(columns * row + 2 + static_cast<int64_t>(level)); i < n; ++i) {
        for (int64_t c = 0; c < channels; ++c)
          for (int64_t k = 0; k < lanes; ++k)
            addProducts(sums[row * channels + c], block[blockWeight(op.getDot(), c, k)], inputs);
        block += channels * lanes;
      }
  return sums;
}

LogicalResult PackedConvOp::verify() {
  int64_t rows = tableRows(*this), rowsOfPanel = kPanelChannels / blockChannels(*this), panels = rows / rowsOfPanel;
  if (rows % rowsOfPanel != 0)
    return emitOpError() << rows << " rows of panels, expected one for each half";
  if (failed(verifyPacked(*this, panels)))
    return failure();
  if (getHalves() && (getWeightBits() != 8 || getDot() == Dot::Mlal))
    return emitOpError() << "'halves' with weights of " << getWeightBits() << " bits and '" << stringifyDot(getDot())
                         << "', expected 8 and a dot of whole registers";
  if (getGroups() == 0 || panels % static_cast<int64_t>(getGroups()) != 0)
    return emitOpError() << panels << " panels for " << getGroups() << " groups";
  if (verifyWeights(*this) == 0)
    return failure();
  int64_t shared = blocksPerByte(static_cast<unsigned>(getWeightBits()));
  for (int64_t size : getGroupSizes())
    if (size % shared != 0)
      return emitOpError() << "groups of " << size << " blocks, expected multiples of " << shared
                           << ", which share their bytes";
  ConstantView weights(getWeights());
  auto output = cast<ShapedType>(getDest().getType()).getShape();
  int64_t last = (output[1] - 1) * static_cast<int64_t>(getLine()) + (output[2] - 1) * static_cast<int64_t>(getPixel());
  std::vector<int64_t> blocks;
  if (weights)
    blocks = blocksOf(*this, weights);
  if (failed(verifyPlan(*this, rows, last, blocks, rows)))
    return failure();
  if ((getShortProducts() || getScaledSums()) && !blocks.empty()) {
    std::vector<StorageRange> sums = columnSums(*this, blocks);
    return verifyShortProducts(*this, [&](int64_t column) { return sums[column]; });
  }
  return verifyShifts(*this, [&] {
    return mostBlocks(*this) * blockInputs(getDot()) * largestInput(getDot(), static_cast<int64_t>(getXMax())) *
           largestMagnitude(blocks.data(), blocks.size());
  });
}

static ArrayRef<int64_t> shapeOf(Value value) { return cast<ShapedType>(value.getType()).getShape(); }

LogicalResult WinogradInputOp::verify() {
  ArrayRef<int64_t> input = shapeOf(getInput()), tiles = shapeOf(getDest());
  bool fits = input.size() == 4 && tiles.size() == 4 && input[0] == tiles[0] && 2 * tiles[1] + 2 <= input[1] &&
              2 * tiles[2] + 2 <= input[2] && tiles[3] == kWinogradInputs * input[3];
  if (!fits)
    return emitOpError() << "input and destination have shapes [" << input << "] and [" << tiles
                         << "], expected [N, H, W, C] and [N, TH, TW, 16 * C] with H >= 2 TH + 2 and W >= 2 TW + 2";
  if (widthOf(getInput()) != 8 || (widthOf(getDest()) != 8 && widthOf(getDest()) != 16))
    return emitOpError() << "numbers of " << widthOf(getInput()) << " and " << widthOf(getDest())
                         << " bits, expected 8, and 8 or 16";
  return success();
}

/// The blocks of all rows of the table: those of the convolution's weights, transformed. False where one
/// leaves `width` bits.
static bool transformBlocks(ArrayRef<int64_t> blocks, int64_t panels, unsigned width, std::vector<int64_t> &result) {
  constexpr int64_t kTaps = 9;
  int64_t positionSize = static_cast<int64_t>(blocks.size()) / (panels * kTaps); // numbers of a tap of a panel
  result.resize(panels * kWinogradInputs * positionSize);
  for (int64_t panel = 0; panel < panels; ++panel)
    for (int64_t i = 0; i < positionSize; ++i) {
      std::array<int64_t, kTaps> g;
      for (int64_t k = 0; k < kTaps; ++k)
        g[k] = blocks[(panel * kTaps + k) * positionSize + i];
      for (auto [p, u] : llvm::enumerate(winogradWeights(g))) {
        if (!llvm::isIntN(width, u))
          return false;
        result[(panel * kWinogradInputs + static_cast<int64_t>(p)) * positionSize + i] = u;
      }
    }
  return true;
}

LogicalResult PackedWinogradOp::verify() {
  int64_t rows = tableRows(*this), panels = rows / kWinogradInputs;
  if (failed(verifyPacked(*this, panels)))
    return failure();
  ArrayRef<int64_t> tiles = shapeOf(getInput()), output = shapeOf(getDest());
  if (rows % kWinogradInputs != 0 || tiles[3] % kWinogradInputs != 0 || tiles[1] != (output[1] + 1) / 2 ||
      tiles[2] != (output[2] + 1) / 2)
    return emitOpError() << "tiles of shape [" << tiles << "] with " << rows << " rows of panels for a destination ["
                         << output << "], expected one tile for 2x2 positions and 16 rows a panel";
  if (shapeOf(getCorrections()) != ArrayRef<int64_t>{kWinogradOutputs, panels * kPanelChannels} ||
      widthOf(getCorrections()) != 32)
    return emitOpError() << "'corrections' of type " << getCorrections().getType() << ", expected " << kWinogradOutputs
                         << " x " << panels * kPanelChannels << " 32-bit numbers";
  int64_t channels = tiles[3] / kWinogradInputs, blocks = verifyWeights(*this);
  if (blocks == 0)
    return failure();
  if (multipliesWords(getDot()) && getDot() != Dot::Maddwd)
    return emitOpError() << "multiplies by '" << stringifyDot(getDot())
                         << "', expected maddwd or an instruction for 8-bit numbers";
  if (panels == 0 || blocks % (panels * 9 * blocksPerByte(static_cast<unsigned>(getWeightBits()))) != 0)
    return emitOpError() << blocks << " blocks of weights, expected as many for each of 9 positions of " << panels
                         << " panels";
  std::vector<int64_t> untransformed, transformed;
  if (ConstantView weights(getWeights()); weights)
    untransformed = blocksOf(*this, weights);
  int64_t lanes = blockInputs(getDot());
  if (!transformBlocks(untransformed, panels, widthOf(getInput()), transformed))
    return emitOpError() << "transformed weights leave " << widthOf(getInput()) << " bits, expected smaller ones";
  if (getShortProducts() && !untransformed.empty() && failed(verifyShortProducts(*this, [&](int64_t column) {
        StorageRange sums, inputs = storageRange(8, /*isSigned=*/!getInputUnsigned());
        int64_t ofPanel = static_cast<int64_t>(untransformed.size()) / panels;
        const int64_t *first = &untransformed[column / kPanelChannels * ofPanel + lanes * (column % kPanelChannels)];
        for (int64_t i = 0; i < ofPanel; i += lanes * kPanelChannels)
          for (int64_t k = 0; k < lanes; ++k)
            addProducts(sums, first[i + k], inputs);
        return sums;
      })))
    return failure();
  if (failed(verifyShifts(*this, [&] {
        return blocks / panels * lanes * UINT8_MAX * largestMagnitude(untransformed.data(), untransformed.size());
      })))
    return failure();
  return verifyPlan(*this, rows, (tiles[1] * tiles[2] - 1) * tiles[3] + (kWinogradInputs - 1) * channels, transformed,
                    kWinogradInputs);
}

/// The sums of products of every column of `channels`, of weights in the order of the instruction; of words `bound`,
/// which none exceeds.
static std::vector<StorageRange> columnSums(PackedDepthwiseOp op, const std::vector<int64_t> &weights, int64_t bound) {
  auto columns = cast<ShapedType>(op.getChannels().getType()).getDimSize(1);
  std::vector<StorageRange> sums(columns);
  auto taps = static_cast<int64_t>(op.getOffsets().size()), count = static_cast<int64_t>(weights.size());
  if (!isOfBytes(op.getDot())) {
    std::fill(sums.begin(), sums.end(), StorageRange{-bound, bound});
    return sums;
  }
  bool arePairs = op.getDot() == Dot::Maddubs;
  int64_t columnOf[kByteDepthwiseChannels], together = positionsTogether(op.getDot());
  for (int64_t i = 0; i < kByteDepthwiseChannels; ++i)
    for (int64_t j = 0; j < kByteDepthwiseChannels; ++j)
      if (byteDepthwiseChannel(j) == (arePairs ? pairDepthwiseChannel(i) : byteDepthwiseChannel(i)))
        columnOf[i] = j;
  int64_t planes = count / (columns * taps), vector = kByteDepthwiseChannels * together;
  for (int64_t v = 0; v * planes * vector < count; ++v) // of `together` positions of a panel
    for (int64_t i = 0; i < vector; ++i) {
      int64_t weight = 0;
      for (int64_t plane = planes - 1; plane >= 0; --plane)
        weight = weight * kNibbleBase + weights[(v * planes + plane) * vector + i];
      addProducts(sums[v * together / taps * kByteDepthwiseChannels + columnOf[i / together]], weight, {0, UINT8_MAX});
    }
  return sums;
}

LogicalResult PackedDepthwiseOp::verify() {
  auto input = cast<ShapedType>(getInput().getType()), output = cast<ShapedType>(getDest().getType());
  if (input.getRank() != 4 || output.getRank() != 4 || input.getDimSize(3) != output.getDimSize(3))
    return emitOpError() << "input of type " << input << " and destination of type " << output
                         << ", expected as many channels";
  bool areBytes = isOfBytes(getDot());
  if (!areBytes && !multipliesWords(getDot()))
    return emitOpError() << "multiplies by '" << stringifyDot(getDot())
                         << "', expected maddubs, dpbusd or an instruction for 16-bit numbers";
  int64_t panelSize = areBytes ? kByteDepthwiseChannels : kPanelChannels, together = positionsTogether(getDot());
  int64_t columns = (output.getDimSize(3) + panelSize - 1) / panelSize * panelSize;
  if (failed(verifyPacked(*this, columns / kPanelChannels)))
    return failure();
  if (areBytes && (widthOf(getInput()) != 8 || widthOf(getDest()) != 8 || getResidual()))
    return emitOpError() << "multiplies bytes, expected input and destination of 8-bit numbers and no residual";
  auto taps = static_cast<int64_t>(getOffsets().size());
  if (taps % together != 0)
    return emitOpError() << taps << " offsets, expected " << (together == 4 ? "fours" : "pairs");
  int64_t width = areBytes ? 8 : 16, count = cast<ShapedType>(getWeights().getType()).getNumElements();
  bool areNibbles = getDot() == Dot::Maddubs;
  if ((count != columns * taps && !(areNibbles && count == 2 * columns * taps)) || widthOf(getWeights()) != width)
    return emitOpError() << "weights of type " << getWeights().getType() << ", expected " << columns * taps
                         << (areNibbles ? " (or two for each) " : " ") << width << "-bit numbers";
  std::vector<int64_t> weights;
  if (ConstantView view(getWeights()); view)
    weights = view.ints();
  int64_t largest = largestMagnitude(weights.data(), weights.size());
  if (areNibbles && largest > kLargestNibble)
    return emitOpError() << "a nibble of a weight is " << largest << " in magnitude, expected at most "
                         << kLargestNibble;
  if (areNibbles && count > columns * taps)
    largest *= kNibbleBase + 1;
  auto bound = [&] { return taps * (widthOf(getInput()) == 8 ? UINT8_MAX : int64_t(1) << 15) * largest; };
  std::vector<StorageRange> sums = columnSums(*this, weights, bound());
  if (failed(verifyShortProducts(*this, [&](int64_t column) { return sums[column]; })) ||
      failed(verifyShifts(*this, bound)))
    return failure();
  int64_t image = imageElements(getInput());
  int64_t last = (output.getDimSize(1) - 1) * static_cast<int64_t>(getLine()) +
                 (output.getDimSize(2) - 1) * static_cast<int64_t>(getPixel()) + output.getDimSize(3);
  for (auto [i, offset] : llvm::enumerate(getOffsets()))
    if (offset < (i % together ? -1 : 0) || last + offset > image)
      return emitOpError() << "offset " << offset << " reads beyond the input";
  return success();
}
