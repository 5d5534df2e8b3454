// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/Agreement.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>

namespace dyadic {

SampleSums::SampleSums(const Tensor &reference, const Tensor &tensor) {
  const float *first = reference.as<float>(), *second = tensor.as<float>();
  for (int64_t i = 0, n = reference.size(); i < n; ++i) {
    double f = first[i], q = second[i];
    signal += f * f;
    noise += (f - q) * (f - q);
    dot += f * q;
    other += q * q;
  }
}

SampleSums &SampleSums::operator+=(const SampleSums &sums) {
  signal += sums.signal;
  noise += sums.noise;
  dot += sums.dot;
  other += sums.other;
  return *this;
}

double SampleSums::sqnr() const {
  if (noise == 0)
    return INFINITY;
  return signal == 0 ? -INFINITY : 10 * std::log10(signal / noise);
}

std::optional<double> Agreement::sqnrStandardError() const {
  if (samples.size() < 2 || !std::isfinite(sqnr()))
    return std::nullopt;
  double n = static_cast<double>(samples.size()), squares = 0;
  for (const SampleSums &sample : samples) {
    double d = n * sample.signal / total.signal - n * sample.noise / total.noise;
    squares += d * d;
  }
  return 10 / std::log(10.0) * std::sqrt(squares / (n * (n - 1)));
}

double Agreement::cosine() const {
  if (total.signal == 0 || total.other == 0)
    return total.signal == total.other ? 1.0 : 0.0;
  return total.dot / std::sqrt(total.signal * total.other);
}

std::optional<double> Agreement::relativeError() const {
  if (total.signal == 0)
    return total.noise == 0 ? std::optional<double>(0.0) : std::nullopt;
  return std::sqrt(total.noise / total.signal);
}

std::optional<size_t> Agreement::worstSample() const {
  auto worst = std::min_element(samples.begin(), samples.end(),
                                [](const SampleSums &a, const SampleSums &b) { return a.sqnr() < b.sqnr(); });
  if (worst == samples.end() || worst->noise == 0)
    return std::nullopt;
  return worst - samples.begin();
}

double Proportion::standardError() const {
  double p = value();
  return std::sqrt(p * (1 - p) / static_cast<double>(trials));
}

std::pair<double, double> Proportion::interval() const {
  constexpr double z = 1.959963984540054; // of the normal distribution, 95% two-sided
  double n = static_cast<double>(trials), p = value();
  double centre = p + z * z / (2 * n), half = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  double norm = 1 + z * z / n;
  // At the ends exact, whatever the square root's last bit.
  return {successes == 0 ? 0.0 : (centre - half) / norm, successes == trials ? 1.0 : (centre + half) / norm};
}

std::optional<std::vector<size_t>> topOne(const Tensor &output, int64_t batch) {
  int64_t rows = 0, size = output.size();
  if (size > 1 && llvm::count_if(output.shape, [](int64_t d) { return d != 1; }) == 1)
    rows = 1;
  // One column is no choice.
  if (output.shape.size() == 2 && batch > 1 && output.shape[0] == batch)
    rows = output.shape[1] > 1 ? batch : 0;
  if (rows == 0)
    return std::nullopt;
  std::vector<size_t> classes;
  const float *row = output.as<float>();
  for (int64_t i = 0; i < rows; ++i, row += size / rows)
    classes.push_back(static_cast<size_t>(std::max_element(row, row + size / rows) - row));
  return classes;
}

void countTopOne(std::optional<Proportion> &agreeing, const Tensor &reference, const Tensor &output, int64_t batch) {
  auto classes = topOne(reference, batch), others = topOne(output, batch);
  if (!classes)
    return;
  if (!agreeing)
    agreeing.emplace();
  agreeing->trials += classes->size();
  for (auto [a, b] : llvm::zip(*classes, *others))
    agreeing->successes += a == b;
}

} // namespace dyadic
