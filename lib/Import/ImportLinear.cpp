// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolution, matrix products, normalization.

#include "Evaluate.h"
#include "Importer.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Support/Error.h"

using namespace mlir;
using llvm::Error;
using llvm::Expected;

namespace dyadic::importer {

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
  Expected<SpatialWindow> w = spatialWindow(node, {input.begin() + 2, input.end()}, kernel);
  if (!w)
    return w.takeError();
  Shape output = {input[0], filter[0]};
  output.insert(output.end(), w->output.begin(), w->output.end());
  Value b = *bias ? makeFloats(node.inputs[2], (*bias)->shape, numbers(**bias)) : Value();
  return qnn::ConvOp::create(builder, locationOf(node), floatType(output), *x,
                             makeFloats(node.inputs[1], filter, numbers(**weights)), b, i64s(w->strides),
                             i64s(w->pads(/*withExtension=*/true)), i64s(w->dilations), node.getInt("group", 1),
                             /*x_zp=*/IntegerAttr(), idOf(node))
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

} // namespace dyadic::importer
