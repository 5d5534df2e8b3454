// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   quantized level                      integer level
//   conv : !u8, !w8, f32 -> !u8    =>    requantize(conv : ui8, si8, si32 -> si32)
//   conv : ... -> !i32 (accumulator) =>  conv : ... -> si32
//   add  : !a, !b -> !c            =>    add with one pair of multipliers a channel
//   qcast / dcast                  =>    quantize / dequantize at the border
//
// Scales become ratios M = S_in / S_out and those become m / 2^e (Support/Dyadic.h).

#include "dyadic/IR/Constants.h"
#include "dyadic/IR/FunctionBody.h"
#include "dyadic/IR/Interpolation.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/Types.h"
#include "dyadic/IR/Window.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Functions.h"
#include "dyadic/Support/Quantizer.h"
#include "dyadic/Support/ScalarFunctions.h"
#include "dyadic/Transforms/IntegerRanges.h"
#include "dyadic/Transforms/Passes.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_REWRITEDYADIC
#include "dyadic/Transforms/Passes.h.inc"

namespace {

class DyadicRewriter {
public:
  DyadicRewriter(func::FuncOp function, qnn::Rounding rounding)
      : function(function), context(function.getContext()), builder(context),
        rounding(RoundingAttr::get(context, rounding)) {}

  LogicalResult run() {
    Block &block = function.front();
    SmallVector<Operation *> old;
    for (Operation &op : block.without_terminator())
      old.push_back(&op);
    for (BlockArgument argument : function.getArguments())
      convertArgument(argument);
    builder.setInsertionPoint(block.getTerminator());
    for (Operation *op : old)
      if (failed(convert(op)))
        return failure();
    for (OpOperand &result : block.getTerminator()->getOpOperands()) {
      Type element = elementOf(result.get());
      if (std::optional<QuantInfo> info = quantInfo(element))
        function.setResultAttr(result.getOperandNumber(), kTypeAttr, TypeAttr::get(element));
      result.set(integers.lookup(result.get()));
    }
    for (Operation *op : llvm::reverse(old))
      op->erase();
    function.setType(FunctionType::get(context, block.getArgumentTypes(), block.getTerminator()->getOperandTypes()));
    return success();
  }

private:
  static Type elementOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }
  static StringAttr idOf(Operation *op) { return cast<LayerOpInterface>(op).getIdAttr(); }
  static std::string layerName(Operation *op) {
    return idOf(op) ? "layer '" + escaped(idOf(op)) + "': " : std::string();
  }

  Type stored(Type type) {
    auto tensor = cast<RankedTensorType>(type);
    if (!isa<quant::QuantizedType>(tensor.getElementType()))
      return type;
    return RankedTensorType::get(tensor.getShape(), storageType(tensor.getElementType()));
  }

  Type accumulator(Type type) {
    return RankedTensorType::get(cast<RankedTensorType>(type).getShape(),
                                 IntegerType::get(context, 32, IntegerType::Signed));
  }

  void convertArgument(BlockArgument argument) {
    // Old operations still ask for the quantized type: `types` remembers it.
    types[argument] = elementOf(argument);
    if (isa<quant::QuantizedType>(elementOf(argument))) {
      function.setArgAttr(argument.getArgNumber(), kTypeAttr, TypeAttr::get(elementOf(argument)));
      argument.setType(stored(argument.getType()));
    }
    integers[argument] = argument;
  }

  QuantInfo infoOf(Value value) {
    auto found = types.find(value);
    return *quantInfo(found != types.end() ? found->second : elementOf(value));
  }

  LogicalResult convert(Operation *op) {
    Value result = op->getNumResults() == 1 ? op->getResult(0) : Value();
    if (!result || !isa<RankedTensorType>(result.getType()))
      return op->emitError() << "'" << op->getName() << "' cannot be rewritten to integers";
    for (Type type : llvm::concat<const Type>(op->getOperandTypes(), op->getResultTypes()))
      if (isa<quant::QuantizedType>(getElementTypeOrSelf(type)) && !quantInfo(getElementTypeOrSelf(type)))
        return op->emitError() << "type " << type << ", expected a !quant.uniform type with one zero point";
    if (auto qcast = dyn_cast<quant::QuantizeCastOp>(op))
      return convertEntry(qcast);
    if (auto dcast = dyn_cast<quant::DequantizeCastOp>(op))
      return convertExit(dcast);
    if (auto scast = dyn_cast<quant::StorageCastOp>(op))
      return convertConstant(scast);
    // What is at the integer level already has no scales to rewrite.
    auto isStored = [&](Value value) {
      auto found = types.find(value);
      return isa<IntegerType>(found != types.end() ? found->second : elementOf(value));
    };
    if (isa<QNNDialect>(op->getDialect()) && (llvm::any_of(op->getOperands(), isStored) || isStored(result)))
      return op->emitError() << "'" << op->getName() << "' cannot be rewritten to integers";
    if (isa<arith::ConstantOp>(op) || levelOf(result.getType()) == Level::Float)
      return copy(op);
    if (op->hasTrait<PassThrough>() || isa<ConcatOp>(op))
      return convertPassThrough(op);
    if (isa<ConvOp, MatmulOp>(op))
      return convertLinear(op);
    if (auto pool = dyn_cast<AvgPoolOp>(op))
      return convertPool(pool);
    if (isa<AddOp, SubOp>(op))
      return convertSum(op);
    if (auto mul = dyn_cast<MulOp>(op))
      return convertMul(mul);
    if (auto map = dyn_cast<MapOp>(op))
      return convertMap(map);
    if (auto prelu = dyn_cast<PReluOp>(op))
      return convertPRelu(prelu);
    if (auto interpolate = dyn_cast<InterpolateOp>(op))
      return convertInterpolation(interpolate);
    if (auto softmax = dyn_cast<SoftmaxOp>(op))
      return convertSoftmax(softmax);
    if (auto requantize = dyn_cast<RequantizeOp>(op))
      return convertRequantize(requantize);
    return op->emitError() << "'" << op->getName() << "' cannot be rewritten to integers";
  }

  /// Constants and the operations of float islands stay as they are.
  LogicalResult copy(Operation *op) {
    IRMapping mapping;
    for (Value operand : op->getOperands())
      mapping.map(operand, integers.lookup(operand));
    integers[op->getResult(0)] = builder.clone(*op, mapping)->getResult(0);
    return success();
  }

  LogicalResult convertEntry(quant::QuantizeCastOp op) {
    QuantInfo info = infoOf(op.getResult());
    if (info.axis != -1)
      return op.emitError() << "entry with scales along an axis, expected one scale";
    integers[op.getResult()] = QuantizeOp::create(
        builder, op.getLoc(), stored(op.getResult().getType()), integers.lookup(op.getInput()),
        builder.getF32FloatAttr(static_cast<float>(info.scales[0])), builder.getI64IntegerAttr(info.zeroPoint),
        builder.getDenseI64ArrayAttr({info.min, info.max}), storedId(op));
    return success();
  }

  LogicalResult convertExit(quant::DequantizeCastOp op) {
    QuantInfo info = infoOf(op.getInput());
    SmallVector<float> scales(info.scales.begin(), info.scales.end());
    int64_t rank = cast<RankedTensorType>(op.getResult().getType()).getRank();
    integers[op.getResult()] = DequantizeOp::create(
        builder, op.getLoc(), op.getResult().getType(), integers.lookup(op.getInput()),
        broadcastFloats(context, scales, info.axis, rank), builder.getI64IntegerAttr(info.zeroPoint));
    return success();
  }

  LogicalResult convertConstant(quant::StorageCastOp op) {
    ConstantView view(op.getInput());
    if (!view || !isa<quant::QuantizedType>(elementOf(op.getResult())))
      return op.emitError() << "quant.scast of something else than a constant, expected a constant's storage";
    auto type = cast<RankedTensorType>(stored(op.getResult().getType()));
    std::vector<int64_t> values = view.ints();
    QuantInfo info = infoOf(op.getResult());
    // Signless storage of fewer bits reads as signed: bring unsigned numbers back.
    if (!info.isSigned)
      for (int64_t &value : values)
        value &= (int64_t(1) << info.bits) - 1;
    integers[op.getResult()] = makeConstant(builder, op.getLoc(), makeInts(type, values));
    return success();
  }

  LogicalResult convertPassThrough(Operation *op) {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(integers.lookup(operand));
    OperationState state(op->getLoc(), op->getName(), operands, {stored(op->getResult(0).getType())});
    state.propertiesAttr = op->getPropertiesAsAttribute();
    Operation *copy = Operation::create(state);
    if (auto pad = dyn_cast<PadOp>(copy)) {
      QuantInfo info = infoOf(op->getOperand(0));
      pad.setXZp(dyadic::quantize(pad.getValue().convertToFloat(), static_cast<float>(info.scales[0]), info.zeroPoint,
                                  info.min, info.max));
    }
    integers[op->getResult(0)] = builder.insert(copy)->getResult(0);
    return success();
  }

  LogicalResult convertLinear(Operation *op) {
    QuantInfo input = infoOf(op->getOperand(0)), weights = infoOf(op->getOperand(1));
    Value w = integers.lookup(op->getOperand(1));
    ConstantView values(w);
    Value oldBias = op->getNumOperands() == 3 ? op->getOperand(2) : Value();
    if (!values || (oldBias && !ConstantView(oldBias)))
      return op->emitError() << "weights or bias are not constant, expected constants";
    bool isConv = isa<ConvOp>(op);
    int axis = isConv ? 0 : 1;
    int64_t channels = values.getType().getDimSize(axis), count = values.size() / channels;
    std::vector<int64_t> bias(channels);
    SmallVector<double> scales;
    QuantizedChannel channel;
    for (int64_t c = 0; c < channels; ++c) {
      channel.weights.clear();
      for (int64_t i = 0; i < count; ++i)
        channel.weights.push_back(static_cast<int8_t>(values.intAt(isConv ? c * count + i : i * channels + c)));
      channel.scale = static_cast<float>(weights.scales[weights.axis == -1 ? 0 : c]);
      bias[c] = foldedBias(oldBias ? ConstantView(oldBias).floatAt(c) : 0.0f, static_cast<float>(input.scales[0]),
                           input.zeroPoint, channel);
      if (bias[c] < INT32_MIN || bias[c] > INT32_MAX)
        return op->emitError() << layerName(op) << biasFault(input, channel, bias[c]);
      scales.push_back(input.scales[0] * channel.scale);
    }
    auto type = RankedTensorType::get({channels}, IntegerType::get(context, 32, IntegerType::Signed));
    Value b = makeConstant(builder, op->getLoc(), makeInts(type, bias));
    OperationState state(op->getLoc(), op->getName(), {integers.lookup(op->getOperand(0)), w, b},
                         {accumulator(op->getResult(0).getType())});
    state.propertiesAttr = op->getPropertiesAsAttribute();
    Operation *sum = Operation::create(state);
    if (auto conv = dyn_cast<ConvOp>(sum))
      conv.setXZp(input.zeroPoint);
    else
      cast<MatmulOp>(sum).setXZp(input.zeroPoint);
    builder.insert(sum);
    return finish(op, sum->getResult(0), scales, channelDimensionOf(op));
  }

  static std::string biasFault(const QuantInfo &input, const QuantizedChannel &channel, int64_t bias) {
    std::vector<int64_t> weights(channel.weights.begin(), channel.weights.end());
    unsigned legal = largestLegalWidth(input.bits, [&](unsigned shift) {
      return channelRange(weights, bias, input.zeroPoint, {input.min, input.max}, shift);
    });
    return accumulatorFault(std::abs(bias), input.bits, legal);
  }

  /// From an accumulator with `scales` along `axis` to the layer's type: nothing to do
  /// where that is the accumulator.
  LogicalResult finish(Operation *op, Value sum, ArrayRef<double> scales, int axis) {
    Value result = op->getResult(0);
    if (isAccumulatorType(elementOf(result))) {
      integers[result] = sum;
      return success();
    }
    return rescale(op, sum, 0, scales, axis, {});
  }

  LogicalResult rescale(Operation *op, Value value, int64_t zeroPoint, ArrayRef<double> scales, int axis,
                        std::optional<ArrayRef<int64_t>> clamp) {
    Value result = op->getResult(0);
    int64_t rank = cast<RankedTensorType>(result.getType()).getRank();
    SmallVector<int32_t> m, e;
    if (failed(encode(op, scales, infoOf(result).scales[0], m, e)))
      return failure();
    integers[result] = requantize(op, value, zeroPoint, broadcastInts(context, m, axis, rank),
                                  broadcastInts(context, e, axis, rank), clamp);
    return success();
  }

  Value requantize(Operation *op, Value value, int64_t zeroPoint, DenseIntElementsAttr m, DenseIntElementsAttr e,
                   std::optional<ArrayRef<int64_t>> clamp) {
    QuantInfo info = infoOf(op->getResult(0));
    SmallVector<int64_t> limits{info.min, info.max};
    if (clamp)
      limits = {std::max((*clamp)[0], info.min), std::min((*clamp)[1], info.max)};
    return RequantizeOp::create(builder, op->getLoc(), stored(op->getResult(0).getType()), value,
                                builder.getI64IntegerAttr(zeroPoint), m, e, builder.getI64IntegerAttr(info.zeroPoint),
                                builder.getDenseI64ArrayAttr(limits), rounding, idOf(op));
  }

  LogicalResult encode(Operation *op, ArrayRef<double> scales, double outputScale, SmallVectorImpl<int32_t> &m,
                       SmallVectorImpl<int32_t> &e) {
    for (double scale : scales) {
      std::optional<Multiplier> multiplier = encodeMultiplier(shortFactor(scale / outputScale));
      if (!multiplier)
        return op->emitError() << layerName(op) << "scale ratio " << scale / outputScale << " is not below 2^30";
      m.push_back(multiplier->m);
      e.push_back(multiplier->e);
    }
    return success();
  }

  /// M = Sx / (Sy * N), one pair a distinct number N of positions in the window.
  LogicalResult convertPool(AvgPoolOp op) {
    QuantInfo input = infoOf(op.getInput());
    Value sum = AvgPoolOp::create(builder, op.getLoc(), accumulator(op.getType()), integers.lookup(op.getInput()),
                                  op.getKernelAttr(), op.getStridesAttr(), op.getPadsAttr(), op.getDilationsAttr(),
                                  builder.getI64IntegerAttr(input.zeroPoint), op.getIdAttr(), op.getChannelsLastAttr());
    Window window = windowOf(op);
    SmallVector<int64_t> counts{1};
    for (size_t d = 0; d < window.rank(); ++d) {
      SmallVector<int64_t> next;
      for (int64_t count : counts)
        for (int64_t o = 0; o < window.output[d]; ++o)
          next.push_back(count * window.countInside(d, o));
      counts = next;
    }
    SmallVector<double> scales;
    for (int64_t count : counts)
      scales.push_back(input.scales[0] / static_cast<double>(count));
    if (llvm::all_equal(counts))
      return finish(op, sum, scales.front(), -1);
    SmallVector<int32_t> m, e;
    if (failed(encode(op, scales, infoOf(op.getOutput()).scales[0], m, e)))
      return failure();
    SmallVector<int64_t> shape(window.output);
    if (window.channelsLast)
      shape.push_back(1);
    auto type = RankedTensorType::get(shape, builder.getI32Type());
    integers[op.getOutput()] = requantize(op, sum, 0, DenseIntElementsAttr::get(type, ArrayRef<int32_t>(m)),
                                          DenseIntElementsAttr::get(type, ArrayRef<int32_t>(e)), {});
    return success();
  }

  /// M = Sx / (Sy * 2^b) for b fraction bits.
  LogicalResult convertInterpolation(InterpolateOp op) {
    QuantInfo input = infoOf(op.getInput());
    Value sum =
        InterpolateOp::create(builder, op.getLoc(), accumulator(op.getType()), integers.lookup(op.getInput()),
                              op.getAxesAttr(), op.getPositionsAttr(), op.getFractionsAttr(), op.getFractionBitsAttr(),
                              builder.getI64IntegerAttr(input.zeroPoint), op.getIdAttr());
    return finish(op, sum, std::ldexp(input.scales[0], -static_cast<int>(totalFractionBits(op))), -1);
  }

  LogicalResult convertRequantize(RequantizeOp op) {
    QuantInfo input = infoOf(op.getInput());
    return rescale(op, integers.lookup(op.getInput()), input.zeroPoint, input.scales, input.axis, op.getClamp());
  }

  LogicalResult convertSoftmax(SoftmaxOp op) {
    QuantInfo input = infoOf(op.getInput()), output = infoOf(op.getOutput());
    if (input.axis != -1 || input.bits > 16 || output.isSigned || output.bits != kSoftmaxBits ||
        output.zeroPoint != 0 || output.scales[0] != std::ldexp(1.0, -kSoftmaxBits))
      return op.emitError() << "softmax from " << op.getInput().getType() << " to " << op.getType()
                            << ", expected one scale of at most 16 bits and 15 unsigned bits of scale 2^-15";
    SoftmaxTables tables = softmaxTables(static_cast<float>(input.scales[0]));
    auto type = RankedTensorType::get({256}, builder.getI32Type());
    integers[op.getOutput()] = SoftmaxOp::create(
        builder, op.getLoc(), stored(op.getType()), integers.lookup(op.getInput()), op.getAxisAttr(),
        cast<DenseIntElementsAttr>(DenseElementsAttr::get(type, ArrayRef<int32_t>(tables.high))),
        cast<DenseIntElementsAttr>(DenseElementsAttr::get(type, ArrayRef<int32_t>(tables.low))), op.getIdAttr());
    return success();
  }

  /// A difference has a negative multiplier.
  LogicalResult convertSum(Operation *op) {
    Value result = op->getResult(0);
    QuantInfo lhs = infoOf(op->getOperand(0)), rhs = infoOf(op->getOperand(1)), output = infoOf(result);
    Value a = integers.lookup(op->getOperand(0)), b = integers.lookup(op->getOperand(1));
    if (lhs.axis != -1 && rhs.axis != -1 && lhs.axis != rhs.axis)
      return op->emitError() << "scales along axes " << lhs.axis << " and " << rhs.axis << ", expected one axis";
    int64_t boundA = magnitude(ranges.of(a), lhs.zeroPoint), boundB = magnitude(ranges.of(b), rhs.zeroPoint);
    size_t count = std::max(lhs.scales.size(), rhs.scales.size());
    int axis = lhs.axis != -1 ? lhs.axis : rhs.axis;
    SmallVector<int32_t> m1, m2, e;
    for (size_t c = 0; c < count; ++c) {
      double M1 = shortFactor(lhs.scales[lhs.axis == -1 ? 0 : c] / output.scales[0]),
             M2 = shortFactor(rhs.scales[rhs.axis == -1 ? 0 : c] / output.scales[0]);
      std::optional<MultiplierPair> pair = encodeMultiplierPair(M1, M2, boundA, boundB);
      if (!pair)
        return op->emitError() << layerName(op) << "scale ratios " << M1 << " and " << M2
                               << " are not below 2^30, or the sum of the operands exceeds 64 bits";
      m1.push_back(pair->m1);
      m2.push_back(isa<SubOp>(op) ? -pair->m2 : pair->m2);
      e.push_back(pair->e);
    }
    int64_t rank = cast<RankedTensorType>(result.getType()).getRank();
    integers[result] = AddOp::create(builder, op->getLoc(), stored(result.getType()), a, b,
                                     builder.getI64IntegerAttr(lhs.zeroPoint), builder.getI64IntegerAttr(rhs.zeroPoint),
                                     broadcastInts(context, m1, axis, rank), broadcastInts(context, m2, axis, rank),
                                     broadcastInts(context, e, axis, rank), builder.getI64IntegerAttr(output.zeroPoint),
                                     builder.getDenseI64ArrayAttr({output.min, output.max}), rounding, idOf(op));
    return success();
  }

  /// M = Sa * Sb / Sy.
  LogicalResult convertMul(MulOp op) {
    QuantInfo lhs = infoOf(op.getLhs()), rhs = infoOf(op.getRhs()), output = infoOf(op.getOutput());
    Value a = integers.lookup(op.getLhs()), b = integers.lookup(op.getRhs());
    int64_t bound = magnitude(ranges.of(a), lhs.zeroPoint) * magnitude(ranges.of(b), rhs.zeroPoint);
    double M = lhs.scales[0] * rhs.scales[0] / output.scales[0];
    std::optional<Multiplier> f = encodeProductMultiplier(M, bound);
    if (!f)
      return op.emitError() << layerName(op) << "scale ratio " << M << " is not below 2^30";
    integers[op.getOutput()] =
        MulOp::create(builder, op.getLoc(), stored(op.getType()), a, b, builder.getI64IntegerAttr(lhs.zeroPoint),
                      builder.getI64IntegerAttr(rhs.zeroPoint), builder.getI32IntegerAttr(f->m),
                      builder.getI32IntegerAttr(f->e), builder.getI64IntegerAttr(output.zeroPoint),
                      builder.getDenseI64ArrayAttr({output.min, output.max}), rounding, op.getIdAttr());
    return success();
  }

  LogicalResult convertMap(MapOp op) {
    auto storedValue = [](const QuantInfo &info) {
      AffineParameters affine{static_cast<float>(info.scales[0]), static_cast<int32_t>(info.zeroPoint)};
      return StoredValue{affine, {info.min, info.max}, info.bits};
    };
    QuantInfo input = infoOf(op.getInput()), output = infoOf(op.getOutput());
    HostDouble algebra;
    FunctionTable table =
        functionTable([&](double x) { return qnn::evaluate(op, algebra, x); }, storedValue(input), storedValue(output));
    auto type = RankedTensorType::get({static_cast<int64_t>(table.entries.size())}, builder.getI32Type());
    integers[op.getOutput()] =
        TableOp::create(builder, op.getLoc(), stored(op.getType()), integers.lookup(op.getInput()),
                        cast<DenseIntElementsAttr>(DenseElementsAttr::get(type, ArrayRef<int32_t>(table.entries))),
                        builder.getI64IntegerAttr(input.min), builder.getI64IntegerAttr(table.shift),
                        builder.getDenseI64ArrayAttr({output.min, output.max}), op.getIdAttr());
    return success();
  }

  /// M = Sx / Sy, times the slope for the negative ones.
  LogicalResult convertPRelu(PReluOp op) {
    QuantInfo input = infoOf(op.getInput()), output = infoOf(op.getOutput());
    ConstantView slope(op.getSlope());
    if (!slope)
      return op.emitError() << "slope is not constant, expected a constant";
    SmallVector<int32_t> m, e;
    if (failed(encode(op, input.scales, output.scales[0], m, e)))
      return failure();
    // The slope and the scales of channels meet in one attribute of the shape that both need.
    auto type = cast<RankedTensorType>(op.getInput().getType());
    int64_t rank = type.getRank(), lead = rank - slope.getType().getRank();
    SmallVector<int64_t> shape(rank, 1);
    for (int64_t d = lead; d < rank; ++d)
      shape[d] = slope.getType().getDimSize(d - lead);
    if (input.axis != -1)
      shape[input.axis] = type.getDimSize(input.axis);
    SmallVector<int32_t> negativeM, negativeE;
    int64_t count = ShapedType::getNumElements(shape);
    for (int64_t i = 0; i < count; ++i) {
      int64_t rest = i, position = 0, stride = 1, channel = 0;
      for (int64_t d = rank - 1; d >= 0; --d) {
        int64_t at = rest % shape[d], size = d >= lead ? slope.getType().getDimSize(d - lead) : 1;
        rest /= shape[d];
        channel = d == input.axis ? at : channel;
        position += size == 1 ? 0 : at * stride;
        stride *= size;
      }
      double M = input.scales[channel] * slope.floatAt(position) / output.scales[0];
      std::optional<Multiplier> f = encodeMultiplier(std::fabs(M));
      if (!f)
        return op.emitError() << layerName(op) << "scale ratio " << M << " is not below 2^30";
      negativeM.push_back(M < 0 ? -f->m : f->m);
      negativeE.push_back(f->e);
    }
    auto ints = [&](ArrayRef<int32_t> values) {
      return cast<DenseIntElementsAttr>(
          DenseElementsAttr::get(RankedTensorType::get(shape, builder.getI32Type()), values));
    };
    integers[op.getOutput()] =
        PReluOp::create(builder, op.getLoc(), stored(op.getType()), integers.lookup(op.getInput()), Value(),
                        builder.getI64IntegerAttr(input.zeroPoint), broadcastInts(context, m, input.axis, rank),
                        broadcastInts(context, e, input.axis, rank), ints(negativeM), ints(negativeE),
                        builder.getI64IntegerAttr(output.zeroPoint),
                        builder.getDenseI64ArrayAttr({output.min, output.max}), rounding, op.getIdAttr());
    return success();
  }

  func::FuncOp function;
  MLIRContext *context;
  OpBuilder builder;
  RoundingAttr rounding;
  IntegerRanges ranges;
  DenseMap<Value, Value> integers; // old value -> new value
  DenseMap<Value, Type> types;     // quantized element types of arguments
};

struct RewriteDyadic : impl::RewriteDyadicBase<RewriteDyadic> {
  using RewriteDyadicBase::RewriteDyadicBase;

  void runOnOperation() override {
    func::FuncOp function = entryFunction(getOperation());
    if (!function) {
      getOperation().emitError() << "module has no single entry function";
      return signalPassFailure();
    }
    if (failed(DyadicRewriter(function, rounding).run()))
      return signalPassFailure();
    eraseDead(function); // float biases, storage constants
  }
};
} // namespace
} // namespace dyadic
