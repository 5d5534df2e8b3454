// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that move values. One that changes nothing leaves no operation behind.

#include "Evaluate.h"
#include "Importer.h"
#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Support/Error.h"
#include <cmath>
#include <numeric>

using namespace mlir;
using llvm::Error;
using llvm::Expected;

namespace dyadic::importer {

using Ints = std::optional<std::vector<int64_t>>;

//===----------------------------------------------------------------------===//
// Slice and Pad
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

/// The lengths of the parts of `size` elements: given, or equal but for the last.
static Expected<Shape> partLengths(const Node &node, const Ints &given, int64_t size) {
  int64_t count = given ? given->size() : node.getInt("num_outputs", node.outputs.size());
  if (count < static_cast<int64_t>(node.outputs.size()) || count > kMaxElements)
    return makeError(llvm::Twine(count) + " parts for " + llvm::Twine(node.outputs.size()) + " outputs");
  if (given) {
    int64_t rest = size;
    for (int64_t length : *given) {
      if (length < 0 || length > rest)
        return makeError("split is " + shapeText(*given) + " for " + llvm::Twine(size) + " elements");
      rest -= length;
    }
    if (rest != 0)
      return makeError("split is " + shapeText(*given) + " for " + llvm::Twine(size) + " elements");
    return *given;
  }
  Shape lengths;
  int64_t length = (size + count - 1) / count;
  for (int64_t first = 0; lengths.size() < node.outputs.size(); first += length)
    lengths.push_back(std::clamp<int64_t>(size - first, 0, length));
  return lengths;
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
  Expected<Shape> lengths = partLengths(node, *given, shape[*axis]);
  if (!lengths)
    return lengths.takeError();
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
  if (node.getString("mode", "constant") != "constant")
    return makeError("mode is '" + escaped(node.getString("mode", "")) + "', expected constant");
  Shape shape = shapeOf(*x);
  if (!*axes) {
    axes->emplace(shape.size());
    std::iota((*axes)->begin(), (*axes)->end(), 0);
  }
  size_t count = (*axes)->size();
  if (!*pads || (*pads)->size() != 2 * count)
    return makeError("pads has " + llvm::Twine(*pads ? (*pads)->size() : 0) + " entries, expected " +
                     llvm::Twine(2 * count));
  Shape low(shape.size(), 0), high = low, cutLow = low, kept = shape;
  std::vector<bool> seen(shape.size(), false);
  for (size_t k = 0; k < count; ++k) {
    std::optional<int64_t> axis = normalAxis((**axes)[k], shape.size());
    if (!axis || seen[*axis])
      return makeError("axes " + shapeText(**axes) + ", expected different ones of " + llvm::Twine(shape.size()) +
                       " dimensions");
    seen[*axis] = true;
    int64_t before = (**pads)[k], after = (**pads)[count + k];
    if (std::max(before, after) > kMaxElements || std::min(before, after) < -kMaxElements)
      return makeError("pads contains a number beyond 2^31");
    low[*axis] = std::max<int64_t>(before, 0);
    high[*axis] = std::max<int64_t>(after, 0);
    cutLow[*axis] = std::max<int64_t>(-before, 0);
    kept[*axis] = shape[*axis] - cutLow[*axis] - std::max<int64_t>(-after, 0);
    if (kept[*axis] < 1)
      return makeError("nothing is left of dimension " + llvm::Twine(*axis));
  }
  auto isZero = [](int64_t pad) { return pad == 0; };
  bool isPadded = !llvm::all_of(low, isZero) || !llvm::all_of(high, isZero);
  // Max pools that follow take in a border of -inf (checked at the end).
  if (isPadded && !std::isfinite(*value) && *value != -INFINITY)
    return makeError(kBorderNotFinite);
  Value result = *x;
  if (kept != shape)
    result =
        makeSlice(locationOf(node), isPadded ? StringAttr() : idOf(node), result, cutLow, Shape(shape.size(), 1), kept);
  return isPadded ? makePad(locationOf(node), idOf(node), result, low, high, *value) : result;
}

//===----------------------------------------------------------------------===//
// Reshapes
//===----------------------------------------------------------------------===//

Value Importer::makeReshape(Location location, StringAttr id, Value x, const Shape &shape) {
  if (shape == shapeOf(x))
    return x;
  return qnn::ReshapeOp::create(builder, location, floatType(shape), x, id).getResult();
}

Importer::Result Importer::importReshape(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Expected<Ints> to = ints(node, 1);
  if (!to)
    return to.takeError();
  if (!*to)
    return makeError("the shape is missing");
  std::optional<Shape> shape = reshapedShape(shapeOf(*x), **to, node.getInt("allowzero", 0) != 0);
  if (!shape)
    return makeError("operand of shape " + shapeText(shapeOf(*x)) + " cannot have shape " + shapeText(**to));
  return makeReshape(locationOf(node), idOf(node), *x, *shape);
}

Importer::Result Importer::importConcat(const Node &node) {
  SmallVector<Value> parts;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    Result part = operand(node, i);
    if (!part)
      return part.takeError();
    parts.push_back(*part);
  }
  if (parts.empty())
    return makeError("no operands, expected at least one");
  Shape shape = shapeOf(parts[0]);
  int64_t rank = shape.size(), axis = node.getInt("axis", 0);
  if (axis < -rank || axis >= rank)
    return makeError("axis is " + llvm::Twine(axis) + " for an operand of shape " + shapeText(shape));
  axis = axis < 0 ? axis + rank : axis;
  shape[axis] = 0;
  for (Value part : parts) {
    if (shapeOf(part).size() != shape.size())
      return makeError("operands of shapes " + shapeText(shapeOf(parts[0])) + " and " + shapeText(shapeOf(part)));
    shape[axis] += shapeOf(part)[axis];
  }
  if (parts.size() == 1)
    return parts[0];
  return qnn::ConcatOp::create(builder, locationOf(node), floatType(shape), parts, builder.getI64IntegerAttr(axis),
                               idOf(node))
      .getResult();
}

Importer::Result Importer::importFlatten(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Shape shape = shapeOf(*x);
  int64_t rank = shape.size(), axis = node.getInt("axis", 1);
  if (axis < -rank || axis > rank)
    return makeError("axis is " + llvm::Twine(axis) + " for an operand of shape " + shapeText(shape));
  auto middle = shape.begin() + (axis < 0 ? axis + rank : axis);
  return makeReshape(locationOf(node), idOf(node), *x,
                     {std::accumulate(shape.begin(), middle, int64_t(1), std::multiplies<>()),
                      std::accumulate(middle, shape.end(), int64_t(1), std::multiplies<>())});
}

Importer::Result Importer::importSqueeze(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Expected<Ints> axes = ints(node, 1);
  if (!axes)
    return axes.takeError();
  std::optional<Shape> shape = squeezedShape(shapeOf(*x), *axes);
  if (!shape)
    return makeError("axes " + shapeText(**axes) + " of an operand of shape " + shapeText(shapeOf(*x)) +
                     ", expected dimensions of size 1");
  return makeReshape(locationOf(node), idOf(node), *x, *shape);
}

Importer::Result Importer::importUnsqueeze(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Expected<Ints> axes = ints(node, 1);
  if (!axes)
    return axes.takeError();
  std::optional<Shape> shape = *axes ? unsqueezedShape(shapeOf(*x), **axes) : std::nullopt;
  if (!shape)
    return makeError("axes " + shapeText(*axes ? **axes : Shape()) + " for an operand of shape " +
                     shapeText(shapeOf(*x)) + ", expected different ones in range");
  return makeReshape(locationOf(node), idOf(node), *x, *shape);
}

//===----------------------------------------------------------------------===//
// Others
//===----------------------------------------------------------------------===//

Value Importer::makeTranspose(Location location, StringAttr id, Value x, const Shape &permutation) {
  if (llvm::is_sorted(permutation))
    return x;
  Shape shape;
  for (int64_t d : permutation)
    shape.push_back(shapeOf(x)[d]);
  return qnn::TransposeOp::create(builder, location, floatType(shape), x, i64s(permutation), id).getResult();
}

Importer::Result Importer::importTranspose(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Shape shape = shapeOf(*x), reversed(shape.size());
  for (size_t d = 0; d < shape.size(); ++d)
    reversed[d] = shape.size() - 1 - d;
  Shape permutation = node.getInts("perm").value_or(reversed);
  if (!isPermutation(permutation, shape.size()))
    return makeError("perm is " + shapeText(permutation) + ", expected each dimension of " + shapeText(shape) +
                     " once");
  return makeTranspose(locationOf(node), idOf(node), *x, permutation);
}

/// The spatial sizes of [N, C, H, W] and the block that one of them is cut into or made of.
static Expected<int64_t> blockSize(const Node &node, const Shape &shape) {
  int64_t block = node.getInt("blocksize", 0);
  if (shape.size() != 4 || block < 1 || block > (1 << 15))
    return makeError("blocksize is " + llvm::Twine(block) + " for an operand of shape " + shapeText(shape) +
                     ", expected a positive one and 4 dimensions");
  return block;
}

/// A block of channels becomes a block of pixels: split, permute, merge.
Importer::Result Importer::importDepthToSpace(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Shape shape = shapeOf(*x);
  Expected<int64_t> size = blockSize(node, shape);
  if (!size)
    return size.takeError();
  int64_t b = *size, channels = shape[1] / (b * b), height = shape[2], width = shape[3];
  if (shape[1] % (b * b) != 0)
    return makeError("blocksize is " + llvm::Twine(b) + " for " + llvm::Twine(shape[1]) +
                     " channels, expected a multiple of its square");
  std::string mode = node.getString("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    return makeError("mode is '" + escaped(mode) + "', expected DCR or CRD");
  bool isDepthFirst = mode == "DCR";
  Location location = locationOf(node);
  Shape split =
      isDepthFirst ? Shape{shape[0], b, b, channels, height, width} : Shape{shape[0], channels, b, b, height, width};
  Value blocks = makeReshape(location, StringAttr(), *x, split);
  Value moved =
      makeTranspose(location, StringAttr(), blocks, isDepthFirst ? Shape{0, 3, 4, 1, 5, 2} : Shape{0, 1, 4, 2, 5, 3});
  return makeReshape(location, idOf(node), moved, {shape[0], channels, height * b, width * b});
}

Importer::Result Importer::importSpaceToDepth(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Shape shape = shapeOf(*x);
  Expected<int64_t> size = blockSize(node, shape);
  if (!size)
    return size.takeError();
  int64_t b = *size, height = shape[2] / b, width = shape[3] / b;
  if (shape[2] % b != 0 || shape[3] % b != 0)
    return makeError("blocksize is " + llvm::Twine(b) + " for an operand of shape " + shapeText(shape) +
                     ", expected spatial sizes that are multiples of it");
  Location location = locationOf(node);
  Value blocks = makeReshape(location, StringAttr(), *x, {shape[0], shape[1], height, b, width, b});
  Value moved = makeTranspose(location, StringAttr(), blocks, {0, 3, 5, 1, 2, 4});
  return makeReshape(location, idOf(node), moved, {shape[0], shape[1] * b * b, height, width});
}

Importer::Result Importer::importIdentity(const Node &node) { return operand(node, 0); }

Importer::Result Importer::importCast(const Node &node) {
  constexpr int64_t kFloat = 1; // ONNX's number of float32
  if (node.getInt("to", kFloat) != kFloat)
    return makeError("it casts to element type number " + llvm::Twine(node.getInt("to", 0)) +
                     " of ONNX, expected 1 (float32)");
  return operand(node, 0);
}

Importer::Result Importer::importDropout(const Node &node) {
  if (node.hasInput(2)) {
    const Tensor *training = constant(node, 2);
    if (!training || training->type != ElementType::Bool || training->size() != 1 || training->data[0])
      return makeError("training_mode is not the constant false");
  }
  return operand(node, 0);
}

} // namespace dyadic::importer
