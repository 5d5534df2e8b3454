// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/StridedLayout.h"
#include "dyadic/Support/Strided.h"
#include "gtest/gtest.h"
#include <random>

using namespace dyadic;

namespace {
using Shape = std::vector<int64_t>;

std::vector<int64_t> elements(const StridedLayout &layout) {
  std::vector<int64_t> result;
  forEachStrided(layout.sizes, layout.strides, layout.offset, [&](int64_t offset) { result.push_back(offset); });
  return result;
}

TEST(StridedLayout, CountsAndEnds) {
  StridedLayout layout{7, {2, 3}, {10, 2}};
  EXPECT_EQ(layout.numElements(), 6);
  EXPECT_EQ(layout.last(), 21);
  EXPECT_EQ(rowMajor({2, 3, 4}).strides, (Shape{12, 4, 1}));
}

// The interior of an image with a border, whose lines hold all channels of a position.
TEST(StridedLayout, AnImageInsideOfABorder) {
  StridedLayout interior{912 + 16, {1, 55, 880}, {57 * 912, 912, 1}};
  auto bounds = boundsIn({1, 57, 912}, interior);
  ASSERT_TRUE(bounds);
  EXPECT_EQ((*bounds)[1].first, 1);
  EXPECT_EQ((*bounds)[1].last, 55);
  EXPECT_EQ((*bounds)[2].first, 16);
  EXPECT_EQ((*bounds)[2].last, 895);
  // Positions of 16 channels follow each other within a line, not from line to line.
  auto positions = placeIn(interior, rowMajor({1, 55, 55, 16}));
  ASSERT_TRUE(positions);
  EXPECT_EQ(positions->offset, 928);
  EXPECT_EQ(positions->strides[1], 912);
  EXPECT_EQ(positions->strides[2], 16);
  EXPECT_EQ(positions->strides[3], 1);
  EXPECT_FALSE(placeIn(interior, rowMajor({1, 5, 605, 16})));
}

// Channels of a concatenation: lines may be cut anew.
TEST(StridedLayout, ChannelsOfAConcatenation) {
  StridedLayout half{64, {1, 55, 55, 64}, {55 * 55 * 128, 55 * 128, 128, 1}};
  auto lines = placeIn(half, rowMajor({1, 5, 605, 64}));
  ASSERT_TRUE(lines);
  EXPECT_EQ(lines->offset, 64);
  EXPECT_EQ(lines->strides[1], 605 * 128);
  EXPECT_EQ(lines->strides[2], 128);
  auto bounds = boundsIn({1, 55, 55, 128}, *lines);
  ASSERT_TRUE(bounds);
  EXPECT_EQ((*bounds)[3].first, 64);
  EXPECT_EQ((*bounds)[3].last, 127);
  EXPECT_FALSE(placeIn(half, rowMajor({1, 55, 55 * 64})));
}

TEST(StridedLayout, DimensionsOfOneElementLookContiguous) {
  StridedLayout column{3, {4, 1}, {10, 1}};
  auto placed = placeIn(column, StridedLayout{0, {1, 4, 1}, {4, 1, 1}});
  ASSERT_TRUE(placed);
  EXPECT_EQ(placed->strides, (Shape{40, 10, 1}));
}

// Against the lists of elements: what is said is right, for random boxes in boxes.
TEST(StridedLayout, AgreesWithTheElements) {
  std::mt19937 engine(1);
  auto random = [&](int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(engine); };
  int placed = 0, bounded = 0;
  for (int round = 0; round < 3000; ++round) {
    auto box = [&](const Shape &shape) { // a random part of a tensor
      StridedLayout part = rowMajor(shape);
      for (size_t d = 0; d < shape.size(); ++d) {
        int64_t first = random(0, shape[d] - 1), step = random(1, 2);
        part.offset += first * part.strides[d];
        part.sizes[d] = random(1, (shape[d] - 1 - first) / step + 1);
        part.strides[d] *= step;
      }
      return part;
    };
    Shape outer{random(1, 3), random(1, 5), random(1, 6)};
    StridedLayout stored = box(outer);
    // The same elements in one of several shapes, and a part of that.
    int64_t n = stored.numElements();
    Shape cut{random(1, n), 1, 1};
    while (n % cut[0] != 0)
      cut[0] = random(1, n);
    cut[2] = random(1, n / cut[0]);
    while (n / cut[0] % cut[2] != 0)
      cut[2] = random(1, n / cut[0]);
    cut[1] = n / cut[0] / cut[2];
    StridedLayout part = box(cut);
    std::vector<int64_t> where = elements(stored), found, expected;
    for (int64_t i : elements(part))
      expected.push_back(where[i]);
    if (auto result = placeIn(stored, part)) {
      EXPECT_EQ(elements(*result), expected);
      ++placed;
    }
    if (auto bounds = boundsIn(outer, stored)) {
      ++bounded;
      for (int64_t i : where)
        for (size_t d = outer.size(); d-- > 0; i /= outer[d]) {
          EXPECT_GE(i % outer[d], (*bounds)[d].first);
          EXPECT_LE(i % outer[d], (*bounds)[d].last);
        }
    }
  }
  EXPECT_GT(placed, 1000);
  EXPECT_GT(bounded, 2000);
}
} // namespace
