// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a plan is worth: its integer program beside the float program, on the held-back samples.

#ifndef DYADIC_LIB_PIPELINES_PLANMEASUREMENT_H
#define DYADIC_LIB_PIPELINES_PLANMEASUREMENT_H

#include "dyadic/Pipelines/PlanSearch.h"

namespace dyadic {

/// The metric that decides between whole programs where sensitivities are measured by `name`: by the error they are
/// too, by anything else the divergence is what they estimate.
inline const SensitivityMetric &decidingMetric(llvm::StringRef name) {
  return name == errorMetric.name() ? errorMetric : divergenceMetric;
}
inline bool decidesByError(llvm::StringRef name) { return &decidingMetric(name) == &errorMetric; }

class PlanMeasurement {
public:
  /// The request has samples, some of them held back, and the float program; it must outlive this.
  explicit PlanMeasurement(const PlanSearchRequest &request) : request(request) {}

  /// Runs the float program.
  llvm::Error prepare();
  /// An error where a limit of `drop`, given as `option`, cannot be told: with n decisions, less than 1/n cannot be
  /// told from nothing.
  llvm::Error checkDrop(const Budget &budget, llvm::StringRef option) const;
  /// Compiles and runs the programs of plans, all at once; the rows come in the order of the plans. `fitted`, one a
  /// plan, become the programs at the quantized level, where weights are fitted.
  llvm::Expected<std::vector<MeasuredPlan>> measure(llvm::ArrayRef<Plan> plans,
                                                    llvm::MutableArrayRef<FittedProgram> fitted) const;
  /// Compiles and runs a program of the integer level.
  llvm::Expected<MeasuredPlan> measureProgram(mlir::ModuleOp integers) const;

private:
  /// Compares outputs of an integer program, as real numbers, with those of the float program.
  MeasuredPlan compare(llvm::ArrayRef<std::vector<Tensor>> outputs) const;
  llvm::Expected<MeasuredPlan> measure(mlir::ModuleOp floatModule, const Listener &listener, Plan plan,
                                       FittedProgram &fitted) const;
  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> quantized(mlir::ModuleOp floatModule, const Listener &listener,
                                                              Plan &plan, FittedProgram &fitted) const;

  const PlanSearchRequest &request;
  std::vector<Sample> samples;
  std::vector<std::vector<Tensor>> references; // by sample
  size_t decisions = 0;                        // between classes, which the float program takes
};

} // namespace dyadic

#endif // DYADIC_LIB_PIPELINES_PLANMEASUREMENT_H
