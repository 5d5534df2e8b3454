// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX's rules for shapes, for the evaluator and the importer alike, and the
// accessors of plain nodes.

#include "Evaluate.h"
#include <algorithm>
#include <numeric>

namespace dyadic::importer {

//===----------------------------------------------------------------------===//
// Graph.h
//===----------------------------------------------------------------------===//

std::optional<int64_t> elementCount(const Shape &shape) {
  int64_t count = 1;
  bool isEmpty = false;
  for (int64_t size : shape) {
    if (size < 0 || size > kMaxElements)
      return std::nullopt;
    // An empty dimension does not excuse the others: products of some of them are needed too.
    isEmpty |= size == 0;
    count *= std::max<int64_t>(size, 1);
    if (count > kMaxElements)
      return std::nullopt;
  }
  return isEmpty ? 0 : count;
}

std::string shapeText(const Shape &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

const Attribute *Node::find(const char *name, Attribute::Kind kind) const {
  auto it = attributes.find(name);
  return it != attributes.end() && it->second.kind == kind ? &it->second : nullptr;
}

int64_t Node::getInt(const char *name, int64_t otherwise) const {
  const Attribute *a = find(name, Attribute::Kind::Int);
  return a ? a->i : otherwise;
}

float Node::getFloat(const char *name, float otherwise) const {
  const Attribute *a = find(name, Attribute::Kind::Float);
  return a ? a->f : otherwise;
}

std::string Node::getString(const char *name, const char *otherwise) const {
  const Attribute *a = find(name, Attribute::Kind::String);
  return a ? a->s : otherwise;
}

std::optional<std::vector<int64_t>> Node::getInts(const char *name) const {
  if (const Attribute *a = find(name, Attribute::Kind::Ints))
    return a->ints;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

SliceRange sliceRange(int64_t size, int64_t start, int64_t end, int64_t step) {
  // A longer step takes at most one element, and shorter ones cannot overflow.
  step = std::clamp(step, -size, size);
  auto bound = [size](int64_t at, int64_t low, int64_t high) { return std::clamp(at < 0 ? at + size : at, low, high); };
  if (step > 0) {
    int64_t first = bound(start, 0, size), last = bound(end, 0, size);
    return {first, step, last > first ? (last - first + step - 1) / step : 0};
  }
  int64_t first = bound(start, 0, size - 1), last = bound(end, -1, size - 1);
  return {first, step, first > last ? (first - last - step - 1) / -step : 0};
}

std::optional<int64_t> normalAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return std::nullopt;
  return axis < 0 ? axis + rank : axis;
}

std::optional<Shape> reshapedShape(const Shape &from, const std::vector<int64_t> &to, bool allowZero) {
  std::optional<int64_t> total = elementCount(from);
  Shape result = to;
  int64_t rest = -1;
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i] == 0 && !allowZero) {
      if (i >= from.size())
        return std::nullopt;
      result[i] = from[i];
    } else if (to[i] == -1 && rest < 0) {
      rest = static_cast<int64_t>(i);
      result[i] = 1;
    }
  }
  std::optional<int64_t> count = elementCount(result);
  if (!total || !count)
    return std::nullopt;
  if (rest >= 0 && *count > 0 && *total % *count == 0) {
    result[rest] = *total / *count;
    return result;
  }
  return rest < 0 && *count == *total ? std::optional<Shape>(result) : std::nullopt;
}

std::optional<Shape> squeezedShape(const Shape &from, const std::optional<std::vector<int64_t>> &axes) {
  std::vector<bool> drop(from.size(), false);
  if (!axes)
    for (size_t d = 0; d < from.size(); ++d)
      drop[d] = from[d] == 1;
  for (int64_t axis : axes.value_or(std::vector<int64_t>())) {
    std::optional<int64_t> d = normalAxis(axis, from.size());
    if (!d || from[*d] != 1)
      return std::nullopt;
    drop[*d] = true;
  }
  Shape result;
  for (size_t d = 0; d < from.size(); ++d)
    if (!drop[d])
      result.push_back(from[d]);
  return result;
}

std::optional<Shape> unsqueezedShape(const Shape &from, const std::vector<int64_t> &axes) {
  size_t rank = from.size() + axes.size();
  std::vector<bool> added(rank, false);
  for (int64_t axis : axes) {
    std::optional<int64_t> d = normalAxis(axis, rank);
    if (!d || added[*d])
      return std::nullopt;
    added[*d] = true;
  }
  Shape result;
  auto next = from.begin();
  for (size_t d = 0; d < rank; ++d)
    result.push_back(added[d] ? 1 : *next++);
  return result;
}

std::optional<Shape> partLengths(const Node &node, const std::optional<Shape> &given, int64_t size) {
  int64_t outputs = node.outputs.size(), count = given ? given->size() : node.getInt("num_outputs", outputs);
  if (count < std::max<int64_t>(outputs, 1))
    return std::nullopt;
  Shape lengths = given.value_or(Shape());
  if (!given) {
    int64_t length = size / count + (size % count != 0);
    for (int64_t k = 0, left = size; k < outputs; ++k, left -= lengths.back())
      lengths.push_back(std::min(left, length));
    return lengths;
  }
  for (int64_t length : lengths)
    if (length < 0 || length > size)
      return std::nullopt;
    else
      size -= length;
  return size == 0 ? std::optional<Shape>(lengths) : std::nullopt;
}

std::optional<std::vector<bool>> reducedDimensions(const Node &node, const std::optional<Shape> &axes, size_t rank) {
  if (!axes || axes->empty())
    return std::vector<bool>(rank, node.getInt("noop_with_empty_axes", 0) == 0);
  std::vector<bool> isReduced(rank, false);
  for (int64_t axis : *axes) {
    std::optional<int64_t> d = normalAxis(axis, rank);
    if (!d || isReduced[*d])
      return std::nullopt;
    isReduced[*d] = true;
  }
  return isReduced;
}

bool isPermutation(const std::vector<int64_t> &permutation, size_t rank) {
  std::vector<int64_t> sorted = permutation, all(rank);
  std::sort(sorted.begin(), sorted.end());
  std::iota(all.begin(), all.end(), 0);
  return sorted == all;
}

std::optional<std::vector<int64_t>> intsOperand(const Node &node, size_t i, const char *attribute,
                                                const Constants &constants) {
  if (!node.hasInput(i))
    return attribute ? node.getInts(attribute) : std::nullopt;
  auto it = constants.find(node.inputs[i]);
  if (it == constants.end() || (it->second->type != ElementType::S64 && it->second->type != ElementType::S32) ||
      it->second->shape.size() > 1)
    return std::nullopt;
  std::vector<int64_t> values(it->second->size());
  for (size_t k = 0; k < values.size(); ++k)
    values[k] = it->second->intAt(k);
  return values;
}

} // namespace dyadic::importer
