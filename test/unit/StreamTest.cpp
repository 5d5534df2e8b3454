// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calibration in a stream against calibration of all samples at once.

#include "dyadic/Calibration/Stream.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"
#include <random>

using namespace dyadic;

namespace {

/// A program that doubles its input.
class Doubler : public Evaluator {
public:
  llvm::Error run(const Sample &sample, llvm::function_ref<void(llvm::StringRef, const Tensor &)> observe) override {
    ++runs;
    Tensor doubled = sample.inputs[0];
    for (int64_t i = 0; i < doubled.size(); ++i)
      doubled.as<float>()[i] *= 2;
    observe("x", sample.inputs[0]);
    observe("y", doubled);
    return llvm::Error::success();
  }
  uint64_t bytesPerRun() const override { return 64; }
  std::atomic<size_t> runs{0};
};

/// `count` samples that are of the part to be held back, or are not.
std::vector<Sample> samplesOf(bool side, size_t count, std::mt19937 &random) {
  std::normal_distribution<float> normal;
  std::vector<Sample> samples;
  while (samples.size() < count) {
    Sample sample{{Tensor(ElementType::F32, {1, 8})}};
    for (int i = 0; i < 8; ++i)
      sample.inputs[0].as<float>()[i] = normal(random);
    if (isHeldBack(sampleHash(sample)) == side)
      samples.push_back(sample);
  }
  return samples;
}

struct Outcome {
  std::string table;
  std::vector<std::string> heldBack;
  size_t runs;
};

Outcome atOnce(const std::vector<Sample> &samples, const CalibrationOptions &options) {
  Doubler program;
  SampleList set(samples);
  Split split = llvm::cantFail(splitSamples(set));
  Outcome outcome{
      toJson(llvm::cantFail(calibrate(program, set, split, options, std::string(64, 'a'), nullptr))), {}, 0};
  for (size_t i : split.heldBack)
    outcome.heldBack.push_back(sampleHash(samples[i]));
  outcome.runs = program.runs;
  return outcome;
}

Outcome inPieces(const std::vector<Sample> &samples, const CalibrationOptions &options, std::mt19937 &random) {
  Doubler program;
  std::string sha(64, 'a');
  size_t numKept = random() % 6;
  CalibrationStream stream(program, sha, numKept);
  for (size_t i = 0; i < samples.size();) {
    size_t end = std::min(samples.size(), i + random() % 4);
    llvm::cantFail(stream.add(
        {samples.begin() + static_cast<ptrdiff_t>(i), samples.begin() + static_cast<ptrdiff_t>(end)}, nullptr));
    i = end;
  }
  EXPECT_EQ(stream.size(), samples.size());
  CalibrationStream::Kept kept;
  Outcome outcome{toJson(llvm::cantFail(stream.finish(options, kept))), {}, program.runs};
  SampleList set(samples);
  std::vector<size_t> first = llvm::cantFail(splitSamples(set)).calibration;
  first.resize(std::min(first.size(), numKept));
  std::vector<size_t> found;
  for (const auto &[index, sample] : kept.calibrated) {
    EXPECT_EQ(sampleHash(sample), sampleHash(samples[index]));
    found.push_back(index);
  }
  EXPECT_EQ(found, first);
  for (const auto &[index, sample] : kept.heldBack) {
    EXPECT_EQ(sampleHash(sample), sampleHash(samples[index]));
    outcome.heldBack.push_back(sampleHash(sample));
  }
  return outcome;
}

TEST(Stream, SameTableAsAtOnce) {
  std::mt19937 random(7);
  CalibrationOptions percentile{CalibrationMethod::Percentile, 90};
  for (auto [held, others] : std::initializer_list<std::pair<size_t, size_t>>{
           {0, 1}, {1, 0}, {0, 2}, {2, 0}, {1, 1}, {0, 9}, {9, 0}, {1, 8}, {8, 1}, {5, 20}})
    for (int round = 0; round < 20; ++round) {
      std::vector<Sample> samples = samplesOf(true, held, random);
      llvm::append_range(samples, samplesOf(false, others, random));
      if (round % 3 == 0) // the same sample twice
        samples.push_back(samples[random() % samples.size()]);
      std::shuffle(samples.begin(), samples.end(), random);
      const CalibrationOptions &options = round % 2 ? percentile : CalibrationOptions{CalibrationMethod::MinMax};
      Outcome expected = atOnce(samples, options), found = inPieces(samples, options, random);
      EXPECT_EQ(found.table, expected.table) << held << " and " << others;
      EXPECT_EQ(found.heldBack, expected.heldBack) << held << " and " << others;
      EXPECT_EQ(found.runs, expected.runs);
    }
}

TEST(Stream, CountsWhatIsDone) {
  std::mt19937 random(1);
  Doubler program;
  CalibrationStream stream(program, std::string(64, 'a'));
  std::vector<size_t> done;
  auto progress = [&](size_t count) { done.push_back(count); };
  llvm::cantFail(stream.add(samplesOf(true, 1, random), progress)); // the ones below need not wait
  for (int i = 0; i < 3; ++i)
    llvm::cantFail(stream.add(samplesOf(false, 2, random), progress));
  EXPECT_EQ(done, (std::vector<size_t>{1, 2, 3, 4, 5, 6}));
}

TEST(Stream, Errors) {
  Doubler program;
  CalibrationStream::Kept kept;
  EXPECT_EQ(llvm::toString(CalibrationStream(program, std::string(64, 'a')).finish({}, kept).takeError()),
            "no samples to calibrate with, expected at least one");

  std::mt19937 random(2);
  std::vector<Sample> samples = samplesOf(false, 3, random);
  samples[2].inputs[0].as<float>()[5] = 3e38f; // twice that is infinite
  CalibrationStream stream(program, std::string(64, 'a'));
  llvm::Error error = llvm::Error::success();
  for (Sample &sample : samples)
    if (!error)
      error = stream.add({sample}, nullptr);
  if (!error)
    error = stream.finish({}, kept).takeError();
  EXPECT_EQ(llvm::toString(std::move(error)),
            "value 'y' has a NaN or infinite number in the float program, for sample 2");
}

} // namespace
