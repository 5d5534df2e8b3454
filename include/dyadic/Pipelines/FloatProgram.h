// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The float program as calibration, fitting and comparisons see it.

#ifndef DYADIC_PIPELINES_FLOATPROGRAM_H
#define DYADIC_PIPELINES_FLOATPROGRAM_H

#include "dyadic/Calibration/Evaluator.h"
#include "mlir/IR/BuiltinOps.h"

namespace dyadic {

class LayerKernels;

/// The buffers of a run are kept for the next.
class FloatProgram : public Evaluator {
public:
  /// Compiled as a whole; with `kernels`, layer by layer, which the layers of other programs share then. Both compute
  /// the same numbers. Only a whole program takes samples of any batch.
  static llvm::Expected<std::unique_ptr<FloatProgram>> create(mlir::ModuleOp floatModule, LayerKernels *kernels);

  /// As run(), with the model's outputs.
  virtual llvm::Expected<std::vector<Tensor>>
  compute(const Sample &sample, llvm::function_ref<void(llvm::StringRef id, const Tensor &value)> observe) = 0;
  llvm::Error run(const Sample &sample,
                  llvm::function_ref<void(llvm::StringRef id, const Tensor &value)> observe) override {
    return compute(sample, observe).takeError();
  }
  llvm::Expected<std::vector<Tensor>> outputs(const Sample &sample) {
    return compute(sample, [](llvm::StringRef, const Tensor &) {});
  }
  /// Frees the buffers of all runs.
  virtual void release() = 0;
};

} // namespace dyadic

#endif // DYADIC_PIPELINES_FLOATPROGRAM_H
