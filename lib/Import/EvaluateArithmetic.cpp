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
  return result;
}

std::optional<Shape> evaluatedShape(const Shape &a, const Shape &b) {
  std::optional<Shape> shape = commonShape(a, b);
  std::optional<int64_t> count = shape ? elementCount(*shape) : std::nullopt;
  return count && *count <= kMaxEvaluated ? shape : std::nullopt;
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
    if (b == 0 || (b == T(-1) && a == std::numeric_limits<T>::min()))
      return std::nullopt;
    if (op == "Div")
      return a / b;
    if (op == "Mod") // the sign of the divisor, as in NumPy
      return a % b != 0 && (a % b < 0) != (b < 0) ? a % b + b : a % b;
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
  if (op == "LessOrEqual")
    return a <= b;
  if (op == "GreaterOrEqual")
    return a >= b;
  return std::nullopt;
}

template <typename T> static std::optional<Tensor> binary(const std::string &op, const Tensor &a, const Tensor &b) {
  bool isComparison = compare<T>(op, 0, 0).has_value();
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

static std::optional<Tensor> logical(const std::string &op, const Tensor &a, const Tensor &b) {
  Tensor result = a;
  for (int64_t i = 0, e = result.size(); i < e; ++i) {
    bool x = a.data[i], y = b.data[i];
    if (op != "And" && op != "Or" && op != "Xor" && op != "Equal")
      return std::nullopt;
    result.data[i] = op == "And" ? x && y : op == "Or" ? x || y : op == "Xor" ? x != y : x == y;
  }
  return result;
}

std::optional<Tensor> evaluateBinary(const std::string &op, const Tensor &a, const Tensor &b) {
  if (a.type != b.type)
    return std::nullopt;
  std::optional<Shape> shape = evaluatedShape(a.shape, b.shape);
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
  case ElementType::Bool:
    return logical(op, x, y);
  default:
    return std::nullopt;
  }
}

std::optional<Tensor> evaluateWhere(const Tensor &condition, const Tensor &a, const Tensor &b) {
  if (condition.type != ElementType::Bool || a.type != b.type)
    return std::nullopt;
  std::optional<Shape> shape = evaluatedShape(a.shape, b.shape);
  if (shape)
    shape = evaluatedShape(*shape, condition.shape);
  if (!shape)
    return std::nullopt;
  Tensor choice = broadcastTo(condition, *shape), result = broadcastTo(a, *shape), other = broadcastTo(b, *shape);
  size_t width = elementSize(a.type);
  for (int64_t i = 0, e = result.size(); i < e; ++i)
    if (!choice.data[i])
      std::memcpy(result.data.data() + i * width, other.data.data() + i * width, width);
  return result;
}

template <typename T> static std::optional<T> compute(const std::string &op, T x) {
  if constexpr (std::is_floating_point_v<T>) {
    if (op == "Neg")
      return -x;
    if (op == "Abs")
      return std::abs(x);
    if (op == "Floor")
      return std::floor(x);
    if (op == "Ceil")
      return std::ceil(x);
    if (op == "Round") // ties to even
      return x - std::remainder(x, T(1));
    if (op == "Sqrt")
      return std::sqrt(x);
    if (op == "Reciprocal")
      return T(1) / x;
  } else {
    if (op == "Neg" || (op == "Abs" && x < 0))
      return wrap<T>(0 - static_cast<uint64_t>(x));
    if (op == "Abs")
      return x;
  }
  return std::nullopt;
}

template <typename T> static std::optional<Tensor> unary(const std::string &op, const Tensor &x) {
  Tensor result = x;
  for (int64_t i = 0, e = x.size(); i < e; ++i) {
    std::optional<T> value = compute(op, x.as<T>()[i]);
    if (!value)
      return std::nullopt;
    result.as<T>()[i] = *value;
  }
  return result;
}

std::optional<Tensor> evaluateUnary(const std::string &op, const Tensor &x) {
  switch (x.type) {
  case ElementType::F32:
    return unary<float>(op, x);
  case ElementType::F64:
    return unary<double>(op, x);
  case ElementType::S64:
    return unary<int64_t>(op, x);
  case ElementType::S32:
    return unary<int32_t>(op, x);
  case ElementType::Bool: {
    Tensor result = x;
    for (uint8_t &value : result.data)
      value = !value;
    return op == "Not" ? std::optional<Tensor>(result) : std::nullopt;
  }
  default:
    return std::nullopt;
  }
}

//===----------------------------------------------------------------------===//
// Reductions and ranges
//===----------------------------------------------------------------------===//

/// `op` between a partial result and the next element.
static const char *stepOf(const std::string &op) {
  return op == "ReduceProd" ? "Mul" : op == "ReduceMin" ? "Min" : op == "ReduceMax" ? "Max" : "Add";
}

template <typename T>
static std::optional<Tensor> reduce(const std::string &op, const Tensor &x, const std::vector<bool> &isReduced,
                                    bool keepsDimensions) {
  Shape kept, result, index(x.shape.size(), 0);
  for (size_t d = 0; d < x.shape.size(); ++d) {
    kept.push_back(isReduced[d] ? 1 : x.shape[d]);
    if (!isReduced[d] || keepsDimensions)
      result.push_back(kept.back());
  }
  Tensor out(x.type, kept);
  std::vector<int64_t> counts(out.size(), 0);
  for (int64_t i = 0, e = x.size(); i < e; ++i) {
    int64_t o = 0;
    for (size_t d = 0; d < kept.size(); ++d)
      o = o * kept[d] + (isReduced[d] ? 0 : index[d]);
    T value = x.as<T>()[i];
    out.as<T>()[o] = counts[o]++ == 0 ? value : *compute<T>(stepOf(op), out.as<T>()[o], value);
    for (size_t d = index.size(); d-- > 0 && ++index[d] == x.shape[d];)
      index[d] = 0;
  }
  for (int64_t o = 0, e = out.size(); o < e; ++o) {
    if (counts[o] == 0)
      return std::nullopt; // of nothing
    if (op == "ReduceMean")
      out.as<T>()[o] = static_cast<T>(out.as<T>()[o] / static_cast<T>(counts[o]));
  }
  out.shape = result;
  return out;
}

std::optional<Tensor> evaluateReduction(const std::string &op, const Tensor &x, const std::vector<bool> &isReduced,
                                        bool keepsDimensions) {
  switch (x.type) {
  case ElementType::F32:
    return reduce<float>(op, x, isReduced, keepsDimensions);
  case ElementType::S64:
    return reduce<int64_t>(op, x, isReduced, keepsDimensions);
  case ElementType::S32:
    return reduce<int32_t>(op, x, isReduced, keepsDimensions);
  default:
    return std::nullopt;
  }
}

template <typename T> static std::optional<Tensor> range(T start, T limit, T delta) {
  double count = std::ceil((static_cast<double>(limit) - static_cast<double>(start)) / static_cast<double>(delta));
  if (!(count <= static_cast<double>(kMaxEvaluated)))
    return std::nullopt;
  ElementType type = std::is_same_v<T, float>     ? ElementType::F32
                     : std::is_same_v<T, int32_t> ? ElementType::S32
                                                  : ElementType::S64;
  Tensor result(type, {std::max<int64_t>(0, static_cast<int64_t>(count))});
  for (int64_t i = 0, e = result.size(); i < e; ++i)
    result.as<T>()[i] = static_cast<T>(start + static_cast<T>(i) * delta);
  return result;
}

std::optional<Tensor> evaluateRange(const Tensor &start, const Tensor &limit, const Tensor &delta) {
  if (start.type != limit.type || start.type != delta.type || start.size() != 1 || limit.size() != 1 ||
      delta.size() != 1)
    return std::nullopt;
  auto of = [&](auto zero) -> std::optional<Tensor> {
    using T = decltype(zero);
    T by = *delta.as<T>();
    return by == 0 ? std::nullopt : range<T>(*start.as<T>(), *limit.as<T>(), by);
  };
  switch (start.type) {
  case ElementType::F32:
    return of(0.0f);
  case ElementType::S64:
    return of(int64_t(0));
  case ElementType::S32:
    return of(int32_t(0));
  default:
    return std::nullopt;
  }
}

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

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
