// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Conversion/DotProbe.h"
#include "dyadic/Runtime/SequenceLimits.h"
#include "gtest/gtest.h"

using namespace dyadic;

TEST(DotSequence, NamesAreParsedBack) {
  for (const char *name : {"maddubs x1", "maddubs x64", "maddwd", "dpbusd", "sdot"}) {
    std::optional<DotSequence> sequence = DotSequence::parse(name);
    ASSERT_TRUE(sequence) << name;
    EXPECT_EQ(sequence->name(), name);
  }
  for (const char *name : {"", "maddubs", "maddubs x0", "maddubs xx", "dpbusd x2", "fma"})
    EXPECT_FALSE(DotSequence::parse(name)) << name;
}

TEST(SequenceLimits, AreMeasuredForThisMachine) {
  llvm::Expected<Target> target = parseTarget("native");
  ASSERT_TRUE(static_cast<bool>(target));
  if (target->cpus.size() != 1 || target->cpus[0].family->byteDot.empty())
    GTEST_SKIP() << "this machine has no dot instructions";
  auto limits = measureSequenceLimits(
      *target, {target->cpus[0].family->byteDot == "maddubs" ? "maddubs x2" : "dpbusd", "sdot", "nonsense"});
  ASSERT_TRUE(static_cast<bool>(limits)) << llvm::toString(limits.takeError());
  if (target->cpus[0].family->byteDot.starts_with("dp") || target->cpus[0].family->byteDot == "maddubs")
    EXPECT_EQ(limits->size(), 1u);
  for (const auto &[name, rate] : *limits)
    EXPECT_GT(rate, 0) << name;
}
