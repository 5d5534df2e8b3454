// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The front as a picture: cost to the right, perturbation upwards by its logarithm.

#include "dyadic/Search/Solver.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

namespace dyadic {

namespace {
constexpr double kWidth = 640, kHeight = 400, kLeft = 90, kRight = 20, kTop = 20, kBottom = 50;

/// Numbers from `low` to `high` on a line of the picture.
struct Axis {
  double low, high, from, to;
  double at(double number) const {
    return high > low ? from + (number - low) / (high - low) * (to - from) : (from + to) / 2;
  }
};

std::string textAt(double x, double y, llvm::StringRef anchor, const std::string &text) {
  return llvm::formatv("<text x=\"{0:F1}\" y=\"{1:F1}\" text-anchor=\"{2}\">{3}</text>\n", x, y, anchor, text).str();
}
} // namespace

std::string paretoToSvg(size_t cost, llvm::ArrayRef<ParetoPoint> front) {
  std::vector<std::pair<double, double>> points; // cost, logarithm of the perturbation
  for (const ParetoPoint &point : front)
    if (!point.solution.choices.empty() && point.solution.costs[cost] && point.solution.objective > 0)
      points.emplace_back(*point.solution.costs[cost], std::log10(point.solution.objective));
  std::string svg =
      llvm::formatv("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" "
                    "font-size=\"12\">\n<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n",
                    kWidth, kHeight)
          .str();
  double right = kWidth - kRight, bottom = kHeight - kBottom;
  svg += llvm::formatv("<path d=\"M{0} {1}V{2}H{3}\" fill=\"none\" stroke=\"black\"/>\n", kLeft, kTop, bottom, right)
             .str();
  svg += textAt((kLeft + right) / 2, kHeight - 12, "middle", kCostNames[cost]);
  svg += textAt(kLeft, kTop - 6, "middle", "perturbation");
  if (!points.empty()) {
    auto byCost = std::minmax_element(points.begin(), points.end());
    auto byPerturbation = std::minmax_element(points.begin(), points.end(),
                                              [](const auto &a, const auto &b) { return a.second < b.second; });
    Axis x{byCost.first->first, byCost.second->first, kLeft + 10, right - 10};
    Axis y{byPerturbation.first->second, byPerturbation.second->second, bottom - 10, kTop + 10};
    auto number = [](double value) { return llvm::formatv("{0}", llvm::format("%.4g", value)).str(); };
    for (double end : {x.low, x.high})
      svg += textAt(x.at(end), bottom + 18, "middle", number(end));
    for (double end : {y.low, y.high})
      svg += textAt(kLeft - 8, y.at(end) + 4, "end", number(std::pow(10.0, end)));
    std::string path;
    for (auto [c, p] : points)
      path += llvm::formatv("{0}{1:F1} {2:F1}", path.empty() ? "M" : "L", x.at(c), y.at(p)).str();
    svg += "<path d=\"" + path + "\" fill=\"none\" stroke=\"#26c\"/>\n";
    for (auto [c, p] : points)
      svg += llvm::formatv("<circle cx=\"{0:F1}\" cy=\"{1:F1}\" r=\"3\" fill=\"#26c\"/>\n", x.at(c), y.at(p)).str();
  }
  return svg + "</svg>\n";
}

} // namespace dyadic
