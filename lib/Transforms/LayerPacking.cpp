// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayerPacking.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/Support/Quantizer.h"
#include "dyadic/Support/ShortProducts.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <map>

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

PanelTable::PanelTable(ArrayRef<AccumulatorPlan> plans, size_t rowsTogether) {
  for (auto [level, size] : llvm::enumerate(kGroupSizes))
    if (llvm::any_of(plans, [&, level = level](const AccumulatorPlan &plan) { return plan.groups[level] > 0; }))
      groupSizes.push_back(size);
  std::map<std::vector<int64_t>, int64_t> starts; // equal lists are stored once
  int64_t block = 0;
  for (auto [row, plan] : llvm::enumerate(plans)) {
    if (rowsTogether != 0 && row % rowsTogether == 0)
      block = 0;
    std::vector<int64_t> list;
    for (const WeightBlock &of : plan.blocks)
      list.push_back(of.offset);
    auto [start, isNew] = starts.try_emplace(list, static_cast<int64_t>(offsets.size()));
    if (isNew)
      llvm::append_range(offsets, list);
    llvm::append_range(rows, ArrayRef<int64_t>{block, start->second});
    for (auto [level, size] : llvm::enumerate(kGroupSizes))
      if (llvm::is_contained(groupSizes, size))
        rows.push_back(plan.groups[level]);
    block += static_cast<int64_t>(list.size());
  }
}

AccumulatorPlan planFor(Dot dot, std::vector<WeightBlock> blocks, int64_t xMax, unsigned weightBits, int64_t channels) {
  auto leastGroup = static_cast<unsigned>(blocksPerByte(weightBits));
  return dot == Dot::Maddubs ? planAccumulator(std::move(blocks), channels, xMax, leastGroup)
                             : planInOrder(std::move(blocks), leastGroup);
}

Location locationOf(OpBuilder &builder, ArrayRef<Operation *> ops) {
  SmallVector<Location> locations;
  for (Operation *op : ops)
    if (op)
      if (StringAttr id = servedId(op))
        locations.push_back(FusedLoc::get(builder.getContext(), {op->getLoc()}, id));
  return locations.empty() ? ops.front()->getLoc() : FusedLoc::get(builder.getContext(), locations);
}

Value shaped(OpBuilder &builder, Location location, Value value, ArrayRef<int64_t> shape) {
  RankedTensorType type = typeOf(value);
  return type.getShape() == shape ? value
                                  : ReshapeOp::create(builder, location, type.clone(shape), value, StringAttr());
}

Value padded(OpBuilder &builder, Location location, LinearGeometry &layer, int64_t zeroPoint, int64_t slack) {
  Type element = typeOf(layer.input).getElementType();
  int64_t more = (slack + layer.channels - 1) / layer.channels;
  if (layer.hasPads() || more > 0) {
    // Lines as one dimension: a border of them is contiguous.
    Value lines = shaped(builder, location, layer.input, {layer.batch, layer.height, layer.width * layer.channels});
    layer.height += layer.padTop + layer.padBottom;
    layer.width += layer.padLeft + layer.padRight + more;
    auto type = RankedTensorType::get({layer.batch, layer.height, layer.width * layer.channels}, element);
    IntegerAttr border = isa<FloatType>(element) ? IntegerAttr() : builder.getI64IntegerAttr(zeroPoint);
    layer.input = PadOp::create(builder, location, type, lines,
                                ArrayRef<int64_t>{0, layer.padTop, layer.padLeft * layer.channels},
                                ArrayRef<int64_t>{0, layer.padBottom, (layer.padRight + more) * layer.channels},
                                llvm::APFloat(0.0f), border, StringAttr());
  }
  return shaped(builder, location, layer.input, {layer.batch, layer.height, layer.width, layer.channels});
}

LayerPacker::LayerPacker(OpBuilder &builder, LinearLayer &layer, const RoundedBy &rounding, KernelSchedule schedule)
    : builder(builder), layer(layer), rounding(rounding), location(locationOf(builder, {layer.op, rounding.op})),
      schedule(schedule) {}

LoopOrder LayerPacker::order() const {
  switch (schedule.order) {
  case KernelSchedule::Order::Auto:
    return LoopOrder::Auto;
  case KernelSchedule::Order::Lines:
    return LoopOrder::Lines;
  case KernelSchedule::Order::Panels:
    return LoopOrder::Panels;
  }
  return LoopOrder::Auto;
}

int64_t LayerPacker::rows(bool halves) const {
  if (schedule.rows != 0)
    return schedule.rows;
  return halves ? std::min(2 * usualRows, kMostRows) : usualRows;
}

Value LayerPacker::constant(ArrayRef<int64_t> shape, unsigned width, ArrayRef<int64_t> values) {
  return makeConstant(builder, location, makeInts(RankedTensorType::get(shape, builder.getIntegerType(width)), values));
}

/// Multiplies `numbers` by 2^shift where none leaves 32 bits.
static bool shiftNumbers(MutableArrayRef<int64_t> numbers, int64_t shift) {
  if (llvm::any_of(numbers, [&](int64_t number) { return !llvm::isInt<32>(number << shift); }))
    return false;
  for (int64_t &number : numbers)
    number <<= shift;
  return true;
}

/// Shifts what is multiplied, or its multipliers, so that no exponent is below kLeastHighExponent: both sides of the
/// division by 2^e grow. `columns` numbers make a row; `bounds` are those of the sums and of the residual. False, and
/// nothing has changed, where a shift leaves 32 bits.
static bool raiseExponents(std::vector<int64_t> &numbers, int64_t columns, Epilogue kind, std::array<int64_t, 2> bounds,
                           LayerPacker::Channels &channels) {
  std::vector<int64_t> raised = numbers;
  auto row = [&](int64_t r) { return MutableArrayRef<int64_t>(raised).slice(r * columns, columns); };
  std::vector<int64_t> exponents(row(2).begin(), row(2).end());
  if (kind == Epilogue::PRelu)
    llvm::append_range(exponents, row(4));
  int64_t shift = kLeastHighExponent - *llvm::min_element(exponents);
  if (shift <= 0)
    return true;
  if (*llvm::max_element(exponents) + shift > kMostExponent)
    return false;
  int64_t shifts[2] = {0, 0};
  auto shiftOperand = [&](size_t operand, int64_t multiplierRow) {
    if (kind == Epilogue::Add && shiftNumbers(row(multiplierRow), shift))
      return true;
    shifts[operand] = shift;
    return llvm::isInt<32>(bounds[operand] << shift);
  };
  if (!shiftOperand(0, 1) || (kind == Epilogue::Add && !shiftOperand(1, 3)))
    return false;
  for (int64_t r : {2, 4})
    if (r * columns < static_cast<int64_t>(raised.size()))
      for (int64_t &exponent : row(r))
        exponent += shift;
  numbers = std::move(raised);
  channels.sumShift = shifts[0];
  channels.residualShift = shifts[1];
  return true;
}

static qnn::Rounding roundingOf(Operation *op) { return op->getAttrOfType<RoundingAttr>("rounding").getValue(); }

/// Makes rows of short products of those of a requantization or addition. False, and nothing has changed, where a
/// column's do not fit 32 bits. `sumsOf` has the sums of a column's products, `added` is what an addition adds.
static bool shortenRows(std::vector<int64_t> &numbers, int64_t columns, Epilogue kind,
                        function_ref<StorageRange(int64_t)> sumsOf, StorageRange added, int64_t zeroPoint) {
  std::vector<int64_t> rows = numbers;
  rows.resize(numbers.size() + columns);
  auto number = [&](int64_t row, int64_t column) -> int64_t & { return rows[row * columns + column]; };
  for (int64_t i = 0; i < columns; ++i) {
    int64_t second = kind == Epilogue::Add ? number(3, i) : 0;
    MultiplierPair f =
        reduced({static_cast<int32_t>(number(1, i)), static_cast<int32_t>(second), static_cast<int32_t>(number(2, i))});
    StorageRange sums = sumsOf(i);
    if (!fitShortProducts({sums.min + number(0, i), sums.max + number(0, i)}, added, f, zeroPoint))
      return false;
    number(1, i) = f.m1;
    number(2, i) = f.e;
    if (kind == Epilogue::Add)
      number(3, i) = f.m2;
    rows[numbers.size() + i] = shortAddend(f.e, zeroPoint);
  }
  numbers = std::move(rows);
  return true;
}

/// Makes rows of scaled sums of those of short products: false, and nothing has changed, where a multiplier has too
/// many bits to be one of two numbers of 16 bits, the second `widening` times the first.
static bool scaleRows(std::vector<int64_t> &numbers, int64_t columns, int64_t widening) {
  ArrayRef<int64_t> multipliers = ArrayRef(numbers).slice(columns, columns),
                    addends = ArrayRef(numbers).take_back(columns);
  if (widening == 0 || llvm::any_of(multipliers, [&](int64_t m) { return m < 0 || m * widening > INT16_MAX; }))
    return false;
  for (int64_t i = 0; i < columns; ++i) {
    numbers[i] = numbers[i] * multipliers[i] + addends[i];
    numbers[columns + i] *= 1 + (widening << 16);
  }
  numbers.resize(numbers.size() - columns);
  return true;
}

LayerPacker::Channels LayerPacker::channelRows(ArrayRef<int64_t> bias, int64_t panels, int64_t sumBound,
                                               function_ref<int64_t(int64_t, int64_t)> channelOf,
                                               function_ref<StorageRange(int64_t)> sumsOf, int64_t widening) {
  int64_t rows = 1 + static_cast<int64_t>(rounding.rows.size()), columns = panels * kPanelChannels;
  std::vector<int64_t> numbers(rows * columns, 0);
  for (int64_t r = 0; r < rows; ++r) {
    bool isExponent = r == 2 || r == 4;
    std::vector<int64_t> values;
    if (r > 0)
      for (int32_t value : rounding.rows[r - 1].getValues<int32_t>())
        values.push_back(value);
    for (int64_t p = 0; p < panels; ++p) {
      for (int64_t i = 0; i < kPanelChannels; ++i) {
        int64_t channel = channelOf(p, i);
        int64_t &number = numbers[r * columns + p * kPanelChannels + i];
        if (isExponent)
          number = kLeastHighExponent; // of channels that are not there
        if (channel >= 0)
          number = r == 0 ? bias[channel] : values[values.size() == 1 ? 0 : channel];
        // Zero times anything is zero whatever the exponent: let it not cost the others their speed.
        if (isExponent && rounding.kind != Epilogue::Add && channel >= 0 &&
            numbers[(r - 1) * columns + p * kPanelChannels + i] == 0)
          number = kLeastHighExponent;
      }
    }
  }
  Channels result;
  auto sumsOfColumn = [&](int64_t column) {
    int64_t channel = channelOf(column / kPanelChannels, column % kPanelChannels);
    return channel < 0 ? StorageRange{} : sumsOf ? sumsOf(channel) : StorageRange{-sumBound, sumBound};
  };
  if ((rounding.kind == Epilogue::Requantize || rounding.kind == Epilogue::Add) &&
      roundingOf(rounding.op) == qnn::Rounding::HalfUp) {
    StorageRange added;
    if (rounding.residual) {
      added = integerRange(typeOf(rounding.residual).getElementType());
      added = {added.min - rounding.residualZeroPoint, added.max - rounding.residualZeroPoint};
    }
    int64_t zeroPoint = rounding.op->getAttrOfType<IntegerAttr>("zero_point").getInt();
    result.shortProducts = shortenRows(numbers, columns, rounding.kind, sumsOfColumn, added, zeroPoint);
    result.scaledSums = result.shortProducts && scaleRows(numbers, columns, widening);
  }
  if (rounding.kind != Epilogue::Store && !result.shortProducts) {
    int64_t residualBound = 0;
    if (rounding.residual)
      residualBound = magnitude(integerRange(typeOf(rounding.residual).getElementType()), rounding.residualZeroPoint);
    sumBound += largestMagnitude(numbers.data(), columns);
    result.highHalves = raiseExponents(numbers, columns, rounding.kind, {sumBound, residualBound}, result);
  }
  result.highHalves &= !result.shortProducts;
  result.value = constant({static_cast<int64_t>(numbers.size()) / columns, columns}, 32, numbers);
  return result;
}

LayerPacker::Destination LayerPacker::destination() {
  Destination result;
  Operation *op = rounding.op ? rounding.op : layer.op;
  auto type = RankedTensorType::get({layer.batch, layer.outHeight, layer.outWidth, layer.outputs},
                                    typeOf(op->getResult(0)).getElementType());
  result.dest = tensor::EmptyOp::create(builder, location, type.getShape(), type.getElementType());
  result.clamp = builder.getDenseI64ArrayAttr({});
  if (!rounding.op)
    return result;
  result.clamp = rounding.op->getAttrOfType<DenseI64ArrayAttr>("clamp");
  result.zeroPoint = rounding.op->getAttrOfType<IntegerAttr>("zero_point").getInt();
  result.rounding = roundingOf(rounding.op);
  if (rounding.residual) {
    result.residual = shaped(rounding.residual, type.getShape());
    result.isResidualUnsigned = typeOf(rounding.residual).getElementType().isUnsignedInteger();
  }
  return result;
}

} // namespace dyadic
