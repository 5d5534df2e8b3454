// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_IR_QNNDIALECT_TD
#define DYADIC_IR_QNNDIALECT_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/EnumAttr.td"

def QNN_Dialect : Dialect {
  let name = "qnn";
  let cppNamespace = "::dyadic::qnn";
  let summary = "Neural network operations whose meaning quantization changes";
  let description = [{
    One set of operations at every level of the compiler; the element types say
    which level an operation is at:

    | level | element types |
    |---|---|
    | float | `f32` |
    | calibrated | `f32`, with `qnn.range` on every value |
    | quantized | `!quant.uniform<...>` |
    | integer | `ui8`, `si8`, `ui16` (up to 15 bits), `si16`, `si32` |

    A narrower value is a range of stored numbers on the next wider byte type.
    At the integer level the real number behind a stored one is
    `scale * (stored - zero_point)`; scales are gone from the operations and only
    the ratios that matter remain, as dyadic numbers `m / 2^e`.

    Operands and results have static shapes. Layout is ONNX's: batch, channels,
    spatial dimensions.

    ## The identity of a layer

    `id` is the ONNX name of the first output of the node that an operation came
    from. A layer that absorbed its successors (a convolution and its ReLU) keeps
    the `id` of its root. At the integer level a layer may be two operations, an
    accumulating one and its `qnn.requantize`: both carry the `id`, and the value
    of the layer is the result of the last operation that carries it.

    ## Attributes of functions

    The arguments and results of the entry function carry `qnn.name` (the ONNX
    name), and, at the integer level where they hold quantized integers,
    `qnn.type`, a `!quant.uniform` type with their scale and zero point.
    `qnn.batch` on the function says that the first dimension of every argument
    and result, 1 in the types, stands for any batch size. `qnn.value` marks results
    that are values of layers, added for inspection.
  }];
  let dependentDialects = ["::mlir::quant::QuantDialect", "::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  let hasConstantMaterializer = 0;
}

def QNN_Rounding : I32EnumAttr<"Rounding", "how an exact quotient becomes an integer", [
    I32EnumAttrCase<"HalfUp", 0, "half_up">,
    I32EnumAttrCase<"HalfEven", 1, "half_even">,
    I32EnumAttrCase<"Double", 2, "double">]> {
  let genSpecializedAttr = 0;
  let cppNamespace = "::dyadic::qnn";
}

def QNN_RoundingAttr : EnumAttr<QNN_Dialect, QNN_Rounding, "rounding"> {
  let assemblyFormat = "`<` $value `>`";
}

#endif // DYADIC_IR_QNNDIALECT_TD
