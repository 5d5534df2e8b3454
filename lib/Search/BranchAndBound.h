// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_LIB_SEARCH_BRANCHANDBOUND_H
#define DYADIC_LIB_SEARCH_BRANCHANDBOUND_H

#include "ExactProblem.h"
#include <functional>

namespace dyadic {

struct BranchAndBoundOptions {
  std::function<bool()> isInterrupted;
  /// A plan to start from.
  std::optional<Incumbent> start;
  /// Stop at the bound of the root: no tree.
  bool rootOnly = false;
  /// Stop at the first plan that meets the limits.
  bool anyPlan = false;
};

struct BranchAndBoundResult {
  std::optional<Incumbent> best;
  /// Of the objective; nothing where no plan exists or nothing is known.
  std::optional<double> bound;
  /// The tree was searched: `best` is optimal, or no plan exists.
  bool isComplete = false;
  /// A table for pair terms would be too large.
  bool isTooLarge = false;
  uint64_t nodes = 0;
};

BranchAndBoundResult branchAndBound(const ExactProblem &exact, const BranchAndBoundOptions &options);

} // namespace dyadic

#endif // DYADIC_LIB_SEARCH_BRANCHANDBOUND_H
