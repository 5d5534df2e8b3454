// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Equalization computes the same function. Factors that are powers of two make it exact.

#include "TestModule.h"
#include "dyadic/Transforms/Passes.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/FormatVariadic.h"
#include <random>

using namespace dyadic;
using namespace dyadic::test;

namespace {

/// `%name = arith.constant dense<"0x..."> : tensor<...>` of small integers.
std::string constant(const char *name, const std::vector<int64_t> &shape, std::mt19937 &random) {
  int64_t count = 1;
  std::string type, bytes;
  for (int64_t d : shape) {
    count *= d;
    type += std::to_string(d) + "x";
  }
  for (int64_t i = 0; i < count; ++i) {
    float number = static_cast<float>(static_cast<int>(random() % 17) - 8);
    for (size_t b = 0; b < sizeof(number); ++b)
      bytes += llvm::formatv("{0:X-2}", reinterpret_cast<const unsigned char *>(&number)[b]).str();
  }
  return llvm::formatv("  {0} = arith.constant dense<\"0x{1}\"> : tensor<{2}f32>\n", name, bytes, type);
}

/// Full, depthwise and grouped convolutions, one behind the other; a value with two readers; a product behind a ReLU6;
/// a pair of products.
std::string network(std::mt19937 &random) {
  return "func.func @main(%x: tensor<1x3x5x5xf32>, %m: tensor<2x3xf32>) -> (tensor<1x2x5x5xf32>, tensor<2x2xf32>) {\n" +
         constant("%w1", {4, 3, 3, 3}, random) + constant("%b1", {4}, random) + constant("%w2", {4, 1, 3, 3}, random) +
         constant("%b2", {4}, random) + constant("%w3", {6, 2, 1, 1}, random) + constant("%w4", {2, 6, 1, 1}, random) +
         constant("%w5", {2, 6, 1, 1}, random) + constant("%w6", {3, 4}, random) + constant("%b6", {4}, random) +
         constant("%w7", {4, 2}, random) + R"(
    %1 = qnn.conv %x, %w1, %b1 {id = "full", pads = array<i64: 1, 1, 1, 1>} : (tensor<1x3x5x5xf32>, tensor<4x3x3x3xf32>, tensor<4xf32>) -> tensor<1x4x5x5xf32>
    %2 = qnn.relu %1 {id = "relu"} : tensor<1x4x5x5xf32>
    %3 = qnn.conv %2, %w2, %b2 {id = "depthwise", group = 4 : i64, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x4x5x5xf32>, tensor<4x1x3x3xf32>, tensor<4xf32>) -> tensor<1x4x5x5xf32>
    %4 = qnn.conv %3, %w3 {id = "grouped", group = 2 : i64} : (tensor<1x4x5x5xf32>, tensor<6x2x1x1xf32>) -> tensor<1x6x5x5xf32>
    %5 = qnn.conv %4, %w4 {id = "left"} : (tensor<1x6x5x5xf32>, tensor<2x6x1x1xf32>) -> tensor<1x2x5x5xf32>
    %6 = qnn.conv %4, %w5 {id = "right"} : (tensor<1x6x5x5xf32>, tensor<2x6x1x1xf32>) -> tensor<1x2x5x5xf32>
    %7 = qnn.add %5, %6 {id = "sum"} : (tensor<1x2x5x5xf32>, tensor<1x2x5x5xf32>) -> tensor<1x2x5x5xf32>
    %8 = qnn.matmul %m, %w6, %b6 {id = "wide"} : (tensor<2x3xf32>, tensor<3x4xf32>, tensor<4xf32>) -> tensor<2x4xf32>
    %9 = qnn.matmul %8, %w7 {id = "narrow"} : (tensor<2x4xf32>, tensor<4x2xf32>) -> tensor<2x2xf32>
    return %7, %9 : tensor<1x2x5x5xf32>, tensor<2x2xf32>
  })";
}

TEST(Equalize, FindsValuesWhoseChannelsMayBeScaled) {
  std::mt19937 random(1);
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(network(random));
  ASSERT_TRUE(module);
  std::vector<EqualizableValue> values = equalizableValues(*module);
  ASSERT_EQ(values.size(), 4u);
  EXPECT_EQ(values[0].id, "full");
  EXPECT_TRUE(values[0].isDepthwise);
  EXPECT_EQ(values[0].readers, std::vector<std::string>{"depthwise"});
  EXPECT_EQ(values[1].id, "depthwise");
  EXPECT_FALSE(values[1].isDepthwise);
  EXPECT_EQ(values[2].id, "grouped");
  EXPECT_EQ(values[2].readers.size(), 2u);
  EXPECT_EQ(values[3].id, "wide");
  EXPECT_EQ(values[3].channelDimension, 1);
}

TEST(Equalize, BoundsOutputsAndOtherReadersForbidIt) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(R"(
  func.func @main(%x: tensor<1x2x4xf32>) -> (tensor<1x2x4xf32>, tensor<1x2x4xf32>) {
    %w = arith.constant dense<1.0> : tensor<2x2x1xf32>
    %1 = qnn.conv %x, %w {id = "bounded"} : (tensor<1x2x4xf32>, tensor<2x2x1xf32>) -> tensor<1x2x4xf32>
    %2 = qnn.clip %1 {id = "clip", min = 0.0 : f32, max = 6.0 : f32} : tensor<1x2x4xf32>
    %3 = qnn.conv %2, %w {id = "returned"} : (tensor<1x2x4xf32>, tensor<2x2x1xf32>) -> tensor<1x2x4xf32>
    %4 = qnn.conv %3, %w {id = "added"} : (tensor<1x2x4xf32>, tensor<2x2x1xf32>) -> tensor<1x2x4xf32>
    %5 = qnn.add %4, %x {id = "sum"} : (tensor<1x2x4xf32>, tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
    %6 = qnn.conv %4, %w {id = "last"} : (tensor<1x2x4xf32>, tensor<2x2x1xf32>) -> tensor<1x2x4xf32>
    %7 = qnn.add %5, %6 {id = "end"} : (tensor<1x2x4xf32>, tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
    return %3, %7 : tensor<1x2x4xf32>, tensor<1x2x4xf32>
  })");
  ASSERT_TRUE(module);
  EXPECT_TRUE(equalizableValues(*module).empty());
}

TEST(Equalize, TheFunctionStays) {
  std::mt19937 random(2);
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(network(random));
  ASSERT_TRUE(module);
  std::vector<float> numbers(75);
  for (float &number : numbers)
    number = static_cast<float>(static_cast<int>(random() % 9) - 4);
  std::vector<Tensor> inputs{floatTensor({1, 3, 5, 5}, numbers), floatTensor({2, 3}, {1, 2, -3, 4, 0, -2})};
  std::vector<NamedTensor> before, after;
  std::vector<Tensor> expected = llvm::cantFail(interpret(*module, inputs, &before));
  ChannelFactors factors{{"full", {1, 0.25f, 0.5f, 2}},
                         {"depthwise", {0.125f, 1, 4, 0.5f}},
                         {"grouped", {1, 2, 0.5f, 4, 0.25f, 8}},
                         {"wide", {0.5f, 1, 2, 0.125f}}};
  equalizeLayers(*module, factors);
  ASSERT_TRUE(mlir::succeeded(mlir::verify(*module)));
  EXPECT_EQ(llvm::cantFail(interpret(*module, inputs, &after)), expected);
  ASSERT_EQ(after.size(), before.size());
  for (size_t v = 0; v < before.size(); ++v) {
    std::vector<float> was = floatsOf(before[v].tensor), is = floatsOf(after[v].tensor);
    auto found = factors.find(before[v].name);
    bool isConv = before[v].tensor.shape.size() == 4;
    for (size_t i = 0; i < was.size(); ++i) {
      float factor = found == factors.end() ? 1 : found->second[(isConv ? i / 25 : i) % found->second.size()];
      EXPECT_EQ(is[i], was[i] / factor) << before[v].name << ", element " << i;
    }
  }
}

} // namespace
