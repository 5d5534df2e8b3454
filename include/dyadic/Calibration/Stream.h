// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calibration of samples as they come, for callers that cannot or need not hold them all:
// a sample that has been observed is freed, only those held back are kept.

#ifndef DYADIC_CALIBRATION_STREAM_H
#define DYADIC_CALIBRATION_STREAM_H

#include "dyadic/Calibration/Calibrate.h"

namespace dyadic {

/// The table is that of splitSamples and calibrate on all samples at once, byte for byte:
/// statistics do not depend on the order, and the two rules of splitSamples that look at
/// all samples need to wait for one sample alone. As long as none is held back, it is the
/// one with the smallest hash; as long as none calibrates, the one with the largest.
class CalibrationStream {
public:
  /// `evaluator` must live as long. `modelSha` as for calibrate. Of the samples that calibrate, the first `numKept` are
  /// kept.
  CalibrationStream(Evaluator &evaluator, llvm::StringRef modelSha, size_t numKept = 0)
      : evaluator(evaluator), modelSha(modelSha), numKept(numKept) {}

  /// Observes the samples. `progress`, which may be null, is called with the number of all
  /// samples observed so far. Errors are those of calibrate.
  llvm::Error add(std::vector<Sample> samples, llvm::function_ref<void(size_t done)> progress);

  /// How many samples were added.
  size_t size() const { return samples.size(); }

  /// Samples by the number they came with.
  struct Kept {
    std::map<size_t, Sample> heldBack, calibrated;
  };
  /// The table of all samples, with `options` for its ranges; those held back and those kept move to `kept`. At least
  /// one sample was added. The last call.
  llvm::Expected<CalibrationTable> finish(const CalibrationOptions &options, Kept &kept);

private:
  llvm::Error observe(std::vector<size_t> indices, llvm::function_ref<void(size_t)> progress);

  Evaluator &evaluator;
  std::string modelSha;
  size_t numKept;
  std::vector<Sample> samples; // empty where observed
  std::vector<std::string> hashes;
  std::vector<size_t> heldBack, observed;
  std::map<size_t, Sample> keptSamples; // of those observed
  std::optional<size_t> smallest;       // waits while none is held back
  CalibrationTable table;
};

} // namespace dyadic

#endif // DYADIC_CALIBRATION_STREAM_H
