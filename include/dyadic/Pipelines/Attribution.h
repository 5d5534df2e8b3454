// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which decisions of a plan cost how much accuracy: the integer program without one of them at a time, and the
// overrides that repair most of it.

#ifndef DYADIC_PIPELINES_ATTRIBUTION_H
#define DYADIC_PIPELINES_ATTRIBUTION_H

#include "dyadic/Pipelines/PlanSearch.h"

namespace dyadic {

struct AttributionRequest {
  /// The program at the float level and its table, as they were quantized; the samples, some of them held back; the
  /// plan as it was given. Nothing else is used.
  PlanSearchRequest search;
  /// The program at the quantized level, with its weights as they were rounded or fitted, and its complete plan.
  mlir::ModuleOp quantized;
  const Plan *complete = nullptr;
  /// "kl" or "error": what decisions are ordered by, and what has to be repaired.
  std::string metric = "kl";
  /// What the overrides have to reach: limits of drop and sqnr; none: see attribute().
  Budget target;
};

struct AttributionResult {
  AttributionReport report;
  /// The plan as it was given, with the overrides.
  Plan plan;
};

/// Leave-one-out: every decision of the plan is undone by itself, and the integer program that this gives runs on the
/// samples held back. Decisions are
///   - the weights of a layer, of fewer than 8 bits: with 8, rounded to nearest;
///   - the weights of a layer of 8 bits: the layer in float;
///   - a stored value of fewer than 15 bits, with those that a concatenation joins it to: with 16, or as many as keep
///     all sums within 32 bits.
/// All other weights stay as they are, those that were fitted to samples too.
///
/// What this takes away depends on all other decisions: their noise can cancel out, so that a single one undone may
/// even make it worse. So each also counts by what it costs alone, with all else in float (its sensitivity); what costs
/// less than a thousandth of the sum is not undone.
///
/// Overrides keep the program in integers. They are the fewest, those that cost most alone first, that reach the
/// target, or without one take away all but a hundredth of what all of them together take away; how many that are is
/// found by bisection, on the integer programs with all of them at once. Weights that are fitted to samples are fitted
/// anew where the overrides are fed back.
///
/// Errors: a target that all overrides together miss, or of a drop that the samples cannot tell; a program that cannot
/// be compiled or run; an interruption.
llvm::Expected<AttributionResult> attribute(const AttributionRequest &request);

} // namespace dyadic

#endif // DYADIC_PIPELINES_ATTRIBUTION_H
