// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One function an operation: what Support/Dyadic.h and the dialect's descriptions
// define, as linalg. The loops are plain; LLVM vectorises the innermost one.

#include "LinalgBuilder.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Types.h"
#include "dyadic/IR/Window.h"
#include "dyadic/Support/Functions.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_LOWERTOLINALG
#include "dyadic/Conversion/Passes.h.inc"

namespace {

class LinalgLowering {
public:
  explicit LinalgLowering(func::FuncOp function) : function(function), builder(function.getContext()) {}

  LogicalResult run() {
    Block &block = function.front();
    SmallVector<Operation *> old;
    for (Operation &op : block.without_terminator())
      old.push_back(&op);
    for (BlockArgument argument : function.getArguments()) {
      types[argument] = cast<RankedTensorType>(argument.getType());
      argument.setType(signless(argument.getType()));
      values[argument] = argument;
    }
    builder.setInsertionPoint(block.getTerminator());
    for (Operation *op : old)
      if (failed(lower(op)))
        return failure();
    for (OpOperand &result : block.getTerminator()->getOpOperands())
      result.set(values.lookup(result.get()));
    for (Operation *op : llvm::reverse(old))
      op->erase();
    function.removeArgAttrsAttr();
    function.removeResAttrsAttr();
    function->removeAttr(kBatchAttr);
    function.setType(builder.getFunctionType(block.getArgumentTypes(), block.getTerminator()->getOperandTypes()));
    return success();
  }

private:
  //===--------------------------------------------------------------------===//
  // Shared
  //===--------------------------------------------------------------------===//

  Value of(Value old) { return values.lookup(old); }
  RankedTensorType typeOf(Value old) {
    auto found = types.find(old);
    return found != types.end() ? found->second : cast<RankedTensorType>(old.getType());
  }
  Type elementOf(Value old) { return typeOf(old).getElementType(); }
  bool isUnsigned(Value old) { return elementOf(old).isUnsignedInteger(); }
  bool isFloat(Value old) { return elementOf(old).isF32(); }
  AffineExpr dim(unsigned i) { return builder.getAffineDimExpr(i); }
  AffineMap map(unsigned dims, ArrayRef<AffineExpr> results) {
    return AffineMap::get(dims, 0, results, builder.getContext());
  }

  /// A scalar of the (signless) element type of `old`.
  Value scalar(Location location, Value old, double value) {
    ScalarBuilder scalars{builder, location};
    if (isFloat(old))
      return scalars.real(static_cast<float>(value));
    return scalars.integer(static_cast<int64_t>(value), elementOf(old).getIntOrFloatBitWidth());
  }

  LogicalResult lower(Operation *op) {
    if (op->getNumResults() != 1 || !isa<RankedTensorType>(op->getResult(0).getType()) ||
        levelOf(op->getResult(0).getType()) == Level::Quantized)
      return op->emitError() << "'" << op->getName() << "' cannot be lowered, expected the float or integer level";
    Value result = lowerOp(op);
    if (!result)
      return op->emitError() << "'" << op->getName() << "' cannot be lowered";
    values[op->getResult(0)] = result;
    return success();
  }

  Value lowerOp(Operation *op) {
    return llvm::TypeSwitch<Operation *, Value>(op)
        .Case<arith::ConstantOp, ConcatOp, ConvOp, MatmulOp, AddOp, SoftmaxOp, ReluOp, ClipOp, RequantizeOp, MaxPoolOp,
              AvgPoolOp, ReshapeOp, TransposeOp, SliceOp, PadOp, QuantizeOp, DequantizeOp>(
            [&](auto o) { return lower(o); })
        .Case<RangeOp>([&](RangeOp o) { return of(o.getInput()); })
        .Default([](Operation *) { return Value(); });
  }

  /// Stored flat: LLVM builds an array of many dimensions from one object a row.
  Value lower(arith::ConstantOp op) {
    RankedTensorType type = signless(op.getType());
    auto flat = RankedTensorType::get({type.getNumElements()}, type.getElementType());
    TypedAttr value;
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(op.getValue()))
      value = DenseResourceElementsAttr::get(flat, resource.getRawHandle());
    else if (auto dense = dyn_cast<DenseElementsAttr>(op.getValue()))
      value = DenseElementsAttr::getFromRawBuffer(flat, dense.getRawData());
    else
      return {};
    return buildReshape(builder, op.getLoc(), arith::ConstantOp::create(builder, op.getLoc(), value), type.getShape());
  }

  //===--------------------------------------------------------------------===//
  // Linear layers
  //===--------------------------------------------------------------------===//

  /// acc + x * w in i32 or f32.
  static Value accumulate(ScalarBuilder &s, Value x, bool isUnsignedX, Value w, Value sum) {
    if (isa<FloatType>(x.getType()))
      return s.add(sum, s.multiply(x, w));
    return s.add(sum, s.multiply(s.extend(x, isUnsignedX, 32), s.extend(w, false, 32)));
  }

  /// The result's start: the bias along dimension `axis`, or zeros.
  Value startFrom(Operation *op, Value bias, ArrayRef<int64_t> shape, unsigned axis) {
    Type element = signless(op->getResult(0).getType()).getElementType();
    if (!bias)
      return buildFilled(builder, op->getLoc(), shape, scalar(op->getLoc(), op->getResult(0), 0));
    unsigned rank = shape.size();
    return buildGeneric(builder, op->getLoc(), of(bias), buildEmpty(builder, op->getLoc(), shape, element),
                        {map(rank, {dim(axis)}), builder.getMultiDimIdentityMap(rank)}, std::string(rank, 'p'),
                        [](ScalarBuilder &, ValueRange arguments) { return arguments[0]; });
  }

  Value lower(ConvOp op) {
    Location location = op.getLoc();
    Window window = windowOf(op);
    size_t rank = window.rank();
    SmallVector<int64_t> low(2, 0), high(2, 0);
    llvm::append_range(low, window.padBegin);
    llvm::append_range(high, window.padEnd);
    Value x = buildPadded(
        builder, location, of(op.getInput()), low, high,
        scalar(location, op.getInput(), static_cast<double>(static_cast<int64_t>(op.getXZp().value_or(0)))));
    SmallVector<int64_t> inputSpace(cast<RankedTensorType>(x.getType()).getShape().drop_front(2));
    // A pointwise convolution has one long spatial dimension.
    bool pointwise = window.volume() == 1 && llvm::all_of(window.strides, [](int64_t s) { return s == 1; });
    SmallVector<int64_t> outputSpace = window.output, kernel = window.kernel, strides = window.strides,
                         dilations = window.dilations;
    if (pointwise && rank > 1) {
      int64_t all = 1;
      for (int64_t d : inputSpace)
        all *= d;
      inputSpace = outputSpace = {all};
      kernel = strides = dilations = {1};
      rank = 1;
    }
    int64_t batch = typeOf(op.getInput()).getDimSize(0), groups = op.getGroup();
    int64_t filters = typeOf(op.getWeights()).getDimSize(0), depth = typeOf(op.getWeights()).getDimSize(1);
    auto shape = [&](ArrayRef<int64_t> front, ArrayRef<int64_t> space) {
      SmallVector<int64_t> result(front);
      llvm::append_range(result, space);
      return result;
    };
    x = buildReshape(builder, location, x, shape({batch, groups, depth}, inputSpace));
    Value w = buildReshape(builder, location, of(op.getWeights()), shape({groups, filters / groups, depth}, kernel));
    Value start = startFrom(op, op.getBias(), shape({batch, filters}, outputSpace), 1);
    start = buildReshape(builder, location, start, shape({batch, groups, filters / groups}, outputSpace));

    // Loops: n, g, o, all output dimensions but the last, channel, kernel, the last.
    unsigned dims = 4 + 2 * rank, firstOutput = 3, channel = 3 + rank - 1, firstKernel = channel + 1, last = dims - 1;
    auto output = [&](size_t d) { return dim(d + 1 == rank ? last : firstOutput + d); };
    SmallVector<AffineExpr> xs{dim(0), dim(1), dim(channel)}, ws{dim(1), dim(2), dim(channel)},
        ys{dim(0), dim(1), dim(2)};
    for (size_t d = 0; d < rank; ++d) {
      xs.push_back(output(d) * strides[d] + dim(firstKernel + d) * dilations[d]);
      ws.push_back(dim(firstKernel + d));
      ys.push_back(output(d));
    }
    std::string loops = "ppp" + std::string(rank - 1, 'p') + std::string(1 + rank, 'r') + "p";
    bool isUnsignedX = isUnsigned(op.getInput());
    Value y =
        buildGeneric(builder, location, {x, w}, start, {map(dims, xs), map(dims, ws), map(dims, ys)}, loops,
                     [=](ScalarBuilder &s, ValueRange a) { return accumulate(s, a[0], isUnsignedX, a[1], a[2]); });
    return buildReshape(builder, location, y, typeOf(op.getOutput()).getShape());
  }

  Value lower(MatmulOp op) {
    Location location = op.getLoc();
    int64_t depth = typeOf(op.getWeights()).getDimSize(0), columns = typeOf(op.getWeights()).getDimSize(1);
    int64_t rows = typeOf(op.getInput()).getNumElements() / depth;
    Value x = buildReshape(builder, location, of(op.getInput()), {rows, depth});
    Value start = startFrom(op, op.getBias(), {rows, columns}, 1);
    bool isUnsignedX = isUnsigned(op.getInput());
    // Loops: row, depth, column.
    Value y =
        buildGeneric(builder, location, {x, of(op.getWeights())}, start,
                     {map(3, {dim(0), dim(1)}), map(3, {dim(1), dim(2)}), map(3, {dim(0), dim(2)})}, "prp",
                     [=](ScalarBuilder &s, ValueRange a) { return accumulate(s, a[0], isUnsignedX, a[1], a[2]); });
    return buildReshape(builder, location, y, typeOf(op.getOutput()).getShape());
  }

  //===--------------------------------------------------------------------===//
  // Pools
  //===--------------------------------------------------------------------===//

  /// Reduces every window of `input`, padded with `border`, into `start`.
  Value reduceWindows(Location location, Value input, const Window &window, Value border, Value start,
                      BodyBuilder body) {
    size_t rank = window.rank();
    SmallVector<int64_t> low(2, 0), high(2, 0);
    llvm::append_range(low, window.padBegin);
    llvm::append_range(high, window.padEnd);
    Value x = buildPadded(builder, location, input, low, high, border);
    // Loops: n, c, output dimensions but the last, kernel, the last. An empty tensor gives the kernel's shape.
    unsigned dims = 2 + 2 * rank, firstKernel = 1 + rank, last = dims - 1;
    SmallVector<AffineExpr> xs{dim(0), dim(1)}, ks, ys{dim(0), dim(1)};
    for (size_t d = 0; d < rank; ++d) {
      AffineExpr output = dim(d + 1 == rank ? last : 2 + d);
      xs.push_back(output * window.strides[d] + dim(firstKernel + d) * window.dilations[d]);
      ks.push_back(dim(firstKernel + d));
      ys.push_back(output);
    }
    Value shape = buildEmpty(builder, location, window.kernel, builder.getI8Type());
    return buildGeneric(builder, location, {x, shape}, start, {map(dims, xs), map(dims, ks), map(dims, ys)},
                        "pp" + std::string(rank - 1, 'p') + std::string(rank, 'r') + "p", body);
  }

  Value lower(MaxPoolOp op) {
    bool isReal = isFloat(op.getInput()), isUnsignedX = isUnsigned(op.getInput());
    double least = isReal ? -std::numeric_limits<double>::infinity()
                          : static_cast<double>(integerRange(elementOf(op.getInput())).min);
    Value border = scalar(op.getLoc(), op.getInput(), least);
    Value start = buildFilled(builder, op.getLoc(), typeOf(op.getOutput()).getShape(), border);
    return reduceWindows(op.getLoc(), of(op.getInput()), windowOf(op), border, start,
                         [=](ScalarBuilder &s, ValueRange a) -> Value {
                           if (isReal)
                             return arith::MaximumFOp::create(s.builder, s.location, a[2], a[0]);
                           if (isUnsignedX)
                             return arith::MaxUIOp::create(s.builder, s.location, a[2], a[0]);
                           return arith::MaxSIOp::create(s.builder, s.location, a[2], a[0]);
                         });
  }

  Value lower(AvgPoolOp op) {
    Location location = op.getLoc();
    bool isReal = isFloat(op.getInput()), isUnsignedX = isUnsigned(op.getInput());
    int64_t zeroPoint = static_cast<int64_t>(op.getXZp().value_or(0));
    Window window = windowOf(op);
    Value border = scalar(location, op.getInput(), static_cast<double>(zeroPoint));
    Value start =
        buildFilled(builder, location, typeOf(op.getOutput()).getShape(), scalar(location, op.getOutput(), 0));
    Value sum = reduceWindows(location, of(op.getInput()), window, border, start, [=](ScalarBuilder &s, ValueRange a) {
      if (isReal)
        return s.add(a[2], a[0]);
      return s.add(a[2], s.subtract(s.extend(a[0], isUnsignedX, 32), s.integer(zeroPoint, 32)));
    });
    if (!isReal)
      return sum;
    SmallVector<float> counts{1.0f};
    for (size_t d = 0; d < window.rank(); ++d) {
      SmallVector<float> next;
      for (float count : counts)
        for (int64_t o = 0; o < window.output[d]; ++o)
          next.push_back(count * static_cast<float>(window.countInside(d, o)));
      counts = next;
    }
    RankedTensorType type = typeOf(op.getOutput());
    BroadcastOperands broadcast(builder, location, type.getRank());
    size_t count = broadcast.add(
        DenseElementsAttr::get(RankedTensorType::get(window.output, builder.getF32Type()), ArrayRef<float>(counts)));
    return buildElementwise(builder, location, sum, type, &broadcast, [&](ScalarBuilder &s, ValueRange a) {
      return arith::DivFOp::create(s.builder, s.location, a[0], broadcast.get(count, s, a, 1));
    });
  }

  //===--------------------------------------------------------------------===//
  // Element-wise operations
  //===--------------------------------------------------------------------===//

  Value lower(ReluOp op) { return clip(op, 0.0f, INFINITY); }
  Value lower(ClipOp op) { return clip(op, op.getMin().convertToFloat(), op.getMax().convertToFloat()); }

  Value clip(Operation *op, float low, float high) {
    return buildElementwise(builder, op->getLoc(), of(op->getOperand(0)), typeOf(op->getResult(0)), nullptr,
                            [=](ScalarBuilder &s, ValueRange a) {
                              Value value = arith::MaximumFOp::create(s.builder, s.location, a[0], s.real(low));
                              return std::isinf(high)
                                         ? value
                                         : Value(arith::MinimumFOp::create(s.builder, s.location, value, s.real(high)));
                            });
  }

  Value lower(AddOp op) {
    auto type = signless(typeOf(op.getOutput()));
    if (isFloat(op.getOutput()))
      return buildElementwise(builder, op.getLoc(), {of(op.getLhs()), of(op.getRhs())}, type, nullptr,
                              [](ScalarBuilder &s, ValueRange a) { return s.add(a[0], a[1]); });
    BroadcastOperands broadcast(builder, op.getLoc(), type.getRank());
    size_t m1 = broadcast.add(*op.getAMultiplier()), m2 = broadcast.add(*op.getBMultiplier()),
           e = broadcast.add(*op.getExponent());
    return buildElementwise(
        builder, op.getLoc(), {of(op.getLhs()), of(op.getRhs())}, type, &broadcast,
        [&](ScalarBuilder &s, ValueRange a) {
          auto term = [&](Value x, bool isUnsignedX, int64_t zeroPoint, size_t m) {
            Value difference = s.subtract(s.extend(x, isUnsignedX, 64), s.integer(zeroPoint, 64));
            return s.multiply(difference, s.extend(broadcast.get(m, s, a, 2), false, 64));
          };
          Value sum = s.add(term(a[0], isUnsigned(op.getLhs()), static_cast<int64_t>(*op.getAZp()), m1),
                            term(a[1], isUnsigned(op.getRhs()), static_cast<int64_t>(*op.getBZp()), m2));
          Value rounded = s.shiftRounded(sum, s.extend(broadcast.get(e, s, a, 2), false, 64), *op.getRounding());
          return finish(s, rounded, static_cast<int64_t>(*op.getZeroPoint()), *op.getClamp(), type);
        });
  }

  /// clamp(zero point + value) as the stored type.
  static Value finish(ScalarBuilder &s, Value value, int64_t zeroPoint, ArrayRef<int64_t> clamp,
                      RankedTensorType type) {
    unsigned width = value.getType().getIntOrFloatBitWidth();
    return s.truncate(s.clamp(s.add(value, s.integer(zeroPoint, width)), clamp[0], clamp[1]), type.getElementType());
  }

  Value lower(RequantizeOp op) {
    auto type = signless(typeOf(op.getOutput()));
    BroadcastOperands broadcast(builder, op.getLoc(), type.getRank());
    size_t m = broadcast.add(*op.getMultiplier()), e = broadcast.add(*op.getExponent());
    return buildElementwise(
        builder, op.getLoc(), of(op.getInput()), type, &broadcast, [&](ScalarBuilder &s, ValueRange a) {
          Value x = s.extend(a[0], isUnsigned(op.getInput()), 64);
          if (int64_t zeroPoint = static_cast<int64_t>(op.getXZp()))
            x = s.subtract(x, s.integer(zeroPoint, 64));
          Value product = s.multiply(x, s.extend(broadcast.get(m, s, a, 1), false, 64));
          Value rounded = s.shiftRounded(product, s.extend(broadcast.get(e, s, a, 1), false, 64), *op.getRounding());
          return finish(s, rounded, static_cast<int64_t>(*op.getZeroPoint()), *op.getClamp(), type);
        });
  }

  Value lower(SoftmaxOp op) {
    Location location = op.getLoc();
    RankedTensorType type = typeOf(op.getInput());
    unsigned rank = type.getRank(), axis = static_cast<unsigned>(op.getAxis());
    bool isReal = isFloat(op.getInput()), isUnsignedX = isUnsigned(op.getInput());
    SmallVector<int64_t> rows(type.getShape());
    rows.erase(rows.begin() + axis);
    SmallVector<AffineExpr> others;
    std::string loops(rank, 'p');
    loops[axis] = 'r';
    for (unsigned d = 0; d < rank; ++d)
      if (d != axis)
        others.push_back(dim(d));
    AffineMap all = builder.getMultiDimIdentityMap(rank), row = map(rank, others);
    auto reduce = [&](Value input, Value start, BodyBuilder body) {
      return buildGeneric(builder, location, input, buildFilled(builder, location, rows, start), {all, row}, loops,
                          body);
    };
    auto spread = [&](Value x, Value y, Type element, BodyBuilder body) {
      Value empty = buildEmpty(builder, location, type.getShape(), element);
      return buildGeneric(builder, location, {x, y}, empty, {all, row, all}, std::string(rank, 'p'), body);
    };
    ScalarBuilder outside{builder, location};
    double least = isReal ? -std::numeric_limits<double>::infinity()
                          : static_cast<double>(integerRange(elementOf(op.getInput())).min);
    Value largest =
        reduce(of(op.getInput()), scalar(location, op.getInput(), least), [=](ScalarBuilder &s, ValueRange a) -> Value {
          if (isReal)
            return arith::MaximumFOp::create(s.builder, s.location, a[1], a[0]);
          if (isUnsignedX)
            return arith::MaxUIOp::create(s.builder, s.location, a[1], a[0]);
          return arith::MaxSIOp::create(s.builder, s.location, a[1], a[0]);
        });
    auto sumOf = [&](Value weights, Value zero) {
      return reduce(weights, zero, [](ScalarBuilder &s, ValueRange a) { return s.add(a[1], a[0]); });
    };
    if (isReal) {
      Value weights = spread(of(op.getInput()), largest, builder.getF32Type(), [](ScalarBuilder &s, ValueRange a) {
        return expOfNonPositive(s, arith::SubFOp::create(s.builder, s.location, a[0], a[1]));
      });
      return spread(weights, sumOf(weights, outside.real(0)), builder.getF32Type(), [](ScalarBuilder &s, ValueRange a) {
        return arith::DivFOp::create(s.builder, s.location, a[0], a[1]);
      });
    }
    Value high = arith::ConstantOp::create(builder, location, *op.getHigh()),
          low = arith::ConstantOp::create(builder, location, *op.getLow());
    Value weights = spread(of(op.getInput()), largest, builder.getI64Type(), [=](ScalarBuilder &s, ValueRange a) {
      Value distance = s.subtract(s.extend(a[1], isUnsignedX, 64), s.extend(a[0], isUnsignedX, 64));
      auto entry = [&](Value table, Value index) {
        Value position = arith::IndexCastOp::create(s.builder, s.location, s.builder.getIndexType(), index);
        return s.extend(tensor::ExtractOp::create(s.builder, s.location, table, position), false, 64);
      };
      Value product =
          s.multiply(entry(high, arith::ShRSIOp::create(s.builder, s.location, distance, s.integer(8, 64))),
                     entry(low, arith::AndIOp::create(s.builder, s.location, distance, s.integer(255, 64))));
      return arith::ShRSIOp::create(s.builder, s.location, s.add(product, s.integer(1 << 29, 64)), s.integer(30, 64));
    });
    Type stored = signless(typeOf(op.getOutput())).getElementType();
    return spread(weights, sumOf(weights, outside.integer(0, 64)), stored,
                  [=](ScalarBuilder &s, ValueRange a) { return s.truncate(softmaxQuotient(s, a[0], a[1]), stored); });
  }

  /// Functions.h's expOfNonPositive: a float program calls no libm either.
  static Value expOfNonPositive(ScalarBuilder &s, Value x) {
    OpBuilder &b = s.builder;
    x = arith::MaximumFOp::create(b, s.location, x, s.real(exp_constants::kLowest));
    Value shifted = s.add(s.multiply(x, s.real(exp_constants::kLog2E)), s.real(exp_constants::kMagic));
    Value n = arith::SubFOp::create(b, s.location, shifted, s.real(exp_constants::kMagic));
    Value r = arith::SubFOp::create(b, s.location, x, s.multiply(n, s.real(exp_constants::kLn2High)));
    r = arith::SubFOp::create(b, s.location, r, s.multiply(n, s.real(exp_constants::kLn2Low)));
    Value p = s.real(exp_constants::kPolynomial[0]);
    for (float coefficient : ArrayRef<float>(exp_constants::kPolynomial).drop_front())
      p = s.add(s.multiply(p, r), s.real(coefficient));
    Value bits = arith::BitcastOp::create(b, s.location, b.getI32Type(), shifted);
    Value exponent = arith::ShLIOp::create(
        b, s.location, s.subtract(bits, s.integer(exp_constants::kMagicBits - 127, 32)), s.integer(23, 32));
    return s.multiply(p, arith::BitcastOp::create(b, s.location, b.getF32Type(), exponent));
  }

  /// Dyadic.h's softmaxQuotient, unrolled.
  static Value softmaxQuotient(ScalarBuilder &s, Value weight, Value sum) {
    auto shift = [&](Value value, int64_t bits) {
      return Value(arith::ShLIOp::create(s.builder, s.location, value, s.integer(bits, 64)));
    };
    Value rest =
        s.add(shift(weight, kSoftmaxBits), arith::ShRSIOp::create(s.builder, s.location, sum, s.integer(1, 64)));
    Value quotient = s.integer(0, 64);
    for (int bit = kSoftmaxBits; bit >= 0; --bit) {
      Value part = shift(sum, bit);
      Value fits = arith::CmpIOp::create(s.builder, s.location, arith::CmpIPredicate::sge, rest, part);
      rest = arith::SelectOp::create(s.builder, s.location, fits, s.subtract(rest, part), rest);
      quotient = arith::SelectOp::create(s.builder, s.location, fits, s.add(quotient, s.integer(int64_t(1) << bit, 64)),
                                         quotient);
    }
    return arith::MinSIOp::create(s.builder, s.location, quotient, s.integer((int64_t(1) << kSoftmaxBits) - 1, 64));
  }

  /// Clamping first makes every number small, so that adding 1.5 * 2^23 rounds to
  /// nearest even in the lowest bits of the float: no libm, no rounding mode.
  Value lower(QuantizeOp op) {
    auto type = signless(typeOf(op.getOutput()));
    float scale = op.getScale().convertToFloat();
    int64_t zeroPoint = static_cast<int64_t>(op.getZeroPoint()), low = op.getClamp()[0], high = op.getClamp()[1];
    return buildElementwise(
        builder, op.getLoc(), of(op.getInput()), type, nullptr, [=](ScalarBuilder &s, ValueRange a) {
          OpBuilder &b = s.builder;
          Value quotient = arith::DivFOp::create(b, s.location, a[0], s.real(scale));
          auto select = [&](arith::CmpFPredicate predicate, Value value, Value limit) {
            Value outside = arith::CmpFOp::create(b, s.location, predicate, value, limit);
            return Value(arith::SelectOp::create(b, s.location, outside, limit, value));
          };
          // A NaN fails the ordered comparisons; it becomes 0 here, the zero point in the end.
          Value isNan = arith::CmpFOp::create(b, s.location, arith::CmpFPredicate::UNO, quotient, quotient);
          quotient = arith::SelectOp::create(b, s.location, isNan, s.real(0.0f), quotient);
          quotient = select(arith::CmpFPredicate::OLT, quotient, s.real(static_cast<float>(low - zeroPoint)));
          quotient = select(arith::CmpFPredicate::OGT, quotient, s.real(static_cast<float>(high - zeroPoint)));
          Value shifted = s.add(quotient, s.real(12582912.0f));
          Value bits = arith::BitcastOp::create(b, s.location, b.getI32Type(), shifted);
          Value rounded = s.subtract(bits, s.integer(0x4B400000, 32));
          return s.truncate(s.add(rounded, s.integer(zeroPoint, 32)), type.getElementType());
        });
  }

  Value lower(DequantizeOp op) {
    RankedTensorType type = typeOf(op.getOutput());
    BroadcastOperands broadcast(builder, op.getLoc(), type.getRank());
    size_t scale = broadcast.add(op.getScale());
    return buildElementwise(builder, op.getLoc(), of(op.getInput()), type, &broadcast,
                            [&](ScalarBuilder &s, ValueRange a) {
                              Value x = s.extend(a[0], isUnsigned(op.getInput()), 32);
                              if (int64_t zeroPoint = static_cast<int64_t>(op.getZeroPoint()))
                                x = s.subtract(x, s.integer(zeroPoint, 32));
                              Value real = arith::SIToFPOp::create(s.builder, s.location, s.builder.getF32Type(), x);
                              return s.multiply(real, broadcast.get(scale, s, a, 1));
                            });
  }

  //===--------------------------------------------------------------------===//
  // Shape operations
  //===--------------------------------------------------------------------===//

  Value lower(ReshapeOp op) {
    return buildReshape(builder, op.getLoc(), of(op.getInput()), typeOf(op.getOutput()).getShape());
  }

  Value lower(PadOp op) {
    double border = isFloat(op.getInput()) ? op.getValue().convertToDouble()
                                           : static_cast<double>(static_cast<int64_t>(*op.getXZp()));
    return buildPadded(builder, op.getLoc(), of(op.getInput()), op.getLow(), op.getHigh(),
                       scalar(op.getLoc(), op.getInput(), border));
  }

  Value lower(ConcatOp op) {
    auto type = signless(typeOf(op.getOutput()));
    Value result = buildEmpty(builder, op.getLoc(), type.getShape(), type.getElementType());
    SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0)),
        strides(type.getRank(), builder.getIndexAttr(1));
    int64_t first = 0, axis = static_cast<int64_t>(op.getAxis());
    for (Value input : op.getInputs()) {
      SmallVector<OpFoldResult> sizes;
      for (int64_t size : typeOf(input).getShape())
        sizes.push_back(builder.getIndexAttr(size));
      offsets[axis] = builder.getIndexAttr(first);
      result = tensor::InsertSliceOp::create(builder, op.getLoc(), of(input), result, offsets, sizes, strides);
      first += typeOf(input).getDimSize(axis);
    }
    return result;
  }

  /// A copy whose element `d` of the result is element `source(d)` of the operand.
  Value gather(Operation *op, ArrayRef<AffineExpr> source) {
    auto type = signless(typeOf(op->getResult(0)));
    unsigned rank = type.getRank();
    return buildGeneric(builder, op->getLoc(), of(op->getOperand(0)),
                        buildEmpty(builder, op->getLoc(), type.getShape(), type.getElementType()),
                        {map(rank, source), builder.getMultiDimIdentityMap(rank)}, std::string(rank, 'p'),
                        [](ScalarBuilder &, ValueRange a) { return a[0]; });
  }

  Value lower(TransposeOp op) {
    SmallVector<AffineExpr> source(op.getPermutation().size());
    for (auto [i, p] : llvm::enumerate(op.getPermutation()))
      source[p] = dim(i);
    return gather(op, source);
  }

  Value lower(SliceOp op) {
    SmallVector<AffineExpr> source;
    for (auto [d, offset, step] : llvm::enumerate(op.getOffsets(), op.getSteps()))
      source.push_back(typeOf(op.getOutput()).getDimSize(d) == 1 ? builder.getAffineConstantExpr(offset)
                                                                 : dim(d) * step + offset);
    return gather(op, source);
  }

  func::FuncOp function;
  OpBuilder builder;
  DenseMap<Value, Value> values;           // old value -> lowered value
  DenseMap<Value, RankedTensorType> types; // of arguments, before they became signless
};

struct LowerToLinalg : impl::LowerToLinalgBase<LowerToLinalg> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && failed(LinalgLowering(function).run()))
        return signalPassFailure();
  }
};

} // namespace
} // namespace dyadic
