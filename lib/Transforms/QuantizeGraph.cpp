// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two steps. First every decision is taken on the calibrated graph and written down
// (`Decisions`, and the complete plan); then the graph is rebuilt with the types
// that follow.

#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Types.h"
#include "dyadic/IR/Window.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Quantizer.h"
#include "dyadic/Transforms/Layers.h"
#include "dyadic/Transforms/Passes.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_QUANTIZEGRAPH
#include "dyadic/Transforms/Passes.h.inc"

namespace {

constexpr unsigned kOutputBits = 16;

/// How a value that somebody stores is stored: its width, sign and scale.
struct Storage {
  std::string id;
  unsigned bits = 8;
  bool isSigned = false;
  float min = 0, max = 0;
  quant::UniformQuantizedType type;
};

/// Skips the identity `qnn.range` operations.
Value behindRanges(Value value) {
  while (auto range = value.getDefiningOp<RangeOp>())
    value = range.getInput();
  return value;
}

RangeOp rangeAfter(Value value) {
  for (Operation *user : value.getUsers())
    if (auto range = dyn_cast<RangeOp>(user))
      return range;
  return nullptr;
}

/// Users of a value, `qnn.range` looked through.
SmallVector<OpOperand *> realUses(Value value) {
  SmallVector<OpOperand *> uses;
  for (OpOperand &use : value.getUses()) {
    if (auto range = dyn_cast<RangeOp>(use.getOwner()))
      llvm::append_range(uses, realUses(range.getOutput()));
    else
      uses.push_back(&use);
  }
  return uses;
}

class GraphQuantizer {
public:
  GraphQuantizer(func::FuncOp function, Plan &plan)
      : function(function), plan(plan), context(function.getContext()), builder(context) {}

  LogicalResult run() {
    if (failed(checkIds()) || failed(collectStorages()) || failed(chooseWidths()) || failed(chooseTypes()) ||
        failed(chooseAccumulators()))
      return failure();
    return rebuild();
  }

private:
  //===--------------------------------------------------------------------===//
  // Decisions
  //===--------------------------------------------------------------------===//

  static StringRef idOf(Operation *op) {
    StringAttr id = cast<LayerOpInterface>(op).getIdAttr();
    return id ? id.getValue() : StringRef();
  }

  /// Plans name existing layers only: a misspelt id must not be ignored.
  LogicalResult checkIds() {
    std::map<std::string, Operation *> ids;
    for (Operation *op : layersOf(function))
      ids[idOf(op).str()] = op;
    auto unknown = [&](StringRef section, const std::string &id) {
      return function.emitError() << "plan: '" << section << "' names '" << escaped(id)
                                  << "', which the model does not have";
    };
    for (auto &[id, layer] : plan.layers) {
      auto found = ids.find(id);
      if (found == ids.end())
        return unknown("layers", id);
      if (layer.weights && !isa<ConvOp, MatmulOp>(found->second))
        return function.emitError() << "plan: layer '" << escaped(id) << "' has no weights, but the plan gives it "
                                    << *layer.weights << " bits of them";
    }
    for (auto &[id, value] : plan.values) {
      bool isInput = llvm::any_of(function.getArguments(), [&, name = id](BlockArgument a) {
        return argumentName(function, a.getArgNumber()) == name;
      });
      if (!isInput && !ids.count(id))
        return unknown("values", id);
    }
    for (auto &[id, operand] : plan.adds)
      if (!ids.count(id) || !isa<AddOp>(ids[id]))
        return unknown("adds", id);
    for (auto &[name, bits] : plan.outputBits) {
      bool isOutput = false;
      for (unsigned i = 0; i < function.getNumResults(); ++i)
        isOutput |= resultName(function, i) == name;
      if (!isOutput)
        return unknown("outputs", name);
    }
    return success();
  }

  /// The value whose storage `value` shares: through the operations that move numbers.
  Value storageRoot(Value value) {
    value = behindRanges(value);
    for (;;) {
      Operation *op = value.getDefiningOp();
      if (!op || !op->hasTrait<PassThrough>())
        return value;
      value = behindRanges(op->getOperand(0));
    }
  }

  /// One storage for every argument and for every layer that computes numbers.
  LogicalResult collectStorages() {
    auto add = [&](Value value, StringRef id, ActivationBounds bounds) -> LogicalResult {
      RangeOp range = rangeAfter(value);
      if (!range)
        return emitError(value.getLoc()) << "value '" << escaped(id)
                                         << "' has no qnn.range, expected a calibrated graph";
      Storage storage;
      storage.id = id.str();
      storage.min = std::min(std::max(range.getMin().convertToFloat(), bounds.min), bounds.max);
      storage.max = std::min(std::max(range.getMax().convertToFloat(), bounds.min), bounds.max);
      storages[value] = storage;
      return success();
    };
    for (BlockArgument argument : function.getArguments())
      if (failed(add(argument, argumentName(function, argument.getArgNumber()), {})))
        return failure();
    for (Operation *op : layersOf(function)) {
      if (op->hasTrait<PassThrough>())
        continue;
      if (isa<BatchNormOp>(op))
        return op->emitError() << "'" << op->getName()
                               << "' at the calibrated level, expected quant-fold-constants to run first";
      SmallVector<Operation *> activations = absorbedBy(op);
      if (std::optional<ActivationBounds> own = boundsOf(op); own && failed(add(op->getResult(0), idOf(op), *own)))
        return failure();
      else if (!own && failed(add(layerValue(op), idOf(op), activationBounds(activations))))
        return failure();
    }
    return success();
  }

  /// Widths and signs: `values` entries, then `activations` of the layers that read
  /// the value, then the default.
  LogicalResult chooseWidths() {
    std::map<void *, std::pair<unsigned, std::string>> asked;
    for (Operation *op : layersOf(function)) {
      auto entry = plan.layers.find(idOf(op).str());
      if (entry == plan.layers.end() || !entry->second.activations)
        continue;
      unsigned bits = *entry->second.activations;
      for (Value operand : op->getOperands()) {
        Value root = storageRoot(operand);
        if (!storages.count(root))
          continue;
        auto [previous, isNew] = asked.try_emplace(root.getAsOpaquePointer(), bits, entry->first);
        auto fixed = plan.values.find(storages[root].id);
        bool isFixed = fixed != plan.values.end() && fixed->second.bits;
        if (!isNew && previous->second.first != bits && !isFixed)
          return function.emitError() << "plan: layers '" << escaped(previous->second.second) << "' and '"
                                      << escaped(entry->first) << "' read '" << escaped(storages[root].id) << "' with "
                                      << previous->second.first << " and " << bits << " bits, expected one width";
      }
    }
    for (auto &[value, storage] : storages) {
      storage.bits = isReadBySoftmax(value) ? 16 : plan.activationBits;
      if (auto found = asked.find(value.getAsOpaquePointer()); found != asked.end())
        storage.bits = found->second.first;
      std::optional<bool> isSigned;
      if (auto entry = plan.values.find(storage.id); entry != plan.values.end()) {
        storage.bits = entry->second.bits.value_or(storage.bits);
        isSigned = entry->second.isSigned;
      }
      if (isSoftmax(value)) {
        if (storage.bits != kSoftmaxBits && plan.values.count(storage.id) && plan.values[storage.id].bits)
          return function.emitError() << "plan: softmax '" << escaped(storage.id) << "' has " << storage.bits
                                      << " bits, expected " << kSoftmaxBits;
        storage.bits = kSoftmaxBits;
        isSigned = false;
      }
      storage.isSigned = isSigned.value_or(storage.bits > 15);
      if (!storage.isSigned && storage.bits > 15)
        return function.emitError() << "plan: value '" << escaped(storage.id) << "' has " << storage.bits
                                    << " unsigned bits, expected at most 15";
    }
    return success();
  }

  static bool isSoftmax(Value value) { return isa_and_nonnull<SoftmaxOp>(value.getDefiningOp()); }

  /// True for scores: nothing but a softmax reads the value (through moves). They get
  /// 16 bits, because a softmax takes them at no cost and amplifies their error.
  static bool isReadBySoftmax(Value value) {
    SmallVector<OpOperand *> uses = realUses(value);
    return !uses.empty() && llvm::all_of(uses, [](OpOperand *use) {
      Operation *user = use->getOwner();
      return isa<SoftmaxOp>(user) || (user->hasTrait<PassThrough>() && isReadBySoftmax(user->getResult(0)));
    });
  }

  LogicalResult chooseTypes() {
    for (auto &[value, storage] : storages) {
      AffineParameters p = chooseAffine(storage.min, storage.max, storageRange(storage.bits, storage.isSigned));
      if (isSoftmax(value))
        p = {std::ldexp(1.0f, -kSoftmaxBits), 0};
      storage.type = perTensorType(context, storage.bits, storage.isSigned, p.scale, p.zeroPoint);
      plan.values[storage.id] = {storage.bits, storage.isSigned};
    }
    // A branch that a concatenation alone reads is rounded once, to the scale of the
    // result; the last concatenation first, so that nested ones share a scale too.
    SmallVector<Operation *> layers = layersOf(function);
    for (Operation *op : llvm::reverse(layers))
      if (isa<ConcatOp>(op) && !isFloatLayer(op))
        for (Value operand : op->getOperands())
          shareScale(storageRoot(operand), op);
    for (Operation *op : layers)
      if (isa<ConvOp, MatmulOp>(op)) {
        LayerPlan &layer = plan.layers[idOf(op).str()];
        layer.weights = layer.weights.value_or(plan.weightBits);
        auto input = storages.find(storageRoot(op->getOperand(0)));
        layer.activations = input == storages.end() ? plan.activationBits : input->second.bits;
        layer.isFloat = layer.isFloat.value_or(false);
      }
    return success();
  }

  void shareScale(Value branch, Operation *concat) {
    auto found = storages.find(branch);
    const Storage &target = storages[concat->getResult(0)];
    if (found == storages.end() || isa<BlockArgument>(branch) || found->second.bits != target.bits ||
        found->second.isSigned != target.isSigned || !isReadBy(branch, concat))
      return;
    found->second.min = target.min;
    found->second.max = target.max;
    found->second.type = target.type;
  }

  /// True where `reader` alone reads the value, through moves of it.
  static bool isReadBy(Value value, Operation *reader) {
    SmallVector<OpOperand *> uses = realUses(value);
    return llvm::all_of(uses, [&](OpOperand *use) {
      Operation *user = use->getOwner();
      return user == reader || (user->hasTrait<PassThrough>() && isReadBy(user->getResult(0), reader));
    });
  }

  bool isFloatLayer(Operation *op) {
    auto entry = plan.layers.find(idOf(op).str());
    return entry != plan.layers.end() && entry->second.isFloat.value_or(false);
  }

  /// True where the accumulator of `op` has one scale a channel (or one in all), so
  /// that a type can say it. A border pool divides by several counts.
  static bool hasUniformAccumulator(Operation *op) {
    auto pool = dyn_cast<AvgPoolOp>(op);
    return !pool || uniformCount(pool).has_value();
  }

  bool canAccumulate(Operation *op) {
    return op && accumulates(op) && absorbedBy(op).empty() && !isFloatLayer(op) && hasUniformAccumulator(op);
  }

  LogicalResult chooseAccumulators() {
    for (Operation *op : layersOf(function))
      if (auto add = dyn_cast<AddOp>(op); add && !isFloatLayer(op) && failed(chooseAddOperand(add)))
        return failure();
    for (auto [i, result] : llvm::enumerate(function.front().getTerminator()->getOperands())) {
      std::string name = resultName(function, i).str();
      if (plan.io == BoundaryMode::Integer) {
        unsigned &bits = plan.outputBits[name];
        bits = bits == 0 ? (isSoftmax(storageRoot(result)) ? kSoftmaxBits : kOutputBits) : bits;
      }
      // A float output read from the accumulator: through operations that only move
      // numbers (a max pool compares them and padding adds others).
      Value value = behindRanges(result);
      while (value.getDefiningOp() && isa<ReshapeOp, TransposeOp, SliceOp>(value.getDefiningOp()))
        value = behindRanges(value.getDefiningOp()->getOperand(0));
      if (canAccumulate(value.getDefiningOp())) {
        unsigned &bits = exitRoots[value.getDefiningOp()];
        bits = std::max(bits, plan.io == BoundaryMode::Integer ? plan.outputBits[name] : 32u);
      }
    }
    return success();
  }

  LogicalResult chooseAddOperand(AddOp add) {
    // The later operand is the one whose kernel can take the addition in.
    Operation *candidate = nullptr;
    for (Value operand : {add.getLhs(), add.getRhs()}) {
      Value value = behindRanges(operand);
      Operation *producer = value.getDefiningOp();
      if (!canAccumulate(producer) || realUses(value).size() != 1)
        continue;
      if (!candidate || candidate->isBeforeInBlock(producer))
        candidate = producer;
    }
    std::string id = idOf(add).str();
    auto entry = plan.adds.find(id);
    if (entry != plan.adds.end() && entry->second == AddOperand::Accumulator && !candidate)
      return add.emitError()
             << "plan: addition '" << escaped(id)
             << "' reads an accumulator, but no operand is a convolution, matmul or average pool used by it alone";
    AddOperand choice =
        entry != plan.adds.end() ? entry->second : (candidate ? AddOperand::Accumulator : AddOperand::Value);
    plan.adds[id] = choice;
    if (choice == AddOperand::Accumulator)
      addRoots.insert(candidate);
    return success();
  }

  static std::optional<int64_t> uniformCount(AvgPoolOp pool);

  //===--------------------------------------------------------------------===//
  // The new graph
  //===--------------------------------------------------------------------===//

  RankedTensorType withElement(Type type, Type element) {
    return RankedTensorType::get(cast<RankedTensorType>(type).getShape(), element);
  }

  LogicalResult rebuild() {
    Block &block = function.front();
    SmallVector<Operation *> old;
    for (Operation &op : block.without_terminator())
      old.push_back(&op);
    Operation *terminator = block.getTerminator();
    builder.setInsertionPoint(terminator);
    for (BlockArgument argument : function.getArguments())
      enter(argument);
    for (Operation *op : old)
      if (failed(convert(op)))
        return failure();
    for (OpOperand &result : terminator->getOpOperands())
      if (failed(exit(result)))
        return failure();
    for (Operation *op : llvm::reverse(old))
      if (op->use_empty())
        op->erase();
    SmallVector<Type> results(terminator->getOperandTypes());
    function.setType(FunctionType::get(context, block.getArgumentTypes(), results));
    return success();
  }

  void enter(BlockArgument argument) {
    RangeOp range = rangeAfter(argument);
    auto type = withElement(argument.getType(), storages[argument].type);
    Value entry;
    if (plan.io == BoundaryMode::Integer) {
      argument.setType(type);
      entry = argument;
    } else {
      entry = quant::QuantizeCastOp::create(builder, argument.getLoc(), type, argument);
    }
    quantized[range.getOutput()] = entry;
    quantized[argument] = entry;
  }

  LogicalResult convert(Operation *op) {
    if (isa<arith::ConstantOp>(op))
      return success(); // its readers take what they need
    if (auto range = dyn_cast<RangeOp>(op)) {
      for (auto *map : {&quantized, &exits})
        if (Value value = map->lookup(range.getInput()))
          (*map)[range.getOutput()] = value;
      return success();
    }
    if (!isa<LayerOpInterface>(op))
      return op->emitError() << "'" << op->getName()
                             << "' at the calibrated level, expected operations of the qnn dialect";
    if (isAbsorbed(op))
      return success(); // converted with its root
    if (isFloatLayer(op))
      return convertFloat(op);
    if (op->hasTrait<PassThrough>())
      return convertPassThrough(op);
    if (boundsOf(op))
      return convertActivation(op);
    if (isa<ConvOp, MatmulOp>(op))
      return convertLinear(op);
    if (auto pool = dyn_cast<AvgPoolOp>(op)) {
      Value input = quantizedOf(pool.getInput());
      Type accumulator;
      if (std::optional<int64_t> count = uniformCount(pool)) {
        double scale = quantInfo(elementOf(input))->scales[0] / static_cast<double>(*count);
        accumulator = quant::UniformQuantizedType::get(quant::QuantizationFlags::Signed, builder.getI32Type(),
                                                       builder.getF32Type(), scale, 0, INT32_MIN, INT32_MAX);
      }
      return finish(op, {input}, accumulator);
    }
    if (isa<ConcatOp>(op)) {
      SmallVector<Value> operands;
      Type element = storages[op->getResult(0)].type;
      for (Value operand : op->getOperands()) {
        Value value = quantizedOf(operand);
        operands.push_back(elementOf(value) == element ? value : rescale(value, element, StringAttr()));
      }
      return finish(op, operands, Type());
    }
    if (isa<SoftmaxOp>(op))
      return finish(op, {quantizedOf(op->getOperand(0))}, Type());
    if (isa<AddOp>(op))
      return finish(op, {quantizedOf(op->getOperand(0)), quantizedOf(op->getOperand(1))}, Type());
    return op->emitError() << "'" << op->getName() << "' at the calibrated level cannot be quantized";
  }

  static Type elementOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

  /// The stored numbers of an activation; those of a constant are made here.
  Value quantizedOf(Value value) {
    Value &result = quantized[value];
    ConstantView constant(value);
    if (result || !constant)
      return result;
    Storage storage;
    storage.bits = plan.activationBits;
    storage.isSigned = storage.bits > 15;
    std::vector<float> numbers = constant.floats();
    AffineParameters p = chooseAffine(*llvm::min_element(numbers), *llvm::max_element(numbers),
                                      storageRange(storage.bits, storage.isSigned));
    StorageRange range = storageRange(storage.bits, storage.isSigned);
    std::vector<int64_t> stored;
    for (float number : numbers)
      stored.push_back(dyadic::quantize(number, p.scale, p.zeroPoint, range.min, range.max));
    auto type = RankedTensorType::get(constant.getType().getShape(), builder.getIntegerType(storage.bits));
    Value attribute = makeConstant(builder, value.getLoc(), makeInts(type, stored));
    Type element = perTensorType(context, storage.bits, storage.isSigned, p.scale, p.zeroPoint);
    return result = quant::StorageCastOp::create(builder, value.getLoc(), withElement(type, element), attribute);
  }

  /// Clones the layer with new operands; its result has the type of its value, or is
  /// the accumulator where the plan reads that.
  LogicalResult finish(Operation *op, ArrayRef<Value> operands, Type accumulator) {
    Value value = layerValue(op);
    const Storage &storage = storages[value];
    bool isExit = exitRoots.count(op), isSummand = addRoots.contains(op);
    Type element = isExit || isSummand ? accumulator : Type(storage.type);
    Value result = clone(op, operands, withElement(value.getType(), element));
    if (isExit) {
      StringAttr id = cast<LayerOpInterface>(op).getIdAttr();
      bool isInteger = plan.io == BoundaryMode::Integer;
      exits[value] = isInteger ? rescale(result, outputType(storage, exitRoots[op]), id) : result;
      // Other readers take the stored value.
      if (needsStoredValue(value))
        result = rescale(result, storage.type, id);
    }
    quantized[value] = result;
    return success();
  }

  Value rescale(Value value, Type element, StringAttr id, DenseI64ArrayAttr clamp = {}) {
    return RequantizeOp::create(builder, value.getLoc(), withElement(value.getType(), element), value,
                                builder.getI64IntegerAttr(0), DenseIntElementsAttr(), DenseIntElementsAttr(),
                                IntegerAttr(), clamp, RoundingAttr(), id);
  }

  Type outputType(const Storage &storage, unsigned bits) {
    AffineParameters p = chooseAffine(storage.min, storage.max, storageRange(bits, true));
    return perTensorType(context, bits, true, p.scale, p.zeroPoint);
  }

  /// True where something else than a float exit (through moves) reads the value.
  bool needsStoredValue(Value value) {
    for (OpOperand *use : realUses(value)) {
      if (isa<func::ReturnOp>(use->getOwner()))
        continue;
      if (!isa<ReshapeOp, TransposeOp, SliceOp>(use->getOwner()) || needsStoredValue(use->getOwner()->getResult(0)))
        return true;
    }
    return false;
  }

  Value clone(Operation *op, ArrayRef<Value> operands, Type resultType) {
    OperationState state(op->getLoc(), op->getName(), operands, {resultType});
    state.propertiesAttr = op->getPropertiesAsAttribute();
    return builder.create(state)->getResult(0);
  }

  LogicalResult convertPassThrough(Operation *op) {
    if (Value input = quantizedOf(op->getOperand(0)); input && !isMovedExitOnly(op))
      quantized[op->getResult(0)] = clone(op, {input}, withElement(op->getResult(0).getType(), elementOf(input)));
    Value exit = exits.lookup(op->getOperand(0));
    if (!exit || !isa<ReshapeOp, TransposeOp, SliceOp>(op) || !leadsToExit(op))
      return success();
    // Scales along an axis do not follow every move: real numbers do.
    if (isa<quant::UniformQuantizedPerAxisType>(elementOf(exit)))
      exit = dequantized(exit);
    exits[op->getResult(0)] = clone(op, {exit}, withElement(op->getResult(0).getType(), elementOf(exit)));
    return success();
  }

  bool leadsToExit(Operation *op) {
    return llvm::any_of(realUses(op->getResult(0)), [&](OpOperand *use) {
      Operation *user = use->getOwner();
      return isa<func::ReturnOp>(user) || (isa<ReshapeOp, TransposeOp, SliceOp>(user) && leadsToExit(user));
    });
  }

  /// A move of an exit's numbers that nothing but the exit reads.
  bool isMovedExitOnly(Operation *op) {
    return exits.count(op->getOperand(0)) && isa<ReshapeOp, TransposeOp, SliceOp>(op) &&
           !needsStoredValue(op->getResult(0));
  }

  /// The real numbers of an exit: the accumulator's, or f32 that was moved already.
  Value dequantized(Value value) {
    if (elementOf(value).isF32())
      return value;
    return quant::DequantizeCastOp::create(builder, value.getLoc(), withElement(value.getType(), builder.getF32Type()),
                                           value);
  }

  /// A ReLU or Clip that no layer absorbs: a change of scale with its own clamp.
  LogicalResult convertActivation(Operation *op) {
    const Storage &storage = storages[op->getResult(0)];
    ActivationBounds bounds = *boundsOf(op);
    StorageRange range = storageRange(storage.bits, storage.isSigned);
    AffineParameters p{static_cast<float>(storage.type.getScale()), static_cast<int32_t>(storage.type.getZeroPoint())};
    int64_t low = dyadic::quantize(bounds.min, p.scale, p.zeroPoint, range.min, range.max);
    int64_t high = dyadic::quantize(bounds.max, p.scale, p.zeroPoint, range.min, range.max);
    quantized[op->getResult(0)] =
        rescale(quantizedOf(op->getOperand(0)), storage.type, cast<LayerOpInterface>(op).getIdAttr(),
                builder.getDenseI64ArrayAttr({low, high}));
    return success();
  }

  LogicalResult convertLinear(Operation *op) {
    Value input = quantizedOf(op->getOperand(0));
    ConstantView weights(op->getOperand(1));
    if (!weights || (op->getNumOperands() == 3 && !ConstantView(op->getOperand(2))))
      return op->emitError() << "weights or bias are not constant, expected constants";
    bool isConv = isa<ConvOp>(op);
    auto type = cast<RankedTensorType>(op->getOperand(1).getType());
    int axis = isConv ? 0 : 1;
    int64_t channels = type.getDimSize(axis), count = type.getNumElements() / channels;
    int64_t channelStride = isConv ? count : 1, stride = isConv ? 1 : channels;
    unsigned bits = *plan.layers[idOf(op).str()].weights;
    QuantInfo info = *quantInfo(elementOf(input));

    std::vector<float> values = weights.floats(), bias(channels, 0.0f), column(count);
    if (op->getNumOperands() == 3)
      bias = ConstantView(op->getOperand(2)).floats();
    std::vector<int64_t> stored(values.size());
    SmallVector<double> scales, accumulatorScales;
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t i = 0; i < count; ++i)
        column[i] = values[c * channelStride + i * stride];
      QuantizedChannel channel =
          quantizeChannel(column.data(), count, bits, bias[c], static_cast<float>(info.scales[0]), info.zeroPoint);
      for (int64_t i = 0; i < count; ++i)
        stored[c * channelStride + i * stride] = channel.weights[i];
      scales.push_back(channel.scale);
      accumulatorScales.push_back(info.scales[0] * channel.scale);
    }

    StorageRange range = weightRange(bits);
    auto weightType = symmetricPerAxisType(context, bits, scales, axis, range.min, range.max);
    Value constant = makeConstant(
        builder, op->getLoc(), makeInts(RankedTensorType::get(type.getShape(), builder.getIntegerType(bits)), stored));
    SmallVector<Value> operands{
        input, quant::StorageCastOp::create(builder, op->getLoc(), withElement(type, weightType), constant)};
    if (op->getNumOperands() == 3)
      operands.push_back(copyConstant(op->getOperand(2)));
    int64_t rank = cast<RankedTensorType>(op->getResult(0).getType()).getRank();
    return finish(op, operands,
                  symmetricPerAxisType(context, 32, accumulatorScales, isConv ? 1 : rank - 1, INT32_MIN, INT32_MAX));
  }

  Value copyConstant(Value value) { return builder.clone(*value.getDefiningOp())->getResult(0); }

  /// A layer that the plan leaves in float: out of integers, through, and back.
  LogicalResult convertFloat(Operation *op) {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(ConstantView(operand) ? copyConstant(operand) : dequantized(quantizedOf(operand)));
    Value result = clone(op, operands, op->getResult(0).getType());
    for (Operation *activation : absorbedBy(op))
      result = clone(activation, {result}, result.getType());
    Value value = op->hasTrait<PassThrough>() ? op->getResult(0) : layerValue(op);
    Type element = storages[storageRoot(value)].type;
    quantized[value] =
        quant::QuantizeCastOp::create(builder, op->getLoc(), withElement(value.getType(), element), result);
    if (llvm::any_of(realUses(value), [](OpOperand *use) { return isa<func::ReturnOp>(use->getOwner()); }) &&
        plan.io == BoundaryMode::Float)
      exits[value] = result;
    return success();
  }

  /// A result of the function: real numbers, or integers of the plan's width.
  LogicalResult exit(OpOperand &result) {
    Value old = result.get();
    Value value = exits.count(old) ? exits.lookup(old) : quantizedOf(old);
    if (!storages.count(storageRoot(old))) {
      // A constant, returned as it is.
      if (plan.io == BoundaryMode::Integer)
        return function.emitError() << "output '" << escaped(resultName(function, result.getOperandNumber()))
                                    << "' is a constant, which --io=integer cannot type";
      result.set(value ? dequantized(value) : copyConstant(old));
      return success();
    }
    if (plan.io == BoundaryMode::Float) {
      result.set(dequantized(value));
      return success();
    }
    unsigned bits = plan.outputBits[resultName(function, result.getOperandNumber()).str()];
    // A softmax leaves as it is.
    const Storage &storage = storages[storageRoot(old)];
    Type element = isSoftmax(storageRoot(old)) && bits == kSoftmaxBits ? Type(storage.type) : outputType(storage, bits);
    result.set(elementOf(value) == element ? value : rescale(value, element, StringAttr()));
    return success();
  }

  func::FuncOp function;
  Plan &plan;
  MLIRContext *context;
  OpBuilder builder;
  llvm::MapVector<Value, Storage> storages;   // by the layer's value
  DenseMap<Operation *, unsigned> exitRoots;  // layers whose accumulator is an output -> its bits
  llvm::SmallPtrSet<Operation *, 8> addRoots; // layers whose accumulator is a summand
  DenseMap<Value, Value> quantized;           // old value -> stored value (or summand)
  DenseMap<Value, Value> exits;               // old value -> what an output reads
};

} // namespace

std::optional<int64_t> GraphQuantizer::uniformCount(AvgPoolOp pool) {
  Window window = windowOf(pool);
  int64_t count = 1;
  for (size_t d = 0; d < window.rank(); ++d) {
    int64_t first = window.countInside(d, 0);
    for (int64_t o = 1; o < window.output[d]; ++o)
      if (window.countInside(d, o) != first)
        return std::nullopt;
    count *= first;
  }
  return count;
}

LogicalResult quantizeGraph(ModuleOp module, Plan &plan) {
  func::FuncOp function = entryFunction(module);
  if (!function)
    return module.emitError() << "module has no single entry function";
  return GraphQuantizer(function, plan).run();
}

namespace {
struct QuantizeGraph : impl::QuantizeGraphBase<QuantizeGraph> {
  using QuantizeGraphBase::QuantizeGraphBase;

  void runOnOperation() override {
    Plan decisions;
    decisions.weightBits = weights;
    decisions.activationBits = activations;
    decisions.io = integerIo ? BoundaryMode::Integer : BoundaryMode::Float;
    if (weights < 2 || weights > 8 || activations < 2 || activations > 16) {
      getOperation().emitError() << "weights of " << weights << " and activations of " << activations
                                 << " bits, expected 2 to 8 and 2 to 16";
      return signalPassFailure();
    }
    if (!plan.empty()) {
      auto buffer = llvm::MemoryBuffer::getFile(plan);
      if (!buffer) {
        getOperation().emitError() << escaped(plan) << ": " << buffer.getError().message();
        return signalPassFailure();
      }
      llvm::Expected<Plan> parsed = parsePlan(plan, (*buffer)->getBuffer(), decisions);
      if (!parsed) {
        getOperation().emitError() << llvm::toString(parsed.takeError());
        return signalPassFailure();
      }
      decisions = *parsed;
    }
    if (failed(quantizeGraph(getOperation(), decisions)))
      signalPassFailure();
  }
};
} // namespace
} // namespace dyadic
