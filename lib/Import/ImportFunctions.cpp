// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of one number: what ONNX's specification says, as the body of `qnn.map`.

#include "Importer.h"
#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/ScalarFunctions.h"
#include <cfloat>
#include <cmath>

using namespace mlir;
using llvm::Error;
using llvm::Expected;

namespace dyadic::importer {

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

Value FunctionBuilder::constant(double x) {
  return arith::ConstantOp::create(builder, location, builder.getF32FloatAttr(static_cast<float>(x)));
}
Value FunctionBuilder::add(Value x, Value y) { return arith::AddFOp::create(builder, location, x, y); }
Value FunctionBuilder::subtract(Value x, Value y) { return arith::SubFOp::create(builder, location, x, y); }
Value FunctionBuilder::multiply(Value x, Value y) { return arith::MulFOp::create(builder, location, x, y); }
Value FunctionBuilder::divide(Value x, Value y) { return arith::DivFOp::create(builder, location, x, y); }
Value FunctionBuilder::maximum(Value x, Value y) { return arith::MaximumFOp::create(builder, location, x, y); }
Value FunctionBuilder::minimum(Value x, Value y) { return arith::MinimumFOp::create(builder, location, x, y); }
Value FunctionBuilder::negate(Value x) { return arith::NegFOp::create(builder, location, x); }
Value FunctionBuilder::absolute(Value x) { return math::AbsFOp::create(builder, location, x); }
Value FunctionBuilder::exp(Value x) { return math::ExpOp::create(builder, location, x); }
Value FunctionBuilder::log(Value x) { return math::LogOp::create(builder, location, x); }
Value FunctionBuilder::sqrt(Value x) { return math::SqrtOp::create(builder, location, x); }
Value FunctionBuilder::tanh(Value x) { return math::TanhOp::create(builder, location, x); }
Value FunctionBuilder::erf(Value x) { return math::ErfOp::create(builder, location, x); }

Value FunctionBuilder::sigmoid(Value x) { return divide(constant(1), add(constant(1), exp(negate(x)))); }

Value FunctionBuilder::softplus(Value x) {
  // log(1 + exp(x)) without overflow.
  return add(maximum(x, constant(0)), log(add(constant(1), exp(negate(absolute(x))))));
}

/// max(x, 0) + alpha * (exp(min(x, 0) / slope) - 1).
Value FunctionBuilder::elu(Value x, double alpha, double slope) {
  Value exponent = minimum(x, constant(0));
  exponent = slope == 1 ? exponent : divide(exponent, constant(slope));
  return add(maximum(x, constant(0)), multiply(constant(alpha), subtract(exp(exponent), constant(1))));
}

Value FunctionBuilder::hardSigmoid(Value x, double alpha, double beta) {
  Value line = add(multiply(x, constant(alpha)), constant(beta));
  return maximum(constant(0), minimum(constant(1), line));
}

Value FunctionBuilder::power(Value x, double exponent) {
  double size = std::fabs(exponent);
  Value result;
  if (size == std::floor(size) && size <= 1024) { // by squares
    Value square = x;
    for (unsigned rest = static_cast<unsigned>(size); rest != 0; rest >>= 1) {
      if (rest & 1)
        result = result ? multiply(result, square) : square;
      if (rest > 1)
        square = multiply(square, square);
    }
    result = result ? result : constant(1);
  } else if (size == 0.5) {
    result = sqrt(x);
  } else {
    return exp(multiply(constant(exponent), log(x)));
  }
  return exponent < 0 ? divide(constant(1), result) : result;
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

Value Importer::makeMap(const Node &node, Value x, const std::string &id, Function function) {
  Location location = locationOf(node);
  auto map = qnn::MapOp::create(builder, location, x.getType(), x, builder.getStringAttr(id));
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(&map.getBody(), {}, {builder.getF32Type()}, {location});
  FunctionBuilder scalars{builder, location};
  qnn::YieldOp::create(builder, location, function(scalars, block->getArgument(0)));
  return map.getOutput();
}

Importer::Result Importer::importFunction(const Node &node) {
  using F = FunctionBuilder;
  using Body = Value (*)(F &, Value, const Node &);
  static const llvm::StringMap<Body> bodies = {
      {"Abs", [](F &f, Value x, const Node &) { return f.absolute(x); }},
      {"Celu", [](F &f, Value x, const Node &n) { return f.elu(x, n.getFloat("alpha", 1), n.getFloat("alpha", 1)); }},
      {"Elu", [](F &f, Value x, const Node &n) { return f.elu(x, n.getFloat("alpha", 1), 1); }},
      {"Erf", [](F &f, Value x, const Node &) { return f.erf(x); }},
      {"Exp", [](F &f, Value x, const Node &) { return f.exp(x); }},
      {"Gelu",
       [](F &f, Value x, const Node &n) {
         Value y = n.getString("approximate", "none") == "tanh"
                       ? f.tanh(f.multiply(f.constant(std::sqrt(2 / M_PI)),
                                           f.add(x, f.multiply(f.constant(0.044715), f.power(x, 3)))))
                       : f.erf(f.multiply(x, f.constant(std::sqrt(0.5))));
         return f.multiply(f.multiply(f.constant(0.5), x), f.add(f.constant(1), y));
       }},
      {"HardSigmoid",
       [](F &f, Value x, const Node &n) {
         return f.hardSigmoid(x, n.getFloat("alpha", 0.2f), n.getFloat("beta", 0.5f));
       }},
      {"HardSwish", [](F &f, Value x, const Node &) { return f.multiply(x, f.hardSigmoid(x, 1.0 / 6, 0.5)); }},
      {"Log", [](F &f, Value x, const Node &) { return f.log(x); }},
      {"Mish", [](F &f, Value x, const Node &) { return f.multiply(x, f.tanh(f.softplus(x))); }},
      {"Neg", [](F &f, Value x, const Node &) { return f.negate(x); }},
      {"Reciprocal", [](F &f, Value x, const Node &) { return f.divide(f.constant(1), x); }},
      {"Selu",
       [](F &f, Value x, const Node &n) {
         double alpha = n.getFloat("alpha", 1.67326319217681884765625f);
         return f.multiply(f.constant(n.getFloat("gamma", 1.05070102214813232421875f)), f.elu(x, alpha, 1));
       }},
      {"Sigmoid", [](F &f, Value x, const Node &) { return f.sigmoid(x); }},
      {"Sign",
       [](F &f, Value x, const Node &) {
         // Twice: the smallest number is 2^-149.
         Value large = f.multiply(f.multiply(x, f.constant(FLT_MAX)), f.constant(FLT_MAX));
         return f.minimum(f.maximum(large, f.constant(-1)), f.constant(1));
       }},
      {"Softplus", [](F &f, Value x, const Node &) { return f.softplus(x); }},
      {"Softsign", [](F &f, Value x, const Node &) { return f.divide(x, f.add(f.constant(1), f.absolute(x))); }},
      {"Sqrt", [](F &f, Value x, const Node &) { return f.sqrt(x); }},
      {"Swish",
       [](F &f, Value x, const Node &n) {
         return f.multiply(x, f.sigmoid(f.multiply(f.constant(n.getFloat("alpha", 1)), x)));
       }},
      {"Tanh", [](F &f, Value x, const Node &) { return f.tanh(x); }},
  };
  Result x = operand(node, 0);
  if (!x)
    return x;
  if (node.op == "Celu" && !(node.getFloat("alpha", 1) > 0))
    return makeError("alpha is " + std::to_string(node.getFloat("alpha", 1)) + ", expected a positive number");
  Body body = bodies.lookup(node.op);
  return makeMap(node, *x, node.outputs[0], [&](F &f, Value a) { return body(f, a, node); });
}

/// The exponent of Pow may be an integer.
Expected<float> Importer::scalar(const Node &node, size_t i) {
  const Tensor *tensor = constant(node, i);
  if (!tensor || tensor->type == ElementType::F32)
    return number(node, i, 1);
  if (tensor->size() != 1 || tensor->type == ElementType::F64 || tensor->type == ElementType::Bool)
    return makeError("operand '" + escaped(node.inputs[i]) + "' has shape " + shapeText(tensor->shape) + " of " +
                     elementName(tensor->type) + ", expected one float32 or integer");
  return static_cast<float>(tensor->intAt(0));
}

Importer::Result Importer::importPow(const Node &node) {
  if (constant(node, 0)) { // c^x = exp(x log c)
    Result x = operand(node, 1);
    if (!x)
      return x;
    Expected<float> base = number(node, 0, 1);
    if (!base)
      return base.takeError();
    if (!(*base > 0) || !std::isfinite(*base))
      return makeError("base " + std::to_string(*base) + ", expected a positive number");
    return makeMap(node, *x, node.outputs[0], [&](FunctionBuilder &f, Value a) {
      return f.exp(f.multiply(f.constant(HostDouble::log(static_cast<double>(*base))), a));
    });
  }
  Result x = operand(node, 0);
  if (!x)
    return x;
  Expected<float> exponent = scalar(node, 1);
  if (!exponent)
    return exponent.takeError();
  if (!std::isfinite(*exponent))
    return makeError("exponent " + std::to_string(*exponent) + ", expected a finite number");
  if (std::fabs(*exponent) > 1024 && *exponent == std::floor(*exponent))
    return makeError("exponent " + std::to_string(*exponent) + ", expected an integer of at most 1024 in size");
  if (*exponent == 1)
    return x;
  return makeMap(node, *x, node.outputs[0], [&](FunctionBuilder &f, Value a) { return f.power(a, *exponent); });
}

Importer::Result Importer::importLeakyRelu(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x;
  return makePRelu(node, *x, makeFloats(node.outputs[0], {}, {node.getFloat("alpha", 0.01f)}));
}

Importer::Result Importer::importPRelu(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x;
  Expected<const Tensor *> slope = floats(node, 1);
  if (!slope)
    return slope.takeError();
  if (!*slope)
    return makeError("its slope is missing");
  Shape shape = (*slope)->shape, to = shapeOf(*x);
  // Old exports: one number a channel, without the dimensions after it.
  if (shape.size() == 1 && to.size() > 2 && shape[0] != 1 && shape[0] == to[1] && shape[0] != to.back())
    shape.resize(to.size() - 1, 1);
  bool fits = shape.size() <= to.size();
  for (size_t d = 0; fits && d < shape.size(); ++d)
    fits = shape[d] == 1 || shape[d] == to[to.size() - shape.size() + d];
  if (!fits)
    return makeError("slope of shape " + shapeText(shape) + ", expected one that broadcasts to " + shapeText(to));
  return makePRelu(node, *x, makeFloats(node.inputs[1], shape, numbers(**slope)));
}

Value Importer::makePRelu(const Node &node, Value x, Value slope) {
  return makeLayer(node, qnn::PReluOp::getOperationName(), {x, slope}, x.getType());
}

Importer::Result Importer::importLRN(const Node &node) {
  // x * (bias + alpha / size * sum of squares over `size` channels around)^-beta: an average
  // over channels as a spatial dimension, that counts the padding.
  Result x = operand(node, 0);
  if (!x)
    return x;
  Shape shape = shapeOf(*x);
  int64_t size = node.getInt("size", 0);
  if (shape.size() < 3 || size < 1 || size > 4096)
    return makeError("size is " + llvm::Twine(size) + " for an operand of shape " + shapeText(shape) +
                     ", expected at least three dimensions and a size in [1, 4096]");
  Location location = locationOf(node);
  const std::string &name = node.outputs[0];
  Value square = makeMap(node, *x, name + "_square", [](FunctionBuilder &f, Value a) { return f.multiply(a, a); });
  int64_t rest = 1;
  for (size_t d = 2; d < shape.size(); ++d)
    rest *= shape[d];
  auto reshape = [&](Value value, const Shape &to) {
    return qnn::ReshapeOp::create(builder, location, floatType(to), value, StringAttr()).getResult();
  };
  int64_t low = (size - 1) / 2, high = size - 1 - low;
  Value padded = makePad(location, StringAttr(), reshape(square, {shape[0], 1, shape[1], rest}), {0, 0, low, 0},
                         {0, 0, high, 0}, 0);
  auto none = builder.getDenseI64ArrayAttr({});
  Value mean =
      qnn::AvgPoolOp::create(builder, location, floatType({shape[0], 1, shape[1], rest}), padded, i64s({size, 1}), none,
                             none, none, IntegerAttr(), builder.getStringAttr(name + "_mean"));
  double alpha = node.getFloat("alpha", 1e-4f), beta = node.getFloat("beta", 0.75f), bias = node.getFloat("bias", 1);
  Value scale = makeMap(node, reshape(mean, shape), name + "_scale", [&](FunctionBuilder &f, Value a) {
    return f.power(f.add(f.constant(bias), f.multiply(f.constant(alpha), a)), -beta);
  });
  return makeLayer(node, qnn::MulOp::getOperationName(), {*x, scale}, x->getType());
}

} // namespace dyadic::importer
