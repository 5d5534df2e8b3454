// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/FitProgram.h"
#include "Equalization.h"

namespace dyadic {

llvm::Expected<FittedProgram> fitProgram(const FitRequest &request, Plan &plan) {
  // Which values are equalized is a matter of the widths that they and their readers have: the plan must be complete.
  auto complete = quantizedCopy(request.floatModule, request.file, *request.table, plan);
  if (!complete)
    return complete.takeError();
  auto equalized =
      equalize(request.floatModule, plan, *request.evaluator, *request.samples, request.fitting, *request.table);
  if (!equalized)
    return equalized.takeError();
  FittedProgram fitted;
  fitted.floatModule = mlir::ModuleOp(request.floatModule).clone();
  equalizeLayers(*fitted.floatModule, equalized->factors);
  fitted.module = fitted.floatModule->clone();
  fitted.factors = std::move(equalized->factors);
  fitted.table = std::move(equalized->table);
  auto ranges = chooseRanges(*fitted.floatModule, request.file, fitted.table, plan);
  if (!ranges)
    return ranges.takeError();
  fitted.ranges = std::move(*ranges);
  if (llvm::Error error = quantizeTypes(*fitted.module, request.file, fitted.ranges, plan))
    return std::move(error);
  RoundingRequest rounding{*fitted.floatModule, request.file,    plan.rounding,   request.method,
                           request.samples,     request.fitting, request.carried, request.kernels};
  if (llvm::Error error = roundWeights(*fitted.module, rounding, *request.listener, fitted.counts, fitted.outputs))
    return std::move(error);
  return std::move(fitted);
}

} // namespace dyadic
