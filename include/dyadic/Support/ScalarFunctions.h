// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Real functions of one number, twice: in f32 for float programs, written once for the
// host and for the lowering, so that both compute the same bits; and in double for the
// entries of tables. Neither calls the host's libm, whose last bits differ.

#ifndef DYADIC_SUPPORT_SCALARFUNCTIONS_H
#define DYADIC_SUPPORT_SCALARFUNCTIONS_H

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace dyadic {

/// The functions in f32 over an algebra `A` of numbers `Real`, which has
///   constant(double), add, subtract, multiply, divide, maximum, minimum, absolute,
///   selectLess(a, b, x, y)   a < b ? x : y
///   powerOfTwo(n + kMagic)   2^n for an integer n in [-126, 127]
///   exponent(x), mantissa(x) x = mantissa * 2^exponent for a normal x > 0, mantissa in [1, 2).
/// NaN stays NaN.
template <class A, class Real> struct FloatFunctions {
  static constexpr double kMagic = 12582912.0; // 1.5 * 2^23: adding it rounds to an integer
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

  /// exp(x), 0 below -87 and infinite above 88; relative error below 4e-7. exp(x) = 2^n * p(r) with
  /// x = n ln 2 + r, |r| <= ln(2) / 2 and ln 2 in two parts (Cody and Waite, 1980); p by
  /// Moshier (Cephes, expf).
  Real exp(Real number) {
    A &a = self();
    Real least = a.constant(-87.0), most = a.constant(88.0);
    Real x = a.minimum(a.maximum(number, least), most);
    Real shifted = a.add(a.multiply(x, a.constant(1.44269504088896341)), a.constant(kMagic));
    Real n = a.subtract(shifted, a.constant(kMagic));
    Real r = a.subtract(x, a.multiply(n, a.constant(0.693359375)));
    r = a.subtract(r, a.multiply(n, a.constant(-2.12194440e-4)));
    Real p = polynomial(r, {1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1,
                            5.0000001201e-1, 1.0, 1.0});
    Real result = a.selectLess(number, least, a.constant(0.0), a.multiply(p, a.powerOfTwo(shifted)));
    return a.selectLess(most, number, a.constant(kInfinity), result);
  }

  /// log(x), NaN below 0 and -infinity for [0, 2^-126); absolute error below 2e-7 + 1.5e-7 * |log(x)|. The
  /// series of atanh: log(m) = 2 (s + s^3 / 3 + ...), s = (m - 1) / (m + 1), m in [0.75, 1.5).
  Real log(Real number) {
    A &a = self();
    Real x = a.maximum(number, a.constant(0x1p-126)), infinity = a.constant(kInfinity);
    Real m = a.mantissa(x), e = a.exponent(x), limit = a.constant(1.5), one = a.constant(1.0);
    e = a.selectLess(m, limit, e, a.add(e, one));
    m = a.selectLess(m, limit, m, a.multiply(m, a.constant(0.5)));
    Real s = a.divide(a.subtract(m, one), a.add(m, one));
    Real p = polynomial(a.multiply(s, s), {2.0 / 11, 2.0 / 9, 2.0 / 7, 2.0 / 5, 2.0 / 3, 2.0});
    Real result = a.add(a.multiply(e, a.constant(0.693147180559945309)), a.multiply(s, p));
    result = a.selectLess(number, infinity, result, number); // infinity and NaN stay
    Real outside = a.selectLess(number, a.constant(0.0), a.constant(kNaN), a.constant(-kInfinity));
    return a.selectLess(number, a.constant(0x1p-126), outside, result);
  }

  /// tanh(x), relative error below 1e-6: (1 - t) / (1 + t) with t = exp(-2|x|), and the
  /// Taylor series below 0.3.
  Real tanh(Real x) {
    A &a = self();
    Real size = a.absolute(x), one = a.constant(1.0), square = a.multiply(x, x);
    Real t = exp(a.multiply(size, a.constant(-2.0)));
    Real large = a.divide(a.subtract(one, t), a.add(one, t));
    large = a.selectLess(x, a.constant(0.0), a.subtract(a.constant(0.0), large), large);
    Real small = a.multiply(x, polynomial(square, {62.0 / 2835, -17.0 / 315, 2.0 / 15, -1.0 / 3, 1.0}));
    return a.selectLess(size, a.constant(0.3), small, large);
  }

  /// erf(x), absolute error below 5e-7: Abramowitz and Stegun, 7.1.26.
  Real erf(Real x) {
    A &a = self();
    Real size = a.absolute(x), one = a.constant(1.0);
    Real t = a.divide(one, a.add(one, a.multiply(size, a.constant(0.3275911))));
    Real p = polynomial(t, {1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592, 0.0});
    Real y = a.subtract(one, a.multiply(p, exp(a.subtract(a.constant(0.0), a.multiply(x, x)))));
    return a.selectLess(x, a.constant(0.0), a.subtract(a.constant(0.0), y), y);
  }

private:
  A &self() { return static_cast<A &>(*this); }

  /// Horner's scheme, the highest power first.
  template <size_t N> Real polynomial(Real x, const double (&coefficients)[N]) {
    A &a = self();
    Real p = a.constant(coefficients[0]);
    for (size_t i = 1; i < N; ++i)
      p = a.add(a.multiply(p, x), a.constant(coefficients[i]));
    return p;
  }
};

/// Numbers of the host. Compiled without contraction, like all of Dyadic.
template <class T> struct HostNumbers {
  static T constant(double x) { return static_cast<T>(x); }
  static T add(T x, T y) { return x + y; }
  static T subtract(T x, T y) { return x - y; }
  static T multiply(T x, T y) { return x * y; }
  static T divide(T x, T y) { return x / y; }
  /// IEEE 754-2019: NaN wins, +0 is larger than -0.
  static T maximum(T x, T y) {
    if (std::isnan(x) || std::isnan(y))
      return x + y;
    return x > y || (x == y && !std::signbit(x)) ? x : y;
  }
  static T minimum(T x, T y) { return -maximum(-x, -y); }
  static T absolute(T x) { return std::fabs(x); }
  static T sqrt(T x) { return std::sqrt(x); } // correctly rounded on every host
  static T selectLess(T x, T y, T ifLess, T otherwise) { return x < y ? ifLess : otherwise; }
};

struct HostFloat : HostNumbers<float>, FloatFunctions<HostFloat, float> {
  static float powerOfTwo(float shifted) {
    uint32_t exponent = asBits(shifted) - asBits(static_cast<float>(kMagic)) + 127;
    return asFloat(exponent << 23);
  }
  static float exponent(float x) { return static_cast<float>(static_cast<int32_t>(asBits(x) >> 23) - 127); }
  static float mantissa(float x) { return asFloat((asBits(x) & 0x7FFFFF) | 0x3F800000); }

private:
  static uint32_t asBits(float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
  }
  static float asFloat(uint32_t bits) {
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
  }
};

/// The functions in double for the entries of tables: error below 1e-13 of the larger of
/// 1 and the result, from IEEE basic operations alone, so that every host agrees.
struct HostDouble : HostNumbers<double> {
  static double exp(double x);
  static double log(double x);
  static double tanh(double x);
  static double erf(double x);
};

} // namespace dyadic

#endif // DYADIC_SUPPORT_SCALARFUNCTIONS_H
