// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions over whole dimensions: pools, or a convolution with ones, whose window
// covers them.

#include "Evaluate.h"
#include "Importer.h"
#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Support/Error.h"

using namespace mlir;
using llvm::Expected;

namespace dyadic::importer {

namespace {
/// A reduction as a window without strides over an operand [N, C, D1, ..., Dr].
struct WholeWindow {
  Shape operand, kernel, result; // `result` is what the node gives, the others what the window sees
  Shape pooled() const;
};
} // namespace

Shape WholeWindow::pooled() const {
  Shape shape = operand;
  for (size_t d = 0; d < kernel.size(); ++d)
    shape[d + 2] = operand[d + 2] / kernel[d];
  return shape;
}

/// Spatial dimensions of [N, C, ...] are reduced in place. Else runs of kept and of
/// reduced dimensions become one dimension each, [kept, 1, reduced, kept, ...]: then no
/// number has to move.
static WholeWindow wholeWindow(const Shape &shape, const std::vector<bool> &isReduced, bool keepsDimensions) {
  WholeWindow w;
  size_t rank = shape.size();
  for (size_t d = 0; d < rank; ++d)
    if (!isReduced[d])
      w.result.push_back(shape[d]);
    else if (keepsDimensions)
      w.result.push_back(1);
  if (rank >= 3 && !isReduced[0] && !isReduced[1]) {
    w.operand = shape;
    for (size_t d = 2; d < rank; ++d)
      w.kernel.push_back(isReduced[d] ? shape[d] : 1);
    return w;
  }
  w.operand = {1, 1};
  size_t d = 0;
  for (; d < rank && !isReduced[d]; ++d)
    w.operand[0] *= shape[d];
  for (size_t first = d; d < rank; ++d) {
    if (d == first || isReduced[d] != isReduced[d - 1]) {
      w.operand.push_back(1);
      w.kernel.push_back(1);
    }
    w.operand.back() *= shape[d];
    w.kernel.back() *= isReduced[d] ? shape[d] : 1;
  }
  return w;
}

Importer::Result Importer::importReduction(const Node &node, MakeWindow make) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Expected<std::optional<Shape>> axes = ints(node, 1);
  if (!axes)
    return axes.takeError();
  Shape shape = shapeOf(*x);
  std::optional<std::vector<bool>> isReduced = reducedDimensions(node, *axes, shape.size());
  if (!isReduced)
    return makeError("axes " + shapeText(**axes) + ", expected different ones of " + llvm::Twine(shape.size()) +
                     " dimensions");
  WholeWindow w = wholeWindow(shape, *isReduced, node.getInt("keepdims", 1) != 0);
  Location location = locationOf(node);
  // One element is its own mean, sum and maximum.
  if (llvm::all_of(w.kernel, [](int64_t size) { return size == 1; }))
    return makeReshape(location, idOf(node), *x, w.result);
  Value window = make(makeReshape(location, StringAttr(), *x, w.operand), w.pooled(), w.kernel);
  return makeReshape(location, StringAttr(), window, w.result);
}

Importer::Result Importer::importReduceMean(const Node &node) {
  return importReduction(node, [&](Value x, const Shape &shape, const Shape &kernel) -> Value {
    return qnn::AvgPoolOp::create(builder, locationOf(node), floatType(shape), x, i64s(kernel), i64s({}), i64s({}),
                                  i64s({}), /*x_zp=*/IntegerAttr(), idOf(node));
  });
}

Importer::Result Importer::importReduceMax(const Node &node) {
  return importReduction(node, [&](Value x, const Shape &shape, const Shape &kernel) -> Value {
    return qnn::MaxPoolOp::create(builder, locationOf(node), floatType(shape), x, i64s(kernel), i64s({}), i64s({}),
                                  i64s({}), idOf(node));
  });
}

/// A depthwise convolution with ones: they are exact at every width of weights.
Importer::Result Importer::importReduceSum(const Node &node) {
  return importReduction(node, [&](Value x, const Shape &shape, const Shape &kernel) -> Value {
    Shape filter = {shape[1], 1};
    filter.insert(filter.end(), kernel.begin(), kernel.end());
    std::vector<float> ones(elementCount(filter).value_or(0), 1);
    return qnn::ConvOp::create(builder, locationOf(node), floatType(shape), x,
                               makeFloats(node.outputs[0], filter, ones), /*bias=*/Value(), i64s({}), i64s({}),
                               i64s({}), shape[1], /*x_zp=*/IntegerAttr(), idOf(node));
  });
}

} // namespace dyadic::importer
