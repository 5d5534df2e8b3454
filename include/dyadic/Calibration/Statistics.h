// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What calibration remembers of a value of the network: its smallest and largest
// number and a histogram, in a few KiB whatever the amount of data. Observing in
// another order, or in parts that are merged, gives the same statistics exactly:
// ranges must not depend on how the samples were fed.

#ifndef DYADIC_CALIBRATION_STATISTICS_H
#define DYADIC_CALIBRATION_STATISTICS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace dyadic {

/// Bin `first + i` holds `counts[i]` numbers x with floor(x / 2^exponent) = first + i.
struct Histogram {
  int32_t exponent = -149;
  int64_t first = 0;
  std::vector<uint64_t> counts;

  bool operator==(const Histogram &other) const {
    return exponent == other.exponent && first == other.first && counts == other.counts;
  }
};

/// Statistics of finite floats.
///
/// Why the order does not matter. Let min and max be the smallest and largest number observed. The state is always
///
///     exponent  = K(min, max), a function of min and max alone (see binExponent)
///     counts[i] = how many of the numbers x have floor(x / 2^exponent) = first + i
///     first     = floor(min / 2^exponent), and the last bin is that of max
///
/// so it is a function of the set of numbers, and any way to reach it is as good as any other. It can be kept up to
/// date because K never falls when [min, max] grows, and because bins nest: floor(floor(x / 2^k) / 2) =
/// floor(x / 2^(k+1)), so the counts at a larger exponent are sums of those at a smaller one.
class ValueStatistics {
public:
  static constexpr int64_t kMaxBins = 8192;
  /// More numbers than this are never observed; JSON readers that know only double read counts up to it.
  static constexpr uint64_t kMaxCount = uint64_t(1) << 53;

  /// Counts `values`. If one of them is NaN or infinite: false, and nothing is counted.
  bool observe(llvm::ArrayRef<float> values);
  /// Counts everything that `other` has counted. False, and nothing changes, if together they exceed kMaxCount.
  bool merge(const ValueStatistics &other);

  /// Smallest and largest number; 0 if there is none. Zero has no sign.
  float min() const { return smallest; }
  float max() const { return largest; }
  uint64_t count() const { return total; }
  const Histogram &histogram() const { return bins; }

  /// Statistics from their parts; an error says what does not fit together.
  static llvm::Expected<ValueStatistics> fromParts(float min, float max, Histogram histogram);

  bool operator==(const ValueStatistics &other) const {
    return smallest == other.smallest && largest == other.largest && total == other.total && bins == other.bins;
  }

private:
  void widen(float min, float max);

  float smallest = 0, largest = 0;
  uint64_t total = 0;
  Histogram bins;
};

/// K of ValueStatistics: the smallest k such that the bins of `min` and `max` (finite, min <= max) are at most kMaxBins
/// apart and that bins are not finer than the spacing of floats at the larger of the two magnitudes.
int32_t binExponent(float min, float max);
/// floor(x / 2^exponent), exactly, for an exponent of at least binExponent of a range around x; then it is within
/// [-2^24, 2^24).
int64_t binIndex(float x, int32_t exponent);

} // namespace dyadic

#endif // DYADIC_CALIBRATION_STATISTICS_H
