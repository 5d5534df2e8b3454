// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The two measures of how well a range serves a histogram, prepared so that one range
// costs as much as it has stored integers, and the search for the best range.

#ifndef DYADIC_LIB_CALIBRATION_RANGESEARCH_H
#define DYADIC_LIB_CALIBRATION_RANGESEARCH_H

#include "dyadic/Calibration/Ranges.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace dyadic {

/// The lower edge of bin `index` as a number within [min, max].
float binEdge(const ValueStatistics &statistics, int64_t index);

/// Prefix sums over the bins, in units of their width. Bin i spreads its numbers evenly over the part of
/// [first + i, first + i + 1] that is within [min, max].
class BinnedNumbers {
public:
  explicit BinnedNumbers(const ValueStatistics &statistics);
  double expectedError(float low, float high, unsigned bits) const;
  double divergence(float low, float high, unsigned bits) const;

private:
  /// Count, sum and sum of squares of numbers.
  struct Moments {
    double count = 0, sum = 0, squares = 0;
    Moments operator-(const Moments &other) const {
      return {count - other.count, sum - other.sum, squares - other.squares};
    }
    /// Sum of the squared distances from `x`.
    double distance(double x) const { return squares - 2 * x * sum + x * x * count; }
  };
  /// The outermost bin of a range: how many numbers outside are clipped to it, and how many of its own count as lying
  /// on the end itself.
  struct Edge {
    size_t bin;
    double outside, exact;
  };
  Moments spread(size_t bin, double end) const;
  Moments below(double x) const;
  size_t binsBelow(double x) const;
  size_t binAt(float x) const;

  const ValueStatistics &statistics;
  int32_t exponent;
  double first, smallest, largest; // the first bin's index; min and max in bins
  std::vector<double> counts;      // without exact zeros
  double all = 0;                  // with them
  // Of the bins before bin i.
  std::vector<Moments> moments;
  std::vector<double> logarithms; // sum of count * ln(count)
  std::vector<size_t> occupied;   // how many are not empty
};

/// The candidate with the smallest `cost`; [min, max] where none is smaller. min < max.
std::pair<float, float> searchRange(const ValueStatistics &statistics,
                                    llvm::function_ref<double(float low, float high)> cost);

} // namespace dyadic

#endif // DYADIC_LIB_CALIBRATION_RANGESEARCH_H
