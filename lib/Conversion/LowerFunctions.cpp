// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of every element, and softmax.

#include "LinalgLowering.h"
#include "dyadic/IR/FunctionBody.h"
#include "dyadic/IR/Types.h"
#include "dyadic/Support/ScalarFunctions.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

namespace {
/// The algebra of Support/ScalarFunctions.h whose numbers are f32 values of a loop body.
struct LoweredFloat : FloatFunctions<LoweredFloat, Value> {
  explicit LoweredFloat(ScalarBuilder &scalars) : s(scalars) {}

  Value constant(double x) { return s.real(static_cast<float>(x)); }
  Value add(Value x, Value y) { return s.add(x, y); }
  Value subtract(Value x, Value y) { return s.subtract(x, y); }
  Value multiply(Value x, Value y) { return s.multiply(x, y); }
  Value divide(Value x, Value y) { return make<arith::DivFOp>(x, y); }
  Value maximum(Value x, Value y) { return make<arith::MaximumFOp>(x, y); }
  Value minimum(Value x, Value y) { return make<arith::MinimumFOp>(x, y); }
  Value absolute(Value x) { return make<math::AbsFOp>(x); }
  Value sqrt(Value x) { return make<math::SqrtOp>(x); }
  Value selectLess(Value x, Value y, Value ifLess, Value otherwise) { return s.selectLess(x, y, ifLess, otherwise); }

  Value powerOfTwo(Value shifted) {
    Value bits = s.subtract(asBits(shifted), asBits(constant(kMagic)));
    return asFloat(make<arith::ShLIOp>(s.add(bits, s.integer(127, 32)), s.integer(23, 32)));
  }
  Value exponent(Value x) {
    Value bits = s.subtract(make<arith::ShRUIOp>(asBits(x), s.integer(23, 32)), s.integer(127, 32));
    return arith::SIToFPOp::create(s.builder, s.location, s.builder.getF32Type(), bits);
  }
  Value mantissa(Value x) {
    Value fraction = make<arith::AndIOp>(asBits(x), s.integer(0x7FFFFF, 32));
    return asFloat(make<arith::OrIOp>(fraction, s.integer(0x3F800000, 32)));
  }

private:
  template <class Op> Value make(Value x) { return Op::create(s.builder, s.location, x); }
  template <class Op> Value make(Value x, Value y) { return Op::create(s.builder, s.location, x, y); }
  Value asBits(Value x) { return arith::BitcastOp::create(s.builder, s.location, s.builder.getI32Type(), x); }
  Value asFloat(Value x) { return arith::BitcastOp::create(s.builder, s.location, s.builder.getF32Type(), x); }

  ScalarBuilder &s;
};
} // namespace

Value LinalgLowering::lower(MapOp op) {
  return buildElementwise(builder, op.getLoc(), of(op.getInput()), typeOf(op.getOutput()), nullptr,
                          [&](ScalarBuilder &s, ValueRange a) {
                            LoweredFloat algebra(s);
                            return qnn::evaluate(op, algebra, Value(a[0]));
                          });
}

Value LinalgLowering::lower(TableOp op) {
  auto type = signless(typeOf(op.getOutput()));
  int64_t low = static_cast<int64_t>(op.getLow()), shift = static_cast<int64_t>(op.getShift()), last = op.lastIndex();
  // Entries are as narrow as the result: a small table stays in the first cache.
  DenseElementsAttr entries = op.getEntries();
  if (shift == 0)
    entries = cast<DenseIntElementsAttr>(entries).mapValues(type.getElementType(), [&](const APInt &entry) {
      return entry.trunc(type.getElementType().getIntOrFloatBitWidth());
    });
  Value table = arith::ConstantOp::create(builder, op.getLoc(), cast<TypedAttr>(Attribute(entries)));
  bool isUnsignedX = isUnsigned(op.getInput());
  // Every number of the operand's type has an entry: no limit is needed.
  StorageRange range = integerRange(elementOf(op.getInput()));
  bool isLimited = range.min < low || range.max > low + last;
  return buildElementwise(builder, op.getLoc(), of(op.getInput()), type, nullptr, [&](ScalarBuilder &s, ValueRange a) {
    Value u = s.extend(a[0], isUnsignedX, 64);
    u = low ? s.subtract(u, s.integer(low, 64)) : u;
    u = isLimited ? s.clamp(u, 0, last) : u;
    auto entry = [&](Value index) -> Value {
      Value position = arith::IndexCastOp::create(s.builder, s.location, s.builder.getIndexType(), index);
      return tensor::ExtractOp::create(s.builder, s.location, table, position);
    };
    if (shift == 0)
      return entry(u);
    Value i = arith::ShRSIOp::create(s.builder, s.location, u, s.integer(shift, 64));
    Value f = arith::AndIOp::create(s.builder, s.location, u, s.integer((int64_t(1) << shift) - 1, 64));
    Value first = s.extend(entry(i), false, 64), second = s.extend(entry(s.add(i, s.integer(1, 64))), false, 64);
    Value sum = s.add(s.multiply(first, s.subtract(s.integer(int64_t(1) << shift, 64), f)), s.multiply(second, f));
    Value rounded = s.shiftRounded(sum, s.integer(shift + kKnotFraction, 64), qnn::Rounding::HalfUp);
    return finish(s, rounded, 0, op.getClamp(), type);
  });
}

Value LinalgLowering::lower(SoftmaxOp op) {
  Location location = op.getLoc();
  RankedTensorType type = typeOf(op.getInput());
  unsigned rank = type.getRank(), axis = static_cast<unsigned>(op.getAxis());
  bool isReal = isFloat(op.getInput()), isUnsignedX = isUnsigned(op.getInput());
  SmallVector<int64_t> rows(type.getShape());
  rows.erase(rows.begin() + axis);
  // Rows shorter than a vector become the outermost loop, and what is stored between the steps has them outermost.
  bool isTurned = !isReal && axis + 1 == rank && rank > 1 && type.getDimSize(axis) < 8;
  unsigned axisLoop = isTurned ? 0 : axis;
  SmallVector<int64_t> between(rows);
  between.insert(between.begin() + axisLoop, type.getDimSize(axis));
  SmallVector<AffineExpr> others;
  for (unsigned d = 0; d < rank; ++d)
    if (d != axisLoop)
      others.push_back(dim(d));
  SmallVector<AffineExpr> positions(others);
  positions.insert(positions.begin() + axis, dim(axisLoop));
  std::string loops(rank, 'p');
  loops[axisLoop] = 'r';
  AffineMap loopOrder = builder.getMultiDimIdentityMap(rank), all = map(rank, positions), row = map(rank, others);
  auto reduce = [&](Value input, AffineMap order, Value start, BodyBuilder body) {
    Value filled = buildFilled(builder, location, rows, start);
    return buildGeneric(builder, location, input, filled, {order, row}, loops, body);
  };
  auto weigh = [&](Value x, Value y, Type element, BodyBuilder body) {
    Value empty = buildEmpty(builder, location, between, element);
    return buildGeneric(builder, location, {x, y}, empty, {all, row, loopOrder}, std::string(rank, 'p'), body);
  };
  auto divide = [&](Value weights, Value sums, Type element, BodyBuilder body) {
    Value empty = buildEmpty(builder, location, type.getShape(), element);
    return buildGeneric(builder, location, {weights, sums}, empty, {loopOrder, row, all}, std::string(rank, 'p'), body);
  };
  ScalarBuilder outside{builder, location};
  double least = isReal ? -std::numeric_limits<double>::infinity()
                        : static_cast<double>(integerRange(elementOf(op.getInput())).min);
  Value largest = reduce(of(op.getInput()), all, scalar(location, op.getInput(), least),
                         [=](ScalarBuilder &s, ValueRange a) -> Value {
                           if (isReal)
                             return arith::MaximumFOp::create(s.builder, s.location, a[1], a[0]);
                           if (isUnsignedX)
                             return arith::MaxUIOp::create(s.builder, s.location, a[1], a[0]);
                           return arith::MaxSIOp::create(s.builder, s.location, a[1], a[0]);
                         });
  auto sumOf = [&](Value weights, Value zero) {
    return reduce(weights, loopOrder, zero, [](ScalarBuilder &s, ValueRange a) { return s.add(a[1], a[0]); });
  };
  if (isReal) {
    Value weights = weigh(of(op.getInput()), largest, builder.getF32Type(), [](ScalarBuilder &s, ValueRange a) {
      return LoweredFloat(s).exp(arith::SubFOp::create(s.builder, s.location, a[0], a[1]));
    });
    return divide(weights, sumOf(weights, outside.real(0)), builder.getF32Type(), [](ScalarBuilder &s, ValueRange a) {
      return arith::DivFOp::create(s.builder, s.location, a[0], a[1]);
    });
  }
  Value high = arith::ConstantOp::create(builder, location, *op.getHigh()),
        low = arith::ConstantOp::create(builder, location, *op.getLow());
  Value weights = weigh(of(op.getInput()), largest, builder.getI64Type(), [=](ScalarBuilder &s, ValueRange a) {
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
  return divide(weights, sumOf(weights, outside.integer(0, 64)), stored,
                [=](ScalarBuilder &s, ValueRange a) { return s.truncate(softmaxQuotient(s, a[0], a[1]), stored); });
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

} // namespace dyadic
