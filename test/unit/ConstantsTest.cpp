// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// IR/Constants.h and IR/TensorTypes.h: every form a constant can take.

#include "dyadic/IR/Constants.h"
#include "TestModule.h"
#include "dyadic/IR/TensorTypes.h"
#include "dyadic/IR/Types.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "gtest/gtest.h"

using namespace dyadic;
using namespace mlir;
using dyadic::test::context;

namespace {

RankedTensorType tensorOf(Type element, ArrayRef<int64_t> shape) { return RankedTensorType::get(shape, element); }
Type unsignedInt(unsigned width) { return IntegerType::get(context(), width, IntegerType::Unsigned); }
Type signedInt(unsigned width) { return IntegerType::get(context(), width, IntegerType::Signed); }
Type f32() { return Float32Type::get(context()); }

TEST(ConstantView, DenseFloats) {
  ConstantView view(makeFloats(tensorOf(f32(), {2, 2}), {1.0f, -2.0f, 0.5f, 4.0f}));
  ASSERT_TRUE(view);
  EXPECT_EQ(view.size(), 4);
  EXPECT_EQ(view.getType().getShape(), (ArrayRef<int64_t>{2, 2}));
  EXPECT_EQ(view.floatAt(1), -2.0f);
  EXPECT_EQ(view.floats(), (std::vector<float>{1.0f, -2.0f, 0.5f, 4.0f}));
}

TEST(ConstantView, Splats) {
  ConstantView real(DenseElementsAttr::get(tensorOf(f32(), {3}), 2.5f));
  EXPECT_EQ(real.floats(), (std::vector<float>{2.5f, 2.5f, 2.5f}));
  EXPECT_EQ(real.floatAt(2), 2.5f);
  ConstantView integer(DenseElementsAttr::get(tensorOf(signedInt(8), {3}), APInt(8, -7, true)));
  EXPECT_EQ(integer.ints(), (std::vector<int64_t>{-7, -7, -7}));
  EXPECT_EQ(integer.intAt(2), -7);
}

TEST(ConstantView, RankZero) {
  ConstantView view(broadcastInts(context(), {42}, -1, 4));
  ASSERT_TRUE(view);
  EXPECT_EQ(view.getType().getRank(), 0);
  EXPECT_EQ(view.intAt(0), 42);
}

TEST(ConstantView, SignednessDecidesTheExtension) {
  for (unsigned width : {8u, 16u, 32u}) {
    const int64_t largest = (int64_t(1) << width) - 1;
    EXPECT_EQ(ConstantView(makeInts(tensorOf(unsignedInt(width), {2}), {largest, 1})).ints(),
              (std::vector<int64_t>{largest, 1}));
    EXPECT_EQ(ConstantView(makeInts(tensorOf(signedInt(width), {2}), {-1, 1})).ints(), (std::vector<int64_t>{-1, 1}));
    EXPECT_EQ(ConstantView(makeInts(tensorOf(IntegerType::get(context(), width), {2}), {-1, 1})).ints(),
              (std::vector<int64_t>{-1, 1}));
  }
}

TEST(ConstantView, Resources) {
  std::vector<float> reals(1000);
  std::vector<int64_t> bytes(3000), words(3000);
  for (size_t i = 0; i < reals.size(); ++i)
    reals[i] = 0.25f * i;
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<int64_t>(i % 256);
    words[i] = static_cast<int64_t>(i) - 1500;
  }
  ElementsAttr real = makeFloats(tensorOf(f32(), {10, 100}), reals);
  EXPECT_TRUE(isa<DenseResourceElementsAttr>(real));
  EXPECT_EQ(ConstantView(real).floats(), reals);
  EXPECT_EQ(ConstantView(real).floatAt(999), 249.75f);
  ElementsAttr byte = makeInts(tensorOf(unsignedInt(8), {3000}), bytes);
  EXPECT_TRUE(isa<DenseResourceElementsAttr>(byte));
  EXPECT_EQ(ConstantView(byte).ints(), bytes);
  for (unsigned width : {16u, 32u, 64u}) {
    ElementsAttr word = makeInts(tensorOf(signedInt(width), {3000}), words);
    EXPECT_TRUE(isa<DenseResourceElementsAttr>(word));
    EXPECT_EQ(ConstantView(word).ints(), words);
  }
}

TEST(ConstantView, NarrowIntegers) {
  ElementsAttr nibbles = makeInts(tensorOf(IntegerType::get(context(), 4), {4}), {-8, 7, -1, 0});
  EXPECT_EQ(ConstantView(nibbles).ints(), (std::vector<int64_t>{-8, 7, -1, 0}));
  ElementsAttr positive = makeInts(tensorOf(unsignedInt(4), {2}), {15, 8});
  EXPECT_EQ(ConstantView(positive).ints(), (std::vector<int64_t>{15, 8}));
}

TEST(ConstantView, RefusesWhatItCannotRead) {
  EXPECT_FALSE(ConstantView(Attribute()));
  EXPECT_FALSE(ConstantView(StringAttr::get(context(), "x")));
  EXPECT_FALSE(ConstantView(DenseElementsAttr::get(tensorOf(Float64Type::get(context()), {1}), 1.0)));
  const char bytes[8] = {};
  auto tooShort = DenseResourceElementsAttr::get(tensorOf(f32(), {3}), "short",
                                                 HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, 4));
  EXPECT_FALSE(ConstantView(tooShort));
}

TEST(ConstantView, ValuesAndStorageCasts) {
  OwningOpRef<ModuleOp> module = test::parse(R"(
    func.func @main() -> tensor<2x!quant.uniform<i8:f32, 0.5>> {
      %0 = arith.constant dense<[-3, 4]> : tensor<2xi8>
      %1 = quant.scast %0 : tensor<2xi8> to tensor<2x!quant.uniform<i8:f32, 0.5>>
      return %1 : tensor<2x!quant.uniform<i8:f32, 0.5>>
    })");
  ASSERT_TRUE(module);
  Operation *terminator = (*module->getOps<func::FuncOp>().begin()).getBody().front().getTerminator();
  EXPECT_EQ(ConstantView(terminator->getOperand(0)).ints(), (std::vector<int64_t>{-3, 4}));
}

TEST(Constants, BroadcastShapes) {
  EXPECT_EQ(broadcastInts(context(), {1, 2, 3}, 1, 4).getType().getShape(), (ArrayRef<int64_t>{3, 1, 1}));
  EXPECT_EQ(broadcastFloats(context(), {1, 2}, 1, 2).getType().getShape(), (ArrayRef<int64_t>{2}));
  EXPECT_TRUE(broadcastsTo({}, {2, 3}));
  EXPECT_TRUE(broadcastsTo({3, 1, 1}, {2, 3, 4, 5}));
  EXPECT_FALSE(broadcastsTo({2, 1, 1}, {2, 3, 4, 5}));
  EXPECT_FALSE(broadcastsTo({1, 2, 3}, {2, 3}));
}

TEST(TensorTypes, RoundTrip) {
  for (ElementType type :
       {ElementType::F32, ElementType::U8, ElementType::S8, ElementType::U16, ElementType::S16, ElementType::S32,
        ElementType::S64, ElementType::F64, ElementType::U32, ElementType::U64, ElementType::Bool})
    EXPECT_EQ(elementTypeOf(mlirType(type, context())), type) << elementName(type);
  EXPECT_FALSE(elementTypeOf(IntegerType::get(context(), 8)));
  EXPECT_FALSE(elementTypeOf(signedInt(4)));
  EXPECT_FALSE(elementTypeOf(qnn::perTensorType(context(), 8, false, 0.5f, 3)));
}

} // namespace
