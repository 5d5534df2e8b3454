// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a compilation did to a model: for each layer its widths, its work and how far
// its value is from the float program's, on samples that calibration has not seen.

#ifndef DYADIC_PIPELINES_REPORT_H
#define DYADIC_PIPELINES_REPORT_H

#include "dyadic/Pipelines/Compiler.h"

namespace dyadic {

/// Agreement of two tensors over all samples.
struct Agreement {
  double signal = 0, noise = 0, dot = 0, other = 0; // sums of f^2, (f - q)^2, f q, q^2
  /// 10 log10(signal / noise) in dB; infinite where the noise is 0.
  double sqnr() const;
  /// Cosine of the angle between the two; 1 where both are 0.
  double cosine() const;
};

struct LayerReport {
  std::string id, op;
  std::optional<unsigned> weightBits; // of layers with weights
  std::optional<unsigned> valueBits;  // 32: read as an accumulator
  bool isFloat = false;
  int64_t macs = 0;    // of one sample
  int64_t weights = 0; // how many
  std::optional<Agreement> agreement;
};

struct Report {
  std::string model, output;
  std::vector<LayerReport> layers;
  size_t calibrationSamples = 0, heldBackSamples = 0;
  int64_t floatBytes = 0, integerBytes = 0; // constants of the two programs
  int64_t workspaceBytes = 0, outputBytes = 0;
  std::vector<std::pair<std::string, Agreement>> outputs;
  std::optional<double> topOneAgreement; // percent, of the first output where it is a row of scores

  std::string toText() const;
  std::string toJson() const;
};

/// The static part: layers of the float module, widths of the complete plan.
Report describeLayers(mlir::ModuleOp floatModule, const Plan *plan);

/// Bytes of all constants of the module's functions.
int64_t constantBytes(mlir::ModuleOp module);

/// Runs both programs on the samples with these indices (ascending) and fills the agreement of layers and outputs.
/// The values of both are exposed. `progress` may be null.
llvm::Error measureAgreement(Report &report, const Program &floatProgram, mlir::ModuleOp integerModule,
                             SampleSet &samples, llvm::ArrayRef<size_t> indices,
                             llvm::function_ref<void(size_t done, size_t total)> progress = nullptr);

} // namespace dyadic

#endif // DYADIC_PIPELINES_REPORT_H
