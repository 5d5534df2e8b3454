// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The interpreter at the float level, and operations that only move elements.

#include "TestModule.h"
#include <cmath>
#include <limits>

using namespace dyadic;
using namespace dyadic::test;

namespace {

using Floats = std::vector<float>;
using Ints = std::vector<int64_t>;
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

const char *const kConv = R"(
  func.func @main(%x: tensor<1x1x3x3xf32>, %w: tensor<1x1x2x2xf32>, %b: tensor<1xf32>) -> tensor<1x1x2x2xf32> {
    %y = qnn.conv %x, %w, %b {id = "c"}
        : (tensor<1x1x3x3xf32>, tensor<1x1x2x2xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32>
    return %y : tensor<1x1x2x2xf32>
  })";

TEST(ReferenceFloat, Conv) {
  Tensor y = runText(kConv, {floatTensor({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}),
                             floatTensor({1, 1, 2, 2}, {1, 0, 0, -1}), floatTensor({1}, {10})});
  EXPECT_EQ(floatsOf(y), (Floats{6, 6, 6, 6}));
}

TEST(ReferenceFloat, ConvStartsFromTheBiasAndAddsInOrder) {
  // 2^24 + 1 is 2^24 in f32: only bias + first + second, in this order, gives 2^24.
  const std::string text = R"(
    func.func @main(%x: tensor<1x2x1xf32>, %w: tensor<1x2x1xf32>, %b: tensor<1xf32>) -> tensor<1x1x1xf32> {
      %y = qnn.conv %x, %w, %b : (tensor<1x2x1xf32>, tensor<1x2x1xf32>, tensor<1xf32>) -> tensor<1x1x1xf32>
      return %y : tensor<1x1x1xf32>
    })";
  const Tensor ones = floatTensor({1, 2, 1}, {1, 1});
  EXPECT_EQ(floatsOf(runText(text, {ones, ones, floatTensor({1}, {16777216})})), (Floats{16777216}));
  EXPECT_EQ(floatsOf(runText(text, {floatTensor({1, 2, 1}, {16777216, 1}), ones, floatTensor({1}, {1})})),
            (Floats{16777216}));
  EXPECT_EQ(floatsOf(runText(text, {floatTensor({1, 2, 1}, {1, 16777216}), ones, floatTensor({1}, {1})})),
            (Floats{16777218}));
}

TEST(ReferenceFloat, ConvAddsByKernelPositionThenChannel) {
  // Of the ones before 2^24, only those that come first count: position 0 of both channels.
  const std::string text = R"(
    func.func @main(%x: tensor<1x2x2xf32>, %w: tensor<1x2x2xf32>) -> tensor<1x1x1xf32> {
      %y = qnn.conv %x, %w : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x1x1xf32>
      return %y : tensor<1x1x1xf32>
    })";
  const Tensor ones = floatTensor({1, 2, 2}, {1, 1, 1, 1});
  EXPECT_EQ(floatsOf(runText(text, {floatTensor({1, 2, 2}, {1, 1, 1, 16777216}), ones})), (Floats{16777220}));
  EXPECT_EQ(floatsOf(runText(text, {floatTensor({1, 2, 2}, {1, 1, 16777216, 1}), ones})), (Floats{16777216}));
}

TEST(ReferenceFloat, ConvIsFused) {
  // (1 + 2^-12)^2 is not an f32: the sum with minus its rounding is what the rounding lost.
  const float a = 1 + 0x1p-12f;
  const std::string text = R"(
    func.func @main(%x: tensor<1x1x1xf32>, %w: tensor<1x1x1xf32>, %b: tensor<1xf32>) -> tensor<1x1x1xf32> {
      %y = qnn.conv %x, %w, %b : (tensor<1x1x1xf32>, tensor<1x1x1xf32>, tensor<1xf32>) -> tensor<1x1x1xf32>
      return %y : tensor<1x1x1xf32>
    })";
  const float rounded = 1 + 0x1p-11f;
  EXPECT_EQ(
      floatsOf(runText(text, {floatTensor({1, 1, 1}, {a}), floatTensor({1, 1, 1}, {a}), floatTensor({1}, {-rounded})})),
      (Floats{0x1p-24f}));
}

TEST(ReferenceFloat, ConvMultipliesZerosOutside) {
  // As kernels do, which read a border: visible where a weight is infinite.
  const std::string text = R"(
    func.func @main(%x: tensor<1x1x1xf32>, %w: tensor<1x1x3xf32>) -> tensor<1x1x1xf32> {
      %y = qnn.conv %x, %w {pads = array<i64: 1, 1>} : (tensor<1x1x1xf32>, tensor<1x1x3xf32>) -> tensor<1x1x1xf32>
      return %y : tensor<1x1x1xf32>
    })";
  EXPECT_EQ(floatsOf(runText(text, {floatTensor({1, 1, 1}, {3}), floatTensor({1, 1, 3}, {8, 2, 9})})), (Floats{6}));
  EXPECT_TRUE(
      std::isnan(floatsOf(runText(text, {floatTensor({1, 1, 1}, {3}), floatTensor({1, 1, 3}, {kInf, 2, kInf})}))[0]));
}

TEST(ReferenceFloat, Matmul) {
  const std::string text = R"(
    func.func @main(%x: tensor<2x1x3xf32>, %w: tensor<3x2xf32>, %b: tensor<2xf32>) -> tensor<2x1x2xf32> {
      %y = qnn.matmul %x, %w, %b : (tensor<2x1x3xf32>, tensor<3x2xf32>, tensor<2xf32>) -> tensor<2x1x2xf32>
      return %y : tensor<2x1x2xf32>
    })";
  Tensor y = runText(text, {floatTensor({2, 1, 3}, {1, 2, 3, 4, 5, 6}), floatTensor({3, 2}, {1, 10, 2, 20, 3, 30}),
                            floatTensor({2}, {0.5f, -1})});
  EXPECT_EQ(floatsOf(y), (Floats{14.5f, 139, 32.5f, 319}));
}

TEST(ReferenceFloat, MatmulOfAVectorWithoutBias) {
  const std::string text = R"(
    func.func @main(%x: tensor<2xf32>, %w: tensor<2x3xf32>) -> tensor<3xf32> {
      %y = qnn.matmul %x, %w : (tensor<2xf32>, tensor<2x3xf32>) -> tensor<3xf32>
      return %y : tensor<3xf32>
    })";
  EXPECT_EQ(floatsOf(runText(text, {floatTensor({2}, {2, 3}), floatTensor({2, 3}, {1, 2, 3, 4, 5, 6})})),
            (Floats{14, 19, 24}));
}

TEST(ReferenceFloat, BatchNorm) {
  const std::string text = R"(
    func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
      %s = arith.constant dense<[2.0, 3.0]> : tensor<2xf32>
      %o = arith.constant dense<[1.0, -1.0]> : tensor<2xf32>
      %m = arith.constant dense<[4.0, 0.0]> : tensor<2xf32>
      %v = arith.constant dense<[3.75, 0.0]> : tensor<2xf32>
      %y = qnn.batch_norm %x, %s, %o, %m, %v {epsilon = 0.25 : f32}
          : (tensor<1x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>
      return %y : tensor<1x2x2xf32>
    })";
  EXPECT_EQ(floatsOf(runText(text, {floatTensor({1, 2, 2}, {4, 6, 0, 1})})), (Floats{1, 3, -1, 5}));
}

TEST(ReferenceFloat, Add) {
  const std::string text = R"(
    func.func @main(%a: tensor<2xf32>, %b: tensor<2xf32>) -> tensor<2xf32> {
      %y = qnn.add %a, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
      return %y : tensor<2xf32>
    })";
  EXPECT_EQ(floatsOf(runText(text, {floatTensor({2}, {1, 2}), floatTensor({2}, {0.25f, -2})})), (Floats{1.25f, 0}));
}

TEST(ReferenceFloat, ReluAndClip) {
  const Tensor x = floatTensor({5}, {-1, -0.0f, 2, kInf, kNaN});
  Tensor y = runText(unary("tensor<5xf32>", "qnn.relu %x : tensor<5xf32>", "tensor<5xf32>"), {x});
  EXPECT_EQ(y.as<float>()[0], 0);
  EXPECT_FALSE(std::signbit(y.as<float>()[1]));
  EXPECT_EQ(y.as<float>()[2], 2);
  EXPECT_EQ(y.as<float>()[3], kInf);
  EXPECT_TRUE(std::isnan(y.as<float>()[4]));
  y = runText(
      unary("tensor<5xf32>", "qnn.clip %x {min = -0.5 : f32, max = 1.5 : f32} : tensor<5xf32>", "tensor<5xf32>"), {x});
  EXPECT_EQ(y.as<float>()[0], -0.5f);
  EXPECT_EQ(y.as<float>()[2], 1.5f);
  EXPECT_EQ(y.as<float>()[3], 1.5f);
  EXPECT_TRUE(std::isnan(y.as<float>()[4]));
}

TEST(ReferenceFloat, Range) {
  const Tensor x = floatTensor({2}, {-7, 9});
  EXPECT_EQ(runText(unary("tensor<2xf32>", "qnn.range %x {min = 0.0 : f32, max = 1.0 : f32} : tensor<2xf32>",
                          "tensor<2xf32>"),
                    {x}),
            x);
}

TEST(ReferenceFloat, MaxPoolIgnoresThePadding) {
  Tensor y = runText(unary("tensor<1x1x4xf32>",
                           "qnn.max_pool %x {kernel = array<i64: 3>, strides = array<i64: 2>, pads = array<i64: 1, 1>} "
                           ": (tensor<1x1x4xf32>) -> tensor<1x1x2xf32>",
                           "tensor<1x1x2xf32>"),
                     {floatTensor({1, 1, 4}, {-5, -6, -7, -8})});
  EXPECT_EQ(floatsOf(y), (Floats{-5, -6}));
}

TEST(ReferenceFloat, MaxPoolDilated) {
  Tensor y = runText(unary("tensor<1x1x5xf32>",
                           "qnn.max_pool %x {kernel = array<i64: 2>, dilations = array<i64: 3>} "
                           ": (tensor<1x1x5xf32>) -> tensor<1x1x2xf32>",
                           "tensor<1x1x2xf32>"),
                     {floatTensor({1, 1, 5}, {1, 9, 8, 2, 3})});
  EXPECT_EQ(floatsOf(y), (Floats{2, 9}));
}

TEST(ReferenceFloat, AvgPoolDividesByThePositionsInside) {
  Tensor y = runText(unary("tensor<1x1x2x3xf32>",
                           "qnn.avg_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, "
                           "pads = array<i64: 1, 1, 1, 0>} : (tensor<1x1x2x3xf32>) -> tensor<1x1x2x2xf32>",
                           "tensor<1x1x2x2xf32>"),
                     {floatTensor({1, 1, 2, 3}, {1, 2, 4, 8, 16, 32})});
  EXPECT_EQ(floatsOf(y), (Floats{1, 3, 8, 24})); // 1 / 1, (2 + 4) / 2, 8 / 1, (16 + 32) / 2
}

TEST(ReferenceMoves, Reshape) {
  Tensor y =
      runText(unary("tensor<2x3xsi8>", "qnn.reshape %x : (tensor<2x3xsi8>) -> tensor<3x1x2xsi8>", "tensor<3x1x2xsi8>"),
              {intTensor(ElementType::S8, {2, 3}, {1, 2, 3, 4, 5, -6})});
  EXPECT_EQ(y, intTensor(ElementType::S8, {3, 1, 2}, {1, 2, 3, 4, 5, -6}));
}

TEST(ReferenceMoves, Transpose) {
  Tensor x = floatTensor({2, 3, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  Tensor y = runText(unary("tensor<2x3x2xf32>",
                           "qnn.transpose %x {permutation = array<i64: 1, 2, 0>} "
                           ": (tensor<2x3x2xf32>) -> tensor<3x2x2xf32>",
                           "tensor<3x2x2xf32>"),
                     {x});
  EXPECT_EQ(floatsOf(y), (Floats{0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11}));
}

TEST(ReferenceMoves, SliceWithNegativeSteps) {
  Tensor y = runText(unary("tensor<2x5xui16>",
                           "qnn.slice %x {offsets = array<i64: 1, 4>, steps = array<i64: -1, -2>} "
                           ": (tensor<2x5xui16>) -> tensor<2x3xui16>",
                           "tensor<2x3xui16>"),
                     {intTensor(ElementType::U16, {2, 5}, {0, 1, 2, 3, 4, 10, 11, 12, 13, 40000})});
  EXPECT_EQ(intsOf(y), (Ints{40000, 12, 10, 4, 2, 0}));
  y = runText(unary("tensor<5xf32>",
                    "qnn.slice %x {offsets = array<i64: 1>, steps = array<i64: 3>} : (tensor<5xf32>) -> tensor<2xf32>",
                    "tensor<2xf32>"),
              {floatTensor({5}, {0, 1, 2, 3, 4})});
  EXPECT_EQ(floatsOf(y), (Floats{1, 4}));
}

TEST(ReferenceMoves, Pad) {
  Tensor y = runText(unary("tensor<1x2xf32>",
                           "qnn.pad %x {low = array<i64: 1, 0>, high = array<i64: 0, 2>, value = 0.5 : f32} "
                           ": (tensor<1x2xf32>) -> tensor<2x4xf32>",
                           "tensor<2x4xf32>"),
                     {floatTensor({1, 2}, {3, 4})});
  EXPECT_EQ(floatsOf(y), (Floats{0.5f, 0.5f, 0.5f, 0.5f, 3, 4, 0.5f, 0.5f}));
  y = runText(unary("tensor<2xsi8>",
                    "qnn.pad %x {low = array<i64: 1>, high = array<i64: 1>, value = 9.0 : f32, x_zp = -7 : i64} "
                    ": (tensor<2xsi8>) -> tensor<4xsi8>",
                    "tensor<4xsi8>"),
              {intTensor(ElementType::S8, {2}, {3, 4})});
  EXPECT_EQ(intsOf(y), (Ints{-7, 3, 4, -7}));
}

TEST(ReferenceProgram, ValuesAreThoseOfLayers) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(R"(
    func.func @main(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
      %a = qnn.relu %x {id = "a"} : tensor<2xf32>
      %r = qnn.range %a {min = 0.0 : f32, max = 1.0 : f32} : tensor<2xf32>
      %b = qnn.add %r, %r {id = "b"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
      %c = qnn.clip %b {id = "c", min = 0.0 : f32, max = 3.0 : f32} : tensor<2xf32>
      %d = qnn.relu %c : tensor<2xf32>
      return %c, %x : tensor<2xf32>, tensor<2xf32>
    })");
  ASSERT_TRUE(module);
  const Tensor x = floatTensor({2}, {-1, 2});
  std::vector<NamedTensor> values;
  llvm::Expected<std::vector<Tensor>> results = interpret(*module, {x}, &values);
  ASSERT_TRUE(static_cast<bool>(results));
  ASSERT_EQ(results->size(), 2u);
  EXPECT_EQ(floatsOf((*results)[0]), (Floats{0, 3}));
  EXPECT_EQ((*results)[1], x);
  ASSERT_EQ(values.size(), 2u);
  // The addition absorbs the clip, whose id names no layer.
  EXPECT_EQ(values[0].name, "a");
  EXPECT_EQ(floatsOf(values[0].tensor), (Floats{0, 2}));
  EXPECT_EQ(values[1].name, "b");
  EXPECT_EQ(floatsOf(values[1].tensor), (Floats{0, 3}));
}

TEST(ReferenceProgram, MainAmongSeveralFunctions) {
  EXPECT_EQ(floatsOf(runText("func.func @other() { return }\n" +
                                 unary("tensor<1xf32>", "qnn.relu %x : tensor<1xf32>", "tensor<1xf32>"),
                             {floatTensor({1}, {2})})),
            (Floats{2}));
  EXPECT_EQ(errorOf("func.func @a() { return }\nfunc.func @b() { return }", {}),
            "module has 2 functions and none named main, expected main or one");
  EXPECT_EQ(errorOf("module {}", {}), "module has 0 functions and none named main, expected main or one");
  EXPECT_EQ(errorOf("func.func private @main()", {}), "function main has 0 blocks, expected one");
}

TEST(ReferenceProgram, Inputs) {
  const std::string text = "func.func @main(%x: tensor<1x2xf32> {qnn.name = \"im\\0Aage\"}) { return }";
  EXPECT_EQ(errorOf(text, {floatTensor({1, 2}, {1, 2})}), "");
  EXPECT_EQ(errorOf(text, {}), "0 inputs, expected 1");
  EXPECT_EQ(errorOf(text, {floatTensor({2}, {1, 2})}),
            "input im\\nage: float32 of shape [2], expected float32 of shape [1, 2]");
  EXPECT_EQ(errorOf(text, {intTensor(ElementType::U8, {1, 2}, {1, 2})}),
            "input im\\nage: uint8 of shape [1, 2], expected float32 of shape [1, 2]");
  Tensor truncated = floatTensor({1, 2}, {1, 2});
  truncated.data.pop_back();
  EXPECT_EQ(errorOf(text, {truncated}), "input im\\nage: 7 bytes, expected 8");
  EXPECT_EQ(errorOf("func.func @main(%x: tensor<?xf32>) { return }", {floatTensor({1}, {1})}),
            "input 0: type tensor<?xf32>, expected a tensor of static shape with elements of f32, siN or uiN");
  EXPECT_EQ(errorOf("func.func @main(%x: i32) { return }", {floatTensor({1}, {1})}),
            "input 0: type i32, expected a tensor of static shape with elements of f32, siN or uiN");
}

TEST(ReferenceProgram, QuantizedLevelIsRefused) {
  EXPECT_EQ(errorOf(R"(
    func.func @main() {
      %0 = arith.constant dense<1> : tensor<2xi8>
      %1 = quant.scast %0 : tensor<2xi8> to tensor<2x!quant.uniform<i8:f32, 5.000000e-01>>
      return
    })",
                    {}),
            "quant.scast: operation quant.scast with type tensor<2x!quant.uniform<i8:f32, 5.000000e-01>> of the "
            "quantized level, expected f32 or integers");
  EXPECT_EQ(errorOf(R"(
    !q = !quant.uniform<u8:f32, 5.000000e-01>
    func.func @main(%x: tensor<2x!q>) -> tensor<2x!q> {
      %y = qnn.add %x, %x {id = "s\09um"} : (tensor<2x!q>, tensor<2x!q>) -> tensor<2x!q>
      return %y : tensor<2x!q>
    })",
                    {floatTensor({2}, {1, 2})}),
            "s\\tum: operation qnn.add with type tensor<2x!quant.uniform<u8:f32, 5.000000e-01>> of the quantized "
            "level, expected f32 or integers");
}

TEST(ReferenceProgram, UnknownOperations) {
  EXPECT_EQ(errorOf(unary("tensor<1xf32>", "arith.negf %x : tensor<1xf32>", "tensor<1xf32>"), {floatTensor({1}, {1})}),
            "arith.negf: operation arith.negf is not one that the interpreter knows");
  EXPECT_EQ(errorOf("func.func @f() { return }\nfunc.func @main() { func.call @f() : () -> ()\n return }", {}),
            "func.call: operation func.call with 0 results, expected one");
  EXPECT_EQ(errorOf("func.func @main() { %c = arith.constant 1 : i32\n return }", {}),
            "arith.constant: type i32, expected a tensor of static shape with elements of f32, siN or uiN");
  EXPECT_EQ(errorOf("func.func @main() { %c = arith.constant dense<1.0> : tensor<1xf64>\n return }", {}),
            "arith.constant: constant of type tensor<1xf64> without readable contents, expected dense f32 or integer "
            "elements");
}

TEST(ReferenceProgram, HugeTensorsAreRefused) {
  EXPECT_EQ(errorOf(unary("tensor<1x1xf32>",
                          "qnn.pad %x {low = array<i64: 0, 0>, high = array<i64: 32768, 32768>} "
                          ": (tensor<1x1xf32>) -> tensor<32769x32769xf32>",
                          "tensor<32769x32769xf32>"),
                    {floatTensor({1, 1}, {1})}),
            "qnn.pad: type tensor<32769x32769xf32> has too many elements, expected at most "
            "1073741824");
}

TEST(ReferenceProgram, HugeKernelsAreRefused) {
  EXPECT_EQ(errorOf(unary("tensor<1x1x1x1xf32>",
                          "qnn.max_pool %x {id = \"p\", kernel = array<i64: 32769, 32769>, pads = array<i64: 0, 0, "
                          "32768, 32768>} : (tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>",
                          "tensor<1x1x1x1xf32>"),
                    {floatTensor({1, 1, 1, 1}, {1})}),
            "p: kernel with too many positions, expected at most 1073741824");
}

TEST(ReferenceProgram, Constants) {
  EXPECT_EQ(intsOf(runText("func.func @main() -> tensor<3xui8> { %c = arith.constant dense<[0, 200, 255]> : "
                           "tensor<3xui8>\n return %c : tensor<3xui8> }",
                           {})),
            (Ints{0, 200, 255}));
  EXPECT_EQ(floatsOf(runText(
                R"(func.func @main() -> tensor<2xf32> {
                     %c = arith.constant dense_resource<values> : tensor<2xf32>
                     return %c : tensor<2xf32>
                   }
                   {-# dialect_resources: { builtin: { values: "0x040000000000803F00000040" } } #-})",
                {})),
            (Floats{1, 2}));
}

} // namespace
