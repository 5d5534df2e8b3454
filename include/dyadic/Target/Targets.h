// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the compiler knows about CPUs, as data.

#ifndef DYADIC_TARGET_TARGETS_H
#define DYADIC_TARGET_TARGETS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>
#include <string>

namespace dyadic {

/// Bits that one `cpuid` leaf must have. Registers: 0 eax, 1 ebx, 2 ecx, 3 edx.
struct CpuidRequirement {
  uint32_t leaf;
  uint8_t reg;
  uint32_t mask;
  uint32_t subleaf = 0;
};

/// A family of CPUs that one library can run on.
struct CpuTarget {
  llvm::StringLiteral name;
  /// The architecture it belongs to, as LLVM names it; empty: any.
  llvm::StringLiteral arch;
  /// LLVM's CPU name; empty: the architecture's baseline.
  llvm::StringLiteral cpu;
  /// What it has beyond that, as LLVM names it; then how LLVM is to tune for it.
  llvm::ArrayRef<llvm::StringLiteral> extensions;
  llvm::StringLiteral tuning;
  /// What the library checks when it is opened (x86-64 only), and which bits of XCR0 say
  /// that the operating system saves the registers.
  llvm::ArrayRef<CpuidRequirement> requirements;
  uint32_t savedState;
  /// What `open` reports where the check fails.
  llvm::StringLiteral lacks;
  /// The instructions of packed kernels (`#qnn.dot`) for inputs of up to 8 and of 9 to
  /// 16 bits; empty: the target has none.
  llvm::StringLiteral byteDot, wordDot;
};

/// A CPU and the system it runs under.
struct Target {
  const CpuTarget *cpu = nullptr;
  std::string triple;  // normalised
  bool isHost = false; // the host's own triple
  std::string name() const { return (cpu->name + (isHost ? "" : "@" + triple)).str(); }
};

/// `CPU[@TRIPLE]`: native, generic, avx2, avxvnni, avx512vnni; the host's triple without one. `native` is
/// the best known target that this CPU has the instructions of. Errors list the choices.
llvm::Expected<Target> parseTarget(llvm::StringRef text);

/// Whether this machine runs what is compiled for `target`.
bool canRun(const Target &target);

/// Position-independent code, no fused multiply-add that the program does not ask for.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const Target &target);

} // namespace dyadic

#endif // DYADIC_TARGET_TARGETS_H
