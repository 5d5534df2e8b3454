// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Search/DecimalScale.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include <charconv>
#include <climits>
#include <cmath>

namespace dyadic {

namespace {

/// digits * 10^exponent; at most 17 digits.
struct Decimal {
  int64_t digits = 0;
  int exponent = 0;
};

Decimal parseDecimal(double number) {
  char text[32];
  const char *end = std::to_chars(text, text + sizeof(text), number, std::chars_format::scientific).ptr;
  Decimal decimal;
  bool isNegative = text[0] == '-', isFraction = false;
  const char *at = text + isNegative;
  for (; *at != 'e'; ++at) {
    if (*at == '.') {
      isFraction = true;
      continue;
    }
    decimal.digits = 10 * decimal.digits + (*at - '0');
    decimal.exponent -= isFraction;
  }
  at += at[1] == '+' ? 2 : 1; // from_chars takes no plus
  int power = 0;
  std::from_chars(at, end, power);
  decimal.exponent += power;
  while (decimal.digits != 0 && decimal.digits % 10 == 0) {
    decimal.digits /= 10;
    ++decimal.exponent;
  }
  if (decimal.digits == 0)
    decimal.exponent = 0;
  if (isNegative)
    decimal.digits = -decimal.digits;
  return decimal;
}

/// The number of digits and an exponent, as text that from_chars reads.
double readDouble(llvm::StringRef digits, int exponent) {
  llvm::SmallString<64> text(digits);
  text += 'e';
  text += llvm::itostr(exponent);
  double value = 0;
  auto result = std::from_chars(text.begin(), text.end(), value);
  if (result.ec == std::errc::result_out_of_range) // the value is left alone
    return exponent < 0 ? 0.0 : (digits.starts_with("-") ? -HUGE_VAL : HUGE_VAL);
  return value;
}

} // namespace

DecimalScale::DecimalScale(llvm::ArrayRef<double> numbers, size_t terms) {
  int lowest = INT_MAX, highest = INT_MIN;
  for (double number : numbers) {
    Decimal decimal = parseDecimal(number);
    if (decimal.digits == 0)
      continue;
    lowest = std::min(lowest, decimal.exponent);
    int size = 0;
    for (int64_t rest = decimal.digits; rest != 0; rest /= 10)
      ++size;
    highest = std::max(highest, decimal.exponent + size);
  }
  if (lowest > highest) // all are zero
    return;
  exponent = lowest;
  // 10^d < 2^(d * 3.33); a bit for the sign and one to spare.
  bits = static_cast<unsigned>((highest - lowest) * 10 / 3 + 1) + llvm::Log2_64_Ceil(terms + 1) + 2;
  bits = std::max(bits, 64u);
  unit = std::abs(exponent) < 250 ? readDouble("1", exponent) : 0;
}

llvm::APInt DecimalScale::toInteger(double number) const {
  Decimal decimal = parseDecimal(number);
  llvm::APInt result(bits, static_cast<uint64_t>(decimal.digits), /*isSigned=*/true);
  if (decimal.digits == 0)
    return result;
  llvm::APInt ten(bits, 10);
  for (int i = exponent; i < decimal.exponent; ++i)
    result *= ten;
  return result;
}

double DecimalScale::toDouble(const llvm::APInt &multiple) const {
  llvm::SmallString<64> digits;
  multiple.toStringSigned(digits);
  return readDouble(digits, exponent);
}

double DecimalScale::toNearby(const llvm::APInt &multiple) const {
  // Not by APInt's own conversion: LLVM 22's is wrong for integers of more than 64 bits whose value has fewer.
  llvm::APInt magnitude = multiple.abs();
  double value = 0;
  for (unsigned i = magnitude.getNumWords(); i-- > 0;)
    value = value * 0x1p64 + static_cast<double>(magnitude.getRawData()[i]);
  value = unit == 0 ? HUGE_VAL : value * unit;
  if (!std::isfinite(value))
    return toDouble(multiple);
  return multiple.isNegative() ? -value : value;
}

} // namespace dyadic
