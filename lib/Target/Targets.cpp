// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Target/Targets.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"
#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

using llvm::StringRef;
using llvm::Triple;

namespace dyadic {

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

static constexpr uint32_t bit(unsigned n) { return uint32_t(1) << n; }

// x86-64-v3 of the System V ABI: leaf 1 ecx: SSE3, SSSE3, FMA, CX16, SSE4.1, SSE4.2,
// MOVBE, POPCNT, OSXSAVE, AVX, F16C; leaf 7 ebx: BMI1, AVX2, BMI2; leaf 0x80000001
// ecx: LAHF, LZCNT.
static constexpr CpuidRequirement kAvx2Cpuid[] = {
    {1, 2, bit(0) | bit(9) | bit(12) | bit(13) | bit(19) | bit(20) | bit(22) | bit(23) | bit(27) | bit(28) | bit(29)},
    {7, 1, bit(3) | bit(5) | bit(8)},
    {0x80000001, 2, bit(0) | bit(5)},
};

// The same and leaf 7 subleaf 1 eax: AVX-VNNI.
static constexpr CpuidRequirement kAvxVnniCpuid[] = {kAvx2Cpuid[0], kAvx2Cpuid[1], kAvx2Cpuid[2], {7, 0, bit(4), 1}};

// Leaf 7 ebx: AVX512F and VL; then VNNI in ecx.
static constexpr CpuidRequirement kAvx512VnniCpuid[] = {
    kAvx2Cpuid[0],
    {7, 1, bit(3) | bit(5) | bit(8) | bit(16) | bit(31)},
    kAvx2Cpuid[2],
    {7, 2, bit(11)},
};

// XCR0: SSE and AVX state; opmasks and both halves of the 512-bit registers.
static constexpr uint32_t kAvxState = bit(1) | bit(2), kAvx512State = kAvxState | bit(5) | bit(6) | bit(7);

// AT_HWCAP is 16, with HWCAP_ASIMDDP; AT_HWCAP2 is 26, with HWCAP2_I8MM. The registers' fields are DP and I8MM.
static constexpr ArmRequirement kDotprod[] = {{16, bit(20), "hw.optional.arm.FEAT_DotProd", "ID_AA64ISAR0_EL1", 44}};
static constexpr ArmRequirement kI8mm[] = {kDotprod[0],
                                           {26, bit(13), "hw.optional.arm.FEAT_I8MM", "ID_AA64ISAR1_EL1", 52}};

// Of x86-64-v3 what a host is asked for.
static constexpr llvm::StringLiteral kV3Features[] = {"avx2", "fma", "bmi", "bmi2", "f16c", "lzcnt", "movbe", "popcnt"};
static constexpr llvm::StringLiteral kAvxVnni[] = {"avxvnni"}, kAvx512Vnni[] = {"avx512f", "avx512vl", "avx512vnni"},
                                     kNeonDotprod[] = {"dotprod"}, kNeonI8mm[] = {"dotprod", "i8mm"};

static constexpr char kX86Linux[] = "x86_64-linux-gnu", kArmLinux[] = "aarch64-linux-gnu";

// The best last: `native` takes the last one that the host has, and so does a library for several.
static constexpr CpuTarget kTargets[] = {
    {"generic", Triple::UnknownArch, "", "", {}, "", {}, 0, {}, "", "", ""},
    {"avx2",
     Triple::x86_64,
     kX86Linux,
     "x86-64-v3",
     {},
     "",
     kAvx2Cpuid,
     kAvxState,
     {},
     "AVX2, FMA and BMI2 (x86-64-v3)",
     "maddubs",
     "maddwd",
     4},
    {"avxvnni",
     Triple::x86_64,
     kX86Linux,
     "x86-64-v3",
     kAvxVnni,
     "",
     kAvxVnniCpuid,
     kAvxState,
     {},
     "AVX2 and AVX-VNNI",
     "dpbusd",
     "dpwssd",
     6},
    // Without BW on purpose: LLVM 22 makes a full store of a masked one of bytes that it narrows from 64 bits.
    {"avx512vnni",
     Triple::x86_64,
     kX86Linux,
     "x86-64-v3",
     kAvx512Vnni,
     "+prefer-256-bit",
     kAvx512VnniCpuid,
     kAvx512State,
     {},
     "AVX512 with VL and VNNI",
     "dpbusd",
     "dpwssd",
     12,
     16},
    {"neon-dotprod",
     Triple::aarch64,
     kArmLinux,
     "",
     kNeonDotprod,
     "",
     {},
     0,
     kDotprod,
     "the dot products of Armv8.4 (FEAT_DotProd)",
     "sdot",
     "mlal",
     6},
    {"neon-i8mm",
     Triple::aarch64,
     kArmLinux,
     "",
     kNeonI8mm,
     "",
     {},
     0,
     kI8mm,
     "the 8-bit products of Armv8.6 (FEAT_I8MM)",
     "usdot",
     "mlal",
     6},
    {"cortex-m", Triple::thumb, "thumbv7em-none-eabi", "", {}, "", {}, 0, {}, "", "", "", 0, 8, /*isSmall=*/true},
};

static constexpr const CpuTarget &kGeneric = kTargets[0];
static constexpr llvm::StringLiteral kEmulated = "emulated-";

const CpuTarget &TargetCpu::code() const { return isEmulated ? kGeneric : *family; }

std::string Target::name() const {
  auto names = llvm::map_range(cpus, [](const TargetCpu &cpu) { return cpu.name(); });
  return llvm::join(names, ",") + (isHost ? "" : "@" + triple);
}

//===----------------------------------------------------------------------===//
// This machine
//===----------------------------------------------------------------------===//

static Triple hostTriple() { return Triple(Triple::normalize(llvm::sys::getDefaultTargetTriple())); }

static bool hostHas(const CpuTarget &family) {
  if (family.needs.empty())
    return true;
  if (family.arch != hostTriple().getArch())
    return false;
#if defined(__aarch64__) && defined(__linux__)
  return llvm::all_of(family.arm,
                      [](const ArmRequirement &needed) { return getauxval(needed.auxiliaryKey) & needed.hwcap; });
#else
  auto features = llvm::sys::getHostCPUFeatures();
  auto has = [&](StringRef feature) { return features.lookup(feature); };
  return llvm::all_of(family.extensions, has) && (family.arch != Triple::x86_64 || llvm::all_of(kV3Features, has));
#endif
}

std::optional<Target> runnableHere(const Target &target) {
  Target best = target;
  best.cpus.clear();
  for (const TargetCpu &cpu : target.cpus)
    if (target.isHost && hostHas(cpu.code()))
      best.cpus = {cpu};
  return best.cpus.empty() ? std::nullopt : std::optional<Target>(best);
}

bool hasLibraries(const Target &target) {
  Triple triple(target.triple);
  return target.isHost || (triple.isOSLinux() && triple.isArch64Bit());
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

std::string knownCpus() {
  return "native, " + llvm::join(llvm::map_range(kTargets, [](const CpuTarget &family) { return family.name; }), ", ");
}

static const CpuTarget *findFamily(StringRef name) {
  const auto *found = llvm::find_if(kTargets, [&](const CpuTarget &family) { return family.name == name; });
  return found == std::end(kTargets) ? nullptr : found;
}

/// Splits `CPU@TRIPLE` items; all that have a triple must have the same.
static llvm::Error splitItems(StringRef text, llvm::SmallVectorImpl<StringRef> &cpus, StringRef &triple) {
  llvm::SmallVector<StringRef> items;
  text.split(items, ',');
  for (StringRef item : items) {
    auto [cpu, itsTriple] = item.split('@');
    if (item.contains('@') && itsTriple.empty())
      return makeError("--target=" + escaped(text) + ": no triple behind '@', expected one like aarch64-linux-gnu");
    if (!triple.empty() && !itsTriple.empty() && Triple::normalize(triple) != Triple::normalize(itsTriple))
      return makeError("--target=" + escaped(text) + ": triples '" + escaped(triple) + "' and '" + escaped(itsTriple) +
                       "', expected CPUs of one system");
    if (!itsTriple.empty())
      triple = itsTriple;
    cpus.push_back(cpu);
  }
  return llvm::Error::success();
}

static llvm::Error checkArchitecture(StringRef text, const Triple &triple) {
  bool isSupported = llvm::is_contained(
      {Triple::x86, Triple::x86_64, Triple::aarch64, Triple::arm, Triple::thumb, Triple::riscv32, Triple::riscv64},
      triple.getArch());
  if (isSupported)
    return llvm::Error::success();
  return makeError("--target=" + escaped(text) + ": architecture '" + escaped(triple.getArchName()) +
                   "', expected x86, x86_64, aarch64, arm, thumb, riscv32 or riscv64");
}

/// `open` must be able to ask the system or the CPU for what the family needs.
static llvm::Error checkFamily(StringRef text, const TargetCpu &cpu, const Triple &triple) {
  const CpuTarget &family = *cpu.family;
  if (cpu.isEmulated || family.arch == Triple::UnknownArch)
    return llvm::Error::success();
  if (family.arch != triple.getArch())
    return makeError("--target=" + escaped(text) + ": " + family.name + " is a CPU of " +
                     Triple::getArchTypeName(family.arch) + ", not of " + escaped(triple.getArchName()));
  bool isKnown = triple.isOSLinux() || triple.isOSDarwin() || triple.getOS() == Triple::UnknownOS;
  if (!family.arm.empty() && !isKnown)
    return makeError("--target=" + escaped(text) + ": no way to check for " + family.name + " under " +
                     escaped(triple.getOSName()) + ", expected linux, darwin or none");
  return llvm::Error::success();
}

llvm::Expected<Target> parseTarget(StringRef text) {
  llvm::SmallVector<StringRef> names;
  StringRef tripleText;
  if (llvm::Error error = splitItems(text, names, tripleText))
    return error;
  Triple host = hostTriple(), triple(tripleText.empty() ? host.str() : Triple::normalize(tripleText));
  for (size_t i = 0; i < names.size() && tripleText.empty(); ++i)
    if (const CpuTarget *family = findFamily(names[i]))
      if (family->arch != Triple::UnknownArch && family->arch != host.getArch())
        triple = Triple(Triple::normalize(family->triple));
  if (llvm::Error error = checkArchitecture(text, triple))
    return error;

  Target target;
  target.triple = triple.str();
  target.isHost = triple.getArch() == host.getArch() && triple.getOS() == host.getOS();
  for (StringRef name : names) {
    TargetCpu cpu;
    cpu.isEmulated = name.consume_front(kEmulated);
    cpu.family = findFamily(name);
    if (!cpu.isEmulated && name == "native") {
      if (!target.isHost)
        return makeError("--target=" + escaped(text) + ": native is for this machine, expected generic@" +
                         escaped(tripleText.empty() ? StringRef(target.triple) : tripleText));
      for (const CpuTarget &family : kTargets)
        if (hostHas(family) && (family.arch == Triple::UnknownArch || family.arch == host.getArch()))
          cpu.family = &family;
    }
    if (!cpu.family)
      return makeError("--target=" + escaped(text) + ": unknown CPU '" + escaped(name) + "', expected one of " +
                       knownCpus());
    if (cpu.isEmulated && cpu.family->byteDot.empty())
      return makeError("--target=" + escaped(text) + ": " + name + " has no dot instructions to emulate");
    if (llvm::Error error = checkFamily(text, cpu, triple))
      return error;
    target.cpus.push_back(cpu);
  }
  auto rank = [](const TargetCpu &cpu) { return std::make_pair(!cpu.isEmulated, cpu.family); };
  llvm::sort(target.cpus, [&](const TargetCpu &a, const TargetCpu &b) { return rank(a) < rank(b); });
  for (size_t i = 1; i < target.cpus.size(); ++i)
    if (rank(target.cpus[i - 1]) == rank(target.cpus[i]))
      return makeError("--target=" + escaped(text) + ": " + target.cpus[i].name() + " twice, expected each CPU once");
  return target;
}

//===----------------------------------------------------------------------===//
// LLVM
//===----------------------------------------------------------------------===//

CodeFeatures codeFeatures(const Target &target, const CpuTarget &family) {
  std::string cpu = family.cpu.str();
  if (cpu.empty())
    cpu = Triple(target.triple).getArch() == Triple::x86_64 ? "x86-64" : "generic";
  llvm::SubtargetFeatures features(family.tuning);
  if (Triple(target.triple).getArch() == Triple::x86)
    features.AddFeature("sse2"); // x87 rounds to other widths than f32 and f64
  for (StringRef extension : family.extensions)
    features.AddFeature(extension);
  return {cpu, features.getString()};
}

CodeFeatures baselineFeatures(const Target &target) { return codeFeatures(target, kGeneric); }

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
  Triple triple(target.triple);
  std::string message;
  const llvm::Target *backend = llvm::TargetRegistry::lookupTarget(triple, message);
  if (!backend)
    return makeError("--target: no code generator for '" + escaped(target.triple) + "'");
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  options.FunctionSections = true;
  CodeFeatures code = target.cpus.size() == 1 ? codeFeatures(target, target.cpus[0].code()) : baselineFeatures(target);
  std::unique_ptr<llvm::TargetMachine> machine(backend->createTargetMachine(
      triple, code.cpu, code.features, options, llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Default));
  if (!machine)
    return makeError("--target: no code generator for '" + escaped(target.triple) + "'");
  return machine;
}

} // namespace dyadic
