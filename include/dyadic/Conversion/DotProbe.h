// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The sequences of instructions by which packed kernels multiply and sum, and functions that do nothing else: they
// show how fast a machine can be at most.

#ifndef DYADIC_CONVERSION_DOTPROBE_H
#define DYADIC_CONVERSION_DOTPROBE_H

#include "dyadic/IR/QnnDialect.h"
#include "mlir/IR/Builders.h"
#include <optional>

namespace dyadic {

/// A dot instruction, and of `maddubs` how many blocks are summed in 16 bits before they are widened.
struct DotSequence {
  qnn::Dot dot;
  int64_t group = 1;

  /// `dpbusd`, `maddubs x4`.
  std::string name() const;
  /// Nothing where `name` is none.
  static std::optional<DotSequence> parse(llvm::StringRef name);
};

/// Builds the LLVM function `void name(ptr)`: the sequence over and over on operands in registers, which are loaded
/// from the pointer, 896 bytes, as 12 sums are, which are stored there; registers have `lanes` sums (DotBuilder.h).
/// Returns the multiply-accumulates of a call; 0 and builds nothing for instructions of other machines than x86-64.
int64_t buildDotProbe(mlir::OpBuilder &builder, mlir::Location location, llvm::StringRef name,
                      const DotSequence &sequence, int64_t lanes);

} // namespace dyadic

#endif // DYADIC_CONVERSION_DOTPROBE_H
