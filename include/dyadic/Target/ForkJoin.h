// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a compiled model shares work out to the threads of its caller.

#ifndef DYADIC_TARGET_FORKJOIN_H
#define DYADIC_TARGET_FORKJOIN_H

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

namespace dyadic {

/// Who computes parts: the caller's `parallel_for` with its context, and the number of threads. On the stack of `run`,
/// it is the last argument of the lowered entry function.
llvm::Value *buildTeam(llvm::IRBuilder<> &builder, llvm::Value *parallelFor, llvm::Value *context,
                       llvm::Value *threads);

/// Defines in `module` the function `kForkFunction(team, parts, part, arguments)`: calls `part(arguments, i, worker)`
/// for every i in [0, parts). The team's `parallel_for` runs as many workers as there are threads, at most `parts`; a
/// worker takes the next part until none is left. So the load is balanced, a thread that comes late is not waited for,
/// and any order of the workers will do, one after the other too. `worker` says whose memory a part may use.
llvm::Function *buildFork(llvm::Module &module);

} // namespace dyadic

#endif // DYADIC_TARGET_FORKJOIN_H
