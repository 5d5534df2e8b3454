// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that give values another shape or order. One that changes nothing leaves
// no operation behind.

#include "Evaluate.h"
#include "Importer.h"
#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Support/Error.h"
#include <numeric>

using namespace mlir;
using llvm::Error;
using llvm::Expected;

namespace dyadic::importer {

using Ints = std::optional<std::vector<int64_t>>;

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
