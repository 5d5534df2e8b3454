// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Search/CostModel.h"
#include <gtest/gtest.h>

using namespace dyadic;

namespace {

ChoiceGroup groupOf(std::vector<std::string> layers, std::vector<std::string> choices) {
  ChoiceGroup group;
  group.name = "group";
  group.layers = std::move(layers);
  for (std::string &bits : choices) {
    group.choices.emplace_back();
    group.choices.back().bits = std::move(bits);
  }
  return group;
}

constexpr size_t kLatency = 0, kSize = 1, kBops = 2, kWeightBits = 3;

TEST(CostModelTest, WeightsShareBytesWhereKernelsLetThem) {
  SearchLayer layer{"conv", "x", 1 << 20, 1000, true};
  const std::pair<unsigned, unsigned> stored[] = {{2, 2}, {3, 4}, {4, 4}, {5, 8}, {6, 8}, {8, 8}};
  for (auto [bits, expected] : stored)
    EXPECT_EQ(storedWeightBits(layer, {bits, 8}), expected) << bits;
  EXPECT_EQ(storedWeightBits(layer, {2, 12}), 8u); // wide inputs take another kernel
  layer.sharesBytes = false;
  EXPECT_EQ(storedWeightBits(layer, {4, 8}), 8u);
}

TEST(CostModelTest, CostsOfAGroupAreSumsOverItsLayers) {
  std::vector<SearchLayer> layers = {{"a", "x", 1 << 20, 1000, true}, {"b", "x", 1 << 21, 10, false}};
  WeightCostModel model(layers);
  auto costs = model.costs(groupOf({"a", "b"}, {"w4a8", "w8a4", "w3a16"}));
  ASSERT_TRUE(static_cast<bool>(costs));
  ASSERT_EQ(costs->size(), 3u);
  EXPECT_FALSE((*costs)[0][kLatency]);
  EXPECT_EQ((*costs)[0][kSize], 0.5 + 2);
  EXPECT_EQ((*costs)[1][kSize], 3.0);
  EXPECT_EQ((*costs)[2][kSize], 3.0);
  EXPECT_EQ((*costs)[0][kBops], 1010.0 * 32);
  EXPECT_EQ((*costs)[2][kBops], 1010.0 * 48);
  EXPECT_EQ((*costs)[2][kWeightBits], 3.0 * (3 << 20));
}

TEST(CostModelTest, UnknownLayersAndWidthsAreErrors) {
  std::vector<SearchLayer> layers = {{"a", "x", 1, 1, true}};
  WeightCostModel model(layers);
  auto unknown = model.costs(groupOf({"b"}, {"w4a8"}));
  EXPECT_EQ(llvm::toString(unknown.takeError()), "group 'group': no costs of layer 'b'");
  auto unreadable = model.costs(groupOf({"a"}, {"int4"}));
  EXPECT_EQ(llvm::toString(unreadable.takeError()), "group 'group': choice 'int4' has no widths, expected wXaY");
}

/// Knows latencies alone.
class ConstantLatency : public CostModel {
public:
  llvm::Expected<std::vector<Costs>> costs(const ChoiceGroup &group) const override {
    Costs costs;
    costs[kLatency] = 2.5;
    return std::vector<Costs>(group.choices.size(), costs);
  }
};

TEST(CostModelTest, ModelsAddWhatTheyKnow) {
  std::vector<SearchLayer> layers = {{"a", "x", 8, 3, true}};
  WeightCostModel weights(layers);
  ConstantLatency latency;
  AssignmentProblem problem;
  problem.groups.push_back(groupOf({"a"}, {"w4a8"}));
  ASSERT_FALSE(static_cast<bool>(addCosts(problem, {&weights, &latency})));
  const Costs &costs = problem.groups[0].choices[0].costs;
  EXPECT_EQ(costs[kLatency], 2.5);
  EXPECT_EQ(costs[kBops], 96.0);
  EXPECT_EQ(costs[kWeightBits], 32.0);
}

} // namespace
