// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Search/PairTerms.h"
#include "dyadic/Search/Plan.h"
#include <cmath>
#include <set>

namespace dyadic {

static unsigned weightBits(const BitChoice &choice) { return parseBits(choice.bits)->first; }

/// By layer, the group that it is in.
static std::map<std::string, size_t> groupsOf(const AssignmentProblem &problem) {
  std::map<std::string, size_t> groups;
  for (size_t g = 0; g < problem.groups.size(); ++g)
    for (const std::string &layer : problem.groups[g].layers)
      groups[layer] = g;
  return groups;
}

static std::vector<unsigned> measuredWidths(const ChoiceGroup &group) {
  std::set<unsigned> all;
  for (const BitChoice &choice : group.choices)
    all.insert(weightBits(choice));
  std::vector<unsigned> widths(all.begin(), all.end());
  return widths.size() < 3 ? widths : std::vector<unsigned>{widths[1], widths[2]};
}

static std::vector<SensitivityKey> keysOf(const AssignmentProblem &problem, const std::map<std::string, size_t> &groups,
                                          const LayerPair &pair) {
  std::vector<SensitivityKey> keys;
  auto a = groups.find(pair.first), b = groups.find(pair.second);
  if (a == groups.end() || b == groups.end())
    return keys;
  for (unsigned i : measuredWidths(problem.groups[a->second]))
    for (unsigned j : measuredWidths(problem.groups[b->second]))
      keys.push_back({false, pair.first, i, pair.second, j});
  return keys;
}

std::vector<SensitivityKey> pairKeys(const AssignmentProblem &problem, llvm::ArrayRef<LayerPair> pairs) {
  std::map<std::string, size_t> groups = groupsOf(problem);
  std::vector<SensitivityKey> keys;
  for (const LayerPair &pair : pairs)
    for (SensitivityKey &key : keysOf(problem, groups, pair))
      keys.push_back(std::move(key));
  return keys;
}

void addPairTerms(AssignmentProblem &problem, const SensitivityTable &table, llvm::ArrayRef<LayerPair> pairs,
                  size_t metric) {
  std::map<std::string, size_t> groups = groupsOf(problem);
  auto alone = [&](const std::string &layer, unsigned bits) { return table.mean({false, layer, bits}, metric); };
  std::map<std::pair<size_t, size_t>, PairTerm> terms; // by groups
  for (const LayerPair &pair : pairs) {
    double together = 0, roots = 0;
    for (const SensitivityKey &key : keysOf(problem, groups, pair)) {
      double a = alone(key.id, key.bits), b = alone(key.partner, key.partnerBits);
      together += table.mean(key, metric) - a - b;
      roots += std::sqrt(a * b);
    }
    if (!(roots > 0))
      continue;
    double factor = std::max(together / roots, -2.0);
    size_t a = groups[pair.first], b = groups[pair.second];
    auto termOf = [&](const BitChoice &first, const BitChoice &second) {
      return factor * std::sqrt(alone(pair.first, weightBits(first)) * alone(pair.second, weightBits(second)));
    };
    if (a == b) {
      for (BitChoice &choice : problem.groups[a].choices)
        choice.perturbation += termOf(choice, choice);
      continue;
    }
    bool isInOrder = a < b;
    PairTerm &term = terms[std::minmax(a, b)];
    const ChoiceGroup &first = problem.groups[std::min(a, b)], &second = problem.groups[std::max(a, b)];
    term.a = std::min(a, b);
    term.b = std::max(a, b);
    term.perturbation.resize(first.choices.size(), std::vector<double>(second.choices.size()));
    for (size_t i = 0; i < first.choices.size(); ++i)
      for (size_t j = 0; j < second.choices.size(); ++j)
        term.perturbation[i][j] +=
            isInOrder ? termOf(first.choices[i], second.choices[j]) : termOf(second.choices[j], first.choices[i]);
  }
  for (auto &[key, term] : terms)
    problem.pairs.push_back(std::move(term));
}

} // namespace dyadic
