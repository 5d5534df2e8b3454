// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Samples from every kind of file, what is wrong with them, and their split.

#include "dyadic/Calibration/Samples.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Npz.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <cmath>
#include <fstream>
#include <gtest/gtest.h>

using namespace dyadic;

namespace {

class SamplesTest : public testing::Test {
protected:
  void SetUp() override { ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("dyadic-samples", folder)); }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  std::string path(llvm::StringRef name) {
    llvm::SmallString<128> result(folder);
    llvm::sys::path::append(result, name);
    return result.str().str();
  }
  std::string npz(llvm::ArrayRef<NamedTensor> tensors) {
    EXPECT_FALSE(bool(writeNpz(path("a.npz"), tensors)));
    return path("a.npz");
  }
  /// A file that `readFile` understands: the number of the sample.
  void writeInput(const std::string &set, int input, int number) {
    EXPECT_FALSE(llvm::sys::fs::create_directories(path(set)));
    std::ofstream(path(set + "/input_" + std::to_string(input) + ".pb")) << number;
  }
  static llvm::Expected<Tensor> readFile(llvm::StringRef file) {
    float number = -1;
    std::ifstream(file.str()) >> number;
    if (number < 0)
      return fileError(file, "not a tensor");
    Tensor tensor(ElementType::F32, {1, 2});
    tensor.as<float>()[0] = tensor.as<float>()[1] = number;
    return tensor;
  }
  llvm::Expected<std::vector<Sample>> load(const std::string &file, llvm::ArrayRef<InputSpec> specs) {
    return loadSamples(file, specs, readFile);
  }
  std::string error(const std::string &file, llvm::ArrayRef<InputSpec> specs) {
    std::string text = llvm::toString(load(file, specs).takeError());
    std::string prefix = folder.str().str() + "/";
    return text.compare(0, prefix.size(), prefix) == 0 ? text.substr(prefix.size()) : text;
  }

  llvm::SmallString<128> folder;
};

template <typename T> Tensor makeTensor(ElementType type, std::vector<int64_t> shape, std::vector<T> values) {
  Tensor tensor(type, std::move(shape));
  EXPECT_EQ(tensor.data.size(), values.size() * sizeof(T));
  if (!values.empty())
    std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
  return tensor;
}

Tensor floats(std::vector<int64_t> shape, float start = 0) {
  Tensor tensor(ElementType::F32, std::move(shape));
  for (int64_t i = 0; i < tensor.size(); ++i)
    tensor.as<float>()[i] = start + static_cast<float>(i);
  return tensor;
}

const InputSpec kX = {"x", ElementType::F32, {1, 2}};

} // namespace

TEST_F(SamplesTest, StackOfSamples) {
  auto samples = load(npz({{"label", floats({9})}, {"x", floats({3, 2})}}), kX);
  ASSERT_TRUE(bool(samples)) << llvm::toString(samples.takeError());
  ASSERT_EQ(samples->size(), 3u);
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE((*samples)[i].inputs[0] == floats({1, 2}, 2.0f * i));
}

TEST_F(SamplesTest, StackOfBatchesAndListOfInputs) {
  InputSpec batched = {"x", ElementType::F32, {2, 3}};
  auto stack = load(npz({{"x", floats({4, 3})}}), batched);
  ASSERT_TRUE(bool(stack));
  ASSERT_EQ(stack->size(), 2u);
  EXPECT_TRUE((*stack)[1].inputs[0] == floats({2, 3}, 6));
  auto list = load(npz({{"x", floats({5, 2, 3})}}), batched);
  ASSERT_TRUE(bool(list));
  ASSERT_EQ(list->size(), 5u);
  EXPECT_TRUE((*list)[4].inputs[0] == floats({2, 3}, 24));
  EXPECT_EQ(error(npz({{"x", floats({5, 3})}}), batched),
            "a.npz: array 'x' has shape [5, 3], expected [2*N, 3] or [N, 2, 3] for input 'x'");
}

TEST_F(SamplesTest, ScalarInput) {
  InputSpec scalar = {"x", ElementType::F32, {}};
  auto one = load(npz({{"x", floats({})}}), scalar);
  ASSERT_TRUE(bool(one));
  EXPECT_EQ(one->size(), 1u);
  auto list = load(npz({{"x", floats({4})}}), scalar);
  ASSERT_TRUE(bool(list));
  EXPECT_EQ(list->size(), 4u);
  EXPECT_EQ(error(npz({{"x", floats({4, 1})}}), scalar),
            "a.npz: array 'x' has shape [4, 1], expected [N] for input 'x'");
}

TEST_F(SamplesTest, TwoInputs) {
  InputSpec y = {"y:0", ElementType::S64, {1}};
  Tensor indices = makeTensor<int32_t>(ElementType::S32, {2}, {-5, 7});
  auto samples = load(npz({{"y:0", indices}, {"x", floats({2, 2})}}), {kX, y});
  ASSERT_TRUE(bool(samples)) << llvm::toString(samples.takeError());
  ASSERT_EQ(samples->size(), 2u);
  EXPECT_TRUE((*samples)[1].inputs[0] == floats({1, 2}, 2));
  EXPECT_TRUE((*samples)[1].inputs[1] == makeTensor<int64_t>(ElementType::S64, {1}, {7}));
  EXPECT_EQ(error(npz({{"y:0", indices}, {"x", floats({3, 2})}}), {kX, y}),
            "a.npz: input 'x' has 3 samples, but input 'y:0' has 2, expected the same number");
}

TEST_F(SamplesTest, WrongNamesAndShapes) {
  EXPECT_EQ(error(npz({{"img", floats({1, 2})}, {"lab\nel", floats({1})}}), kX),
            "a.npz: found 'img', 'lab\\nel', expected an array 'x' for the model's input");
  EXPECT_EQ(error(npz({{"x", floats({3})}}), kX),
            "a.npz: array 'x' has shape [3], expected [N, 2] or [N, 1, 2] for input 'x'");
  EXPECT_EQ(error(npz({{"x", floats({3, 3})}}), kX),
            "a.npz: array 'x' has shape [3, 3], expected [N, 2] or [N, 1, 2] for input 'x'");
  EXPECT_EQ(error(npz({{"x", floats({3, 2, 2})}}), kX),
            "a.npz: array 'x' has shape [3, 2, 2], expected [N, 2] or [N, 1, 2] for input 'x'");
  EXPECT_EQ(error(npz({{"x", floats({0, 2})}}), kX), "a.npz: array 'x' has no samples: its shape is [0, 2]");
  EXPECT_EQ(error(npz({{"x", floats({0, 1, 2})}}), kX), "a.npz: array 'x' has no samples: its shape is [0, 1, 2]");
  EXPECT_EQ(error(path("no.npz"), kX), "no.npz: no such file or directory");
  std::ofstream(path("a.txt")) << "x";
  EXPECT_EQ(error(path("a.txt"), kX),
            "a.txt: unknown kind of file, expected .npz, .npy or a folder of test_data_set_*");
  EXPECT_EQ(error(path("a.txt"), {}), "a.txt: the model has no inputs, expected at least one");
  EXPECT_EQ(error(path("a.txt"), InputSpec{"x", ElementType::F32, {0, 2}}),
            "a.txt: input 'x' of the model has shape [0, 2], expected sizes of at least 1");
}

TEST_F(SamplesTest, TypesAreConvertedOnlyWithoutSurprise) {
  auto asDouble = makeTensor<double>(ElementType::F64, {1, 2}, {0.1, -3});
  auto samples = load(npz({{"x", asDouble}}), kX);
  ASSERT_TRUE(bool(samples));
  EXPECT_TRUE((*samples)[0].inputs[0] == makeTensor<float>(ElementType::F32, {1, 2}, {0.1f, -3}));

  auto bytes = makeTensor<uint8_t>(ElementType::U8, {1, 2}, {1, 200});
  EXPECT_EQ(error(npz({{"x", bytes}}), kX), "a.npz: array 'x' holds uint8, expected float32");
  auto spec = [](ElementType type) { return InputSpec{"x", type, {1, 2}}; };
  EXPECT_EQ(error(npz({{"x", bytes}}), spec(ElementType::S32)), "");
  EXPECT_EQ(error(npz({{"x", bytes}}), spec(ElementType::S8)),
            "a.npz: array 'x' holds uint8, expected int8 or values that fit it");
  EXPECT_EQ(error(npz({{"x", bytes}}), spec(ElementType::Bool)), "a.npz: array 'x' holds uint8, expected bool");
  auto negative = makeTensor<int64_t>(ElementType::S64, {1, 2}, {-1, 5});
  EXPECT_EQ(error(npz({{"x", negative}}), spec(ElementType::U64)),
            "a.npz: array 'x' holds int64, expected uint64 or values that fit it");
  EXPECT_EQ(error(npz({{"x", negative}}), spec(ElementType::S8)), "");
  auto large = makeTensor<uint64_t>(ElementType::U64, {1, 2}, {UINT64_MAX, 5});
  EXPECT_EQ(error(npz({{"x", large}}), spec(ElementType::S8)),
            "a.npz: array 'x' holds uint64, expected int8 or values that fit it");
  EXPECT_EQ(error(npz({{"x", floats({1, 2})}}), spec(ElementType::S64)),
            "a.npz: array 'x' holds float32, expected int64");
}

TEST_F(SamplesTest, NumbersMustBeFinite) {
  for (float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
    Tensor tensor = floats({4, 2});
    tensor.as<float>()[5] = bad;
    EXPECT_EQ(error(npz({{"x", tensor}}), kX),
              "a.npz: array 'x' has a NaN, infinite or too large number in sample 2, expected finite float32");
  }
  auto large = makeTensor<double>(ElementType::F64, {1, 2}, {0, 1e39});
  EXPECT_EQ(error(npz({{"x", large}}), kX),
            "a.npz: array 'x' has a NaN, infinite or too large number in sample 0, expected finite float32");
}

TEST_F(SamplesTest, Npy) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n";
  std::string start = std::string("\x93NUMPY\1\0", 8) + static_cast<char>(header.size()) + '\0';
  std::ofstream(path("a.npy"), std::ios::binary) << start + header + std::string(16, '\0');
  auto samples = load(path("a.npy"), kX);
  ASSERT_TRUE(bool(samples)) << llvm::toString(samples.takeError());
  EXPECT_EQ(samples->size(), 2u);
  EXPECT_EQ(error(path("a.npy"), {kX, kX}), "a.npy: one array, but the model has 2 inputs, expected an .npz");
  EXPECT_EQ(error(path("a.npy"), InputSpec{"x", ElementType::F32, {1, 3}}),
            "a.npy: has shape [2, 2], expected [N, 3] or [N, 1, 3] for input 'x'");
}

TEST_F(SamplesTest, AnyOrder) {
  InputSpec y = {"y", ElementType::F64, {1}};
  auto set = openSamples(npz({{"x", floats({5, 2})}, {"y", floats({5, 1}, 100)}}), {kX, y}, readFile);
  ASSERT_TRUE(bool(set)) << llvm::toString(set.takeError());
  ASSERT_EQ((*set)->size(), 5u);
  for (size_t i : {0, 1, 4, 2, 2, 3, 4, 0}) {
    auto sample = (*set)->read(i);
    ASSERT_TRUE(bool(sample)) << llvm::toString(sample.takeError());
    EXPECT_TRUE(sample->inputs[0] == floats({1, 2}, 2.0f * static_cast<float>(i)));
    EXPECT_EQ(sample->inputs[1].as<double>()[0], 100.0 + static_cast<double>(i));
  }
  for (int number : {3, 0, 1})
    writeInput("test_data_set_" + std::to_string(number), 0, number);
  set = openSamples(folder.str().str(), kX, readFile);
  ASSERT_TRUE(bool(set)) << llvm::toString(set.takeError());
  for (size_t i : {2, 0, 1, 1}) {
    auto sample = (*set)->read(i);
    ASSERT_TRUE(bool(sample)) << llvm::toString(sample.takeError());
    EXPECT_EQ(sample->inputs[0].as<float>()[0], i == 2 ? 3.0f : static_cast<float>(i));
  }
}

TEST_F(SamplesTest, FirstIndexFastest) {
  std::string header = "{'descr': '>f4', 'fortran_order': True, 'shape': (3, 2), }\n";
  std::string file = std::string("\x93NUMPY\1\0", 8) + static_cast<char>(header.size()) + '\0' + header;
  for (float value : {0.0f, 2.0f, 4.0f, 1.0f, 3.0f, 5.0f}) {
    char bytes[4];
    std::memcpy(bytes, &value, 4);
    for (int i = 3; i >= 0; --i)
      file += bytes[i];
  }
  std::ofstream(path("a.npy"), std::ios::binary) << file;
  auto set = openSamples(path("a.npy"), kX, nullptr);
  ASSERT_TRUE(bool(set)) << llvm::toString(set.takeError());
  for (size_t i : {0, 1, 2, 1, 0}) {
    auto sample = (*set)->read(i);
    ASSERT_TRUE(bool(sample)) << llvm::toString(sample.takeError());
    EXPECT_TRUE(sample->inputs[0] == floats({1, 2}, 2.0f * static_cast<float>(i)));
  }
}

TEST_F(SamplesTest, TestDataSetsByNumber) {
  for (int set : {10, 2, 0})
    writeInput("test_data_set_" + std::to_string(set), 0, set);
  writeInput("other", 0, 77);
  auto samples = load(folder.str().str(), kX);
  ASSERT_TRUE(bool(samples)) << llvm::toString(samples.takeError());
  ASSERT_EQ(samples->size(), 3u);
  EXPECT_EQ((*samples)[0].inputs[0].as<float>()[0], 0);
  EXPECT_EQ((*samples)[1].inputs[0].as<float>()[0], 2);
  EXPECT_EQ((*samples)[2].inputs[0].as<float>()[0], 10);

  auto one = load(path("test_data_set_10"), kX);
  ASSERT_TRUE(bool(one));
  EXPECT_EQ(one->size(), 1u);
}

TEST_F(SamplesTest, BadTestDataSets) {
  EXPECT_FALSE(llvm::sys::fs::create_directories(path("empty")));
  EXPECT_EQ(error(path("empty"), kX),
            "empty: no samples found, expected input_0.pb or folders named test_data_set_0, test_data_set_1, ...");
  EXPECT_EQ(llvm::toString(loadSamples(path("empty"), kX, nullptr).takeError()),
            path("empty") + ": a folder, expected .npz or .npy");
  writeInput("set", 0, 1);
  EXPECT_EQ(error(path("set"), {kX, {"y", ElementType::F32, {1, 2}}}), "set/input_1.pb: not found, expected input 'y'");
  EXPECT_EQ(error(path("set"), InputSpec{"x", ElementType::F32, {1, 3}}),
            "set/input_0.pb: has shape [1, 2], expected [N, 3] or [N, 1, 3] for input 'x'");
  writeInput("set", 1, 1);
  EXPECT_EQ(error(path("set"), kX), "set/input_1.pb: found another input, expected 1, as the model has");
  writeInput("set", 0, -1);
  EXPECT_EQ(error(path("set"), kX), "set/input_0.pb: not a tensor");
}

TEST(SplitTest, HashIsSha256OfTheBytes) {
  Sample sample = {
      {makeTensor<uint8_t>(ElementType::U8, {1, 2}, {'a', 'b'}), makeTensor<uint8_t>(ElementType::U8, {1}, {'c'})}};
  EXPECT_EQ(sampleHash(sample), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static Split split(const std::vector<Sample> &samples) {
  SampleList list(samples);
  auto result = splitSamples(list);
  EXPECT_TRUE(bool(result));
  return result ? *result : Split();
}

TEST(SplitTest, FewSamples) {
  EXPECT_TRUE(split({}).calibration.empty());
  EXPECT_TRUE(split({}).heldBack.empty());
  std::vector<Sample> one = {{{floats({1, 2})}}};
  EXPECT_EQ(split(one).calibration, std::vector<size_t>{0});
  EXPECT_EQ(split(one).heldBack, std::vector<size_t>{0});
  EXPECT_EQ(split(one).hashes, std::vector<std::string>{sampleHash(one[0])});
  std::vector<Sample> same = {one[0], one[0]};
  EXPECT_EQ(split(same).calibration.size(), 1u);
  EXPECT_EQ(split(same).heldBack.size(), 1u);
}

TEST(SplitTest, ByContentAndNeverEmpty) {
  auto isMultiple = [](const Sample &sample) {
    std::string hex = sampleHash(sample);
    uint64_t value = 0;
    for (int i = 7; i >= 0; --i)
      value = value << 8 | std::stoul(hex.substr(2 * i, 2), nullptr, 16);
    return value % 5 == 0;
  };
  std::vector<Sample> samples, multiples, others;
  for (int i = 0; i < 200; ++i) {
    samples.push_back({{floats({1, 2}, static_cast<float>(i))}});
    (isMultiple(samples.back()) ? multiples : others).push_back(samples.back());
  }
  Split found = split(samples);
  EXPECT_EQ(found.heldBack.size(), multiples.size());
  EXPECT_EQ(found.calibration.size(), others.size());
  for (size_t i : found.heldBack)
    EXPECT_TRUE(isMultiple(samples[i]));
  // None, or all, would go to one side.
  Split none = split(others);
  ASSERT_EQ(none.heldBack.size(), 1u);
  for (const Sample &sample : others)
    EXPECT_LE(sampleHash(others[none.heldBack[0]]), sampleHash(sample));
  Split all = split(multiples);
  ASSERT_EQ(all.calibration.size(), 1u);
  for (const Sample &sample : multiples)
    EXPECT_GE(sampleHash(multiples[all.calibration[0]]), sampleHash(sample));
}
