// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How far the numbers of a value's channels reach, without data: what a batch normalization says of a layer's value,
// and what follows from it for the values after.

#ifndef DYADIC_LIB_TRANSFORMS_SPREADS_H
#define DYADIC_LIB_TRANSFORMS_SPREADS_H

#include "dyadic/IR/QnnDialect.h"
#include <optional>

namespace dyadic {

/// A channel's numbers are around `mean` and reach from `low` to `high`, where low <= mean <= high.
struct Spread {
  double mean = 0, low = 0, high = 0;
};
/// All channels as one.
Spread unite(llvm::ArrayRef<Spread> spreads);

/// The spreads of values at the float level: one for each channel (dimension 1), or one where channels are not told
/// apart.
class SpreadMap {
public:
  /// A spread reaches `sigmas` (> 0) standard deviations to either side.
  explicit SpreadMap(double sigmas) : sigmas(sigmas) {}

  void set(mlir::Value value, Spread spread) { spreads[value] = {spread}; }
  llvm::ArrayRef<Spread> at(mlir::Value value) const { return spreads.find(value)->second; }
  /// Adds the spreads of the result of `op` from those of its operands. False for an operation that there is no rule
  /// for.
  bool add(mlir::Operation *op);

private:
  using Spreads = llvm::SmallVector<Spread>;

  Spreads operand(mlir::Operation *op, unsigned index, int64_t channels) const;
  Spread through(llvm::function_ref<double(double)> function, const Spread &x) const;
  std::optional<Spreads> layer(mlir::Operation *op) const;
  Spreads linear(mlir::Operation *op) const;
  std::optional<Spreads> elementwise(mlir::Operation *op, int64_t channels) const;
  Spreads joined(qnn::ConcatOp concat) const;
  std::optional<Spreads> moved(mlir::Operation *op) const;

  double sigmas;
  llvm::DenseMap<mlir::Value, Spreads> spreads;
};

} // namespace dyadic

#endif // DYADIC_LIB_TRANSFORMS_SPREADS_H
