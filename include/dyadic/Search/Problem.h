// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The assignment problem: one choice of bits for every group of tied layers, the sum
// of perturbations as small as limits on the sums of costs allow. Its file form is
// docs/schemas/problem.schema.json; docs/Search.md explains it.

#ifndef DYADIC_SEARCH_PROBLEM_H
#define DYADIC_SEARCH_PROBLEM_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <array>
#include <optional>
#include <string>
#include <vector>

namespace dyadic {

/// What a choice costs: milliseconds, 2^20 bytes of weights, bit operations in any unit, bits of the weights' numbers
/// (which may take more bits in memory). The cost of a plan is the sum over its choices.
inline constexpr std::array<const char *, 4> kCostNames = {"latency_ms", "size_mb", "bops", "weight_bits"};
inline constexpr size_t kNumCosts = kCostNames.size();
/// By the position of the name in kCostNames; nothing where the cost is not known, or not limited.
using Costs = std::array<std::optional<double>, kNumCosts>;

/// One way to store a group's layers.
struct BitChoice {
  /// Names the choice within its group, such as w4a8.
  std::string bits;
  /// What the network's output loses, in the unit of the sensitivity's metric; finite.
  double perturbation = 0;
  /// Finite and not negative.
  Costs costs;
};

/// Layers that have to share one choice: residual partners, readers of one input, operands of a concatenation.
struct ChoiceGroup {
  std::string name;
  std::vector<std::string> layers;
  std::vector<BitChoice> choices;
};

/// Perturbation that two groups cause together, beyond what each causes alone.
struct PairTerm {
  /// Positions of two different groups.
  size_t a = 0, b = 0;
  /// By the choice of `a`, then that of `b`; finite.
  std::vector<std::vector<double>> perturbation;
};

struct AssignmentProblem {
  /// SHA-256 of the model that the tables belong to; empty: not stated.
  std::string model;
  Costs limits;
  /// At least one, each with at least one choice.
  std::vector<ChoiceGroup> groups;
  std::vector<PairTerm> pairs;
};

/// The position of a choice for every group.
using Choices = std::vector<size_t>;

/// The problem in the file's `text`. Unknown and missing keys, repeated names, numbers that are not finite or negative
/// where they must not be, matrices of a wrong shape and limits on a cost that some choice lacks are errors that name
/// `path` and the place.
llvm::Expected<AssignmentProblem> parseProblem(llvm::StringRef path, llvm::StringRef text);

/// The problem as JSON, in the order that it has.
std::string problemToJson(const AssignmentProblem &problem);

/// Writes `value` (finite) in the fewest digits that read back as the same double. Zero has no sign.
std::string shortestText(double value);

} // namespace dyadic

#endif // DYADIC_SEARCH_PROBLEM_H
