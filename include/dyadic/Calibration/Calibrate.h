// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From samples to a calibration table, several samples at a time.

#ifndef DYADIC_CALIBRATION_CALIBRATE_H
#define DYADIC_CALIBRATION_CALIBRATE_H

#include "dyadic/Calibration/Evaluator.h"
#include "dyadic/Calibration/Table.h"

namespace dyadic {

/// Runs `evaluator` on the calibration samples of `split` and collects the statistics of every float32 value; others
/// (indices, for example) have no range and are left out. Samples run on up to `threads` threads at once (0: one a
/// core), fewer where a run takes so much memory that all together would need more than 1 GiB; the table is the same
/// for any number. `modelSha` is the model's SHA-256 in hexadecimal; `progress` may be null and is not called by two
/// threads at once. Errors, of the first sample that has one: what it is read from or the evaluator reports, a value
/// that is not finite (named by its id), an id that is not UTF-8, another content than `split` saw; also no samples to
/// calibrate with.
llvm::Expected<CalibrationTable> calibrate(Evaluator &evaluator, SampleSet &samples, const Split &split,
                                           const CalibrationOptions &options, llvm::StringRef modelSha,
                                           llvm::function_ref<void(size_t done, size_t total)> progress,
                                           unsigned threads = 0);

} // namespace dyadic

#endif // DYADIC_CALIBRATION_CALIBRATE_H
