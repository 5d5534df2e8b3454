// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BufferUses.h"
#include "dyadic/IR/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;

namespace dyadic {

Value bufferOf(Value value) {
  while (auto view = value.getDefiningOp<ViewLikeOpInterface>()) {
    if (isa<memref::ViewOp>(view.getOperation()))
      return value;
    value = view.getViewSource();
  }
  return value;
}

std::optional<StridedLayout> layoutOf(Value value) {
  auto type = cast<MemRefType>(value.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!type.hasStaticShape() || failed(type.getStridesAndOffset(strides, offset)) || ShapedType::isDynamic(offset) ||
      llvm::any_of(strides, ShapedType::isDynamic) || type.getNumElements() == 0)
    return std::nullopt;
  return StridedLayout{offset, std::vector<int64_t>(type.getShape()),
                       std::vector<int64_t>(strides.begin(), strides.end())};
}

Value addressOf(OpBuilder &builder, Location location, Value value) {
  auto type = cast<MemRefType>(value.getType());
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(builder, location, value);
  address = arith::IndexCastOp::create(builder, location, builder.getI64Type(), address);
  if (int64_t bytes = layoutOf(value)->offset * type.getElementTypeBitWidth() / 8; bytes != 0)
    address = arith::AddIOp::create(builder, location, address,
                                    arith::ConstantOp::create(builder, location, builder.getI64IntegerAttr(bytes)));
  return LLVM::IntToPtrOp::create(builder, location, LLVM::LLVMPointerType::get(builder.getContext()), address);
}

SmallVector<OpOperand *> usesOf(Value buffer) {
  SmallVector<OpOperand *> uses;
  SmallVector<Value> values{buffer};
  while (!values.empty())
    for (OpOperand &use : values.pop_back_val().getUses()) {
      if (isa<ViewLikeOpInterface>(use.getOwner()))
        llvm::append_range(values, use.getOwner()->getResults());
      else
        uses.push_back(&use);
    }
  return uses;
}

bool isAlone(ValueRange values, size_t i) {
  for (auto [j, other] : llvm::enumerate(values))
    if (j != i && isa<MemRefType>(other.getType()) && bufferOf(other) == bufferOf(values[i]))
      return false;
  return true;
}

std::optional<std::vector<int64_t>> constantOf(Value buffer) {
  auto global = bufferOf(buffer).getDefiningOp<memref::GetGlobalOp>();
  auto symbol = global ? SymbolTable::lookupNearestSymbolFrom<memref::GlobalOp>(global, global.getNameAttr()) : nullptr;
  if (!symbol || !symbol.getInitialValue())
    return std::nullopt;
  ConstantView view(*symbol.getInitialValue());
  return view ? std::optional(view.ints()) : std::nullopt;
}

} // namespace dyadic
