// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Search/PairTerms.h"
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
// Traces
//===----------------------------------------------------------------------===//

/// W x, with the rows of W one after the other.
std::vector<float> product(const std::vector<float> &weights, const std::vector<float> &x) {
  std::vector<float> y(weights.size() / x.size());
  for (size_t i = 0; i < weights.size(); ++i)
    y[i / x.size()] += weights[i] * x[i % x.size()];
  return y;
}

/// The mean curvature of the layer y = W x over probes; `shape` is that of y.
double meanCurvature(std::vector<int64_t> shape, const std::vector<float> &weights, const std::vector<float> &x,
                     size_t probes) {
  double sum = 0;
  for (size_t i = 0; i < probes; ++i)
    sum +=
        curvatureOf(Pair(shape, product(weights, x), product(probedWeights(weights, "sample", "layer", i), x)).network);
  return sum / static_cast<double>(probes);
}

double squares(const std::vector<float> &numbers) {
  double sum = 0;
  for (float number : numbers)
    sum += number * number;
  return sum;
}

TEST(TraceTest, OfSquaredErrorIsExact) {
  // With one input every probe moves each of the outputs by the same amount: the trace of 2 / |y|^2 J^T J is
  // 2 n x^2 / |y|^2 for n outputs.
  std::vector<float> weights = {1, 2, -3, 0.5, 4, 1, 2, 2}, x = {0, 3}, y = product(weights, x);
  double trace = 2 * 4 * 9 / squares(y), mean = trace / 8;
  EXPECT_NEAR(meanCurvature({2, 2}, weights, x, 1), squares(weights) / 512 * mean,
              1e-3 * squares(weights) / 512 * mean);
}

TEST(TraceTest, OfCrossEntropyIsReachedByTheMean) {
  // diag(p) - p p^T over logits W x: the trace is |x|^2 sum p (1 - p).
  std::vector<float> weights = {0.5, -1, 1, 0.25, 0.5, 0.125}, x = {1, -2}, y = product(weights, x);
  double total = 0, sum = 0;
  for (float logit : y)
    total += std::exp(logit);
  for (float logit : y)
    sum += std::exp(logit) / total * (1 - std::exp(logit) / total);
  double expected = squares(weights) / 512 * squares(x) * sum / 6;
  EXPECT_NEAR(meanCurvature({1, 3}, weights, x, 20000), expected, 0.02 * expected);
  // The same network with a softmax has the same trace.
  auto softmax = [&](std::vector<float> logits) {
    double total = 0;
    for (float &logit : logits)
      total += logit = std::exp(logit);
    for (float &logit : logits)
      logit = static_cast<float>(logit / total);
    return logits;
  };
  auto probed = product(probedWeights(weights, "sample", "layer", 0), x);
  EXPECT_NEAR(curvatureOf(Pair({1, 3}, softmax(y), softmax(probed)).network),
              curvatureOf(Pair({1, 3}, y, probed).network), 0.05 * expected);
}

TEST(TraceTest, ProbesAreFunctionsOfTheirNames) {
  std::vector<float> weights(100, 1.0f), probe = probedWeights(weights, "a", "b", 0);
  EXPECT_EQ(probe, probedWeights(weights, "a", "b", 0));
  for (const auto &other :
       {probedWeights(weights, "b", "b", 0), probedWeights(weights, "a", "a", 0), probedWeights(weights, "a", "b", 1)})
    EXPECT_NE(probe, other);
  for (float number : probe)
    EXPECT_EQ(std::fabs(number - 1), 1.0f / 256);
  EXPECT_EQ(probedWeights({0.0f, 0.0f}, "a", "b", 0), std::vector<float>(2));
}

TEST(TraceTest, PerturbationGrowsWithTheEnergyOfTheNoise) {
  EXPECT_DOUBLE_EQ(curvatureSensitivity(0.5, {2.0f, 0.0f}, {2.125f, 0.0f}), 0.5); // 1/64 of 4
  EXPECT_EQ(curvatureSensitivity(0.5, {0.0f}, {0.0f}), 0);
}

//===----------------------------------------------------------------------===//
// Pairs
//===----------------------------------------------------------------------===//

TEST(PairTermsTest, QuadraticErrorsGiveTheirCrossTerm) {
  // Errors of a and b are scalars x and y; together they cost (x + y)^2, so that the term is 2 x y.
  AssignmentProblem problem;
  SensitivityTable table;
  table.samples = {"sample"};
  std::map<unsigned, double> x = {{2, 0.5}, {3, 0.25}, {4, 0.125}, {8, 0}}, y = {{2, 1}, {4, 0.5}};
  auto set = [&](SensitivityKey key, double sum) { table.sums[key][0] = sensitivityUnits(sum * sum); };
  problem.groups = {{"a", {"a"}, {}}, {"b", {"b"}, {}}};
  for (auto [bits, error] : x) {
    problem.groups[0].choices.push_back({"w" + std::to_string(bits) + "a8", 0, {}});
    set({false, "a", bits}, error);
  }
  for (auto [bits, error] : y) {
    problem.groups[1].choices.push_back({"w" + std::to_string(bits) + "a8", 0, {}});
    set({false, "b", bits}, error);
  }
  std::vector<LayerPair> pairs = {{"b", "a"}, {"a", "elsewhere"}};
  std::vector<SensitivityKey> keys = pairKeys(problem, pairs);
  ASSERT_EQ(keys.size(), 4u); // 3 and 4 bits of a, 2 and 4 of b
  EXPECT_EQ(keys[0].text(), "weights of 'b' with 2 bits and 'a' with 3");
  for (const SensitivityKey &key : keys)
    set(key, y[key.bits] + x[key.partnerBits]);
  addPairTerms(problem, table, pairs, 0);
  ASSERT_EQ(problem.pairs.size(), 1u);
  EXPECT_EQ(problem.pairs[0].a, 0u);
  EXPECT_EQ(problem.pairs[0].b, 1u);
  for (auto [i, xError] : llvm::enumerate(llvm::make_second_range(x)))
    for (auto [j, yError] : llvm::enumerate(llvm::make_second_range(y)))
      EXPECT_NEAR(problem.pairs[0].perturbation[i][j], 2 * xError * yError, 1e-8);
}

TEST(PairTermsTest, APairWithinAGroupBelongsToItsChoices) {
  AssignmentProblem problem;
  problem.groups = {{"both", {"a", "b"}, {{"w4a8", 2, {}}}}};
  SensitivityTable table;
  table.samples = {"sample"};
  for (const SensitivityKey &key : {SensitivityKey{false, "a", 4}, SensitivityKey{false, "b", 4}})
    table.sums[key][0] = sensitivityUnits(1);
  table.sums[{false, "a", 4, "b", 4}][0] = sensitivityUnits(3);
  addPairTerms(problem, table, {{"a", "b"}}, 0);
  EXPECT_TRUE(problem.pairs.empty());
  EXPECT_DOUBLE_EQ(problem.groups[0].choices[0].perturbation, 3);
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
      for (size_t probe = 0; probe < (key.isProbe() ? kProbes : 1); ++probe)
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
  request.keys.push_back({false, "conv", 0});
  request.keys.push_back({false, "conv", 4, "head", 2});
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
