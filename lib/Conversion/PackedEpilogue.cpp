// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PackedEpilogue.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

Value Epilogue::row(Value channels, int64_t row, int64_t half) {
  return b.load(b.vector(kSumLanes, 32), b.address(channels, 4 * (row * info.stride + half * kSumLanes)));
}

// `smull` and `smull2` multiply the first and the second half; `vpmuldq` multiplies even lanes, which are
// extended in place, in the low half: that is how LLVM knows them.
Value Epilogue::widened(Value value, int64_t part, bool isUnsigned) {
  if (info.isOfNeon)
    return b.extend(b.half(value, part), isUnsigned, 64);
  if (part == 1)
    value = b.shuffle(value, value, {1, 1, 3, 3, 5, 5, 7, 7});
  Value wide = b.bitcast(value, b.vector(kSumLanes / 2, 64)), half = b.splat(kSumLanes / 2, 64, 32);
  wide = LLVM::ShlOp::create(b.builder, b.location, wide, half);
  return isUnsigned ? Value(LLVM::LShrOp::create(b.builder, b.location, wide, half))
                    : Value(LLVM::AShrOp::create(b.builder, b.location, wide, half));
}

Value Epilogue::narrowed(Value parts[2], bool high) {
  VectorType type = b.vector(kSumLanes, 32);
  int32_t first = high, second = high + kSumLanes;
  SmallVector<int32_t> lanes;
  for (int32_t i = 0; i < kSumLanes; i += 2)
    if (info.isOfNeon)
      lanes.push_back(first + i);
    else
      lanes.append({first + i, second + i});
  for (int32_t i = 0; info.isOfNeon && i < kSumLanes; i += 2)
    lanes.push_back(second + i);
  return b.shuffle(b.bitcast(parts[0], type), b.bitcast(parts[1], type), lanes);
}

Value Epilogue::shifted(Value numbers, int64_t shift) {
  if (shift == 0)
    return numbers;
  auto lanes = cast<VectorType>(numbers.getType()).getNumElements();
  return LLVM::ShlOp::create(b.builder, b.location, numbers, b.splat(lanes, 32, shift));
}

Value Epilogue::finishShort(Value sums, Value other, Value channels, int64_t half) {
  Value total = info.scaledSums ? sums : b.multiply(sums, row(channels, 1, half));
  if (other)
    total = b.add(total, b.multiply(other, row(channels, 3, half)));
  if (!info.scaledSums)
    total = b.add(total, row(channels, other ? 4 : 3, half));
  return LLVM::AShrOp::create(b.builder, b.location, total, row(channels, 2, half));
}

Value Epilogue::finish(Value sums, Value other, Value channels, int64_t half) {
  if (info.shortProducts)
    return finishShort(sums, other, channels, half);
  sums = shifted(sums, info.sumShift);
  Value multiplier = row(channels, 1, half), exponent = row(channels, 2, half);
  if (info.kind == qnn::Epilogue::PRelu) {
    Value isNegative =
        LLVM::ICmpOp::create(b.builder, b.location, LLVM::ICmpPredicate::slt, sums, b.splat(kSumLanes, 32, 0));
    multiplier = LLVM::SelectOp::create(b.builder, b.location, isNegative, row(channels, 3, half), multiplier);
    exponent = LLVM::SelectOp::create(b.builder, b.location, isNegative, row(channels, 4, half), exponent);
  }
  // floor((t + 2^(e-1)) / 2^e) = floor((floor(t / 2^32) + 2^(e-33)) / 2^(e-32)) for e > 32: half up rounds late.
  bool roundsLate = info.highHalves && info.rounding == qnn::Rounding::HalfUp;
  Value parts[2];
  for (int64_t part : {0, 1}) {
    Value total = b.multiply(widened(sums, part), widened(multiplier, part));
    if (other)
      total = b.add(total, b.multiply(widened(other, part), widened(row(channels, 3, half), part)));
    Value e = widened(exponent, part, /*isUnsigned=*/true);
    parts[part] = roundsLate ? total : b.add(total, rounder(total, e));
    if (!info.highHalves) {
      parts[part] = LLVM::AShrOp::create(b.builder, b.location, parts[part], e);
      parts[part] = b.clamp(parts[part], info.clamp[0] - info.zeroPoint, info.clamp[1] - info.zeroPoint);
    }
  }
  Value result = narrowed(parts, info.highHalves);
  auto less = [&](int64_t number) {
    return LLVM::SubOp::create(b.builder, b.location, exponent, b.splat(kSumLanes, 32, number));
  };
  if (roundsLate)
    result = b.add(result, LLVM::ShlOp::create(b.builder, b.location, b.splat(kSumLanes, 32, 1), less(33)));
  return info.highHalves ? Value(LLVM::AShrOp::create(b.builder, b.location, result, less(32))) : result;
}

/// What is added to the 64-bit `total` before its shift by `e`.
Value Epilogue::rounder(Value total, Value e) {
  Value one = b.splat(kSumLanes / 2, 64, 1);
  Value half = LLVM::ShlOp::create(b.builder, b.location, one, b.subtract(e, one));
  if (info.rounding == qnn::Rounding::HalfUp)
    return half;
  // The quotient's last bit breaks the tie; a logical shift finds it as well.
  Value last = b.bitAnd(LLVM::LShrOp::create(b.builder, b.location, total, e), one);
  return b.add(b.subtract(half, one), last);
}

/// 16 results with their zero point, as narrow as they are stored.
Value Epilogue::stored(Value results) {
  unsigned width = info.type.getElementTypeBitWidth();
  if (info.kind == qnn::Epilogue::Store)
    return results;
  int64_t low = info.clamp[0], high = info.clamp[1];
  if (width > 8) {
    results = b.clamp(results, low - info.zeroPoint, high - info.zeroPoint);
    return b.truncate(b.add(results, b.splat(kPanelChannels, 32, info.zeroPoint)), width);
  }
  // Saturation keeps what lies beyond the clamp beyond it.
  Value words = b.truncate(b.clamp(results, INT16_MIN, INT16_MAX), 16);
  if (info.zeroPoint != 0)
    words = LLVM::SAddSat::create(b.builder, b.location, words, b.splat(kPanelChannels, 16, info.zeroPoint));
  return b.truncate(b.clamp(words, low, high), width);
}

Value Epilogue::words(Value first, Value second) {
  Value packed = b.intrinsic("llvm.x86.avx2.packssdw", b.vector(16, 16), {first, second});
  if (info.zeroPoint != 0)
    packed = LLVM::SAddSat::create(b.builder, b.location, packed, b.splat(16, 16, info.zeroPoint));
  int64_t low = info.clamp[0], high = info.clamp[1];
  bool isWhole = low < 0 ? low == INT8_MIN && high == INT8_MAX : low == 0 && high == UINT8_MAX;
  return isWhole ? packed : b.clamp(packed, low, high);
}

Value Epilogue::bytes(Value first, Value second) {
  StringRef name = info.clamp[0] < 0 ? "llvm.x86.avx2.packsswb" : "llvm.x86.avx2.packuswb";
  return b.intrinsic(name, b.vector(32, 8), {first, second});
}

void Epilogue::storeBytes(ArrayRef<Value> sums, Value channels, Value dest, int64_t count) {
  SmallVector<Value> results;
  for (auto [i, sum] : llvm::enumerate(sums))
    results.push_back(finish(sum, Value(), channels, static_cast<int64_t>(i)));
  b.storePart(bytes(words(results[0], results[1]), words(results[2], results[3])), count, dest);
}

void Epilogue::finish(const Position &position, Value channels, int64_t count, Value results[2]) {
  Value others;
  if (info.kind == qnn::Epilogue::Add) {
    others = b.loadPart(b.vector(kPanelChannels, info.residualType.getElementTypeBitWidth()), count, position.residual);
    others = b.extend(others, info.isResidualUnsigned, 32);
    if (info.residualZeroPoint != 0)
      others = b.add(others, b.splat(kPanelChannels, 32, -info.residualZeroPoint));
    others = shifted(others, info.residualShift);
  }
  for (int64_t half : {0, 1})
    results[half] = finish(position.sums[half], others ? b.half(others, half) : Value(), channels, half);
}

void Epilogue::storeOne(const Position &position, Value channels, int64_t count) {
  Value results[2] = {position.sums[0], position.sums[1]};
  if (info.kind != qnn::Epilogue::Store)
    finish(position, channels, count, results);
  b.storePart(stored(b.joined(results[0], results[1])), count, position.dest);
}

void Epilogue::storePair(ArrayRef<Position> pair, Value channels) {
  Value narrow[2];
  for (int64_t i : {0, 1}) {
    Value results[2];
    finish(pair[i], channels, kPanelChannels, results);
    narrow[i] = words(results[0], results[1]);
  }
  // Instructions that narrow work within 128 bits: 4 of each vector of sums, of either position, then the others.
  Value both = b.bitcast(bytes(narrow[0], narrow[1]), b.vector(kSumLanes, 32));
  for (int32_t i : {0, 1})
    b.store(b.shuffle(both, both, {2 * i, 2 * i + 4, 2 * i + 1, 2 * i + 5}), pair[i].dest);
}

void Epilogue::store(ArrayRef<Position> positions, Value channels, int64_t count) {
  bool inPairs = info.kind != qnn::Epilogue::Store && !info.isOfNeon && count == kPanelChannels &&
                 info.type.getElementTypeBitWidth() == 8;
  for (; inPairs && positions.size() > 1; positions = positions.drop_front(2))
    storePair(positions.take_front(2), channels);
  for (const Position &position : positions)
    storeOne(position, channels, count);
}

} // namespace dyadic
