// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Equalization.h"
#include "Parallel.h"
#include "dyadic/Pipelines/RoundWeights.h"
#include "dyadic/Rounding/Rounding.h"
#include "dyadic/Support/Error.h"
#include <mutex>

namespace dyadic {

/// Calls `observe` for the channels of a value: `inner` numbers at a time, of one channel.
static void forChannels(const Tensor &tensor, int64_t dimension,
                        llvm::function_ref<void(int64_t channel, llvm::ArrayRef<float> numbers)> observe) {
  int64_t inner = 1, channels = tensor.shape[static_cast<size_t>(dimension)];
  for (size_t d = static_cast<size_t>(dimension) + 1; d < tensor.shape.size(); ++d)
    inner *= tensor.shape[d];
  for (int64_t i = 0, n = tensor.size() / std::max<int64_t>(inner, 1); i < n; ++i)
    observe(i % channels, {tensor.as<float>() + i * inner, static_cast<size_t>(inner)});
}

/// Up to so many bits of a value, finer steps for its small channels are worth more than what the weights that read it
/// lose by their spread.
static constexpr unsigned kFewActivationBits = 4;

static bool isWorthIt(const EqualizableValue &value, const Plan &plan, const CalibrationTable &table) {
  auto calibrated = table.values.find(value.id);
  if (calibrated == table.values.end() || calibrated->second.fixed)
    return false;
  auto stored = plan.values.find(value.id);
  bool isNarrow = stored != plan.values.end() && stored->second.bits.value_or(8) <= kFewActivationBits;
  auto isFloat = [&](const std::string &id) { return plan.layers.at(id).isFloat.value_or(false); };
  return !isFloat(value.id) && llvm::all_of(value.readers, [&](const std::string &id) {
    return !isFloat(id) && (value.isDepthwise || isNarrow || *plan.layers.at(id).weights > kFittedBits);
  });
}

namespace {
/// The samples once through the float program, for the values that count.
class ValuePass {
public:
  ValuePass(Evaluator &evaluator, SampleSet &samples, llvm::ArrayRef<size_t> indices,
            const std::vector<EqualizableValue> &values)
      : evaluator(evaluator), samples(samples), indices(indices), values(values) {}

  /// Calls `observe` once a sample and value, one at a time.
  llvm::Error run(llvm::function_ref<void(const EqualizableValue &value, const Tensor &tensor)> observe) {
    return parallelFor(indices.size(), [&](size_t i) -> llvm::Error {
      auto sample = samples.read(indices[i]);
      if (!sample)
        return sample.takeError();
      return evaluator.run(*sample, [&](llvm::StringRef id, const Tensor &tensor) {
        auto found = llvm::find_if(values, [&](const EqualizableValue &value) { return value.id == id; });
        std::lock_guard<std::mutex> lock(mutex);
        if (found != values.end())
          observe(*found, tensor);
      });
    });
  }

private:
  Evaluator &evaluator;
  SampleSet &samples;
  llvm::ArrayRef<size_t> indices;
  const std::vector<EqualizableValue> &values;
  std::mutex mutex;
};
} // namespace

llvm::Expected<Equalization> equalize(mlir::ModuleOp floatModule, const Plan &plan, Evaluator &evaluator,
                                      SampleSet &samples, llvm::ArrayRef<size_t> indices,
                                      const CalibrationTable &table) {
  Equalization result{{}, table};
  std::vector<EqualizableValue> values = equalizableValues(floatModule);
  llvm::erase_if(values, [&](const EqualizableValue &value) { return !isWorthIt(value, plan, table); });
  if (values.empty())
    return std::move(result);
  ValuePass pass(evaluator, samples, indices, values);
  std::map<std::string, std::vector<float>> magnitudes;
  auto measure = [&](const EqualizableValue &value, const Tensor &tensor) {
    std::vector<float> &most = magnitudes[value.id];
    most.resize(static_cast<size_t>(tensor.shape[static_cast<size_t>(value.channelDimension)]));
    forChannels(tensor, value.channelDimension, [&](int64_t channel, llvm::ArrayRef<float> numbers) {
      for (float number : numbers)
        most[static_cast<size_t>(channel)] = std::max(most[static_cast<size_t>(channel)], std::fabs(number));
    });
  };
  if (llvm::Error error = pass.run(measure))
    return std::move(error);
  for (const EqualizableValue &value : values) {
    result.factors[value.id] = equalizationFactors(magnitudes[value.id], value.isDepthwise);
    result.table.values[value.id].statistics = ValueStatistics();
  }
  auto count = [&](const EqualizableValue &value, const Tensor &tensor) {
    const std::vector<float> &factors = result.factors[value.id];
    std::vector<float> scaled;
    scaled.reserve(static_cast<size_t>(tensor.size()));
    forChannels(tensor, value.channelDimension, [&](int64_t channel, llvm::ArrayRef<float> numbers) {
      for (float number : numbers)
        scaled.push_back(number / factors[static_cast<size_t>(channel)]);
    });
    result.table.values[value.id].statistics.observe(scaled); // finite: calibration has seen the numbers
  };
  if (llvm::Error error = pass.run(count))
    return std::move(error);
  return std::move(result);
}

} // namespace dyadic
