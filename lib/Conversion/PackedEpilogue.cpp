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

Value Epilogue::finish(Value sums, Value other, Value channels, int64_t half) {
  Value multiplier = row(channels, 1, half), exponent = row(channels, 2, half);
  if (info.kind == qnn::Epilogue::PRelu) {
    Value isNegative =
        LLVM::ICmpOp::create(b.builder, b.location, LLVM::ICmpPredicate::slt, sums, b.splat(kSumLanes, 32, 0));
    multiplier = LLVM::SelectOp::create(b.builder, b.location, isNegative, row(channels, 3, half), multiplier);
    exponent = LLVM::SelectOp::create(b.builder, b.location, isNegative, row(channels, 4, half), exponent);
  }
  // floor((t + 2^(e-1)) / 2^e) = floor((floor(t / 2^32) + 2^(e-33)) / 2^(e-32)) for e > 32: half up rounds late.
  bool roundsLate = info.highHalves && info.rounding == qnn::Rounding::HalfUp;
  Value shifted[2];
  for (int64_t part : {0, 1}) {
    Value total = b.multiply(widened(sums, part), widened(multiplier, part));
    if (other)
      total = b.add(total, b.multiply(widened(other, part), widened(row(channels, 3, half), part)));
    Value e = widened(exponent, part, /*isUnsigned=*/true);
    shifted[part] = roundsLate ? total : b.add(total, rounder(total, e));
    if (!info.highHalves) {
      shifted[part] = LLVM::AShrOp::create(b.builder, b.location, shifted[part], e);
      shifted[part] = b.clamp(shifted[part], info.clamp[0] - info.zeroPoint, info.clamp[1] - info.zeroPoint);
    }
  }
  Value result = narrowed(shifted, info.highHalves);
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

void Epilogue::storeBytes(ArrayRef<Value> sums, Value channels, Value dest, int64_t count) {
  VectorType wordType = b.vector(16, 16), byteType = b.vector(32, 8);
  int64_t low = info.clamp[0], high = info.clamp[1];
  bool isSigned = low < 0;
  auto words = [&](int64_t first) {
    Value parts[2];
    for (int64_t i : {0, 1})
      parts[i] = finish(sums[first + i], Value(), channels, first + i);
    Value packed = b.intrinsic("llvm.x86.avx2.packssdw", wordType, parts);
    if (info.zeroPoint != 0)
      packed = LLVM::SAddSat::create(b.builder, b.location, packed, b.splat(16, 16, info.zeroPoint));
    bool isWhole = low == (isSigned ? INT8_MIN : 0) && high == (isSigned ? INT8_MAX : UINT8_MAX);
    return isWhole ? packed : b.clamp(packed, low, high);
  };
  Value halves[2] = {words(0), words(2)};
  StringRef name = isSigned ? "llvm.x86.avx2.packsswb" : "llvm.x86.avx2.packuswb";
  b.storePart(b.intrinsic(name, byteType, halves), count, dest);
}

void Epilogue::store(ArrayRef<Value> sums, Value channels, Value residual, Value dest, int64_t count) {
  SmallVector<Value> halves(sums);
  if (info.kind != qnn::Epilogue::Store) {
    Value others;
    if (info.kind == qnn::Epilogue::Add) {
      others = b.loadPart(b.vector(kPanelChannels, info.residualType.getElementTypeBitWidth()), count, residual);
      others = b.extend(others, info.isResidualUnsigned, 32);
      if (info.residualZeroPoint != 0)
        others = b.add(others, b.splat(kPanelChannels, 32, -info.residualZeroPoint));
    }
    for (int64_t half : {0, 1})
      halves[half] = finish(halves[half], others ? b.half(others, half) : Value(), channels, half);
  }
  b.storePart(stored(b.joined(halves[0], halves[1])), count, dest);
}

} // namespace dyadic
