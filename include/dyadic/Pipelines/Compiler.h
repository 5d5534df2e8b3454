// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The whole compiler on one page: its stages as functions. Tools and Python call
// these; everything below them knows only its own step.
//
//   ONNX --importFloat--> float --calibrate--> table
//   float + table + plan --chooseRanges--> ranges
//   float + ranges + plan --quantizeModel--> integer level
//   float or integer level --compileModule (Target)--> LLVM IR --> file or JIT

#ifndef DYADIC_PIPELINES_COMPILER_H
#define DYADIC_PIPELINES_COMPILER_H

#include "dyadic/Calibration/Calibrate.h"
#include "dyadic/Import/OnnxImport.h"
#include "dyadic/Runtime/Jit.h"
#include "dyadic/Search/Plan.h"
#include "dyadic/Transforms/Passes.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

namespace dyadic {

/// A context with every dialect that the pipeline uses, on one thread.
std::unique_ptr<mlir::MLIRContext> createContext();

/// Float level: the imported graph with batch normalization folded; with `keepMoments`, what it said of values is kept
/// for deriveRanges.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> importFloat(const OnnxSource &source, const ImportOptions &options,
                                                              mlir::MLIRContext &context, bool keepMoments = false);

/// A module in textual form, at any level: one function and nothing beside it. The
/// accumulators of the integer level are proven, as those of a compiled model are.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> parseModuleFile(llvm::StringRef file, mlir::MLIRContext &context);

/// What the program takes, with 1 for the batch.
llvm::Expected<std::vector<InputSpec>> inputSpecs(mlir::ModuleOp module);

/// Adds the values of all layers as further outputs.
llvm::Error exposeValues(mlir::ModuleOp module, llvm::StringRef file);

/// Gives every layer of the float program inputs of its own, see quant-isolate-layers.
llvm::Error isolateLayers(mlir::ModuleOp module, llvm::StringRef file);

/// Compiles a copy of the module for this machine; with `exposeValues`, the values of
/// all layers are further outputs.
llvm::Expected<std::unique_ptr<Program>> jitModule(mlir::ModuleOp module, bool exposeValues,
                                                   CodeEffort effort = CodeEffort::Full);

struct QuantizeOptions {
  bool integerOnly = false;  // a float island is an error
  bool exposeValues = false; // --dump-values
};

/// The range of every value in the table, by its method, at the width that `plan` stores it with.
llvm::Expected<RangeMap> chooseRanges(mlir::ModuleOp floatModule, llvm::StringRef file, const CalibrationTable &table,
                                      const Plan &plan);

/// Float level to quantized level, in place: ranges and types, with weights rounded to nearest. `plan` comes back
/// complete.
llvm::Error quantizeTypes(mlir::ModuleOp module, llvm::StringRef file, const RangeMap &ranges, Plan &plan);

/// A copy at the quantized level of a module at the float level, by both.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> quantizedCopy(mlir::ModuleOp floatModule, llvm::StringRef file,
                                                                const CalibrationTable &table, Plan &plan);

/// Quantized level to integer level, in place: dyadic rewrite and proofs. `plan` is complete.
llvm::Error lowerToIntegers(mlir::ModuleOp module, llvm::StringRef file, const Plan &plan,
                            const QuantizeOptions &options);

/// Both.
llvm::Error quantizeModel(mlir::ModuleOp module, llvm::StringRef file, const RangeMap &ranges, Plan &plan,
                          const QuantizeOptions &options);

/// The sample as the program takes it: f32 inputs of a program with --io=integer
/// become its stored integers.
Sample quantizeInputs(const Program &program, const Sample &sample);

/// How many samples of the model's batch the sample holds.
int64_t batchOf(const Sample &sample);

/// Runs a program on one sample; outputs in order.
llvm::Expected<std::vector<Tensor>> runSample(const Program &program, const Sample &sample);

} // namespace dyadic

#endif // DYADIC_PIPELINES_COMPILER_H
