// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RelativeError.h"

namespace dyadic {

double relativeSquaredError(const Tensor &reference, const Tensor &tensor) {
  if (reference.type != ElementType::F32 || tensor.type != ElementType::F32)
    return 0;
  double signal = 0, noise = 0;
  const float *f = reference.as<float>(), *q = tensor.as<float>();
  for (int64_t i = 0, n = reference.size(); i < n; ++i) {
    double difference = static_cast<double>(f[i]) - q[i];
    signal += static_cast<double>(f[i]) * f[i];
    noise += difference * difference;
  }
  if (noise == 0)
    return 0;
  return signal == 0 ? 1 : noise / signal;
}

} // namespace dyadic
