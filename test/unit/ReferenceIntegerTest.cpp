// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The interpreter at the integer level.

#include "TestModule.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <limits>
#include <random>

using namespace dyadic;
using namespace dyadic::test;

namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

std::string shaped(llvm::ArrayRef<int64_t> shape, const char *element) {
  std::string text = "tensor<";
  for (int64_t size : shape)
    text += std::to_string(size) + "x";
  return text + element + ">";
}

std::string listed(const char *name, llvm::ArrayRef<int64_t> values) {
  std::string text = std::string(name) + " = array<i64";
  for (size_t i = 0; i < values.size(); ++i)
    text += (i ? ", " : ": ") + std::to_string(values[i]);
  return text + ">";
}

TEST(ReferenceInteger, ConvPadsWithTheZeroPoint) {
  const std::string text = R"(
    func.func @main(%x: tensor<1x1x2xui8>, %w: tensor<1x1x3xsi8>, %b: tensor<1xsi32>) -> tensor<1x1x2xsi32> {
      %y = qnn.conv %x, %w, %b {pads = array<i64: 1, 1>, x_zp = 100 : i64}
          : (tensor<1x1x2xui8>, tensor<1x1x3xsi8>, tensor<1xsi32>) -> tensor<1x1x2xsi32>
      return %y : tensor<1x1x2xsi32>
    })";
  Tensor y = runText(text, {intTensor(ElementType::U8, {1, 1, 2}, {200, 255}),
                            intTensor(ElementType::S8, {1, 1, 3}, {-1, 2, 3}), intTensor(ElementType::S32, {1}, {-7})});
  EXPECT_EQ(y, intTensor(ElementType::S32, {1, 1, 2}, {-7 - 100 + 400 + 765, -7 - 200 + 510 + 300}));
}

TEST(ReferenceInteger, ConvChannelsLast) {
  const std::string text = R"(
    func.func @main(%x: tensor<1x3x2xui8>, %w: tensor<2x2x2xsi8>) -> tensor<1x2x2xsi32> {
      %y = qnn.conv %x, %w {channels_last, x_zp = 0 : i64}
          : (tensor<1x3x2xui8>, tensor<2x2x2xsi8>) -> tensor<1x2x2xsi32>
      return %y : tensor<1x2x2xsi32>
    })";
  // Channel 0 is 1 3 5, channel 1 is 2 4 6.
  Tensor y = runText(text, {intTensor(ElementType::U8, {1, 3, 2}, {1, 2, 3, 4, 5, 6}),
                            intTensor(ElementType::S8, {2, 2, 2}, {1, 0, 0, 10, 0, 1, 10, 0})});
  EXPECT_EQ(y, intTensor(ElementType::S32, {1, 2, 2}, {1 + 40, 3 + 20, 3 + 60, 5 + 40}));
}

TEST(ReferenceInteger, PoolsChannelsLast) {
  const std::string text = R"(
    func.func @main(%x: tensor<1x3x2xui8>) -> tensor<1x2x2xsi32> {
      %m = qnn.max_pool %x {channels_last, kernel = array<i64: 2>, pads = array<i64: 1, 0>}
          : (tensor<1x3x2xui8>) -> tensor<1x3x2xui8>
      %y = qnn.avg_pool %m {channels_last, kernel = array<i64: 2>, x_zp = 1 : i64}
          : (tensor<1x3x2xui8>) -> tensor<1x2x2xsi32>
      return %y : tensor<1x2x2xsi32>
    })";
  Tensor y = runText(text, {intTensor(ElementType::U8, {1, 3, 2}, {1, 60, 3, 40, 5, 20})});
  EXPECT_EQ(y, intTensor(ElementType::S32, {1, 2, 2}, {1 + 3 - 2, 60 + 60 - 2, 3 + 5 - 2, 60 + 40 - 2}));
}

TEST(ReferenceInteger, AccumulatorsWrap) {
  const std::string text = R"(
    func.func @main(%x: tensor<1xui16>, %w: tensor<1x2xsi8>, %b: tensor<2xsi32>) -> tensor<2xsi32> {
      %y = qnn.matmul %x, %w, %b {x_zp = 0 : i64}
          : (tensor<1xui16>, tensor<1x2xsi8>, tensor<2xsi32>) -> tensor<2xsi32>
      return %y : tensor<2xsi32>
    })";
  Tensor y = runText(text, {intTensor(ElementType::U16, {1}, {2}), intTensor(ElementType::S8, {1, 2}, {1, -1}),
                            intTensor(ElementType::S32, {2}, {INT32_MAX, INT32_MIN})});
  EXPECT_EQ(intsOf(y), (Ints{INT32_MIN + 1, INT32_MAX - 1}));
}

TEST(ReferenceInteger, Matmul) {
  const std::string text = R"(
    func.func @main(%x: tensor<2x2xsi16>, %w: tensor<2x3xsi8>) -> tensor<2x3xsi32> {
      %y = qnn.matmul %x, %w {x_zp = 5 : i64} : (tensor<2x2xsi16>, tensor<2x3xsi8>) -> tensor<2x3xsi32>
      return %y : tensor<2x3xsi32>
    })";
  Tensor y = runText(text, {intTensor(ElementType::S16, {2, 2}, {-300, 1, 2, 1000}),
                            intTensor(ElementType::S8, {2, 3}, {1, 2, -128, 4, 5, 127})});
  EXPECT_EQ(intsOf(y), (Ints{-296, -595, 38527, 4002, 5004, 126744}));
}

/// A convolution of up to three spatial dimensions, for one naive loop over all of them.
struct ConvCase {
  int rank;
  int64_t batch, group, groupChannels, groupFilters, zeroPoint;
  std::vector<int64_t> size, kernel, strides, dilations, pads;

  std::vector<int64_t> outputShape() const {
    std::vector<int64_t> shape{batch, group * groupFilters};
    for (int d = 0; d < rank; ++d)
      shape.push_back((size[d] + pads[d] + pads[rank + d] - dilations[d] * (kernel[d] - 1) - 1) / strides[d] + 1);
    return shape;
  }
  std::vector<int64_t> inputShape() const {
    std::vector<int64_t> shape{batch, group * groupChannels};
    shape.insert(shape.end(), size.begin(), size.end());
    return shape;
  }
  std::vector<int64_t> weightShape() const {
    std::vector<int64_t> shape{group * groupFilters, groupChannels};
    shape.insert(shape.end(), kernel.begin(), kernel.end());
    return shape;
  }
  int64_t at(const std::vector<int64_t> &values, int d, int64_t missing) const {
    return d < rank ? values[d] : missing;
  }
};

int64_t multiplyAdd(int64_t x, int64_t y, int64_t sum) { return x * y + sum; }
float multiplyAdd(float x, float y, float sum) { return std::fma(x, y, sum); }

template <typename T>
T naiveConv(const ConvCase &c, const std::vector<T> &x, const std::vector<T> &w, T bias, T pad, int64_t n, int64_t m,
            const int64_t (&o)[3]) {
  T sum = bias;
  const int64_t s1 = c.at(c.size, 1, 1), s2 = c.at(c.size, 2, 1), k0 = c.kernel[0], k1 = c.at(c.kernel, 1, 1),
                k2 = c.at(c.kernel, 2, 1);
  auto input = [&](int d, int64_t k) {
    return d < c.rank ? o[d] * c.strides[d] - c.pads[d] + k * c.dilations[d] : int64_t(0);
  };
  for (int64_t i = 0; i < k0; ++i)
    for (int64_t j = 0; j < k1; ++j)
      for (int64_t k = 0; k < k2; ++k)
        for (int64_t g = 0; g < c.groupChannels; ++g) {
          const int64_t a = input(0, i), b = input(1, j), e = input(2, k);
          const bool inside = a >= 0 && a < c.size[0] && b >= 0 && b < s1 && e >= 0 && e < s2;
          const int64_t channel = m / c.groupFilters * c.groupChannels + g;
          const T value =
              inside ? x[(((n * c.group * c.groupChannels + channel) * c.size[0] + a) * s1 + b) * s2 + e] : pad;
          sum = multiplyAdd(value, w[(((m * c.groupChannels + g) * k0 + i) * k1 + j) * k2 + k], sum);
        }
  return sum;
}

template <typename T>
std::vector<T> naiveConv(const ConvCase &c, const std::vector<T> &x, const std::vector<T> &w, const std::vector<T> &b,
                         T pad) {
  std::vector<T> y;
  const std::vector<int64_t> shape = c.outputShape();
  int64_t o[3] = {0, 0, 0};
  for (int64_t n = 0; n < shape[0]; ++n)
    for (int64_t m = 0; m < shape[1]; ++m)
      for (o[0] = 0; o[0] < shape[2]; ++o[0])
        for (o[1] = 0; o[1] < (c.rank > 1 ? shape[3] : 1); ++o[1])
          for (o[2] = 0; o[2] < (c.rank > 2 ? shape[4] : 1); ++o[2])
            y.push_back(naiveConv(c, x, w, b[m], pad, n, m, o));
  return y;
}

ConvCase randomConv(std::mt19937 &random) {
  auto pick = [&](int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(random); };
  ConvCase c{
      static_cast<int>(pick(1, 3)), pick(1, 2), pick(1, 3), pick(1, 3), pick(1, 2), pick(0, 255), {}, {}, {}, {}, {}};
  c.pads.resize(2 * c.rank);
  for (int d = 0; d < c.rank; ++d) {
    c.kernel.push_back(pick(1, 3));
    c.strides.push_back(pick(1, 3));
    c.dilations.push_back(pick(1, 2));
    c.pads[d] = pick(0, 3);
    c.pads[c.rank + d] = pick(0, 3);
    c.size.push_back(pick(1, 6));
    const int64_t missing = c.dilations[d] * (c.kernel[d] - 1) + 1 - c.size[d] - c.pads[d] - c.pads[c.rank + d];
    c.size[d] += std::max<int64_t>(missing, 0);
  }
  return c;
}

std::string convText(const ConvCase &c, const char *x, const char *w, const char *acc, const std::string &extra) {
  const std::string xt = shaped(c.inputShape(), x), wt = shaped(c.weightShape(), w),
                    bt = shaped({c.group * c.groupFilters}, acc), yt = shaped(c.outputShape(), acc);
  return "func.func @main(%x: " + xt + ", %w: " + wt + ", %b: " + bt + ") -> " + yt +
         " {\n %y = qnn.conv %x, %w, %b {" + listed("strides", c.strides) + ", " + listed("dilations", c.dilations) +
         ", " + listed("pads", c.pads) + ", group = " + std::to_string(c.group) + " : i64" + extra + "} : (" + xt +
         ", " + wt + ", " + bt + ") -> " + yt + "\n return %y : " + yt + "\n}";
}

int64_t volume(const std::vector<int64_t> &shape) { return Tensor(ElementType::U8, shape).size(); }

TEST(ReferenceInteger, RandomConvolutions) {
  std::mt19937 random(1);
  for (int i = 0; i < 60; ++i) {
    const ConvCase c = randomConv(random);
    Ints x(volume(c.inputShape())), w(volume(c.weightShape())), b(c.group * c.groupFilters);
    for (int64_t &v : x)
      v = random() % 256;
    for (int64_t &v : w)
      v = static_cast<int64_t>(random() % 256) - 128;
    for (int64_t &v : b)
      v = static_cast<int64_t>(random() % 20001) - 10000;
    Tensor y = runText(convText(c, "ui8", "si8", "si32", ", x_zp = " + std::to_string(c.zeroPoint) + " : i64"),
                       {intTensor(ElementType::U8, c.inputShape(), x), intTensor(ElementType::S8, c.weightShape(), w),
                        intTensor(ElementType::S32, {static_cast<int64_t>(b.size())}, b)});
    ASSERT_EQ(intsOf(y), naiveConv<int64_t>(c, x, w, b, c.zeroPoint)) << "case " << i;
  }
}

TEST(ReferenceFloat, RandomConvolutions) {
  std::mt19937 random(2);
  std::uniform_real_distribution<float> value(-1, 1);
  for (int i = 0; i < 60; ++i) {
    const ConvCase c = randomConv(random);
    Floats x(volume(c.inputShape())), w(volume(c.weightShape())), b(c.group * c.groupFilters);
    for (Floats *values : {&x, &w, &b})
      for (float &v : *values)
        v = value(random);
    Tensor y =
        runText(convText(c, "f32", "f32", "f32", ""), {floatTensor(c.inputShape(), x), floatTensor(c.weightShape(), w),
                                                       floatTensor({static_cast<int64_t>(b.size())}, b)});
    ASSERT_EQ(floatsOf(y), naiveConv<float>(c, x, w, b, 0)) << "case " << i;
  }
}

TEST(ReferenceInteger, RequantizePerChannel) {
  // 2^30 / 2^31 = 1/2 and 2^30 / 2^32 = 1/4; ties of both signs.
  auto text = [](const std::string &rounding) {
    return unary("tensor<1x2x3xsi32>",
                 "qnn.requantize %x {multiplier = dense<[[1073741824], [1073741824]]> : tensor<2x1xi32>, exponent = "
                 "dense<[[31], [32]]> : tensor<2x1xi32>, zero_point = 10 : i64, clamp = array<i64: 8, 255>, "
                 "rounding = #qnn.rounding<" +
                     rounding + ">} : (tensor<1x2x3xsi32>) -> tensor<1x2x3xui8>",
                 "tensor<1x2x3xui8>");
  };
  const Tensor x = intTensor(ElementType::S32, {1, 2, 3}, {1, -1, 2000, 2, -2, -100});
  EXPECT_EQ(intsOf(runText(text("half_up"), {x})), (Ints{11, 10, 255, 11, 10, 8}));
  EXPECT_EQ(intsOf(runText(text("half_even"), {x})), (Ints{10, 10, 255, 10, 10, 8}));
  EXPECT_EQ(intsOf(runText(text("double"), {x})), (Ints{11, 10, 255, 11, 9, 8}));
}

TEST(ReferenceInteger, RequantizeLessTheZeroPointOfItsOperand) {
  Tensor y = runText(unary("tensor<3xui8>",
                           "qnn.requantize %x {x_zp = 128 : i64, multiplier = dense<1073741824> : tensor<i32>, "
                           "exponent = dense<30> : tensor<i32>, zero_point = -3 : i64, clamp = array<i64: -128, 127>, "
                           "rounding = #qnn.rounding<half_up>} : (tensor<3xui8>) -> tensor<3xsi8>",
                           "tensor<3xsi8>"),
                     {intTensor(ElementType::U8, {3}, {0, 128, 255})});
  EXPECT_EQ(intsOf(y), (Ints{-128, -3, 124}));
}

TEST(ReferenceInteger, RequantizeBroadcastsMultiplierAndExponentApart) {
  // Multiplier along the columns, exponent along the rows.
  Tensor y = runText(unary("tensor<2x2xsi32>",
                           "qnn.requantize %x {multiplier = dense<[1073741824, 1610612736]> : tensor<2xi32>, "
                           "exponent = dense<[[30], [29]]> : tensor<2x1xi32>, zero_point = 0 : i64, "
                           "clamp = array<i64: -32768, 32767>, rounding = #qnn.rounding<half_even>} "
                           ": (tensor<2x2xsi32>) -> tensor<2x2xsi16>",
                           "tensor<2x2xsi16>"),
                     {intTensor(ElementType::S32, {2, 2}, {100, 100, 100, 100})});
  EXPECT_EQ(intsOf(y), (Ints{100, 150, 200, 300}));
}

const char *const kAdd = R"(
  func.func @main(%a: tensor<1x2x2xui8>, %b: tensor<1x2x2xsi32>) -> tensor<1x2x2xsi8> {
    %y = qnn.add %a, %b {id = "s", a_zp = 100 : i64, b_zp = 0 : i64,
        a_multiplier = dense<[[1073741824], [536870912]]> : tensor<2x1xi32>, b_multiplier = dense<1> : tensor<i32>,
        exponent = dense<31> : tensor<1x1x1xi32>, zero_point = 5 : i64, clamp = array<i64: -20, 127>,
        rounding = #qnn.rounding<ROUNDING>} : (tensor<1x2x2xui8>, tensor<1x2x2xsi32>) -> tensor<1x2x2xsi8>
    return %y : tensor<1x2x2xsi8>
  })";

std::string addText(llvm::StringRef rounding) {
  llvm::StringRef text(kAdd);
  auto [before, after] = text.split("ROUNDING");
  return (before + rounding + after).str();
}

TEST(ReferenceInteger, AddRoundsTheSumOnce) {
  // 1/2 and 1/4 of the first operand, 2^-31 of the second: 0.5, then just below it.
  const Tensor a = intTensor(ElementType::U8, {1, 2, 2}, {101, 101, 0, 106});
  const Tensor b = intTensor(ElementType::S32, {1, 2, 2}, {0, -1, INT32_MAX, 0});
  EXPECT_EQ(intsOf(runText(addText("half_up"), {a, b})), (Ints{6, 5, -19, 7}));
  EXPECT_EQ(intsOf(runText(addText("half_even"), {a, b})), (Ints{5, 5, -19, 7}));
}

TEST(ReferenceInteger, AddClamps) {
  const Tensor a = intTensor(ElementType::U8, {1, 2, 2}, {255, 0, 255, 0});
  const Tensor b = intTensor(ElementType::S32, {1, 2, 2}, {0, 0, 0, 0});
  EXPECT_EQ(intsOf(runText(addText("half_up"), {a, b})), (Ints{83, -20, 44, -20}));
}

TEST(ReferenceInteger, AddRefusesSumsOutsideOfItsDomain) {
  const std::string text = R"(
    func.func @main(%a: tensor<1xsi32>) -> tensor<1xui8> {
      %y = qnn.add %a, %a {a_zp = 0 : i64, b_zp = 0 : i64, a_multiplier = dense<2147483647> : tensor<i32>,
          b_multiplier = dense<2147483647> : tensor<i32>, exponent = dense<62> : tensor<i32>, zero_point = 0 : i64,
          clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>}
          : (tensor<1xsi32>, tensor<1xsi32>) -> tensor<1xui8>
      return %y : tensor<1xui8>
    })";
  mlir::ScopedDiagnosticHandler quiet(context(), [](mlir::Diagnostic &) { return mlir::success(); });
  if (!parse(text)) // a verifier may know it already
    GTEST_SKIP();
  EXPECT_EQ(errorOf(text, {intTensor(ElementType::S32, {1}, {INT32_MIN})}),
            "qnn.add: sum of -2147483648 * 2147483647 and -2147483648 * 2147483647 at element 0 leaves 63 bits");
  EXPECT_EQ(errorOf(text, {intTensor(ElementType::S32, {1}, {1 << 29})}), "");
}

TEST(ReferenceInteger, MaxPool) {
  Tensor y = runText(unary("tensor<1x1x2x2xsi8>",
                           "qnn.max_pool %x {kernel = array<i64: 2, 2>, pads = array<i64: 1, 1, 0, 0>} "
                           ": (tensor<1x1x2x2xsi8>) -> tensor<1x1x2x2xsi8>",
                           "tensor<1x1x2x2xsi8>"),
                     {intTensor(ElementType::S8, {1, 1, 2, 2}, {-5, -7, -3, -9})});
  EXPECT_EQ(intsOf(y), (Ints{-5, -5, -3, -3}));
}

TEST(ReferenceInteger, AvgPoolSumsThePositionsInside) {
  Tensor y = runText(unary("tensor<1x2x3xui8>",
                           "qnn.avg_pool %x {kernel = array<i64: 3>, pads = array<i64: 1, 1>, x_zp = 100 : i64} "
                           ": (tensor<1x2x3xui8>) -> tensor<1x2x3xsi32>",
                           "tensor<1x2x3xsi32>"),
                     {intTensor(ElementType::U8, {1, 2, 3}, {101, 110, 200, 0, 0, 255})});
  EXPECT_EQ(y, intTensor(ElementType::S32, {1, 2, 3}, {11, 111, 110, -200, -45, 55}));
}

TEST(ReferenceInteger, QuantizeAndDequantize) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  Tensor y = runText(unary("tensor<6xf32>",
                           "qnn.quantize %x {scale = 0.5 : f32, zero_point = 3 : i64, clamp = array<i64: 0, 15>} "
                           ": (tensor<6xf32>) -> tensor<6xui8>",
                           "tensor<6xui8>"),
                     {floatTensor({6}, {0.25f, 0.75f, -0.25f, inf, -inf, nan})});
  EXPECT_EQ(intsOf(y), (Ints{3, 5, 3, 15, 0, 3}));
  Tensor x = runText(unary("tensor<1x2x2xsi32>",
                           "qnn.dequantize %x {scale = dense<[[0.5], [2.0]]> : tensor<2x1xf32>} "
                           ": (tensor<1x2x2xsi32>) -> tensor<1x2x2xf32>",
                           "tensor<1x2x2xf32>"),
                     {intTensor(ElementType::S32, {1, 2, 2}, {0, 3, -3, 16777217})});
  EXPECT_EQ(floatsOf(x), (Floats{0, 1.5f, -6, 33554432.0f}));
}

TEST(ReferenceInteger, LayerOfTwoOperationsHasOneValue) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(R"(
    func.func @main(%x: tensor<1x2xui8>) -> tensor<1x1xf32> {
      %w = arith.constant dense<[[1], [-1]]> : tensor<2x1xsi8>
      %a = qnn.matmul %x, %w {id = "fc", x_zp = 0 : i64} : (tensor<1x2xui8>, tensor<2x1xsi8>) -> tensor<1x1xsi32>
      %r = qnn.requantize %a {id = "fc", multiplier = dense<1073741824> : tensor<i32>,
          exponent = dense<31> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: -128, 127>,
          rounding = #qnn.rounding<half_up>} : (tensor<1x1xsi32>) -> tensor<1x1xsi8>
      %y = qnn.dequantize %r {scale = dense<0.25> : tensor<f32>} : (tensor<1x1xsi8>) -> tensor<1x1xf32>
      return %y : tensor<1x1xf32>
    })");
  ASSERT_TRUE(module);
  std::vector<NamedTensor> values;
  llvm::Expected<std::vector<Tensor>> results =
      interpret(*module, {intTensor(ElementType::U8, {1, 2}, {200, 103})}, &values);
  ASSERT_TRUE(static_cast<bool>(results));
  EXPECT_EQ(floatsOf(results->front()), (Floats{12.25f}));
  ASSERT_EQ(values.size(), 1u);
  EXPECT_EQ(values[0].name, "fc");
  EXPECT_EQ(values[0].tensor, intTensor(ElementType::S8, {1, 1}, {49}));
}

} // namespace
