// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the search asks of the network: one tensor quantized, or all as a plan says, in float arithmetic.

#ifndef DYADIC_LIB_PIPELINES_LAYERWISEEVALUATOR_H
#define DYADIC_LIB_PIPELINES_LAYERWISEEVALUATOR_H

#include "FitAlone.h"
#include "dyadic/Calibration/Table.h"
#include "dyadic/Pipelines/LayerwiseProgram.h"
#include "dyadic/Search/Sensitivity.h"
#include <mutex>

namespace dyadic {

/// The grid of a value that `bits` bits store, unsigned up to 15.
StorageGrid gridOf(const CalibratedValue &value, const CalibrationOptions &method, unsigned bits);

class LayerwiseEvaluator : public SensitivityEvaluator {
public:
  /// Sample `i` of an evaluation is `samples[i]`. The table must outlive the evaluator. What `fitted` lacks is rounded
  /// to nearest.
  static llvm::Expected<std::unique_ptr<LayerwiseEvaluator>> create(mlir::ModuleOp floatModule,
                                                                    const CalibrationTable &table,
                                                                    std::vector<Sample> samples, AloneWeights fitted,
                                                                    LayerKernels &kernels);

  llvm::Error run(size_t sample, llvm::ArrayRef<SensitivityKey> keys,
                  llvm::function_ref<void(size_t, const PerturbedNetwork &)> observe) override;

  /// All layers' weights with the bits of a plan, by layer, and values on the grids of their storage.
  struct Configuration {
    std::map<std::string, unsigned> weights;
    std::map<std::string, StorageGrid> values;
  };
  /// The metric of every sample; on as many threads as there are cores. It ends early, with the first samples alone,
  /// where `isEnough` says so of what they have.
  llvm::Expected<std::vector<double>> evaluate(
      const Configuration &configuration, const SensitivityMetric &metric,
      llvm::function_ref<bool(llvm::ArrayRef<double>)> isEnough = [](llvm::ArrayRef<double>) { return false; });
  size_t numSamples() const { return samples.size(); }

private:
  LayerwiseEvaluator(const CalibrationTable &table, std::vector<Sample> samples, AloneWeights fitted)
      : table(table), samples(std::move(samples)), fitted(std::move(fitted)) {}

  const Tensor &packedWeights(size_t layer, unsigned bits);
  llvm::Error computeReferences();

  const CalibrationTable &table;
  std::vector<Sample> samples;
  AloneWeights fitted;
  std::unique_ptr<LayerwiseProgram> program;
  LayerwiseRuns runs;
  std::mutex mutex;                                     // of `packed`
  std::map<std::pair<size_t, unsigned>, Tensor> packed; // by layer and bits
  std::vector<std::vector<Tensor>> references;          // outputs in float, by sample
};

} // namespace dyadic

#endif // DYADIC_LIB_PIPELINES_LAYERWISEEVALUATOR_H
