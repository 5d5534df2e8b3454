// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a plan is worth: its integer program beside the float program, on the held-back samples.

#ifndef DYADIC_LIB_PIPELINES_PLANMEASUREMENT_H
#define DYADIC_LIB_PIPELINES_PLANMEASUREMENT_H

#include "dyadic/Pipelines/PlanSearch.h"

namespace dyadic {

class PlanMeasurement {
public:
  /// The request has samples, some of them held back, and the float program; it must outlive this.
  explicit PlanMeasurement(const PlanSearchRequest &request) : request(request) {}

  /// Runs the float program.
  llvm::Error prepare();
  /// Decisions between classes that the float program takes on the samples; 0 where its first output has none.
  size_t numDecisions() const { return decisions; }
  /// Compiles and runs the plan's program.
  llvm::Expected<MeasuredPlan> measure(Plan plan) const;

private:
  const PlanSearchRequest &request;
  std::vector<Sample> samples;
  std::vector<std::vector<Tensor>> references; // by sample
  size_t decisions = 0;
};

} // namespace dyadic

#endif // DYADIC_LIB_PIPELINES_PLANMEASUREMENT_H
