// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/IR/Constants.h"
#include "dyadic/Support/Strided.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace dyadic {

/// Larger constants become resources; multiplier and shape attributes stay `dense`.
static constexpr size_t kDenseLimit = 1024;

ConstantView::ConstantView(Attribute attribute) { read(attribute); }

ConstantView::ConstantView(Value value) {
  if (auto cast = value.getDefiningOp<quant::StorageCastOp>())
    value = cast.getInput();
  if (auto constant = value.getDefiningOp<arith::ConstantOp>())
    read(constant.getValue());
}

static std::vector<int64_t> unpack(DenseElementsAttr attr) {
  bool isUnsigned = attr.getElementType().isUnsignedInteger();
  unsigned width = attr.getElementType().getIntOrFloatBitWidth();
  std::vector<int64_t> integers;
  integers.reserve(attr.getNumElements());
  if (width > 1 && width <= 8 && !attr.isSplat()) { // narrow weights are many, and have a byte each
    for (char byte : attr.getRawData()) {
      auto bits = static_cast<uint8_t>(byte);
      integers.push_back(isUnsigned ? int64_t(bits) : llvm::SignExtend64(bits, width));
    }
    return integers;
  }
  for (const APInt &value : attr.getValues<APInt>())
    integers.push_back(isUnsigned ? static_cast<int64_t>(value.getZExtValue()) : value.getSExtValue());
  return integers;
}

void ConstantView::read(Attribute attribute) {
  auto elements = dyn_cast_or_null<ElementsAttr>(attribute);
  if (!elements)
    return;
  Type element = elements.getElementType();
  if (!element.isF32() && !(isa<IntegerType>(element) && element.getIntOrFloatBitWidth() <= 64))
    return;
  if (auto attr = dyn_cast<DenseElementsAttr>(attribute)) {
    dense = attr;
    type = attr.getType();
    if (isa<IntegerType>(element))
      unpacked = unpack(attr);
    return;
  }
  auto resource = dyn_cast<DenseResourceElementsAttr>(attribute);
  if (!resource || !resource.getRawHandle().getBlob())
    return;
  unsigned width = element.getIntOrFloatBitWidth();
  if (width % 8 != 0)
    return;
  ArrayRef<char> data = resource.getRawHandle().getBlob()->getData();
  if (static_cast<int64_t>(data.size()) < resource.getType().getNumElements() * (width / 8))
    return;
  blob = data;
  type = resource.getType();
}

float ConstantView::floatAt(int64_t i) const {
  if (dense)
    return dense.isSplat() ? dense.getSplatValue<float>() : dense.getValues<float>()[i];
  float value;
  std::memcpy(&value, blob.data() + i * sizeof(float), sizeof(float));
  return value;
}

template <typename T> static int64_t load(ArrayRef<char> blob, int64_t i) {
  T value;
  std::memcpy(&value, blob.data() + i * sizeof(T), sizeof(T));
  return static_cast<int64_t>(value);
}

/// Calls `read` with a number of the type that a blob's integers have.
template <typename Read> static void withIntegersOf(Type element, Read read) {
  bool isUnsigned = element.isUnsignedInteger();
  switch (element.getIntOrFloatBitWidth()) {
  case 8:
    return isUnsigned ? read(uint8_t()) : read(int8_t());
  case 16:
    return isUnsigned ? read(uint16_t()) : read(int16_t());
  case 32:
    return isUnsigned ? read(uint32_t()) : read(int32_t());
  default:
    return read(int64_t());
  }
}

int64_t ConstantView::intAt(int64_t i) const {
  if (dense)
    return unpacked[i];
  int64_t result = 0;
  withIntegersOf(type.getElementType(), [&](auto number) { result = load<decltype(number)>(blob, i); });
  return result;
}

std::vector<float> ConstantView::floats() const {
  std::vector<float> result(size());
  if (dense && !dense.isSplat()) {
    llvm::copy(dense.getValues<float>(), result.begin());
    return result;
  }
  for (int64_t i = 0, e = size(); i < e; ++i)
    result[i] = floatAt(i);
  return result;
}

std::vector<int64_t> ConstantView::ints() const {
  if (dense)
    return unpacked;
  std::vector<int64_t> result(size());
  withIntegersOf(type.getElementType(), [&](auto number) {
    for (size_t i = 0; i < result.size(); ++i)
      result[i] = load<decltype(number)>(blob, static_cast<int64_t>(i));
  });
  return result;
}

static ElementsAttr makeResource(RankedTensorType type, ArrayRef<char> bytes, size_t alignment) {
  return DenseResourceElementsAttr::get(type, "c", HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, alignment));
}

ElementsAttr makeFloats(RankedTensorType type, ArrayRef<float> values) {
  if (values.size() * sizeof(float) <= kDenseLimit)
    return DenseElementsAttr::get(type, values);
  return makeResource(type, {reinterpret_cast<const char *>(values.data()), values.size() * sizeof(float)},
                      alignof(float));
}

template <typename T> static std::vector<T> narrow(ArrayRef<int64_t> values) {
  return std::vector<T>(values.begin(), values.end());
}

ElementsAttr makeInts(RankedTensorType type, ArrayRef<int64_t> values) {
  unsigned width = type.getElementTypeBitWidth();
  bool large = values.size() * width / 8 > kDenseLimit;
  auto finish = [&](auto narrowed) -> ElementsAttr {
    using T = typename decltype(narrowed)::value_type;
    ArrayRef<char> bytes(reinterpret_cast<const char *>(narrowed.data()), narrowed.size() * sizeof(T));
    return large ? makeResource(type, bytes, sizeof(T)) : DenseElementsAttr::getFromRawBuffer(type, bytes);
  };
  switch (width) {
  case 8:
    return finish(narrow<int8_t>(values));
  case 16:
    return finish(narrow<int16_t>(values));
  case 32:
    return finish(narrow<int32_t>(values));
  case 64:
    return finish(narrow<int64_t>(values));
  default: {
    SmallVector<APInt> wide;
    for (int64_t value : values)
      wide.emplace_back(width, static_cast<uint64_t>(value), /*isSigned=*/true, /*implicitTrunc=*/true);
    return DenseElementsAttr::get(type, wide);
  }
  }
}

std::vector<int64_t> transposedOffsets(ArrayRef<int64_t> shape, ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> strides = rowMajorStrides(SmallVector<int64_t>(shape)), sizes, steps;
  for (int64_t p : permutation) {
    sizes.push_back(shape[p]);
    steps.push_back(strides[p]);
  }
  std::vector<int64_t> offsets;
  offsets.reserve(ShapedType::getNumElements(sizes));
  forEachStrided(sizes, steps, 0, [&](int64_t offset) { offsets.push_back(offset); });
  return offsets;
}

template <typename T> static std::vector<T> gathered(ArrayRef<T> values, ArrayRef<int64_t> offsets) {
  std::vector<T> result;
  result.reserve(offsets.size());
  for (int64_t offset : offsets)
    result.push_back(values[offset]);
  return result;
}

ElementsAttr transposed(const ConstantView &view, ArrayRef<int64_t> shape, ArrayRef<int64_t> permutation,
                        RankedTensorType type) {
  std::vector<int64_t> offsets = transposedOffsets(shape, permutation);
  if (type.getElementType().isF32())
    return makeFloats(type, gathered<float>(view.floats(), offsets));
  return makeInts(type, gathered<int64_t>(view.ints(), offsets));
}

Value makeConstant(OpBuilder &builder, Location location, ElementsAttr attribute) {
  return arith::ConstantOp::create(builder, location, attribute.getType(), cast<TypedAttr>(attribute));
}

template <typename T> static DenseElementsAttr broadcast(Type element, ArrayRef<T> values, int axis, int64_t rank) {
  SmallVector<int64_t> shape;
  if (values.size() != 1 && axis >= 0) {
    shape.assign(rank - axis, 1);
    shape[0] = values.size();
  }
  return DenseElementsAttr::get(RankedTensorType::get(shape, element), values);
}

DenseIntElementsAttr broadcastInts(MLIRContext *context, ArrayRef<int32_t> values, int axis, int64_t rank) {
  return cast<DenseIntElementsAttr>(broadcast(IntegerType::get(context, 32), values, axis, rank));
}

DenseElementsAttr broadcastFloats(MLIRContext *context, ArrayRef<float> values, int axis, int64_t rank) {
  return broadcast(Float32Type::get(context), values, axis, rank);
}

bool broadcastsTo(ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  if (from.size() > to.size())
    return false;
  for (auto [f, t] : llvm::zip(llvm::reverse(from), llvm::reverse(to)))
    if (f != 1 && f != t)
      return false;
  return true;
}

} // namespace dyadic
