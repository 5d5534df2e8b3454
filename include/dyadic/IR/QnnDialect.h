// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The qnn dialect: see docs/Dialects for its reference page.

#ifndef DYADIC_IR_QNNDIALECT_H
#define DYADIC_IR_QNNDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dyadic/Support/Dyadic.h"

namespace dyadic::qnn {

/// Marks operations that move stored values and compute none.
template <typename ConcreteType> class PassThrough : public mlir::OpTrait::TraitBase<ConcreteType, PassThrough> {};

// Names of the attributes of the entry function, its arguments and results.
inline constexpr llvm::StringLiteral kNameAttr = "qnn.name";
inline constexpr llvm::StringLiteral kTypeAttr = "qnn.type";
inline constexpr llvm::StringLiteral kBatchAttr = "qnn.batch";
inline constexpr llvm::StringLiteral kValueAttr = "qnn.value";

} // namespace dyadic::qnn

#include "dyadic/IR/QnnDialect.h.inc"
#include "dyadic/IR/QnnEnums.h.inc"
#include "dyadic/IR/QnnInterfaces.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dyadic/IR/QnnAttributes.h.inc"
#define GET_OP_CLASSES
#include "dyadic/IR/QnnOps.h.inc"

namespace dyadic::qnn {

/// Output channels of a panel of packed weights.
inline constexpr int64_t kPanelChannels = 16;
/// The most positions that a kernel computes together.
inline constexpr int64_t kMostRows = 12;

/// Channels of a panel of a depthwise convolution by bytes, and which of them place `i` has: instructions that
/// interleave and narrow registers of 256 bits work within their halves.
inline constexpr int64_t kByteDepthwiseChannels = 32;
inline int64_t byteDepthwiseChannel(int64_t i) { return i / 8 * 4 + i % 4 + (i / 4 % 2) * 16; }

/// The same for 16-bit sums of bytes that are interleaved once.
inline int64_t pairDepthwiseChannel(int64_t i) { return i / 16 * 8 + i % 8 + (i / 8 % 2) * 16; }

/// True for the instructions that multiply bytes in a depthwise convolution, and how many kernel positions go together.
inline bool isOfBytes(Dot dot) { return dot == Dot::Dpbusd || dot == Dot::Maddubs; }
inline int64_t positionsTogether(Dot dot) { return dot == Dot::Dpbusd ? 4 : 2; }
/// The largest magnitude of a nibble of a weight of `maddubs`, and how many products with bytes 16-bit sums hold.
inline constexpr int64_t kLargestNibble = 8, kNibblesInSum = 16;
/// What an upper nibble counts.
inline constexpr int64_t kNibbleBase = 16;

/// Whether a packed operation's sums are multiplied by the epilogue's multiplier where they widen from 16 bits.
template <typename Op> bool hasScaledSums(Op op) { return op.getScaledSums(); }
inline bool hasScaledSums(PackedWinogradOp) { return false; }

/// Exponents of an epilogue go up to one, from the other on the high halves of 64-bit products are enough.
inline constexpr int64_t kMostExponent = 62, kLeastHighExponent = 33;

/// True for the instructions that multiply 16-bit numbers.
inline bool multipliesWords(Dot dot) { return dot == Dot::Maddwd || dot == Dot::Dpwssd || dot == Dot::Mlal; }
/// The largest magnitude of an input of a packed convolution as `dot` multiplies it, `xMax` its largest unsigned byte.
inline int64_t largestInput(Dot dot, int64_t xMax) {
  return multipliesWords(dot) ? int64_t(1) << 15 : dot == Dot::Sdot ? 128 : xMax;
}
/// The inputs that `dot` multiplies, up to `xMax` where it takes unsigned ones.
inline StorageRange multipliedInputs(Dot dot, int64_t xMax) {
  int64_t largest = largestInput(dot, xMax);
  return {multipliesWords(dot) || dot == Dot::Sdot ? -largest : 0, largest};
}
/// Numbers of input in the 4 bytes of a block.
inline int64_t blockInputs(Dot dot) { return multipliesWords(dot) ? 2 : 4; }
/// Where a block has the weight of `channel` for its input `input`.
inline int64_t blockWeight(Dot dot, int64_t channel, int64_t input) {
  constexpr int64_t kHalf = kPanelChannels / 2;
  return dot == Dot::Mlal ? channel / kHalf * kPanelChannels + input * kHalf + channel % kHalf
                          : channel * blockInputs(dot) + input;
}
/// True for the instructions of Arm's vector registers.
inline bool isOfNeon(Dot dot) { return dot == Dot::Sdot || dot == Dot::Usdot || dot == Dot::Mlal; }

} // namespace dyadic::qnn

#endif // DYADIC_IR_QNNDIALECT_H
