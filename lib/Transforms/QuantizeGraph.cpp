// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two steps. First every decision is taken on the calibrated graph and written down
// (QuantizationDecisions, and the complete plan); then the graph is rebuilt with the
// types that follow.

#include "QuantizationDecisions.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Interpolation.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/Types.h"
#include "dyadic/IR/Window.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Quantizer.h"
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

class GraphQuantizer {
public:
  GraphQuantizer(func::FuncOp function, Plan &plan)
      : function(function), plan(plan), decisions(function, plan), context(function.getContext()), builder(context) {}

  LogicalResult run() {
    if (failed(decisions.decide()))
      return failure();
    return rebuild();
  }

private:
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
      op->erase();
    eraseDead(function); // entries that nothing reads
    SmallVector<Type> results(terminator->getOperandTypes());
    function.setType(FunctionType::get(context, block.getArgumentTypes(), results));
    return success();
  }

  void enter(BlockArgument argument) {
    RangeOp range = rangeAfter(argument);
    auto type = withElement(argument.getType(), decisions.storageOf(argument)->type);
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
      if (Value value = quantized.lookup(range.getInput()))
        quantized[range.getOutput()] = value;
      if (auto found = exits.find(range.getInput()); found != exits.end())
        exits[range.getOutput()] = Exits(found->second);
      return success();
    }
    if (!isa<LayerOpInterface>(op))
      return op->emitError() << "'" << op->getName()
                             << "' at the calibrated level, expected operations of the qnn dialect";
    if (isAbsorbed(op))
      return success(); // converted with its root
    if (decisions.isFloatLayer(op))
      return convertFloat(op);
    if (op->hasTrait<PassThrough>())
      return convertPassThrough(op);
    if (boundsOf(op))
      return convertActivation(op);
    if (isa<ConvOp, MatmulOp>(op))
      return convertLinear(op);
    if (auto pool = dyn_cast<AvgPoolOp>(op)) {
      std::optional<int64_t> count = uniformCount(pool);
      return finishSum(op, count ? std::optional<double>(static_cast<double>(*count)) : std::nullopt);
    }
    if (auto interpolate = dyn_cast<InterpolateOp>(op))
      return convertInterpolation(interpolate);
    if (isa<ConcatOp>(op)) {
      SmallVector<Value> operands;
      Type element = decisions.storageOf(op->getResult(0))->type;
      for (Value operand : op->getOperands()) {
        Value value = quantizedOf(operand);
        operands.push_back(elementOf(value) == element ? value : rescale(value, element, StringAttr()));
      }
      return finish(op, operands, Type());
    }
    if (isa<SoftmaxOp>(op))
      return finish(op, {quantizedOf(op->getOperand(0))}, Type());
    if (isa<MapOp>(op))
      return finish(op, {quantizedOf(op->getOperand(0))}, Type());
    if (isa<PReluOp>(op))
      return finish(op, {quantizedOf(op->getOperand(0)), copyConstant(op->getOperand(1))}, Type());
    if (isa<AddOp, SubOp, MulOp>(op))
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
    // Constants take part in sums and products alone, where 16 bits cost nothing.
    constexpr unsigned bits = 16;
    std::vector<float> numbers = constant.floats();
    StorageRange range = storageRange(bits, /*isSigned=*/true);
    AffineParameters p = chooseAffine(*llvm::min_element(numbers), *llvm::max_element(numbers), range);
    std::vector<int64_t> stored;
    for (float number : numbers)
      stored.push_back(dyadic::quantize(number, p.scale, p.zeroPoint, range.min, range.max));
    auto type = RankedTensorType::get(constant.getType().getShape(), builder.getIntegerType(bits));
    Value attribute = makeConstant(builder, value.getLoc(), makeInts(type, stored));
    Type element = perTensorType(context, bits, /*isSigned=*/true, p.scale, p.zeroPoint);
    return result = quant::StorageCastOp::create(builder, value.getLoc(), withElement(type, element), attribute);
  }

  /// Clones the layer with new operands; its result has the type of its value, or is
  /// the accumulator where the plan reads that.
  LogicalResult finish(Operation *op, ArrayRef<Value> operands, Type accumulator) {
    Value value = layerValue(op);
    const Storage &storage = *decisions.storageOf(value);
    ArrayRef<unsigned> exitBits = decisions.exitBits(op);
    bool isExit = !exitBits.empty(), isSummand = decisions.isSummand(op);
    Type element = isExit || isSummand ? accumulator : Type(storage.type);
    Value result = clone(op, operands, withElement(value.getType(), element));
    if (isExit) {
      StringAttr id = cast<LayerOpInterface>(op).getIdAttr();
      bool isInteger = plan.io == BoundaryMode::Integer;
      for (unsigned bits : exitBits)
        exits[value].emplace_back(bits, isInteger ? rescale(result, decisions.outputType(value, bits), id) : result);
      // Other readers take the stored value.
      if (needsStoredValue(value))
        result = rescale(result, storage.type, id);
    }
    quantized[value] = result;
    return success();
  }

  /// A layer that sums its only operand in units of the operand's scale divided by
  /// `divisor`; without one its accumulator has no type.
  LogicalResult finishSum(Operation *op, std::optional<double> divisor) {
    Value input = quantizedOf(op->getOperand(0));
    Type accumulator;
    if (divisor)
      accumulator =
          quant::UniformQuantizedType::get(quant::QuantizationFlags::Signed, builder.getI32Type(), builder.getF32Type(),
                                           quantInfo(elementOf(input))->scales[0] / *divisor, 0, INT32_MIN, INT32_MAX);
    return finish(op, {input}, accumulator);
  }

  /// A difference to the zero point has at most `bits` bits beside its sign: the rest of
  /// the accumulator is for the fractions.
  LogicalResult convertInterpolation(InterpolateOp op) {
    SmallVector<AxisInterpolation> axes = interpolationOf(op);
    narrowFractions(axes, 31 - quantInfo(elementOf(quantizedOf(op.getInput())))->bits);
    setInterpolation(op, axes);
    return finishSum(op, std::ldexp(1.0, totalFractionBits(op)));
  }

  Value rescale(Value value, Type element, StringAttr id, DenseI64ArrayAttr clamp = {}) {
    return RequantizeOp::create(builder, value.getLoc(), withElement(value.getType(), element), value,
                                builder.getI64IntegerAttr(0), DenseIntElementsAttr(), DenseIntElementsAttr(),
                                IntegerAttr(), clamp, RoundingAttr(), id);
  }

  /// True where something else than a float exit (through moves) reads the value.
  bool needsStoredValue(Value value) {
    for (OpOperand *use : realUses(value)) {
      if (isa<func::ReturnOp>(use->getOwner()))
        continue;
      if (!decisions.carriesExit(use->getOwner()) || needsStoredValue(use->getOwner()->getResult(0)))
        return true;
    }
    return false;
  }

  Value clone(Operation *op, ArrayRef<Value> operands, Type resultType) {
    OperationState state(op->getLoc(), op->getName(), operands, {resultType});
    state.propertiesAttr = op->getPropertiesAsAttribute();
    for (Region &region : op->getRegions()) {
      IRMapping mapping;
      region.cloneInto(state.addRegion(), mapping);
    }
    return builder.create(state)->getResult(0);
  }

  LogicalResult convertPassThrough(Operation *op) {
    Value input = quantizedOf(op->getOperand(0));
    const Storage *storage = decisions.storageOf(op->getResult(0));
    if (isa<PadOp>(op) && storage && elementOf(input) != storage->type)
      input = rescale(input, storage->type, StringAttr()); // the border has a wider range
    if (input && !isMovedExitOnly(op))
      quantized[op->getResult(0)] = clone(op, {input}, withElement(op->getResult(0).getType(), elementOf(input)));
    if (!decisions.carriesExit(op))
      return success();
    for (auto [bits, exit] : Exits(exits.lookup(op->getOperand(0)))) {
      if (!leadsToExit(op, bits))
        continue;
      // Scales along an axis do not follow every move: real numbers do.
      if (isa<quant::UniformQuantizedPerAxisType>(elementOf(exit)))
        exit = dequantized(exit);
      exits[op->getResult(0)].emplace_back(bits,
                                           clone(op, {exit}, withElement(op->getResult(0).getType(), elementOf(exit))));
    }
    return success();
  }

  bool leadsToExit(Operation *op, unsigned bits) {
    return llvm::any_of(realUses(op->getResult(0)), [&](OpOperand *use) {
      Operation *user = use->getOwner();
      return isa<func::ReturnOp>(user) ? decisions.outputBits(use->getOperandNumber()) == bits
                                       : decisions.carriesExit(user) && leadsToExit(user, bits);
    });
  }

  /// A move of an exit's numbers that nothing but the exit reads.
  bool isMovedExitOnly(Operation *op) {
    return exits.count(op->getOperand(0)) && decisions.carriesExit(op) && !needsStoredValue(op->getResult(0));
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
    const Storage &storage = *decisions.storageOf(op->getResult(0));
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

  /// What a convolution or matmul reads of `value`: the stored numbers, or those of the copy.
  Value operandOf(Value value) {
    Value stored = quantizedOf(value);
    const Storage *storage = decisions.storageOf(value);
    if (!storage || !storage->operandType || elementOf(stored) != storage->type)
      return stored;
    Value &copy = copies[value];
    if (!copy)
      copy = rescale(stored, storage->operandType, StringAttr());
    return copy;
  }

  LogicalResult convertLinear(Operation *op) {
    Value input = operandOf(op->getOperand(0));
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
    auto isFinite = [](float number) { return std::isfinite(number); };
    if (!llvm::all_of(values, isFinite) || !llvm::all_of(bias, isFinite))
      return op->emitError() << "weights or bias are not finite, expected finite numbers";
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
    return finish(op, operands,
                  symmetricPerAxisType(context, 32, accumulatorScales, channelDimensionOf(op), INT32_MIN, INT32_MAX));
  }

  Value copyConstant(Value value) { return builder.clone(*value.getDefiningOp())->getResult(0); }

  /// A layer that the plan leaves in float: out of integers, through, and back.
  LogicalResult convertFloat(Operation *op) {
    SmallVector<Value> operands;
    bool isLinear = isa<ConvOp, MatmulOp>(op);
    for (Value operand : op->getOperands())
      operands.push_back(ConstantView(operand) ? copyConstant(operand)
                                               : dequantized(isLinear ? operandOf(operand) : quantizedOf(operand)));
    Value result = clone(op, operands, op->getResult(0).getType());
    for (Operation *activation : absorbedBy(op))
      result = clone(activation, {result}, result.getType());
    Value value = op->hasTrait<PassThrough>() ? op->getResult(0) : layerValue(op);
    Type element = decisions.storageOf(value)->type;
    quantized[value] =
        quant::QuantizeCastOp::create(builder, op->getLoc(), withElement(value.getType(), element), result);
    if (llvm::any_of(realUses(value), [](OpOperand *use) { return isa<func::ReturnOp>(use->getOwner()); }) &&
        plan.io == BoundaryMode::Float)
      exits[value] = {{32, result}};
    return success();
  }

  /// A result of the function: real numbers, or integers of the plan's width.
  LogicalResult exit(OpOperand &result) {
    Value old = result.get();
    if (!decisions.storageOf(old)) {
      // A constant, returned as it is.
      if (plan.io == BoundaryMode::Integer)
        return function.emitError() << "output '" << escaped(resultName(function, result.getOperandNumber()))
                                    << "' is a constant, which --io=integer cannot type";
      result.set(ConstantView(old) ? copyConstant(old) : dequantized(quantizedOf(old)));
      return success();
    }
    if (isa<BlockArgument>(behindRanges(old)) && plan.io == BoundaryMode::Float) {
      result.set(behindRanges(old)); // an input, returned as it is
      return success();
    }
    unsigned bits = decisions.outputBits(result.getOperandNumber());
    Exits made = exits.lookup(old);
    const auto *found = llvm::find_if(made, [&](const auto &exit) { return exit.first == bits; });
    Value value = found != made.end() ? found->second : quantizedOf(old);
    if (plan.io == BoundaryMode::Float) {
      result.set(dequantized(value));
      return success();
    }
    Type element = decisions.outputType(old, bits);
    result.set(elementOf(value) == element ? value : rescale(value, element, StringAttr()));
    return success();
  }

  func::FuncOp function;
  Plan &plan;
  QuantizationDecisions decisions;
  MLIRContext *context;
  OpBuilder builder;
  DenseMap<Value, Value> quantized; // old value -> stored value (or summand)
  DenseMap<Value, Value> copies; // old value -> what convolutions and matmuls read, where that is not the stored value
  /// What the outputs of each width read.
  using Exits = SmallVector<std::pair<unsigned, Value>, 1>;
  DenseMap<Value, Exits> exits; // by old value
};

} // namespace

LogicalResult quantizeGraph(ModuleOp module, Plan &plan) {
  func::FuncOp function = entryFunction(module);
  if (!function)
    return module.emitError() << "module has no single entry function";
  return GraphQuantizer(function, plan).run();
}

LogicalResult rangeWidths(ModuleOp module, const Plan &plan, std::map<std::string, RangeWidths> &widths) {
  return withDecidedWidths(module, plan,
                           [&](func::FuncOp, QuantizationDecisions &decisions) { widths = decisions.rangeWidths(); });
}

namespace {
struct QuantizeGraph : impl::QuantizeGraphBase<QuantizeGraph> {
  using QuantizeGraphBase::QuantizeGraphBase;

  void runOnOperation() override {
    Plan decisions;
    decisions.weightBits = weights;
    decisions.activationBits = activations;
    decisions.isUniform = uniform;
    decisions.io = integerIo ? BoundaryMode::Integer : BoundaryMode::Float;
    if (weights < 2 || weights > 8 || activations < 2 || activations > 16) {
      getOperation().emitError() << "weights of " << unsigned(weights) << " and activations of "
                                 << unsigned(activations) << " bits, expected 2 to 8 and 2 to 16";
      return signalPassFailure();
    }
    if (!plan.empty()) {
      auto buffer = llvm::MemoryBuffer::getFile(plan);
      if (!buffer) {
        getOperation().emitError() << printable(plan) << ": " << buffer.getError().message();
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
