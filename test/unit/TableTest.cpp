// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The calibration table: from samples to JSON and back, strictly.

#include "dyadic/Calibration/Calibrate.h"
#include "dyadic/Support/Error.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace dyadic;

namespace {

const std::string kModel(64, 'a');

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
  std::string id = "y.0";
  bool fail = false;
};

CalibrationTable calibrated(llvm::ArrayRef<Sample> samples, const Split &split,
                            const CalibrationOptions &options = {}) {
  Doubler doubler;
  auto table = calibrate(doubler, samples, split, options, kModel, nullptr);
  EXPECT_TRUE(bool(table));
  return table ? *table : CalibrationTable();
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
    isSame = isSame && it != b.values.end() && value.statistics == it->second.statistics &&
             value.low == it->second.low && value.high == it->second.high;
  }
  return isSame;
}

/// The smallest table, for changing.
std::string smallTable() { return toJson(calibrated({makeSample({1, 1, -2})}, {{0}, {0}})); }

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
  auto table = calibrate(doubler, samples, {{1, 3}, {0}}, {}, kModel,
                         [&](size_t done, size_t total) { steps.push_back({done, total}); });
  ASSERT_TRUE(bool(table)) << llvm::toString(table.takeError());
  EXPECT_EQ(steps, (std::vector<std::pair<size_t, size_t>>{{1, 2}, {2, 2}}));
  EXPECT_EQ(table->header.kind, "calibration");
  EXPECT_EQ(table->header.model, kModel);
  EXPECT_EQ(table->samples, (std::vector<std::string>{sampleHash(samples[1]), sampleHash(samples[3])}));
  EXPECT_EQ(table->heldBack, (std::vector<std::string>{sampleHash(samples[0])}));
  ASSERT_EQ(table->values.size(), 2u);
  const CalibratedValue &x = table->values.at("x"), &y = table->values.at("y.0");
  EXPECT_EQ(x.statistics.count(), 200u);
  EXPECT_EQ(y.low, 2 * x.low);
  EXPECT_EQ(y.high, y.statistics.max());
}

TEST(TableTest, CalibrateErrors) {
  auto error = [](Doubler &doubler, const Sample &sample, const Split &split) {
    return llvm::toString(calibrate(doubler, sample, split, {}, kModel, nullptr).takeError());
  };
  Doubler doubler;
  EXPECT_EQ(error(doubler, makeSample({1}), {}), "no samples to calibrate with, expected at least one");
  EXPECT_EQ(error(doubler, makeSample({3e38f}), {{0}, {0}}),
            "value 'y.0' has a NaN or infinite number in the float program, for sample 0");
  doubler.id = "y\xff";
  EXPECT_EQ(error(doubler, makeSample({1}), {{0}, {0}}),
            "value 'y\\xff' has a name that is not UTF-8 in the float program, for sample 0");
  doubler.fail = true;
  EXPECT_EQ(error(doubler, makeSample({1}), {{0}, {0}}), "the program failed");
}

TEST(TableTest, RoundTripIsExact) {
  std::vector<Sample> samples = makeSamples();
  samples.push_back(makeSample({1e-45f, 3.4028235e38f / 2, 0.1f, -0.0f}));
  CalibrationTable table = calibrated(samples, {{0, 1, 2, 6}, {3, 4}}, {CalibrationMethod::Percentile, 99.5});
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
  EXPECT_EQ(errorWith("\"version\": 1", "\"version\": 2"),
            "t.json: version: found 2, written by 'dyadic 0.1.0', expected at most 1");
  EXPECT_EQ(errorWith("\"version\": 1", "\"version\": 0"),
            "t.json: version: found 0, expected an integer from 1 to 9223372036854775807");
  EXPECT_EQ(errorWith("\"version\": 1", "\"version\": \"1\""),
            "t.json: version: found '1', expected an integer from 1 to 9223372036854775807");
  EXPECT_EQ(errorWith(kModel, "abc"), "t.json: model: found 'abc', expected a SHA-256 of 64 hexadecimal digits");
  EXPECT_EQ(errorWith("\"producer\"", "\"maker\""), "t.json: key 'producer' is missing");
  EXPECT_EQ(errorWith("\"samples\"", "\"zzz\": 1, \"samples\""),
            "t.json: unknown key 'zzz', expected held_back, kind, method, model, producer, samples, values, version");
  EXPECT_EQ(errorWith("\"version\": 1", "\"kind\": 1"), "t.json: line 3: key 'kind' is given twice");
  EXPECT_EQ(errorWith("\"minmax\"", "\"mse\""),
            "t.json: method: calibration method 'mse' is not built yet, expected minmax or percentile[:99.99]");
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
  EXPECT_EQ(errorWith("-2,\n        1", "1,\n -2"),
            "t.json: values.x.range: found the larger number first, expected [low, high]");
  EXPECT_EQ(errorWith("-2,\n        1", "-2"), "t.json: values.x.range: found 1 numbers, expected 2");
  EXPECT_EQ(errorWith("-2,\n        1", "-2, null"), "t.json: values.x.range[1]: found null, expected a finite number");
  EXPECT_EQ(errorWith("\"count\": 3", "\"count\": 4"),
            "t.json: values.x.histogram: counts add up to 3, expected 4 as count says");
  EXPECT_EQ(errorWith("\"counts\": [1", "\"counts\": [-1"),
            "t.json: values.x.histogram.counts[0]: found -1, expected an integer from 0 to 9007199254740992");
  EXPECT_EQ(errorWith(
                "\"counts\": [1", "\"counts\": [" +
                                      [] {
                                        std::string zeros;
                                        for (int i = 0; i < 2048; ++i)
                                          zeros += "0, ";
                                        return zeros;
                                      }() +
                                      "1")
                .substr(0, 33),
            "t.json: values.x.histogram: found");
  EXPECT_EQ(errorWith("\"exponent\": -9", "\"exponent\": -8"),
            "t.json: values.x.histogram: found exponent -8, expected -9 for this min and max");
  EXPECT_EQ(errorWith("\"exponent\": -9", "\"exponent\": -9, \"bins\": 3"),
            "t.json: values.x.histogram: unknown key 'bins', expected counts, exponent, first");
}

TEST(TableTest, ModelMustMatch) {
  CalibrationTable table = calibrated({makeSample({1})}, {{0}, {0}});
  EXPECT_FALSE(bool(checkModel(table, "t.json", kModel)));
  std::string other(64, 'b');
  EXPECT_EQ(llvm::toString(checkModel(table, "t.json", other)),
            "t.json: belongs to the model with SHA-256 " + kModel + ", expected " + other);
}

TEST(TableTest, MergeIsExact) {
  std::vector<Sample> samples = makeSamples();
  CalibrationOptions options{CalibrationMethod::Percentile, 98};
  CalibrationTable whole = calibrated(samples, {{0, 1, 2, 3}, {4}}, options);
  CalibrationTable merged = calibrated(samples, {{0, 1}, {2}}, options);
  ASSERT_FALSE(bool(mergeTable(merged, calibrated(samples, {{2, 3}, {4}}), "b.json")));
  EXPECT_TRUE(sameTable(merged, whole)); // sample 2 was observed, so it is held back no more
  EXPECT_EQ(toJson(merged), toJson(whole));
}

TEST(TableTest, MergeErrors) {
  std::vector<Sample> samples = makeSamples();
  CalibrationTable table = calibrated(samples, {{0}, {1}}), before = table;
  auto error = [&](const CalibrationTable &other) { return llvm::toString(mergeTable(table, other, "b.json")); };
  EXPECT_EQ(error(table),
            "b.json: sample " + sampleHash(samples[0]) + " is in another table too, expected different samples");
  CalibrationTable other = calibrated(samples, {{2}, {1}});
  other.values["z"] = {};
  EXPECT_EQ(error(other), "b.json: value 'z' is not in the other table");
  other.values.erase("z");
  other.values.erase("x");
  EXPECT_EQ(error(other), "b.json: value 'x' is missing, another table has it");
  other.header.model = std::string(64, 'b');
  EXPECT_EQ(error(other), "b.json: belongs to the model with SHA-256 " + other.header.model + ", expected " + kModel);
  EXPECT_TRUE(sameTable(table, before));
}
