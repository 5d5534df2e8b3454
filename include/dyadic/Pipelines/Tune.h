// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// --tune: chooses how kernels go about their work by measuring it on this machine.

#ifndef DYADIC_PIPELINES_TUNE_H
#define DYADIC_PIPELINES_TUNE_H

#include "dyadic/Pipelines/Compiler.h"
#include "dyadic/Pipelines/Listener.h"
#include "dyadic/Pipelines/Report.h"

namespace dyadic {

struct TuneRequest {
  mlir::ModuleOp floatModule;
  llvm::StringRef file; // that errors name
  const RangeMap *ranges = nullptr;
  Target here;           // one CPU, whose code this machine runs
  Sample sample;         // that programs are timed on
  bool mayFloat = false; // a layer that is faster in float may be computed in it, which changes bits
};

/// Times candidates of every convolution and matmul with constant weights, all in the program that they belong to:
/// both orders of the loops, several numbers of rows, direct kernels where Winograd's were chosen, and where allowed
/// float. What measures faster by more than the noise is written to `plan.schedules` (of this CPU, in the place of what
/// was there) and `plan.layers`; the program with all of it must measure faster than the one without, or nothing is
/// changed.
llvm::Expected<TuneReport> tune(const TuneRequest &request, Plan &plan, const Listener &listener);

} // namespace dyadic

#endif // DYADIC_PIPELINES_TUNE_H
