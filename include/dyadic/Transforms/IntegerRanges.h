// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the integer program can compute at most: exact ranges of stored values and
// accumulators from clamps and constant weights. The rewrite chooses exponents by
// them and the proof pass checks them.

#ifndef DYADIC_TRANSFORMS_INTEGERRANGES_H
#define DYADIC_TRANSFORMS_INTEGERRANGES_H

#include "dyadic/IR/QnnDialect.h"
#include "llvm/ADT/DenseMap.h"
#include <string>

namespace dyadic {

class IntegerRanges {
public:
  /// The range of all elements of an integer-level value. Accumulators may exceed
  /// 32 bits here; the proof reports it. Values of unknown operations get their type's range.
  StorageRange of(mlir::Value value);

private:
  StorageRange compute(mlir::Operation *op);
  llvm::DenseMap<mlir::Value, StorageRange> known;
};

/// What an accumulator beyond 32 bits is told as: the bound, the width of the activations
/// and the largest legal one. Each bit less halves the bound, because the zero point and
/// the scale of the bias follow.
std::string accumulatorFault(int64_t bound, unsigned activationBits);

/// max |x - zeroPoint| over a range.
int64_t magnitude(StorageRange range, int64_t zeroPoint);

} // namespace dyadic

#endif // DYADIC_TRANSFORMS_INTEGERRANGES_H
