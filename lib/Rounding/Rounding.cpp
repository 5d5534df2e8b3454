// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Rounding/Rounding.h"
#include "Kernels.h"
#include "Matrices.h"
#include "Share.h"
#include "dyadic/Support/Dyadic.h"
#include "dyadic/Support/ShortProducts.h"
#include <functional>
#include <numeric>

using Eigen::Index;

namespace dyadic {

/// Eigen adds up in blocks that it sizes by the host's caches: the last bits would be the host's. With sizes that are
/// the same everywhere they are a function of the numbers alone (on one architecture: this folder is compiled without
/// instructions beyond the baseline, so that all x86-64 hosts agree). Call before anything is computed.
static void fixedBlocking() {
  [[maybe_unused]] static const bool isDone = [] {
    Eigen::setCpuCacheSizes(32 << 10, 256 << 10, 4 << 20);
    return true;
  }();
}

/// What is added to the diagonal of X X^T: a part of its mean, or 1 where all of it is 0.
static double dampingOf(const ConstMatrixMap &xx, double part) {
  double mean = xx.diagonal().mean();
  return mean > 0 ? part * mean : 1.0;
}

static ConstMatrixMap secondMoments(const Moments &moments) {
  auto inputs = static_cast<Index>(moments.inputs());
  return {moments.xx().data(), inputs, inputs};
}

std::vector<double> fitTarget(const LinearMap &map, double ridge, unsigned threads) {
  constexpr Index kLinesAtOnce = 96;
  fixedBlocking();
  const Moments &moments = *map.moments;
  auto inputs = static_cast<Index>(moments.inputs()), outputs = static_cast<Index>(moments.outputs());
  ConstMatrixMap W(map.weights.data(), outputs, inputs), yx(moments.yx().data(), outputs, inputs);
  Matrix xx = secondMoments(moments);
  xx.triangularView<Eigen::StrictlyUpper>() = xx.transpose();
  Matrix H = xx, rest = -yx / map.inputScale; // becomes W X X^T - Y X^T / S_x
  H.diagonal().array() += dampingOf(secondMoments(moments), ridge);
  Eigen::LLT<Eigen::Ref<Matrix>> factors(H); // reads the lower triangle, in place
  std::vector<double> result(map.weights.size());
  MatrixMap target(result.data(), outputs, inputs);
  share(static_cast<size_t>((outputs + kLinesAtOnce - 1) / kLinesAtOnce), threads, [&](size_t task) {
    Index first = static_cast<Index>(task) * kLinesAtOnce, lines = std::min(kLinesAtOnce, outputs - first);
    auto n = static_cast<size_t>(inputs);
    addProduct(static_cast<size_t>(lines), n, n, {W.data() + first * inputs, n, 1}, {xx.data(), n, 1},
               rest.data() + first * inputs, n);
    target.middleRows(first, lines) =
        W.middleRows(first, lines) - factors.solve(rest.middleRows(first, lines).transpose()).transpose();
  });
  return result;
}

double chooseRidge(const LinearMap &map, const Moments &checked, const std::vector<double> &ridges, unsigned threads) {
  size_t inputs = checked.inputs(), outputs = checked.outputs();
  Matrix xx = secondMoments(checked);
  xx.triangularView<Eigen::StrictlyUpper>() = xx.transpose();
  std::vector<double> errors(ridges.size());
  share(ridges.size(), threads, [&](size_t r) {
    std::vector<double> target = fitTarget(map, ridges[r]), products(outputs * inputs);
    addProduct(outputs, inputs, inputs, {target.data(), inputs, 1}, {xx.data(), inputs, 1}, products.data(), inputs);
    // S_x^2 T X X^T T^T - 2 S_x T X Y^T; Y Y^T is the same for all.
    for (size_t i = 0; i < target.size(); ++i)
      errors[r] += target[i] * (map.inputScale * products[i] - 2 * checked.yx()[i]);
  });
  return ridges[static_cast<size_t>(std::min_element(errors.begin(), errors.end()) - errors.begin())];
}

std::vector<float> mapRows(const LinearMap &map, const std::vector<double> &target, const std::vector<double> &offsets,
                           const float *x, size_t rows, unsigned threads) {
  constexpr size_t kRowsAtOnce = 512;
  size_t outputs = offsets.size(), inputs = target.size() / std::max<size_t>(outputs, 1);
  // Inputs x outputs, so that an output's sum has the order of its inputs.
  Matrix transposed =
      ConstMatrixMap(target.data(), static_cast<Index>(outputs), static_cast<Index>(inputs)).transpose();
  std::vector<float> result(rows * outputs);
  share((rows + kRowsAtOnce - 1) / kRowsAtOnce, threads, [&](size_t task) {
    size_t first = task * kRowsAtOnce, count = std::min(kRowsAtOnce, rows - first);
    std::vector<double> numbers(x + first * inputs, x + (first + count) * inputs), sums(count * outputs);
    addProduct(count, outputs, inputs, {numbers.data(), inputs, 1}, {transposed.data(), outputs, 1}, sums.data(),
               outputs);
    for (size_t i = 0; i < sums.size(); ++i)
      result[first * outputs + i] = static_cast<float>(map.inputScale * sums[i] + offsets[i % outputs]);
  });
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

/// The scales that are tried for an output: parts of that of its largest weight.
static constexpr size_t kScales = 11;
static double scaleOf(double magnitude, size_t index, unsigned bits, double unit) {
  constexpr int kParts = 20;
  float scale = chooseWeightScale(static_cast<float>(magnitude * (kParts - static_cast<int>(index)) / kParts), bits);
  return unit > 0 ? static_cast<float>(roundToBits(scale / unit, kShortBits) * unit) : scale;
}

namespace {
/// Some lines while they are rounded: one scale of an output each.
struct Lines {
  Lines(std::vector<size_t> ids, size_t inputs)
      : ids(std::move(ids)), count((this->ids.size() + kLines - 1) / kLines * kLines), scales(count, 1.0),
        losses(count), targets(inputs * count), errors(inputs * count), q(inputs * count) {}

  std::vector<size_t> ids; // output * kScales + scale
  size_t count;            // with padding
  std::vector<double> scales, losses;
  std::vector<double> targets, errors; // inputs x lines, in the order of the factors
  std::vector<int8_t> q;
};

/// Some outputs while they are rounded, each to the scale whose squared error of the output is least: the sum of
/// D_j r_j^2 over what rounding left of each input.
class OutputRounder {
public:
  OutputRounder(const Factors &factors, const double *targets, size_t outputs, unsigned bits, double unit)
      : factors(factors), targets(targets), outputs(outputs), bits(bits), unit(unit), inputs(factors.order.size()),
        least(outputs, INFINITY), best(outputs, SIZE_MAX) {}

  /// Those from `first` on.
  void round(size_t first, RoundedWeights &result) {
    Lines lines = allLines();
    roundBlock(lines, 0);
    if (kBlock < inputs) {
      // Losses only grow: what has the least so far is rounded to its end, and others stop where they lose more.
      std::vector<size_t> leaders = leadersOf(lines);
      auto isLeader = [&](size_t line) { return leaders[lines.ids[line] / kScales] == line; };
      Lines ahead = selected(lines, kBlock, isLeader), others = selected(lines, kBlock, std::not_fn(isLeader));
      for (size_t begin = kBlock; begin < inputs; begin += kBlock)
        roundBlock(ahead, begin);
      takeBest(ahead, first, result);
      lines = std::move(others);
    }
    for (size_t begin = kBlock; begin < inputs; begin += kBlock) {
      dropLosers(lines, begin);
      roundBlock(lines, begin);
    }
    takeBest(lines, first, result);
  }

private:
  static constexpr size_t kBlock = 128;

  Lines allLines() const {
    std::vector<size_t> ids(outputs * kScales);
    std::iota(ids.begin(), ids.end(), 0);
    Lines lines(std::move(ids), inputs);
    for (size_t o = 0; o < outputs; ++o) {
      const double *target = targets + o * inputs;
      double magnitude = 0;
      for (size_t i = 0; i < inputs; ++i)
        magnitude = std::max(magnitude, std::fabs(target[i]));
      for (size_t k = 0; k < kScales; ++k)
        lines.scales[o * kScales + k] = scaleOf(magnitude, k, bits, unit);
      for (size_t j = 0; j < inputs; ++j)
        std::fill_n(lines.targets.begin() + static_cast<ptrdiff_t>(j * lines.count + o * kScales), kScales,
                    target[factors.order[j]]);
    }
    return lines;
  }

  /// By output the line with the least loss.
  std::vector<size_t> leadersOf(const Lines &lines) const {
    std::vector<size_t> leaders(outputs);
    for (size_t o = 0; o < outputs; ++o) {
      const double *losses = lines.losses.data() + o * kScales;
      leaders[o] = static_cast<size_t>(std::min_element(losses, losses + kScales) - lines.losses.data());
    }
    return leaders;
  }

  /// Some of the lines, which are rounded up to input `begin`.
  template <class IsWanted> Lines selected(const Lines &lines, size_t begin, IsWanted isWanted) const {
    std::vector<size_t> places, ids;
    for (size_t line = 0; line < lines.ids.size(); ++line)
      if (isWanted(line)) {
        places.push_back(line);
        ids.push_back(lines.ids[line]);
      }
    Lines result(std::move(ids), inputs);
    auto copy = [&](const auto &from, auto &to, size_t firstRow, size_t lastRow) {
      for (size_t row = firstRow; row < lastRow; ++row)
        for (size_t i = 0; i < places.size(); ++i)
          to[row * result.count + i] = from[row * lines.count + places[i]];
    };
    copy(lines.scales, result.scales, 0, 1);
    copy(lines.losses, result.losses, 0, 1);
    copy(lines.errors, result.errors, 0, begin);
    copy(lines.q, result.q, 0, begin);
    copy(lines.targets, result.targets, begin, inputs);
    return result;
  }

  /// Where they are many enough to be worth it.
  void dropLosers(Lines &lines, size_t begin) const {
    auto isLeft = [&](size_t line) { return lines.losses[line] <= least[lines.ids[line] / kScales]; };
    size_t left = 0;
    for (size_t line = 0; line < lines.ids.size(); ++line)
      left += isLeft(line);
    if (4 * left <= 3 * lines.count)
      lines = selected(lines, begin, isLeft);
  }

  /// Errors of inputs before the block come in one product.
  void roundBlock(Lines &lines, size_t begin) const {
    size_t width = std::min(kBlock, inputs - begin), count = lines.count;
    const double *U = factors.U.data() + begin, *block = lines.targets.data() + begin * count;
    std::vector<double> wanted(block, block + width * count);
    addProduct(width, count, begin, {U, 1, inputs}, {lines.errors.data(), count, 1}, wanted.data(), count);
    roundLines({count,
                width,
                lines.scales.data(),
                static_cast<double>(weightRange(bits).max),
                factors.D.data() + begin,
                {U + begin * inputs, inputs, 1},
                block,
                wanted.data(),
                lines.errors.data() + begin * count,
                lines.losses.data(),
                lines.q.data() + begin * count});
  }

  /// Of lines with the same loss the first one is taken.
  void takeBest(const Lines &lines, size_t first, RoundedWeights &result) {
    for (size_t i = 0; i < lines.ids.size(); ++i) {
      size_t id = lines.ids[i], o = id / kScales;
      if (std::pair(lines.losses[i], id) >= std::pair(least[o], best[o]))
        continue;
      least[o] = lines.losses[i];
      best[o] = id;
      result.scales[first + o] = static_cast<float>(lines.scales[i]);
      for (size_t j = 0; j < inputs; ++j)
        result.weights[(first + o) * inputs + static_cast<size_t>(factors.order[j])] = lines.q[j * lines.count + i];
    }
  }

  const Factors &factors;
  const double *targets;
  size_t outputs;
  unsigned bits;
  double unit;
  size_t inputs;
  std::vector<double> least; // loss by output
  std::vector<size_t> best;  // its line
};
} // namespace

RoundedWeights roundByGptq(const Moments &moments, const std::vector<double> &target, unsigned bits, double damping,
                           unsigned threads, double unit) {
  return roundByGptq(moments, target, std::vector<unsigned>{bits}, damping, threads, unit).front();
}

std::vector<RoundedWeights> roundByGptq(const Moments &moments, const std::vector<double> &target,
                                        const std::vector<unsigned> &bits, double damping, unsigned threads,
                                        double unit) {
  Factors factors = factorize(moments, damping);
  size_t outputs = target.size() / moments.inputs();
  std::vector<RoundedWeights> results(bits.size(), {std::vector<int8_t>(target.size()), std::vector<float>(outputs)});
  // As many outputs at once as their lines are a multiple of kLines.
  size_t parts = (outputs + kLines - 1) / kLines;
  share(parts * bits.size(), threads, [&](size_t task) {
    size_t first = task % parts * kLines, b = task / parts;
    OutputRounder(factors, target.data() + first * moments.inputs(), std::min(kLines, outputs - first), bits[b], unit)
        .round(first, results[b]);
  });
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

/// The mean of y - factor(o) * sum w x over the rows, one number an output o; 0 without rows. `weights` is outputs x
/// inputs.
template <class Weight, class Factor>
static std::vector<double> meanErrorsOf(const Moments &moments, const std::vector<Weight> &weights, Factor factor) {
  size_t inputs = moments.inputs();
  std::vector<double> result(moments.outputs());
  if (moments.rows() == 0)
    return result;
  for (size_t o = 0; o < moments.outputs(); ++o) {
    double sum = 0;
    for (size_t i = 0; i < inputs; ++i)
      sum += weights[o * inputs + i] * moments.x()[i];
    result[o] = (moments.y()[o] - factor(o) * sum) / static_cast<double>(moments.rows());
  }
  return result;
}

std::vector<double> meanErrors(const LinearMap &map, const std::vector<double> &target) {
  return meanErrorsOf(*map.moments, target, [&](size_t) { return map.inputScale; });
}

std::vector<double> biasCorrection(const LinearMap &map, const RoundedWeights &rounded) {
  return meanErrorsOf(*map.moments, rounded.weights,
                      [&](size_t o) { return map.inputScale * static_cast<double>(rounded.scales[o]); });
}

} // namespace dyadic
