// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LinalgBuilder.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"

using namespace mlir;

namespace dyadic {

RankedTensorType signless(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  Type element = tensor.getElementType();
  if (isa<IntegerType>(element))
    element = IntegerType::get(type.getContext(), element.getIntOrFloatBitWidth());
  return RankedTensorType::get(tensor.getShape(), element);
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

Value ScalarBuilder::integer(int64_t value, unsigned width) {
  return arith::ConstantOp::create(builder, location, builder.getIntegerAttr(builder.getIntegerType(width), value));
}

Value ScalarBuilder::real(float value) {
  return arith::ConstantOp::create(builder, location, builder.getF32FloatAttr(value));
}

Value ScalarBuilder::extend(Value value, bool isUnsigned, unsigned width) {
  Type type = builder.getIntegerType(width);
  if (value.getType() == type)
    return value;
  if (isUnsigned)
    return arith::ExtUIOp::create(builder, location, type, value);
  return arith::ExtSIOp::create(builder, location, type, value);
}

Value ScalarBuilder::add(Value a, Value b) {
  if (isa<FloatType>(a.getType()))
    return arith::AddFOp::create(builder, location, a, b);
  return arith::AddIOp::create(builder, location, a, b);
}

Value ScalarBuilder::subtract(Value a, Value b) {
  if (isa<FloatType>(a.getType()))
    return arith::SubFOp::create(builder, location, a, b);
  return arith::SubIOp::create(builder, location, a, b);
}

Value ScalarBuilder::multiply(Value a, Value b) {
  if (isa<FloatType>(a.getType()))
    return arith::MulFOp::create(builder, location, a, b);
  return arith::MulIOp::create(builder, location, a, b);
}

Value ScalarBuilder::selectLess(Value x, Value y, Value ifLess, Value otherwise) {
  Value isLess = isa<FloatType>(x.getType())
                     ? Value(arith::CmpFOp::create(builder, location, arith::CmpFPredicate::OLT, x, y))
                     : Value(arith::CmpIOp::create(builder, location, arith::CmpIPredicate::slt, x, y));
  return arith::SelectOp::create(builder, location, isLess, ifLess, otherwise);
}

Value ScalarBuilder::clamp(Value value, int64_t low, int64_t high) {
  unsigned width = value.getType().getIntOrFloatBitWidth();
  value = arith::MaxSIOp::create(builder, location, value, integer(low, width));
  return arith::MinSIOp::create(builder, location, value, integer(high, width));
}

Value ScalarBuilder::truncate(Value value, Type type) {
  return value.getType() == type ? value : Value(arith::TruncIOp::create(builder, location, type, value));
}

Value ScalarBuilder::shiftRounded(Value value, Value exponent, qnn::Rounding rounding) {
  Value one = integer(1, 64);
  Value half = arith::ShLIOp::create(builder, location, one, subtract(exponent, one));
  auto shift = [&](Value v) { return arith::ShRSIOp::create(builder, location, v, exponent); };
  if (rounding == qnn::Rounding::HalfEven) {
    Value odd = arith::AndIOp::create(builder, location, shift(value), one);
    return shift(add(add(value, subtract(half, one)), odd));
  }
  value = add(value, half);
  if (rounding == qnn::Rounding::Double) {
    // The first rounding, at bit 31, only exists where more than 31 bits go.
    Value zero = integer(0, 64);
    Value original = subtract(value, half);
    Value negative = arith::CmpIOp::create(builder, location, arith::CmpIPredicate::slt, original, zero);
    Value nudge = arith::SelectOp::create(builder, location, negative, integer(-(int64_t(1) << 30), 64),
                                          integer(int64_t(1) << 30, 64));
    Value twice = arith::CmpIOp::create(builder, location, arith::CmpIPredicate::sgt, exponent, integer(31, 64));
    value = add(value, arith::SelectOp::create(builder, location, twice, nudge, zero));
  }
  return shift(value);
}

//===----------------------------------------------------------------------===//
// Broadcast attributes
//===----------------------------------------------------------------------===//

size_t BroadcastOperands::add(DenseElementsAttr attribute) {
  Entry entry;
  if (attribute.isSplat()) {
    entry.splat = attribute;
  } else {
    RankedTensorType type = cast<RankedTensorType>(attribute.getType());
    SmallVector<AffineExpr> results;
    for (int64_t d = 0; d < type.getRank(); ++d)
      results.push_back(type.getDimSize(d) == 1 ? builder.getAffineConstantExpr(0)
                                                : builder.getAffineDimExpr(rank - type.getRank() + d));
    entry.input = inputs.size();
    inputs.push_back(arith::ConstantOp::create(builder, location, attribute));
    maps.push_back(AffineMap::get(rank, 0, results, builder.getContext()));
  }
  entries.push_back(entry);
  return entries.size() - 1;
}

Value BroadcastOperands::get(size_t h, ScalarBuilder &scalars, ValueRange arguments, size_t first) const {
  const Entry &entry = entries[h];
  if (!entry.splat)
    return arguments[first + entry.input];
  if (entry.splat.getElementType().isF32())
    return scalars.real(entry.splat.getSplatValue<float>());
  return scalars.integer(entry.splat.getSplatValue<int32_t>(), 32);
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

Value buildGeneric(OpBuilder &builder, Location location, ValueRange inputs, Value output, ArrayRef<AffineMap> maps,
                   StringRef loops, BodyBuilder body) {
  SmallVector<utils::IteratorType> iterators;
  for (char loop : loops)
    iterators.push_back(loop == 'p' ? utils::IteratorType::parallel : utils::IteratorType::reduction);
  auto generic = linalg::GenericOp::create(builder, location, output.getType(), inputs, output, maps, iterators,
                                           [&](OpBuilder &nested, Location bodyLocation, ValueRange arguments) {
                                             ScalarBuilder scalars{nested, bodyLocation};
                                             linalg::YieldOp::create(nested, bodyLocation, body(scalars, arguments));
                                           });
  return generic.getResult(0);
}

Value buildElementwise(OpBuilder &builder, Location location, ValueRange inputs, RankedTensorType resultType,
                       const BroadcastOperands *broadcast, BodyBuilder body) {
  int64_t rank = resultType.getRank();
  AffineMap identity = AffineMap::getMultiDimIdentityMap(rank, builder.getContext());
  SmallVector<AffineMap> maps;
  for (Value input : inputs) {
    SmallVector<AffineExpr> position(identity.getResults());
    for (auto [d, size] : llvm::enumerate(cast<RankedTensorType>(input.getType()).getShape()))
      if (size == 1)
        position[d] = builder.getAffineConstantExpr(0);
    maps.push_back(AffineMap::get(rank, 0, position, builder.getContext()));
  }
  SmallVector<Value> operands(inputs);
  if (broadcast) {
    llvm::append_range(operands, broadcast->inputs);
    llvm::append_range(maps, broadcast->maps);
  }
  maps.push_back(identity);
  Value empty = buildEmpty(builder, location, resultType.getShape(), resultType.getElementType());
  return buildGeneric(builder, location, operands, empty, maps, std::string(rank, 'p'), body);
}

Value buildEmpty(OpBuilder &builder, Location location, ArrayRef<int64_t> shape, Type element) {
  return tensor::EmptyOp::create(builder, location, shape, element);
}

Value buildFilled(OpBuilder &builder, Location location, ArrayRef<int64_t> shape, Value scalar) {
  Value empty = buildEmpty(builder, location, shape, scalar.getType());
  return linalg::FillOp::create(builder, location, scalar, empty).getResult(0);
}

Value buildPadded(OpBuilder &builder, Location location, Value value, ArrayRef<int64_t> low, ArrayRef<int64_t> high,
                  Value scalar) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape(type.getShape());
  bool isPadded = false;
  for (size_t d = 0; d < shape.size(); ++d) {
    shape[d] += low[d] + high[d];
    isPadded |= low[d] + high[d] > 0;
  }
  if (!isPadded)
    return value;
  Value filled = buildFilled(builder, location, shape, scalar);
  SmallVector<OpFoldResult> offsets, sizes, strides;
  for (size_t d = 0; d < shape.size(); ++d) {
    offsets.push_back(builder.getIndexAttr(low[d]));
    sizes.push_back(builder.getIndexAttr(type.getDimSize(d)));
    strides.push_back(builder.getIndexAttr(1));
  }
  return tensor::InsertSliceOp::create(builder, location, value, filled, offsets, sizes, strides);
}

Value buildIndexTable(OpBuilder &builder, Location location, ArrayRef<int64_t> indices) {
  SmallVector<int32_t> narrow(indices.begin(), indices.end());
  auto type = RankedTensorType::get({static_cast<int64_t>(narrow.size())}, builder.getI32Type());
  return arith::ConstantOp::create(builder, location, DenseElementsAttr::get(type, ArrayRef<int32_t>(narrow)));
}

Value buildElementAt(ScalarBuilder &scalars, Value tensor, unsigned axis, Value position) {
  OpBuilder &builder = scalars.builder;
  SmallVector<Value> at;
  for (int64_t d = 0, rank = cast<RankedTensorType>(tensor.getType()).getRank(); d < rank; ++d)
    at.push_back(d == axis
                     ? Value(arith::IndexCastOp::create(builder, scalars.location, builder.getIndexType(), position))
                     : Value(linalg::IndexOp::create(builder, scalars.location, d)));
  return tensor::ExtractOp::create(builder, scalars.location, tensor, at);
}

Value buildReshape(OpBuilder &builder, Location location, Value value, ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  auto all = [](size_t rank) {
    ReassociationIndices indices;
    for (size_t d = 0; d < rank; ++d)
      indices.push_back(d);
    return SmallVector<ReassociationIndices>{indices};
  };
  auto target = RankedTensorType::get(shape, type.getElementType());
  auto flat = RankedTensorType::get({type.getNumElements()}, type.getElementType());
  if (type.getRank() == 0)
    return tensor::ExpandShapeOp::create(builder, location, target, value, ArrayRef<ReassociationIndices>{});
  if (type.getRank() > 1)
    value = tensor::CollapseShapeOp::create(builder, location, flat, value, all(type.getRank()));
  if (shape.empty())
    return tensor::CollapseShapeOp::create(builder, location, target, value, ArrayRef<ReassociationIndices>{});
  if (shape.size() > 1)
    value = tensor::ExpandShapeOp::create(builder, location, target, value, all(shape.size()));
  return value;
}

} // namespace dyadic
