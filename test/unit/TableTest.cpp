// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The calibration table: from samples to JSON and back, strictly.

#include "dyadic/Calibration/Calibrate.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace dyadic;

namespace {

const std::string kModel(64, 'a');
const CalibrationOptions kMinMax{CalibrationMethod::MinMax};

Sample makeSample(std::vector<float> values) {
  Tensor tensor(ElementType::F32, {1, static_cast<int64_t>(values.size())});
  if (!values.empty())
    std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
  return {{tensor}};
}

/// Computes y = 2 * x, and an integer value that has no range.
class Doubler : public Evaluator {
public:
  llvm::Error run(const Sample &sample, llvm::function_ref<void(llvm::StringRef, const Tensor &)> observe) override {
    if (fail)
      return makeError("the program failed");
    observe("x", sample.inputs[0]);
    Tensor y = sample.inputs[0];
    for (int64_t i = 0; i < y.size(); ++i)
      y.as<float>()[i] *= 2;
    observe(id, y);
    observe("index", Tensor(ElementType::S64, {1}));
    return llvm::Error::success();
  }
  uint64_t bytesPerRun() const override { return bytes; }
  std::string id = "y.0";
  bool fail = false;
  uint64_t bytes = 1;
};

llvm::Expected<CalibrationTable> calibrateWith(Doubler &doubler, const std::vector<Sample> &samples, Split split,
                                               const CalibrationOptions &options = kMinMax, unsigned threads = 0,
                                               llvm::function_ref<void(size_t, size_t)> progress = nullptr) {
  SampleList list(samples);
  for (const Sample &sample : samples)
    split.hashes.push_back(sampleHash(sample));
  return calibrate(doubler, list, split, options, kModel, progress, threads);
}

CalibrationTable calibrated(const std::vector<Sample> &samples, const Split &split,
                            const CalibrationOptions &options = kMinMax, unsigned threads = 0) {
  Doubler doubler;
  auto table = calibrateWith(doubler, samples, split, options, threads);
  EXPECT_TRUE(bool(table));
  return table ? *table : CalibrationTable();
}

Split parts(std::vector<size_t> calibration, std::vector<size_t> heldBack) {
  return {std::move(calibration), std::move(heldBack), {}};
}

std::vector<Sample> makeSamples() {
  std::mt19937 random(3);
  std::vector<Sample> samples;
  for (int i = 0; i < 6; ++i) {
    std::vector<float> values;
    for (int k = 0; k < 100; ++k)
      values.push_back(std::ldexp(static_cast<float>(random() % 1000) - 300, i - 12));
    samples.push_back(makeSample(values));
  }
  return samples;
}

bool sameTable(const CalibrationTable &a, const CalibrationTable &b) {
  bool isSame = a.header.kind == b.header.kind && a.header.version == b.header.version &&
                a.header.model == b.header.model && a.header.producer == b.header.producer &&
                toString(a.method) == toString(b.method) && a.samples == b.samples && a.heldBack == b.heldBack &&
                a.values.size() == b.values.size();
  for (const auto &[id, value] : a.values) {
    auto it = b.values.find(id);
    isSame =
        isSame && it != b.values.end() && value.statistics == it->second.statistics && value.fixed == it->second.fixed;
  }
  return isSame;
}

/// The smallest table, for changing.
std::string smallTable() { return toJson(calibrated({makeSample({1, 1, -2})}, parts({0}, {0}))); }

std::string errorOf(const std::string &text) { return llvm::toString(parseTable("t.json", text).takeError()); }

/// The error of the small table with the first `from` replaced by `to`.
std::string errorWith(const std::string &from, const std::string &to) {
  std::string text = smallTable();
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from << " in\n" << text;
  return errorOf(text.replace(at, from.size(), to));
}

} // namespace

TEST(TableTest, Calibrate) {
  std::vector<Sample> samples = makeSamples();
  std::vector<std::pair<size_t, size_t>> steps;
  Doubler doubler;
  auto table = calibrateWith(doubler, samples, parts({1, 3}, {0}), kMinMax, 0,
                             [&](size_t done, size_t total) { steps.push_back({done, total}); });
  ASSERT_TRUE(bool(table)) << llvm::toString(table.takeError());
  EXPECT_EQ(steps, (std::vector<std::pair<size_t, size_t>>{{1, 2}, {2, 2}}));
  EXPECT_EQ(table->header.kind, "calibration");
  EXPECT_EQ(table->header.model, kModel);
  std::vector<std::string> hashes{sampleHash(samples[1]), sampleHash(samples[3])};
  llvm::sort(hashes);
  EXPECT_EQ(table->samples, hashes);
  EXPECT_EQ(table->heldBack, (std::vector<std::string>{sampleHash(samples[0])}));
  ASSERT_EQ(table->values.size(), 2u);
  const CalibratedValue &x = table->values.at("x"), &y = table->values.at("y.0");
  EXPECT_EQ(x.statistics.count(), 200u);
  EXPECT_EQ(y.statistics.min(), 2 * x.statistics.min());
  EXPECT_EQ(rangeOf(y, table->method, 8), std::make_pair(y.statistics.min(), y.statistics.max()));
}

TEST(TableTest, AnyNumberOfThreadsGivesTheSameTable) {
  std::vector<Sample> samples;
  for (int i = 0; i < 5; ++i)
    for (const Sample &sample : makeSamples()) {
      samples.push_back(sample);
      samples.back().inputs[0].as<float>()[0] = static_cast<float>(i) * 0.37f;
    }
  Split split = parts({}, {0});
  for (size_t i = 1; i < samples.size(); ++i)
    split.calibration.push_back(i);
  std::string one = toJson(calibrated(samples, split, {}, 1));
  for (unsigned threads : {0, 2, 3, 8, 100})
    EXPECT_EQ(toJson(calibrated(samples, split, {}, threads)), one) << threads << " threads";
}

TEST(TableTest, CalibrateErrors) {
  auto error = [](Doubler &doubler, const Sample &sample, const Split &split) {
    return llvm::toString(calibrateWith(doubler, {sample}, split).takeError());
  };
  Doubler doubler;
  EXPECT_EQ(error(doubler, makeSample({1}), {}), "no samples to calibrate with, expected at least one");
  EXPECT_EQ(error(doubler, makeSample({3e38f}), parts({0}, {0})),
            "value 'y.0' has a NaN or infinite number in the float program, for sample 0");
  doubler.bytes = uint64_t(1) << 40; // more than fits: one run at a time
  EXPECT_EQ(error(doubler, makeSample({1}), parts({0}, {0})), "");
  doubler.id = "y\xff";
  EXPECT_EQ(error(doubler, makeSample({1}), parts({0}, {0})),
            "value 'y\\xff' has a name that is not UTF-8 in the float program, for sample 0");
  doubler.fail = true;
  EXPECT_EQ(error(doubler, makeSample({1}), parts({0}, {0})), "the program failed");
  SampleList changed({makeSample({1})});
  Split split = parts({0}, {0});
  split.hashes = {sampleHash(makeSample({2}))};
  EXPECT_EQ(llvm::toString(calibrate(doubler, changed, split, {}, kModel, nullptr).takeError()),
            "sample 0 changed while it was read");
}

TEST(TableTest, TheFirstErrorIsReported) {
  std::vector<Sample> samples(40, makeSample({1}));
  for (size_t bad : {7, 8, 9, 30})
    samples[bad] = makeSample({3e38f});
  Split split = parts({}, {0});
  for (size_t i = 0; i < samples.size(); ++i)
    split.calibration.push_back(i);
  for (int round = 0; round < 20; ++round) {
    Doubler doubler;
    EXPECT_EQ(llvm::toString(calibrateWith(doubler, samples, split, {}, 1 + round % 8).takeError()),
              "value 'y.0' has a NaN or infinite number in the float program, for sample 7");
  }
}

TEST(TableTest, RoundTripIsExact) {
  std::vector<Sample> samples = makeSamples();
  samples.push_back(makeSample({1e-45f, 3.4028235e38f / 2, 0.1f, -0.0f}));
  CalibrationTable table = calibrated(samples, parts({0, 1, 2, 6}, {3, 4}), {CalibrationMethod::Percentile, 99.5});
  table.values["x"].fixed = {-0.5f, 0.25f};
  table.values["unseen \"\n\xc3\xbc"] = {};
  std::string text = toJson(table);
  EXPECT_EQ(text.substr(0, 40), "{\n  \"kind\": \"calibration\",\n  \"version\": ");
  auto parsed = parseTable("t.json", text);
  ASSERT_TRUE(bool(parsed)) << llvm::toString(parsed.takeError());
  EXPECT_TRUE(sameTable(table, *parsed));
  EXPECT_EQ(toJson(*parsed), text);
}

TEST(TableTest, FloatsRoundTrip) {
  std::mt19937 random(5);
  for (int i = 0; i < 20000; ++i) {
    uint32_t bits = random();
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    if (!std::isfinite(value) || value == 0)
      continue;
    std::string text;
    llvm::raw_string_ostream os(text);
    llvm::json::OStream json(os);
    writeFloat(json, value);
    auto parsed = llvm::json::parse(text);
    ASSERT_TRUE(bool(parsed)) << text;
    EXPECT_EQ(static_cast<float>(*parsed->getAsNumber()), value);
  }
}

TEST(TableTest, HeaderErrors) {
  EXPECT_EQ(errorOf(smallTable()), "");
  EXPECT_NE(errorOf("").find("t.json: not JSON: "), std::string::npos);
  EXPECT_NE(errorOf(smallTable().substr(0, 300)).find("t.json: not JSON: "), std::string::npos);
  EXPECT_EQ(errorOf("[]"), "t.json: found an array, expected an object");
  EXPECT_EQ(errorOf("{}"), "t.json: key 'kind' is missing");
  EXPECT_EQ(errorWith("\"calibration\"", "\"plan\""), "t.json: kind: found 'plan', expected 'calibration'");
  EXPECT_EQ(errorWith("\"version\": 2", "\"version\": 3"),
            "t.json: version: found 3, written by 'dyadic 0.1.0', expected at most 2");
  EXPECT_EQ(errorWith("\"version\": 2", "\"version\": 0"),
            "t.json: version: found 0, expected an integer from 1 to 9223372036854775807");
  EXPECT_EQ(errorWith("\"version\": 2", "\"version\": 1"), "t.json: version: found 1, expected 2: calibrate again");
  EXPECT_EQ(errorWith("\"version\": 2", "\"version\": \"1\""),
            "t.json: version: found '1', expected an integer from 1 to 9223372036854775807");
  EXPECT_EQ(errorWith(kModel, "abc"), "t.json: model: found 'abc', expected a SHA-256 of 64 hexadecimal digits");
  EXPECT_EQ(errorWith("\"producer\"", "\"maker\""), "t.json: key 'producer' is missing");
  EXPECT_EQ(errorWith("\"samples\"", "\"zzz\": 1, \"samples\""),
            "t.json: unknown key 'zzz', expected held_back, kind, method, model, producer, samples, values, version");
  EXPECT_EQ(errorWith("\"version\": 2", "\"kind\": 1"), "t.json: line 3: key 'kind' is given twice");
  EXPECT_EQ(errorWith("\"minmax\"", "\"mse\""), "");
  EXPECT_EQ(errorWith("\"minmax\"", "\"guess\""),
            "t.json: method: unknown calibration method 'guess', expected minmax, "
            "percentile[:99.99], entropy, mse or batchnorm[:8]");
  EXPECT_EQ(errorWith("\"samples\": [", "\"samples\": [7, "),
            "t.json: samples[0]: found 7, expected a SHA-256 of 64 hexadecimal digits");
  EXPECT_EQ(errorOf(std::string(100000, '[')), "t.json: line 1: more than 64 levels of nesting");
}

TEST(TableTest, ValueErrors) {
  EXPECT_EQ(errorWith("\"max\": 1", "\"max\": \"1\""), "t.json: values.x.max: found '1', expected a finite number");
  EXPECT_EQ(errorWith("\"max\": 1", "\"max\": 1e40"), "t.json: values.x.max: found 1e+40, expected a finite number");
  EXPECT_EQ(errorWith("\"max\": 1,", ""), "t.json: values.x: key 'max' is missing");
  EXPECT_EQ(errorWith("\"max\": 1,", "\"max\": 1, \"mean\": 0,"),
            "t.json: values.x: unknown key 'mean', expected count, histogram, max, min, range");
  auto withRange = [](const std::string &range) {
    return errorWith("\"max\": 1", "\"range\": " + range + ", \"max\": 1");
  };
  EXPECT_EQ(withRange("[-2, 1]"), "");
  EXPECT_EQ(withRange("[1, -2]"), "t.json: values.x.range: found the larger number first, expected [low, high]");
  EXPECT_EQ(withRange("[-2]"), "t.json: values.x.range: found 1 numbers, expected 2");
  EXPECT_EQ(withRange("[-2, null]"), "t.json: values.x.range[1]: found null, expected a finite number");
  EXPECT_EQ(errorWith("\"count\": 3", "\"count\": 4"),
            "t.json: values.x.histogram: counts add up to 3, expected 4 as count says");
  EXPECT_EQ(errorWith("\"counts\": [1", "\"counts\": [-1"),
            "t.json: values.x.histogram.counts[0]: found -1, expected an integer from 0 to 9007199254740992");
  EXPECT_EQ(errorWith(
                "\"counts\": [1", "\"counts\": [" +
                                      [] {
                                        std::string zeros;
                                        for (int i = 0; i < 8192; ++i)
                                          zeros += "0, ";
                                        return zeros;
                                      }() +
                                      "1")
                .substr(0, 33),
            "t.json: values.x.histogram: found");
  EXPECT_EQ(errorWith("\"exponent\": -11", "\"exponent\": -10"),
            "t.json: values.x.histogram: found exponent -10, expected -11 for this min and max");
  EXPECT_EQ(errorWith("\"exponent\": -11", "\"exponent\": -11, \"bins\": 3"),
            "t.json: values.x.histogram: unknown key 'bins', expected counts, exponent, first");
}

TEST(TableTest, ModelMustMatch) {
  CalibrationTable table = calibrated({makeSample({1})}, parts({0}, {0}));
  EXPECT_FALSE(bool(checkModel(table, "t.json", kModel)));
  std::string other(64, 'b');
  EXPECT_EQ(llvm::toString(checkModel(table, "t.json", other)),
            "t.json: belongs to the model with SHA-256 " + kModel + ", expected " + other);
}

TEST(TableTest, FixedRangesHold) {
  CalibratedValue value = calibrated({makeSample({1, 2})}, parts({0}, {0})).values["x"];
  EXPECT_EQ(rangeOf(value, kMinMax, 8), std::make_pair(1.0f, 2.0f));
  value.fixed = {-3.0f, 0.5f};
  EXPECT_EQ(rangeOf(value, kMinMax, 8), std::make_pair(-3.0f, 0.5f));
  EXPECT_EQ(rangeOf(value, {CalibrationMethod::MSE}, 4), std::make_pair(-3.0f, 0.5f));
}

TEST(TableTest, MergeIsExactInAnyOrder) {
  std::vector<Sample> samples = makeSamples();
  CalibrationOptions options{CalibrationMethod::Percentile, 98};
  std::string whole = toJson(calibrated(samples, parts({0, 1, 2, 3, 5}, {4}), options));
  // Sample 2 was observed, so it is held back no more.
  std::vector<NamedTable> tables{{"a.json", calibrated(samples, parts({0, 1}, {2}), options)},
                                 {"b.json", calibrated(samples, parts({3, 2}, {4}), options)},
                                 {"c.json", calibrated(samples, parts({5}, {4}), options)}};
  std::sort(tables.begin(), tables.end(), [](const NamedTable &a, const NamedTable &b) { return a.path < b.path; });
  do {
    auto merged = mergeTables(tables, std::nullopt);
    ASSERT_TRUE(bool(merged)) << llvm::toString(merged.takeError());
    EXPECT_EQ(toJson(*merged), whole);
  } while (std::next_permutation(tables.begin(), tables.end(),
                                 [](const NamedTable &a, const NamedTable &b) { return a.path < b.path; }));
}

TEST(TableTest, MergeOfOne) {
  CalibrationTable table = calibrated({makeSample({1, 2})}, parts({0}, {0}));
  auto merged = mergeTables({{"a.json", table}}, CalibrationOptions{CalibrationMethod::MSE});
  ASSERT_TRUE(bool(merged));
  EXPECT_EQ(merged->heldBack, table.heldBack); // a single sample is on both sides
  EXPECT_EQ(toString(merged->method), "mse");
}

TEST(TableTest, MergeErrorsNameBothFiles) {
  std::vector<Sample> samples = makeSamples();
  CalibrationTable table = calibrated(samples, parts({0}, {1}));
  auto error = [&](const CalibrationTable &other, std::optional<CalibrationOptions> method = std::nullopt) {
    return llvm::toString(mergeTables({{"a.json", table}, {"b.json", other}}, method).takeError());
  };
  EXPECT_EQ(error(table), "b.json: sample " + sampleHash(samples[0]) + " is in a.json too, expected different samples");
  CalibrationTable good = calibrated(samples, parts({2}, {1})), other = good;
  EXPECT_EQ(error(good), "");
  other.values["z"] = {};
  EXPECT_EQ(error(other), "a.json: value 'z' is missing, which b.json has");
  other = good;
  other.values.erase("x");
  EXPECT_EQ(error(other), "b.json: value 'x' is missing, which a.json has");
  other = good;
  other.method.method = CalibrationMethod::MSE;
  EXPECT_EQ(error(other), "b.json: has the method mse, but a.json has minmax, expected one, or --calibration-method");
  EXPECT_EQ(error(other, CalibrationOptions()), "");
  table.values["x"].fixed = {0.0f, 1.0f};
  EXPECT_EQ(error(good), "");
  other = good;
  other.values["x"].fixed = {0.0f, 2.0f};
  EXPECT_EQ(error(other), "b.json: value 'x' has another range than in a.json");
  other = good;
  other.header.model = std::string(64, 'b');
  EXPECT_EQ(error(other),
            "b.json: belongs to the model with SHA-256 " + other.header.model + ", but a.json to " + kModel);
  other = good;
  Histogram histogram = other.values["x"].statistics.histogram();
  histogram.counts.front() = ValueStatistics::kMaxCount / 2;
  histogram.counts.back() = ValueStatistics::kMaxCount / 2;
  const ValueStatistics &x = other.values["x"].statistics;
  auto full = ValueStatistics::fromParts(x.min(), x.max(), histogram);
  if (!full) { // the other counts are too many
    llvm::consumeError(full.takeError());
    std::fill(histogram.counts.begin() + 1, histogram.counts.end() - 1, 0);
    full = ValueStatistics::fromParts(x.min(), x.max(), histogram);
  }
  ASSERT_TRUE(bool(full));
  other.values["x"].statistics = *full;
  EXPECT_EQ(error(other), "b.json: value 'x' has more than 2^53 numbers, with those of a.json");
}
