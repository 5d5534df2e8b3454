// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The shape half of the evaluator: operations that move elements or make shapes.

#include "Evaluate.h"
#include "dyadic/Support/Strided.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <numeric>

namespace dyadic::importer {

static Tensor makeInts(const std::vector<int64_t> &values) {
  Tensor result(ElementType::S64, {static_cast<int64_t>(values.size())});
  std::copy(values.begin(), values.end(), result.as<int64_t>());
  return result;
}

static Tensor makeFloats(const std::vector<float> &values) {
  Tensor result(ElementType::F32, {static_cast<int64_t>(values.size())});
  std::copy(values.begin(), values.end(), result.as<float>());
  return result;
}

static Tensor reshaped(const Tensor &x, Shape shape) {
  Tensor result = x;
  result.shape = std::move(shape);
  return result;
}

/// Copies a strided box: element `index` of the result is at `base + sum index * strides` of `x`.
static Tensor gatherStrided(const Tensor &x, const Shape &shape, int64_t base, const Shape &strides) {
  Tensor result(x.type, shape);
  size_t width = elementSize(x.type);
  uint8_t *to = result.data.data();
  forEachStrided(shape, strides, base, [&](int64_t from) {
    std::memcpy(to, x.data.data() + from * width, width);
    to += width;
  });
  return result;
}

Tensor transposed(const Tensor &tensor, const std::vector<int64_t> &permutation) {
  Shape from = rowMajorStrides(tensor.shape), shape, strides;
  for (int64_t d : permutation) {
    shape.push_back(tensor.shape[d]);
    strides.push_back(from[d]);
  }
  return gatherStrided(tensor, shape, 0, strides);
}

static std::optional<Tensor> evaluateConstant(const Node &node) {
  if (const Attribute *a = node.find("value", Attribute::Kind::Tensor))
    return a->tensor ? std::optional<Tensor>(*a->tensor) : std::nullopt;
  if (const Attribute *a = node.find("value_int", Attribute::Kind::Int))
    return reshaped(makeInts({a->i}), {});
  if (const Attribute *a = node.find("value_float", Attribute::Kind::Float))
    return reshaped(makeFloats({a->f}), {});
  if (const Attribute *a = node.find("value_ints", Attribute::Kind::Ints))
    return makeInts(a->ints);
  if (const Attribute *a = node.find("value_floats", Attribute::Kind::Floats))
    return makeFloats(a->floats);
  return std::nullopt;
}

static std::optional<Tensor> evaluateShape(const Node &node, const Shape &shape) {
  if (node.op == "Size") {
    std::optional<int64_t> count = elementCount(shape);
    return count ? std::optional<Tensor>(reshaped(makeInts({*count}), {})) : std::nullopt;
  }
  int64_t rank = shape.size();
  auto bound = [rank](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
  int64_t start = bound(node.getInt("start", 0)), end = bound(node.getInt("end", rank));
  return makeInts({shape.begin() + start, shape.begin() + std::max(start, end)});
}

static std::optional<Tensor> evaluateConstantOfShape(const Node &node, const Constants &constants) {
  std::optional<Shape> shape = intsOperand(node, 0, nullptr, constants);
  std::optional<int64_t> count = shape ? elementCount(*shape) : std::nullopt;
  if (!count || *count > kMaxEvaluated)
    return std::nullopt;
  Tensor value(ElementType::F32, {1});
  if (node.attributes.count("value")) {
    const Attribute *a = node.find("value", Attribute::Kind::Tensor);
    if (!a || !a->tensor || a->tensor->size() != 1)
      return std::nullopt;
    value = *a->tensor;
  }
  return broadcastTo(reshaped(value, {}), *shape);
}

static std::optional<Tensor> evaluateGather(const Node &node, const Tensor &x, const Tensor &indices) {
  std::optional<int64_t> axis = normalAxis(node.getInt("axis", 0), x.shape.size());
  if (!axis || (indices.type != ElementType::S64 && indices.type != ElementType::S32))
    return std::nullopt;
  Shape shape(x.shape.begin(), x.shape.begin() + *axis);
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), x.shape.begin() + *axis + 1, x.shape.end());
  std::optional<int64_t> count = elementCount(shape);
  if (!count || *count > kMaxEvaluated)
    return std::nullopt;
  Tensor result(x.type, shape);
  int64_t outer = std::accumulate(x.shape.begin(), x.shape.begin() + *axis, int64_t(1), std::multiplies<>());
  size_t block = elementSize(x.type);
  for (size_t d = *axis + 1; d < x.shape.size(); ++d)
    block *= x.shape[d];
  uint8_t *to = result.data.data();
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t k = 0, e = indices.size(); k < e; ++k, to += block) {
      std::optional<int64_t> at = normalAxis(indices.intAt(k), x.shape[*axis]);
      if (!at)
        return std::nullopt;
      if (block)
        std::memcpy(to, x.data.data() + (o * x.shape[*axis] + *at) * block, block);
    }
  return result;
}

static std::optional<Tensor> evaluateConcat(const Node &node, const std::vector<const Tensor *> &parts) {
  std::optional<int64_t> axis = normalAxis(node.getInt("axis", 1), parts[0]->shape.size());
  if (!axis)
    return std::nullopt;
  Shape shape = parts[0]->shape;
  shape[*axis] = 0;
  for (const Tensor *part : parts) {
    Shape other = part->shape;
    if (part->type != parts[0]->type || other.size() != shape.size())
      return std::nullopt;
    other[*axis] = shape[*axis];
    if (other != shape)
      return std::nullopt;
    shape[*axis] += part->shape[*axis];
  }
  std::optional<int64_t> count = elementCount(shape);
  if (!count || *count > kMaxEvaluated)
    return std::nullopt;
  Tensor result(parts[0]->type, shape);
  int64_t outer = std::accumulate(shape.begin(), shape.begin() + *axis, int64_t(1), std::multiplies<>());
  uint8_t *to = result.data.data();
  for (int64_t o = 0; o < outer; ++o) // outer is not 0 below
    for (const Tensor *part : parts) {
      size_t block = part->data.size() / outer;
      if (block)
        std::memcpy(to, part->data.data() + o * block, block);
      to += block;
    }
  return result;
}

static std::optional<Tensor> evaluateSlice(const Node &node, const Tensor &x, const Constants &constants) {
  std::optional<std::vector<int64_t>> starts = intsOperand(node, 1, "starts", constants);
  std::optional<std::vector<int64_t>> ends = intsOperand(node, 2, "ends", constants);
  std::optional<std::vector<int64_t>> axes = intsOperand(node, 3, "axes", constants);
  std::optional<std::vector<int64_t>> steps = intsOperand(node, 4, nullptr, constants);
  if (!starts || !ends || starts->size() != ends->size() || (node.hasInput(3) && !axes) ||
      (node.hasInput(4) && !steps) || (axes && axes->size() != starts->size()) ||
      (steps && steps->size() != starts->size()))
    return std::nullopt;
  Shape shape = x.shape, strides = rowMajorStrides(x.shape);
  int64_t base = 0;
  std::vector<bool> seen(shape.size(), false);
  for (size_t k = 0; k < starts->size(); ++k) {
    std::optional<int64_t> axis = normalAxis(axes ? (*axes)[k] : k, shape.size());
    int64_t step = steps ? (*steps)[k] : 1;
    if (!axis || seen[*axis] || step == 0 || x.shape[*axis] == 0)
      return std::nullopt;
    seen[*axis] = true;
    SliceRange range = sliceRange(x.shape[*axis], (*starts)[k], (*ends)[k], step);
    shape[*axis] = range.count;
    base += range.offset * strides[*axis];
    strides[*axis] *= range.step;
  }
  return gatherStrided(x, shape, base, strides);
}

static std::optional<Tensor> evaluateReshapes(const Node &node, const Tensor &x, const Constants &constants) {
  std::optional<Shape> shape;
  if (node.op == "Reshape") {
    if (std::optional<Shape> to = intsOperand(node, 1, "shape", constants))
      shape = reshapedShape(x.shape, *to, node.getInt("allowzero", 0) != 0);
  } else if (node.op == "Squeeze") {
    std::optional<std::vector<int64_t>> axes = intsOperand(node, 1, "axes", constants);
    if (axes || !node.hasInput(1))
      shape = squeezedShape(x.shape, axes);
  } else if (node.op == "Unsqueeze") {
    if (std::optional<std::vector<int64_t>> axes = intsOperand(node, 1, "axes", constants))
      shape = unsqueezedShape(x.shape, *axes);
  } else { // Flatten
    int64_t rank = x.shape.size(), axis = node.getInt("axis", 1);
    if (axis >= -rank && axis <= rank) {
      auto middle = x.shape.begin() + (axis < 0 ? axis + rank : axis);
      shape = Shape{std::accumulate(x.shape.begin(), middle, int64_t(1), std::multiplies<>()),
                    std::accumulate(middle, x.shape.end(), int64_t(1), std::multiplies<>())};
    }
  }
  return shape ? std::optional<Tensor>(reshaped(x, *shape)) : std::nullopt;
}

static std::optional<Tensor> evaluateTranspose(const Node &node, const Tensor &x) {
  std::vector<int64_t> permutation(x.shape.size());
  for (size_t d = 0; d < permutation.size(); ++d)
    permutation[d] = permutation.size() - 1 - d;
  permutation = node.getInts("perm").value_or(permutation);
  if (!isPermutation(permutation, x.shape.size()))
    return std::nullopt;
  return transposed(x, permutation);
}

/// ONNX's numbers of element types.
static std::optional<ElementType> castTarget(int64_t type) {
  switch (type) {
  case 1:
    return ElementType::F32;
  case 2:
    return ElementType::U8;
  case 3:
    return ElementType::S8;
  case 6:
    return ElementType::S32;
  case 7:
    return ElementType::S64;
  case 9:
    return ElementType::Bool;
  case 11:
    return ElementType::F64;
  default:
    return std::nullopt;
  }
}

static std::optional<Tensor> evaluateExpand(const Node &node, const Tensor &x, const Constants &constants) {
  std::optional<Shape> to = intsOperand(node, 1, nullptr, constants);
  std::optional<Shape> shape = to ? evaluatedShape(x.shape, *to) : std::nullopt;
  return shape ? std::optional<Tensor>(broadcastTo(x, *shape)) : std::nullopt;
}

static std::optional<Tensor> evaluateTile(const Tensor &x, const Node &node, const Constants &constants) {
  std::optional<std::vector<int64_t>> repeats = intsOperand(node, 1, nullptr, constants);
  if (!repeats || repeats->size() != x.shape.size())
    return std::nullopt;
  // Each dimension d becomes [repeats, d], broadcast from [1, d].
  Shape split, spread, merged;
  for (auto [size, count] : llvm::zip(x.shape, *repeats)) {
    if (count < 0 || count > kMaxEvaluated)
      return std::nullopt;
    split.insert(split.end(), {1, size});
    spread.insert(spread.end(), {count, size});
    merged.push_back(count * size);
  }
  std::optional<int64_t> count = elementCount(spread);
  if (!count || *count > kMaxEvaluated)
    return std::nullopt;
  return reshaped(broadcastTo(reshaped(x, split), spread), merged);
}

static bool isReduction(const std::string &op) {
  return op == "ReduceProd" || op == "ReduceSum" || op == "ReduceMin" || op == "ReduceMax" || op == "ReduceMean";
}

static std::optional<Tensor> evaluateReductionNode(const Node &node, const Tensor &x, const Constants &constants) {
  std::optional<Shape> axes = intsOperand(node, 1, "axes", constants);
  if (node.hasInput(1) && !axes)
    return std::nullopt;
  std::optional<std::vector<bool>> isReduced = reducedDimensions(node, axes, x.shape.size());
  if (!isReduced)
    return std::nullopt;
  return evaluateReduction(node.op, x, *isReduced, node.getInt("keepdims", 1) != 0);
}

static std::optional<std::vector<Tensor>> evaluateSplit(const Node &node, const Constants &constants) {
  auto x = node.hasInput(0) ? constants.find(node.inputs[0]) : constants.end();
  std::optional<Shape> given = intsOperand(node, 1, "split", constants);
  if (x == constants.end() || (node.hasInput(1) && !given))
    return std::nullopt;
  Shape shape = x->second->shape, strides = rowMajorStrides(shape);
  std::optional<int64_t> axis = normalAxis(node.getInt("axis", 0), shape.size());
  std::optional<Shape> lengths = axis ? partLengths(node, given, shape[*axis]) : std::nullopt;
  if (!lengths)
    return std::nullopt;
  std::vector<Tensor> parts;
  int64_t first = 0;
  for (size_t k = 0; k < node.outputs.size(); ++k) {
    shape[*axis] = (*lengths)[k];
    parts.push_back(gatherStrided(*x->second, shape, first * strides[*axis], strides));
    first += (*lengths)[k];
  }
  return parts;
}

/// The result of an operation that has one.
static std::optional<Tensor> evaluateOne(const Node &node, const Constants &constants,
                                         const std::unordered_map<std::string, Shape> &shapes) {
  const std::string &op = node.op;
  if (op == "Constant")
    return evaluateConstant(node);
  if ((op == "Shape" || op == "Size") && node.hasInput(0)) {
    if (auto it = constants.find(node.inputs[0]); it != constants.end())
      return evaluateShape(node, it->second->shape);
    auto it = shapes.find(node.inputs[0]);
    return it != shapes.end() ? evaluateShape(node, it->second) : std::nullopt;
  }
  std::vector<const Tensor *> x;
  for (const std::string &name : node.inputs) {
    auto it = constants.find(name);
    if (it == constants.end() && !name.empty())
      return std::nullopt;
    x.push_back(name.empty() ? nullptr : it->second.get());
  }
  if (x.empty() || !x[0] ||
      (x.size() > 1 && !x[1] && op != "Slice" && op != "Squeeze" && op != "Dropout" && !isReduction(op)))
    return std::nullopt;
  if (op == "Identity" || op == "Dropout")
    return *x[0];
  if (op == "ConstantOfShape")
    return evaluateConstantOfShape(node, constants);
  if (op == "Concat")
    return std::count(x.begin(), x.end(), nullptr) ? std::nullopt : evaluateConcat(node, x);
  if (op == "Slice")
    return evaluateSlice(node, *x[0], constants);
  if (op == "Reshape" || op == "Squeeze" || op == "Unsqueeze" || op == "Flatten")
    return evaluateReshapes(node, *x[0], constants);
  if (op == "Transpose")
    return evaluateTranspose(node, *x[0]);
  if (op == "Cast") {
    std::optional<ElementType> to = castTarget(node.getInt("to", 0));
    return to ? evaluateCast(*x[0], *to) : std::nullopt;
  }
  if (isReduction(op))
    return evaluateReductionNode(node, *x[0], constants);
  if (x.size() == 1)
    return evaluateUnary(op, *x[0]);
  if (op == "Tile")
    return evaluateTile(*x[0], node, constants);
  if (op == "Range")
    return x.size() == 3 && x[2] ? evaluateRange(*x[0], *x[1], *x[2]) : std::nullopt;
  if (op == "Gather")
    return evaluateGather(node, *x[0], *x[1]);
  if (op == "Expand")
    return evaluateExpand(node, *x[0], constants);
  if (op == "Where" && x.size() == 3 && x[2])
    return evaluateWhere(*x[0], *x[1], *x[2]);
  if (x.size() == 2 && !node.attributes.count("broadcast")) // of opsets below 7, with other rules
    return evaluateBinary(op, *x[0], *x[1]);
  return std::nullopt;
}

std::optional<std::vector<Tensor>> evaluate(const Node &node, const Constants &constants,
                                            const std::unordered_map<std::string, Shape> &shapes) {
  if (!node.isKnown)
    return std::nullopt;
  if (node.op == "Split")
    return evaluateSplit(node, constants);
  std::optional<Tensor> result = node.outputs.size() == 1 ? evaluateOne(node, constants, shapes) : std::nullopt;
  return result ? std::optional<std::vector<Tensor>>({std::move(*result)}) : std::nullopt;
}

} // namespace dyadic::importer
