// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolution, matrix product and batch normalization. Floats and integers share
// one loop each: only the start value and what lies outside of the input differ.

#include "Indexing.h"
#include "Operations.h"
#include <cmath>

using namespace llvm;

namespace dyadic::reference {

namespace {
struct ConvSizes {
  int64_t batch, channels, filters, groupChannels, groupFilters;
  qnn::Window window;
};
} // namespace

static ConvSizes sizesOf(qnn::ConvOp op, const Tensor &input, const Tensor &weights) {
  qnn::Window window = qnn::windowOf(op);
  return {input.shape[0],
          input.shape[window.channelDimension()],
          weights.shape[0],
          weights.shape[1],
          weights.shape[0] / static_cast<int64_t>(op.getGroup()),
          window};
}

static int64_t multiplyAdd(int64_t x, int64_t w, int64_t sum) { return sum + x * w; }
static float multiplyAdd(float x, float w, float sum) { return std::fma(x, w, sum); }

/// `outside` stands for every element beyond the border.
template <typename T, typename Store>
static void convolve(const ConvSizes &s, ArrayRef<T> input, ArrayRef<T> weights, ArrayRef<T> bias, T outside,
                     Store store) {
  const int64_t kernelArea = s.window.volume();
  const ImageLayout from{s.channels, volumeOf(s.window.input), s.window.channelsLast};
  const ImageLayout to{s.filters, volumeOf(s.window.output), s.window.channelsLast};
  forEachIndex(s.window.output, [&](ArrayRef<int64_t> position, int64_t o) {
    const std::vector<Tap> taps = tapsAt(s.window, position, /*insideOnly=*/false);
    for (int64_t n = 0; n < s.batch; ++n)
      for (int64_t m = 0; m < s.filters; ++m) {
        const int64_t firstChannel = m / s.groupFilters * s.groupChannels;
        T sum = bias.empty() ? T(0) : bias[m];
        for (const Tap &tap : taps)
          for (int64_t c = 0; c < s.groupChannels; ++c) {
            const T x = tap.input >= 0 ? input[from.offset(n, firstChannel + c, tap.input)] : outside;
            sum = multiplyAdd(x, weights[(m * s.groupChannels + c) * kernelArea + tap.kernel], sum);
          }
        store(to.offset(n, m, o), sum);
      }
  });
}

Error run(qnn::ConvOp op, Operands in, Tensor &out) {
  ConvSizes sizes = sizesOf(op, *in[0], *in[1]);
  if (isFloat(out)) {
    ArrayRef<float> bias = in.size() > 2 ? floats(*in[2]) : ArrayRef<float>();
    convolve<float>(sizes, floats(*in[0]), floats(*in[1]), bias, 0.0f,
                    [&](int64_t i, float sum) { out.as<float>()[i] = sum; });
    return Error::success();
  }
  std::vector<int64_t> bias = in.size() > 2 ? ints(*in[2]) : std::vector<int64_t>();
  convolve<int64_t>(sizes, ints(*in[0]), ints(*in[1]), bias, static_cast<int64_t>(op.getXZp().value_or(0)),
                    [&](int64_t i, int64_t sum) { out.setInt(i, sum); });
  return Error::success();
}

template <typename T, typename Store>
static void multiply(int64_t rows, int64_t depth, int64_t columns, ArrayRef<T> input, ArrayRef<T> weights,
                     ArrayRef<T> bias, Store store) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t n = 0; n < columns; ++n) {
      T sum = bias.empty() ? T(0) : bias[n];
      for (int64_t k = 0; k < depth; ++k)
        sum = multiplyAdd(input[r * depth + k], weights[k * columns + n], sum);
      store(r * columns + n, sum);
    }
}

Error run(qnn::MatmulOp op, Operands in, Tensor &out) {
  const int64_t depth = in[1]->shape[0], columns = in[1]->shape[1], rows = in[0]->size() / depth;
  if (isFloat(out)) {
    ArrayRef<float> bias = in.size() > 2 ? floats(*in[2]) : ArrayRef<float>();
    multiply<float>(rows, depth, columns, floats(*in[0]), floats(*in[1]), bias,
                    [&](int64_t i, float sum) { out.as<float>()[i] = sum; });
    return Error::success();
  }
  std::vector<int64_t> bias = in.size() > 2 ? ints(*in[2]) : std::vector<int64_t>();
  multiply<int64_t>(rows, depth, columns, ints(*in[0]), ints(*in[1]), bias,
                    [&](int64_t i, int64_t sum) { out.setInt(i, sum); });
  return Error::success();
}

Error run(qnn::BatchNormOp op, Operands in, Tensor &out) {
  const float epsilon = op.getEpsilon().convertToFloat();
  ArrayRef<float> x = floats(*in[0]), scale = floats(*in[1]), offset = floats(*in[2]), mean = floats(*in[3]),
                  variance = floats(*in[4]);
  forEachIndex(out.shape, [&](ArrayRef<int64_t> index, int64_t i) {
    const int64_t c = index[1];
    out.as<float>()[i] = (x[i] - mean[c]) / std::sqrt(variance[c] + epsilon) * scale[c] + offset[c];
  });
  return Error::success();
}

} // namespace dyadic::reference
