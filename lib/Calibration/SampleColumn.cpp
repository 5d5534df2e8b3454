// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SampleColumn.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Npz.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <optional>

using namespace llvm;

namespace dyadic {

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

static bool isFloat(ElementType type) { return type == ElementType::F32 || type == ElementType::F64; }

/// Converts between integer types; nothing where a value does not fit.
static std::optional<Tensor> convertIntegers(const Tensor &from, ElementType type) {
  Tensor to(type, from.shape);
  for (int64_t i = 0, n = from.size(); i < n; ++i) {
    int64_t value = from.intAt(i);
    to.setInt(i, value);
    // 64 bits look the same with and without sign: there the sign decides.
    bool isOneUnsigned = (from.type == ElementType::U64) != (type == ElementType::U64);
    if (to.intAt(i) != value || (isOneUnsigned && value < 0))
      return std::nullopt;
  }
  return to;
}

static std::optional<Tensor> convertFloats(const Tensor &from, ElementType type) {
  Tensor to(type, from.shape);
  for (int64_t i = 0, n = from.size(); i < n; ++i)
    if (type == ElementType::F32)
      to.as<float>()[i] = static_cast<float>(from.as<double>()[i]);
    else
      to.as<double>()[i] = from.as<float>()[i];
  return to;
}

/// Whether there are values that mean the same in both types.
static bool isConvertible(ElementType from, ElementType to) {
  bool isAnyBool = from == ElementType::Bool || to == ElementType::Bool;
  return from == to || (!isAnyBool && isFloat(from) == isFloat(to));
}

/// `tensor` in another type that is convertible; nothing where that would change values.
static std::optional<Tensor> convert(Tensor tensor, ElementType type) {
  if (tensor.type == type)
    return tensor;
  return isFloat(type) ? convertFloats(tensor, type) : convertIntegers(tensor, type);
}

template <typename T> static bool allFinite(const Tensor &tensor) {
  return llvm::all_of(ArrayRef<T>(tensor.as<T>(), tensor.size()), [](T value) { return std::isfinite(value); });
}

static bool isFinite(const Tensor &tensor) {
  if (tensor.type == ElementType::F32)
    return allFinite<float>(tensor);
  return tensor.type != ElementType::F64 || allFinite<double>(tensor);
}

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

/// How many inputs of shape `spec` (positive sizes) an array of `shape` holds; nothing where it does not fit.
static std::optional<int64_t> countPieces(ArrayRef<int64_t> shape, ArrayRef<int64_t> spec) {
  if (shape.size() == spec.size() + 1)
    return shape.drop_front() == spec ? std::optional<int64_t>(shape[0]) : std::nullopt;
  if (shape.size() != spec.size())
    return std::nullopt;
  if (spec.empty())
    return 1;
  if (shape.drop_front() != spec.drop_front() || shape[0] % spec[0] != 0)
    return std::nullopt;
  return shape[0] / spec[0];
}

/// Says which shapes an input takes.
static std::string expectedShapes(ArrayRef<int64_t> spec) {
  std::string text = "expected ";
  if (!spec.empty()) {
    std::string stack = shapeText(spec);
    std::string batch = spec[0] == 1 ? "N" : std::to_string(spec[0]) + "*N";
    text += "[" + batch + stack.substr(std::to_string(spec[0]).size() + 1) + " or ";
  }
  return text + "[N" + (spec.empty() ? "]" : ", " + shapeText(spec).substr(1));
}

Error SampleColumn::fail(const Twine &what) const {
  return label.empty() ? fileError(path, what) : fileError(path, label + " " + what);
}

Error SampleColumn::wrongType() const {
  ElementType found = array->type();
  return fail(Twine("holds ") + elementName(found) + ", expected " + elementName(spec.type) +
              (isConvertible(found, spec.type) && !isFloat(found) ? " or values that fit it" : ""));
}

Expected<SampleColumn> SampleColumn::open(StringRef path, StringRef label, std::unique_ptr<ArrayReader> array,
                                          const InputSpec &spec) {
  SampleColumn column;
  column.path = path.str();
  column.label = label.str();
  column.spec = spec;
  column.array = std::move(array);
  const std::vector<int64_t> &shape = column.array->shape();
  std::optional<int64_t> count = countPieces(shape, spec.shape);
  if (!count)
    return column.fail("has shape " + shapeText(shape) + ", " + expectedShapes(spec.shape) + " for input '" +
                       escaped(spec.name) + "'");
  if (*count == 0)
    return column.fail("has no samples: its shape is " + shapeText(shape));
  if (!isConvertible(column.array->type(), spec.type))
    return column.wrongType();
  column.count = static_cast<size_t>(*count);
  return std::move(column);
}

Error SampleColumn::rewind() {
  position = 0;
  return array->rewind();
}

Expected<Tensor> SampleColumn::next() {
  Tensor stored(array->type(), spec.shape);
  if (Error error = array->read(stored.data))
    return std::move(error);
  std::optional<Tensor> piece = convert(std::move(stored), spec.type);
  if (!piece)
    return wrongType();
  if (!isFinite(*piece))
    return fail("has a NaN, infinite or too large number in sample " + Twine(position) + ", expected finite " +
                elementName(spec.type));
  ++position;
  return std::move(*piece);
}

} // namespace dyadic
