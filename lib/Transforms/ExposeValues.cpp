// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/IR/Layers.h"
#include "dyadic/IR/Types.h"
#include "dyadic/Transforms/Passes.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_EXPOSEVALUES
#include "dyadic/Transforms/Passes.h.inc"

namespace {
struct ExposeValues : impl::ExposeValuesBase<ExposeValues> {
  void runOnOperation() override {
    func::FuncOp function = entryFunction(getOperation());
    if (!function) {
      getOperation().emitError() << "module has no single entry function";
      return signalPassFailure();
    }
    // Later operations replace earlier ones of the same id.
    llvm::MapVector<StringAttr, Value> values;
    for (Operation &op : function.front()) {
      if (auto qcast = dyn_cast<quant::QuantizeCastOp>(op)) {
        if (StringAttr id = storedId(qcast))
          values[id] = qcast.getResult();
      } else if (isa<LayerOpInterface>(op) && !isAbsorbed(&op)) {
        if (StringAttr id = cast<LayerOpInterface>(op).getIdAttr())
          values[id] = layerValue(&op);
      }
    }

    auto terminator = cast<func::ReturnOp>(function.front().getTerminator());
    OpBuilder builder(&getContext());
    for (auto &[id, value] : values) {
      auto attributes = builder.getDictionaryAttr(
          {builder.getNamedAttr(kNameAttr, id), builder.getNamedAttr(kValueAttr, builder.getUnitAttr())});
      if (failed(function.insertResult(function.getNumResults(), value.getType(), attributes)))
        return signalPassFailure();
      terminator.getOperandsMutable().append(value);
    }
  }
};
} // namespace
} // namespace dyadic
