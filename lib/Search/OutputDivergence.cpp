// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RelativeError.h"
#include "dyadic/Search/Sensitivity.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

namespace dyadic {

/// How many classes a row of the output has: the whole output where exactly one of its dimensions is larger than 1,
/// each row of a matrix with as many rows as the batch; 0 for another output.
static int64_t classesOf(const Tensor &output, int64_t batch) {
  if (output.type != ElementType::F32)
    return 0;
  if (llvm::count_if(output.shape, [](int64_t size) { return size > 1; }) == 1)
    return output.size();
  return output.shape.size() == 2 && output.shape[0] == batch ? output.shape[1] : 0;
}

static bool areProbabilities(llvm::ArrayRef<float> row) {
  double sum = 0;
  for (float number : row) {
    if (!(number >= 0))
      return false;
    sum += number;
  }
  return std::fabs(sum - 1) < 1e-3;
}

/// Logarithms of the probabilities of a row: its own numbers, or their softmax.
static std::vector<double> logProbabilities(llvm::ArrayRef<float> row, bool isSoftmax) {
  std::vector<double> result(row.begin(), row.end());
  if (isSoftmax) {
    // A probability below every float's resolution still has a logarithm.
    constexpr double kLeast = 1e-30;
    for (double &number : result)
      number = std::log(std::max(number, kLeast));
    return result;
  }
  double largest = *std::max_element(result.begin(), result.end()), sum = 0;
  for (double number : result)
    sum += std::exp(number - largest);
  for (double &number : result)
    number -= largest + std::log(sum);
  return result;
}

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
      if (classes == 0) {
        sum += relativeSquaredError(*reference, *output);
        continue;
      }
      size_t rows = static_cast<size_t>(reference->size()) / classes;
      llvm::ArrayRef<float> f(reference->as<float>(), rows * classes), q(output->as<float>(), rows * classes);
      for (size_t row = 0; row < rows; ++row)
        sum += divergence(f.slice(row * classes, classes), q.slice(row * classes, classes)) / static_cast<double>(rows);
    }
    return sum;
  }
};
const OutputDivergence instance;
} // namespace

const SensitivityMetric &divergenceMetric = instance;

} // namespace dyadic
