// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Classes.h"
#include "RelativeError.h"
#include "dyadic/Search/Sensitivity.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

namespace dyadic {

static double divergence(llvm::ArrayRef<float> reference, llvm::ArrayRef<float> row) {
  bool isSoftmax = areProbabilities(reference);
  std::vector<double> p = logProbabilities(reference, isSoftmax), q = logProbabilities(row, isSoftmax);
  double sum = 0;
  for (auto [a, b] : llvm::zip(p, q))
    sum += std::exp(a) * (a - b);
  return std::max(sum, 0.0); // below 0 is rounding
}

namespace {
class OutputDivergence : public SensitivityMetric {
public:
  llvm::StringRef name() const override { return "kl"; }
  double measure(const PerturbedNetwork &network) const override {
    double sum = 0;
    for (auto [reference, output] : llvm::zip(network.reference, network.outputs)) {
      auto classes = static_cast<size_t>(classesOf(*reference, network.batch));
      sum +=
          classes ? meanOverRows(*reference, *output, classes, divergence) : relativeSquaredError(*reference, *output);
    }
    return sum;
  }
};
const OutputDivergence instance;
} // namespace

const SensitivityMetric &divergenceMetric = instance;

} // namespace dyadic
