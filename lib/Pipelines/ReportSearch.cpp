// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The search for bits in words.

#include "ReportFormat.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

namespace dyadic {

/// 864 bits, 1.2 KB; with a sign where it is a difference.
static std::string costText(size_t k, double cost, bool isDifference) {
  llvm::StringRef name = kCostNames[k];
  std::string sign = isDifference && cost >= 0 ? "+" : cost < 0 ? "-" : "";
  double size = std::abs(cost);
  if (name == "size_mb")
    return sign + bytesText(static_cast<int64_t>(std::llround(size * (1 << 20))));
  if (name == "weight_bits")
    return sign + countText(size) + " bits";
  if (name == "latency_ms")
    return sign + timeText(size * 1000);
  return sign + countText(size) + " bit operations";
}

/// Those of the costs that are limited; all that are known where none is.
static std::string costsText(const SearchReport &search, const Costs &costs, bool isDifference) {
  bool isLimited = llvm::any_of(search.limits, [](const auto &limit) { return limit.has_value(); });
  std::vector<std::string> parts;
  for (size_t k = 0; k < kNumCosts; ++k)
    if (costs[k] && (search.limits[k] || !isLimited)) {
      parts.push_back(costText(k, *costs[k], isDifference));
      if (search.limits[k] && !isDifference)
        parts.back() += " of " + costText(k, *search.limits[k], false);
    }
  return llvm::join(parts, ", ");
}

std::string remarkText(const SearchReport &search, const ChoiceReport &choice) {
  std::string text = choice.bits + ", " + percentText(choice.share) + " of the perturbation";
  auto add = [&](llvm::StringRef what, const std::optional<AlternativeChoice> &other) {
    if (other)
      text +=
          llvm::formatv("; {0} {1}: perturbation {2}{3}, {4}", what, other->bits, other->perturbation >= 0 ? "+" : "",
                        numberText(other->perturbation), costsText(search, other->costs, true))
              .str();
  };
  add("better", choice.better);
  add("cheaper", choice.cheaper);
  return text;
}

std::string measuredText(const MeasuredPlan &plan) {
  std::string text = "KL divergence " + numberText(plan.divergence);
  if (plan.agreement.count())
    text += ", SQNR " + decibels(plan.agreement.sqnr()) + " dB";
  if (plan.topOne)
    text += ", top-1 agreement " + percentText(plan.topOne->value());
  return text;
}

bool MeasuredPlan::meets(std::optional<double> drop, std::optional<double> sqnr) const {
  if (drop && (!topOne || 1 - topOne->value() > *drop))
    return false;
  return !sqnr || agreement.sqnr() >= *sqnr;
}

bool MeasuredPlan::isBetterThan(const MeasuredPlan &other, bool byError) const {
  double mean = divergence - other.divergence, squares = 0;
  auto count = static_cast<double>(divergences.size());
  for (auto [mine, its] : llvm::zip_equal(divergences, other.divergences))
    squares += (mine - its - mean) * (mine - its - mean);
  bool tellsApart = count > 1 && std::abs(mean) > std::sqrt(squares / (count * (count - 1)));
  return !byError && tellsApart ? mean < 0 : error < other.error;
}

std::string accuracyText(const MeasuredPlan &plan) {
  std::string text = llvm::formatv("SQNR {0:F1} dB", plan.agreement.sqnr()).str();
  if (plan.topOne)
    text += llvm::formatv(", top-1 disagreement {0:F2}%", 100 * (1 - plan.topOne->value())).str();
  return text + " on the held-back samples";
}

std::vector<std::string> searchLines(const SearchReport &search) {
  std::vector<std::string> lines;
  std::string source = search.sensitivitySamples ? " on " + std::to_string(search.sensitivitySamples) + " samples" : "";
  lines.push_back("bits searched for " + search.budget + " by " + search.metric + source + ": " +
                  costsText(search, search.costs, false));
  std::string solved = "the sum of perturbations is " + numberText(search.perturbation);
  if (search.bound)
    solved += ", no plan within the limits has less than " + numberText(*search.bound);
  if (search.refinements)
    solved += "; measured as a whole, other bits for " + std::to_string(search.refinements) +
              (search.refinements == 1 ? " group are better" : " groups are better");
  lines.push_back(solved);
  if (search.isTimeLimited)
    lines.push_back("the time limit ended the search: a longer one may find a better plan");
  for (const MeasuredPlan &plan : search.measured) {
    std::string text = "plan " + plan.name + ": " + measuredText(plan);
    lines.push_back(text + (&plan == &search.measured.front() && search.measured.size() > 1 ? " (taken)" : ""));
  }
  return lines;
}

std::string toText(const SearchReport &search) {
  std::vector<std::string> lines = searchLines(search);
  std::string text = lines[0] + "\n";
  for (const std::string &line : llvm::drop_begin(lines))
    text += "  " + line + "\n";
  for (const ChoiceReport &choice : search.choices)
    text += "  " + escaped(llvm::join(choice.layers, " + ")) + ": " + remarkText(search, choice) + "\n";
  return text;
}

} // namespace dyadic
