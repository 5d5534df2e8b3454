// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RangeSearch.h"
#include "dyadic/Support/Dyadic.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace llvm;

namespace dyadic {

/// Widths up to this are integrated cell by cell.
static constexpr unsigned kExactBits = 10;

float binEdge(const ValueStatistics &statistics, int64_t index) {
  // Clamped as double: the upper edge of the last bin may be 2^128.
  double edge = std::ldexp(static_cast<double>(index), statistics.histogram().exponent);
  return static_cast<float>(std::min<double>(std::max<double>(edge, statistics.min()), statistics.max()));
}

/// ln(x) for x > 0 in plain arithmetic, with an error of about 2^-52: ranges must not depend on the host's libm.
/// ln(m * 2^e) = e ln 2 + 2 artanh((m - 1) / (m + 1)), m in [sqrt(1/2), sqrt(2)).
static double naturalLog(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < 0.70710678118654752) {
    m *= 2;
    --exponent;
  }
  double t = (m - 1) / (m + 1), square = t * t, sum = 0;
  for (int k = 21; k >= 1; k -= 2)
    sum = sum * square + 1.0 / k;
  return exponent * 0.69314718055994531 + 2 * t * sum;
}

//===----------------------------------------------------------------------===//
// Bins
//===----------------------------------------------------------------------===//

BinnedNumbers::BinnedNumbers(const ValueStatistics &statistics) : statistics(statistics) {
  const Histogram &histogram = statistics.histogram();
  exponent = histogram.exponent;
  first = static_cast<double>(histogram.first);
  smallest = std::ldexp(static_cast<double>(statistics.min()), -exponent);
  largest = std::ldexp(static_cast<double>(statistics.max()), -exponent);
  counts.assign(histogram.counts.begin(), histogram.counts.end());
  all = static_cast<double>(statistics.count());
  int64_t zero = -histogram.first, last = static_cast<int64_t>(counts.size()) - 1;
  if (zero >= 0 && zero <= last && last > 0) {
    double fuller = std::max(zero > 0 ? counts[zero - 1] : 0, zero < last ? counts[zero + 1] : 0);
    counts[zero] = std::min(counts[zero], fuller);
  }
  moments.resize(counts.size() + 1);
  logarithms.resize(counts.size() + 1);
  occupied.resize(counts.size() + 1);
  for (size_t i = 0; i < counts.size(); ++i) {
    Moments bin = spread(i, first + static_cast<double>(i) + 1);
    moments[i + 1] = {moments[i].count + bin.count, moments[i].sum + bin.sum, moments[i].squares + bin.squares};
    logarithms[i + 1] = logarithms[i] + (counts[i] > 0 ? counts[i] * naturalLog(counts[i]) : 0);
    occupied[i + 1] = occupied[i] + (counts[i] > 0);
  }
}

/// The moments of the numbers of `bin` that are below `end`.
BinnedNumbers::Moments BinnedNumbers::spread(size_t bin, double end) const {
  double edge = first + static_cast<double>(bin);
  double a = std::max(edge, smallest), b = std::min(edge + 1, largest);
  end = std::min(end, b);
  if (end < a)
    return {};
  double count = b > a ? counts[bin] * ((end - a) / (b - a)) : counts[bin];
  return {count, count * ((a + end) / 2), count * ((a * a + a * end + end * end) / 3)};
}

BinnedNumbers::Moments BinnedNumbers::below(double x) const {
  if (x <= smallest)
    return {};
  if (x > largest)
    return moments.back();
  auto bin = std::min(static_cast<size_t>(std::floor(x) - first), counts.size() - 1);
  Moments part = spread(bin, x);
  const Moments &whole = moments[bin];
  return {whole.count + part.count, whole.sum + part.sum, whole.squares + part.squares};
}

/// How many bins have their middle below `x`.
size_t BinnedNumbers::binsBelow(double x) const {
  double index = std::ceil(x - 0.5) - first;
  return static_cast<size_t>(std::min(std::max(index, 0.0), static_cast<double>(counts.size())));
}

//===----------------------------------------------------------------------===//
// Measures
//===----------------------------------------------------------------------===//

namespace {

/// The stored integers of a range, with steps in bins.
struct Grid {
  Grid(float low, float high, unsigned bits, int32_t exponent) : last((1 << bits) - 1) {
    AffineParameters affine = chooseAffine(low, high, storageRange(bits, /*isSigned=*/false));
    step = std::ldexp(static_cast<double>(affine.scale), -exponent);
    zeroPoint = affine.zeroPoint;
  }
  /// The number that stored integer `q` stands for.
  double value(int64_t q) const { return step * static_cast<double>(q - zeroPoint); }
  /// Where the numbers that round to `q` end.
  double end(int64_t q) const { return step * (static_cast<double>(q - zeroPoint) + 0.5); }
  /// The stored integer of `x`.
  int64_t nearest(double x) const {
    double q = std::floor(x / step + 0.5) + static_cast<double>(zeroPoint);
    return static_cast<int64_t>(std::min(std::max(q, 0.0), static_cast<double>(last)));
  }

  double step;
  int64_t zeroPoint, last;
};

} // namespace

double BinnedNumbers::expectedError(float low, float high, unsigned bits) const {
  Grid grid(low, high, bits, exponent);
  double error = 0;
  if (bits <= kExactBits) {
    Moments before;
    for (int64_t q = grid.nearest(smallest), end = grid.nearest(largest); q <= end; ++q) {
      Moments until = q == end ? moments.back() : below(grid.end(q));
      error += std::max((until - before).distance(grid.value(q)), 0.0);
      before = until;
    }
  } else {
    double lowest = grid.value(0), highest = grid.value(grid.last);
    Moments left = below(lowest), right = moments.back() - below(highest);
    error = std::max(left.distance(lowest), 0.0) + std::max(right.distance(highest), 0.0) +
            std::max(moments.back().count - left.count - right.count, 0.0) * grid.step * grid.step / 12;
  }
  return std::ldexp(error / all, 2 * exponent);
}

/// The bin that starts at `x`, an edge within (min, max).
size_t BinnedNumbers::binAt(float x) const {
  return static_cast<size_t>(std::ldexp(static_cast<double>(x), -exponent) - first);
}

/// count * ln(share), which is 0 without numbers and minus infinity without a share.
static double term(double count, double share) {
  if (count == 0)
    return 0;
  return share > 0 ? count * naturalLog(share) : -std::numeric_limits<double>::infinity();
}

double BinnedNumbers::divergence(float low, float high, unsigned bits) const {
  size_t left = low > statistics.min() ? binAt(low) : 0;
  size_t right = high < statistics.max() ? binAt(high) : counts.size(); // exclusive
  bool isWhole = left == 0 && right == counts.size();
  double total = moments.back().count, inside = moments[right].count - moments[left].count;
  if (total == 0 || counts.size() == 1)
    return 0;
  if (!isWhole && (right - left < size_t(1) << bits || inside == 0))
    return std::numeric_limits<double>::infinity();

  Grid grid(low, high, bits, exponent);
  Edge lower{left, moments[left].count, left == 0 ? std::max(counts[0] - counts[1], 0.0) : 0};
  Edge upper{right - 1, total - moments[right].count,
             right == counts.size() ? std::max(counts[right - 1] - counts[right - 2], 0.0) : 0};
  auto clipped = [&](const Edge &edge) { return counts[edge.bin] + edge.outside; };
  double sum = term(clipped(lower), clipped(lower)) + term(clipped(upper), clipped(upper)) + logarithms[right - 1] -
               logarithms[left + 1];
  for (size_t bin = left; bin < right;) {
    int64_t q = grid.nearest(first + static_cast<double>(bin) + 0.5);
    size_t end = q == grid.last ? right : std::min(std::max(binsBelow(grid.end(q)), bin + 1), right);
    double numbers = moments[end].count - moments[bin].count, inner = numbers;
    size_t filled = occupied[end] - occupied[bin];
    auto isHere = [&](const Edge &edge) { return edge.bin >= bin && edge.bin < end; };
    for (const Edge &edge : {lower, upper})
      if (isHere(edge)) {
        numbers -= edge.exact;
        inner -= counts[edge.bin];
        filled -= edge.exact > 0 && edge.exact == counts[edge.bin];
      }
    double share = filled > 0 ? numbers / static_cast<double>(filled) : 0;
    sum -= term(inner, share);
    for (const Edge &edge : {lower, upper})
      if (isHere(edge))
        sum -= term(clipped(edge), (counts[edge.bin] > edge.exact ? share : 0) + edge.exact);
    bin = end;
  }
  return std::max(sum / total - naturalLog(total) + naturalLog(inside), 0.0);
}

//===----------------------------------------------------------------------===//
// Search
//===----------------------------------------------------------------------===//

/// Distances from 0 in [nearest, farthest], by steps of 2^(1/4); both ends are among them.
static std::vector<int64_t> distances(int64_t nearest, int64_t farthest) {
  static constexpr double kRatio = 0.84089641525371454; // 2^(-1/4)
  std::vector<int64_t> result{farthest};
  for (double x = static_cast<double>(farthest) * kRatio; result.back() > nearest; x *= kRatio)
    if (auto next = std::max(static_cast<int64_t>(x), nearest); next < result.back())
      result.push_back(next);
  return result;
}

std::pair<float, float> searchRange(const ValueStatistics &statistics, function_ref<double(float, float)> cost) {
  const Histogram &histogram = statistics.histogram();
  int64_t firstEdge = histogram.first, lastEdge = firstEdge + static_cast<int64_t>(histogram.counts.size());
  // An end on the near side of 0 does not matter; one on the far side may come down to 0 or to the first bin.
  int64_t lowEnd = std::max<int64_t>(-firstEdge, 0), lowStart = std::max<int64_t>(-lastEdge + 1, 0);
  int64_t highEnd = std::max<int64_t>(lastEdge, 0), highStart = std::max<int64_t>(firstEdge + 1, 0);
  std::pair<float, float> best{statistics.min(), statistics.max()};
  int64_t bestLow = lowEnd, bestHigh = highEnd;
  double bestCost = cost(best.first, best.second);
  auto consider = [&](int64_t low, int64_t high) {
    low = std::min(std::max(low, std::min(lowStart, lowEnd)), lowEnd);
    high = std::min(std::max(high, std::min(highStart, highEnd)), highEnd);
    if (low + high == 0)
      return;
    float from = low == lowEnd ? statistics.min() : binEdge(statistics, -low);
    float to = high == highEnd ? statistics.max() : binEdge(statistics, high);
    if (double found = from < to ? cost(from, to) : bestCost; found < bestCost) {
      best = {from, to};
      std::tie(bestLow, bestHigh, bestCost) = std::tuple(low, high, found);
    }
  };
  for (int64_t low : distances(std::min(lowStart, lowEnd), lowEnd))
    for (int64_t high : distances(std::min(highStart, highEnd), highEnd))
      consider(low, high);
  int64_t step = 1;
  while (step < std::max(bestLow, bestHigh) / 4)
    step *= 2;
  for (; step >= 1; step /= 2) {
    int64_t low = bestLow, high = bestHigh;
    for (int64_t i = -1; i <= 1; ++i)
      for (int64_t j = -1; j <= 1; ++j)
        consider(low + i * step, high + j * step);
  }
  return best;
}

} // namespace dyadic
