// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fills a report in: reads the modules, runs both programs on the held-back samples, and
// times them where this machine can run the target.

#ifndef DYADIC_PIPELINES_COLLECTREPORT_H
#define DYADIC_PIPELINES_COLLECTREPORT_H

#include "dyadic/Pipelines/Compiler.h"
#include "dyadic/Pipelines/FloatProgram.h"
#include "dyadic/Pipelines/Report.h"

namespace dyadic {

struct ReportRequest {
  mlir::ModuleOp floatModule;              // the float level
  mlir::ModuleOp program;                  // what is compiled; null with --float
  mlir::ModuleOp exposed;                  // the same with the values of all layers as outputs
  const Plan *plan = nullptr;              // complete; null with --float
  const CalibrationTable *table = nullptr; // null with --float
  const RangeMap *ranges = nullptr;        // what was chosen from it
  FloatProgram *floatProgram = nullptr;    // null: there is nothing to compare on
  SampleSet *samples = nullptr;
  llvm::ArrayRef<size_t> heldBack;                                        // indices into samples, ascending
  llvm::function_ref<void(size_t done, size_t total)> progress = nullptr; // over the samples
  Target target;
  /// What takes further compilations and runs: each layer's own error and advice, sizes of code, times.
  bool isDetailed = false;
};

/// Everything but the paths, the workspace and the size of the file written. The modules stay as they are.
llvm::Expected<Report> collectReport(const ReportRequest &request);

/// Layers, widths, ranges, sizes of constants: what needs no run.
llvm::Error describeProgram(Report &report, const ReportRequest &request);
/// Agreement of outputs, layers and inputs on the held-back samples; with details, what each layer adds.
llvm::Error measureAgreement(Report &report, const ReportRequest &request);
/// Bytes of machine code and workspace; times of programs and layers where this machine can run the target.
llvm::Error measurePrograms(Report &report, const ReportRequest &request);

} // namespace dyadic

#endif // DYADIC_PIPELINES_COLLECTREPORT_H
