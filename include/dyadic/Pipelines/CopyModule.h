// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Modules from one context to another: a context works for one thread at a time.

#ifndef DYADIC_PIPELINES_COPYMODULE_H
#define DYADIC_PIPELINES_COPYMODULE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"

namespace dyadic {

/// A module as bytecode, with all of its constants.
class ModuleBytes {
public:
  static llvm::Expected<ModuleBytes> of(mlir::ModuleOp module);
  /// The same module in `context`, which has the dialects of createContext().
  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> read(mlir::MLIRContext &context) const;

private:
  std::string bytes;
};

} // namespace dyadic

#endif // DYADIC_PIPELINES_COPYMODULE_H
