// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/RoundWeights.h"
#include "FloatOutputs.h"
#include "Parallel.h"
#include "StagedRun.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/Types.h"
#include "dyadic/Pipelines/LayerWeights.h"
#include "dyadic/Rounding/Rounding.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Quantizer.h"
#include "dyadic/Transforms/Passes.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

/// The stored values of all samples together take no more memory, unless those of one sample do.
static constexpr uint64_t kMaxValueBytes = uint64_t(1) << 30;
/// Rows of all samples that a layer is fitted to: so many for each input, within bounds.
static constexpr int64_t kRowsPerInput = 128, kMinRows = 8192, kMaxRows = 32768;
/// So many numbers of inputs are added up at once.
static constexpr size_t kNumbersAtOnce = size_t(1) << 20;
/// Part of the mean second moment that draws towards the float weights.
static constexpr double kRidge = 0.1;
/// Layers behind values of up to so many bits: their ridge is the best of kRidges on every kCheckedPart-th sample,
/// where there are samples enough, and in kActivationSteps steps they are fitted to what their activation lets through.
static constexpr unsigned kNarrowBits = 4, kActivationSteps = 2;
static constexpr double kRidges[] = {0.1, 0.3, 1, 3, 10, 30};
/// Of weights of more than kFittedBits bits, that may stay as they are, too.
static constexpr double kWideRidges[] = {0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000};
static constexpr size_t kCheckedPart = 4, kLeastCheckedSamples = 2;

size_t maxFittingSamples(ArrayRef<InputSpec> inputs) {
  uint64_t bytes = 1;
  for (const InputSpec &input : inputs)
    bytes += sizeInBytes(input.type, input.shape);
  return static_cast<size_t>(std::clamp<uint64_t>((uint64_t(256) << 20) / bytes, 1, 256));
}

static bool sameShape(Value a, Value b) {
  return cast<RankedTensorType>(a.getType()).getShape() == cast<RankedTensorType>(b.getType()).getShape();
}

static Type elementOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

namespace {

/// Numbers of a layer while it is rounded; channels are its outputs.
struct LayerNumbers {
  unsigned bits;
  QuantInfo input;
  std::vector<float> weights; // of the float layer
  std::vector<int64_t> stored;
  SmallVector<double> scales;
  std::vector<float> bias;
  double scaleUnit = 0; // see roundByGptq()
};

/// The rows of a layer's samples.
struct LayerRows {
  std::vector<std::vector<int64_t>> positions, offsets;
  std::vector<std::vector<float>> *outputs; // what is wanted, less the bias and what is added
  std::vector<std::vector<float>> added;    // the integer program's residual; empty: none
  ActivationBounds bounds;                  // of what the layer computes in the end
};

class WeightRounder {
public:
  WeightRounder(func::FuncOp function, const RoundingRequest &request, const Listener &listener, RoundingReport &counts)
      : function(function), request(request), listener(listener), counts(counts) {}
  llvm::Error run(CarriedOutputs &outputs);

private:
  void collectLayers();
  bool canCarry();
  bool canCheck() const { return samples.size() >= kCheckedPart * kLeastCheckedSamples; }
  llvm::Error readSamples(StagedRun &staged);
  void findResiduals(const StagedRun &staged);
  std::vector<float> residualRows(size_t index, const StagedRun &staged, size_t sample) const;
  llvm::Error roundLayer(size_t index, const StagedRun &staged, std::vector<std::vector<float>> &outputs);
  void
  forRows(size_t index, const StagedRun &staged, const LayerRows &rows, const LayerNumbers &numbers, int64_t group,
          llvm::function_ref<bool(size_t sample)> isWanted,
          llvm::function_ref<void(std::vector<float> &x, std::vector<float> &y, std::vector<float> &added)> observe);
  void roundGroup(size_t index, const StagedRun &staged, const LayerRows &rows, int64_t group, bool isFitted,
                  unsigned threads, LayerNumbers &numbers);

  func::FuncOp function;
  const RoundingRequest &request;
  const Listener &listener;
  RoundingReport &counts;
  std::vector<Operation *> ops; // at the quantized level
  std::vector<LinearLayer> layers;
  std::vector<bool> isBehindNarrow; // by layer
  std::vector<Value> residuals;     // by layer, at the quantized level
  std::vector<Sample> samples;      // the first ones of the run
  bool isCarrying = false;
};

} // namespace

/// The values of up to kNarrowBits bits, and all that depend on them.
static llvm::DenseSet<Value> behindNarrow(func::FuncOp function) {
  llvm::DenseSet<Value> found;
  auto addIf = [&](bool depends, ValueRange values) {
    for (Value value : values)
      if (std::optional<QuantInfo> info = quantInfo(elementOf(value));
          depends || (info && info->bits <= kNarrowBits && !ConstantView(value)))
        found.insert(value);
  };
  addIf(false, function.getArguments());
  for (Operation &op : function.front().without_terminator())
    addIf(llvm::any_of(op.getOperands(), [&](Value operand) { return found.contains(operand); }), op.getResults());
  return found;
}

void WeightRounder::collectLayers() {
  llvm::DenseSet<Value> narrow = behindNarrow(function);
  llvm::StringMap<Operation *> floats;
  for (Operation *op : layersOf(entryFunction(request.floatModule)))
    if (StringAttr id = cast<LayerOpInterface>(op).getIdAttr())
      floats[id.getValue()] = op;
  for (Operation *op : layersOf(function)) {
    if (!isa<ConvOp, MatmulOp>(op) || !isa<quant::QuantizedType>(elementOf(op->getOperand(1))) ||
        ConstantView(op->getOperand(0)))
      continue;
    Operation *floatOp = floats.lookup(cast<LayerOpInterface>(op).getIdAttr().getValue());
    ops.push_back(op);
    layers.push_back({floatOp, LinearRows(floatOp)});
    isBehindNarrow.push_back(narrow.contains(op->getOperand(0)));
  }
}

/// The other operand of the addition that alone reads what `op` computes; none where one is broadcast.
static Value residualOf(Operation *op) {
  Value result = op->getResult(0);
  auto add = result.hasOneUse() ? dyn_cast<AddOp>(*result.user_begin()) : AddOp();
  if (!add)
    return Value();
  Value other = add->getOperand(add->getOperand(0) == result ? 1 : 0);
  return sameShape(other, result) && sameShape(other, add->getResult(0)) ? other : Value();
}

/// Layers whose sum with a value that is known before them is wanted.
void WeightRounder::findResiduals(const StagedRun &staged) {
  residuals.resize(layers.size());
  for (size_t i = 0; i < layers.size(); ++i) {
    Value residual = residualOf(ops[i]), wanted = residualOf(layers[i].op);
    std::optional<QuantInfo> info = residual ? quantInfo(elementOf(residual)) : std::nullopt;
    if (!wanted || !info || info->scales.size() != 1 || isAccumulatorType(elementOf(residual)) ||
        !staged.isHeldAt(ops[i], residual))
      continue;
    layers[i].residual = wanted;
    residuals[i] = residual;
  }
}

/// What the integer program has of the residual, in the rows of a sample.
std::vector<float> WeightRounder::residualRows(size_t index, const StagedRun &staged, size_t sample) const {
  QuantInfo info = *quantInfo(elementOf(residuals[index]));
  const Tensor &stored = staged.held(residuals[index], sample);
  Tensor real(ElementType::F32, stored.shape);
  for (int64_t i = 0, n = real.size(); i < n; ++i)
    real.as<float>()[i] = static_cast<float>(info.scales[0] * static_cast<double>(stored.intAt(i) - info.zeroPoint));
  return layers[index].rows.gatherOutputs(real, layers[index].positions(sample));
}

static qnn::Rounding dialectRounding(Rounding rounding) {
  return rounding == Rounding::HalfEven ? qnn::Rounding::HalfEven : qnn::Rounding::HalfUp;
}

/// Whether there are samples to carry, of the program's shapes, and all numbers take no more memory than they may.
bool WeightRounder::canCarry() {
  auto fits = [&](const Sample &sample) {
    return llvm::all_of(llvm::zip(function.getArguments(), sample.inputs), [](auto pair) {
      return cast<RankedTensorType>(std::get<0>(pair).getType()).getShape() == ArrayRef(std::get<1>(pair).shape);
    });
  };
  StagedRun whole(function, dialectRounding(request.rounding), ops);
  return !request.carried.empty() && llvm::all_of(request.carried, fits) && whole.goToEnd() &&
         (samples.size() + request.carried.size()) * whole.bytesPerSample() <= kMaxValueBytes;
}

llvm::Error WeightRounder::readSamples(StagedRun &staged) {
  uint64_t fitting = std::max<uint64_t>(kMaxValueBytes / std::max<uint64_t>(staged.bytesPerSample(), 1), 1);
  for (size_t index : request.fitting.take_front(std::min<size_t>(fitting, request.fitting.size()))) {
    auto sample = request.samples->read(index);
    if (!sample)
      return sample.takeError();
    staged.addSample(*sample);
    samples.push_back(std::move(*sample));
  }
  isCarrying = canCarry() && staged.goToEnd();
  if (isCarrying)
    for (const Sample &sample : request.carried)
      staged.addSample(sample);
  for (LinearLayer &layer : layers) {
    int64_t rows = std::clamp(kRowsPerInput * layer.rows.inputs(), kMinRows, kMaxRows);
    layer.limit = std::max<int64_t>(rows / static_cast<int64_t>(samples.size()), 1);
  }
  counts.samples = samples.size();
  return llvm::Error::success();
}

static LayerNumbers numbersOf(Operation *op, Operation *floatOp) {
  QuantInfo weights = *quantInfo(elementOf(op->getOperand(1)));
  LayerNumbers numbers{weights.bits,
                       *quantInfo(elementOf(op->getOperand(0))),
                       ConstantView(floatOp->getOperand(1)).floats(),
                       ConstantView(op->getOperand(1)).ints(),
                       weights.scales,
                       {},
                       0};
  numbers.bias.resize(numbers.scales.size());
  if (floatOp->getNumOperands() == 3)
    numbers.bias = ConstantView(floatOp->getOperand(2)).floats();
  return numbers;
}

static void replaceNumbers(Operation *op, const LayerNumbers &numbers) {
  OpBuilder builder(op);
  MLIRContext *context = op->getContext();
  auto type = cast<RankedTensorType>(op->getOperand(1).getType());
  StorageRange range = weightRange(numbers.bits);
  auto element =
      symmetricPerAxisType(context, numbers.bits, numbers.scales, isa<ConvOp>(op) ? 0 : 1, range.min, range.max);
  auto storage = RankedTensorType::get(type.getShape(), builder.getIntegerType(numbers.bits));
  Value constant = makeConstant(builder, op->getLoc(), makeInts(storage, numbers.stored));
  Value weights =
      quant::StorageCastOp::create(builder, op->getLoc(), RankedTensorType::get(type.getShape(), element), constant);
  auto biasType = RankedTensorType::get({static_cast<int64_t>(numbers.bias.size())}, builder.getF32Type());
  setWeights(op, weights, makeConstant(builder, op->getLoc(), makeFloats(biasType, numbers.bias)));
}

/// True where no sum of the channel can leave 32 bits, nor its bias the bound (15) of docs/Arithmetic.md.
static bool fits(const LayerNumbers &numbers, const int8_t *weights, size_t count, float scale, float bias) {
  auto inputScale = static_cast<float>(numbers.input.scales[0]);
  QuantizedChannel channel{std::vector<int8_t>(weights, weights + count), scale};
  double product = static_cast<double>(inputScale) * scale;
  if (!std::isfinite(bias) || product < FLT_MIN || std::fabs(bias / product) >= 0x1p29)
    return false;
  std::vector<int64_t> wide(weights, weights + count);
  StorageRange sums =
      accumulatorRange(wide.data(), count, foldedBias(bias, inputScale, numbers.input.zeroPoint, channel),
                       numbers.input.min, numbers.input.max);
  return sums.min >= INT32_MIN && sums.max <= INT32_MAX;
}

/// Calls `observe` with the rows of a group, those of some samples at a time: stored inputs less their zero point, the
/// outputs that are wanted less bias and residual, and the residual.
void WeightRounder::forRows(
    size_t index, const StagedRun &staged, const LayerRows &rows, const LayerNumbers &numbers, int64_t group,
    llvm::function_ref<bool(size_t sample)> isWanted,
    llvm::function_ref<void(std::vector<float> &x, std::vector<float> &y, std::vector<float> &added)> observe) {
  const LinearRows &linear = layers[index].rows;
  auto groups = static_cast<size_t>(linear.groups()), out = static_cast<size_t>(linear.outputs());
  std::vector<float> x, y, added;
  auto append = [&](const std::vector<float> &from, size_t position, std::vector<float> &to) {
    auto begin = from.begin() + static_cast<ptrdiff_t>((position * groups + static_cast<size_t>(group)) * out);
    to.insert(to.end(), begin, begin + static_cast<ptrdiff_t>(out));
  };
  for (size_t s = 0; s < samples.size(); ++s) {
    if (isWanted(s)) {
      linear.gatherInputs(staged.input(s), numbers.input.zeroPoint, rows.positions[s], rows.offsets[s], group, x);
      for (size_t p = 0; p < rows.positions[s].size(); ++p) {
        append((*rows.outputs)[s], p, y);
        if (!rows.added.empty())
          append(rows.added[s], p, added);
      }
    }
    if (x.empty() || (x.size() < kNumbersAtOnce && s + 1 < samples.size()))
      continue;
    observe(x, y, added);
    x.clear();
    y.clear();
    added.clear();
  }
}

void WeightRounder::roundGroup(size_t index, const StagedRun &staged, const LayerRows &layerRows, int64_t group,
                               bool isFitted, unsigned threads, LayerNumbers &numbers) {
  const LinearRows &rows = layers[index].rows;
  auto inputs = static_cast<size_t>(rows.inputs()), outputs = static_cast<size_t>(rows.outputs()),
       first = static_cast<size_t>(group) * outputs;
  bool isNarrow = isFitted && isBehindNarrow[index], isChecked = isNarrow && canCheck();
  Moments moments(inputs, outputs, isFitted), checked(inputs, outputs, isChecked);
  LinearMap map{&moments, numbers.input.scales[0], {}};
  RoundedWeights rounded;
  for (size_t o = 0; o < outputs; ++o) {
    rounded.scales.push_back(static_cast<float>(numbers.scales[first + o]));
    for (int64_t i = 0; i < rows.inputs(); ++i) {
      auto at = static_cast<size_t>(rows.weightAt(group, static_cast<int64_t>(o), i));
      map.weights.push_back(numbers.weights[at]);
      rounded.weights.push_back(static_cast<int8_t>(numbers.stored[at]));
    }
  }
  auto isOfCheck = [&](size_t sample) { return isChecked && sample % kCheckedPart == kCheckedPart - 1; };
  for (Moments *part : {&moments, &checked})
    forRows(
        index, staged, layerRows, numbers, group,
        [&](size_t sample) { return isOfCheck(sample) == (part == &checked); },
        [&](std::vector<float> &x, std::vector<float> &y, std::vector<float> &) {
          part->add(x.data(), y.data(), x.size() / inputs, threads);
        });
  if (isFitted) {
    ArrayRef<double> ridges = numbers.bits > kFittedBits ? ArrayRef(kWideRidges) : ArrayRef(kRidges);
    double ridge = isChecked ? chooseRidge(map, checked, ridges.vec(), threads) : kRidge;
    if (isChecked)
      moments.add(checked);
    std::vector<double> target = fitTarget(map, ridge, threads);
    const ActivationBounds &bounds = layerRows.bounds;
    bool isBounded = isNarrow && (std::isfinite(bounds.min) || std::isfinite(bounds.max));
    for (unsigned step = 0; isBounded && step < kActivationSteps; ++step) {
      std::vector<double> offsets = meanErrors(map, target);
      moments.clearOutputs();
      forRows(
          index, staged, layerRows, numbers, group, [](size_t) { return true; },
          [&](std::vector<float> &x, std::vector<float> &y, std::vector<float> &added) {
            size_t count = x.size() / inputs;
            std::vector<float> found = mapRows(map, target, offsets, x.data(), count, threads);
            for (size_t i = 0; i < y.size(); ++i) {
              float rest = numbers.bias[first + i % outputs] + (added.empty() ? 0.0f : added[i]);
              y[i] = clampedGoal(y[i] + rest, found[i] + rest, bounds.min, bounds.max) - rest;
            }
            moments.addOutputs(x.data(), y.data(), count, threads);
          });
      target = fitTarget(map, ridge, threads);
    }
    rounded = roundByGptq(moments, target, numbers.bits, kRoundingDamping, threads, numbers.scaleUnit);
  }
  std::vector<double> correction = biasCorrection(map, rounded);
  for (size_t o = 0; o < outputs; ++o) {
    float bias = numbers.bias[first + o] + static_cast<float>(correction[o]);
    if (!fits(numbers, &rounded.weights[o * inputs], inputs, rounded.scales[o], bias))
      continue;
    numbers.scales[first + o] = rounded.scales[o];
    numbers.bias[first + o] = bias;
    for (size_t i = 0; i < inputs; ++i)
      numbers.stored[static_cast<size_t>(rows.weightAt(group, static_cast<int64_t>(o), static_cast<int64_t>(i)))] =
          rounded.weights[o * inputs + i];
  }
}

/// The bounds of what the layer computes in the end, with its residual.
static ActivationBounds boundsAfter(const LinearLayer &layer) {
  Operation *op = layer.residual ? *layer.op->getResult(0).user_begin() : layer.op;
  return activationBounds(absorbedBy(op));
}

llvm::Error WeightRounder::roundLayer(size_t index, const StagedRun &staged, std::vector<std::vector<float>> &outputs) {
  const LinearLayer &layer = layers[index];
  LayerNumbers numbers = numbersOf(ops[index], layer.op);
  if (request.rounding == Rounding::HalfUp)
    numbers.scaleUnit = shortMultiplierUnit(ops[index]);
  bool isFitted = (request.method == WeightRounding::Gptq || numbers.bits <= kFittedBits ||
                   (isBehindNarrow[index] && canCheck())) &&
                  layer.rows.inputs() <= kMaxFittedInputs;
  LayerRows rows;
  rows.outputs = &outputs;
  rows.bounds = boundsAfter(layer);
  for (size_t s = 0; s < samples.size(); ++s) {
    rows.positions.push_back(layer.positions(s));
    rows.offsets.push_back(layer.rows.kernelOffsets(rows.positions.back()));
    if (!residuals[index])
      continue;
    rows.added.push_back(residualRows(index, staged, s));
    for (size_t i = 0; i < outputs[s].size(); ++i)
      outputs[s][i] -= rows.added[s][i];
  }
  auto groups = static_cast<size_t>(layer.rows.groups());
  unsigned threads = groups > 1 ? 1 : llvm::hardware_concurrency().compute_thread_count();
  llvm::Error error = parallelFor(groups, [&](size_t group) {
    roundGroup(index, staged, rows, static_cast<int64_t>(group), isFitted, threads, numbers);
    return llvm::Error::success();
  });
  if (error)
    return error;
  replaceNumbers(ops[index], numbers);
  if (request.rounding == Rounding::HalfUp) // as quantizeTypes() does
    shortenMultiplierOf(ops[index]);
  ++(isFitted ? counts.fittedLayers : counts.correctedLayers);
  return llvm::Error::success();
}

llvm::Error WeightRounder::run(CarriedOutputs &outputs) {
  collectLayers();
  if (layers.empty())
    return llvm::Error::success();
  StagedRun staged(function, dialectRounding(request.rounding), ops);
  if (llvm::Error error = readSamples(staged))
    return error;
  findResiduals(staged);
  LayerKernels none;
  auto floats = FloatOutputs::create(layers, samples, request.kernels ? *request.kernels : none);
  if (!floats)
    return floats.takeError();
  auto progress = listener.stage("fitting weights");
  for (size_t i = 0; i < layers.size(); ++i) {
    if (listener.isInterrupted && listener.isInterrupted())
      return makeError("interrupted");
    if (llvm::Error error = staged.advanceTo(ops[i]))
      return error;
    auto wanted = (*floats)->of(i);
    if (!wanted)
      return wanted.takeError();
    if (llvm::Error error = roundLayer(i, staged, **wanted))
      return error;
    progress(i + 1, layers.size());
  }
  if (isCarrying) {
    if (llvm::Error error = staged.finish())
      return error;
    for (size_t s = samples.size(); s < staged.numSamples(); ++s)
      outputs.push_back(staged.outputs(s));
  }
  eraseDead(function);
  return llvm::Error::success();
}

llvm::Error roundWeights(ModuleOp quantized, const RoundingRequest &request, const Listener &listener,
                         RoundingReport &counts, CarriedOutputs &outputs) {
  llvm::Error error = WeightRounder(entryFunction(quantized), request, listener, counts).run(outputs);
  return error ? fileError(request.file, llvm::toString(std::move(error))) : llvm::Error::success();
}

llvm::Expected<double> outputError(ModuleOp integers, FloatProgram &floatProgram, SampleSet &samples,
                                   ArrayRef<size_t> indices) {
  auto program = jitModule(integers, /*exposeValues=*/false);
  if (!program)
    return program.takeError();
  std::vector<SampleSums> sums((*program)->outputs().size());
  for (size_t index : indices) {
    auto sample = samples.read(index);
    if (!sample)
      return sample.takeError();
    auto expected = floatProgram.outputs(*sample);
    if (!expected)
      return expected.takeError();
    auto found = runSample(**program, quantizeInputs(**program, *sample));
    if (!found)
      return found.takeError();
    for (size_t i = 0; i < sums.size(); ++i) {
      Tensor real = realNumbers((*found)[i], (*program)->outputs()[i]);
      if (real.type == ElementType::F32 && (*expected)[i].type == ElementType::F32)
        sums[i] += {(*expected)[i], real};
    }
  }
  double error = 0;
  for (const SampleSums &sum : sums)
    error += sum.noise == 0 ? 0 : sum.noise / std::max(sum.signal, DBL_MIN);
  return error / static_cast<double>(sums.size());
}

} // namespace dyadic
