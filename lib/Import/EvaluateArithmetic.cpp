// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The element-wise half of the evaluator.

#include "Evaluate.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace dyadic::importer {

std::optional<Shape> commonShape(const Shape &a, const Shape &b) {
  Shape result(std::max(a.size(), b.size()));
  for (size_t i = 0; i < result.size(); ++i) {
    int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1, y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1)
      return std::nullopt;
    result[result.size() - 1 - i] = x == 1 ? y : x;
  }
  std::optional<int64_t> count = elementCount(result);
  if (!count || *count > kMaxEvaluated)
    return std::nullopt;
  return result;
}

Tensor broadcastTo(const Tensor &x, const Shape &shape) {
  Tensor result(x.type, shape);
  size_t width = elementSize(x.type), lead = shape.size() - x.shape.size();
  Shape index(shape.size(), 0);
  for (int64_t i = 0, e = result.size(); i < e; ++i) {
    int64_t from = 0;
    for (size_t d = 0; d < x.shape.size(); ++d)
      from = from * x.shape[d] + (x.shape[d] == 1 ? 0 : index[lead + d]);
    std::memcpy(result.data.data() + i * width, x.data.data() + from * width, width);
    for (size_t d = shape.size(); d-- > 0 && ++index[d] == shape[d];)
      index[d] = 0;
  }
  return result;
}

/// Two's complement, so that overflow is defined.
template <typename T> static T wrap(uint64_t value) { return static_cast<T>(value); }

template <typename T> static std::optional<T> compute(const std::string &op, T a, T b) {
  if (op == "Min")
    return std::min(a, b);
  if (op == "Max")
    return std::max(a, b);
  if constexpr (std::is_floating_point_v<T>) {
    if (op == "Add")
      return a + b;
    if (op == "Sub")
      return a - b;
    if (op == "Mul")
      return a * b;
    if (op == "Div")
      return a / b;
  } else {
    auto x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
    if (op == "Add")
      return wrap<T>(x + y);
    if (op == "Sub")
      return wrap<T>(x - y);
    if (op == "Mul")
      return wrap<T>(x * y);
    if (op == "Div" && b != 0 && !(b == T(-1) && a == std::numeric_limits<T>::min()))
      return a / b;
  }
  return std::nullopt;
}

template <typename T> static std::optional<bool> compare(const std::string &op, T a, T b) {
  if (op == "Equal")
    return a == b;
  if (op == "Less")
    return a < b;
  if (op == "Greater")
    return a > b;
  return std::nullopt;
}

template <typename T> static std::optional<Tensor> binary(const std::string &op, const Tensor &a, const Tensor &b) {
  bool isComparison = op == "Equal" || op == "Less" || op == "Greater";
  Tensor result(isComparison ? ElementType::Bool : a.type, a.shape);
  for (int64_t i = 0, e = result.size(); i < e; ++i) {
    T x = a.as<T>()[i], y = b.as<T>()[i];
    if (isComparison) {
      result.as<uint8_t>()[i] = *compare(op, x, y);
      continue;
    }
    std::optional<T> value = compute(op, x, y);
    if (!value)
      return std::nullopt;
    result.as<T>()[i] = *value;
  }
  return result;
}

std::optional<Tensor> evaluateBinary(const std::string &op, const Tensor &a, const Tensor &b) {
  if (a.type != b.type)
    return std::nullopt;
  std::optional<Shape> shape = commonShape(a.shape, b.shape);
  if (!shape)
    return std::nullopt;
  Tensor x = broadcastTo(a, *shape), y = broadcastTo(b, *shape);
  switch (a.type) {
  case ElementType::F32:
    return binary<float>(op, x, y);
  case ElementType::F64:
    return binary<double>(op, x, y);
  case ElementType::S64:
    return binary<int64_t>(op, x, y);
  case ElementType::S32:
    return binary<int32_t>(op, x, y);
  default:
    return std::nullopt;
  }
}

std::optional<Tensor> evaluateWhere(const Tensor &condition, const Tensor &a, const Tensor &b) {
  if (condition.type != ElementType::Bool || a.type != b.type)
    return std::nullopt;
  std::optional<Shape> shape = commonShape(a.shape, b.shape);
  if (shape)
    shape = commonShape(*shape, condition.shape);
  if (!shape)
    return std::nullopt;
  Tensor choice = broadcastTo(condition, *shape), result = broadcastTo(a, *shape), other = broadcastTo(b, *shape);
  size_t width = elementSize(a.type);
  for (int64_t i = 0, e = result.size(); i < e; ++i)
    if (!choice.data[i])
      std::memcpy(result.data.data() + i * width, other.data.data() + i * width, width);
  return result;
}

std::optional<Tensor> evaluateUnary(const std::string &op, const Tensor &x) {
  Tensor result = x;
  for (int64_t i = 0, e = x.size(); i < e; ++i) {
    if (x.type == ElementType::F32) {
      float &value = result.as<float>()[i];
      value = op == "Neg"     ? -value
              : op == "Floor" ? std::floor(value)
              : op == "Ceil"  ? std::ceil(value)
                              : std::sqrt(value);
    } else if (x.type == ElementType::S64 && op == "Neg") {
      result.as<int64_t>()[i] = wrap<int64_t>(0 - static_cast<uint64_t>(x.as<int64_t>()[i]));
    } else {
      return std::nullopt;
    }
  }
  return result;
}

static bool isFloating(ElementType type) { return type == ElementType::F32 || type == ElementType::F64; }

static double realAt(const Tensor &x, int64_t i) {
  if (x.type == ElementType::F32)
    return x.as<float>()[i];
  return x.type == ElementType::F64 ? x.as<double>()[i] : static_cast<double>(x.intAt(i));
}

std::optional<Tensor> evaluateCast(const Tensor &x, ElementType to) {
  // Rounded twice, and for no shape: unsigned 64-bit numbers to float.
  if (x.type == to)
    return x;
  if (x.type == ElementType::U64 || to == ElementType::U64)
    return std::nullopt;
  Tensor result(to, x.shape);
  for (int64_t i = 0, e = x.size(); i < e; ++i) {
    if (to == ElementType::Bool) {
      result.data[i] = isFloating(x.type) ? realAt(x, i) != 0 : x.intAt(i) != 0;
    } else if (to == ElementType::F32) {
      // Directly from integers: by way of double some would round twice.
      result.as<float>()[i] = isFloating(x.type) ? static_cast<float>(realAt(x, i)) : static_cast<float>(x.intAt(i));
    } else if (to == ElementType::F64) {
      result.as<double>()[i] = realAt(x, i);
    } else if (isFloating(x.type)) {
      double value = realAt(x, i);
      if (!(value > -9.2e18 && value < 9.2e18)) // ONNX leaves these open
        return std::nullopt;
      result.setInt(i, static_cast<int64_t>(value));
    } else {
      result.setInt(i, x.intAt(i));
    }
  }
  return result;
}

} // namespace dyadic::importer
