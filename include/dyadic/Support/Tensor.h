// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tensor in host memory: what files hold, programs take and the reference
// interpreter computes. Plain C++, so that the runtime can use it without LLVM.

#ifndef DYADIC_SUPPORT_TENSOR_H
#define DYADIC_SUPPORT_TENSOR_H

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace dyadic {

/// Element types. The numbers are those of `dyadic_element_type` in the C ABI.
enum class ElementType : int32_t {
  F32 = 1,
  U8 = 2,
  S8 = 3,
  U16 = 4,
  S16 = 5,
  S32 = 6,
  S64 = 7,
  F64 = 8,
  U32 = 9,
  U64 = 10,
  Bool = 11,
};

/// Bytes of one element.
inline size_t elementSize(ElementType type) {
  switch (type) {
  case ElementType::U8:
  case ElementType::S8:
  case ElementType::Bool:
    return 1;
  case ElementType::U16:
  case ElementType::S16:
    return 2;
  case ElementType::F32:
  case ElementType::S32:
  case ElementType::U32:
    return 4;
  case ElementType::S64:
  case ElementType::F64:
  case ElementType::U64:
    return 8;
  }
  return 0;
}

/// Bytes of an array whose sizes are all known.
template <typename Shape> uint64_t sizeInBytes(ElementType type, const Shape &shape) {
  uint64_t bytes = elementSize(type);
  for (int64_t size : shape)
    bytes *= static_cast<uint64_t>(size);
  return bytes;
}

/// The name as NumPy spells it: "float32", "uint8", "int8", ...
inline const char *elementName(ElementType type) {
  static const char *const names[] = {"?",     "float32", "uint8",   "int8",   "uint16", "int16",
                                      "int32", "int64",   "float64", "uint32", "uint64", "bool"};
  auto index = static_cast<int32_t>(type);
  return index >= 1 && index <= 11 ? names[index] : names[0];
}

/// Row-major; `data` holds exactly sizeInBytes(type, shape) bytes.
struct Tensor {
  ElementType type = ElementType::F32;
  std::vector<int64_t> shape;
  std::vector<uint8_t> data;

  Tensor() = default;
  Tensor(ElementType type, std::vector<int64_t> shape) : type(type), shape(std::move(shape)) {
    data.resize(sizeInBytes(type, this->shape));
  }

  int64_t size() const {
    int64_t n = 1;
    for (int64_t d : shape)
      n *= d;
    return n;
  }
  template <typename T> T *as() { return reinterpret_cast<T *>(data.data()); }
  template <typename T> const T *as() const { return reinterpret_cast<const T *>(data.data()); }

  /// Element `i` of an integer type of up to 64 bits (U64 wraps).
  int64_t intAt(int64_t i) const {
    switch (type) {
    case ElementType::U8:
    case ElementType::Bool:
      return as<uint8_t>()[i];
    case ElementType::S8:
      return as<int8_t>()[i];
    case ElementType::U16:
      return as<uint16_t>()[i];
    case ElementType::S16:
      return as<int16_t>()[i];
    case ElementType::S32:
      return as<int32_t>()[i];
    case ElementType::U32:
      return as<uint32_t>()[i];
    case ElementType::S64:
    case ElementType::U64:
      return as<int64_t>()[i];
    case ElementType::F32:
    case ElementType::F64:
      break;
    }
    return 0;
  }
  /// Stores `value`, truncated to an integer type.
  void setInt(int64_t i, int64_t value) { std::memcpy(data.data() + i * elementSize(type), &value, elementSize(type)); }

  bool operator==(const Tensor &other) const {
    return type == other.type && shape == other.shape && data == other.data;
  }
};

/// A tensor with the name of the input, output or layer that it belongs to.
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

} // namespace dyadic

#endif // DYADIC_SUPPORT_TENSOR_H
