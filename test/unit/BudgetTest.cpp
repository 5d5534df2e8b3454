// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Search/Budget.h"
#include "llvm/ADT/STLExtras.h"
#include <gtest/gtest.h>

using namespace dyadic;

namespace {

constexpr size_t kLatency = 0, kSize = 1, kBops = 2, kWeightBits = 3;

Budget budgetOf(llvm::StringRef text) {
  auto budget = parseBudget(text);
  if (!budget) {
    ADD_FAILURE() << llvm::toString(budget.takeError());
    return {};
  }
  return *budget;
}

std::vector<SearchLayer> threeLayers() {
  return {{"a", "x", 1000, 50000, true}, {"b", "y", 3000, 90000, true}, {"c", "y", 4000, 10000, false}};
}

TEST(BudgetTest, UnitsOfLimits) {
  Budget budget = budgetOf("latency:800us,size:2MB,bops:3G,avg:4.5,drop:0.5%,sqnr:25dB");
  EXPECT_DOUBLE_EQ(budget.costs[kLatency]->value, 0.8);
  EXPECT_DOUBLE_EQ(budget.costs[kSize]->value, 2e6 / (1 << 20));
  EXPECT_DOUBLE_EQ(budget.costs[kBops]->value, 3e9);
  EXPECT_DOUBLE_EQ(budget.costs[kWeightBits]->value, 4.5);
  EXPECT_DOUBLE_EQ(*budget.drop, 0.005);
  EXPECT_DOUBLE_EQ(*budget.sqnr, 25);
  EXPECT_TRUE(budget.limitsCosts());
  EXPECT_DOUBLE_EQ(budgetOf("size:3KiB").costs[kSize]->value, 3.0 / 1024);
  EXPECT_DOUBLE_EQ(budgetOf("size:1048576B").costs[kSize]->value, 1);
  EXPECT_TRUE(budgetOf("bops:0.5x").costs[kBops]->isRelative);
  EXPECT_FALSE(budgetOf("drop:2%").limitsCosts());
}

TEST(BudgetTest, RelativeLimitsAreOfW8A8) {
  std::vector<SearchLayer> layers = threeLayers();
  WeightCostModel model(layers);
  auto limits = resolveLimits(budgetOf("size:0.5x,bops:0.25x,avg:4"), layers, {&model});
  ASSERT_TRUE(static_cast<bool>(limits));
  EXPECT_NEAR(*(*limits)[kSize], 4000.0 / (1 << 20), 1e-12);
  EXPECT_NEAR(*(*limits)[kBops], 150000.0 * 16, 1e-3);
  EXPECT_EQ(*(*limits)[kWeightBits], 32000.0);
  EXPECT_FALSE((*limits)[kLatency]);
  auto unknown = resolveLimits(budgetOf("latency:0.5x"), layers, {&model});
  EXPECT_EQ(llvm::toString(unknown.takeError()), "--budget: latency:0.5x needs a cost of layer 'a' that is not known");
}

TEST(BudgetTest, ReadersOfOneValueAreTiedWhereActivationsDiffer) {
  auto names = [](llvm::StringRef choices) {
    auto parsed = parseChoices(choices);
    EXPECT_TRUE(static_cast<bool>(parsed));
    std::vector<std::vector<std::string>> layers;
    for (const ChoiceGroup &group : choiceGroups(threeLayers(), *parsed))
      layers.push_back(group.layers);
    return layers;
  };
  using Groups = std::vector<std::vector<std::string>>;
  EXPECT_EQ(names("w4a8,w8a8"), (Groups{{"a"}, {"b"}, {"c"}}));
  EXPECT_EQ(names("w4a8,w8a4"), (Groups{{"a"}, {"b", "c"}}));
}

/// Groups with choices w4a8 and w8a8 that perturb by 2^-i and nothing.
AssignmentProblem problemOf(size_t numGroups) {
  AssignmentProblem problem;
  auto choices = parseChoices("w4a8,w8a8");
  std::vector<SearchLayer> layers;
  for (size_t i = 0; i < numGroups; ++i)
    layers.push_back({"layer" + std::to_string(i), "x" + std::to_string(i), 100, 100, true});
  problem.groups = choiceGroups(layers, *choices);
  WeightCostModel model(layers);
  EXPECT_FALSE(static_cast<bool>(addCosts(problem, {&model})));
  for (size_t i = 0; i < numGroups; ++i)
    problem.groups[i].choices[0].perturbation = std::ldexp(1.0, -static_cast<int>(i));
  return problem;
}

TEST(BudgetTest, UniformPlansMeetTheLimits) {
  AssignmentProblem problem = problemOf(4);
  EXPECT_EQ(*uniformChoices(problem), Choices({1, 1, 1, 1}));
  problem.limits[kWeightBits] = 2400;
  EXPECT_EQ(*uniformChoices(problem), Choices({0, 0, 0, 0}));
  problem.limits[kWeightBits] = 1500;
  EXPECT_FALSE(uniformChoices(problem));
}

TEST(BudgetTest, ChoicesBecomeAPlan) {
  AssignmentProblem problem = problemOf(2);
  Plan plan;
  plan.layers["other"].weights = 3;
  applyChoices(problem, {0, 1}, plan);
  EXPECT_EQ(plan.layers["layer0"].weights, 4u);
  EXPECT_EQ(plan.layers["layer0"].activations, 8u);
  EXPECT_EQ(plan.layers["layer1"].weights, 8u);
  EXPECT_EQ(plan.layers["other"].weights, 3u);
}

} // namespace
