// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MLIR's diagnostics as the errors that users see.

#ifndef DYADIC_PIPELINES_DIAGNOSTICS_H
#define DYADIC_PIPELINES_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace dyadic {

/// Collects the errors emitted while it lives; everything else is dropped.
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(mlir::MLIRContext *context);
  /// `FILE: NODE: message`, several as a list below `FILE: N errors`, or `FILE: fallback`
  /// where nothing was emitted. NODE is the name in the location, if it has one.
  llvm::Error takeError(llvm::StringRef file, llvm::StringRef fallback);

private:
  std::vector<std::string> messages;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace dyadic

#endif // DYADIC_PIPELINES_DIAGNOSTICS_H
