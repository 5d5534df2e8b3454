// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Target/Targets.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"
#include "llvm/TargetParser/Triple.h"

namespace dyadic {

static constexpr uint32_t bit(unsigned n) { return uint32_t(1) << n; }

// x86-64-v3 of the System V ABI: leaf 1 ecx: SSE3, SSSE3, FMA, CX16, SSE4.1, SSE4.2,
// MOVBE, POPCNT, OSXSAVE, AVX, F16C; leaf 7 ebx: BMI1, AVX2, BMI2; leaf 0x80000001
// ecx: LAHF, LZCNT.
static constexpr CpuidRequirement kAvx2Requirements[] = {
    {1, 2, bit(0) | bit(9) | bit(12) | bit(13) | bit(19) | bit(20) | bit(22) | bit(23) | bit(27) | bit(28) | bit(29)},
    {7, 1, bit(3) | bit(5) | bit(8)},
    {0x80000001, 2, bit(0) | bit(5)},
};

// The same and leaf 7 subleaf 1 eax: AVX-VNNI.
static constexpr CpuidRequirement kAvxVnniRequirements[] = {
    kAvx2Requirements[0], kAvx2Requirements[1], kAvx2Requirements[2], {7, 0, bit(4), 1}};

// Leaf 7 ebx: AVX512F and VL; then VNNI in ecx.
static constexpr CpuidRequirement kAvx512VnniRequirements[] = {
    kAvx2Requirements[0],
    {7, 1, bit(3) | bit(5) | bit(8) | bit(16) | bit(31)},
    kAvx2Requirements[2],
    {7, 2, bit(11)},
};

// XCR0: SSE and AVX state; opmasks and both halves of the 512-bit registers.
static constexpr uint32_t kAvxState = bit(1) | bit(2), kAvx512State = kAvxState | bit(5) | bit(6) | bit(7);

// Of x86-64-v3 what a host is asked for.
static constexpr llvm::StringLiteral kV3Features[] = {"avx2", "fma", "bmi", "bmi2", "f16c", "lzcnt", "movbe", "popcnt"};
static constexpr llvm::StringLiteral kAvxVnni[] = {"avxvnni"}, kAvx512Vnni[] = {"avx512f", "avx512vl", "avx512vnni"};

// The best last: `native` takes the last one that the host has.
static constexpr CpuTarget kTargets[] = {
    {"generic", "", "", {}, "", {}, 0, "", "", ""},
    {"avx2",
     "x86_64",
     "x86-64-v3",
     {},
     "",
     kAvx2Requirements,
     kAvxState,
     "this CPU or operating system lacks AVX2, FMA or BMI2 (x86-64-v3), which the library was compiled for",
     "maddubs",
     "maddwd"},
    {"avxvnni", "x86_64", "x86-64-v3", kAvxVnni, "", kAvxVnniRequirements, kAvxState,
     "this CPU or operating system lacks AVX-VNNI or AVX2, which the library was compiled for", "dpbusd", "dpwssd"},
    // Without BW on purpose: LLVM 22 makes a full store of a masked one of bytes that it narrows from 64 bits.
    {"avx512vnni", "x86_64", "x86-64-v3", kAvx512Vnni, "+prefer-256-bit", kAvx512VnniRequirements, kAvx512State,
     "this CPU or operating system lacks AVX512 with VNNI, which the library was compiled for", "dpbusd", "dpwssd"},
};

static bool hostHas(const CpuTarget &target) {
  if (target.requirements.empty())
    return true;
  auto features = llvm::sys::getHostCPUFeatures();
  auto has = [&](llvm::StringRef feature) { return features.lookup(feature); };
  return llvm::all_of(kV3Features, has) && llvm::all_of(target.extensions, has);
}

/// `+a,+b` and the tuning, as LLVM takes them.
static std::string featuresOf(const CpuTarget &target) {
  llvm::SubtargetFeatures features(target.tuning);
  for (llvm::StringRef extension : target.extensions)
    features.AddFeature(extension);
  return features.getString();
}

llvm::Expected<Target> parseTarget(llvm::StringRef text) {
  auto [cpu, tripleText] = text.split('@');
  if (text.contains('@') && tripleText.empty())
    return makeError("--target=" + escaped(text) + ": no triple behind '@', expected one like aarch64-linux-gnu");
  llvm::Triple host(llvm::Triple::normalize(llvm::sys::getDefaultTargetTriple()));
  llvm::Triple triple(tripleText.empty() ? host.str() : llvm::Triple::normalize(tripleText));
  Target result;
  result.triple = triple.str();
  result.isHost = triple.getArch() == host.getArch() && triple.getOS() == host.getOS();
  bool isSupported =
      llvm::is_contained({llvm::Triple::x86, llvm::Triple::x86_64, llvm::Triple::aarch64, llvm::Triple::arm,
                          llvm::Triple::thumb, llvm::Triple::riscv32, llvm::Triple::riscv64},
                         triple.getArch());
  if (!isSupported)
    return makeError("--target=" + escaped(text) + ": architecture '" + escaped(triple.getArchName()) +
                     "', expected x86, x86_64, aarch64, arm, thumb, riscv32 or riscv64");
  if (cpu == "native" && !result.isHost)
    return makeError("--target=" + escaped(text) + ": native is for this machine, expected generic@" +
                     escaped(tripleText));
  std::vector<llvm::StringRef> names{"native"};
  for (const CpuTarget &candidate : kTargets) {
    bool fits = candidate.arch.empty() || candidate.arch == triple.getArchName();
    if (candidate.name == cpu && !fits)
      return makeError("--target=" + escaped(text) + ": " + cpu + " is a CPU of " + candidate.arch + ", not of " +
                       escaped(triple.getArchName()));
    if (candidate.name == cpu || (cpu == "native" && fits && hostHas(candidate)))
      result.cpu = &candidate;
    names.push_back(candidate.name);
  }
  if (!result.cpu)
    return makeError("--target=" + escaped(text) + ": unknown CPU, expected one of " + llvm::join(names, ", "));
  return result;
}

bool canRun(const Target &target) { return target.isHost && hostHas(*target.cpu); }

llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const Target &target) {
  static const bool initialised = [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    llvm::InitializeAllAsmParsers();
    return true;
  }();
  (void)initialised;
  llvm::Triple triple(target.triple);
  std::string message;
  const llvm::Target *backend = llvm::TargetRegistry::lookupTarget(triple, message);
  if (!backend)
    return makeError("--target: no code generator for '" + escaped(target.triple) + "'");
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  options.FunctionSections = true;
  llvm::StringRef cpu = target.cpu->cpu;
  if (cpu.empty())
    cpu = triple.getArch() == llvm::Triple::x86_64 ? "x86-64" : "generic";
  std::unique_ptr<llvm::TargetMachine> machine(backend->createTargetMachine(
      triple, cpu, featuresOf(*target.cpu), options, llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Default));
  if (!machine)
    return makeError("--target: no code generator for '" + escaped(target.triple) + "'");
  return machine;
}

} // namespace dyadic
