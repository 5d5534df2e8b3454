// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Calibration/Ranges.h"
#include "RangeSearch.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/StringExtras.h"
#include <algorithm>
#include <cmath>
#include <optional>

using namespace llvm;

namespace dyadic {

/// A percent in millionths, and all of them; standard deviations are counted like percents.
static constexpr uint64_t kPercent = 1'000'000;
static constexpr uint64_t kWhole = 100 * kPercent;

static constexpr char kMethods[] = "expected minmax, percentile[:99.99], entropy, mse or batchnorm[:8]";

/// A decimal number in (0, 100] with up to six decimals, in millionths.
static std::optional<uint64_t> parsePercent(StringRef text) {
  auto [whole, decimals] = text.split('.');
  bool isNumber = !whole.empty() && whole.size() <= 3 && decimals.size() <= 6 && llvm::all_of(whole, isDigit) &&
                  llvm::all_of(decimals, isDigit) && !text.ends_with(".");
  if (!isNumber)
    return std::nullopt;
  uint64_t millionths = 0;
  for (char c : whole)
    millionths = millionths * 10 + (c - '0');
  for (size_t i = 0; i < 6; ++i)
    millionths = millionths * 10 + (i < decimals.size() ? decimals[i] - '0' : 0);
  return millionths > 0 && millionths <= kWhole ? std::optional<uint64_t>(millionths) : std::nullopt;
}

static uint64_t toMillionths(double percentile) {
  if (!(percentile > 0))
    return 1;
  auto rounded = static_cast<uint64_t>(std::floor(std::min(percentile, 100.0) * kPercent + 0.5));
  return std::max<uint64_t>(rounded, 1);
}

Expected<CalibrationOptions> parseCalibrationMethod(StringRef text) {
  CalibrationOptions options;
  for (CalibrationMethod method : {CalibrationMethod::MinMax, CalibrationMethod::Entropy, CalibrationMethod::MSE}) {
    options.method = method;
    if (text == toString(options))
      return options;
  }
  for (CalibrationMethod method : {CalibrationMethod::Percentile, CalibrationMethod::BatchNorm}) {
    bool isPercentile = method == CalibrationMethod::Percentile;
    options.method = method;
    StringRef number = text;
    if (!number.consume_front(isPercentile ? "percentile" : "batchnorm"))
      continue;
    if (number.empty())
      return options;
    if (!number.consume_front(":"))
      break;
    std::optional<uint64_t> millionths = parsePercent(number);
    if (!millionths)
      return makeError("calibration method '" + escaped(text) + "' has a bad " +
                       (isPercentile ? "percentile" : "number of standard deviations") +
                       ", expected a number above 0 and up to 100 with at most 6 decimals");
    (isPercentile ? options.percentile : options.sigmas) = static_cast<double>(*millionths) / kPercent;
    return options;
  }
  return makeError("unknown calibration method '" + escaped(text) + "', " + kMethods);
}

static std::string percentText(double percentile) {
  uint64_t millionths = toMillionths(percentile);
  std::string decimals = std::to_string(kPercent + millionths % kPercent).substr(1);
  decimals.erase(decimals.find_last_not_of('0') + 1);
  return std::to_string(millionths / kPercent) + (decimals.empty() ? "" : "." + decimals);
}

std::string toString(const CalibrationOptions &options) {
  switch (options.method) {
  case CalibrationMethod::MinMax:
    break;
  case CalibrationMethod::Percentile:
    return "percentile:" + percentText(options.percentile);
  case CalibrationMethod::Entropy:
    return "entropy";
  case CalibrationMethod::MSE:
    return "mse";
  case CalibrationMethod::BatchNorm:
    return "batchnorm:" + percentText(options.sigmas);
  }
  return "minmax";
}

/// The range without the outermost bins that percentile `percent` leaves out.
static std::pair<float, float> percentileRange(const ValueStatistics &statistics, double percent) {
  // How many numbers may lie outside on either side. Less than half of them, so low never passes high.
  uint64_t outside = kWhole - toMillionths(percent);
  auto cut = static_cast<uint64_t>(static_cast<unsigned __int128>(statistics.count()) * outside / (2 * kWhole));
  const Histogram &histogram = statistics.histogram();
  size_t left = 0, right = histogram.counts.size() - 1;
  for (uint64_t seen = histogram.counts[left]; seen <= cut; seen += histogram.counts[left])
    ++left;
  for (uint64_t seen = histogram.counts[right]; seen <= cut; seen += histogram.counts[right])
    --right;
  return {binEdge(statistics, histogram.first + static_cast<int64_t>(left)),
          binEdge(statistics, histogram.first + static_cast<int64_t>(right) + 1)};
}

double expectedError(const ValueStatistics &statistics, float low, float high, unsigned bits) {
  return BinnedNumbers(statistics).expectedError(low, high, bits);
}

double divergence(const ValueStatistics &statistics, float low, float high, unsigned bits) {
  return BinnedNumbers(statistics).divergence(low, high, bits);
}

std::pair<float, float> chooseRange(const ValueStatistics &statistics, const CalibrationOptions &options,
                                    unsigned bits) {
  if (statistics.min() < statistics.max())
    switch (options.method) {
    case CalibrationMethod::MinMax:
    case CalibrationMethod::BatchNorm:
      break;
    case CalibrationMethod::Percentile:
      return percentileRange(statistics, options.percentile);
    case CalibrationMethod::Entropy:
    case CalibrationMethod::MSE: {
      BinnedNumbers numbers(statistics);
      bool isMse = options.method == CalibrationMethod::MSE;
      return searchRange(statistics, [&](float low, float high) {
        return isMse ? numbers.expectedError(low, high, bits) : numbers.divergence(low, high, bits);
      });
    }
    }
  return {statistics.min(), statistics.max()};
}

} // namespace dyadic
