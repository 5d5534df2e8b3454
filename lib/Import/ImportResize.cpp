// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resize (and Upsample, which the loader makes Resize): every dimension becomes a
// gather, or part of one interpolation.

#include "Evaluate.h"
#include "Importer.h"
#include "dyadic/IR/Interpolation.h"
#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Support/Error.h"
#include <cmath>

using namespace mlir;
using llvm::Expected;

namespace dyadic::importer {

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

static std::string axisText(int64_t axis) { return "dimension " + std::to_string(axis); }

static Expected<Resized> resizedByScale(int64_t axis, int64_t from, float scale) {
  float to = std::floor(static_cast<float>(from) * scale);
  if (!(scale > 0) || !(to >= 1) || !(to <= static_cast<float>(kMaxElements)))
    return makeError("scale " + std::to_string(scale) + " of " + axisText(axis) + " of size " + std::to_string(from));
  return Resized{axis, from, static_cast<int64_t>(to), scale};
}

/// `sizes` of `axes`, or one scale for all of them where the policy keeps the aspect ratio.
static Expected<std::vector<Resized>> resizedBySizes(const std::string &policy, const Shape &shape, const Shape &axes,
                                                     const Shape &sizes) {
  std::vector<Resized> result;
  for (size_t k = 0; k < axes.size(); ++k) {
    int64_t from = shape[axes[k]];
    if (sizes[k] < 1 || sizes[k] > kMaxElements)
      return makeError("size " + llvm::Twine(sizes[k]) + " of " + axisText(axes[k]) + ", expected at least 1");
    result.push_back({axes[k], from, sizes[k], static_cast<float>(sizes[k]) / static_cast<float>(from)});
  }
  if (policy == "stretch")
    return result;
  if (policy != "not_larger" && policy != "not_smaller")
    return makeError("keep_aspect_ratio_policy is '" + escaped(policy) +
                     "', expected stretch, not_larger or not_smaller");
  auto less = [](const Resized &a, const Resized &b) { return a.scale < b.scale; };
  auto extreme = policy == "not_larger" ? std::min_element(result.begin(), result.end(), less)
                                        : std::max_element(result.begin(), result.end(), less);
  float scale = extreme->scale;
  for (Resized &r : result) {
    r.scale = scale;
    r.to = std::max<int64_t>(1, static_cast<int64_t>(std::floor(static_cast<float>(r.from) * scale + 0.5f)));
  }
  return result;
}

/// The dimensions that the node resizes, by scales or by sizes.
static Expected<std::vector<Resized>> resizedDimensions(const Node &node, const Shape &shape,
                                                        llvm::ArrayRef<float> scales,
                                                        const std::optional<Shape> &sizes) {
  Shape axes;
  if (std::optional<std::vector<int64_t>> given = node.getInts("axes")) {
    for (int64_t axis : *given) {
      std::optional<int64_t> d = normalAxis(axis, shape.size());
      if (!d || llvm::is_contained(axes, *d))
        return makeError("axes " + shapeText(*given) + ", expected different ones of " + llvm::Twine(shape.size()) +
                         " dimensions");
      axes.push_back(*d);
    }
  } else {
    for (size_t d = 0; d < shape.size(); ++d)
      axes.push_back(d);
  }
  bool bySizes = sizes && !sizes->empty();
  if (bySizes == !scales.empty())
    return makeError("it has " + llvm::Twine(bySizes ? "both scales and sizes" : "neither scales nor sizes") +
                     ", expected one of them");
  size_t count = bySizes ? sizes->size() : scales.size();
  if (count != axes.size())
    return makeError(llvm::Twine(count) + (bySizes ? " sizes for " : " scales for ") + llvm::Twine(axes.size()) +
                     " dimensions");
  if (bySizes)
    return resizedBySizes(node.getString("keep_aspect_ratio_policy", "stretch"), shape, axes, *sizes);
  std::vector<Resized> result;
  for (size_t k = 0; k < axes.size(); ++k) {
    Expected<Resized> resized = resizedByScale(axes[k], shape[axes[k]], scales[k]);
    if (!resized)
      return resized.takeError();
    result.push_back(*resized);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Coordinates
//===----------------------------------------------------------------------===//

/// Where position `at` of the result lies in the operand. In f32 and in this order of
/// operations, as ONNX Runtime computes it: at halves the last bit decides.
static std::optional<float> originalCoordinate(const std::string &mode, const Resized &r, int64_t at) {
  float x = static_cast<float>(at), from = static_cast<float>(r.from), to = static_cast<float>(r.to);
  if (mode == "half_pixel")
    return (x + 0.5f) / r.scale - 0.5f;
  if (mode == "pytorch_half_pixel")
    return r.to > 1 ? (x + 0.5f) / r.scale - 0.5f : 0.0f;
  if (mode == "half_pixel_symmetric") {
    float adjustment = to / (r.scale * from), center = from / 2.0f;
    return center * (1.0f - adjustment) + (x + 0.5f) / r.scale - 0.5f;
  }
  if (mode == "asymmetric")
    return x / r.scale;
  if (mode == "align_corners")
    return r.to > 1 ? x * (from - 1.0f) / (to - 1.0f) : 0.0f;
  if (mode == "tf_half_pixel_for_nn")
    return (x + 0.5f) / r.scale;
  return std::nullopt;
}

static std::optional<float> nearest(const std::string &mode, float x, float scale) {
  if (mode == "round_prefer_floor")
    return std::ceil(x - 0.5f);
  if (mode == "round_prefer_ceil")
    return std::floor(x + 0.5f);
  if (mode == "floor")
    return std::floor(x);
  if (mode == "ceil")
    return std::ceil(x);
  if (mode == kLegacyNearest)
    return scale < 1 ? std::ceil(x) : std::floor(x);
  return std::nullopt;
}

static int64_t clamped(float position, int64_t size) {
  return static_cast<int64_t>(std::clamp(position, 0.0f, static_cast<float>(size - 1)));
}

static Expected<std::vector<float>> coordinates(const Node &node, const Resized &r) {
  std::string mode = node.getString("coordinate_transformation_mode", "half_pixel");
  std::vector<float> result;
  for (int64_t i = 0; i < r.to; ++i) {
    std::optional<float> x = originalCoordinate(mode, r, i);
    if (!x)
      return makeError("coordinate_transformation_mode is '" + escaped(mode) +
                       "', expected half_pixel, pytorch_half_pixel, half_pixel_symmetric, asymmetric, align_corners or "
                       "tf_half_pixel_for_nn");
    result.push_back(*x);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// The two modes
//===----------------------------------------------------------------------===//

Importer::Result Importer::resizeNearest(const Node &node, Value x, llvm::ArrayRef<Resized> dimensions) {
  std::string mode = node.getString("nearest_mode", "round_prefer_floor");
  for (const Resized &r : dimensions) {
    Expected<std::vector<float>> positions = coordinates(node, r);
    if (!positions)
      return positions.takeError();
    std::vector<int64_t> indices;
    for (float position : *positions) {
      std::optional<float> rounded = nearest(mode, position, r.scale);
      if (!rounded)
        return makeError("nearest_mode is '" + escaped(mode) +
                         "', expected round_prefer_floor, round_prefer_ceil, floor or ceil");
      indices.push_back(clamped(*rounded, r.from));
    }
    bool isLast = r.axis == dimensions.back().axis;
    x = makeGather(locationOf(node), isLast ? idOf(node) : StringAttr(), x, r.axis, indices);
  }
  return x;
}

Importer::Result Importer::resizeLinear(const Node &node, Value x, llvm::ArrayRef<Resized> dimensions) {
  SmallVector<qnn::AxisInterpolation> axes;
  Shape shape = shapeOf(x);
  for (const Resized &r : dimensions) {
    Expected<std::vector<float>> positions = coordinates(node, r);
    if (!positions)
      return positions.takeError();
    qnn::AxisInterpolation axis{r.axis, r.from, qnn::kFractionBits, {}, {}};
    for (float position : *positions) {
      float inside = std::clamp(position, 0.0f, static_cast<float>(r.from - 1));
      int64_t low = clamped(inside, r.from);
      // The difference is exact; below 2^-24 its last bits go.
      axis.low.push_back(low);
      axis.fractions.push_back(static_cast<int64_t>(std::ldexp(inside - static_cast<float>(low), axis.bits)));
    }
    shape[r.axis] = r.to;
    qnn::trimFractions(axis);
    axes.push_back(std::move(axis));
  }
  auto by = [](const qnn::AxisInterpolation &a, const qnn::AxisInterpolation &b) { return a.axis < b.axis; };
  llvm::sort(axes, by);
  auto none = builder.getDenseI64ArrayAttr({});
  auto op = qnn::InterpolateOp::create(builder, locationOf(node), floatType(shape), x, none, none, none, none,
                                       /*x_zp=*/IntegerAttr(), idOf(node));
  qnn::setInterpolation(op, axes);
  return op.getOutput();
}

Importer::Result Importer::importResize(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Expected<const Tensor *> scales = node.hasInput(2) && constant(node, 2) && constant(node, 2)->size() == 0
                                        ? Expected<const Tensor *>(nullptr)
                                        : floats(node, 2);
  if (!scales)
    return scales.takeError();
  Expected<std::optional<std::vector<int64_t>>> sizes = ints(node, 3);
  if (!sizes)
    return sizes.takeError();
  std::string mode = node.getString("mode", "nearest");
  if (mode != "nearest" && mode != "linear")
    return makeError("mode is '" + escaped(mode) + "', expected nearest or linear");
  if (node.getInt("antialias", 0) != 0)
    return makeError("antialias is 1, expected 0");
  llvm::ArrayRef<float> factors;
  if (*scales)
    factors = {(*scales)->as<float>(), static_cast<size_t>((*scales)->size())};
  Shape shape = shapeOf(*x);
  Expected<std::vector<Resized>> all = resizedDimensions(node, shape, factors, *sizes);
  if (!all)
    return all.takeError();
  std::vector<Resized> dimensions;
  for (const Resized &r : *all) {
    if (r.from != r.to || r.scale != 1)
      dimensions.push_back(r);
    shape[r.axis] = r.to;
  }
  if (!elementCount(shape))
    return makeError("the result has shape " + shapeText(shape) + ", expected at most 2^31 elements");
  if (dimensions.empty())
    return *x;
  return mode == "nearest" ? resizeNearest(node, *x, dimensions) : resizeLinear(node, *x, dimensions);
}

} // namespace dyadic::importer
