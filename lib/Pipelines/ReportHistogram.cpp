// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ReportHistogram.h"
#include "ReportFormat.h"
#include "dyadic/Support/Error.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include <cmath>

namespace dyadic {

std::string htmlText(llvm::StringRef raw) {
  std::string result;
  for (char c : llvm::json::fixUTF8(escaped(raw)))
    switch (c) {
    case '&':
      result += "&amp;";
      break;
    case '<':
      result += "&lt;";
      break;
    case '>':
      result += "&gt;";
      break;
    case '"':
      result += "&quot;";
      break;
    case '\'':
      result += "&#39;";
      break;
    default:
      result += c;
    }
  return result;
}

namespace {
/// One value's histogram, drawn in a box of 256 x 72 units: log(1 + count) upwards, the numbers outside the range
/// shaded.
class HistogramDrawing {
public:
  explicit HistogramDrawing(const LayerReport &row) : row(row), histogram(*row.histogram) {
    std::tie(rangeLow, rangeHigh) = *row.chosen;
    if (row.stored && !row.stored->isAccumulator())
      std::tie(rangeLow, rangeHigh) = std::pair(row.stored->low, row.stored->high);
    double end = histogram.low + histogram.binWidth * static_cast<double>(histogram.counts.size());
    low = std::min(histogram.low, rangeLow);
    high = std::max(end, rangeHigh);
  }

  std::string draw() const {
    std::string svg =
        llvm::formatv(
            "<svg viewBox=\"0 0 {0} {1}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Histogram of {2}: "
            "numbers from {3} to {4}, range {5} to {6}\">",
            kWidth, kHeight, htmlText(row.id), numberText(row.observed->first), numberText(row.observed->second),
            numberText(rangeLow), numberText(rangeHigh))
            .str();
    svg += shade(low, rangeLow) + shade(rangeHigh, high);
    svg += "<path class=\"counts\" d=\"" + outline() + "\"/>";
    for (double limit : {rangeLow, rangeHigh})
      svg += llvm::formatv("<path class=\"limit\" d=\"M{0:F2} 0V{1}\"/>", x(limit), kHeight).str();
    return svg + "</svg><div class=\"ends\"><span>" + numberText(low) + "</span><span>" + numberText(high) +
           "</span></div>";
  }

private:
  static constexpr int kWidth = 256, kHeight = 72;

  double x(double number) const { return high > low ? kWidth * (number - low) / (high - low) : 0; }

  std::string shade(double from, double to) const {
    if (to <= from)
      return "";
    return llvm::formatv("<rect class=\"outside\" x=\"{0:F2}\" width=\"{1:F2}\" height=\"{2}\"/>", x(from),
                         x(to) - x(from), kHeight)
        .str();
  }

  /// Steps over the bins, closed along the base line.
  std::string outline() const {
    double highest = 0;
    for (uint64_t count : histogram.counts)
      highest = std::max(highest, std::log1p(static_cast<double>(count)));
    std::string path = llvm::formatv("M{0:F2} {1}", x(histogram.low), kHeight).str();
    for (auto [i, count] : llvm::enumerate(histogram.counts)) {
      double top = kHeight - (kHeight - 4) * (highest > 0 ? std::log1p(static_cast<double>(count)) / highest : 0);
      double right = x(histogram.low + histogram.binWidth * static_cast<double>(i + 1));
      path += llvm::formatv("V{0:F1}H{1:F2}", top, right).str();
    }
    return path + llvm::formatv("V{0}Z", kHeight).str();
  }

  const LayerReport &row;
  const ReportHistogram &histogram;
  double rangeLow, rangeHigh, low, high;
};
} // namespace

std::string drawHistogram(const LayerReport &row) { return HistogramDrawing(row).draw(); }

} // namespace dyadic
