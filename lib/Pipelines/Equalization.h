// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Channels of values brought nearer to one another before ranges are chosen.

#ifndef DYADIC_LIB_PIPELINES_EQUALIZATION_H
#define DYADIC_LIB_PIPELINES_EQUALIZATION_H

#include "dyadic/Pipelines/Compiler.h"

namespace dyadic {

struct Equalization {
  ChannelFactors factors; // may be empty
  /// That of the original program, with the statistics of the scaled values.
  CalibrationTable table;
};

/// Chooses factors (equalizationFactors(), Rounding/Rounding.h) for the values of `floatModule` that depthwise
/// convolutions read, and those that layers of more than 6 bits read: narrower weights lose more by the spread that
/// they get than the value gains. Values whose range is fixed in the table stay. The magnitudes are those on the
/// samples `indices`, and so are the new statistics. `plan` is complete.
llvm::Expected<Equalization> equalize(mlir::ModuleOp floatModule, const Plan &plan, Evaluator &evaluator,
                                      SampleSet &samples, llvm::ArrayRef<size_t> indices,
                                      const CalibrationTable &table);

} // namespace dyadic

#endif // DYADIC_LIB_PIPELINES_EQUALIZATION_H
