// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Adds the C interface of Runtime/dyadic.h to an LLVM module: for each CPU a descriptor
// with `run` over a batch and `workspace_size`; then `open` with its check of the CPU.

#ifndef DYADIC_TARGET_MODELABI_H
#define DYADIC_TARGET_MODELABI_H

#include "dyadic/Target/Signature.h"
#include "dyadic/Target/Targets.h"
#include "llvm/IR/Module.h"

namespace dyadic {

struct AbiOptions {
  std::string prefix;         // of the functions: a C identifier
  std::string fingerprint;    // 64 hexadecimal digits
  std::string target;         // what the descriptor says that the code is for
  int64_t workspaceBytes = 0; // of one sample
  int64_t scratchBytes = 0;   // behind it, of every thread that computes parts of a kernel
  int64_t usefulThreads = 1;  // that one sample keeps busy
};

/// `sample` is the lowered entry function: one pointer an input, one an output, the
/// workspace, the team that computes parts of kernels or null. `fork` is that of `buildFork`. Both become internal; the
/// functions around them may use the instructions that `sample` may. Returns the descriptor.
llvm::Constant *addModel(llvm::Module &module, llvm::Function *sample, llvm::Function *fork, const Signature &signature,
                         const AbiOptions &options);

/// NAME_open: returns the last of `models`, which belong to the target's CPUs, that this CPU can run. With
/// `exportAlias` dyadic_open too.
void addOpen(llvm::Module &module, const Target &target, llvm::ArrayRef<llvm::Constant *> models,
             llvm::StringRef prefix, bool exportAlias);

/// A constant whose address means nothing: equal ones are stored once.
llvm::Constant *privateConstant(llvm::Module &module, llvm::Constant *value, llvm::StringRef name);

/// The text of the header beside a library: the interface and NAME_open.
std::string modelHeader(llvm::StringRef prefix);

} // namespace dyadic

#endif // DYADIC_TARGET_MODELABI_H
