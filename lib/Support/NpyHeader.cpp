// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "NpyHeader.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SwapByteOrder.h"
#include <limits>
#include <optional>

using namespace llvm;

namespace dyadic {

/// More than NumPy can hold in any of its versions (32 or 64).
static constexpr size_t kMaxRank = 64;
static constexpr uint64_t kMaxElements = uint64_t(1) << 60;

uint64_t NpyHeader::dataBytes() const { return sizeInBytes(type, shape); }

namespace {

/// Codes of NumPy's type strings, without the byte order.
struct TypeCode {
  StringLiteral code;
  ElementType type;
};

} // namespace

static constexpr TypeCode kTypeCodes[] = {
    {"f4", ElementType::F32}, {"f8", ElementType::F64}, {"i1", ElementType::S8},   {"u1", ElementType::U8},
    {"i2", ElementType::S16}, {"u2", ElementType::U16}, {"i4", ElementType::S32},  {"u4", ElementType::U32},
    {"i8", ElementType::S64}, {"u8", ElementType::U64}, {"b1", ElementType::Bool},
};

/// Reads a type string such as "<f4" into `header`.
static Error parseType(StringRef text, NpyHeader &header) {
  bool isLittle = sys::IsLittleEndianHost;
  StringRef code = text;
  if (code.consume_front("<"))
    isLittle = true;
  else if (code.consume_front(">"))
    isLittle = false;
  else if (!code.consume_front("|"))
    code.consume_front("=");
  for (const TypeCode &known : kTypeCodes) {
    if (known.code != code)
      continue;
    header.type = known.type;
    header.swapped = isLittle != sys::IsLittleEndianHost && elementSize(known.type) > 1;
    return Error::success();
  }
  if (code.starts_with("O"))
    return makeError("holds Python objects, which are never loaded, expected numbers");
  return makeError("has the element type '" + escaped(text) +
                   "', expected float32, float64, bool or an integer of 8 to 64 bits");
}

namespace {

/// A cursor over the dictionary.
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : rest(text) {}
  Expected<NpyHeader> parse();

private:
  Error fail(const Twine &expected);
  bool eat(char c);
  Expected<StringRef> quoted();
  Error entry(StringRef key);
  Error type();
  Error order();
  Error shape();
  Error dimension();

  StringRef rest;
  NpyHeader header;
  uint64_t elements = 1;
};

} // namespace

Error HeaderParser::fail(const Twine &expected) {
  std::string found = rest.empty() ? std::string("its end") : "'" + escaped(rest.take_front(20)) + "'";
  return makeError("malformed header at " + found + ", expected " + expected);
}

bool HeaderParser::eat(char c) {
  rest = rest.ltrim(" \t\r\n");
  return rest.consume_front(StringRef(&c, 1));
}

Expected<StringRef> HeaderParser::quoted() {
  rest = rest.ltrim(" \t\r\n");
  if (rest.empty() || (rest[0] != '\'' && rest[0] != '"'))
    return fail("a string");
  size_t end = rest.find(rest[0], 1);
  // None of the strings that have a meaning needs an escape.
  if (end == StringRef::npos || rest.slice(1, end).find_first_of("\\\n") != StringRef::npos)
    return fail("a plain string");
  StringRef text = rest.slice(1, end);
  rest = rest.drop_front(end + 1);
  return text;
}

Error HeaderParser::type() {
  rest = rest.ltrim(" \t\r\n");
  if (rest.starts_with("[") || rest.starts_with("("))
    return makeError("holds structures, expected numbers");
  Expected<StringRef> text = quoted();
  return text ? parseType(*text, header) : text.takeError();
}

Error HeaderParser::order() {
  rest = rest.ltrim(" \t\r\n");
  header.fortranOrder = rest.consume_front("True");
  return header.fortranOrder || rest.consume_front("False") ? Error::success() : fail("True or False");
}

Error HeaderParser::dimension() {
  rest = rest.ltrim(" \t\r\n");
  StringRef digits = rest.take_while(isDigit);
  if (digits.empty())
    return fail("a dimension");
  uint64_t size = 0;
  // getAsInteger fails where 64 bits overflow.
  if (digits.getAsInteger(10, size) || size > kMaxElements || (size > 0 && elements > kMaxElements / size))
    return makeError("has a shape that is too large: dimension " + digits);
  if (size > 0)
    elements *= size;
  if (header.shape.size() == kMaxRank)
    return makeError("has more than " + Twine(kMaxRank) + " dimensions");
  header.shape.push_back(static_cast<int64_t>(size));
  rest = rest.drop_front(digits.size());
  rest.consume_front("L"); // Python 2 wrote long integers so
  return Error::success();
}

Error HeaderParser::shape() {
  if (!eat('('))
    return fail("a tuple of dimensions");
  bool hasComma = true;
  while (!eat(')')) {
    if (!hasComma)
      return fail("',' or ')'");
    if (Error error = dimension())
      return error;
    hasComma = eat(',');
  }
  // (3) is a number in Python, (3,) a tuple.
  return header.shape.size() == 1 && !hasComma ? fail("',' in a tuple of one dimension") : Error::success();
}

Error HeaderParser::entry(StringRef key) {
  if (!eat(':'))
    return fail("':'");
  if (key == "descr")
    return type();
  return key == "fortran_order" ? order() : shape();
}

Expected<NpyHeader> HeaderParser::parse() {
  static constexpr StringLiteral keys[] = {"descr", "fortran_order", "shape"};
  bool seen[3] = {};
  if (!eat('{'))
    return fail("'{'");
  bool hasComma = true;
  while (!eat('}')) {
    if (!hasComma)
      return fail("',' or '}'");
    Expected<StringRef> key = quoted();
    if (!key)
      return key.takeError();
    auto *known = llvm::find(keys, *key);
    if (known == std::end(keys))
      return makeError("malformed header: unknown key '" + escaped(*key) + "'");
    bool &isSeen = seen[known - keys];
    if (isSeen)
      return makeError("malformed header: '" + *key + "' is given twice");
    isSeen = true;
    if (Error error = entry(*key))
      return std::move(error);
    hasComma = eat(',');
  }
  for (size_t i = 0; i < std::size(keys); ++i)
    if (!seen[i])
      return makeError("malformed header: '" + keys[i] + "' is missing");
  rest = rest.ltrim(" \t\r\n");
  if (!rest.empty())
    return fail("its end");
  return std::move(header);
}

Expected<NpyHeader> parseNpyHeader(StringRef text) { return HeaderParser(text).parse(); }

std::string formatNpyHeader(const Tensor &tensor) {
  char order = elementSize(tensor.type) == 1 ? '|' : sys::IsLittleEndianHost ? '<' : '>';
  std::string dictionary = std::string("{'descr': '") + order;
  for (const TypeCode &known : kTypeCodes)
    if (known.type == tensor.type)
      dictionary += known.code;
  dictionary += "', 'fortran_order': False, 'shape': (";
  for (int64_t size : tensor.shape)
    dictionary += (dictionary.back() == '(' ? "" : " ") + std::to_string(size) + ",";
  if (tensor.shape.size() > 1)
    dictionary.pop_back();
  dictionary += "), }";

  // Version 1 has two bytes for the length, version 2 four.
  auto padded = [&](size_t before) { return (before + dictionary.size() + 1 + 63) / 64 * 64; };
  bool isLong = padded(10) - 10 > std::numeric_limits<uint16_t>::max();
  size_t before = isLong ? 12 : 10, total = padded(before), length = total - before;
  std::string bytes = "\x93NUMPY";
  bytes += isLong ? '\2' : '\1';
  bytes += '\0';
  for (size_t i = 8; i < before; ++i)
    bytes += static_cast<char>(length >> 8 * (i - 8));
  bytes += dictionary;
  bytes.resize(total - 1, ' ');
  return bytes + '\n';
}

} // namespace dyadic
