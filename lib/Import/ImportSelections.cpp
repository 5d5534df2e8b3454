// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that select, repeat or border elements.

#include "Evaluate.h"
#include "Importer.h"
#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Support/Error.h"
#include <cmath>
#include <numeric>

using namespace mlir;
using llvm::Expected;

namespace dyadic::importer {

using Ints = std::optional<std::vector<int64_t>>;

//===----------------------------------------------------------------------===//
// Slice and Split
//===----------------------------------------------------------------------===//

Value Importer::makeSlice(Location location, StringAttr id, Value x, const Shape &offsets, const Shape &steps,
                          const Shape &shape) {
  return qnn::SliceOp::create(builder, location, floatType(shape), x, i64s(offsets), i64s(steps), id).getResult();
}

Value Importer::makePad(Location location, StringAttr id, Value x, const Shape &low, const Shape &high, float value) {
  Shape shape = shapeOf(x);
  for (size_t d = 0; d < shape.size(); ++d)
    shape[d] += low[d] + high[d];
  return qnn::PadOp::create(builder, location, floatType(shape), x, i64s(low), i64s(high),
                            builder.getF32FloatAttr(value), /*x_zp=*/IntegerAttr(), id)
      .getResult();
}

Importer::Result Importer::importSlice(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  std::vector<Ints> lists; // starts, ends, axes, steps
  for (size_t i = 1; i < 5; ++i) {
    Expected<Ints> list = ints(node, i);
    if (!list)
      return list.takeError();
    lists.push_back(*list);
  }
  Shape shape = shapeOf(*x);
  if (!lists[0] || !lists[1])
    return makeError("starts or ends are missing");
  size_t count = lists[0]->size();
  if (!lists[2]) {
    lists[2].emplace(count);
    std::iota(lists[2]->begin(), lists[2]->end(), 0);
  }
  if (!lists[3])
    lists[3].emplace(count, 1);
  for (const Ints &list : lists)
    if (list->size() != count)
      return makeError("starts, ends, axes and steps differ in length");
  Shape offsets(shape.size(), 0), steps(shape.size(), 1), result = shape;
  std::vector<bool> seen(shape.size(), false);
  for (size_t k = 0; k < count; ++k) {
    std::optional<int64_t> axis = normalAxis((*lists[2])[k], shape.size());
    if (!axis || seen[*axis])
      return makeError("axes " + shapeText(*lists[2]) + ", expected different ones of " + llvm::Twine(shape.size()) +
                       " dimensions");
    if ((*lists[3])[k] == 0)
      return makeError("a step is 0");
    seen[*axis] = true;
    SliceRange range = sliceRange(shape[*axis], (*lists[0])[k], (*lists[1])[k], (*lists[3])[k]);
    if (range.count == 0)
      return makeError("nothing is left of dimension " + llvm::Twine(*axis));
    offsets[*axis] = range.offset;
    steps[*axis] = range.count == 1 ? 1 : range.step;
    result[*axis] = range.count;
  }
  if (result == shape && llvm::all_of(steps, [](int64_t step) { return step == 1; }))
    return *x;
  return makeSlice(locationOf(node), idOf(node), *x, offsets, steps, result);
}

Importer::Result Importer::importSplit(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Expected<Ints> given = ints(node, 1);
  if (!given)
    return given.takeError();
  Shape shape = shapeOf(*x), offsets(shape.size(), 0), steps(shape.size(), 1);
  std::optional<int64_t> axis = normalAxis(node.getInt("axis", 0), shape.size());
  if (!axis)
    return makeError("axis is " + llvm::Twine(node.getInt("axis", 0)) + " for an operand of shape " + shapeText(shape));
  std::optional<Shape> lengths = partLengths(node, *given, shape[*axis]);
  if (!lengths)
    return makeError((*given ? "split is " + shapeText(**given) + " for " : std::string()) +
                     std::to_string(node.outputs.size()) + " outputs and " + std::to_string(shape[*axis]) +
                     " elements");
  for (auto [name, length] : llvm::zip(node.outputs, *lengths)) {
    if (length == 0 && reads.count(name))
      return makeError("output '" + escaped(name) + "' is empty");
    if (length > 0 && !name.empty()) {
      Shape part = shape;
      part[*axis] = length;
      values[name] =
          part == shape ? *x : makeSlice(locationOf(node), builder.getStringAttr(name), *x, offsets, steps, part);
    }
    offsets[*axis] += length;
  }
  auto first = values.find(node.outputs[0]);
  return first == values.end() ? *x : first->second; // an empty part that nobody reads
}

//===----------------------------------------------------------------------===//
// Gather and Pad
//===----------------------------------------------------------------------===//

Value Importer::makeGather(Location location, StringAttr id, Value x, int64_t axis, ArrayRef<int64_t> indices) {
  Shape shape = shapeOf(x), offsets(shape.size(), 0), steps(shape.size(), 1);
  int64_t step = indices.size() > 1 ? indices[1] - indices[0] : 1;
  bool isEven = step != 0;
  for (size_t i = 1; i < indices.size(); ++i)
    isEven &= indices[i] - indices[i - 1] == step;
  bool isWhole = isEven && step == 1 && static_cast<int64_t>(indices.size()) == shape[axis];
  if (isWhole)
    return x;
  shape[axis] = indices.size();
  offsets[axis] = indices[0];
  steps[axis] = step;
  if (isEven)
    return makeSlice(location, id, x, offsets, steps, shape);
  return qnn::GatherOp::create(builder, location, floatType(shape), x, builder.getI64IntegerAttr(axis),
                               builder.getDenseI64ArrayAttr(indices), id);
}

Importer::Result Importer::importGather(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  const Tensor *positions = constant(node, 1);
  if (!positions)
    return node.hasInput(1) ? notConstant(node.inputs[1]) : makeError("the indices are missing");
  Shape shape = shapeOf(*x);
  std::optional<int64_t> axis = normalAxis(node.getInt("axis", 0), shape.size());
  if (!axis)
    return makeError("axis is " + llvm::Twine(node.getInt("axis", 0)) + " for an operand of shape " + shapeText(shape));
  if ((positions->type != ElementType::S64 && positions->type != ElementType::S32) || positions->size() == 0)
    return makeError("indices of shape " + shapeText(positions->shape) + " of " + elementName(positions->type) +
                     ", expected at least one integer");
  std::vector<int64_t> indices;
  for (int64_t i = 0, e = positions->size(); i < e; ++i) {
    std::optional<int64_t> index = normalAxis(positions->intAt(i), shape[*axis]);
    if (!index)
      return makeError("index " + llvm::Twine(positions->intAt(i)) + " into " + llvm::Twine(shape[*axis]) +
                       " positions");
    indices.push_back(*index);
  }
  // A dimension of the operand becomes those of the indices.
  Shape result(shape.begin(), shape.begin() + *axis);
  result.insert(result.end(), positions->shape.begin(), positions->shape.end());
  result.insert(result.end(), shape.begin() + *axis + 1, shape.end());
  bool isReshaped = positions->shape.size() != 1;
  Value gathered = makeGather(locationOf(node), isReshaped ? StringAttr() : idOf(node), *x, *axis, indices);
  return makeReshape(locationOf(node), idOf(node), gathered, result);
}

namespace {
/// What Pad does to each dimension: first it keeps `kept` elements from `cut` on, then
/// it adds `low` and `high` ones.
struct Border {
  Shape cut, kept, low, high;
  bool isAdded() const;
};
} // namespace

bool Border::isAdded() const {
  auto isPositive = [](int64_t pad) { return pad > 0; };
  return llvm::any_of(low, isPositive) || llvm::any_of(high, isPositive);
}

static Expected<Border> borderOf(const Shape &shape, const Shape &pads, const Shape &axes) {
  size_t rank = shape.size(), count = axes.size();
  if (pads.size() != 2 * count)
    return makeError("pads has " + llvm::Twine(pads.size()) + " entries, expected " + llvm::Twine(2 * count));
  Border border{Shape(rank, 0), shape, Shape(rank, 0), Shape(rank, 0)};
  std::vector<bool> seen(rank, false);
  for (size_t k = 0; k < count; ++k) {
    std::optional<int64_t> axis = normalAxis(axes[k], rank);
    if (!axis || seen[*axis])
      return makeError("axes " + shapeText(axes) + ", expected different ones of " + llvm::Twine(rank) + " dimensions");
    seen[*axis] = true;
    int64_t before = pads[k], after = pads[count + k];
    if (std::max(before, after) > kMaxElements || std::min(before, after) < -kMaxElements)
      return makeError("pads contains a number beyond 2^31");
    border.low[*axis] = std::max<int64_t>(before, 0);
    border.high[*axis] = std::max<int64_t>(after, 0);
    border.cut[*axis] = std::max<int64_t>(-before, 0);
    border.kept[*axis] = shape[*axis] - border.cut[*axis] - std::max<int64_t>(-after, 0);
    if (border.kept[*axis] < 1)
      return makeError("nothing is left of dimension " + llvm::Twine(*axis));
  }
  return border;
}

/// Which of `size` elements stands at position `at`, which may lie outside.
static int64_t borderSource(const std::string &mode, int64_t at, int64_t size) {
  if (mode == "edge" || size == 1)
    return std::clamp<int64_t>(at, 0, size - 1);
  int64_t period = mode == "wrap" ? size : 2 * (size - 1); // "reflect": the edge itself is not repeated
  int64_t inside = ((at % period) + period) % period;
  return inside < size ? inside : period - inside;
}

/// The border of the modes that repeat the operand's own elements: a gather a dimension.
Importer::Result Importer::makeRepeatedBorder(const Node &node, const std::string &mode, Value x, const Shape &low,
                                              const Shape &high) {
  size_t last = 0;
  for (size_t d = 0; d < low.size(); ++d)
    last = low[d] + high[d] > 0 ? d : last;
  Shape shape = shapeOf(x);
  for (size_t d = 0; d < low.size(); ++d) {
    if (low[d] + high[d] == 0)
      continue;
    Shape padded = shapeOf(x);
    padded[d] += low[d] + high[d];
    if (!elementCount(padded))
      return makeError("the result has shape " + shapeText(padded) + ", expected at most 2^31 elements");
    std::vector<int64_t> indices;
    for (int64_t at = -low[d]; at < shape[d] + high[d]; ++at)
      indices.push_back(borderSource(mode, at, shape[d]));
    x = makeGather(locationOf(node), d == last ? idOf(node) : StringAttr(), x, d, indices);
  }
  return x;
}

Importer::Result Importer::importExpand(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x;
  Expected<std::optional<std::vector<int64_t>>> to = ints(node, 1);
  if (!to)
    return to.takeError();
  Shape shape = shapeOf(*x);
  std::optional<Shape> result = *to ? evaluatedShape(shape, **to) : std::nullopt;
  bool fits = result && elementCount(*result);
  for (size_t d = 0; fits && d < result->size(); ++d)
    fits = (*result)[d] <= kMaxEvaluated; // repeated by a list of indices
  if (!fits)
    return makeError("it expands shape " + shapeText(shape) + " to " + (*to ? shapeText(**to) : "none") +
                     ", expected sizes that are equal or 1, and at most 2^20");
  if (*result == shape)
    return x;
  Value value = *x;
  shape.insert(shape.begin(), result->size() - shape.size(), 1);
  std::vector<int64_t> axes;
  for (size_t d = 0; d < shape.size(); ++d)
    if (shape[d] != (*result)[d])
      axes.push_back(static_cast<int64_t>(d));
  value = makeReshape(locationOf(node), axes.empty() ? idOf(node) : StringAttr(), value, shape);
  unexpanded[node.outputs[0]] = value;
  for (int64_t axis : axes) {
    std::vector<int64_t> zeros((*result)[axis], 0);
    value = makeGather(locationOf(node), axis == axes.back() ? idOf(node) : StringAttr(), value, axis, zeros);
  }
  return value;
}

Importer::Result Importer::importPad(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Expected<Ints> pads = ints(node, 1);
  if (!pads)
    return pads.takeError();
  Expected<float> value = number(node, 2, 0);
  if (!value)
    return value.takeError();
  Expected<Ints> axes = ints(node, 3);
  if (!axes)
    return axes.takeError();
  std::string mode = node.getString("mode", "constant");
  if (mode != "constant" && mode != "reflect" && mode != "edge" && mode != "wrap")
    return makeError("mode is '" + escaped(mode) + "', expected constant, reflect, edge or wrap");
  Shape shape = shapeOf(*x);
  if (!*axes) {
    axes->emplace(shape.size());
    std::iota((*axes)->begin(), (*axes)->end(), 0);
  }
  Expected<Border> border = borderOf(shape, pads->value_or(Shape()), **axes);
  if (!border)
    return border.takeError();
  bool isAdded = border->isAdded();
  Value kept = *x;
  if (border->kept != shape)
    kept = makeSlice(locationOf(node), isAdded ? StringAttr() : idOf(node), kept, border->cut, Shape(shape.size(), 1),
                     border->kept);
  if (!isAdded)
    return kept;
  if (mode != "constant")
    return makeRepeatedBorder(node, mode, kept, border->low, border->high);
  // Max pools that follow take in a border of -inf (checked at the end).
  if (!std::isfinite(*value) && *value != -INFINITY)
    return makeError(kBorderNotFinite);
  return makePad(locationOf(node), idOf(node), kept, border->low, border->high, *value);
}

} // namespace dyadic::importer
