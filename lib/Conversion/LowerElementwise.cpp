// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LinalgLowering.h"
#include "dyadic/IR/Types.h"
#include "dyadic/Support/Functions.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

Value LinalgLowering::clip(Operation *op, float low, float high) {
  return buildElementwise(builder, op->getLoc(), of(op->getOperand(0)), typeOf(op->getResult(0)), nullptr,
                          [=](ScalarBuilder &s, ValueRange a) {
                            Value value = arith::MaximumFOp::create(s.builder, s.location, a[0], s.real(low));
                            return std::isinf(high)
                                       ? value
                                       : Value(arith::MinimumFOp::create(s.builder, s.location, value, s.real(high)));
                          });
}

Value LinalgLowering::lower(AddOp op) {
  auto type = signless(typeOf(op.getOutput()));
  if (isFloat(op.getOutput()))
    return buildElementwise(builder, op.getLoc(), {of(op.getLhs()), of(op.getRhs())}, type, nullptr,
                            [](ScalarBuilder &s, ValueRange a) { return s.add(a[0], a[1]); });
  BroadcastOperands broadcast(builder, op.getLoc(), type.getRank());
  size_t m1 = broadcast.add(*op.getAMultiplier()), m2 = broadcast.add(*op.getBMultiplier()),
         e = broadcast.add(*op.getExponent());
  return buildElementwise(
      builder, op.getLoc(), {of(op.getLhs()), of(op.getRhs())}, type, &broadcast, [&](ScalarBuilder &s, ValueRange a) {
        auto term = [&](Value x, bool isUnsignedX, int64_t zeroPoint, size_t m) {
          Value difference = s.subtract(s.extend(x, isUnsignedX, 64), s.integer(zeroPoint, 64));
          return s.multiply(difference, s.extend(broadcast.get(m, s, a, 2), false, 64));
        };
        Value sum = s.add(term(a[0], isUnsigned(op.getLhs()), static_cast<int64_t>(*op.getAZp()), m1),
                          term(a[1], isUnsigned(op.getRhs()), static_cast<int64_t>(*op.getBZp()), m2));
        Value rounded = s.shiftRounded(sum, s.extend(broadcast.get(e, s, a, 2), false, 64), *op.getRounding());
        return finish(s, rounded, static_cast<int64_t>(*op.getZeroPoint()), *op.getClamp(), type);
      });
}

Value LinalgLowering::finish(ScalarBuilder &s, Value value, int64_t zeroPoint, ArrayRef<int64_t> clamp,
                             RankedTensorType type) {
  unsigned width = value.getType().getIntOrFloatBitWidth();
  return s.truncate(s.clamp(s.add(value, s.integer(zeroPoint, width)), clamp[0], clamp[1]), type.getElementType());
}

Value LinalgLowering::lower(RequantizeOp op) {
  auto type = signless(typeOf(op.getOutput()));
  BroadcastOperands broadcast(builder, op.getLoc(), type.getRank());
  size_t m = broadcast.add(*op.getMultiplier()), e = broadcast.add(*op.getExponent());
  return buildElementwise(
      builder, op.getLoc(), of(op.getInput()), type, &broadcast, [&](ScalarBuilder &s, ValueRange a) {
        Value x = s.extend(a[0], isUnsigned(op.getInput()), 64);
        if (int64_t zeroPoint = static_cast<int64_t>(op.getXZp()))
          x = s.subtract(x, s.integer(zeroPoint, 64));
        Value product = s.multiply(x, s.extend(broadcast.get(m, s, a, 1), false, 64));
        Value rounded = s.shiftRounded(product, s.extend(broadcast.get(e, s, a, 1), false, 64), *op.getRounding());
        return finish(s, rounded, static_cast<int64_t>(*op.getZeroPoint()), *op.getClamp(), type);
      });
}

Value LinalgLowering::lower(SoftmaxOp op) {
  Location location = op.getLoc();
  RankedTensorType type = typeOf(op.getInput());
  unsigned rank = type.getRank(), axis = static_cast<unsigned>(op.getAxis());
  bool isReal = isFloat(op.getInput()), isUnsignedX = isUnsigned(op.getInput());
  SmallVector<int64_t> rows(type.getShape());
  rows.erase(rows.begin() + axis);
  SmallVector<AffineExpr> others;
  std::string loops(rank, 'p');
  loops[axis] = 'r';
  for (unsigned d = 0; d < rank; ++d)
    if (d != axis)
      others.push_back(dim(d));
  AffineMap all = builder.getMultiDimIdentityMap(rank), row = map(rank, others);
  auto reduce = [&](Value input, Value start, BodyBuilder body) {
    return buildGeneric(builder, location, input, buildFilled(builder, location, rows, start), {all, row}, loops, body);
  };
  auto spread = [&](Value x, Value y, Type element, BodyBuilder body) {
    Value empty = buildEmpty(builder, location, type.getShape(), element);
    return buildGeneric(builder, location, {x, y}, empty, {all, row, all}, std::string(rank, 'p'), body);
  };
  ScalarBuilder outside{builder, location};
  double least = isReal ? -std::numeric_limits<double>::infinity()
                        : static_cast<double>(integerRange(elementOf(op.getInput())).min);
  Value largest =
      reduce(of(op.getInput()), scalar(location, op.getInput(), least), [=](ScalarBuilder &s, ValueRange a) -> Value {
        if (isReal)
          return arith::MaximumFOp::create(s.builder, s.location, a[1], a[0]);
        if (isUnsignedX)
          return arith::MaxUIOp::create(s.builder, s.location, a[1], a[0]);
        return arith::MaxSIOp::create(s.builder, s.location, a[1], a[0]);
      });
  auto sumOf = [&](Value weights, Value zero) {
    return reduce(weights, zero, [](ScalarBuilder &s, ValueRange a) { return s.add(a[1], a[0]); });
  };
  if (isReal) {
    Value weights = spread(of(op.getInput()), largest, builder.getF32Type(), [](ScalarBuilder &s, ValueRange a) {
      return expOfNonPositive(s, arith::SubFOp::create(s.builder, s.location, a[0], a[1]));
    });
    return spread(weights, sumOf(weights, outside.real(0)), builder.getF32Type(), [](ScalarBuilder &s, ValueRange a) {
      return arith::DivFOp::create(s.builder, s.location, a[0], a[1]);
    });
  }
  Value high = arith::ConstantOp::create(builder, location, *op.getHigh()),
        low = arith::ConstantOp::create(builder, location, *op.getLow());
  Value weights = spread(of(op.getInput()), largest, builder.getI64Type(), [=](ScalarBuilder &s, ValueRange a) {
    Value distance = s.subtract(s.extend(a[1], isUnsignedX, 64), s.extend(a[0], isUnsignedX, 64));
    auto entry = [&](Value table, Value index) {
      Value position = arith::IndexCastOp::create(s.builder, s.location, s.builder.getIndexType(), index);
      return s.extend(tensor::ExtractOp::create(s.builder, s.location, table, position), false, 64);
    };
    Value product = s.multiply(entry(high, arith::ShRSIOp::create(s.builder, s.location, distance, s.integer(8, 64))),
                               entry(low, arith::AndIOp::create(s.builder, s.location, distance, s.integer(255, 64))));
    return arith::ShRSIOp::create(s.builder, s.location, s.add(product, s.integer(1 << 29, 64)), s.integer(30, 64));
  });
  Type stored = signless(typeOf(op.getOutput())).getElementType();
  return spread(weights, sumOf(weights, outside.integer(0, 64)), stored,
                [=](ScalarBuilder &s, ValueRange a) { return s.truncate(softmaxQuotient(s, a[0], a[1]), stored); });
}

Value LinalgLowering::expOfNonPositive(ScalarBuilder &s, Value x) {
  OpBuilder &b = s.builder;
  x = arith::MaximumFOp::create(b, s.location, x, s.real(exp_constants::kLowest));
  Value shifted = s.add(s.multiply(x, s.real(exp_constants::kLog2E)), s.real(exp_constants::kMagic));
  Value n = arith::SubFOp::create(b, s.location, shifted, s.real(exp_constants::kMagic));
  Value r = arith::SubFOp::create(b, s.location, x, s.multiply(n, s.real(exp_constants::kLn2High)));
  r = arith::SubFOp::create(b, s.location, r, s.multiply(n, s.real(exp_constants::kLn2Low)));
  Value p = s.real(exp_constants::kPolynomial[0]);
  for (float coefficient : ArrayRef<float>(exp_constants::kPolynomial).drop_front())
    p = s.add(s.multiply(p, r), s.real(coefficient));
  Value bits = arith::BitcastOp::create(b, s.location, b.getI32Type(), shifted);
  Value exponent = arith::ShLIOp::create(
      b, s.location, s.subtract(bits, s.integer(exp_constants::kMagicBits - 127, 32)), s.integer(23, 32));
  return s.multiply(p, arith::BitcastOp::create(b, s.location, b.getF32Type(), exponent));
}

Value LinalgLowering::softmaxQuotient(ScalarBuilder &s, Value weight, Value sum) {
  auto shift = [&](Value value, int64_t bits) {
    return Value(arith::ShLIOp::create(s.builder, s.location, value, s.integer(bits, 64)));
  };
  Value rest = s.add(shift(weight, kSoftmaxBits), arith::ShRSIOp::create(s.builder, s.location, sum, s.integer(1, 64)));
  Value quotient = s.integer(0, 64);
  for (int bit = kSoftmaxBits; bit >= 0; --bit) {
    Value part = shift(sum, bit);
    Value fits = arith::CmpIOp::create(s.builder, s.location, arith::CmpIPredicate::sge, rest, part);
    rest = arith::SelectOp::create(s.builder, s.location, fits, s.subtract(rest, part), rest);
    quotient = arith::SelectOp::create(s.builder, s.location, fits, s.add(quotient, s.integer(int64_t(1) << bit, 64)),
                                       quotient);
  }
  return arith::MinSIOp::create(s.builder, s.location, quotient, s.integer((int64_t(1) << kSoftmaxBits) - 1, 64));
}

Value LinalgLowering::lower(QuantizeOp op) {
  auto type = signless(typeOf(op.getOutput()));
  float scale = op.getScale().convertToFloat();
  int64_t zeroPoint = static_cast<int64_t>(op.getZeroPoint()), low = op.getClamp()[0], high = op.getClamp()[1];
  return buildElementwise(builder, op.getLoc(), of(op.getInput()), type, nullptr, [=](ScalarBuilder &s, ValueRange a) {
    OpBuilder &b = s.builder;
    Value quotient = arith::DivFOp::create(b, s.location, a[0], s.real(scale));
    auto select = [&](arith::CmpFPredicate predicate, Value value, Value limit) {
      Value outside = arith::CmpFOp::create(b, s.location, predicate, value, limit);
      return Value(arith::SelectOp::create(b, s.location, outside, limit, value));
    };
    // A NaN fails the ordered comparisons; it becomes 0 here, the zero point in the end.
    Value isNan = arith::CmpFOp::create(b, s.location, arith::CmpFPredicate::UNO, quotient, quotient);
    quotient = arith::SelectOp::create(b, s.location, isNan, s.real(0.0f), quotient);
    quotient = select(arith::CmpFPredicate::OLT, quotient, s.real(static_cast<float>(low - zeroPoint)));
    quotient = select(arith::CmpFPredicate::OGT, quotient, s.real(static_cast<float>(high - zeroPoint)));
    Value shifted = s.add(quotient, s.real(12582912.0f));
    Value bits = arith::BitcastOp::create(b, s.location, b.getI32Type(), shifted);
    Value rounded = s.subtract(bits, s.integer(0x4B400000, 32));
    return s.truncate(s.add(rounded, s.integer(zeroPoint, 32)), type.getElementType());
  });
}

Value LinalgLowering::lower(DequantizeOp op) {
  RankedTensorType type = typeOf(op.getOutput());
  BroadcastOperands broadcast(builder, op.getLoc(), type.getRank());
  size_t scale = broadcast.add(op.getScale());
  return buildElementwise(builder, op.getLoc(), of(op.getInput()), type, &broadcast,
                          [&](ScalarBuilder &s, ValueRange a) {
                            Value x = s.extend(a[0], isUnsigned(op.getInput()), 32);
                            if (int64_t zeroPoint = static_cast<int64_t>(op.getZeroPoint()))
                              x = s.subtract(x, s.integer(zeroPoint, 32));
                            Value real = arith::SIToFPOp::create(s.builder, s.location, s.builder.getF32Type(), x);
                            return s.multiply(real, broadcast.get(scale, s, a, 1));
                          });
}

} // namespace dyadic
