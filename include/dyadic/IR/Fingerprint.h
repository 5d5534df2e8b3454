// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_IR_FINGERPRINT_H
#define DYADIC_IR_FINGERPRINT_H

#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace dyadic {

/// SHA-256, as 64 hexadecimal digits, of a module in a canonical order: operations
/// with operands by number, attributes by name, types and the bytes of all constants;
/// locations, resource names and the spelling of the text do not matter.
std::string fingerprint(mlir::ModuleOp module);

} // namespace dyadic

#endif // DYADIC_IR_FINGERPRINT_H
