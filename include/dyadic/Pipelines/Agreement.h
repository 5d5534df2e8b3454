// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How far one program's numbers are from another's, over samples, and how sure that is.

#ifndef DYADIC_PIPELINES_AGREEMENT_H
#define DYADIC_PIPELINES_AGREEMENT_H

#include "dyadic/Support/Tensor.h"
#include "llvm/ADT/ArrayRef.h"
#include <optional>
#include <utility>
#include <vector>

namespace dyadic {

/// Sums over the elements of one sample, f of the reference and q of the other program.
struct SampleSums {
  double signal = 0; // f^2
  double noise = 0;  // (f - q)^2
  double dot = 0;    // f q
  double other = 0;  // q^2

  SampleSums() = default;
  /// `reference` and `tensor` are f32 of the same size.
  SampleSums(const Tensor &reference, const Tensor &tensor);
  /// Adds element by element.
  SampleSums &operator+=(const SampleSums &sums);
  /// 10 log10(signal / noise) in dB; infinite where the noise is 0, minus infinite where the signal alone is.
  double sqnr() const;
};

/// Agreement of a value over samples, which are independent of each other.
class Agreement {
public:
  void add(const SampleSums &sample) {
    samples.push_back(sample);
    total += sample;
  }

  size_t count() const { return samples.size(); }
  /// As they were added.
  llvm::ArrayRef<SampleSums> perSample() const { return samples; }
  /// The sums over all samples: every element counts the same.
  const SampleSums &sums() const { return total; }
  /// SQNR over all elements of all samples, in dB.
  double sqnr() const { return total.sqnr(); }
  /// Standard error of sqnr() in dB, by the delta method for a ratio of means (Cochran, Sampling Techniques, 1977,
  /// section 2.11): with d_i = S_i / mean(S) - N_i / mean(N) it is 10 / ln 10 * sqrt(sum d_i^2 / (n (n - 1))).
  /// None for fewer than two samples and where the SQNR is infinite.
  std::optional<double> sqnrStandardError() const;
  /// Cosine of the angle between the two; 1 where both are 0.
  double cosine() const;
  /// sqrt(noise / signal): the root mean square error in units of the signal's. None where the signal is 0.
  std::optional<double> relativeError() const;
  /// The sample with the least SQNR, counted as added, the first of equals; none where all are exact.
  std::optional<size_t> worstSample() const;
  double sqnrOf(size_t sample) const { return samples[sample].sqnr(); }

private:
  std::vector<SampleSums> samples;
  SampleSums total;
};

/// How often something was so.
struct Proportion {
  size_t successes = 0, trials = 0; // trials > 0 for the functions below

  double value() const { return static_cast<double>(successes) / static_cast<double>(trials); }
  /// sqrt(p (1 - p) / n): 0 where all or none succeeded, whatever n; hence the interval.
  double standardError() const;
  /// The 95% interval of Wilson (Probable inference, the law of succession, and statistical inference, JASA 22, 1927),
  /// which is honest for few trials and near 0 and 1.
  std::pair<double, double> interval() const;
};

/// The decisions in an output that looks like classes: one a row, its largest element. A row is the whole output where
/// exactly one of its dimensions is larger than 1, and each row of a matrix with as many rows as `batch`; the
/// classes are the numbers in a row, the first of equals wins. None for any other output.
std::optional<std::vector<size_t>> topOne(const Tensor &output, int64_t batch);

/// Counts in which decisions two outputs of the same shape agree; nothing changes where they have none.
void countTopOne(std::optional<Proportion> &agreeing, const Tensor &reference, const Tensor &output, int64_t batch);

} // namespace dyadic

#endif // DYADIC_PIPELINES_AGREEMENT_H
