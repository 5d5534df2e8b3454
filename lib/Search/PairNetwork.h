// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The least sum over groups with pair terms, by dynamic programming from group to
// group. A table has one entry for each combination of the groups whose partners are
// still to come: one group in a chain, two where residual connections pass by.

#ifndef DYADIC_LIB_SEARCH_PAIRNETWORK_H
#define DYADIC_LIB_SEARCH_PAIRNETWORK_H

#include "Core.h"

namespace dyadic {

class PairNetwork {
public:
  explicit PairNetwork(const Core &core);

  bool empty() const { return steps.empty(); }
  /// Whether the core's group has a pair term.
  bool contains(size_t group) const { return isPaired[group]; }
  /// Whether the tables with the choices that are alive are small enough to be held.
  bool fits() const;

  /// The least sum of `unary` (by position in Core::items, of those alive) and pair terms; fills `choices` of the
  /// network's groups.
  double minimise(llvm::ArrayRef<double> unary, CoreChoices &choices);
  /// After minimise(): what fixing an item (by its position) adds to the least sum, for the network's groups.
  void marginals(llvm::ArrayRef<double> unary, std::vector<double> &reduced);

private:
  struct Step {
    size_t group;
    std::vector<size_t> before;                   // groups of the table that comes in; the group itself goes last
    std::vector<std::pair<size_t, size_t>> links; // position in `before`, pair
    std::vector<bool> stays;                      // which of before and group are in the table that goes out
    std::vector<double> joint, out;               // before x group; what stays
    std::vector<uint32_t> from;                   // best joint entry of each that goes out
  };
  /// Calls `visit(joint, in, out, positions)` for every combination of the step's groups.
  template <typename Visit> void each(const Step &step, Visit visit) const;
  double local(const Step &step, llvm::ArrayRef<size_t> at, llvm::ArrayRef<double> unary) const;

  const Core &core;
  std::vector<bool> isPaired;
  std::vector<Step> steps;
};

} // namespace dyadic

#endif // DYADIC_LIB_SEARCH_PAIRNETWORK_H
