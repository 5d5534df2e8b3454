// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LinalgLowering.h"
#include "dyadic/IR/Types.h"

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
        Value x = difference(s, a[0], op.getLhs(), *op.getAZp()), y = difference(s, a[1], op.getRhs(), *op.getBZp());
        Value sum = s.add(s.multiply(x, s.extend(broadcast.get(m1, s, a, 2), false, 64)),
                          s.multiply(y, s.extend(broadcast.get(m2, s, a, 2), false, 64)));
        Value rounded = s.shiftRounded(sum, s.extend(broadcast.get(e, s, a, 2), false, 64), *op.getRounding());
        return finish(s, rounded, static_cast<int64_t>(*op.getZeroPoint()), *op.getClamp(), type);
      });
}

Value LinalgLowering::lower(SubOp op) {
  return buildElementwise(builder, op.getLoc(), {of(op.getLhs()), of(op.getRhs())}, typeOf(op.getOutput()), nullptr,
                          [](ScalarBuilder &s, ValueRange a) { return s.subtract(a[0], a[1]); });
}

Value LinalgLowering::lower(MulOp op) {
  auto type = signless(typeOf(op.getOutput()));
  return buildElementwise(
      builder, op.getLoc(), {of(op.getLhs()), of(op.getRhs())}, type, nullptr, [&](ScalarBuilder &s, ValueRange a) {
        if (isFloat(op.getOutput()))
          return s.multiply(a[0], a[1]);
        Value x = difference(s, a[0], op.getLhs(), *op.getAZp()), y = difference(s, a[1], op.getRhs(), *op.getBZp());
        Value product = s.multiply(s.multiply(x, y), s.integer(static_cast<int32_t>(*op.getMultiplier()), 64));
        Value exponent = s.integer(static_cast<int32_t>(*op.getExponent()), 64);
        return finish(s, s.shiftRounded(product, exponent, *op.getRounding()), static_cast<int64_t>(*op.getZeroPoint()),
                      *op.getClamp(), type);
      });
}

Value LinalgLowering::lower(PReluOp op) {
  auto type = signless(typeOf(op.getOutput()));
  if (isFloat(op.getOutput())) {
    // The slope has NumPy's shape: aligned at the last dimension.
    SmallVector<int64_t> shape(type.getRank() - typeOf(op.getSlope()).getRank(), 1);
    llvm::append_range(shape, typeOf(op.getSlope()).getShape());
    Value slope = buildReshape(builder, op.getLoc(), of(op.getSlope()), shape);
    return buildElementwise(
        builder, op.getLoc(), {of(op.getInput()), slope}, type, nullptr,
        [](ScalarBuilder &s, ValueRange a) { return s.selectLess(a[0], s.real(0), s.multiply(a[0], a[1]), a[0]); });
  }
  BroadcastOperands broadcast(builder, op.getLoc(), type.getRank());
  size_t m = broadcast.add(*op.getMultiplier()), e = broadcast.add(*op.getExponent()),
         negativeM = broadcast.add(*op.getNegativeMultiplier()), negativeE = broadcast.add(*op.getNegativeExponent());
  return buildElementwise(
      builder, op.getLoc(), of(op.getInput()), type, &broadcast, [&](ScalarBuilder &s, ValueRange a) {
        Value x = difference(s, a[0], op.getInput(), *op.getXZp());
        auto choose = [&](size_t ifNegative, size_t otherwise) {
          return s.extend(
              s.selectLess(x, s.integer(0, 64), broadcast.get(ifNegative, s, a, 1), broadcast.get(otherwise, s, a, 1)),
              false, 64);
        };
        Value rounded = s.shiftRounded(s.multiply(x, choose(negativeM, m)), choose(negativeE, e), *op.getRounding());
        return finish(s, rounded, static_cast<int64_t>(*op.getZeroPoint()), *op.getClamp(), type);
      });
}

Value LinalgLowering::difference(ScalarBuilder &s, Value x, Value old, int64_t zeroPoint) {
  x = s.extend(x, isUnsigned(old), 64);
  return zeroPoint ? s.subtract(x, s.integer(zeroPoint, 64)) : x;
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
        Value x = difference(s, a[0], op.getInput(), op.getXZp());
        Value product = s.multiply(x, s.extend(broadcast.get(m, s, a, 1), false, 64));
        Value rounded = s.shiftRounded(product, s.extend(broadcast.get(e, s, a, 1), false, 64), *op.getRounding());
        return finish(s, rounded, static_cast<int64_t>(*op.getZeroPoint()), *op.getClamp(), type);
      });
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
