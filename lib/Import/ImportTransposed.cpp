// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A transposed convolution as an ordinary one: with strides s, outputs whose positions
// agree modulo s read the same taps of the kernel. Each such phase is a convolution of
// the input with every s-th tap; all of them are one convolution with prod(s) times as
// many channels, whose result is then interleaved and cropped (sub-pixel convolution,
// Shi et al., 2016). Nothing is multiplied with inserted zeros.

#include "Evaluate.h"
#include "Importer.h"
#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Support/Error.h"

using namespace mlir;
using llvm::Expected;

namespace dyadic::importer {

/// Weights grow where a kernel is not a multiple of its stride; more is a mistake or an attack.
static constexpr int64_t kMaxWeights = int64_t(1) << 26;

/// Position p of the uncropped result is q * stride + phase; it
/// sums the kernel positions t with t = phase (mod stride) over x[q - t / stride].
struct TransposedAxis {
  int64_t input, kernel, stride, dilation, low, output; // of the node
  int64_t taps = 1, tapDilation = 1;                    // of the convolution
  int64_t padLow = 0, padHigh = 0, count = 1, crop = 0; // it makes `count` positions q

  int64_t extent() const { return (kernel - 1) * dilation + 1; }
  /// The kernel's element that tap `u` of phase `phase` multiplies; -1: none.
  int64_t elementAt(int64_t phase, int64_t u) const;
  void plan();
};

int64_t TransposedAxis::elementAt(int64_t phase, int64_t u) const {
  int64_t back = taps - 1 - u; // a convolution reads forwards
  if (stride == 1)
    return back;
  int64_t t = phase + stride * back;
  return t % dilation == 0 && t / dilation < kernel ? t / dilation : -1;
}

void TransposedAxis::plan() {
  // Without a stride the dilation stays one; else taps between the kernel's are zeros.
  taps = stride == 1 ? kernel : (extent() + stride - 1) / stride;
  tapDilation = stride == 1 ? dilation : 1;
  int64_t reach = (taps - 1) * tapDilation;
  // From the first to the last position that is kept; more where that would need negative padding.
  int64_t first = std::min(low / stride, reach), last = (low + output - 1) / stride;
  padLow = reach - first;
  padHigh = std::max<int64_t>(0, last - first + 1 + reach - input - padLow);
  count = input + padLow + padHigh - reach;
  crop = low - first * stride;
}

/// The node's attributes, by ONNX's rules for pads, output_padding, output_shape and auto_pad.
static Expected<std::vector<TransposedAxis>> transposedAxes(const Node &node, const Shape &input, const Shape &kernel) {
  size_t rank = kernel.size();
  std::string mode = node.getString("auto_pad", "NOTSET");
  bool isSame = mode == "SAME_UPPER" || mode == "SAME_LOWER";
  if (!isSame && mode != "NOTSET" && mode != "VALID")
    return makeError("auto_pad is '" + escaped(mode) + "', expected NOTSET, SAME_UPPER, SAME_LOWER or VALID");
  Shape lists[5];
  const std::tuple<const char *, size_t, int64_t, int64_t> attributes[] = {{"strides", rank, 1, 1},
                                                                           {"dilations", rank, 1, 1},
                                                                           {"pads", 2 * rank, 0, 0},
                                                                           {"output_padding", rank, 0, 0},
                                                                           {"output_shape", rank, 1, 1}};
  for (auto [list, attribute] : llvm::zip(lists, attributes)) {
    auto [name, size, otherwise, least] = attribute;
    Expected<Shape> values = windowEntries(node, name, size, otherwise, least);
    if (!values)
      return values.takeError();
    list = *values;
  }
  auto &[strides, dilations, pads, outputPadding, outputShape] = lists;
  if (mode != "NOTSET")
    pads.assign(2 * rank, 0);
  std::vector<TransposedAxis> axes;
  for (size_t d = 0; d < rank; ++d) {
    TransposedAxis axis{input[d], kernel[d], strides[d], dilations[d], pads[d], 0};
    int64_t full = (input[d] - 1) * axis.stride + axis.extent() + outputPadding[d];
    bool isGiven = node.getInts("output_shape").has_value();
    if (isGiven || isSame) {
      axis.output = isGiven ? outputShape[d] : input[d] * axis.stride;
      int64_t total = std::max<int64_t>(0, full - axis.output);
      axis.low = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
    } else {
      axis.output = full - pads[d] - pads[rank + d];
    }
    if (axis.output < 1 || axis.output > kMaxElements)
      return makeError("result size " + llvm::Twine(axis.output) + " in spatial dimension " + llvm::Twine(d));
    axis.plan();
    axes.push_back(axis);
  }
  return axes;
}

/// Calls visit(index) for every index into `shape`, in row-major order.
static void forEachIndex(const Shape &shape, llvm::function_ref<void(const Shape &)> visit) {
  Shape index(shape.size(), 0);
  for (int64_t i = 0, e = elementCount(shape).value_or(0); i < e; ++i) {
    visit(index);
    for (size_t d = shape.size(); d-- > 0 && ++index[d] == shape[d];)
      index[d] = 0;
  }
}

/// From [C, M / group, K1, ..., Kr] to [M * phases, C / group, T1, ..., Tr], phases fastest.
static std::vector<float> phaseWeights(const Tensor &weights, int64_t group, llvm::ArrayRef<TransposedAxis> axes) {
  int64_t channels = weights.shape[0] / group, filters = weights.shape[1], kernelSize = 1;
  Shape phases, taps;
  for (const TransposedAxis &axis : axes) {
    phases.push_back(axis.stride);
    taps.push_back(axis.taps);
    kernelSize *= axis.kernel;
  }
  std::vector<float> result;
  for (int64_t m = 0; m < group * filters; ++m)
    forEachIndex(phases, [&](const Shape &phase) {
      for (int64_t c = 0; c < channels; ++c)
        forEachIndex(taps, [&](const Shape &tap) {
          int64_t element = 0;
          for (size_t d = 0; d < axes.size() && element >= 0; ++d) {
            int64_t k = axes[d].elementAt(phase[d], tap[d]);
            element = k < 0 ? -1 : element * axes[d].kernel + k;
          }
          int64_t row = (m / filters * channels + c) * filters + m % filters;
          result.push_back(element < 0 ? 0 : weights.as<float>()[row * kernelSize + element]);
        });
    });
  return result;
}

/// From [N, M * phases, count...] to [N, M, output...]: channels become pixels, the rest is cut off.
Value Importer::interleavePhases(Location location, Value x, int64_t channels, llvm::ArrayRef<TransposedAxis> axes) {
  size_t rank = axes.size();
  Shape split = {shapeOf(x)[0], channels}, permutation = {0, 1}, merged = split, offsets = {0, 0}, result = split;
  for (const TransposedAxis &axis : axes)
    split.push_back(axis.stride);
  for (size_t d = 0; d < rank; ++d) {
    split.push_back(axes[d].count);
    permutation.push_back(2 + rank + d);
    permutation.push_back(2 + d);
    merged.push_back(axes[d].count * axes[d].stride);
    offsets.push_back(axes[d].crop);
    result.push_back(axes[d].output);
  }
  if (shapeOf(x) != merged) {
    x = makeReshape(location, StringAttr(), x, split);
    x = makeTranspose(location, StringAttr(), x, permutation);
    x = makeReshape(location, StringAttr(), x, merged);
  }
  return merged == result ? x : makeSlice(location, StringAttr(), x, offsets, Shape(2 + rank, 1), result);
}

Importer::Result Importer::importConvTranspose(const Node &node) {
  Result x = operand(node, 0);
  if (!x)
    return x.takeError();
  Expected<const Tensor *> weights = floats(node, 1);
  if (!weights)
    return weights.takeError();
  Expected<const Tensor *> bias = floats(node, 2);
  if (!bias)
    return bias.takeError();
  Shape input = shapeOf(*x), filter = *weights ? (*weights)->shape : Shape();
  if (input.size() < 3 || filter.size() != input.size())
    return makeError("operands of shapes " + shapeText(input) + " and " + shapeText(filter) +
                     ", expected one rank of at least 3");
  int64_t group = node.getInt("group", 1);
  if (group < 1 || filter[0] != input[1] || filter[0] % group != 0)
    return makeError("group " + llvm::Twine(group) + " with " + llvm::Twine(input[1]) +
                     " input channels and weights of shape " + shapeText(filter));
  Shape kernel(filter.begin() + 2, filter.end());
  if (node.getInts("kernel_shape").value_or(kernel) != kernel)
    return makeError("kernel_shape " + shapeText(*node.getInts("kernel_shape")) + ", expected the weights' " +
                     shapeText(kernel));
  Expected<std::vector<TransposedAxis>> axes = transposedAxes(node, {input.begin() + 2, input.end()}, kernel);
  if (!axes)
    return axes.takeError();

  int64_t channels = filter[1] * group;
  Shape sizes = {channels, filter[0] / group}, taps, pads, dilations, made = {input[0], channels};
  for (const TransposedAxis &axis : *axes) {
    sizes.push_back(axis.stride);
    sizes.push_back(axis.taps);
    taps.push_back(axis.taps);
    dilations.push_back(axis.tapDilation);
    pads.push_back(axis.padLow);
    made.push_back(axis.count);
  }
  if (elementCount(sizes).value_or(kMaxWeights + 1) > kMaxWeights)
    return makeError("weights for every phase of the strides, of shape " + shapeText(sizes) +
                     ", expected at most 2^26 elements");
  for (const TransposedAxis &axis : *axes) {
    pads.push_back(axis.padHigh);
    made[1] *= axis.stride;
  }
  Shape phaseFilter = {made[1], filter[0] / group};
  phaseFilter.insert(phaseFilter.end(), taps.begin(), taps.end());
  Value b;
  if (*bias) {
    if ((*bias)->shape != Shape{channels})
      return makeError("bias of shape " + shapeText((*bias)->shape) + ", expected [" + llvm::Twine(channels) + "]");
    std::vector<float> repeated;
    for (int64_t c = 0; c < made[1]; ++c)
      repeated.push_back((*bias)->as<float>()[c / (made[1] / channels)]);
    b = makeFloats(node.inputs[2], {made[1]}, repeated);
  }
  Value conv = qnn::ConvOp::create(builder, locationOf(node), floatType(made), *x,
                                   makeFloats(node.inputs[1], phaseFilter, phaseWeights(**weights, group, *axes)), b,
                                   /*strides=*/i64s({}), i64s(pads), i64s(dilations), group,
                                   /*x_zp=*/IntegerAttr(), idOf(node));
  return interleavePhases(locationOf(node), conv, channels, *axes);
}

} // namespace dyadic::importer
