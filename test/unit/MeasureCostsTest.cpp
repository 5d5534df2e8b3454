// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/MeasureCosts.h"
#include <gtest/gtest.h>

using namespace dyadic;

namespace {

TEST(MeasureCosts, ClocksTakeTheSameOfEveryKernel) {
  EXPECT_EQ(withoutClocks({10, 2, 4}, 22, 19), (std::vector<double>{9, 1, 3}));
  // The program without them may be the slower one of two measurements; no kernel takes less than nothing.
  EXPECT_EQ(withoutClocks({10, 2}, 12, 14), (std::vector<double>{11, 3}));
  EXPECT_EQ(withoutClocks({10, 1}, 15, 11), (std::vector<double>{8, 0}));
  EXPECT_EQ(withoutClocks({}, 3, 2), std::vector<double>());
}

} // namespace
