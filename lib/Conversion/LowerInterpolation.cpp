// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linear interpolation, one loop nest a dimension. The last dimension goes first: the
// others then stream along it.

#include "LinalgLowering.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

/// The weights of both neighbours as constants of type `element`: f32, or integers in units of 2^-bits.
static Value weightTable(OpBuilder &builder, Location location, ArrayRef<int64_t> weights, unsigned bits,
                         Type element) {
  if (isa<IntegerType>(element))
    return buildIndexTable(builder, location, weights);
  SmallVector<float> reals;
  for (int64_t weight : weights)
    reals.push_back(static_cast<float>(weight) / static_cast<float>(int64_t(1) << bits));
  auto type = RankedTensorType::get({static_cast<int64_t>(reals.size())}, element);
  return arith::ConstantOp::create(builder, location, DenseElementsAttr::get(type, ArrayRef<float>(reals)));
}

Value LinalgLowering::interpolate(Location location, Value input, const AxisInterpolation &axis, Type element,
                                  llvm::function_ref<Value(ScalarBuilder &, Value)> first) {
  SmallVector<int64_t> shape(cast<RankedTensorType>(input.getType()).getShape()), high, lowWeights, highWeights;
  unsigned rank = shape.size();
  shape[axis.axis] = axis.low.size();
  for (size_t i = 0; i < axis.low.size(); ++i) {
    high.push_back(axis.high(i));
    lowWeights.push_back(axis.lowWeight(i));
    highWeights.push_back(axis.highWeight(i));
  }
  SmallVector<Value> tables{buildIndexTable(builder, location, axis.low), buildIndexTable(builder, location, high),
                            weightTable(builder, location, lowWeights, axis.bits, element),
                            weightTable(builder, location, highWeights, axis.bits, element)};
  SmallVector<AffineMap> maps(tables.size(), map(rank, {dim(axis.axis)}));
  maps.push_back(builder.getMultiDimIdentityMap(rank));
  Value result = buildEmpty(builder, location, shape, element);
  return buildGeneric(builder, location, tables, result, maps, std::string(rank, 'p'),
                      [&](ScalarBuilder &s, ValueRange a) {
                        Value low = first(s, buildElementAt(s, input, axis.axis, a[0]));
                        Value high = first(s, buildElementAt(s, input, axis.axis, a[1]));
                        return s.add(s.multiply(low, a[2]), s.multiply(high, a[3]));
                      });
}

Value LinalgLowering::lower(InterpolateOp op) {
  bool isReal = isFloat(op.getInput()), isUnsignedX = isUnsigned(op.getInput());
  int64_t zeroPoint = static_cast<int64_t>(op.getXZp().value_or(0));
  Type element = signless(typeOf(op.getOutput())).getElementType();
  Value value = of(op.getInput());
  bool isFirst = true;
  auto axes = interpolationOf(op);
  for (const AxisInterpolation &axis : llvm::reverse(axes)) {
    bool isStored = isFirst && !isReal;
    value = interpolate(op.getLoc(), value, axis, element, [&](ScalarBuilder &s, Value x) -> Value {
      return isStored ? s.subtract(s.extend(x, isUnsignedX, 32), s.integer(zeroPoint, 32)) : x;
    });
    isFirst = false;
  }
  return value;
}

} // namespace dyadic
