// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/FileHeader.h"
#include "gtest/gtest.h"

using namespace dyadic;

namespace {

constexpr llvm::StringLiteral kText = "{\n  \"number\": 1\n}\n";

std::string refusal(llvm::StringRef text) {
  auto unsealed = unseal("f.json", text);
  return unsealed ? "accepted" : llvm::toString(unsealed.takeError());
}

TEST(SealTest, GivesBackTheText) {
  std::string sealed = seal(kText);
  auto json = parseJson("f.json", sealed);
  ASSERT_TRUE(static_cast<bool>(json));
  EXPECT_EQ(json->getAsObject()->getInteger("number"), 1);
  EXPECT_EQ(json->getAsObject()->getString("sha256")->size(), 64u);
  auto text = unseal("f.json", sealed);
  ASSERT_TRUE(static_cast<bool>(text));
  EXPECT_EQ(*text, kText);
}

TEST(SealTest, RefusesEveryOtherText) {
  std::string sealed = seal(kText);
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] ^= 1;
    EXPECT_NE(refusal(changed), "accepted") << i;
    EXPECT_NE(refusal(llvm::StringRef(sealed).take_front(i)), "accepted") << i;
  }
  EXPECT_EQ(refusal(kText), "f.json: does not end with its checksum, expected a whole file of the cache, or none");
  EXPECT_EQ(refusal(""), "f.json: does not end with its checksum, expected a whole file of the cache, or none");
  sealed[kText.find('1')] = '2';
  EXPECT_EQ(refusal(sealed),
            "f.json: is not what its checksum says, expected a file of the cache as it was written, or none");
}

} // namespace
