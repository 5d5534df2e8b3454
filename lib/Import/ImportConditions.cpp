// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conditions on computed numbers. A condition is a tensor of 0 and 1:
//
//   a > b           =>  clamp((a - b) * FLT_MAX, 0, 1)
//   where(c, x, y)  =>  c * x + (1 - c) * y
//
// Both are exact for finite numbers whose difference is 0 or a normal float, and one value
// with constants makes one function of the whole (quant-fuse-elementwise).

#include "Importer.h"
#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Support/Error.h"
#include <cfloat>

using namespace mlir;
using llvm::Expected;

namespace dyadic::importer {

Importer::Result Importer::arithmetic(const Node &node, const char *op, const std::string &a, const std::string &b,
                                      const std::string &output) {
  Node step;
  step.name = node.name;
  step.op = op;
  step.inputs = {a, b};
  step.outputs = {output};
  Result result = importArithmetic(step);
  if (result)
    values[output] = *result;
  return result;
}

Value Importer::makeNot(const Node &node, Value condition, const std::string &id) {
  return makeMap(node, condition, id, [](FunctionBuilder &f, Value x) { return f.subtract(f.constant(1), x); });
}

Importer::Result Importer::importComparison(const Node &node) {
  if (node.inputs.size() != 2)
    return makeError(llvm::Twine(node.inputs.size()) + " operands, expected two");
  // a < b is b > a, and a <= b is not a > b.
  bool isReversed = node.op == "Less" || node.op == "GreaterOrEqual";
  bool isNegated = node.op == "LessOrEqual" || node.op == "GreaterOrEqual";
  const std::string difference = node.outputs[0] + "_difference";
  Result x = arithmetic(node, "Sub", node.inputs[isReversed], node.inputs[!isReversed], difference);
  if (!x)
    return x;
  return makeMap(node, *x, node.outputs[0], [&](FunctionBuilder &f, Value d) {
    Value isPositive = f.minimum(f.maximum(f.multiply(d, f.constant(FLT_MAX)), f.constant(0)), f.constant(1));
    return isNegated ? f.subtract(f.constant(1), isPositive) : isPositive;
  });
}

Importer::Result Importer::importNot(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x;
  return makeNot(node, *x, node.outputs[0]);
}

Importer::Result Importer::importWhere(const Node &node) {
  if (node.inputs.size() != 3)
    return makeError(llvm::Twine(node.inputs.size()) + " operands, expected three");
  Result condition = operand(node, 0);
  if (!condition)
    return condition;
  const std::string &name = node.outputs[0];
  const std::string chosen = name + "_chosen", otherwise = name + "_otherwise", other = name + "_other";
  values[otherwise] = makeNot(node, *condition, otherwise);
  for (auto [mask, branch, product] : {std::make_tuple(&node.inputs[0], &node.inputs[1], &chosen),
                                       std::make_tuple(&otherwise, &node.inputs[2], &other)})
    if (Result x = arithmetic(node, "Mul", *mask, *branch, *product); !x)
      return x;
  return arithmetic(node, "Add", chosen, other, name);
}

} // namespace dyadic::importer
