// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Conversion/Passes.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;

namespace dyadic {
#define GEN_PASS_DEF_EXPANDMULTIPLYADDS
#include "dyadic/Conversion/Passes.h.inc"

namespace {
struct ExpandMultiplyAdds : impl::ExpandMultiplyAddsBase<ExpandMultiplyAdds> {
  void runOnOperation() override {
    SmallVector<LLVM::FMAOp> ops;
    getOperation().walk([&](LLVM::FMAOp op) {
      if (getElementTypeOrSelf(op.getType()).isF32())
        ops.push_back(op);
    });
    for (LLVM::FMAOp op : ops) {
      OpBuilder builder(op);
      op.replaceAllUsesWith(expand(builder, op));
      op.erase();
    }
  }

private:
  /// Support/FusedMultiplyAdd.h, for one number or a vector.
  static Value expand(OpBuilder &builder, LLVM::FMAOp op) {
    Location location = op.getLoc();
    auto typeOf = [&](Type element) -> Type {
      auto vector = dyn_cast<VectorType>(op.getType());
      return vector ? Type(vector.clone(element)) : element;
    };
    Type real = typeOf(builder.getF64Type()), bits = typeOf(builder.getI64Type());
    auto wide = [&](Value x) -> Value { return LLVM::FPExtOp::create(builder, location, real, x); };
    auto add = [&](Value x, Value y) -> Value { return LLVM::FAddOp::create(builder, location, x, y); };
    auto subtract = [&](Value x, Value y) -> Value { return LLVM::FSubOp::create(builder, location, x, y); };
    auto asBits = [&](Value x) -> Value { return LLVM::BitcastOp::create(builder, location, bits, x); };
    auto constant = [&](int64_t value) -> Value {
      TypedAttr attribute = builder.getI64IntegerAttr(value);
      if (auto vector = dyn_cast<VectorType>(bits))
        attribute = DenseElementsAttr::get(vector, attribute);
      return LLVM::ConstantOp::create(builder, location, bits, attribute);
    };

    Value x = wide(op.getA()), y = wide(op.getB()), c = wide(op.getC());
    Value product = LLVM::FMulOp::create(builder, location, x, y);
    Value sum = add(product, c), ofC = subtract(sum, product), ofProduct = subtract(sum, ofC);
    Value lostOfProduct = subtract(product, ofProduct), lostOfC = subtract(c, ofC);
    Value error = add(lostOfProduct, lostOfC);
    Value signs = LLVM::XOrOp::create(builder, location, asBits(sum), asBits(error));
    Value isTooLarge = LLVM::LShrOp::create(builder, location, signs, constant(63));
    Value odd = LLVM::SubOp::create(builder, location, asBits(sum), isTooLarge);
    odd = LLVM::OrOp::create(builder, location, odd, constant(1));
    Value zero = LLVM::BitcastOp::create(builder, location, real, constant(0));
    Value isInexact = LLVM::FCmpOp::create(builder, location, LLVM::FCmpPredicate::one, error, zero);
    Value chosen = LLVM::SelectOp::create(builder, location, isInexact, odd, asBits(sum));
    chosen = LLVM::BitcastOp::create(builder, location, real, chosen);
    return LLVM::FPTruncOp::create(builder, location, op.getType(), chosen);
  }
};
} // namespace
} // namespace dyadic
