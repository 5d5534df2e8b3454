// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From samples to a calibration table, one sample at a time.

#ifndef DYADIC_CALIBRATION_CALIBRATE_H
#define DYADIC_CALIBRATION_CALIBRATE_H

#include "dyadic/Calibration/Evaluator.h"
#include "dyadic/Calibration/Table.h"

namespace dyadic {

/// Runs `evaluator` on the calibration samples of `split` and collects the statistics of every float32 value; others
/// (indices, for example) have no range and are left out. `modelSha` is the model's SHA-256 in hexadecimal;
/// `progress` may be null. Errors: what the evaluator reports, no samples to calibrate with, a value that is not
/// finite (named by its id), an id that is not UTF-8.
llvm::Expected<CalibrationTable> calibrate(Evaluator &evaluator, llvm::ArrayRef<Sample> samples, const Split &split,
                                           const CalibrationOptions &options, llvm::StringRef modelSha,
                                           llvm::function_ref<void(size_t done, size_t total)> progress);

} // namespace dyadic

#endif // DYADIC_CALIBRATION_CALIBRATE_H
