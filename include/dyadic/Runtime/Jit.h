// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A compiled module in this process's memory: to be run, or to find out where its time
// goes. It must be for this machine.

#ifndef DYADIC_RUNTIME_JIT_H
#define DYADIC_RUNTIME_JIT_H

#include "dyadic/Runtime/Program.h"
#include "dyadic/Target/Compile.h"

namespace dyadic {

llvm::Expected<std::unique_ptr<Program>> loadJit(CompiledModule compiled);

/// A program that times its kernels. They are the compiled module's own, optimised before the clock is
/// read around each call. Not re-entrant: the times of all calls add up in one place.
class ProfiledProgram {
public:
  static llvm::Expected<ProfiledProgram> load(CompiledModule compiled);

  const Program &getProgram() const { return *program; }
  const std::vector<Kernel> &getKernels() const { return kernels; }
  /// Nanoseconds spent in every kernel since the last call of this.
  std::vector<uint64_t> takeNanoseconds();

private:
  std::unique_ptr<Program> program;
  std::vector<Kernel> kernels;
  uint64_t *counters = nullptr; // in the program's memory, one a kernel
};

} // namespace dyadic

#endif // DYADIC_RUNTIME_JIT_H
