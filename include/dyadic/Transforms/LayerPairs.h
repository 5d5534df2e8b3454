// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layers whose errors meet.

#ifndef DYADIC_TRANSFORMS_LAYERPAIRS_H
#define DYADIC_TRANSFORMS_LAYERPAIRS_H

#include "mlir/IR/BuiltinOps.h"
#include <string>
#include <utility>
#include <vector>

namespace dyadic {

/// Pairs of ids of layers with constant weights at the float level, each once, the earlier layer first: neighbours, of
/// which one reads what the other computed, with no such layer between them; and partners, whose values are added or
/// multiplied. A way from one to the other leads through at most one operation that joins several values: a residual
/// stream does not make all of its layers neighbours.
std::vector<std::pair<std::string, std::string>> layerPairs(mlir::ModuleOp module);

} // namespace dyadic

#endif // DYADIC_TRANSFORMS_LAYERPAIRS_H
