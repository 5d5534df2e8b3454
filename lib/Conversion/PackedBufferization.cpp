// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Conversion/Passes.h"
#include "dyadic/IR/QnnDialect.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

namespace {
/// The destination is overwritten, everything else is read.
template <typename Op>
struct PackedModel : bufferization::DstBufferizableOpInterfaceExternalModel<PackedModel<Op>, Op> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const bufferization::AnalysisState &) const {
    return !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const bufferization::BufferizationOptions &options,
                          bufferization::BufferizationState &state) const {
    SmallVector<Value> buffers;
    for (Value operand : op->getOperands()) {
      FailureOr<Value> buffer = bufferization::getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    // Kernels read lines by address: a part of a larger buffer is copied.
    if (auto type = cast<MemRefType>(buffers.front().getType()); !type.getLayout().isIdentity()) {
      auto whole = MemRefType::get(type.getShape(), type.getElementType());
      Value copy = memref::AllocOp::create(rewriter, op->getLoc(), whole);
      memref::CopyOp::create(rewriter, op->getLoc(), buffers.front(), copy);
      buffers.front() = copy;
    }
    OperationState made(op->getLoc(), op->getName(), buffers, TypeRange(), op->getAttrs());
    rewriter.create(made);
    bufferization::replaceOpWithBufferizedValues(rewriter, op, buffers.back());
    return success();
  }
};
} // namespace

void registerPackedBufferization(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, QNNDialect *) {
    PackedConvOp::attachInterface<PackedModel<PackedConvOp>>(*context);
    PackedDepthwiseOp::attachInterface<PackedModel<PackedDepthwiseOp>>(*context);
    PackedWinogradOp::attachInterface<PackedModel<PackedWinogradOp>>(*context);
    PackedFloatConvOp::attachInterface<PackedModel<PackedFloatConvOp>>(*context);
    PackedFloatDepthwiseOp::attachInterface<PackedModel<PackedFloatDepthwiseOp>>(*context);
    WinogradInputOp::attachInterface<PackedModel<WinogradInputOp>>(*context);
  });
}

} // namespace dyadic
