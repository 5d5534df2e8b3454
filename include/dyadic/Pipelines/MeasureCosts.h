// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fills a table of costs in: the times of a model's layers at several widths, measured by the very kernels that will
// be used, in the programs that they belong to.

#ifndef DYADIC_PIPELINES_MEASURECOSTS_H
#define DYADIC_PIPELINES_MEASURECOSTS_H

#include "dyadic/Pipelines/Compiler.h"
#include "dyadic/Pipelines/FitProgram.h"
#include "dyadic/Pipelines/Listener.h"
#include "dyadic/Search/CostTable.h"

namespace dyadic {

struct CostRequest {
  mlir::ModuleOp floatModule;
  llvm::StringRef file; // that errors name
  /// What ranges are chosen from, for each of the widths.
  const CalibrationTable *calibration = nullptr;
  /// What the widths do not say; its own entries for layers come first.
  const Plan *plan = nullptr;
  llvm::StringRef model;      // its SHA-256
  std::optional<Target> here; // one CPU, which this machine runs; nothing where it runs none of the target's
  Sample sample;
  /// How weights are fitted, as kernels depend on their values: which sums fit 16 bits, which multipliers are short.
  /// Nothing where they are rounded to nearest.
  std::optional<FitRequest> fit;
  /// Widths that are measured, each for all layers. W8A8 joins them, for the rest of the program.
  std::vector<BitWidths> choices;
};

/// The layers with weights of a float module, by id, as the cost table knows them.
std::map<std::string, LatencyCostModel::Layer> costLayers(mlir::ModuleOp floatModule);

/// What kernels take without the clocks around them, of which the program has one a kernel: `clocked` is its time with
/// them, `plain` without.
std::vector<double> withoutClocks(std::vector<double> kernels, double clocked, double plain);

/// Measures what `table` lacks; nothing runs where it lacks nothing. A table without `cpu` becomes one for this CPU and
/// machine; one of others that lacks something is an error. Returns the choices that have times: widths that the model
/// cannot have for all layers are left out.
llvm::Expected<std::vector<BitWidths>> measureCosts(const CostRequest &request, CostTable &table,
                                                    const Listener &listener);

} // namespace dyadic

#endif // DYADIC_PIPELINES_MEASURECOSTS_H
