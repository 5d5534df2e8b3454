// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The body of `qnn.map`: a real function of one number, evaluated over any algebra of
// numbers (f32 as in the program, double for tables, values of a loop body).

#ifndef DYADIC_IR_FUNCTIONBODY_H
#define DYADIC_IR_FUNCTIONBODY_H

#include "dyadic/IR/QnnDialect.h"
#include "llvm/ADT/TypeSwitch.h"

namespace dyadic::qnn {

/// Whether the body of `qnn.map` may hold this operation: on f32, and of those below.
bool isScalarOperation(mlir::Operation *op);

/// The function's result for `x`. `A` has the operations of Support/ScalarFunctions.h and
/// exp, log, sqrt, tanh, erf.
template <class A, class Real> Real evaluate(MapOp op, A &a, Real x) {
  mlir::Block &block = op.getBody().front();
  llvm::DenseMap<mlir::Value, Real> known;
  known.try_emplace(block.getArgument(0), x);
  auto of = [&](mlir::Operation *o, unsigned i) -> Real { return known.find(o->getOperand(i))->second; };
  for (mlir::Operation &o : block.without_terminator()) {
    using namespace mlir;
    Operation *op = &o;
    Real result = llvm::TypeSwitch<Operation *, Real>(op)
                      .Case([&](arith::ConstantOp c) {
                        return a.constant(cast<FloatAttr>(c.getValue()).getValue().convertToFloat());
                      })
                      .Case([&](arith::AddFOp) { return a.add(of(op, 0), of(op, 1)); })
                      .Case([&](arith::SubFOp) { return a.subtract(of(op, 0), of(op, 1)); })
                      .Case([&](arith::MulFOp) { return a.multiply(of(op, 0), of(op, 1)); })
                      .Case([&](arith::DivFOp) { return a.divide(of(op, 0), of(op, 1)); })
                      .Case([&](arith::MaximumFOp) { return a.maximum(of(op, 0), of(op, 1)); })
                      .Case([&](arith::MinimumFOp) { return a.minimum(of(op, 0), of(op, 1)); })
                      .Case([&](arith::NegFOp) { return a.subtract(a.constant(0.0), of(op, 0)); })
                      .Case([&](math::AbsFOp) { return a.absolute(of(op, 0)); })
                      .Case([&](math::SqrtOp) { return a.sqrt(of(op, 0)); })
                      .Case([&](math::ExpOp) { return a.exp(of(op, 0)); })
                      .Case([&](math::LogOp) { return a.log(of(op, 0)); })
                      .Case([&](math::TanhOp) { return a.tanh(of(op, 0)); })
                      .Case([&](math::ErfOp) { return a.erf(of(op, 0)); });
    known.try_emplace(op->getResult(0), result);
  }
  return known.find(block.back().getOperand(0))->second;
}

} // namespace dyadic::qnn

#endif // DYADIC_IR_FUNCTIONBODY_H
