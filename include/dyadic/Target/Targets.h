// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the compiler knows about CPUs, as data.

#ifndef DYADIC_TARGET_TARGETS_H
#define DYADIC_TARGET_TARGETS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dyadic {

/// Bits that one `cpuid` leaf must have. Registers: 0 eax, 1 ebx, 2 ecx, 3 edx.
struct CpuidRequirement {
  uint32_t leaf;
  uint8_t reg;
  uint32_t mask;
  uint32_t subleaf = 0;
};

/// A feature that an AArch64 CPU must have, as Linux, macOS and the CPU itself tell it.
struct ArmRequirement {
  /// The key for getauxval, AT_HWCAP or AT_HWCAP2, and the bit of its value.
  uint32_t auxiliaryKey, hwcap;
  /// A number of sysctlbyname that is not 0.
  llvm::StringLiteral sysctl;
  /// An identification register with a field of 4 bits, not 0, from bit `shift` on.
  llvm::StringLiteral idRegister;
  uint8_t shift;
};

/// A family of CPUs that one code can run on.
struct CpuTarget {
  llvm::StringLiteral name;
  /// The architecture it belongs to; unknown: any.
  llvm::Triple::ArchType arch;
  /// The system that its name stands for where the host is of another architecture.
  llvm::StringLiteral triple;
  /// LLVM's CPU name; empty: the architecture's baseline.
  llvm::StringLiteral cpu;
  /// What it has beyond that, as LLVM names it; then how LLVM is to tune for it.
  llvm::ArrayRef<llvm::StringLiteral> extensions;
  llvm::StringLiteral tuning;
  /// What a library checks when it is opened. x86-64: also which bits of XCR0 say that the
  /// operating system saves the registers.
  llvm::ArrayRef<CpuidRequirement> cpuid;
  uint32_t savedState;
  llvm::ArrayRef<ArmRequirement> arm;
  /// The same in words; empty: nothing.
  llvm::StringLiteral needs;
  /// The instructions of packed kernels (`#qnn.dot`) for inputs of up to 8 and of 9 to
  /// 16 bits; empty: the target has none.
  llvm::StringLiteral byteDot, wordDot;
  /// Positions that a packed kernel computes together: its sums, weights and one input fill the registers.
  uint8_t rows = 0;
  /// Sums of a register of theirs.
  uint8_t lanes = 8;
  /// Small code rather than fast.
  bool isSmall = false;
};

/// One of the CPUs that a program is compiled for.
struct TargetCpu {
  const CpuTarget *family = nullptr;
  /// The family's kernels in code for the architecture's baseline: dot instructions as plain vectors.
  bool isEmulated = false;

  std::string name() const { return (isEmulated ? "emulated-" : "") + family->name.str(); }
  /// The family whose instructions the code has.
  const CpuTarget &code() const;
};

/// CPUs of one system: a program for several has the code of each and chooses when it is opened.
struct Target {
  std::vector<TargetCpu> cpus; // the best last
  std::string triple;          // normalised
  bool isHost = false;         // the host's own triple

  /// `avx2,avx512vnni`, `generic@aarch64-unknown-linux-gnu`.
  std::string name() const;
  /// The name of one of its CPUs as a target of its own.
  std::string nameOf(const TargetCpu &cpu) const { return cpu.name() + (isHost ? "" : "@" + triple); }
};

/// `CPU[,CPU...][@TRIPLE]`. A CPU is `native`, the best that this machine has the instructions of, or one of
/// the families, which --help lists; with `emulated-` before it its kernels run anywhere. Without a triple the system
/// is the host's, or the one that the CPU's name stands for. Errors list the choices.
llvm::Expected<Target> parseTarget(llvm::StringRef text);

/// The best of the target's CPUs alone, or nothing where this machine runs none of them.
std::optional<Target> runnableHere(const Target &target);

/// The names of all CPUs, separated by commas, as parseTarget takes them.
std::string knownCpus();

/// Whether a shared library can be linked for the target here: for the host's system or a Linux of
/// 64 bits, where code needs no helper that another library would have to bring.
bool hasLibraries(const Target &target);

/// What LLVM generates code for: the attributes `target-cpu` and `target-features` of a function.
struct CodeFeatures {
  std::string cpu, features;
};
CodeFeatures codeFeatures(const Target &target, const CpuTarget &family);
/// What every CPU of the architecture has.
CodeFeatures baselineFeatures(const Target &target);

/// Position-independent code, no fused multiply-add that the program does not ask for. With several CPUs the
/// machine is the architecture's baseline, and functions say by their attributes what they may use.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const Target &target);

} // namespace dyadic

#endif // DYADIC_TARGET_TARGETS_H
