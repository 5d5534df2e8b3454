// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolution, matrix products, normalization, element-wise operators.

#include "Evaluate.h"
#include "Importer.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Support/Error.h"
#include <cfloat>

using namespace mlir;
using llvm::Error;
using llvm::Expected;

namespace dyadic::importer {

static ArrayRef<float> numbers(const Tensor &tensor) {
  return {tensor.as<float>(), static_cast<size_t>(tensor.size())};
}

/// `tensor`, aligned at the last dimension of `shape`, as one number a position of
/// dimension `axis`; nothing where it varies along another dimension or enlarges the result.
static std::optional<std::vector<float>> alongAxis(const Tensor &tensor, const Shape &shape, size_t axis) {
  if (tensor.shape.size() > shape.size() || axis >= shape.size())
    return std::nullopt;
  size_t lead = shape.size() - tensor.shape.size();
  for (size_t d = 0; d < tensor.shape.size(); ++d)
    if (tensor.shape[d] != 1 && (lead + d != axis || tensor.shape[d] != shape[axis]))
      return std::nullopt;
  if (tensor.size() == 1)
    return std::vector<float>(shape[axis], *tensor.as<float>());
  return numbers(tensor).vec();
}

//===----------------------------------------------------------------------===//
// Layers with weights
//===----------------------------------------------------------------------===//

static Expected<const Tensor *> required(Expected<const Tensor *> tensor, const char *what) {
  if (tensor && !*tensor)
    return makeError(llvm::Twine("its ") + what + " is missing");
  return tensor;
}

Importer::Result Importer::importConv(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Expected<const Tensor *> weights = required(floats(node, 1), "weight operand");
  if (!weights)
    return weights.takeError();
  Expected<const Tensor *> bias = floats(node, 2);
  if (!bias)
    return bias.takeError();
  Shape input = shapeOf(*x), filter = (*weights)->shape;
  if (input.size() < 3 || filter.size() != input.size())
    return makeError("operands of shapes " + shapeText(input) + " and " + shapeText(filter) +
                     ", expected one rank of at least 3");
  Shape kernel(filter.begin() + 2, filter.end());
  if (node.getInts("kernel_shape").value_or(kernel) != kernel)
    return makeError("kernel_shape " + shapeText(*node.getInts("kernel_shape")) + ", expected the weights' " +
                     shapeText(kernel));
  Expected<SpatialWindow> w = window(node, {input.begin() + 2, input.end()}, kernel);
  if (!w)
    return w.takeError();
  Shape output = {input[0], filter[0]};
  output.insert(output.end(), w->output.begin(), w->output.end());
  Value b = *bias ? makeFloats(node.inputs[2], (*bias)->shape, numbers(**bias)) : Value();
  return qnn::ConvOp::create(builder, locationOf(node), floatType(output), *x,
                             makeFloats(node.inputs[1], filter, numbers(**weights)), b, i64s(w->strides),
                             i64s(w->pads(/*withExtension=*/true)), i64s(w->dilations),
                             builder.getI64IntegerAttr(node.getInt("group", 1)), /*x_zp=*/IntegerAttr(), idOf(node))
      .getResult();
}

Importer::Result Importer::importBatchNormalization(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  if (node.getInt("training_mode", 0) != 0)
    return makeError("training_mode is 1, expected 0");
  SmallVector<Value> parameters;
  for (size_t i = 1; i < 5; ++i) {
    Expected<const Tensor *> parameter = required(floats(node, i), "scale, bias, mean or variance");
    if (!parameter)
      return parameter.takeError();
    parameters.push_back(makeFloats(node.inputs[i], (*parameter)->shape, numbers(**parameter)));
  }
  return qnn::BatchNormOp::create(builder, locationOf(node), typeOf(*x), *x, parameters[0], parameters[1],
                                  parameters[2], parameters[3],
                                  builder.getF32FloatAttr(node.getFloat("epsilon", 1e-5f)), idOf(node))
      .getResult();
}

Importer::Result Importer::importGemm(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Expected<const Tensor *> b = required(floats(node, 1), "second operand");
  if (!b)
    return b.takeError();
  Expected<const Tensor *> c = floats(node, 2);
  if (!c)
    return c.takeError();
  if (node.getInt("transA", 0) != 0)
    return makeError("transA is 1, expected 0");
  if (typeOf(*x).getRank() != 2 || (*b)->shape.size() != 2)
    return makeError("operands of shapes " + shapeText(shapeOf(*x)) + " and " + shapeText((*b)->shape) +
                     ", expected matrices");
  Tensor matrix = node.getInt("transB", 0) != 0 ? transposed(**b, {1, 0}) : **b;
  float alpha = node.getFloat("alpha", 1), beta = node.getFloat("beta", 1);
  for (int64_t i = 0, e = matrix.size(); i < e; ++i)
    matrix.as<float>()[i] *= alpha;
  Shape output = {typeOf(*x).getDimSize(0), matrix.shape[1]};
  Value bias;
  if (*c && beta != 0) {
    std::optional<std::vector<float>> row = alongAxis(**c, output, 1);
    if (!row)
      return makeError("third operand of shape " + shapeText((*c)->shape) + ", expected one number a column of " +
                       shapeText(output));
    for (float &number : *row)
      number *= beta;
    bias = makeFloats(node.inputs[2], {output[1]}, *row);
  }
  return qnn::MatmulOp::create(builder, locationOf(node), floatType(output), *x,
                               makeFloats(node.inputs[1], matrix.shape, numbers(matrix)), bias, /*x_zp=*/IntegerAttr(),
                               idOf(node))
      .getResult();
}

Importer::Result Importer::importMatMul(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Expected<const Tensor *> b = required(floats(node, 1), "second operand");
  if (!b)
    return b.takeError();
  if ((*b)->shape.size() != 2)
    return makeError("second operand of shape " + shapeText((*b)->shape) + ", expected a matrix");
  Shape output = shapeOf(*x);
  if (output.empty())
    return makeError("first operand of shape [], expected at least one dimension");
  output.back() = (*b)->shape[1];
  return qnn::MatmulOp::create(builder, locationOf(node), floatType(output), *x,
                               makeFloats(node.inputs[1], (*b)->shape, numbers(**b)), /*bias=*/Value(),
                               /*x_zp=*/IntegerAttr(), idOf(node))
      .getResult();
}

//===----------------------------------------------------------------------===//
// Element-wise operators
//===----------------------------------------------------------------------===//

Value Importer::absorbBias(const Node &node, size_t i, const Tensor &added) {
  auto known = values.find(node.inputs[i]);
  Value x = known == values.end() ? Value() : known->second;
  Operation *layer = x ? x.getDefiningOp() : nullptr;
  // Nothing but this node may read the layer's own result, not even under another name.
  if (!isa_and_nonnull<qnn::ConvOp, qnn::MatmulOp>(layer) || !x.use_empty() || reads[node.inputs[i]] != 1 ||
      cast<StringAttr>(layer->getAttr("id")).getValue() != node.inputs[i])
    return nullptr;
  Shape shape = shapeOf(x);
  std::optional<std::vector<float>> sum = alongAxis(added, shape, isa<qnn::ConvOp>(layer) ? 1 : shape.size() - 1);
  if (!sum)
    return nullptr;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(layer);
  auto add = [&](auto op) {
    Value old = op.getBias();
    if (old) {
      std::vector<float> before = ConstantView(old).floats();
      if (before.size() != sum->size()) // for the verifier to report
        return false;
      for (auto [s, b] : llvm::zip(*sum, before))
        s = b + s;
    }
    op.getBiasMutable().assign(makeFloats(node.inputs[1 - i], {static_cast<int64_t>(sum->size())}, *sum));
    if (old)
      old.getDefiningOp()->erase();
    return true;
  };
  bool done = isa<qnn::ConvOp>(layer) ? add(cast<qnn::ConvOp>(layer)) : add(cast<qnn::MatmulOp>(layer));
  return done ? x : Value();
}

Importer::Result Importer::makeAffine(const Node &node, Value x, ArrayRef<float> scale, ArrayRef<float> offset) {
  Shape channels = {static_cast<int64_t>(scale.size())};
  std::vector<float> zeros(scale.size(), 0), ones(scale.size(), 1);
  const std::string &name = node.outputs[0];
  return qnn::BatchNormOp::create(builder, locationOf(node), typeOf(x), x, makeFloats(name, channels, scale),
                                  makeFloats(name, channels, offset), makeFloats(name, channels, zeros),
                                  makeFloats(name, channels, ones), builder.getF32FloatAttr(0), idOf(node))
      .getResult();
}

Expected<std::pair<Value, std::vector<float>>> Importer::channelOperands(const Node &node, size_t i, size_t other) {
  Result x = operand(node, i);
  if (!x)
    return x.takeError();
  Expected<const Tensor *> tensor = floats(node, other);
  if (!tensor)
    return tensor.takeError();
  Shape shape = shapeOf(*x);
  std::optional<std::vector<float>> channels = *tensor ? alongAxis(**tensor, shape, 1) : std::nullopt;
  if (!channels)
    return makeError("constant operand of shape " + shapeText(*tensor ? (*tensor)->shape : Shape()) +
                     ", expected one number, or one a channel (dimension 1) of " + shapeText(shape));
  return std::make_pair(*x, std::move(*channels));
}

Importer::Result Importer::importAdd(const Node &node) {
  for (size_t i : {0, 1}) {
    if (!constant(node, 1 - i))
      continue;
    Expected<const Tensor *> added = floats(node, 1 - i);
    if (!added)
      return added.takeError();
    if (Value layer = absorbBias(node, i, **added))
      return layer;
    auto operands = channelOperands(node, i, 1 - i);
    if (!operands)
      return operands.takeError();
    return makeAffine(node, operands->first, std::vector<float>(operands->second.size(), 1), operands->second);
  }
  Result a = operand(node, 0);
  if (!a)
    return a.takeError();
  Result b = operand(node, 1);
  if (!b)
    return b.takeError();
  if (a->getType() != b->getType())
    return makeError("operands of shapes " + shapeText(shapeOf(*a)) + " and " + shapeText(shapeOf(*b)) +
                     ", expected one shape");
  OperationState state(locationOf(node), qnn::AddOp::getOperationName());
  state.addOperands({*a, *b});
  state.addTypes(a->getType());
  state.addAttribute("id", idOf(node));
  return builder.create(state)->getResult(0);
}

Importer::Result Importer::importSub(const Node &node) {
  bool isReversed = constant(node, 0);
  auto operands = channelOperands(node, isReversed, !isReversed);
  if (!operands)
    return operands.takeError();
  std::vector<float> offset = operands->second;
  if (!isReversed)
    for (float &number : offset)
      number = -number;
  return makeAffine(node, operands->first, std::vector<float>(offset.size(), isReversed ? -1 : 1), offset);
}

Importer::Result Importer::importMul(const Node &node) {
  bool isReversed = constant(node, 0);
  auto operands = channelOperands(node, isReversed, !isReversed);
  if (!operands)
    return operands.takeError();
  return makeAffine(node, operands->first, operands->second, std::vector<float>(operands->second.size(), 0));
}

Importer::Result Importer::importDiv(const Node &node) {
  auto operands = channelOperands(node, 0, 1);
  if (!operands)
    return operands.takeError();
  std::vector<float> scale = operands->second;
  for (float &number : scale) {
    number = 1 / number;
    if (!std::isfinite(number))
      return makeError("divisor '" + escaped(node.inputs[1]) + "' contains 0 or a number whose inverse is not finite");
  }
  return makeAffine(node, operands->first, scale, std::vector<float>(scale.size(), 0));
}

Importer::Result Importer::importRelu(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  return qnn::ReluOp::create(builder, locationOf(node), x->getType(), *x, idOf(node)).getResult();
}

Importer::Result Importer::importSoftmax(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  int64_t rank = typeOf(*x).getRank(), axis = node.getInt("axis", -1);
  if (axis < -rank || axis >= rank)
    return makeError("axis is " + llvm::Twine(axis) + " for an operand of shape " + shapeText(shapeOf(*x)));
  axis = axis < 0 ? axis + rank : axis;
  if (shapeOf(*x)[axis] > kSoftmaxLimit)
    return makeError(llvm::Twine(shapeOf(*x)[axis]) + " elements, expected at most " + llvm::Twine(kSoftmaxLimit));
  return qnn::SoftmaxOp::create(builder, locationOf(node), x->getType(), *x, builder.getI64IntegerAttr(axis),
                                DenseIntElementsAttr(), DenseIntElementsAttr(), idOf(node))
      .getResult();
}

Importer::Result Importer::importClip(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Expected<float> min = number(node, 1, -FLT_MAX);
  if (!min)
    return min.takeError();
  Expected<float> max = number(node, 2, FLT_MAX);
  if (!max)
    return max.takeError();
  if (*min > *max)
    return makeError("min " + std::to_string(*min) + " and max " + std::to_string(*max) + ", expected ordered bounds");
  float low = std::clamp(*min, -FLT_MAX, FLT_MAX), high = std::clamp(*max, -FLT_MAX, FLT_MAX);
  if (low == -FLT_MAX && high == FLT_MAX)
    return *x;
  return qnn::ClipOp::create(builder, locationOf(node), x->getType(), *x, builder.getF32FloatAttr(low),
                             builder.getF32FloatAttr(high), idOf(node))
      .getResult();
}

} // namespace dyadic::importer
