// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/IR/FunctionBody.h"

using namespace mlir;

namespace dyadic::qnn {

bool isScalarOperation(Operation *op) {
  return op->getNumResults() == 1 && op->getResult(0).getType().isF32() &&
         isa<arith::ConstantOp, arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::MaximumFOp,
             arith::MinimumFOp, arith::NegFOp, math::AbsFOp, math::SqrtOp, math::ExpOp, math::LogOp, math::TanhOp,
             math::ErfOp>(op);
}

} // namespace dyadic::qnn
