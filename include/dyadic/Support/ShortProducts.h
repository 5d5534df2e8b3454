// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Requantization in 32 bits: where multipliers have few bits, their products with sums and what
// rounds them fit, and Dyadic.h's 64 bits are not needed. docs/Arithmetic.md, section 5.

#ifndef DYADIC_SUPPORT_SHORTPRODUCTS_H
#define DYADIC_SUPPORT_SHORTPRODUCTS_H

#include "dyadic/Support/Dyadic.h"

namespace dyadic {

/// The same factors without the powers of two that all three have in common; e stays at least 1. Of 0 and 0: e = 1.
MultiplierPair reduced(MultiplierPair f);

/// What short products are added to before the division by 2^e: half of it, which rounds, and the zero point times it.
inline int64_t shortAddend(int32_t e, int64_t zeroPoint) {
  return (int64_t(1) << (e - 1)) + zeroPoint * (int64_t(1) << e);
}

/// True where e is in [1, 31] and a1 * m1 + a2 * m2 + shortAddend(e, zeroPoint), its three terms and their sum lie in
/// 32 bits for all a1 and a2 of the ranges: then 32-bit arithmetic gives what requantize() and requantizeSum() give
/// with Rounding::HalfUp, and their zero point. A requantization has m2 = 0.
bool fitShortProducts(StorageRange a1, StorageRange a2, MultiplierPair f, int64_t zeroPoint);

/// The same where `start` has the addend and the product of a number, the bias, in it: a1 * m1 + start + a2 * m2 and e.
bool fitScaledSums(StorageRange a1, int32_t start, StorageRange a2, MultiplierPair f);

/// `M` > 0 rounded to `bits` significant bits, ties to even.
double roundToBits(double M, int bits);

} // namespace dyadic

#endif // DYADIC_SUPPORT_SHORTPRODUCTS_H
