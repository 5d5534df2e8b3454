// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NumPy's files: what is written is read back, and nothing in a file is trusted.

#include "dyadic/Support/Npz.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <fstream>
#include <gtest/gtest.h>

using namespace dyadic;

namespace {

/// A temporary folder for each test.
class NpzTest : public testing::Test {
protected:
  void SetUp() override { ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("dyadic-npz", folder)); }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  std::string path(llvm::StringRef name) {
    llvm::SmallString<128> result(folder);
    llvm::sys::path::append(result, name);
    return result.str().str();
  }
  std::string write(llvm::StringRef name, const std::string &bytes) {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  static std::string read(const std::string &file) {
    auto buffer = llvm::MemoryBuffer::getFile(file);
    return buffer ? (*buffer)->getBuffer().str() : "";
  }
  /// An .npy file of version 1.0.
  std::string npy(const std::string &header, const std::string &data) {
    std::string length = {static_cast<char>(header.size()), static_cast<char>(header.size() >> 8)};
    return write("a.npy", std::string("\x93NUMPY\1\0", 8) + length + header + data);
  }
  /// The error of reading such a file, without the file's name; "" where there is none.
  std::string npyError(const std::string &header, const std::string &data) {
    return errorOf(readNpy(npy(header, data)));
  }
  std::string errorOf(llvm::Error error) {
    std::string text = llvm::toString(std::move(error));
    std::string prefix = folder.str().str() + "/";
    return text.compare(0, prefix.size(), prefix) == 0 ? text.substr(prefix.size()) : text;
  }
  template <typename T> std::string errorOf(llvm::Expected<T> result) { return errorOf(result.takeError()); }

  llvm::SmallString<128> folder;
};

Tensor makeTensor(ElementType type, std::vector<int64_t> shape) {
  Tensor tensor(type, std::move(shape));
  for (size_t i = 0; i < tensor.data.size(); ++i)
    tensor.data[i] = type == ElementType::Bool ? i % 2 : i * 37 + 11;
  return tensor;
}

constexpr ElementType kAllTypes[] = {ElementType::F32, ElementType::U8,  ElementType::S8,  ElementType::U16,
                                     ElementType::S16, ElementType::S32, ElementType::S64, ElementType::F64,
                                     ElementType::U32, ElementType::U64, ElementType::Bool};

const std::string kFloatHeader = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }\n";

} // namespace

TEST_F(NpzTest, RoundTripOfEveryTypeAndRank) {
  std::vector<NamedTensor> tensors;
  for (ElementType type : kAllTypes)
    for (const std::vector<int64_t> &shape :
         std::vector<std::vector<int64_t>>{{}, {0}, {5}, {2, 3}, {2, 0, 3}, {1, 2, 3, 4}})
      tensors.push_back({elementName(type) + std::to_string(tensors.size()) + "/\xc3\xbc:0", makeTensor(type, shape)});
  ASSERT_FALSE(bool(writeNpz(path("a.npz"), tensors)));
  auto result = readNpz(path("a.npz"));
  ASSERT_TRUE(bool(result)) << llvm::toString(result.takeError());
  ASSERT_EQ(result->size(), tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_EQ((*result)[i].name, tensors[i].name);
    EXPECT_TRUE((*result)[i].tensor == tensors[i].tensor) << tensors[i].name;
  }
}

TEST_F(NpzTest, SameTensorsSameBytesAndFileIsReplaced) {
  std::vector<NamedTensor> tensors = {{"x", makeTensor(ElementType::F32, {3, 4})}};
  write("a.npz", "something else");
  ASSERT_FALSE(bool(writeNpz(path("a.npz"), tensors)));
  ASSERT_FALSE(bool(writeNpz(path("b.npz"), tensors)));
  EXPECT_FALSE(read(path("a.npz")).empty());
  EXPECT_EQ(read(path("a.npz")), read(path("b.npz")));
}

TEST_F(NpzTest, HeaderOfManyDimensionsUsesVersion2) {
  // Readers refuse the rank, but the file is well-formed: a length of four bytes.
  std::vector<NamedTensor> tensors = {{"x", Tensor(ElementType::U8, std::vector<int64_t>(30000, 1))}};
  ASSERT_FALSE(bool(writeNpz(path("a.npz"), tensors)));
  EXPECT_NE(read(path("a.npz")).find(std::string("\x93NUMPY\2\0", 8)), std::string::npos);
  EXPECT_EQ(errorOf(readNpz(path("a.npz"))), "a.npz: array 'x': has a header of 90100 bytes, expected at most 65536");
}

TEST_F(NpzTest, OnlyWantedArraysAreRead) {
  std::vector<NamedTensor> tensors = {{"x", makeTensor(ElementType::F32, {2})},
                                      {"y", makeTensor(ElementType::U8, {3})}};
  ASSERT_FALSE(bool(writeNpz(path("a.npz"), tensors)));
  std::vector<std::string> asked;
  auto result = readNpz(path("a.npz"), [&](llvm::StringRef name) {
    asked.push_back(name.str());
    return name == "y";
  });
  ASSERT_TRUE(bool(result));
  ASSERT_EQ(result->size(), 1u);
  EXPECT_EQ((*result)[0].name, "y");
  EXPECT_EQ(asked, (std::vector<std::string>{"x", "y"}));
}

TEST_F(NpzTest, WriteErrorsLeaveTheFileAlone) {
  Tensor x = makeTensor(ElementType::F32, {2});
  write("a.npz", "old");
  EXPECT_EQ(errorOf(writeNpz(path("a.npz"), {{"x", x}, {"x", x}})), "a.npz: array 'x': is there twice");
  EXPECT_EQ(errorOf(writeNpz(path("a.npz"), {{std::string("x\0y", 3), x}})),
            "a.npz: array 'x\\x00y': has a name with a zero byte");
  EXPECT_NE(errorOf(writeNpz(path("a.npz"), {{"\xff", x}})), "");
  EXPECT_EQ(errorOf(writeNpz(path("a.npz"), {})), "a.npz: cannot be written: no arrays");
  x.data.pop_back();
  EXPECT_EQ(errorOf(writeNpz(path("a.npz"), {{"x", x}})), "a.npz: array 'x': has 7 bytes for shape [2]");
  EXPECT_EQ(read(path("a.npz")), "old");
  EXPECT_NE(errorOf(writeNpz(path("no/a.npz"), {{"x", makeTensor(ElementType::F32, {2})}})), "");
  EXPECT_EQ(errorOf(writeNpz("/dev/null", {{"x", makeTensor(ElementType::F32, {2})}})),
            "/dev/null: cannot be written: not a regular file");
}

TEST_F(NpzTest, OtherByteOrderAndFortranOrder) {
  std::string data;
  for (char i = 0; i < 6; ++i)
    data += {0, i};
  auto tensor = readNpy(npy("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }\n", data));
  ASSERT_TRUE(bool(tensor)) << llvm::toString(tensor.takeError());
  EXPECT_EQ(tensor->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(std::vector<int16_t>(tensor->as<int16_t>(), tensor->as<int16_t>() + 6),
            (std::vector<int16_t>{0, 2, 4, 1, 3, 5}));
}

TEST_F(NpzTest, FortranOrderOfFourDimensions) {
  std::string data;
  for (char i = 0; i < 120; ++i)
    data += i;
  auto tensor = readNpy(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 4, 5), }\n", data));
  ASSERT_TRUE(bool(tensor));
  size_t at = 0;
  for (int a = 0; a < 2; ++a)
    for (int b = 0; b < 3; ++b)
      for (int c = 0; c < 4; ++c)
        for (int d = 0; d < 5; ++d)
          EXPECT_EQ(tensor->data[at++], a + 2 * (b + 3 * (c + 4 * d)));
}

TEST_F(NpzTest, VersionsAndSpellingsOfHeaders) {
  std::string data(8, '\0');
  for (char version : {2, 3}) {
    std::string start = std::string("\x93NUMPY") + version + '\0';
    std::string length = {static_cast<char>(kFloatHeader.size()), 0, 0, 0};
    EXPECT_EQ(errorOf(readNpy(write("v.npy", start + length + kFloatHeader + data))), "");
  }
  EXPECT_EQ(npyError("{\"shape\":(2,1),\"fortran_order\":False,\"descr\":\"<f4\"}", data), "");
  EXPECT_EQ(npyError("{'descr': '<f4', 'fortran_order': False, 'shape': (2L,), }\n", data), "");
  EXPECT_EQ(npyError("{'descr': '=f8', 'fortran_order': False, 'shape': ()}", data), "");
  auto flags = readNpy(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}", {0, 1, 7}));
  ASSERT_TRUE(bool(flags));
  EXPECT_EQ(flags->data, (std::vector<uint8_t>{0, 1, 1}));
}

TEST_F(NpzTest, MalformedHeaders) {
  auto shape = [](const std::string &text) {
    return "{'descr': '<f4', 'fortran_order': False, 'shape': " + text + "}";
  };
  std::string four(4, '\0');
  EXPECT_EQ(npyError("", ""), "a.npy: malformed header at its end, expected '{'");
  EXPECT_EQ(npyError("{'descr': '<f4', 'fortran_order': False}", four), "a.npy: malformed header: 'shape' is missing");
  EXPECT_EQ(npyError("{'descr': '<f4', 'descr': '<f4'}", four), "a.npy: malformed header: 'descr' is given twice");
  EXPECT_EQ(npyError("{'x': 1}", four), "a.npy: malformed header: unknown key 'x'");
  EXPECT_EQ(npyError("{'descr': f(), }", four), "a.npy: malformed header at 'f(), }', expected a string");
  EXPECT_EQ(npyError("{'fortran_order': 1}", four), "a.npy: malformed header at '1}', expected True or False");
  EXPECT_EQ(npyError(shape("(1)"), four), "a.npy: malformed header at '}', expected ',' in a tuple of one dimension");
  EXPECT_EQ(npyError(shape("[1]"), four), "a.npy: malformed header at '[1]}', expected a tuple of dimensions");
  EXPECT_EQ(npyError(shape("(-1,)"), four), "a.npy: malformed header at '-1,)}', expected a dimension");
  EXPECT_EQ(npyError(shape("(1 1)"), four), "a.npy: malformed header at '1)}', expected ',' or ')'");
  EXPECT_EQ(npyError(shape("(1,)") + "x", four), "a.npy: malformed header at 'x', expected its end");
  EXPECT_EQ(npyError(shape("(" + std::string(130, '1') + ")"), four).substr(0, 40),
            "a.npy: has a shape that is too large: di");
  EXPECT_EQ(npyError(shape("(4294967296, 4294967296, 0)"), ""),
            "a.npy: has a shape that is too large: dimension 4294967296");
  EXPECT_EQ(npyError(shape("(1099511627776,)"), four),
            "a.npy: is too large: float32 of shape [1099511627776], expected at most 4 GiB");
}

TEST_F(NpzTest, DataMustBeAsLongAsTheShapeSays) {
  EXPECT_EQ(npyError(kFloatHeader, std::string(8, '\0')), "");
  EXPECT_EQ(npyError(kFloatHeader, std::string(7, '\0')),
            "a.npy: has 7 bytes of data, expected 8 for float32 of shape [2, 1]");
  EXPECT_EQ(npyError(kFloatHeader, std::string(9, '\0')),
            "a.npy: has 9 bytes of data, expected 8 for float32 of shape [2, 1]");
  EXPECT_EQ(errorOf(readNpy(write("b.npy", "\x93NUMPY"))), "b.npy: truncated: 6 bytes are no .npy array");
  EXPECT_EQ(errorOf(readNpy(write("b.npy", std::string("\x93NUMPY\2\0\0\0", 10)))),
            "b.npy: truncated: 10 bytes are no .npy array");
  EXPECT_EQ(errorOf(readNpy(write("b.npy", std::string("\x93NUMPY\1\0\xff\xff{}", 12)))),
            "b.npy: has a header of 65535 bytes, expected at most 2");
  EXPECT_EQ(errorOf(readNpy(write("b.npy", std::string("\x93NUMPY\4\0\1\0{}", 12)))),
            "b.npy: has .npy version 4.0, expected 1.0, 2.0 or 3.0");
}

TEST_F(NpzTest, TypesThatAreNotNumbers) {
  auto error = [&](const std::string &descr) {
    return npyError("{'descr': " + descr + ", 'fortran_order': False, 'shape': (1,)}", std::string(8, '\0'));
  };
  EXPECT_EQ(error("'|O'"), "a.npy: holds Python objects, which are never loaded, expected numbers");
  EXPECT_EQ(error("[('a', '<f4')]"), "a.npy: holds structures, expected numbers");
  for (const char *descr : {"<f2", "<c8", "<U2", "|S8", "|V8", "<M8[s]", "<f16", "", "<", "f", "<i3"})
    EXPECT_EQ(error(std::string("'") + descr + "'"),
              std::string("a.npy: has the element type '") + descr +
                  "', expected float32, float64, bool or an integer of 8 to 64 bits");
}

TEST_F(NpzTest, DamagedArchives) {
  EXPECT_EQ(errorOf(readNpz(path("no.npz"))), "no.npz: no such file or directory");
  EXPECT_EQ(errorOf(readNpz(folder)), folder.str().str() + ": not a regular file");
  EXPECT_EQ(errorOf(readNpz(write("a.npz", ""))), "a.npz: cannot be opened as .npz: the file is empty");
  EXPECT_EQ(errorOf(readNpz(write("a.npz", "junk"))), "a.npz: cannot be opened as .npz: not a zip archive");

  std::vector<NamedTensor> tensors = {{"x", makeTensor(ElementType::F32, {3, 4})}};
  ASSERT_FALSE(bool(writeNpz(path("good.npz"), tensors)));
  std::string good = read(path("good.npz"));
  size_t directory = good.rfind("PK\1\2"), data = good.find("}") + 70;
  auto changed = [&](size_t at, char value) {
    std::string bad = good;
    bad[at] = value;
    return errorOf(readNpz(write("a.npz", bad)));
  };
  EXPECT_NE(errorOf(readNpz(write("a.npz", good.substr(0, good.size() / 2)))), "");
  EXPECT_EQ(changed(data, good[data] ^ 1), "a.npz: array 'x': cannot be read: CRC error");
  EXPECT_EQ(changed(directory + 8, good[directory + 8] | 1), "a.npz: array 'x': is encrypted");
  EXPECT_EQ(changed(directory + 10, 12), "a.npz: array 'x': is compressed by method 12, expected stored or deflated");
  EXPECT_EQ(changed(directory + 27, 0x7f), "a.npz: array 'x': claims 2130706608 bytes in 176 bytes of archive");
  EXPECT_EQ(changed(directory + 46 + 2, 'q').substr(0, 5), ""); // "x.qpy" is no array: nothing is read
}

TEST_F(NpzTest, NoByteFlipCrashes) {
  std::vector<NamedTensor> tensors = {{"x", makeTensor(ElementType::S16, {3, 4})}};
  ASSERT_FALSE(bool(writeNpz(path("good.npz"), tensors)));
  std::string good = read(path("good.npz"));
  for (size_t at = 0; at < good.size(); ++at)
    for (int mask : {0x01, 0x80, 0xff}) {
      std::string bad = good;
      bad[at] ^= mask;
      auto result = readNpz(write("a.npz", bad));
      if (!result)
        EXPECT_NE(llvm::toString(result.takeError()).find("a.npz: "), std::string::npos);
    }
}
