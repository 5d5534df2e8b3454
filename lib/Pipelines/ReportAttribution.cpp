// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the plan's decisions cost, in words.

#include "ReportFormat.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/StringExtras.h"

namespace dyadic {

/// Decisions that the text names; JSON and HTML have all.
static constexpr size_t kMostLines = 12;

std::string decisionText(const AttributedCost &cost) {
  return (cost.isValue ? "value of " : "weights of ") + std::to_string(cost.bits) + " bits";
}

std::string insteadText(const AttributedCost &cost) {
  return cost.instead ? std::to_string(*cost.instead) + " bits" : "float";
}

/// What became of the program.
static std::string undoneText(const AttributedCost &cost) {
  if (!cost.measured)
    return "";
  std::string text = "; with " + insteadText(cost) + " ";
  text += cost.share < 0 ? percentText(-cost.share) + " more" : percentText(cost.share) + " less";
  if (cost.measured->agreement.count())
    text += ", SQNR " + decibels(cost.measured->agreement.sqnr()) + " dB";
  return text;
}

std::vector<std::string> attributionLines(const AttributionReport &attribution) {
  std::vector<std::string> lines;
  lines.push_back("what the plan's decisions cost in " +
                  std::string(attribution.metric == "error" ? "error" : "KL divergence") +
                  ", alone and undone one at a time:");
  lines.push_back("as it is: " + measuredText(attribution.plan));
  if (attribution.all)
    lines.push_back("all of them wider, in integers: " + measuredText(*attribution.all));
  if (attribution.repaired)
    lines.push_back("with " + std::to_string(attribution.overrides) +
                    (attribution.overrides == 1 ? " override" : " overrides") +
                    " (marked *): " + measuredText(*attribution.repaired));
  else
    lines.push_back(attribution.all && attribution.all->divergence < attribution.plan.divergence
                        ? "no override is needed"
                        : "nothing that is wider in integers is better");
  return lines;
}

std::string toText(const AttributionReport &attribution) {
  std::vector<std::string> lines = attributionLines(attribution);
  std::string text = lines[0] + "\n";
  for (const std::string &line : llvm::drop_begin(lines))
    text += "  " + line + "\n";
  size_t shown = 0;
  for (const AttributedCost &cost : attribution.costs) {
    if (shown == kMostLines)
      break;
    ++shown;
    text += std::string(cost.overridden ? "  * " : "    ") + escaped(llvm::join(cost.ids, " + ")) + ": " +
            decisionText(cost) + ", alone " + numberText(cost.alone) + undoneText(cost) + "\n";
  }
  if (shown < attribution.costs.size())
    text +=
        "    and " + std::to_string(attribution.costs.size() - shown) + " others: a report in JSON or HTML has all\n";
  return text;
}

} // namespace dyadic
