// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The Lagrangian dual of a core by Dantzig-Wolfe decomposition: the linear program
// over convex combinations of plans that meet the limits on average. Its prices of
// the limits are the multipliers, its plans say where the relaxation is undecided.

#ifndef DYADIC_LIB_SEARCH_DUALMASTER_H
#define DYADIC_LIB_SEARCH_DUALMASTER_H

#include "Core.h"

namespace dyadic {

/// A price for a unit of each limited cost; at least 0.
using Multipliers = std::array<double, kNumCosts>;

struct PlanColumn {
  double perturbation = 0;
  std::array<double, kNumCosts> weights{};
  CoreChoices choices;
};

class DualMaster {
public:
  /// `ceilings` are the largest multipliers tried.
  DualMaster(const std::array<double, kNumCosts> &limits, const Multipliers &ceilings)
      : limits(limits), ceilings(ceilings) {}

  void add(PlanColumn column);
  /// Optimal over the columns, of which there is at least one.
  void solve();

  const Multipliers &multipliers() const { return prices; }
  /// No choice of multipliers up to the ceilings gives a bound above it, as far as rounding lets one say.
  double value() const { return objective; }
  /// Costs whose limit is exceeded on average, because the multiplier is at its ceiling.
  bool isExceeded(size_t k) const { return exceeded[k]; }
  void raise(size_t k, double factor) { ceilings[k] *= factor; }
  const Multipliers &ceiling() const { return ceilings; }
  /// The combination's plans with their parts, which add up to 1.
  std::vector<std::pair<const PlanColumn *, double>> combination() const;

private:
  static constexpr size_t kRows = kNumCosts + 1; // the limits, and that parts add up to 1
  // Variables: columns from 0, then by row of the limits slacks and excesses.
  static constexpr int kSlack = -1, kExcess = -1 - static_cast<int>(kNumCosts);
  using Row = std::array<double, kRows>;

  Row columnOf(int variable) const;
  double costOf(int variable) const;
  void start();
  bool factor();
  int entering(const Row &duals) const;

  std::array<double, kNumCosts> limits;
  Multipliers ceilings, prices{};
  std::array<double, kNumCosts> scale{}; // of rows
  std::array<bool, kNumCosts> exceeded{};
  std::vector<PlanColumn> columns;
  std::array<int, kRows> basis{};
  std::array<Row, kRows> inverse{};
  Row values{};
  bool isStarted = false;
  double objective = 0;
};

} // namespace dyadic

#endif // DYADIC_LIB_SEARCH_DUALMASTER_H
