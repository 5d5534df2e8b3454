// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_TRANSFORMS_PASSES_H
#define DYADIC_TRANSFORMS_PASSES_H

#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Search/Plan.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include <map>

namespace dyadic {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "dyadic/Transforms/Passes.h.inc"

/// Ranges by layer id or input name.
using RangeMap = std::map<std::string, std::pair<float, float>>;

// The passes that take structured arguments, as functions. Errors are diagnostics.
mlir::LogicalResult applyRanges(mlir::ModuleOp module, const RangeMap &ranges);
/// `plan` comes back complete: it then names every layer, value, addition and output.
mlir::LogicalResult quantizeGraph(mlir::ModuleOp module, Plan &plan);

} // namespace dyadic

#endif // DYADIC_TRANSFORMS_PASSES_H
