// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/ShortProducts.h"

namespace dyadic {

MultiplierPair reduced(MultiplierPair f) {
  if (f.m1 == 0 && f.m2 == 0)
    return {};
  while (f.e > 1 && f.m1 % 2 == 0 && f.m2 % 2 == 0) {
    f.m1 /= 2;
    f.m2 /= 2;
    --f.e;
  }
  return f;
}

/// The products of all numbers in `a` with m.
static StorageRange products(StorageRange a, int64_t m) {
  return m < 0 ? StorageRange{a.max * m, a.min * m} : StorageRange{a.min * m, a.max * m};
}

static bool isNarrow(StorageRange r) { return r.min >= INT32_MIN && r.max <= INT32_MAX; }

bool fitShortProducts(StorageRange a1, StorageRange a2, MultiplierPair f, int64_t zeroPoint) {
  if (f.e < 1 || f.e > 31 || !isNarrow(a1) || !isNarrow(a2))
    return false;
  const int64_t addend = shortAddend(f.e, zeroPoint);
  StorageRange p1 = products(a1, f.m1), p2 = products(a2, f.m2);
  StorageRange sum{p1.min + p2.min + addend, p1.max + p2.max + addend};
  return isNarrow(p1) && isNarrow(p2) && isNarrow({addend, addend}) && isNarrow(sum);
}

bool fitScaledSums(StorageRange a1, int32_t start, StorageRange a2, MultiplierPair f) {
  StorageRange p1 = products(a1, f.m1), p2 = products(a2, f.m2);
  return f.e >= 1 && f.e <= 31 && isNarrow(p2) && isNarrow({p1.min + p2.min + start, p1.max + p2.max + start});
}

double roundToBits(double M, int bits) {
  int exponent = 0;
  const double fraction = std::frexp(M, &exponent);
  return std::ldexp(roundHalfEven(std::ldexp(fraction, bits)), exponent - bits);
}

} // namespace dyadic
