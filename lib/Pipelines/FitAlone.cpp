// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "FitAlone.h"
#include "LinearRows.h"
#include "Parallel.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/Pipelines/RoundWeights.h"
#include "dyadic/Rounding/Rounding.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

/// Rows of all samples that a layer is fitted to: so many for each input, within bounds.
static constexpr int64_t kRowsPerInput = 64, kMinRows = 4096, kMaxRows = 8192;
/// The sums of the layers at hand take no more memory, unless those of one do.
static constexpr uint64_t kMaxMomentBytes = uint64_t(512) << 20;
/// Samples whose values are held at once.
static constexpr size_t kSamplesAtOnce = 8;

namespace {

struct AloneLayer {
  Operation *op;
  std::string id;
  LinearRows rows;
  std::vector<unsigned> bits;
  std::string input;            // the value that it reads
  std::vector<Moments> moments; // by group
};

/// What a layer reads from some samples: the rows of each group.
using GatheredRows = std::vector<std::vector<float>>;

class AloneFitter {
public:
  AloneFitter(ModuleOp floatModule, Evaluator &evaluator, SampleSet &samples, ArrayRef<size_t> indices,
              llvm::function_ref<void(size_t, size_t)> progress)
      : floatModule(floatModule), evaluator(evaluator), samples(samples), indices(indices), progress(progress) {}

  llvm::Expected<AloneWeights> run(const std::map<std::string, std::set<unsigned>> &bits) {
    collect(bits);
    for (size_t begin = 0; begin < layers.size();) {
      size_t end = begin;
      uint64_t bytes = 0;
      do {
        auto inputs = static_cast<uint64_t>(layers[end].rows.inputs());
        bytes += static_cast<uint64_t>(layers[end].rows.groups()) * inputs * inputs * sizeof(double);
      } while (++end < layers.size() && bytes < kMaxMomentBytes);
      if (llvm::Error error = fit(MutableArrayRef(layers).slice(begin, end - begin)))
        return std::move(error);
      begin = end;
    }
    return std::move(result);
  }

private:
  void collect(const std::map<std::string, std::set<unsigned>> &bits) {
    for (Operation *op : layersOf(entryFunction(floatModule))) {
      StringAttr id = cast<LayerOpInterface>(op).getIdAttr();
      auto wanted = id ? bits.find(id.str()) : bits.end();
      if (wanted == bits.end() || !isa<ConvOp, MatmulOp>(op) || !ConstantView(op->getOperand(1)) ||
          ConstantView(op->getOperand(0)))
        continue;
      AloneLayer layer{op, id.str(), LinearRows(op), {}, valueName(op->getOperand(0)), {}};
      for (unsigned width : wanted->second)
        if (width <= kFittedBits)
          layer.bits.push_back(width);
      if (!layer.bits.empty() && !layer.input.empty() && layer.rows.inputs() <= kMaxFittedInputs)
        layers.push_back(std::move(layer));
    }
  }

  /// The name of a value that the evaluator observes; empty: it observes none there.
  static std::string valueName(Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value))
      return argumentName(cast<func::FuncOp>(argument.getOwner()->getParentOp()), argument.getArgNumber()).str();
    auto root = dyn_cast_or_null<LayerOpInterface>(layerRoot(value.getDefiningOp()));
    return root && root.getIdAttr() && layerValue(root) == value ? root.getIdAttr().str() : std::string();
  }

  llvm::Error fit(MutableArrayRef<AloneLayer> part) {
    for (AloneLayer &layer : part)
      layer.moments.assign(static_cast<size_t>(layer.rows.groups()),
                           Moments(static_cast<size_t>(layer.rows.inputs()), 0));
    for (size_t begin = 0; begin < indices.size(); begin += kSamplesAtOnce) {
      size_t end = std::min(begin + kSamplesAtOnce, indices.size());
      if (llvm::Error error = addSamples(part, begin, end))
        return error;
    }
    for (AloneLayer &layer : part) {
      if (llvm::Error error = round(layer))
        return error;
      progress(++done, layers.size());
    }
    return llvm::Error::success();
  }

  GatheredRows gather(const AloneLayer &layer, const Tensor &input, size_t sample) const {
    int64_t rows = std::clamp(kRowsPerInput * layer.rows.inputs(), kMinRows, kMaxRows);
    int64_t limit = std::max<int64_t>(rows / static_cast<int64_t>(indices.size()), 1);
    std::vector<int64_t> positions = choosePositions(layer.rows.positions(), limit, sample);
    std::vector<int64_t> offsets = layer.rows.kernelOffsets(positions);
    GatheredRows gathered(layer.moments.size());
    for (auto [group, x] : llvm::enumerate(gathered))
      layer.rows.gatherInputs(input, /*zeroPoint=*/0, positions, offsets, static_cast<int64_t>(group), x);
    return gathered;
  }

  /// Samples from `begin` to `end` - 1 of those that fit.
  llvm::Error addSamples(MutableArrayRef<AloneLayer> part, size_t begin, size_t end) {
    std::vector<std::vector<GatheredRows>> gathered(end - begin, std::vector<GatheredRows>(part.size()));
    llvm::Error error = parallelFor(end - begin, [&](size_t s) -> llvm::Error {
      auto sample = samples.read(indices[begin + s]);
      if (!sample)
        return sample.takeError();
      return evaluator.run(*sample, [&](StringRef id, const Tensor &value) {
        for (auto [layer, rows] : llvm::zip_equal(part, gathered[s]))
          if (layer.input == id)
            rows = gather(layer, value, begin + s);
      });
    });
    if (error)
      return error;
    return parallelFor(part.size(), [&](size_t i) {
      std::vector<float> x;
      for (auto [group, moments] : llvm::enumerate(part[i].moments)) {
        x.clear();
        for (const std::vector<GatheredRows> &rows : gathered)
          llvm::append_range(x, rows[i][group]);
        moments.add(x.data(), nullptr, x.size() / moments.inputs());
      }
      return llvm::Error::success();
    });
  }

  llvm::Error round(AloneLayer &layer) {
    std::vector<float> weights = ConstantView(layer.op->getOperand(1)).floats();
    std::vector<std::vector<float>> rounded(layer.bits.size(), std::vector<float>(weights.size()));
    const LinearRows &rows = layer.rows;
    auto inputs = static_cast<size_t>(rows.inputs()), outputs = static_cast<size_t>(rows.outputs());
    unsigned threads = layer.moments.size() > 1 ? 1 : llvm::hardware_concurrency().compute_thread_count();
    llvm::Error error = parallelFor(layer.moments.size(), [&](size_t group) {
      auto at = [&](size_t o, size_t i) {
        return static_cast<size_t>(
            rows.weightAt(static_cast<int64_t>(group), static_cast<int64_t>(o), static_cast<int64_t>(i)));
      };
      std::vector<double> target(outputs * inputs);
      for (size_t o = 0; o < outputs; ++o)
        for (size_t i = 0; i < inputs; ++i)
          target[o * inputs + i] = weights[at(o, i)];
      auto fitted = roundByGptq(layer.moments[group], target, layer.bits, kRoundingDamping, threads);
      for (size_t b = 0; b < fitted.size(); ++b)
        for (size_t o = 0; o < outputs; ++o)
          for (size_t i = 0; i < inputs; ++i)
            rounded[b][at(o, i)] = static_cast<float>(fitted[b].weights[o * inputs + i]) * fitted[b].scales[o];
      return llvm::Error::success();
    });
    layer.moments.clear();
    for (size_t b = 0; b < rounded.size(); ++b)
      result[{layer.id, layer.bits[b]}] = std::move(rounded[b]);
    return error;
  }

  ModuleOp floatModule;
  Evaluator &evaluator;
  SampleSet &samples;
  ArrayRef<size_t> indices;
  llvm::function_ref<void(size_t, size_t)> progress;
  std::vector<AloneLayer> layers;
  AloneWeights result;
  size_t done = 0;
};

} // namespace

llvm::Expected<AloneWeights> fitAlone(ModuleOp floatModule, Evaluator &evaluator, SampleSet &samples,
                                      ArrayRef<size_t> indices, const std::map<std::string, std::set<unsigned>> &bits,
                                      llvm::function_ref<void(size_t, size_t)> progress) {
  return AloneFitter(floatModule, evaluator, samples, indices, progress).run(bits);
}

} // namespace dyadic
