// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How calibration runs a program that it cannot know how to run: the pipelines,
// which have the JIT, implement this.

#ifndef DYADIC_CALIBRATION_EVALUATOR_H
#define DYADIC_CALIBRATION_EVALUATOR_H

#include "dyadic/Calibration/Samples.h"

namespace dyadic {

class Evaluator {
public:
  virtual ~Evaluator();

  /// Runs the float program on one sample and calls `observe` once per value, in program order, with its id. The tensor
  /// lives only during the call. Safe on several threads at once.
  virtual llvm::Error run(const Sample &sample,
                          llvm::function_ref<void(llvm::StringRef id, const Tensor &value)> observe) = 0;

  /// How much memory a run takes, about.
  virtual uint64_t bytesPerRun() const = 0;
};

} // namespace dyadic

#endif // DYADIC_CALIBRATION_EVALUATOR_H
