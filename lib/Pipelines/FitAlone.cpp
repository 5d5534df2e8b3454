// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "FitAlone.h"
#include "LinearRows.h"
#include "Parallel.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/Pipelines/RoundWeights.h"
#include "dyadic/Rounding/Rounding.h"
#include "mlir/IR/IRMapping.h"

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
  size_t input = 0;             // of the inputs that the program computes
  std::vector<Moments> moments; // by group
};

class AloneFitter {
public:
  AloneFitter(ModuleOp floatModule, SampleSet &samples, ArrayRef<size_t> indices,
              llvm::function_ref<void(size_t, size_t)> progress)
      : floatModule(floatModule), samples(samples), indices(indices), progress(progress) {}

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
      AloneLayer layer{op, id.str(), LinearRows(op), {}, 0, {}};
      for (unsigned width : wanted->second)
        if (width <= kFittedBits)
          layer.bits.push_back(width);
      if (!layer.bits.empty() && layer.rows.inputs() <= kMaxFittedInputs)
        layers.push_back(std::move(layer));
    }
  }

  /// The float program up to the inputs of `part`.
  llvm::Expected<std::unique_ptr<Program>> inputProgram(MutableArrayRef<AloneLayer> part) {
    IRMapping mapping;
    OwningOpRef<ModuleOp> module(cast<ModuleOp>(floatModule->clone(mapping)));
    func::FuncOp function = entryFunction(*module);
    SmallVector<Value> values;
    computed.clear();
    for (AloneLayer &layer : part) {
      Value input = layer.op->getOperand(0);
      auto [found, isNew] = computed.try_emplace(input, values.size());
      layer.input = found->second;
      if (isNew && !isa<BlockArgument>(input))
        values.push_back(mapping.lookup(input));
    }
    function.front().getTerminator()->setOperands(values);
    function.setAllResultAttrs(ArrayRef<DictionaryAttr>());
    function.setType(
        FunctionType::get(module->getContext(), function.getArgumentTypes(), TypeRange(ValueRange(values))));
    function->removeAttr(kBatchAttr); // shapes as they stand
    eraseDead(function);
    return jitModule(*module, /*exposeValues=*/false);
  }

  llvm::Error fit(MutableArrayRef<AloneLayer> part) {
    auto program = inputProgram(part);
    if (!program)
      return program.takeError();
    for (AloneLayer &layer : part)
      layer.moments.assign(static_cast<size_t>(layer.rows.groups()),
                           Moments(static_cast<size_t>(layer.rows.inputs()), 0));
    for (size_t begin = 0; begin < indices.size(); begin += kSamplesAtOnce) {
      ArrayRef<size_t> chunk = indices.slice(begin, std::min(kSamplesAtOnce, indices.size() - begin));
      if (llvm::Error error = addSamples(**program, part, chunk, begin))
        return error;
    }
    for (AloneLayer &layer : part) {
      if (llvm::Error error = round(layer))
        return error;
      progress(++done, layers.size());
    }
    return llvm::Error::success();
  }

  llvm::Error addSamples(const Program &program, MutableArrayRef<AloneLayer> part, ArrayRef<size_t> chunk,
                         size_t first) {
    std::vector<Sample> read(chunk.size());
    std::vector<std::vector<Tensor>> values(chunk.size());
    for (auto [sample, index] : llvm::zip(read, chunk)) {
      auto found = samples.read(index);
      if (!found)
        return found.takeError();
      sample = std::move(*found);
    }
    if (!program.outputs().empty())
      if (llvm::Error error = parallelFor(chunk.size(), [&](size_t s) -> llvm::Error {
            auto found = runSample(program, read[s]);
            if (!found)
              return found.takeError();
            values[s] = std::move(*found);
            return llvm::Error::success();
          }))
        return error;
    return parallelFor(part.size(), [&](size_t i) {
      AloneLayer &layer = part[i];
      int64_t rows = std::clamp(kRowsPerInput * layer.rows.inputs(), kMinRows, kMaxRows);
      int64_t limit = std::max<int64_t>(rows / static_cast<int64_t>(indices.size()), 1);
      std::vector<float> x;
      for (size_t s = 0; s < chunk.size(); ++s) {
        auto argument = dyn_cast<BlockArgument>(layer.op->getOperand(0));
        const Tensor &input = argument ? read[s].inputs[argument.getArgNumber()] : values[s][layer.input];
        std::vector<int64_t> positions = choosePositions(layer.rows.positions(), limit, first + s);
        std::vector<int64_t> offsets = layer.rows.kernelOffsets(positions);
        for (auto [group, moments] : llvm::enumerate(layer.moments)) {
          layer.rows.gatherInputs(input, /*zeroPoint=*/0, positions, offsets, static_cast<int64_t>(group), x);
          moments.add(x.data(), nullptr, positions.size());
        }
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
  SampleSet &samples;
  ArrayRef<size_t> indices;
  llvm::function_ref<void(size_t, size_t)> progress;
  std::vector<AloneLayer> layers;
  llvm::DenseMap<Value, size_t> computed; // inputs of layers, by the program's output
  AloneWeights result;
  size_t done = 0;
};

} // namespace

llvm::Expected<AloneWeights> fitAlone(ModuleOp floatModule, SampleSet &samples, ArrayRef<size_t> indices,
                                      const std::map<std::string, std::set<unsigned>> &bits,
                                      llvm::function_ref<void(size_t, size_t)> progress) {
  return AloneFitter(floatModule, samples, indices, progress).run(bits);
}

} // namespace dyadic
