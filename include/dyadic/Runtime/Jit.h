// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_RUNTIME_JIT_H
#define DYADIC_RUNTIME_JIT_H

#include "dyadic/Runtime/Program.h"
#include "dyadic/Target/Compile.h"

namespace dyadic {

/// The compiled module in this process's memory. It must be for this machine.
llvm::Expected<std::unique_ptr<Program>> loadJit(CompiledModule compiled);

} // namespace dyadic

#endif // DYADIC_RUNTIME_JIT_H
