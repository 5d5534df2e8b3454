// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Adds the C interface of Runtime/dyadic.h to an LLVM module: the descriptor, `run`
// over a batch, `workspace_size`, `open` with its check of the CPU.

#ifndef DYADIC_TARGET_MODELABI_H
#define DYADIC_TARGET_MODELABI_H

#include "dyadic/Target/Signature.h"
#include "dyadic/Target/Targets.h"
#include "llvm/IR/Module.h"

namespace dyadic {

struct AbiOptions {
  std::string prefix;         // a C identifier
  std::string fingerprint;    // 64 hexadecimal digits
  int64_t workspaceBytes = 0; // of one sample
  bool exportAlias = false;   // dyadic_open too
};

/// `sample` is the lowered entry function: one pointer an input, one an output, the
/// workspace. It becomes internal.
void addModelAbi(llvm::Module &module, llvm::Function *sample, const Signature &signature, const Target &target,
                 const AbiOptions &options);

/// The text of the header beside a library: the interface and NAME_open.
std::string modelHeader(llvm::StringRef prefix);

} // namespace dyadic

#endif // DYADIC_TARGET_MODELABI_H
