// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RelativeError.h"
#include "dyadic/Search/Sensitivity.h"

namespace dyadic {

namespace {
class OutputError : public SensitivityMetric {
public:
  llvm::StringRef name() const override { return "error"; }
  double measure(const PerturbedNetwork &network) const override {
    double sum = 0;
    for (size_t i = 0; i < network.outputs.size(); ++i)
      sum += relativeSquaredError(*network.reference[i], *network.outputs[i]);
    return sum;
  }
};
const OutputError instance;
} // namespace

const SensitivityMetric &errorMetric = instance;

} // namespace dyadic
