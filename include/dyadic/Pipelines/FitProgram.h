// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a plan to a program of the quantized level whose weights are fitted to samples.

#ifndef DYADIC_PIPELINES_FITPROGRAM_H
#define DYADIC_PIPELINES_FITPROGRAM_H

#include "dyadic/Calibration/Table.h"
#include "dyadic/Pipelines/RoundWeights.h"
#include "dyadic/Search/Plan.h"
#include "dyadic/Transforms/Passes.h"

namespace dyadic {

struct FitRequest {
  mlir::ModuleOp floatModule; // the float level
  llvm::StringRef file;       // its name, for messages
  const CalibrationTable *table = nullptr;
  WeightRounding method = WeightRounding::Auto;
  Evaluator *evaluator = nullptr; // of the float program
  SampleSet *samples = nullptr;
  llvm::ArrayRef<size_t> fitting; // indices into samples, ascending: those that weights are fitted to
  const Listener *listener = nullptr;
  llvm::ArrayRef<Sample> carried = {}; // others, whose outputs are wanted
  LayerKernels *kernels = nullptr;     // of float layers that are compiled already; null: none
};

struct FittedProgram {
  mlir::OwningOpRef<mlir::ModuleOp> module; // the quantized level; null: none was made
  // The equalized float program: itself, its calibration, the factors of its values, and their ranges.
  mlir::OwningOpRef<mlir::ModuleOp> floatModule;
  CalibrationTable table;
  ChannelFactors factors;
  RangeMap ranges;
  RoundingReport counts;
  CarriedOutputs outputs; // of roundWeights()
};

/// Equalizes values (lib/Pipelines/Equalization.h), quantizes and fits the weights (roundWeights()). `plan` comes back
/// complete.
llvm::Expected<FittedProgram> fitProgram(const FitRequest &request, Plan &plan);

} // namespace dyadic

#endif // DYADIC_PIPELINES_FITPROGRAM_H
