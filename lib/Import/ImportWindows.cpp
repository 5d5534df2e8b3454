// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sliding windows: the attributes that convolutions and pools share, and the pools.

#include "Importer.h"
#include "dyadic/IR/Window.h"
#include "dyadic/Support/Error.h"
#include <cfloat>

using namespace mlir;
using llvm::Error;
using llvm::Expected;

namespace dyadic::importer {

Shape SpatialWindow::pads(bool withExtension) const {
  Shape result = low;
  for (size_t d = 0; d < high.size(); ++d)
    result.push_back(high[d] + (withExtension ? extension[d] : 0));
  return result;
}

Expected<Shape> windowEntries(const Node &node, const char *name, size_t size, int64_t otherwise, int64_t least) {
  Shape values = node.getInts(name).value_or(Shape(size, otherwise));
  if (values.size() != size)
    return makeError(llvm::Twine(name) + " has " + llvm::Twine(values.size()) + " entries, expected " +
                     llvm::Twine(size));
  for (int64_t value : values)
    if (value < least || value > kMaxElements)
      return makeError(llvm::Twine(name) + " contains " + llvm::Twine(value) + ", expected at least " +
                       llvm::Twine(least) + " and at most 2^31");
  return values;
}

/// auto_pad SAME: as many windows as strides fit into the input, padded evenly.
static void padSame(SpatialWindow &w, size_t d, int64_t input, int64_t extent, bool isUpper) {
  int64_t total = std::max<int64_t>((w.output[d] - 1) * w.strides[d] + extent - input, 0);
  w.low[d] = isUpper ? total / 2 : total - total / 2;
  w.high[d] = total - w.low[d];
}

Expected<SpatialWindow> spatialWindow(const Node &node, const Shape &input, const Shape &kernel) {
  size_t rank = kernel.size();
  SpatialWindow w;
  w.kernel = kernel;
  Expected<Shape> strides = windowEntries(node, "strides", rank, 1, 1);
  if (!strides)
    return strides.takeError();
  Expected<Shape> dilations = windowEntries(node, "dilations", rank, 1, 1);
  if (!dilations)
    return dilations.takeError();
  Expected<Shape> pads = windowEntries(node, "pads", 2 * rank, 0, 0);
  if (!pads)
    return pads.takeError();
  w.strides = *strides;
  w.dilations = *dilations;
  std::string mode = node.getString("auto_pad", "NOTSET");
  bool isSame = mode == "SAME_UPPER" || mode == "SAME_LOWER";
  if (!isSame && mode != "NOTSET" && mode != "VALID")
    return makeError("auto_pad is '" + escaped(mode) + "', expected NOTSET, SAME_UPPER, SAME_LOWER or VALID");
  if (mode != "NOTSET")
    pads->assign(2 * rank, 0);
  w.low.assign(pads->begin(), pads->begin() + rank);
  w.high.assign(pads->begin() + rank, pads->end());
  w.output.assign(rank, 0);
  w.extension.assign(rank, 0);
  bool isCeil = node.getInt("ceil_mode", 0) != 0;
  for (size_t d = 0; d < rank; ++d) {
    int64_t extent = (kernel[d] - 1) * w.dilations[d] + 1;
    if (isSame) {
      w.output[d] = (input[d] + w.strides[d] - 1) / w.strides[d];
      padSame(w, d, input[d], extent, mode == "SAME_UPPER");
      continue;
    }
    int64_t padded = input[d] + w.low[d] + w.high[d], room = padded - extent;
    if (room < 0)
      return makeError("a window of " + llvm::Twine(extent) + " positions in a padded input of " + llvm::Twine(padded) +
                       " in spatial dimension " + llvm::Twine(d));
    w.output[d] = room / w.strides[d] + 1;
    // A further window may stick out at the end, if it starts in the input or the padding before it.
    if (isCeil && room % w.strides[d] != 0 && w.output[d] * w.strides[d] < input[d] + w.low[d]) {
      w.extension[d] = w.output[d] * w.strides[d] - room;
      ++w.output[d];
    }
  }
  return w;
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

/// The kernel of a pool over `input` [N, C, D1, ..., Dr].
static Expected<Shape> kernelOf(const Node &node, const Shape &input) {
  if (input.size() < 3)
    return makeError("operand of shape " + shapeText(input) + ", expected at least 3 dimensions");
  if (!node.getInts("kernel_shape"))
    return makeError("kernel_shape is missing");
  return windowEntries(node, "kernel_shape", input.size() - 2, 1, 1);
}

static Shape pooled(const Shape &input, const Shape &spatial) {
  Shape output(input.begin(), input.begin() + 2);
  output.insert(output.end(), spatial.begin(), spatial.end());
  return output;
}

/// A border below every number is never a result: it becomes padding of the pool, unless a
/// window lies in it alone.
static void absorbBorder(qnn::MaxPoolOp pool) {
  auto pad = pool.getInput().getDefiningOp<qnn::PadOp>();
  if (!pad || pad.getValue().convertToFloat() > -FLT_MAX)
    return;
  std::optional<qnn::Window> window = qnn::windowBefore(pad, qnn::windowOf(pool));
  if (!window || !window->alwaysTouchesInput())
    return;
  SmallVector<int64_t> pads(window->padBegin);
  llvm::append_range(pads, window->padEnd);
  pool.getInputMutable().assign(pad.getInput());
  pool.setPads(pads);
}

Importer::Result Importer::importMaxPool(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Shape input = shapeOf(*x);
  Expected<Shape> kernel = kernelOf(node, input);
  if (!kernel)
    return kernel.takeError();
  Expected<SpatialWindow> w = spatialWindow(node, {input.begin() + 2, input.end()}, *kernel);
  if (!w)
    return w.takeError();
  auto pool =
      qnn::MaxPoolOp::create(builder, locationOf(node), floatType(pooled(input, w->output)), *x, i64s(w->kernel),
                             i64s(w->strides), i64s(w->pads(true)), i64s(w->dilations), idOf(node));
  absorbBorder(pool);
  return pool.getResult();
}

Importer::Result Importer::importAveragePool(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Shape input = shapeOf(*x);
  Expected<Shape> kernel = kernelOf(node, input);
  if (!kernel)
    return kernel.takeError();
  Expected<SpatialWindow> w = spatialWindow(node, {input.begin() + 2, input.end()}, *kernel);
  if (!w)
    return w.takeError();
  Value from = *x;
  auto isPadded = [](int64_t pad) { return pad > 0; };
  if (node.getInt("count_include_pad", 0) != 0 && (llvm::any_of(w->low, isPadded) || llvm::any_of(w->high, isPadded))) {
    // Zeros that count become part of the input; what ceil_mode adds never counts.
    Shape low = {0, 0}, high = {0, 0};
    low.insert(low.end(), w->low.begin(), w->low.end());
    high.insert(high.end(), w->high.begin(), w->high.end());
    from = makePad(locationOf(node), /*id=*/StringAttr(), from, low, high, 0);
    w->low.assign(w->low.size(), 0);
    w->high = w->low;
  }
  return qnn::AvgPoolOp::create(builder, locationOf(node), floatType(pooled(input, w->output)), from, i64s(w->kernel),
                                i64s(w->strides), i64s(w->pads(true)), i64s(w->dilations), /*x_zp=*/IntegerAttr(),
                                idOf(node))
      .getResult();
}

Importer::Result Importer::importGlobalMaxPool(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Shape input = shapeOf(*x);
  if (input.size() < 3)
    return makeError("operand of shape " + shapeText(input) + ", expected at least 3 dimensions");
  Shape kernel(input.begin() + 2, input.end()), ones(kernel.size(), 1), zeros(2 * kernel.size(), 0);
  return qnn::MaxPoolOp::create(builder, locationOf(node), floatType(pooled(input, ones)), *x, i64s(kernel), i64s(ones),
                                i64s(zeros), i64s(ones), idOf(node))
      .getResult();
}

Importer::Result Importer::importGlobalAveragePool(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Shape input = shapeOf(*x);
  if (input.size() < 3)
    return makeError("operand of shape " + shapeText(input) + ", expected at least 3 dimensions");
  Shape kernel(input.begin() + 2, input.end()), ones(kernel.size(), 1), zeros(2 * kernel.size(), 0);
  return qnn::AvgPoolOp::create(builder, locationOf(node), floatType(pooled(input, ones)), *x, i64s(kernel), i64s(ones),
                                i64s(zeros), i64s(ones), /*x_zp=*/IntegerAttr(), idOf(node))
      .getResult();
}

} // namespace dyadic::importer
