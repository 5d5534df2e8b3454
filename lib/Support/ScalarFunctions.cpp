// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/ScalarFunctions.h"
#include "dyadic/Support/Dyadic.h"
#include <limits>

namespace dyadic {

// ln 2 = kLn2High + kLn2Low; the product of an exponent and the high part is exact.
static constexpr double kLn2High = 0x1.62e42fee00000p-1, kLn2Low = 0x1.a39ef35793c76p-33;

double HostDouble::exp(double x) {
  if (std::isnan(x))
    return x;
  if (x > 709.0)
    return std::numeric_limits<double>::infinity();
  if (x < -700.0)
    return 0;
  double n = roundHalfEven(x * 1.4426950408889634);
  double r = (x - n * kLn2High) - n * kLn2Low;
  double sum = 1; // 1 + r (1 + r/2 (1 + r/3 ...)), |r| < 0.35: 16 terms leave less than 2^-70
  for (int k = 16; k >= 1; --k)
    sum = 1 + r * sum / k;
  return std::ldexp(sum, static_cast<int>(n));
}

double HostDouble::log(double x) {
  if (!(x >= 0))
    return std::numeric_limits<double>::quiet_NaN();
  if (x == 0 || std::isinf(x))
    return x == 0 ? -std::numeric_limits<double>::infinity() : x;
  int e = 0;
  double m = std::frexp(x, &e);
  if (m < 0.70710678118654752) {
    m *= 2;
    --e;
  }
  double s = (m - 1) / (m + 1), z = s * s, sum = 0; // |s| < 0.172
  for (int k = 25; k >= 1; k -= 2)
    sum = sum * z + 2.0 / k;
  return e * kLn2High + (s * sum + e * kLn2Low);
}

double HostDouble::tanh(double x) {
  double t = exp(-2 * std::fabs(x)), size = (1 - t) / (1 + t);
  return x < 0 ? -size : size;
}

double HostDouble::erf(double x) {
  // 2/sqrt(pi) exp(-x^2) sum_n 2^n x^(2n+1) / (1 * 3 * ... * (2n+1)): positive terms, no
  // cancellation (Abramowitz and Stegun, 7.1.6).
  double size = std::fabs(x);
  if (!(size < 6)) // 1 to double precision; NaN stays
    return std::isnan(x) ? x : (x < 0 ? -1.0 : 1.0);
  double term = size, sum = size;
  for (int n = 1; n < 200; ++n) {
    term *= 2 * size * size / (2 * n + 1);
    sum += term;
  }
  double y = 1.1283791670955126 * exp(-size * size) * sum;
  return x < 0 ? -y : y;
}

} // namespace dyadic
