// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/IR/Layers.h"
#include "dyadic/Transforms/Passes.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {
#define GEN_PASS_DEF_ISOLATELAYERS
#include "dyadic/Transforms/Passes.h.inc"

namespace {
struct IsolateLayers : impl::IsolateLayersBase<IsolateLayers> {
  void runOnOperation() override {
    func::FuncOp function = entryFunction(getOperation());
    if (!function) {
      getOperation().emitError() << "module has no single entry function";
      return signalPassFailure();
    }
    // Before any use changes: what a layer absorbs depends on them.
    llvm::MapVector<StringAttr, Value> values;
    for (Operation *op : layersOf(function))
      if (StringAttr id = cast<LayerOpInterface>(op).getIdAttr())
        values[id] = layerValue(op);

    auto terminator = cast<func::ReturnOp>(function.front().getTerminator());
    terminator->setOperands({});
    if (failed(function.eraseResults(llvm::BitVector(function.getNumResults(), true))))
      return signalPassFailure();
    OpBuilder builder(&getContext());
    for (auto &[id, value] : values) {
      NamedAttribute name = builder.getNamedAttr(kNameAttr, id);
      if (failed(function.insertArgument(function.getNumArguments(), value.getType(), builder.getDictionaryAttr({name}),
                                         value.getLoc())) ||
          failed(function.insertResult(
              function.getNumResults(), value.getType(),
              builder.getDictionaryAttr({name, builder.getNamedAttr(kValueAttr, builder.getUnitAttr())}))))
        return signalPassFailure();
      value.replaceAllUsesWith(function.getArguments().back());
      terminator.getOperandsMutable().append(value);
    }
    function->removeAttr(kBatchAttr); // shapes as they stand
  }
};
} // namespace
} // namespace dyadic
