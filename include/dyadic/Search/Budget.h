// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a user allows a model to cost, and from tables to the problem that a solver takes.

#ifndef DYADIC_SEARCH_BUDGET_H
#define DYADIC_SEARCH_BUDGET_H

#include "dyadic/Search/CostModel.h"
#include "dyadic/Search/Plan.h"
#include "dyadic/Search/Solver.h"

namespace dyadic {

/// `--budget`: limits of costs, or of what accuracy may be lost; each at most once.
struct Budget {
  struct Limit {
    double value = 0;
    /// A factor of what W8A8 costs; else in the unit of Problem.h (bits a weight for weight_bits).
    bool isRelative = false;
    std::string text; // as it was given
  };
  std::array<std::optional<Limit>, kNumCosts> costs; // by position in kCostNames
  /// The largest part of samples whose class may differ from float's, in (0, 1).
  std::optional<double> drop;
  /// The least signal-to-noise ratio of the outputs, in dB.
  std::optional<double> sqnr;
  std::string text; // as it was given

  bool limitsCosts() const;
};

/// `latency:0.75x` or `12ms`, `size:2MB` (also B, KB, KiB, MiB), `bops:0.5x` or `3G`, `avg:4.5` (bits a weight),
/// `drop:0.5%`, `sqnr:25dB`, in any mix, separated by commas.
llvm::Expected<Budget> parseBudget(llvm::StringRef text);

/// The limits of accuracy alone, `drop` and `sqnr`; `option` begins errors.
llvm::Expected<Budget> parseAccuracy(llvm::StringRef option, llvm::StringRef text);

/// Widths as `w4a8,w8a8`, each as parseBits reads it and once.
llvm::Expected<std::vector<BitWidths>> parseChoices(llvm::StringRef text);
/// "w4a8".
std::string bitsText(BitWidths widths);

/// Layers that share a choice. Where `choices` have several widths of activations, all readers of a value are a group
/// (a value is stored once, and HAWQ-V3 gives tied layers one choice); else every layer is its own. Groups are in the
/// order of their first layers, which name them; every one has all choices, without costs or perturbations.
std::vector<ChoiceGroup> choiceGroups(llvm::ArrayRef<SearchLayer> layers, llvm::ArrayRef<BitWidths> choices);

/// What the limits of the budget are for these layers, whose choices `models` cost. Relative ones are factors of all
/// layers at W8A8 and of `fixed`, which a program costs beside them; what it leaves of a limit is for the layers.
llvm::Expected<Costs> resolveLimits(const Budget &budget, llvm::ArrayRef<SearchLayer> layers,
                                    llvm::ArrayRef<const CostModel *> models, const Costs &fixed = {});

/// Writes the widths of the choices into the plan.
void applyChoices(const AssignmentProblem &problem, const Choices &choices, Plan &plan);

/// The most perturbation-free uniform plan: of the choices that every group has, the one within the limits with the
/// least perturbation, and of equals the most costly. Nothing where none meets the limits.
std::optional<Choices> uniformChoices(const AssignmentProblem &problem);

} // namespace dyadic

#endif // DYADIC_SEARCH_BUDGET_H
