// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What Support/Dyadic.h and the dialect's descriptions define, as linalg. The loops are
// plain; LLVM vectorises the innermost one.

#include "LinalgLowering.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/Types.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_LOWERTOLINALG
#include "dyadic/Conversion/Passes.h.inc"

LogicalResult LinalgLowering::run() {
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
  // Each result is a buffer of its own, also where one value is returned twice.
  llvm::SmallPtrSet<Value, 8> returned;
  for (OpOperand &result : block.getTerminator()->getOpOperands()) {
    Value value = values.lookup(result.get());
    if (!returned.insert(value).second)
      value = buildElementwise(builder, value.getLoc(), value, cast<RankedTensorType>(value.getType()), nullptr,
                               [](ScalarBuilder &, ValueRange a) { return a[0]; });
    result.set(value);
  }
  for (Operation *op : llvm::reverse(old))
    op->erase();
  function.removeArgAttrsAttr();
  function.removeResAttrsAttr();
  function->removeAttr(kBatchAttr);
  function.setType(builder.getFunctionType(block.getArgumentTypes(), block.getTerminator()->getOperandTypes()));
  return success();
}

RankedTensorType LinalgLowering::typeOf(Value old) {
  auto found = types.find(old);
  return found != types.end() ? found->second : cast<RankedTensorType>(old.getType());
}

AffineMap LinalgLowering::map(unsigned dims, ArrayRef<AffineExpr> results) {
  return AffineMap::get(dims, 0, results, builder.getContext());
}

Value LinalgLowering::scalar(Location location, Value old, double value) {
  ScalarBuilder scalars{builder, location};
  if (isFloat(old))
    return scalars.real(static_cast<float>(value));
  return scalars.integer(static_cast<int64_t>(value), elementOf(old).getIntOrFloatBitWidth());
}

LogicalResult LinalgLowering::lower(Operation *op) {
  if (op->getNumResults() != 1 || !isa<RankedTensorType>(op->getResult(0).getType()) ||
      levelOf(op->getResult(0).getType()) == Level::Quantized)
    return op->emitError() << "'" << op->getName() << "' cannot be lowered, expected the float or integer level";
  // Everything made for a layer knows it by its location, through all of bufferization.
  if (StringAttr id = isPacked(op) ? nullptr : servedId(op)) // packed ones know theirs
    op->setLoc(FusedLoc::get(builder.getContext(), {op->getLoc()}, id));
  Value result = lowerOp(op);
  if (!result)
    return op->emitError() << "'" << op->getName() << "' cannot be lowered";
  values[op->getResult(0)] = result;
  return success();
}

Value LinalgLowering::lowerOp(Operation *op) {
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case<arith::ConstantOp, ConcatOp, ConvOp, MatmulOp, AddOp, SubOp, MulOp, MapOp, TableOp, PReluOp, SoftmaxOp,
            ReluOp, ClipOp, RequantizeOp, MaxPoolOp, AvgPoolOp, InterpolateOp, ReshapeOp, TransposeOp, SliceOp,
            GatherOp, PadOp, QuantizeOp, DequantizeOp, tensor::EmptyOp>([&](auto o) { return lower(o); })
      .Case<RangeOp>([&](RangeOp o) { return of(o.getInput()); })
      .Default([&](Operation *o) { return isPacked(o) ? copySignless(o) : Value(); });
}

Value LinalgLowering::lower(tensor::EmptyOp op) {
  RankedTensorType type = signless(op.getType());
  return buildEmpty(builder, op.getLoc(), type.getShape(), type.getElementType());
}

Value LinalgLowering::copySignless(Operation *op) {
  IRMapping mapping;
  for (Value operand : op->getOperands())
    mapping.map(operand, of(operand));
  Operation *copy = builder.clone(*op, mapping);
  copy->getResult(0).setType(signless(op->getResult(0).getType()));
  return copy->getResult(0);
}

Value LinalgLowering::lower(arith::ConstantOp op) {
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

namespace {
struct LowerToLinalg : impl::LowerToLinalgBase<LowerToLinalg> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && failed(LinalgLowering(function).run()))
        return signalPassFailure();
  }
};

} // namespace
} // namespace dyadic
