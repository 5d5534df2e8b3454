// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   conv(x, w, b) -> batch_norm          =>  conv(x, w * f, (b - mean) * f + offset)
//   conv -> moves -> batch_norm          =>  the same, if channels stay together
//   batch_norm(x)                        =>  depthwise 1x1 conv(x, f, offset - mean * f)
//
// with f = scale / sqrt(variance + epsilon) for each channel.

#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/Moments.h"
#include "dyadic/Transforms/Passes.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_FOLDCONSTANTS
#include "dyadic/Transforms/Passes.h.inc"

namespace {

/// y = x * factor + offset for each channel.
struct Affine {
  std::vector<double> factor, offset;
};

struct FoldConstants : impl::FoldConstantsBase<FoldConstants> {
  using FoldConstantsBase::FoldConstantsBase;

  void runOnOperation() override {
    WalkResult result = getOperation().walk([&](BatchNormOp op) { return WalkResult(fold(op)); });
    if (result.wasInterrupted())
      return signalPassFailure();
    // The weights and parameters that were folded.
    for (auto function : getOperation().getOps<func::FuncOp>())
      eraseDead(function);
  }

private:
  static FailureOr<Affine> read(BatchNormOp op) {
    ConstantView scale(op.getScale()), offset(op.getOffset()), mean(op.getMean()), variance(op.getVariance());
    if (!scale || !offset || !mean || !variance)
      return op.emitOpError() << "parameters are not constant, expected constants";
    Affine affine;
    double epsilon = op.getEpsilon().convertToFloat();
    for (int64_t c = 0; c < scale.size(); ++c) {
      double spread = static_cast<double>(variance.floatAt(c)) + epsilon;
      if (!(spread > 0))
        return op.emitOpError() << "variance plus epsilon of channel " << c << " is " << spread
                                << ", expected a positive number";
      double factor = scale.floatAt(c) / std::sqrt(spread);
      affine.factor.push_back(factor);
      affine.offset.push_back(offset.floatAt(c) - mean.floatAt(c) * factor);
    }
    return affine;
  }

  /// How many channels of the operand of a move become one of its result; 0 where they do
  /// not stay together. Channels are dimension 1 on both sides.
  static int64_t channelsMerged(Operation *op) {
    auto input = cast<RankedTensorType>(op->getOperand(0).getType()),
         output = cast<RankedTensorType>(op->getResult(0).getType());
    if (input.getRank() < 2 || output.getRank() < 2)
      return 0;
    int64_t from = input.getDimSize(1), to = output.getDimSize(1);
    if (isa<ReshapeOp>(op))
      return input.getDimSize(0) == output.getDimSize(0) && from % to == 0 ? from / to : 0;
    if (auto transpose = dyn_cast<TransposeOp>(op))
      return transpose.getPermutation()[0] == 0 && transpose.getPermutation()[1] == 1;
    if (auto slice = dyn_cast<SliceOp>(op))
      return from == to && slice.getSteps()[1] == 1;
    if (auto gather = dyn_cast<GatherOp>(op))
      return gather.getAxis() != 1;
    return 0;
  }

  /// The convolution or matmul with constant weights that `op` normalizes, through moves;
  /// `repeat` of its channels become one of the normalized value.
  static Operation *layerBehind(BatchNormOp op, int64_t &repeat) {
    Value value = op.getInput();
    Operation *producer = value.getDefiningOp();
    for (; producer && value.hasOneUse() && isMove(producer); producer = value.getDefiningOp()) {
      repeat *= channelsMerged(producer);
      value = producer->getOperand(0);
    }
    bool foldable = producer && repeat > 0 && value.hasOneUse() && isa<ConvOp, MatmulOp>(producer) &&
                    // Channels are dimension 1: the columns of a matrix only at rank 2.
                    (isa<ConvOp>(producer) ? !cast<ConvOp>(producer).getChannelsLast()
                                           : cast<RankedTensorType>(value.getType()).getRank() == 2) &&
                    ConstantView(producer->getOperand(1)) &&
                    (producer->getNumOperands() == 2 || ConstantView(producer->getOperand(2)));
    return foldable ? producer : nullptr;
  }

  static Affine repeated(const Affine &affine, int64_t repeat) {
    Affine result;
    for (size_t c = 0; c < affine.factor.size(); ++c) {
      result.factor.insert(result.factor.end(), repeat, affine.factor[c]);
      result.offset.insert(result.offset.end(), repeat, affine.offset[c]);
    }
    return result;
  }

  /// True for what normalizes nothing: a sum or a product with constants.
  static bool isAffineAlone(BatchNormOp op) {
    auto isAll = [](Value parameter, float number) {
      return llvm::all_of(ConstantView(parameter).floats(), [=](float x) { return x == number; });
    };
    return op.getEpsilon().isZero() && isAll(op.getMean(), 0) && isAll(op.getVariance(), 1);
  }

  /// The moments of the value of `op`, `repeat` times each, where those of its operand are `before`.
  static ValueMoments momentsOf(BatchNormOp op, const ValueMoments &before, const Affine &affine, int64_t repeat) {
    ValueMoments after;
    if (isAffineAlone(op)) {
      for (size_t i = 0; i < before.means.size(); ++i) {
        after.means.push_back(before.means[i] * affine.factor[i] + affine.offset[i]);
        after.deviations.push_back(before.deviations[i] * std::abs(affine.factor[i]));
      }
      return after;
    }
    ConstantView scale(op.getScale()), offset(op.getOffset());
    for (int64_t c = 0; c < scale.size(); ++c) {
      after.means.insert(after.means.end(), repeat, offset.floatAt(c));
      after.deviations.insert(after.deviations.end(), repeat, std::abs(scale.floatAt(c)));
    }
    return after;
  }

  LogicalResult fold(BatchNormOp op) {
    FailureOr<Affine> affine = read(op);
    if (failed(affine))
      return failure();
    int64_t repeat = 1;
    Operation *producer = layerBehind(op, repeat);
    *affine = repeated(*affine, producer ? repeat : 1);
    ValueMoments moments =
        momentsOf(op, producer ? readMoments(producer) : ValueMoments(), *affine, producer ? repeat : 1);
    Value result = producer ? foldInto(op, producer, *affine) : makeDepthwise(op, *affine, producer);
    if (!result)
      return failure();
    if (keepMoments)
      writeMoments(producer, moments);
    op.getOutput().replaceAllUsesWith(result);
    op.erase();
    return success();
  }

  /// Numbers that are finite as the model has them may leave float32 when they are multiplied.
  static LogicalResult expectFinite(BatchNormOp op, ArrayRef<float> weights, ArrayRef<float> bias) {
    auto isFinite = [](float number) { return std::isfinite(number); };
    if (llvm::all_of(weights, isFinite) && llvm::all_of(bias, isFinite))
      return success();
    return op.emitOpError() << "scales weights or bias beyond float32, expected finite numbers";
  }

  /// The value that is normalized once its producer does it; null after an error.
  static Value foldInto(BatchNormOp op, Operation *producer, const Affine &affine) {
    OpBuilder builder(producer);
    ConstantView weights(producer->getOperand(1));
    size_t channels = affine.factor.size();
    // The channel is the slowest dimension of a filter, the fastest of a matrix.
    int64_t inner = isa<ConvOp>(producer) ? weights.size() / static_cast<int64_t>(channels) : 1;
    std::vector<float> values = weights.floats();
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(values[i] * affine.factor[(i / inner) % channels]);
    std::vector<float> bias(channels);
    for (size_t c = 0; c < channels; ++c)
      bias[c] = static_cast<float>(
          (producer->getNumOperands() == 3 ? ConstantView(producer->getOperand(2)).floatAt(c) : 0.0) *
              affine.factor[c] +
          affine.offset[c]);
    if (failed(expectFinite(op, values, bias)))
      return nullptr;
    Value w = makeConstant(builder, producer->getLoc(),
                           makeFloats(cast<RankedTensorType>(producer->getOperand(1).getType()), values));
    Value b =
        makeConstant(builder, producer->getLoc(),
                     makeFloats(RankedTensorType::get({static_cast<int64_t>(channels)}, builder.getF32Type()), bias));
    SmallVector<Value> operands{producer->getOperand(0), w, b};
    producer->setOperands(operands);
    return op.getInput();
  }

  /// The normalized value, which `layer` computes; null after an error.
  static Value makeDepthwise(BatchNormOp op, const Affine &affine, Operation *&layer) {
    OpBuilder builder(op);
    auto type = cast<RankedTensorType>(op.getInput().getType());
    int64_t channels = type.getDimSize(1);
    SmallVector<int64_t> shape(std::max<int64_t>(type.getRank(), 3), 1);
    shape[0] = channels;
    std::vector<float> weights(affine.factor.begin(), affine.factor.end()),
        bias(affine.offset.begin(), affine.offset.end());
    if (failed(expectFinite(op, weights, bias)))
      return nullptr;
    Value w =
        makeConstant(builder, op.getLoc(), makeFloats(RankedTensorType::get(shape, builder.getF32Type()), weights));
    Value b =
        makeConstant(builder, op.getLoc(), makeFloats(RankedTensorType::get({channels}, builder.getF32Type()), bias));
    auto none = builder.getDenseI64ArrayAttr({});
    auto convolve = [&](Value input) -> Value {
      auto conv = ConvOp::create(builder, op.getLoc(), input.getType(), input, w, b, none, none, none, channels,
                                 IntegerAttr(), op.getIdAttr());
      layer = conv;
      return conv;
    };
    if (type.getRank() > 2)
      return convolve(op.getInput());
    // A matrix [N, C] is convolved as [N, C, 1].
    auto expanded = RankedTensorType::get({type.getDimSize(0), channels, 1}, type.getElementType());
    Value input = ReshapeOp::create(builder, op.getLoc(), expanded, op.getInput(), StringAttr());
    return ReshapeOp::create(builder, op.getLoc(), type, convolve(input), StringAttr());
  }
};

} // namespace
} // namespace dyadic
