// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The Lagrangian relaxation of a core: limits become prices, and what is left is
// minimised exactly, group by group and along pair terms.

#ifndef DYADIC_LIB_SEARCH_RELAXATION_H
#define DYADIC_LIB_SEARCH_RELAXATION_H

#include "DualMaster.h"
#include "PairNetwork.h"

namespace dyadic {

class Relaxation {
public:
  explicit Relaxation(const Core &core) : core(core), network(core), unary(core.items.size(), 0.0) {}

  /// Finds the plan with the least perturbation and price of its weights; fills `column`. Returns a lower bound on the
  /// perturbation of every plan of alive items that meets the limits, rounding errors taken off.
  double bound(const Multipliers &multipliers, PlanColumn &column);
  /// After bound(): by how much it rises where an item is fixed, by the item's position; rounding errors taken off.
  void reducedCosts(const Multipliers &multipliers, std::vector<double> &reduced);

  const PairNetwork &pairs() const { return network; }

private:
  const Core &core;
  PairNetwork network;
  std::vector<double> unary; // price of each item of the network
  double slack = 0;          // rounding error of the last bound
};

} // namespace dyadic

#endif // DYADIC_LIB_SEARCH_RELAXATION_H
