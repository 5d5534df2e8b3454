// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Schedules on their way from the plan to quant-pack-layers, as an attribute of the module.

#ifndef DYADIC_TRANSFORMS_SCHEDULES_H
#define DYADIC_TRANSFORMS_SCHEDULES_H

#include "dyadic/Search/Schedule.h"
#include "mlir/IR/BuiltinOps.h"

namespace dyadic {

/// The schedules of several CPUs, `{avx2 = {layer = {kernel = "direct", order = "lines", rows = 3 : i64}}}`.
inline constexpr llvm::StringLiteral kSchedulesAttr = "dyadic.schedules";
/// Those of the CPU that the module is lowered for: what `quant-pack-layers` reads.
inline constexpr llvm::StringLiteral kScheduleAttr = "dyadic.schedule";

/// Notes the schedules on the module, in the place of earlier ones.
void setSchedules(mlir::ModuleOp module, const Schedules &schedules);
/// Leaves the schedules of one CPU.
void selectSchedule(mlir::ModuleOp module, llvm::StringRef cpu);
/// The schedule of the layer `id`, or a diagnostic where the attribute is none.
mlir::FailureOr<KernelSchedule> scheduleOf(mlir::ModuleOp module, mlir::StringAttr id);

} // namespace dyadic

#endif // DYADIC_TRANSFORMS_SCHEDULES_H
