// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_LIB_RUNTIME_JITSESSION_H
#define DYADIC_LIB_RUNTIME_JITSESSION_H

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Target/TargetMachine.h"

namespace dyadic {

/// Code for `machine`, in this process; memcpy and its like are the process's.
llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>> createJit(const llvm::TargetMachine &machine);

} // namespace dyadic

#endif // DYADIC_LIB_RUNTIME_JITSESSION_H
