// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The text of the progress line.

#include "dyadic/Support/Progress.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace dyadic;

TEST(ProgressTest, TimeLeft) {
  EXPECT_EQ(progressText("calibrating", 0, 100, 3), "calibrating: 0 of 100");
  EXPECT_EQ(progressText("calibrating", 1, 100, 0), "calibrating: 1 of 100, 0 s left");
  EXPECT_EQ(progressText("calibrating", 50, 100, 12.25), "calibrating: 50 of 100, 13 s left");
  EXPECT_EQ(progressText("calibrating", 100, 100, 30), "calibrating: 100 of 100");
  EXPECT_EQ(progressText("measuring", 1, 2, 59.2), "measuring: 1 of 2, 1 min 00 s left");
  EXPECT_EQ(progressText("x", 1, 2, 65), "x: 1 of 2, 1 min 05 s left");
  EXPECT_EQ(progressText("x", 1, 2, 3599), "x: 1 of 2, 59 min 59 s left");
  EXPECT_EQ(progressText("x", 1, 3, 3830), "x: 1 of 3, 2 h 07 min left");
}

TEST(ProgressTest, ClocksThatMakeNoSense) {
  EXPECT_EQ(progressText("x", 1, 2, -1), "x: 1 of 2");
  EXPECT_EQ(progressText("x", 1, 2, std::nan("")), "x: 1 of 2");
  EXPECT_EQ(progressText("x", 1, SIZE_MAX, 1e300), "x: 1 of 18446744073709551615, 100000 h 00 min left");
}
