// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_IR_QNNINTERFACES_TD
#define DYADIC_IR_QNNINTERFACES_TD

include "mlir/IR/OpBase.td"

def QNN_LayerOpInterface : OpInterface<"LayerOpInterface"> {
  let cppNamespace = "::dyadic::qnn";
  let description = [{
    An operation that stands for a layer of the imported model. Its `id` is the
    ONNX name of the first output of the node it came from, and is what plans,
    calibration tables and reports key on. Operations that the compiler adds on
    its own have none.
  }];
  let methods = [
    InterfaceMethod<"The identity of the layer, or null.", "::mlir::StringAttr", "getIdAttr">,
    InterfaceMethod<"Sets or, with null, removes the identity.", "void", "setIdAttr", (ins "::mlir::StringAttr":$id)>,
  ];
}

#endif // DYADIC_IR_QNNINTERFACES_TD
