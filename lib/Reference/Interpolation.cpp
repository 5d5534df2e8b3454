// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linear interpolation, one dimension after the other, the last first.

#include "dyadic/IR/Interpolation.h"
#include "Indexing.h"
#include "Operations.h"

using namespace llvm;

namespace dyadic::reference {

/// `x` of shape `shape` along one axis; `shape` becomes that of the result. `unit` is
/// what a weight of 1 in units of 2^-bits counts: weights are exact in T.
template <typename T>
static std::vector<T> interpolate(ArrayRef<T> x, std::vector<int64_t> &shape, const qnn::AxisInterpolation &a, T unit) {
  const std::vector<int64_t> from = shape;
  shape[a.axis] = static_cast<int64_t>(a.low.size());
  std::vector<T> result(volumeOf(shape));
  Index source;
  forEachIndex(shape, [&](ArrayRef<int64_t> index, int64_t o) {
    const int64_t i = index[a.axis];
    source.assign(index.begin(), index.end());
    source[a.axis] = a.low[i];
    const T low = x[offsetOf(source, from)];
    source[a.axis] = a.high(i);
    const T high = x[offsetOf(source, from)];
    result[o] = low * (static_cast<T>(a.lowWeight(i)) * unit) + high * (static_cast<T>(a.highWeight(i)) * unit);
  });
  return result;
}

Error run(qnn::InterpolateOp op, Operands in, Tensor &out) {
  std::vector<int64_t> shape = in[0]->shape;
  auto axes = qnn::interpolationOf(op);
  if (isFloat(out)) {
    std::vector<float> values = floats(*in[0]).vec();
    for (const qnn::AxisInterpolation &a : reverse(axes))
      values = interpolate<float>(values, shape, a, 1.0f / static_cast<float>(int64_t(1) << a.bits));
    llvm::copy(values, out.as<float>());
    return Error::success();
  }
  std::vector<int64_t> values = ints(*in[0]);
  for (int64_t &value : values)
    value -= static_cast<int64_t>(op.getXZp().value_or(0));
  for (const qnn::AxisInterpolation &a : reverse(axes))
    values = interpolate<int64_t>(values, shape, a, 1);
  for (auto [i, value] : enumerate(values))
    out.setInt(i, value);
  return Error::success();
}

} // namespace dyadic::reference
