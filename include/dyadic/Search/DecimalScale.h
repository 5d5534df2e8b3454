// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exact sums of the numbers that people write. A double stands for the shortest
// decimal number that reads back as it: 0.1 is one tenth, so that 0.1 + 0.2 meets a
// limit of 0.3.

#ifndef DYADIC_SEARCH_DECIMALSCALE_H
#define DYADIC_SEARCH_DECIMALSCALE_H

#include "llvm/ADT/APInt.h"
#include "llvm/ADT/ArrayRef.h"

namespace dyadic {

/// A power of ten that given numbers are multiples of, and integers wide enough for sums of the multiples.
class DecimalScale {
public:
  /// For sums of at most `terms` of the `numbers` (finite), each added or subtracted.
  DecimalScale(llvm::ArrayRef<double> numbers, size_t terms);

  unsigned width() const { return bits; }
  llvm::APInt zero() const { return llvm::APInt(bits, 0); }
  /// `number`, one of those given, as a multiple of the unit.
  llvm::APInt toInteger(double number) const;
  /// The double nearest to `multiple` units; ties to even.
  double toDouble(const llvm::APInt &multiple) const;
  /// `multiple` units within 4 units in the last place, fast; for search, not for results.
  double toNearby(const llvm::APInt &multiple) const;

private:
  int exponent = 0; // the unit is 10^exponent
  unsigned bits = 64;
  double unit = 1; // nearest to it; 0 where it is too small or large for toNearby's product
};

} // namespace dyadic

#endif // DYADIC_SEARCH_DECIMALSCALE_H
