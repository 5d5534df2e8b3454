// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic of two operands, clamps, softmax.

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

ArrayRef<float> numbers(const Tensor &tensor) { return {tensor.as<float>(), static_cast<size_t>(tensor.size())}; }

std::optional<std::vector<float>> alongAxis(const Tensor &tensor, const Shape &shape, size_t axis) {
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
// Two operands
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

Value Importer::makeAffine(const Node &node, Value x, ArrayRef<float> scale, ArrayRef<float> offset) {
  Shape channels = {static_cast<int64_t>(scale.size())};
  std::vector<float> zeros(scale.size(), 0), ones(scale.size(), 1);
  const std::string &name = node.outputs[0];
  return qnn::BatchNormOp::create(builder, locationOf(node), typeOf(x), x, makeFloats(name, channels, scale),
                                  makeFloats(name, channels, offset), makeFloats(name, channels, zeros),
                                  makeFloats(name, channels, ones), builder.getF32FloatAttr(0), idOf(node))
      .getResult();
}

/// x op c as x * factor + offset.
static std::pair<float, float> affineOf(llvm::StringRef op, float c, bool isReversed) {
  if (op == "Add")
    return {1.0f, c};
  if (op == "Sub")
    return isReversed ? std::make_pair(-1.0f, c) : std::make_pair(1.0f, -c);
  return {op == "Mul" ? c : 1 / c, 0.0f};
}

Value Importer::absorbAffine(const Node &node, size_t i, const Tensor &other) {
  auto known = values.find(node.inputs[i]);
  Value x = known == values.end() ? Value() : known->second;
  if (!x || (node.op == "Div" && i != 0))
    return nullptr;
  Shape shape = shapeOf(x);
  std::optional<std::vector<float>> channels = alongAxis(other, shape, 1);
  // One number for all is for the layer before it alone, or one of a chain of functions.
  Operation *layer = x.getDefiningOp();
  bool isFoldable = isa_and_nonnull<qnn::ConvOp, qnn::MatmulOp, qnn::BatchNormOp>(layer) && x.use_empty() &&
                    reads[node.inputs[i]] == 1 && (isa<qnn::ConvOp, qnn::BatchNormOp>(layer) || shape.size() == 2);
  if (!channels || shape.size() < 2 || (!isFoldable && llvm::all_equal(*channels)))
    return nullptr;
  std::vector<float> factor, offset;
  for (float c : *channels) {
    auto [f, o] = affineOf(node.op, c, /*isReversed=*/i == 1);
    factor.push_back(f);
    offset.push_back(o);
  }
  return makeAffine(node, x, factor, offset);
}

Value Importer::arithmeticValue(const Node &node, size_t i) const {
  auto known = node.hasInput(i) ? values.find(node.inputs[i]) : values.end();
  if (known == values.end())
    return nullptr;
  auto before = unexpanded.find(node.inputs[i]);
  if (before == unexpanded.end())
    return known->second;
  // The other operand alone gives the result the same shape.
  auto shapeOfOperand = [&](size_t k) -> std::optional<Shape> {
    if (const Tensor *tensor = constant(node, k))
      return tensor->shape;
    auto value = node.hasInput(k) ? values.find(node.inputs[k]) : values.end();
    return value == values.end() ? std::nullopt : std::optional<Shape>(shapeOf(value->second));
  };
  std::optional<Shape> other = shapeOfOperand(1 - i);
  if (!other || commonShape(shapeOf(before->second), *other) != commonShape(shapeOf(known->second), *other))
    return known->second;
  return before->second;
}

Importer::Result Importer::arithmeticOperand(const Node &node, size_t i, size_t rank) {
  Value x;
  Shape shape;
  if (!constant(node, i)) {
    Result computed = operand(node, i);
    if (!computed)
      return computed;
    x = arithmeticValue(node, i);
    shape = shapeOf(x);
  } else {
    Expected<const Tensor *> tensor = floats(node, i);
    if (!tensor)
      return tensor.takeError();
    shape = (*tensor)->shape;
    std::vector<float> values = numbers(**tensor).vec();
    if (node.op == "Div" && i == 1)
      for (float &value : values)
        value = 1 / value;
    x = makeFloats(node.inputs[i], shape, values);
  }
  if (shape.size() >= rank)
    return x;
  shape.insert(shape.begin(), rank - shape.size(), 1);
  if (Operation *definition = x.getDefiningOp(); definition && isa<arith::ConstantOp>(definition))
    return makeFloats(node.inputs[i], shape, ConstantView(x).floats());
  return qnn::ReshapeOp::create(builder, locationOf(node), floatType(shape), x, StringAttr()).getResult();
}

Value Importer::makeLayer(const Node &node, llvm::StringRef operation, ValueRange operands, Type type) {
  OperationState state(locationOf(node), operation);
  state.addOperands(operands);
  state.addTypes(type);
  state.addAttribute("id", idOf(node));
  return builder.create(state)->getResult(0);
}

Error Importer::checkDivisor(const Node &node) {
  if (node.op != "Div" || !constant(node, 1))
    return Error::success();
  Expected<const Tensor *> divisor = floats(node, 1);
  if (!divisor)
    return divisor.takeError();
  for (float number : numbers(**divisor))
    if (!std::isfinite(1 / number))
      return makeError("divisor '" + escaped(node.inputs[1]) + "' contains 0 or a number whose inverse is not finite");
  return Error::success();
}

Importer::Result Importer::importArithmetic(const Node &node) {
  if (Error error = checkDivisor(node))
    return error;
  for (size_t i : {0, 1}) {
    if (!constant(node, 1 - i))
      continue;
    Expected<const Tensor *> other = floats(node, 1 - i);
    if (!other)
      return other.takeError();
    if (node.op == "Add")
      if (Value layer = absorbBias(node, i, **other))
        return layer;
    if (Value affine = absorbAffine(node, i, **other))
      return affine;
  }
  auto rankOf = [&](size_t i) -> size_t {
    if (const Tensor *tensor = constant(node, i))
      return tensor->shape.size();
    Value value = arithmeticValue(node, i);
    return value ? typeOf(value).getRank() : 0;
  };
  size_t rank = std::max(rankOf(0), rankOf(1));
  Result a = arithmeticOperand(node, 0, rank);
  if (!a)
    return a;
  Result b = arithmeticOperand(node, 1, rank);
  if (!b)
    return b;
  std::optional<Shape> shape = commonShape(shapeOf(*a), shapeOf(*b));
  if (!shape)
    return makeError("operands of shapes " + shapeText(shapeOf(*a)) + " and " + shapeText(shapeOf(*b)) +
                     ", expected sizes that are equal or 1");
  // A constant divisor is inverted by now, a computed one is here.
  if (node.op == "Div" && !constant(node, 1))
    b = makeMap(node, *b, node.outputs[0] + "_inverse",
                [](FunctionBuilder &f, Value x) { return f.divide(f.constant(1), x); });
  StringRef name = node.op == "Add"   ? qnn::AddOp::getOperationName()
                   : node.op == "Sub" ? qnn::SubOp::getOperationName()
                                      : qnn::MulOp::getOperationName();
  return makeLayer(node, name, {*a, *b}, floatType(*shape));
}

//===----------------------------------------------------------------------===//
// One operand
//===----------------------------------------------------------------------===//

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
  if (*min > *max) // everything becomes max, says ONNX
    *min = *max;
  float low = std::clamp(*min, -FLT_MAX, FLT_MAX), high = std::clamp(*max, -FLT_MAX, FLT_MAX);
  if (low == -FLT_MAX && high == FLT_MAX)
    return *x;
  return qnn::ClipOp::create(builder, locationOf(node), x->getType(), *x, builder.getF32FloatAttr(low),
                             builder.getF32FloatAttr(high), idOf(node))
      .getResult();
}

Importer::Result Importer::importMinMax(const Node &node) {
  bool isMax = node.op == "Max";
  if (node.inputs.size() != 2)
    return makeError(llvm::Twine(node.inputs.size()) + " operands, expected two");
  size_t i = constant(node, 0) ? 1 : 0;
  Result x = operand(node, i);
  if (!x)
    return x;
  Expected<const Tensor *> bound = floats(node, 1 - i);
  if (!bound)
    return bound.takeError();
  if ((*bound)->size() != 1 || (*bound)->shape.size() > shapeOf(*x).size())
    return makeError("operand '" + escaped(node.inputs[1 - i]) + "' has shape " + shapeText((*bound)->shape) +
                     ", expected one number");
  float limit = *(*bound)->as<float>();
  return qnn::ClipOp::create(builder, locationOf(node), x->getType(), *x,
                             builder.getF32FloatAttr(isMax ? limit : -FLT_MAX),
                             builder.getF32FloatAttr(isMax ? FLT_MAX : limit), idOf(node))
      .getResult();
}

} // namespace dyadic::importer
