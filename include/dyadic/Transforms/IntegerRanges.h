// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the integer program can compute at most: exact ranges of stored values and
// accumulators from clamps and constant weights. The rewrite chooses exponents by
// them and the proof pass checks them.

#ifndef DYADIC_TRANSFORMS_INTEGERRANGES_H
#define DYADIC_TRANSFORMS_INTEGERRANGES_H

#include "dyadic/IR/QnnDialect.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <string>

namespace dyadic {

class IntegerRanges {
public:
  /// The range of all elements of an integer-level value. Accumulators may exceed
  /// 32 bits here; the proof reports it. Values of unknown operations get their type's range.
  StorageRange of(mlir::Value value);
  /// The largestLegalWidth of the input of a layer that accumulates.
  unsigned largestWidth(mlir::Operation *op, unsigned bits);

private:
  StorageRange compute(mlir::Operation *op);
  llvm::DenseMap<mlir::Value, StorageRange> known;
};

/// The most bits, fewer than `bits` and at least 2, with which sums fit 32 bits; 0 where
/// there are none. `sums(k)` is their range with `k` bits less.
unsigned largestLegalWidth(unsigned bits, llvm::function_ref<StorageRange(unsigned)> sums);

/// The sums `bias + sum w[i] * x[i]` of one channel for all x[i] in `input`, exact; with
/// `shift` more, what they would be if the input had so many bits less: its distances from
/// the zero point are halved by each, and so is the bias, unless it is so large that the
/// scale of the weights gives way to it.
StorageRange channelRange(const std::vector<int64_t> &weights, int64_t bias, int64_t zeroPoint, StorageRange input,
                          unsigned shift = 0);

/// What an accumulator beyond 32 bits is told as: the bound, the width of the activations
/// and the largest legal one (0: none).
std::string accumulatorFault(int64_t bound, unsigned activationBits, unsigned legalBits);

/// max |x - zeroPoint| over a range.
int64_t magnitude(StorageRange range, int64_t zeroPoint);

} // namespace dyadic

#endif // DYADIC_TRANSFORMS_INTEGERRANGES_H
