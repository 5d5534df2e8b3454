// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Rounding/Rounding.h"
#include "Matrices.h"
#include "dyadic/Support/Dyadic.h"
#include "llvm/Support/ThreadPool.h"
#include <numeric>

using Eigen::Index;

namespace dyadic {

/// What is added to the diagonal of X X^T: a part of its mean, or 1 where all of it is 0.
static double dampingOf(const ConstMatrixMap &xx, double part) {
  double mean = xx.diagonal().mean();
  return mean > 0 ? part * mean : 1.0;
}

static ConstMatrixMap secondMoments(const Moments &moments) {
  auto inputs = static_cast<Index>(moments.inputs());
  return {moments.xx().data(), inputs, inputs};
}

std::vector<double> fitTarget(const LinearMap &map, double ridge) {
  fixedBlocking();
  const Moments &moments = *map.moments;
  auto inputs = static_cast<Index>(moments.inputs()), outputs = static_cast<Index>(moments.outputs());
  ConstMatrixMap W(map.weights.data(), outputs, inputs), yx(moments.yx().data(), outputs, inputs),
      xx = secondMoments(moments);
  Matrix rest = yx / map.inputScale;
  rest.noalias() -= W * xx.selfadjointView<Eigen::Lower>();
  Matrix H = xx;
  H.diagonal().array() += dampingOf(xx, ridge);
  Eigen::LLT<Eigen::Ref<Matrix>> factors(H); // reads the lower triangle, in place
  std::vector<double> result(map.weights.size());
  MatrixMap(result.data(), outputs, inputs) = W + factors.solve(rest.transpose()).transpose();
  return result;
}

namespace {
/// The order of inputs, and U and D of X X^T + damping I = U D U^T in that order.
struct Factors {
  std::vector<Index> order;
  Matrix U;
  Vector D;
};
} // namespace

static Factors factorize(const Moments &moments, double damping) {
  fixedBlocking();
  ConstMatrixMap xx = secondMoments(moments);
  Index n = xx.rows();
  Factors factors;
  factors.order.resize(static_cast<size_t>(n));
  std::iota(factors.order.begin(), factors.order.end(), 0);
  std::sort(factors.order.begin(), factors.order.end(),
            [&](Index a, Index b) { return xx(a, a) != xx(b, b) ? xx(a, a) > xx(b, b) : a < b; });
  // From the last input to the first it is a Cholesky factorization.
  Matrix reversed = Matrix::Zero(n, n);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j <= i; ++j) {
      Index a = factors.order[static_cast<size_t>(n - 1 - i)], b = factors.order[static_cast<size_t>(n - 1 - j)];
      reversed(i, j) = xx(std::max(a, b), std::min(a, b));
    }
  reversed.diagonal().array() += dampingOf(xx, damping);
  Eigen::LLT<Eigen::Ref<Matrix>> inPlace(reversed);
  Vector diagonal = reversed.diagonal();
  factors.D = diagonal.cwiseAbs2().reverse();
  factors.U = (reversed * diagonal.cwiseInverse().asDiagonal()).reverse();
  return factors;
}

/// Rounds one output per line of `targets`, whose inputs are in order, to multiples of its scale of at most `most`; `q`
/// becomes these multiples. Errors of inputs in blocks before the current one come in one product. Returns, of each
/// line, the sum of D_j r_j^2 over what rounding left of each input: the squared error of the output.
static std::vector<double> roundLines(const Factors &factors, const Matrix &targets, const std::vector<double> &scales,
                                      double most, Matrix &q) {
  constexpr Index kBlock = 64;
  Index inputs = targets.cols(), lines = targets.rows();
  std::vector<double> losses(static_cast<size_t>(lines));
  Matrix errors(lines, inputs);
  q.resize(lines, inputs);
  for (Index begin = 0; begin < inputs; begin += kBlock) {
    Index width = std::min(kBlock, inputs - begin);
    Matrix wanted = targets.middleCols(begin, width);
    wanted.noalias() += errors.leftCols(begin) * factors.U.block(0, begin, begin, width);
    for (Index line = 0; line < lines; ++line) {
      double scale = scales[static_cast<size_t>(line)];
      for (Index j = 0; j < width; ++j) {
        double value = std::min(std::max(roundHalfEven(wanted(line, j) / scale), -most), most);
        double rest = wanted(line, j) - scale * value, error = targets(line, begin + j) - scale * value;
        losses[static_cast<size_t>(line)] += factors.D[begin + j] * rest * rest;
        q(line, begin + j) = value;
        errors(line, begin + j) = error;
        for (Index k = j + 1; k < width; ++k)
          wanted(line, k) += error * factors.U(begin + j, begin + k);
      }
    }
  }
  return losses;
}

/// Rounds output `o`, with all scales at once.
static void roundOutput(const Factors &factors, const double *target, unsigned bits, size_t o, RoundedWeights &result) {
  constexpr int kParts = 20;
  size_t inputs = factors.order.size();
  double magnitude = 0;
  for (size_t i = 0; i < inputs; ++i)
    magnitude = std::max(magnitude, std::fabs(target[i]));
  std::vector<double> scales;
  for (int part = kParts; part >= kParts / 2; --part)
    scales.push_back(chooseWeightScale(static_cast<float>(magnitude * part / kParts), bits));
  Matrix targets(static_cast<Index>(scales.size()), static_cast<Index>(inputs)), q;
  for (size_t j = 0; j < inputs; ++j)
    targets.col(static_cast<Index>(j)).setConstant(target[factors.order[j]]);
  std::vector<double> losses = roundLines(factors, targets, scales, static_cast<double>(weightRange(bits).max), q);
  Index best = std::min_element(losses.begin(), losses.end()) - losses.begin();
  result.scales[o] = static_cast<float>(scales[static_cast<size_t>(best)]);
  for (size_t j = 0; j < inputs; ++j)
    result.weights[o * inputs + static_cast<size_t>(factors.order[j])] =
        static_cast<int8_t>(q(best, static_cast<Index>(j)));
}

RoundedWeights roundByGptq(const Moments &moments, const std::vector<double> &target, unsigned bits, double damping,
                           unsigned threads) {
  return roundByGptq(moments, target, std::vector<unsigned>{bits}, damping, threads).front();
}

std::vector<RoundedWeights> roundByGptq(const Moments &moments, const std::vector<double> &target,
                                        const std::vector<unsigned> &bits, double damping, unsigned threads) {
  Factors factors = factorize(moments, damping);
  size_t outputs = target.size() / moments.inputs();
  std::vector<RoundedWeights> results(bits.size(), {std::vector<int8_t>(target.size()), std::vector<float>(outputs)});
  auto work = [&](size_t first) {
    for (size_t o = first; o < outputs; o += threads)
      for (size_t b = 0; b < bits.size(); ++b)
        roundOutput(factors, target.data() + o * moments.inputs(), bits[b], o, results[b]);
  };
  if (threads == 1) {
    work(0);
    return results;
  }
  llvm::DefaultThreadPool pool(llvm::hardware_concurrency(threads));
  for (size_t i = 0; i < threads; ++i)
    pool.async(work, i);
  pool.wait();
  return results;
}

std::vector<float> equalizationFactors(const std::vector<float> &magnitudes, bool isDepthwise) {
  constexpr double kLeast = 0.12;
  std::vector<float> factors;
  double most = *std::max_element(magnitudes.begin(), magnitudes.end());
  for (float magnitude : magnitudes) {
    double ratio = most > 0 ? magnitude / most : 1.0;
    double factor = isDepthwise ? std::sqrt(ratio * std::sqrt(ratio)) : std::sqrt(ratio); // correctly rounded anywhere
    factors.push_back(static_cast<float>(std::max(factor, kLeast)));
  }
  return factors;
}

std::vector<double> biasCorrection(const LinearMap &map, const RoundedWeights &rounded) {
  const Moments &moments = *map.moments;
  size_t inputs = moments.inputs();
  std::vector<double> result(moments.outputs());
  if (moments.rows() == 0)
    return result;
  for (size_t o = 0; o < moments.outputs(); ++o) {
    double sum = 0;
    for (size_t i = 0; i < inputs; ++i)
      sum += rounded.weights[o * inputs + i] * moments.x()[i];
    result[o] = (moments.y()[o] - map.inputScale * static_cast<double>(rounded.scales[o]) * sum) /
                static_cast<double>(moments.rows());
  }
  return result;
}

} // namespace dyadic
