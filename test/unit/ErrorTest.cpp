// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text from outside in messages: one line, no control characters, no endless names.

#include "dyadic/Support/Error.h"
#include "gtest/gtest.h"

using namespace dyadic;

namespace {

TEST(Escaped, ControlCharactersAndBytesThatAreNotUtf8) {
  EXPECT_EQ(escaped("plain name"), "plain name");
  EXPECT_EQ(escaped("a\n\t\\\x1b[31m"), "a\\n\\t\\\\\\x1b[31m");
  EXPECT_EQ(escaped("gr\xc3\xbc\xc3\x9f"
                    "e"),
            "gr\xc3\xbc\xc3\x9f"
            "e");
  EXPECT_EQ(escaped("\xc3\xbc\xff"), "\\xc3\\xbc\\xff");
  // U+009B starts a terminal's command, U+202E turns the text after it around, U+200B is not seen.
  EXPECT_EQ(escaped("\xc2\x9b \xe2\x80\xae \xe2\x80\x8b"), "\\xc2\\x9b \\xe2\\x80\\xae \\xe2\\x80\\x8b");
  EXPECT_EQ(escaped("\xe6\xbc\xa2\xf0\x9f\x90\x88"), "\xe6\xbc\xa2\xf0\x9f\x90\x88"); // of three and four bytes
}

TEST(Escaped, TheMiddleOfALongNameIsLeftOut) {
  const std::string at(200, 'a'), above = std::string(100, 'b') + "middle" + std::string(100, 'e');
  EXPECT_EQ(escaped(at), at);
  EXPECT_EQ(escaped(above), std::string(100, 'b') + "..." + std::string(100, 'e'));
  EXPECT_EQ(printable(above), above);
  EXPECT_EQ(escaped(std::string(1 << 20, '\n')).size(), 403u); // each of 200 as two
}

TEST(Escaped, NoCharacterIsCutThrough) {
  std::string name;
  for (int i = 0; i < 100; ++i)
    name += "\xe2\x82\xac"; // three bytes, of which 100 are no multiple
  const std::string text = escaped(name), end = text.substr(text.size() - 99);
  EXPECT_EQ(text.substr(0, 99), name.substr(0, 99));
  EXPECT_EQ(text.substr(99, text.size() - 198), "...");
  EXPECT_EQ(end, name.substr(0, 99));
}

TEST(Errors, FilesAreNamedInFullAndNodesShortened) {
  const std::string name(300, 'n');
  EXPECT_EQ(llvm::toString(nodeError(name, name, "what")),
            name + ": " + std::string(100, 'n') + "..." + std::string(100, 'n') + ": what");
}

TEST(Errors, ListsAreSortedWithoutRepeats) {
  EXPECT_EQ(llvm::toString(listError("f", "2 errors", {"b", "a", "b"})), "f: 2 errors\n  a\n  b");
}

} // namespace
