// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Search/Sensitivity.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace dyadic;

namespace {

Tensor tensorOf(std::vector<int64_t> shape, const std::vector<float> &numbers) {
  Tensor tensor(ElementType::F32, std::move(shape));
  std::copy(numbers.begin(), numbers.end(), tensor.as<float>());
  return tensor;
}

/// Outputs of one network beside those of another.
struct Pair {
  Pair(std::vector<int64_t> shape, const std::vector<float> &f, const std::vector<float> &q, int64_t batch = 1)
      : reference(tensorOf(shape, f)), output(tensorOf(shape, q)) {
    network.reference = {&reference};
    network.outputs = {&output};
    network.localReference = &reference;
    network.local = &output;
    network.batch = batch;
  }
  Tensor reference, output;
  PerturbedNetwork network;
};

//===----------------------------------------------------------------------===//
// Metrics
//===----------------------------------------------------------------------===//

TEST(SensitivityMetricTest, DivergenceOfLogits) {
  // Logits 0 and ln 3 are the classes' probabilities 1/4 and 3/4; against 1/2 and 1/2.
  float ln3 = std::log(3.0f);
  Pair pair({1, 2}, {0, ln3}, {5, 5});
  EXPECT_NEAR(divergenceMetric.measure(pair.network), 0.25 * std::log(0.5) + 0.75 * std::log(1.5), 1e-6);
  Pair same({1, 2}, {0, ln3}, {7, 7 + ln3});
  EXPECT_NEAR(divergenceMetric.measure(same.network), 0, 1e-6); // a common shift changes nothing
}

TEST(SensitivityMetricTest, DivergenceOfProbabilities) {
  Pair pair({1, 2, 1, 1}, {0.25f, 0.75f}, {0.5f, 0.5f});
  EXPECT_NEAR(divergenceMetric.measure(pair.network), 0.25 * std::log(0.5) + 0.75 * std::log(1.5), 1e-6);
  // A class that is gone counts much, but is no infinity.
  Pair gone({1, 2}, {0.5f, 0.5f}, {0.0f, 1.0f});
  double divergence = divergenceMetric.measure(gone.network);
  EXPECT_GT(divergence, 10);
  EXPECT_LT(divergence, 100);
}

TEST(SensitivityMetricTest, DivergenceIsTheMeanOverABatch) {
  Pair one({1, 2}, {0.25f, 0.75f}, {0.5f, 0.5f}), two({2, 2}, {0.25f, 0.75f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.5f, 0.5f}, 2);
  EXPECT_NEAR(divergenceMetric.measure(two.network), divergenceMetric.measure(one.network) / 2, 1e-9);
}

TEST(SensitivityMetricTest, OutputsWithoutClassesCountWithTheirError) {
  Pair pair({1, 2, 2}, {1, 2, 3, 4}, {1, 2, 3, 7});
  EXPECT_DOUBLE_EQ(divergenceMetric.measure(pair.network), 9.0 / 30);
  EXPECT_DOUBLE_EQ(errorMetric.measure(pair.network), 9.0 / 30);
  EXPECT_DOUBLE_EQ(layerMetric.measure(pair.network), 9.0 / 30);
}

TEST(SensitivityMetricTest, ErrorsOfNothing) {
  Pair zeros({2, 2}, {0, 0, 0, 0}, {0, 0, 0, 0}), noise({2, 2}, {0, 0, 0, 0}, {0, 1, 0, 0});
  EXPECT_EQ(errorMetric.measure(zeros.network), 0);
  EXPECT_EQ(errorMetric.measure(noise.network), 1);
}

TEST(SensitivityMetricTest, TraceTimesSquaredError) {
  EXPECT_DOUBLE_EQ(traceSensitivity(3, {1.0f, -2.0f}, {1.5f, -2.0f}), 0.75);
}

TEST(SensitivityMetricTest, UnitsAreBounded) {
  EXPECT_EQ(sensitivityOf(sensitivityUnits(0.5)), 0.5);
  EXPECT_EQ(sensitivityOf(sensitivityUnits(1e9)), 256);
  EXPECT_EQ(sensitivityOf(sensitivityUnits(NAN)), 256);
  EXPECT_EQ(sensitivityOf(sensitivityUnits(-1)), 0);
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

std::string shaOf(size_t number) {
  std::string sha(64, '0');
  std::string digits = std::to_string(number);
  return sha.replace(64 - digits.size(), digits.size(), digits);
}

/// A sample perturbs a key by numbers that only it and the key know; how often it ran is counted.
class CountingEvaluator : public SensitivityEvaluator {
public:
  explicit CountingEvaluator(std::vector<std::string> samples) : samples(std::move(samples)) {}
  llvm::Error run(size_t sample, llvm::ArrayRef<SensitivityKey> keys,
                  llvm::function_ref<void(size_t, const PerturbedNetwork &)> observe) override {
    for (auto [i, key] : llvm::enumerate(keys)) {
      float error =
          0.1f * static_cast<float>(std::stoi(samples[sample])) / static_cast<float>(key.bits + key.id.size());
      Pair pair({2, 2}, {1, 1, 1, 1}, {1 + error, 1, 1, 1}, 7);
      observe(i, pair.network);
      ++runs;
    }
    return llvm::Error::success();
  }
  std::atomic<size_t> runs = 0;

private:
  std::vector<std::string> samples;
};

SensitivityRequest requestOf(size_t numSamples, unsigned threads) {
  SensitivityRequest request;
  request.threads = threads;
  for (const char *id : {"conv", "head"})
    for (unsigned bits : {2u, 4u, 8u})
      request.keys.push_back({false, id, bits});
  request.keys.push_back({true, "conv", 4});
  for (size_t i = 0; i < numSamples; ++i)
    request.samples.push_back(shaOf(numSamples - i)); // not sorted
  return request;
}

SensitivityTable measured(const SensitivityRequest &request, SensitivityTable table = {}) {
  CountingEvaluator evaluator(request.samples);
  table.header.kind = "sensitivity";
  table.header.model = std::string(64, 'a');
  EXPECT_FALSE(static_cast<bool>(measureSensitivity(table, request, evaluator)));
  return table;
}

TEST(SensitivityTableTest, ThreadsChangeNothing) {
  std::string once = toJson(measured(requestOf(9, 1)));
  EXPECT_EQ(once, toJson(measured(requestOf(9, 4))));
  auto parsed = parseSensitivity("s.json", once);
  ASSERT_TRUE(static_cast<bool>(parsed));
  EXPECT_EQ(toJson(*parsed), once);
  EXPECT_EQ(parsed->sums, measured(requestOf(9, 1)).sums);
  // (0.1 * i / 6)^2 / 4, the mean over i = 1..9.
  EXPECT_NEAR(parsed->mean({false, "conv", 2}, 1), 285.0 / 9 * 0.01 / 36 / 4, 1e-8);
}

TEST(SensitivityTableTest, ATimeLimitKeepsWholeSamples) {
  SensitivityRequest request = requestOf(6, 1);
  std::string whole = toJson(measured(request));
  request.isOver = [] { return true; };
  EXPECT_EQ(measured(request).samples.size(), 1u); // no plan can do without
  size_t asked = 0;
  request.isOver = [&] { return ++asked > 3; };
  SensitivityTable part = measured(request);
  EXPECT_EQ(part.samples.size(), 3u);
  request.isOver = nullptr;
  CountingEvaluator evaluator(request.samples);
  EXPECT_FALSE(static_cast<bool>(measureSensitivity(part, request, evaluator)));
  EXPECT_EQ(evaluator.runs, 3 * request.keys.size());
  EXPECT_EQ(toJson(part), whole);
}

TEST(SensitivityTableTest, AnInterruptedMeasurementGoesOn) {
  SensitivityRequest request = requestOf(6, 1);
  std::string whole = toJson(measured(request)), saved;
  size_t asked = 0;
  request.isInterrupted = [&] { return ++asked > 2; };
  request.save = [&](const SensitivityTable &table) {
    saved = toJson(table);
    return llvm::Error::success();
  };
  SensitivityTable table;
  table.header.model = std::string(64, 'a');
  CountingEvaluator evaluator(request.samples);
  EXPECT_EQ(llvm::toString(measureSensitivity(table, request, evaluator)), "interrupted");
  EXPECT_EQ(evaluator.runs, 2 * request.keys.size());
  auto part = parseSensitivity("s.json", saved);
  ASSERT_TRUE(static_cast<bool>(part));
  EXPECT_EQ(part->samples.size(), 2u);
  CountingEvaluator rest(request.samples);
  EXPECT_FALSE(static_cast<bool>(measureSensitivity(*part, requestOf(6, 1), rest)));
  EXPECT_EQ(rest.runs, 4 * request.keys.size());
  EXPECT_EQ(toJson(*part), whole);
}

TEST(SensitivityTableTest, MissingKeysAreMeasuredOnTheSamplesOfTheOthers) {
  SensitivityRequest request = requestOf(6, 1), few = request;
  few.keys.resize(2);
  SensitivityTable table = measured(few);
  EXPECT_EQ(toJson(measured(request, table)), toJson(measured(request)));
  // A table of other samples is taken as it is, or not at all.
  SensitivityRequest others = few;
  others.samples = {shaOf(100)};
  EXPECT_EQ(toJson(measured(others, table)), toJson(table));
  others.keys = request.keys;
  CountingEvaluator evaluator(others.samples);
  EXPECT_EQ(llvm::toString(measureSensitivity(table, others, evaluator)),
            "lacks the weights of 'conv' with 8 bits, and a sample that it was measured with is not at hand, expected "
            "it, or another file");
}

TEST(SensitivityTableTest, PartsMergeToTheWhole) {
  SensitivityRequest request = requestOf(8, 1), first = request, second = request;
  std::string whole = toJson(measured(request));
  first.samples.resize(3);
  second.samples.erase(second.samples.begin(), second.samples.begin() + 3);
  SensitivityTable merged = measured(second);
  EXPECT_FALSE(static_cast<bool>(mergeSensitivity(merged, measured(first), "b.json")));
  EXPECT_EQ(toJson(merged), whole);
  // By tensors.
  first = second = request;
  first.keys.resize(4);
  second.keys.erase(second.keys.begin(), second.keys.begin() + 4);
  merged = measured(first);
  EXPECT_FALSE(static_cast<bool>(mergeSensitivity(merged, measured(second), "b.json")));
  EXPECT_EQ(toJson(merged), whole);
  // The same twice, or neither.
  EXPECT_EQ(llvm::toString(mergeSensitivity(merged, measured(first), "b.json")),
            "b.json: has weights of 'conv' with 2 bits as a table before it, expected other tensors or samples");
  second.samples.resize(2);
  EXPECT_EQ(llvm::toString(mergeSensitivity(merged, measured(second), "b.json")),
            "b.json: has other samples and other tensors than the tables before, expected the same of one");
  SensitivityTable other = measured(first);
  other.rounding = "gptq";
  EXPECT_EQ(llvm::toString(mergeSensitivity(merged, other, "b.json")),
            "b.json: rounding is 'gptq', expected 'nearest' as in the tables before");
}

} // namespace
