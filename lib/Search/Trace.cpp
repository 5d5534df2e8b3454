// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The trace of the Gauss-Newton matrix J^T H J of a layer's weights by Hutchinson's method: v^T J^T H J v, whose mean
// over random signs v is the trace, with J v = (f(w + step v) - f(w)) / step by a run of the network, and H the Hessian
// of the loss in the outputs.

#include "Classes.h"
#include "RelativeError.h"
#include "dyadic/Search/Sensitivity.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/SHA256.h"
#include <cmath>
#include <random>

namespace dyadic {

/// The length of a probe, relative to the weights': small enough for a derivative, and large enough for what f32
/// rounds.
static constexpr double kStep = 1.0 / 256;
/// What the table's number stands for, see curvatureOf().
static constexpr double kNoise = 1.0 / 256;

static double squaresOf(llvm::ArrayRef<float> numbers) {
  double sum = 0;
  for (float number : numbers)
    sum += static_cast<double>(number) * number;
  return sum;
}

std::vector<float> probedWeights(llvm::ArrayRef<float> weights, llvm::StringRef sample, llvm::StringRef layer,
                                 size_t probe) {
  std::string name = (sample + "\n" + layer + "\n" + llvm::Twine(probe)).str();
  auto hash = llvm::SHA256::hash(llvm::arrayRefFromStringRef(name));
  std::mt19937_64 signs(llvm::support::endian::read64le(hash.data())); // the same numbers everywhere
  double step = kStep * std::sqrt(squaresOf(weights) / static_cast<double>(std::max<size_t>(weights.size(), 1)));
  std::vector<float> result(weights.size());
  uint64_t bits = 0;
  for (size_t i = 0; i < weights.size(); ++i, bits >>= 1) {
    if (i % 64 == 0)
      bits = signs();
    result[i] = static_cast<float>(weights[i] + (bits & 1 ? step : -step));
  }
  return result;
}

/// d^T H d, with H = diag(p) - p p^T of the cross-entropy in logits, diag(1 / p) in probabilities.
static double squaredStep(llvm::ArrayRef<float> reference, llvm::ArrayRef<float> row) {
  bool isSoftmax = areProbabilities(reference);
  double mean = 0, square = 0;
  for (auto [logarithm, f, q] : llvm::zip(logProbabilities(reference, isSoftmax), reference, row)) {
    double p = std::exp(logarithm), d = static_cast<double>(q) - f;
    if (isSoftmax)
      d /= p; // of the logarithm of the probability
    mean += p * d;
    square += p * d * d;
  }
  return isSoftmax ? square : std::max(square - mean * mean, 0.0);
}

double curvatureOf(const PerturbedNetwork &network) {
  double sum = 0;
  for (auto [reference, output] : llvm::zip(network.reference, network.outputs)) {
    auto classes = static_cast<size_t>(classesOf(*reference, network.batch));
    // Of the relative squared error sum (q - f)^2 / sum f^2 the Hessian is 2 / sum f^2.
    sum += classes ? meanOverRows(*reference, *output, classes, squaredStep)
                   : 2 * relativeSquaredError(*reference, *output);
  }
  return sum / 2 / (kStep * kStep) * kNoise;
}

double curvatureSensitivity(double curvature, llvm::ArrayRef<float> weights, llvm::ArrayRef<float> rounded) {
  double squares = squaresOf(weights);
  return squares > 0 ? traceSensitivity(curvature / (kNoise * squares), weights, rounded) : 0;
}

} // namespace dyadic
