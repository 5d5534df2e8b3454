// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PlanSearcher.h"

using llvm::Error;
using llvm::Expected;

namespace dyadic {

double PlanSearcher::weighedCost(const BitChoice &choice) const {
  double sum = 0;
  bool isLimited = settings.budget.limitsCosts();
  for (size_t k = 0; k < kNumCosts; ++k)
    if (isLimited ? problem.limits[k].has_value() : k == kSizeCost)
      sum += *choice.costs[k] / (isLimited ? *problem.limits[k] : 1);
  return sum;
}

AlternativeChoice PlanSearcher::alternative(const BitChoice &from, const BitChoice &to) const {
  AlternativeChoice other{to.bits, to.perturbation - from.perturbation, {}};
  for (size_t k = 0; k < kNumCosts; ++k)
    if (to.costs[k] && from.costs[k])
      other.costs[k] = *to.costs[k] - *from.costs[k];
  return other;
}

ChoiceReport PlanSearcher::describeChoice(const ChoiceGroup &group, size_t index, double total) const {
  const BitChoice &choice = group.choices[index];
  ChoiceReport row;
  row.layers = group.layers;
  row.bits = choice.bits;
  row.perturbation = choice.perturbation;
  row.share = total > 0 ? choice.perturbation / total : 0;
  const BitChoice *better = nullptr, *cheaper = nullptr;
  for (const BitChoice &other : group.choices) {
    if (other.perturbation < choice.perturbation && (!better || weighedCost(other) < weighedCost(*better)))
      better = &other;
    if (weighedCost(other) < weighedCost(choice) && (!cheaper || other.perturbation < cheaper->perturbation))
      cheaper = &other;
  }
  if (better)
    row.better = alternative(choice, *better);
  if (cheaper)
    row.cheaper = alternative(choice, *cheaper);
  return row;
}

void PlanSearcher::describe() {
  SearchReport &report = result.report;
  report.budget = settings.budget.text;
  report.metric = settings.metric;
  report.sensitivitySamples = table.samples.size();
  report.isTimeLimited = wasOver;
  report.status = statusName(wasOver ? SolveStatus::Feasible : solution.status).str();
  report.bound = solution.bound;
  for (size_t k = 0; k < kNumCosts; ++k)
    if (problem.limits[k])
      report.limits[k] = *problem.limits[k] + request.fixed[k].value_or(0);
  report.costs = costsOf(chosen);
  for (auto [group, choice] : llvm::zip_equal(problem.groups, chosen))
    report.perturbation += group.choices[choice].perturbation;
  for (const PairTerm &pair : problem.pairs)
    report.perturbation += pair.perturbation[chosen[pair.a]][chosen[pair.b]];
  for (auto [group, choice] : llvm::zip_equal(problem.groups, chosen))
    report.choices.push_back(describeChoice(group, choice, report.perturbation));
}

} // namespace dyadic
