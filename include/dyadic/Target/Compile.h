// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One way from a module at the float or the integer level to optimised LLVM IR, for
// the JIT and for files alike; only the emission differs.

#ifndef DYADIC_TARGET_COMPILE_H
#define DYADIC_TARGET_COMPILE_H

#include "dyadic/Support/Files.h"
#include "dyadic/Target/Signature.h"
#include "dyadic/Target/Targets.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/Module.h"
#include <map>

namespace dyadic {

/// A function that computes a part of the program.
struct Kernel {
  std::string name;                // of the LLVM function
  std::vector<std::string> layers; // ids of the layers it serves; several where it fuses them
  std::string method;              // how it multiplies and sums: maddubs, winograd dpbusd, fma; empty: loops
  /// The multiply-accumulates that it executes, by sequence of instructions (Conversion/DotProbe.h).
  std::map<std::string, int64_t> products;
};

/// Product of a compilation, with the code of each of the target's CPUs. Members are destroyed in reverse order.
struct CompiledModule {
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> module;
  std::unique_ptr<llvm::TargetMachine> machine;
  Signature signature;
  std::string prefix;
  bool isHost = false;        // for the host's system
  int64_t workspaceBytes = 0; // of one sample, on the CPU that needs the most
  int64_t liveSetBytes = 0;   // there, the largest set of buffers in it that live at one moment
  std::vector<Kernel> kernels;
};

/// What a compilation is for. Bits do not depend on it.
enum class CodeEffort {
  Full, // fast code
  Quick // code that runs a few times: two or three times as slow, in less than half the time
};

/// Lowers and optimises `module`, which is consumed. `prefix` is a C identifier. With
/// `exportAlias` it also exports dyadic_open, which only one module of a program can.
llvm::Expected<CompiledModule> compileModule(mlir::ModuleOp module, const Target &target, llvm::StringRef prefix,
                                             bool exportAlias = false, CodeEffort effort = CodeEffort::Full);

/// What a file name's ending asks for.
enum class Emission { SharedLibrary, Object, Assembly, LLVMIR };

/// Adds the file to `files`, and beside a library or an object its header, with the
/// ending .h.
llvm::Error emitModule(CompiledModule &compiled, Emission emission, llvm::StringRef path, FileSet &files);

/// Bytes of the machine code in the object that `compiled` becomes, without its constants.
llvm::Expected<int64_t> codeBytes(CompiledModule &compiled);

/// `text` as a C identifier: other characters as _, m_ before a leading digit.
std::string cIdentifier(llvm::StringRef text);

} // namespace dyadic

#endif // DYADIC_TARGET_COMPILE_H
