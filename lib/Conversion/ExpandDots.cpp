// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reference expansions of dot and pack instructions: what their manuals say, in plain vectors.

#include "VectorBuilder.h"
#include "dyadic/Conversion/Passes.h"

using namespace mlir;

namespace dyadic {
#define GEN_PASS_DEF_EXPANDDOTS
#include "dyadic/Conversion/Passes.h.inc"

namespace {
/// Groups of neighbouring products become one sum each.
struct DotInstruction {
  llvm::StringLiteral name;
  bool isUnsigned; // the first factor; the second is signed
  unsigned group;
  bool accumulates; // onto the first operand, modulo 2^32
  bool saturates;   // to 16 bits
};
} // namespace

static constexpr DotInstruction kInstructions[] = {
    {"llvm.x86.avx2.pmadd.ub.sw", true, 2, false, true},    // Intel SDM: VPMADDUBSW
    {"llvm.x86.avx2.pmadd.wd", false, 2, false, false},     // VPMADDWD
    {"llvm.x86.avx512.vpdpbusd.256", true, 4, true, false}, // VPDPBUSD
    {"llvm.x86.avx512.vpdpbusd.512", true, 4, true, false},
    {"llvm.x86.avx512.vpdpwssd.256", false, 2, true, false}, // VPDPWSSD
    {"llvm.x86.avx512.vpdpwssd.512", false, 2, true, false},
    {"llvm.aarch64.neon.sdot.v4i32.v16i8", false, 4, true, false}, // Arm ARM: SDOT (vector)
    {"llvm.aarch64.neon.usdot.v4i32.v16i8", true, 4, true, false}, // USDOT (vector)
};

/// The lanes of both operands narrowed to half their width, half by half of a register.
struct PackInstruction {
  llvm::StringLiteral name;
  bool isUnsigned; // saturates to unsigned numbers
};
static constexpr PackInstruction kPacks[] = {
    {"llvm.x86.avx2.packssdw", false}, // VPACKSSDW
    {"llvm.x86.avx2.packsswb", false}, // VPACKSSWB
    {"llvm.x86.avx2.packuswb", true},  // VPACKUSWB
};

static Value sumNeighbours(VectorBuilder &b, Value value, unsigned group) {
  for (; group > 1; group /= 2) {
    SmallVector<int32_t> even, odd;
    for (int32_t i = 0, n = cast<VectorType>(value.getType()).getNumElements(); i < n; i += 2) {
      even.push_back(i);
      odd.push_back(i + 1);
    }
    value = b.add(b.shuffle(value, value, even), b.shuffle(value, value, odd));
  }
  return value;
}

static Value expand(VectorBuilder &b, const DotInstruction &dot, ValueRange operands) {
  Value x = operands[dot.accumulates], w = operands[dot.accumulates + 1];
  Value sums = sumNeighbours(b, b.multiply(b.extend(x, dot.isUnsigned, 32), b.extend(w, false, 32)), dot.group);
  if (dot.saturates)
    return b.truncate(b.clamp(sums, INT16_MIN, INT16_MAX), 16);
  return dot.accumulates ? b.add(operands[0], sums) : sums;
}

static Value expand(VectorBuilder &b, const PackInstruction &pack, ValueRange operands) {
  auto type = cast<VectorType>(operands[0].getType());
  auto count = static_cast<int32_t>(type.getNumElements());
  unsigned width = type.getElementTypeBitWidth() / 2;
  int64_t low = pack.isUnsigned ? 0 : llvm::minIntN(width);
  int64_t high = pack.isUnsigned ? static_cast<int64_t>(llvm::maxUIntN(width)) : llvm::maxIntN(width);
  Value parts[2];
  for (int64_t i : {0, 1})
    parts[i] = b.truncate(b.clamp(operands[i], low, high), width);
  SmallVector<int32_t> lanes;
  for (int32_t half : {0, count / 2})
    for (int32_t operand : {0, count})
      for (int32_t i = 0; i < count / 2; ++i)
        lanes.push_back(operand + half + i);
  return b.shuffle(parts[0], parts[1], lanes);
}

namespace {
struct ExpandDots : impl::ExpandDotsBase<ExpandDots> {
  void runOnOperation() override {
    bool isComplete = true;
    getOperation().walk([&](LLVM::CallIntrinsicOp call) {
      StringRef name = call.getIntrin();
      const auto *dot = llvm::find_if(kInstructions, [&](const DotInstruction &known) { return known.name == name; });
      const auto *pack = llvm::find_if(kPacks, [&](const PackInstruction &known) { return known.name == name; });
      if (dot != std::end(kInstructions) || pack != std::end(kPacks)) {
        OpBuilder builder(call);
        VectorBuilder vectors(builder, call.getLoc());
        Value expanded = dot != std::end(kInstructions) ? expand(vectors, *dot, call.getArgs())
                                                        : expand(vectors, *pack, call.getArgs());
        call->getResult(0).replaceAllUsesWith(expanded);
        call.erase();
      } else if (name.starts_with("llvm.x86.") || name.starts_with("llvm.aarch64.") || name.starts_with("llvm.arm.")) {
        call.emitError() << "no reference expansion of '" << name << "'";
        isComplete = false;
      }
    });
    if (!isComplete)
      signalPassFailure();
  }
};
} // namespace
} // namespace dyadic
