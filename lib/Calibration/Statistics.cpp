// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Calibration/Statistics.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

using namespace llvm;

namespace dyadic {

//===----------------------------------------------------------------------===//
// Bins
//===----------------------------------------------------------------------===//

/// floor(scaled), without a call into libm for every number.
template <typename Integer> static Integer floorOf(double scaled) {
  auto truncated = static_cast<Integer>(scaled);
  return truncated - (scaled < static_cast<double>(truncated));
}

int64_t binIndex(float x, int32_t exponent) {
  // Scaling by a power of two is exact: the exponents of float, moved by up to 149, are far inside those of double.
  return floorOf<int64_t>(std::ldexp(static_cast<double>(x), -exponent));
}

int32_t binExponent(float min, float max) {
  float magnitude = std::max(std::fabs(min), std::fabs(max));
  // 2^-149 is the smallest float; a float of 2^e <= |x| < 2^(e+1) is a multiple of 2^(e-23).
  int32_t k = magnitude == 0 ? -149 : std::max(std::ilogb(magnitude) - 23, -149);
  // Both this start and the test below can only push k up when [min, max] grows.
  while (binIndex(max, k) - binIndex(min, k) >= ValueStatistics::kMaxBins)
    ++k;
  return k;
}

/// The counts of `from` in the bins of a larger or equal exponent, added to `to`, whose bins include them.
static void addCounts(const Histogram &from, Histogram &to) {
  // Indices are below 2^24 in magnitude: shifted by more than 62 they are 0 or -1 anyway.
  int shift = std::min(to.exponent - from.exponent, 62);
  for (size_t i = 0; i < from.counts.size(); ++i)
    to.counts[((from.first + static_cast<int64_t>(i)) >> shift) - to.first] += from.counts[i];
}

static Histogram emptyHistogram(float min, float max) {
  Histogram histogram;
  histogram.exponent = binExponent(min, max);
  histogram.first = binIndex(min, histogram.exponent);
  histogram.counts.resize(binIndex(max, histogram.exponent) - histogram.first + 1);
  return histogram;
}

//===----------------------------------------------------------------------===//
// ValueStatistics
//===----------------------------------------------------------------------===//

/// Makes the bins those of a range that also holds `min` and `max`.
void ValueStatistics::widen(float min, float max) {
  if (total > 0) {
    if (min >= smallest && max <= largest)
      return;
    min = std::min(min, smallest);
    max = std::max(max, largest);
  }
  // Adding +0 turns -0 into +0: which of the two came first must not show.
  smallest = min + 0.0f;
  largest = max + 0.0f;
  Histogram wider = emptyHistogram(smallest, largest);
  addCounts(bins, wider);
  bins = std::move(wider);
}

/// The smallest and the largest number; nothing where one is NaN or infinite. In lanes, so that a vector takes several.
static std::optional<std::pair<float, float>> boundsOf(ArrayRef<float> values) {
  constexpr size_t kLanes = 16;
  std::array<float, kLanes> low, high, rests;
  low.fill(values[0]);
  high.fill(values[0]);
  rests.fill(0);
  auto add = [&](size_t lane, float x) {
    low[lane] = x < low[lane] ? x : low[lane];
    high[lane] = x > high[lane] ? x : high[lane];
    rests[lane] += x - x; // NaN where x is not finite, and from then on
  };
  size_t whole = values.size() / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane)
      add(lane, values[i + lane]);
  for (size_t i = whole; i < values.size(); ++i)
    add(0, values[i]);
  if (llvm::any_of(rests, [](float rest) { return rest != 0; }))
    return std::nullopt;
  return std::pair(*llvm::min_element(low), *llvm::max_element(high));
}

/// Counts numbers in bins. Neighbours, which are often equal, go to different tables: an increment that has to wait for
/// the last one takes several times as long.
static void countNumbers(ArrayRef<float> values, Histogram &bins) {
  constexpr size_t kTables = 4, kAtOnce = 512;
  size_t size = bins.counts.size(), numTables = values.size() > kTables * size ? kTables : 1;
  double scale = std::ldexp(1.0, -bins.exponent);
  auto first = static_cast<int32_t>(bins.first);
  std::vector<uint64_t> others((numTables - 1) * size);
  std::array<uint64_t *, kTables> tables;
  for (size_t t = 0; t < kTables; ++t)
    tables[t] = t % numTables == 0 ? bins.counts.data() : others.data() + (t - 1) * size;
  std::array<int32_t, kAtOnce> indices;
  for (; !values.empty(); values = values.drop_front(std::min(kAtOnce, values.size()))) {
    ArrayRef<float> part = values.take_front(kAtOnce);
    for (size_t i = 0; i < part.size(); ++i)
      indices[i] = floorOf<int32_t>(part[i] * scale) - first; // below 2^24 in magnitude, see binIndex()
    for (size_t i = 0; i < part.size(); ++i)
      ++tables[i % kTables][indices[i]];
  }
  for (size_t i = 0; i < others.size(); ++i)
    bins.counts[i % size] += others[i];
}

bool ValueStatistics::observe(ArrayRef<float> values) {
  if (values.empty())
    return true;
  auto bounds = boundsOf(values);
  if (!bounds)
    return false;
  widen(bounds->first, bounds->second);
  countNumbers(values, bins);
  total += values.size();
  return true;
}

bool ValueStatistics::merge(const ValueStatistics &other) {
  if (other.total == 0)
    return true;
  if (total + other.total > kMaxCount)
    return false;
  // A copy, so that merging with oneself is no special case.
  Histogram added = other.bins;
  uint64_t addedTotal = other.total;
  widen(other.smallest, other.largest);
  addCounts(added, bins);
  total += addedTotal;
  return true;
}

Expected<ValueStatistics> ValueStatistics::fromParts(float min, float max, Histogram histogram) {
  ValueStatistics result;
  if (histogram.counts.size() > kMaxBins)
    return makeError("found " + Twine(histogram.counts.size()) + " counts, expected at most " + Twine(kMaxBins));
  for (uint64_t count : histogram.counts) {
    if (count > kMaxCount || result.total + count > kMaxCount)
      return makeError("counts add up to more than 2^53");
    result.total += count;
  }
  if (result.total == 0) {
    if (min != 0 || max != 0 || !(histogram == Histogram()))
      return makeError("counts add up to 0, expected at least 1");
    return result;
  }
  if (!std::isfinite(min) || !std::isfinite(max) || min > max)
    return makeError("found a smallest number above the largest");
  result.smallest = min + 0.0f;
  result.largest = max + 0.0f;
  Histogram expected = emptyHistogram(min, max);
  if (histogram.exponent != expected.exponent)
    return makeError("found exponent " + Twine(histogram.exponent) + ", expected " + Twine(expected.exponent) +
                     " for this min and max");
  if (histogram.first != expected.first || histogram.counts.size() != expected.counts.size())
    return makeError("found " + Twine(histogram.counts.size()) + " counts from bin " + Twine(histogram.first) +
                     ", expected " + Twine(expected.counts.size()) + " from bin " + Twine(expected.first) +
                     " for this min and max");
  if (histogram.counts.front() == 0 || histogram.counts.back() == 0)
    return makeError("found no numbers in the bins of min and max");
  result.bins = std::move(histogram);
  return result;
}

} // namespace dyadic
