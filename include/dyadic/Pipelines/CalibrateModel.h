// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Statistics of a model's values from whatever the user has: representative inputs,
// saved tables, or several of both.

#ifndef DYADIC_PIPELINES_CALIBRATEMODEL_H
#define DYADIC_PIPELINES_CALIBRATEMODEL_H

#include "dyadic/Pipelines/Compiler.h"
#include "dyadic/Pipelines/FloatProgram.h"
#include "dyadic/Pipelines/Listener.h"
#include "dyadic/Pipelines/SamplePart.h"

namespace dyadic {

class LayerKernels;

struct CalibrationRequest {
  /// Samples (see openSamples), or a table where it ends in .json; may be empty where `merge` is not.
  std::string path;
  /// Tables that are merged with it.
  std::vector<std::string> merge;
  /// Without one it is that of the tables, or MSE.
  std::optional<CalibrationOptions> method;
  /// Of the samples that calibrate, those that do it here; which are held back is decided over all.
  SamplePart part;
  /// Null, or the table that calibrating on the samples gives, which is then not done again.
  const NamedTable *known = nullptr;
  /// Null, or what becomes the float layers, which the program is compiled by then.
  LayerKernels *kernels = nullptr;
};

struct Calibration {
  CalibrationTable table;
  // Where `path` has samples: these, the indices of those that calibrated and of those that nothing was calibrated
  // with, and the float program with all values exposed.
  std::unique_ptr<SampleSet> samples;
  std::vector<size_t> calibrated, heldBack;
  std::unique_ptr<FloatProgram> evaluator;
};

/// An evaluator that ends with an error between two samples, where `listener` says so; both must live as long.
std::unique_ptr<Evaluator> interruptible(Evaluator &evaluator, const Listener &listener);

/// Warns where `count` samples, called `name`, are too few for ranges that can be trusted.
void warnOfFewSamples(llvm::StringRef name, size_t count, const Listener &listener);

/// Calibrates `floatModule`, which was imported from `file` and has the fingerprint `sha`.
llvm::Expected<Calibration> calibrateModel(mlir::ModuleOp floatModule, llvm::StringRef file, llvm::StringRef sha,
                                           const CalibrationRequest &request, const Listener &listener);

/// The ranges that quant-derive-ranges finds without data, as a table with the method `method`, which is BatchNorm.
/// `floatModule` was imported from `file` with its moments, which it loses; `inputs` has the ranges of its inputs.
llvm::Expected<CalibrationTable> tableFromBatchNorms(mlir::ModuleOp floatModule, llvm::StringRef file,
                                                     const CalibrationOptions &method, const RangeMap &inputs);

} // namespace dyadic

#endif // DYADIC_PIPELINES_CALIBRATEMODEL_H
