// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Operations.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/Support/ScalarFunctions.h"

using namespace llvm;

namespace dyadic::reference {

/// The positions of each row along dimension `axis`.
static void forEachRow(const std::vector<int64_t> &shape, int64_t axis, function_ref<void(ArrayRef<int64_t>)> row) {
  int64_t inner = 1, outer = 1;
  for (size_t d = 0; d < shape.size(); ++d)
    (static_cast<int64_t>(d) < axis ? outer : inner) *= static_cast<int64_t>(d) == axis ? 1 : shape[d];
  std::vector<int64_t> positions(shape[axis]);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < inner; ++i) {
      for (int64_t k = 0; k < shape[axis]; ++k)
        positions[k] = (o * shape[axis] + k) * inner + i;
      row(positions);
    }
}

static void floatRow(const Tensor &in, Tensor &out, ArrayRef<int64_t> row) {
  const float *x = in.as<float>();
  float *y = out.as<float>();
  float largest = x[row[0]], sum = 0;
  for (int64_t i : row)
    largest = maximum(largest, x[i]);
  for (int64_t i : row)
    sum += y[i] = HostFloat().exp(x[i] - largest);
  for (int64_t i : row)
    y[i] /= sum;
}

static void integerRow(const Tensor &in, Tensor &out, ArrayRef<int64_t> row, const int32_t *high, const int32_t *low) {
  int64_t largest = in.intAt(row[0]), sum = 0;
  for (int64_t i : row)
    largest = std::max(largest, in.intAt(i));
  for (int64_t i : row)
    sum += softmaxWeight(largest - in.intAt(i), high, low);
  for (int64_t i : row)
    out.setInt(i, softmaxQuotient(softmaxWeight(largest - in.intAt(i), high, low), sum));
}

Error run(qnn::SoftmaxOp op, Operands in, Tensor &out) {
  std::vector<int32_t> high, low;
  if (op.getHigh()) {
    high.assign(op.getHigh()->getValues<int32_t>().begin(), op.getHigh()->getValues<int32_t>().end());
    low.assign(op.getLow()->getValues<int32_t>().begin(), op.getLow()->getValues<int32_t>().end());
  }
  forEachRow(out.shape, static_cast<int64_t>(op.getAxis()), [&](ArrayRef<int64_t> row) {
    if (isFloat(out))
      floatRow(*in[0], out, row);
    else
      integerRow(*in[0], out, row, high.data(), low.data());
  });
  return Error::success();
}

} // namespace dyadic::reference
