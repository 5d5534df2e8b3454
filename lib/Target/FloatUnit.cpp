// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Target/FloatUnit.h"

namespace dyadic {

namespace {
struct NamedUnit {
  llvm::StringLiteral family;
  FloatUnit unit;
};
} // namespace

// 16 registers: 6 x 2 sums, 2 of weights, 1 of input. With AVX512 there are 32 of 16 lanes.
static constexpr FloatUnit kAvx{8, 6, 6, true}, kAvx512{16, 14, 8, true};
// Every AArch64 has 32 registers of 4 lanes, and fuses.
static constexpr FloatUnit kNeon{4, 6, 8, true};
static constexpr FloatUnit kPlain{4, 2, 2, false}, kSmall{0, 0, 0, false};

static constexpr NamedUnit kUnits[] = {{"avx2", kAvx},          {"avxvnni", kAvx},    {"avx512vnni", kAvx512},
                                       {"neon-dotprod", kNeon}, {"neon-i8mm", kNeon}, {"cortex-m", kSmall}};

FloatUnit floatUnitOf(const TargetCpu &cpu, const llvm::Triple &triple) {
  // Vectors of 32-bit Arm flush subnormal numbers to zero.
  FloatUnit unit = triple.isAArch64() ? kNeon : triple.isARM() || triple.isThumb() ? kSmall : kPlain;
  for (const NamedUnit &known : kUnits)
    if (known.family == cpu.family->name)
      unit = known.unit;
  if (cpu.isEmulated) // the family's kernels in the baseline's code
    unit.hasFusedMultiplyAdd = triple.isAArch64();
  return unit;
}

} // namespace dyadic
