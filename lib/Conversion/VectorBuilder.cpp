// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "VectorBuilder.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace dyadic {

VectorType VectorBuilder::vector(int64_t count, unsigned width) {
  return VectorType::get({count}, builder.getIntegerType(width));
}

Value VectorBuilder::constant(int64_t value) {
  return LLVM::ConstantOp::create(builder, location, builder.getI64Type(), builder.getI64IntegerAttr(value));
}

Value VectorBuilder::splat(int64_t count, unsigned width, int64_t value) {
  VectorType type = vector(count, width);
  APInt number(width, static_cast<uint64_t>(value), /*isSigned=*/true, /*implicitTrunc=*/true);
  return LLVM::ConstantOp::create(builder, location, type, DenseElementsAttr::get(type, number));
}

Value VectorBuilder::add(Value a, Value b) { return LLVM::AddOp::create(builder, location, a, b); }
Value VectorBuilder::subtract(Value a, Value b) { return LLVM::SubOp::create(builder, location, a, b); }
Value VectorBuilder::multiply(Value a, Value b) { return LLVM::MulOp::create(builder, location, a, b); }

Value VectorBuilder::bitAnd(Value a, Value b) { return LLVM::AndOp::create(builder, location, a, b); }

Value VectorBuilder::shiftRight(Value value, int64_t bits) {
  if (bits == 0)
    return value;
  auto type = cast<VectorType>(value.getType());
  return LLVM::LShrOp::create(builder, location, value,
                              splat(type.getNumElements(), type.getElementTypeBitWidth(), bits));
}

Value VectorBuilder::address(Value pointer, int64_t bytes) {
  if (bytes == 0)
    return pointer;
  if (!llvm::isInt<32>(bytes))
    return address(pointer, constant(bytes));
  return LLVM::GEPOp::create(builder, location, pointer.getType(), builder.getI8Type(), pointer,
                             ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
}

Value VectorBuilder::address(Value pointer, Value bytes) {
  return LLVM::GEPOp::create(builder, location, pointer.getType(), builder.getI8Type(), pointer,
                             ArrayRef<LLVM::GEPArg>{bytes});
}

Value VectorBuilder::load(Type type, Value pointer) {
  return LLVM::LoadOp::create(builder, location, type, pointer, /*alignment=*/1);
}

Value VectorBuilder::opaque(Value pointer) {
  return LLVM::InlineAsmOp::create(builder, location, pointer.getType(), ValueRange{pointer}, "", "=r,0",
                                   /*has_side_effects=*/false, /*is_align_stack=*/false, LLVM::TailCallKind::None,
                                   LLVM::AsmDialectAttr(), ArrayAttr())
      .getResult(0);
}

void VectorBuilder::store(Value value, Value pointer) {
  LLVM::StoreOp::create(builder, location, value, pointer, /*alignment=*/1);
}

Value VectorBuilder::loadIndex(Value pointer, unsigned width) {
  return LLVM::ZExtOp::create(builder, location, builder.getI64Type(), load(builder.getIntegerType(width), pointer));
}

/// Powers of two, largest first, that add up to `count`.
static SmallVector<int64_t> pieces(int64_t count) {
  SmallVector<int64_t> result;
  for (int64_t size = 16; size > 0; size /= 2)
    if (count & size)
      result.push_back(size);
  return result;
}

Value VectorBuilder::loadPart(VectorType type, int64_t count, Value pointer) {
  int64_t lanes = type.getNumElements();
  unsigned width = type.getElementTypeBitWidth();
  if (count >= lanes)
    return load(type, pointer);
  Value result = splat(lanes, width, 0);
  int64_t start = 0;
  for (int64_t size : pieces(count)) {
    Value piece = load(vector(size, width), address(pointer, start * width / 8));
    SmallVector<int32_t> widen(lanes, -1), merge(lanes);
    for (int64_t i = 0; i < size; ++i)
      widen[i] = static_cast<int32_t>(i);
    for (int64_t i = 0; i < lanes; ++i)
      merge[i] = static_cast<int32_t>(i >= start && i < start + size ? lanes + i - start : i);
    result = shuffle(result, shuffle(piece, piece, widen), merge);
    start += size;
  }
  return result;
}

void VectorBuilder::storePart(Value value, int64_t count, Value pointer) {
  auto type = cast<VectorType>(value.getType());
  if (count >= type.getNumElements())
    return store(value, pointer);
  int64_t start = 0;
  for (int64_t size : pieces(count)) {
    SmallVector<int32_t> lanes(size);
    for (int64_t i = 0; i < size; ++i)
      lanes[i] = static_cast<int32_t>(start + i);
    store(shuffle(value, value, lanes), address(pointer, start * type.getElementTypeBitWidth() / 8));
    start += size;
  }
}

Value VectorBuilder::bitcast(Value value, Type type) { return LLVM::BitcastOp::create(builder, location, type, value); }

Value VectorBuilder::extend(Value value, bool isUnsigned, unsigned width) {
  auto type = cast<VectorType>(value.getType());
  if (type.getElementTypeBitWidth() == width)
    return value;
  VectorType wide = vector(type.getNumElements(), width);
  return isUnsigned ? Value(LLVM::ZExtOp::create(builder, location, wide, value))
                    : Value(LLVM::SExtOp::create(builder, location, wide, value));
}

Value VectorBuilder::truncate(Value value, unsigned width) {
  auto type = cast<VectorType>(value.getType());
  if (type.getElementTypeBitWidth() == width)
    return value;
  return LLVM::TruncOp::create(builder, location, vector(type.getNumElements(), width), value);
}

Value VectorBuilder::shuffle(Value a, Value b, ArrayRef<int32_t> lanes) {
  return LLVM::ShuffleVectorOp::create(builder, location, a, b, lanes);
}

Value VectorBuilder::half(Value value, int64_t index) {
  int64_t count = cast<VectorType>(value.getType()).getNumElements() / 2;
  return shuffle(value, value, llvm::to_vector(llvm::seq<int32_t>(index * count, (index + 1) * count)));
}

Value VectorBuilder::joined(Value a, Value b) {
  int64_t count = cast<VectorType>(a.getType()).getNumElements();
  return shuffle(a, b, llvm::to_vector(llvm::seq<int32_t>(0, 2 * count)));
}

Value VectorBuilder::lane(Value value, int32_t index, int64_t count) {
  return shuffle(value, value, SmallVector<int32_t>(count, index));
}

Value VectorBuilder::broadcast(Value value, int64_t count) {
  auto type = VectorType::get({count}, value.getType());
  Value undefined = LLVM::PoisonOp::create(builder, location, type);
  Value first = LLVM::InsertElementOp::create(builder, location, undefined, value, constant(0));
  return shuffle(first, first, SmallVector<int32_t>(count, 0));
}

Value VectorBuilder::intrinsic(StringRef name, Type result, ValueRange arguments) {
  return LLVM::CallIntrinsicOp::create(builder, location, result, builder.getStringAttr(name), arguments).getResult(0);
}

Value VectorBuilder::clamp(Value value, int64_t low, int64_t high) {
  auto type = cast<VectorType>(value.getType());
  int64_t lanes = type.getNumElements();
  unsigned width = type.getElementTypeBitWidth();
  Value raised = LLVM::SMaxOp::create(builder, location, value, splat(lanes, width, low));
  return LLVM::SMinOp::create(builder, location, raised, splat(lanes, width, high));
}

SmallVector<Value> VectorBuilder::loop(Value count, ValueRange carried,
                                       function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  Value zero = constant(0), one = constant(1);
  auto made = scf::ForOp::create(builder, location, zero, count, one, carried,
                                 [&](OpBuilder &, Location, Value index, ValueRange values) {
                                   scf::YieldOp::create(builder, location, body(index, values));
                                 });
  return SmallVector<Value>(made.getResults());
}

void VectorBuilder::loop(int64_t count, function_ref<void(Value)> body) {
  if (count == 1)
    return body(constant(0));
  if (count > 0)
    loop(constant(count), {}, [&](Value index, ValueRange) {
      body(index);
      return SmallVector<Value>();
    });
}

void VectorBuilder::loop(const Range &range, function_ref<void(Value)> body) {
  if (!range.first)
    return loop(range.count, body);
  scf::ForOp::create(builder, location, range.first, range.end, constant(1), ValueRange(),
                     [&](OpBuilder &, Location, Value index, ValueRange) {
                       body(index);
                       scf::YieldOp::create(builder, location);
                     });
}

Range VectorBuilder::clip(const Range &range, Value start, int64_t count) {
  if (!range.first)
    return {count};
  Value first = subtract(range.first, start), end = subtract(range.end, start);
  return {count, LLVM::SMaxOp::create(builder, location, first, constant(0)),
          LLVM::SMinOp::create(builder, location, end, constant(count))};
}

void VectorBuilder::ifAny(const Range &range, function_ref<void()> body) {
  if (!range.first)
    return body();
  Value any = LLVM::ICmpOp::create(builder, location, LLVM::ICmpPredicate::slt, range.first, range.end);
  scf::IfOp::create(builder, location, any, [&](OpBuilder &, Location) {
    body();
    scf::YieldOp::create(builder, location);
  });
}

} // namespace dyadic
