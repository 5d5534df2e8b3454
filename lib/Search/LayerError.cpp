// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RelativeError.h"
#include "dyadic/Search/Sensitivity.h"

namespace dyadic {

namespace {
class LayerError : public SensitivityMetric {
public:
  llvm::StringRef name() const override { return "layer"; }
  double measure(const PerturbedNetwork &network) const override {
    return relativeSquaredError(*network.localReference, *network.local);
  }
};
const LayerError instance;
} // namespace

const SensitivityMetric &layerMetric = instance;

} // namespace dyadic
