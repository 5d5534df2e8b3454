// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   conv(x, w, b) -> batch_norm          =>  conv(x, w * f, (b - mean) * f + offset)
//   batch_norm(x)                        =>  depthwise 1x1 conv(x, f, offset - mean * f)
//
// with f = scale / sqrt(variance + epsilon) for each channel.

#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
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
  void runOnOperation() override {
    WalkResult result = getOperation().walk([](BatchNormOp op) { return WalkResult(fold(op)); });
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

  static LogicalResult fold(BatchNormOp op) {
    FailureOr<Affine> affine = read(op);
    if (failed(affine))
      return failure();
    Operation *producer = op.getInput().getDefiningOp();
    bool foldable = producer && op.getInput().hasOneUse() && isa<ConvOp, MatmulOp>(producer) &&
                    // The channels of the normalization are dimension 1: the columns of a matrix only at rank 2.
                    (isa<ConvOp>(producer) || cast<RankedTensorType>(op.getInput().getType()).getRank() == 2) &&
                    ConstantView(producer->getOperand(1)) &&
                    (producer->getNumOperands() == 2 || ConstantView(producer->getOperand(2)));
    Value result = foldable ? foldInto(producer, *affine) : makeDepthwise(op, *affine);
    op.getOutput().replaceAllUsesWith(result);
    op.erase();
    return success();
  }

  static Value foldInto(Operation *producer, const Affine &affine) {
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
    Value w = makeConstant(builder, producer->getLoc(),
                           makeFloats(cast<RankedTensorType>(producer->getOperand(1).getType()), values));
    Value b =
        makeConstant(builder, producer->getLoc(),
                     makeFloats(RankedTensorType::get({static_cast<int64_t>(channels)}, builder.getF32Type()), bias));
    SmallVector<Value> operands{producer->getOperand(0), w, b};
    producer->setOperands(operands);
    return producer->getResult(0);
  }

  static Value makeDepthwise(BatchNormOp op, const Affine &affine) {
    OpBuilder builder(op);
    auto type = cast<RankedTensorType>(op.getInput().getType());
    int64_t channels = type.getDimSize(1);
    SmallVector<int64_t> shape(std::max<int64_t>(type.getRank(), 3), 1);
    shape[0] = channels;
    std::vector<float> weights(affine.factor.begin(), affine.factor.end()),
        bias(affine.offset.begin(), affine.offset.end());
    Value w =
        makeConstant(builder, op.getLoc(), makeFloats(RankedTensorType::get(shape, builder.getF32Type()), weights));
    Value b =
        makeConstant(builder, op.getLoc(), makeFloats(RankedTensorType::get({channels}, builder.getF32Type()), bias));
    auto none = builder.getDenseI64ArrayAttr({});
    Value input = op.getInput();
    if (type.getRank() > 2)
      return ConvOp::create(builder, op.getLoc(), type, input, w, b, none, none, none, channels, IntegerAttr(),
                            op.getIdAttr());
    // A matrix [N, C] is convolved as [N, C, 1].
    auto expanded = RankedTensorType::get({type.getDimSize(0), channels, 1}, type.getElementType());
    input = ReshapeOp::create(builder, op.getLoc(), expanded, input, StringAttr());
    input = ConvOp::create(builder, op.getLoc(), expanded, input, w, b, none, none, none, channels, IntegerAttr(),
                           op.getIdAttr());
    return ReshapeOp::create(builder, op.getLoc(), type, input, StringAttr());
  }
};

} // namespace
} // namespace dyadic
