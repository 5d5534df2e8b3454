// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/Unicode.h"

namespace dyadic {

/// What of a name is shown at most, in bytes.
static constexpr size_t kNameLimit = 200;

/// The first character of `text`, which is UTF-8, in bytes.
static llvm::StringRef firstCharacter(llvm::StringRef text) {
  return text.take_front(llvm::getNumBytesForUTF8(static_cast<llvm::UTF8>(text[0])));
}

/// No control character, and none that hides or turns the text after it around.
static bool isShown(llvm::StringRef character) {
  const auto *at = reinterpret_cast<const llvm::UTF8 *>(character.begin());
  llvm::UTF32 point = 0;
  auto result = llvm::convertUTF8Sequence(&at, at + character.size(), &point, llvm::strictConversion);
  return result == llvm::conversionOK && llvm::sys::unicode::isPrintable(static_cast<int>(point));
}

std::string printable(llvm::StringRef text) {
  const auto *begin = reinterpret_cast<const llvm::UTF8 *>(text.begin());
  bool isUtf8 = llvm::isLegalUTF8String(&begin, reinterpret_cast<const llvm::UTF8 *>(text.end()));
  std::string result;
  while (!text.empty()) {
    llvm::StringRef character = isUtf8 ? firstCharacter(text) : text.take_front(1);
    text = text.drop_front(character.size());
    if (character == "\n")
      result += "\\n";
    else if (character == "\t")
      result += "\\t";
    else if (character == "\\")
      result += "\\\\";
    else if (isShown(character))
      result += character;
    else
      for (unsigned char byte : character)
        result += "\\x" + llvm::utohexstr(byte, /*LowerCase=*/true, /*Width=*/2);
  }
  return result;
}

std::string escaped(llvm::StringRef name) {
  if (name.size() <= kNameLimit)
    return printable(name);
  // Not through a character of UTF-8, whose later bytes are 10xxxxxx.
  auto isInside = [&](size_t i) { return (static_cast<unsigned char>(name[i]) & 0xc0) == 0x80; };
  size_t left = kNameLimit / 2, right = name.size() - kNameLimit / 2;
  while (left > kNameLimit / 2 - 4 && isInside(left))
    --left;
  while (right < name.size() - kNameLimit / 2 + 4 && isInside(right))
    ++right;
  return printable(name.take_front(left)) + "..." + printable(name.drop_front(right));
}

llvm::Error makeError(const llvm::Twine &what) { return llvm::createStringError(llvm::inconvertibleErrorCode(), what); }

llvm::Error fileError(llvm::StringRef file, const llvm::Twine &what) {
  return makeError(printable(file) + ": " + what);
}

llvm::Error nodeError(llvm::StringRef file, llvm::StringRef node, const llvm::Twine &what) {
  return makeError(printable(file) + ": " + escaped(node) + ": " + what);
}

llvm::Error listError(llvm::StringRef file, const llvm::Twine &what, std::vector<std::string> lines) {
  llvm::sort(lines);
  lines.erase(llvm::unique(lines), lines.end());
  std::string text = printable(file) + ": " + what.str();
  for (const std::string &line : lines)
    text += "\n  " + line;
  return makeError(text);
}

} // namespace dyadic
