// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_IR_QNNOPS_TD
#define DYADIC_IR_QNNOPS_TD

include "dyadic/IR/QnnDialect.td"
include "dyadic/IR/QnnInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

def QNN_IsElement : CPred<"::dyadic::qnn::isElementType($_self)">;
def QNN_Element : Type<QNN_IsElement,
    "f32, a !quant.uniform type, or an integer of the integer level (ui8, si8, ui16, si16, si32)">;
def QNN_Tensor : RankedTensorOf<[QNN_Element]>;
def QNN_FloatTensor : RankedTensorOf<[F32]>;
def QNN_IntegerElement : Type<CPred<"::dyadic::qnn::isIntegerElementType($_self)">,
    "an integer of the integer level (ui8, si8, ui16, si16, si32)">;
def QNN_IntegerTensor : RankedTensorOf<[QNN_IntegerElement]>;
def QNN_F32ElementsAttr : FloatElementsAttr<32>;

//===----------------------------------------------------------------------===//
// Bases
//===----------------------------------------------------------------------===//

class QNN_Op<string mnemonic, list<Trait> traits = []> :
    Op<QNN_Dialect, mnemonic, !listconcat(traits, [Pure])> {
  let hasVerifier = 1;
}

class QNN_LayerOp<string mnemonic, list<Trait> traits = []> :
    QNN_Op<mnemonic, !listconcat(traits, [QNN_LayerOpInterface])>;

/// Moves or selects stored values and computes none: operand and result have the
/// same element type at every level, and a value keeps its producer's scale.
def QNN_PassThrough : NativeOpTrait<"PassThrough"> { let cppNamespace = "::dyadic::qnn"; }
class QNN_PassThroughOp<string mnemonic, list<Trait> traits = []> :
    QNN_LayerOp<mnemonic, !listconcat(traits, [QNN_PassThrough])> {
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Linear layers
//===----------------------------------------------------------------------===//

def QNN_ConvOp : QNN_LayerOp<"conv"> {
  let summary = "convolution of any spatial rank, grouped or depthwise";
  let description = [{
    `input` is [N, C, D1, ..., Dr], `weights` [M, C / group, K1, ..., Kr], `bias`
    [M], the result [N, M, O1, ..., Or]. `strides` and `dilations` have one entry a
    spatial dimension (empty: all 1); `pads` has all begins, then all ends, as in
    ONNX (empty: all 0). With `channels_last` the input is [N, D1, ..., Dr, C] and the
    result [N, O1, ..., Or, M]; the weights are the same.

    At the quantized level weights are symmetric with at most one scale an output
    channel, bias is `f32`. At the integer level the result is the `si32`
    accumulator `bias[m] + sum input * weights` over the stored numbers; outside of
    the input the stored number is `x_zp`. The correction for the input's zero
    point, `-x_zp * sum weights`, is part of `bias`.

    Example:

    ```mlir
    %y = qnn.conv %x, %w, %b {id = "conv1", pads = array<i64: 1, 1, 1, 1>}
        : (tensor<1x3x32x32xf32>, tensor<16x3x3x3xf32>, tensor<16xf32>) -> tensor<1x16x32x32xf32>
    %a = qnn.conv %xi, %wi, %bi {id = "conv1", pads = array<i64: 1, 1, 1, 1>, x_zp = 114 : i64}
        : (tensor<1x3x32x32xui8>, tensor<16x3x3x3xsi8>, tensor<16xsi32>) -> tensor<1x16x32x32xsi32>
    ```
  }];
  let arguments = (ins QNN_Tensor:$input, QNN_Tensor:$weights, Optional<QNN_Tensor>:$bias,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$strides, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$pads,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$dilations, DefaultValuedAttr<I64Attr, "1">:$group,
    OptionalAttr<I64Attr>:$x_zp, OptionalAttr<StrAttr>:$id, UnitAttr:$channels_last);
  let results = (outs QNN_Tensor:$output);
  let assemblyFormat = "$input `,` $weights (`,` $bias^)? attr-dict `:` functional-type(operands, results)";
}

def QNN_MatmulOp : QNN_LayerOp<"matmul"> {
  let summary = "matrix product with a constant matrix, and a bias";
  let description = [{
    `input` is [..., K], `weights` [K, N], `bias` [N], the result [..., N]. ONNX's
    Gemm and MatMul become this; a transposed Gemm operand is transposed when the
    model is imported. At the quantized level weights have at most one scale a
    column. At the integer level the result is the `si32` accumulator, with `x_zp`
    and `bias` as in `qnn.conv`.

    Example:

    ```mlir
    %y = qnn.matmul %x, %w, %b {id = "logits"} : (tensor<1x64xf32>, tensor<64x12xf32>, tensor<12xf32>) -> tensor<1x12xf32>
    ```
  }];
  let arguments = (ins QNN_Tensor:$input, QNN_Tensor:$weights, Optional<QNN_Tensor>:$bias,
    OptionalAttr<I64Attr>:$x_zp, OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_Tensor:$output);
  let assemblyFormat = "$input `,` $weights (`,` $bias^)? attr-dict `:` functional-type(operands, results)";
}

def QNN_BatchNormOp : QNN_LayerOp<"batch_norm"> {
  let summary = "batch normalization with constant statistics";
  let description = [{
    `(input - mean) / sqrt(variance + epsilon) * scale + offset` for every channel
    (dimension 1). It exists at the float level only: `quant-fold-constants` folds
    it into the convolution before it, or makes it a depthwise 1x1 convolution.
  }];
  let arguments = (ins QNN_FloatTensor:$input, QNN_FloatTensor:$scale, QNN_FloatTensor:$offset, QNN_FloatTensor:$mean,
    QNN_FloatTensor:$variance, F32Attr:$epsilon, OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_FloatTensor:$output);
  let assemblyFormat = [{
    $input `,` $scale `,` $offset `,` $mean `,` $variance attr-dict `:` functional-type(operands, results)
  }];
}

//===----------------------------------------------------------------------===//
// Element-wise operations
//===----------------------------------------------------------------------===//

def QNN_AddOp : QNN_LayerOp<"add"> {
  let summary = "sum of two values";
  let description = [{
    Operands have the result's rank; a dimension of size 1 repeats. At the integer level

        y = clamp(zero_point + round(((a - a_zp) * a_multiplier + (b - b_zp) * b_multiplier) / 2^exponent))

    in 64-bit arithmetic with one rounding (`half_up` or `half_even`). An operand is
    a value of 2 to 16 bits or the `si32` accumulator of its producer. Multipliers
    and exponents are `i32` tensors whose shapes broadcast to the result's, so that
    they may differ by channel; a difference has a negative `b_multiplier`.
    `quant-prove-accumulators` bounds the sum below 2^63.

    Example:

    ```mlir
    %y = qnn.add %a, %b {id = "sum"} : (tensor<1x16x8x8xf32>, tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32>
    ```
  }];
  let arguments = (ins QNN_Tensor:$lhs, QNN_Tensor:$rhs, OptionalAttr<I64Attr>:$a_zp, OptionalAttr<I64Attr>:$b_zp,
    OptionalAttr<I32ElementsAttr>:$a_multiplier, OptionalAttr<I32ElementsAttr>:$b_multiplier,
    OptionalAttr<I32ElementsAttr>:$exponent, OptionalAttr<I64Attr>:$zero_point, OptionalAttr<DenseI64ArrayAttr>:$clamp,
    OptionalAttr<QNN_RoundingAttr>:$rounding, OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_Tensor:$output);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
}

def QNN_SubOp : QNN_LayerOp<"sub"> {
  let summary = "difference of two values";
  let description = [{
    Shapes as in `qnn.add`, which it becomes at the integer level.

    Example:

    ```mlir
    %y = qnn.sub %a, %b {id = "difference"} : (tensor<1x4x2xf32>, tensor<1x4x1xf32>) -> tensor<1x4x2xf32>
    ```
  }];
  let arguments = (ins QNN_Tensor:$lhs, QNN_Tensor:$rhs, OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_Tensor:$output);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
}

def QNN_MulOp : QNN_LayerOp<"mul"> {
  let summary = "product of two values";
  let description = [{
    Operands have the result's rank; a dimension of size 1 repeats. At the integer level

        y = clamp(zero_point + round((a - a_zp) * (b - b_zp) * multiplier / 2^exponent))

    in 64-bit arithmetic with one rounding (`half_up` or `half_even`), for operands of 2
    to 16 bits. `quant-prove-accumulators` bounds the product below 2^63.

    Example:

    ```mlir
    %y = qnn.mul %x, %gate {id = "scaled"} : (tensor<1x16x8x8xf32>, tensor<1x16x1x1xf32>) -> tensor<1x16x8x8xf32>
    ```
  }];
  let arguments = (ins QNN_Tensor:$lhs, QNN_Tensor:$rhs, OptionalAttr<I64Attr>:$a_zp, OptionalAttr<I64Attr>:$b_zp,
    OptionalAttr<I32Attr>:$multiplier, OptionalAttr<I32Attr>:$exponent, OptionalAttr<I64Attr>:$zero_point,
    OptionalAttr<DenseI64ArrayAttr>:$clamp, OptionalAttr<QNN_RoundingAttr>:$rounding, OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_Tensor:$output);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
}

def QNN_MapOp : QNN_LayerOp<"map", [IsolatedFromAbove, SingleBlock]> {
  let summary = "a real function of every element";
  let description = [{
    The body computes one `f32` from one with operations of `arith` (constant, addf,
    subf, mulf, divf, maximumf, minimumf, negf) and `math` (absf, exp, log, sqrt, tanh,
    erf), and ends with `qnn.yield`. `quant-fuse-elementwise` makes one function of a
    composition such as `x * sigmoid(x)`. At the integer level it is a `qnn.table`.

    Example:

    ```mlir
    %y = qnn.map %x {id = "exp"} : (tensor<1x8xf32>) -> tensor<1x8xf32> {
    ^bb0(%a: f32):
      %e = math.exp %a : f32
      qnn.yield %e : f32
    }
    ```
  }];
  let arguments = (ins QNN_Tensor:$input, OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_Tensor:$output);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results) $body";
}

def QNN_YieldOp : Op<QNN_Dialect, "yield", [Pure, Terminator, HasParent<"MapOp">]> {
  let summary = "the result of a function body";
  let arguments = (ins F32:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

def QNN_TableOp : QNN_LayerOp<"table"> {
  let summary = "a function of every stored number";
  let description = [{
    Exists at the integer level only. With `u = x - low`, limited to the table, and
    `shift` 0

        y = entries[u]

    With `shift` s > 0, between the knots that every 2^s-th number has, in 64 bits

        y = clamp((entries[u >> s] * (2^s - f) + entries[(u >> s) + 1] * f + 2^(s+7)) >> (s + 8)),  f = u mod 2^s

    where the entries have 8 fraction bits. Up to 10 bits a table has one entry a number;
    wider operands have 513 knots.

    Example:

    ```mlir
    %y = qnn.table %x {entries = dense<[0, 1, 4, 9]> : tensor<4xi32>, low = 0 : i64, clamp = array<i64: 0, 9>}
        : (tensor<1x8xui8>) -> tensor<1x8xui8>
    ```
  }];
  let arguments = (ins QNN_IntegerTensor:$input, I32ElementsAttr:$entries, I64Attr:$low,
    DefaultValuedAttr<I64Attr, "0">:$shift, DenseI64ArrayAttr:$clamp, OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_IntegerTensor:$output);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let extraClassDeclaration = [{
    /// The largest `u` that the table has an answer for.
    int64_t lastIndex() {
      int64_t count = getEntries().getNumElements();
      return getShift() ? ((count - 1) << getShift()) - 1 : count - 1;
    }
  }];
}

def QNN_PReluOp : QNN_LayerOp<"prelu"> {
  let summary = "x for positive elements, slope * x for the others";
  let description = [{
    `slope` is constant and broadcasts to the operand (Leaky ReLU: one number); it is gone
    at the integer level, where

        y = clamp(zero_point + round(d * m / 2^e)),  d = x - x_zp

    with `m`, `e` the `multiplier` and `exponent` for d >= 0, and `negative_multiplier`
    (of any sign), `negative_exponent` for d < 0. The operand is a value or the `si32`
    accumulator of its producer; one rounding either way.

    Example:

    ```mlir
    %y = qnn.prelu %x, %slope {id = "leaky"} : (tensor<1x16x8x8xf32>, tensor<f32>) -> tensor<1x16x8x8xf32>
    ```
  }];
  let arguments = (ins QNN_Tensor:$input, Optional<QNN_FloatTensor>:$slope, OptionalAttr<I64Attr>:$x_zp,
    OptionalAttr<I32ElementsAttr>:$multiplier, OptionalAttr<I32ElementsAttr>:$exponent,
    OptionalAttr<I32ElementsAttr>:$negative_multiplier, OptionalAttr<I32ElementsAttr>:$negative_exponent,
    OptionalAttr<I64Attr>:$zero_point, OptionalAttr<DenseI64ArrayAttr>:$clamp, OptionalAttr<QNN_RoundingAttr>:$rounding,
    OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_Tensor:$output);
  let assemblyFormat = "$input (`,` $slope^)? attr-dict `:` functional-type(operands, results)";
}

def QNN_ReluOp : QNN_LayerOp<"relu", [SameOperandsAndResultType]> {
  let summary = "max(x, 0)";
  let description = [{
    It exists down to the calibrated level; the quantize pass turns it into the
    range of its producer's result, or into a requantization of its own.
  }];
  let arguments = (ins QNN_FloatTensor:$input, OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_FloatTensor:$output);
  let assemblyFormat = "$input attr-dict `:` type($input)";
  let hasVerifier = 0;
}

def QNN_ClipOp : QNN_LayerOp<"clip", [SameOperandsAndResultType]> {
  let summary = "min(max(x, min), max)";
  let description = "As `qnn.relu`, with bounds of its own (ReLU6 is min 0, max 6).";
  let arguments = (ins QNN_FloatTensor:$input, F32Attr:$min, F32Attr:$max, OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_FloatTensor:$output);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

def QNN_RequantizeOp : QNN_LayerOp<"requantize"> {
  let summary = "from one scale of integers to another";
  let description = [{
    At the integer level

        y = clamp(zero_point + round((x - x_zp) * multiplier / 2^exponent))

    with the product, the rounded quotient, the zero point and the clamp in 64 bits.
    `multiplier` (0, or in [2^30, 2^31)) and `exponent` ([1, 62]) are `i32` tensors
    whose shapes broadcast to the result's. See docs/Arithmetic.md for the three
    roundings.

    At the quantized level operand and result are `!quant.uniform` tensors and the
    types say everything but `clamp`; there it is a change of scale that no layer
    absorbed, such as a ReLU whose operand has other uses.

    Example:

    ```mlir
    %y = qnn.requantize %a {id = "conv1", multiplier = dense<1518500250> : tensor<i32>,
        exponent = dense<38> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>,
        rounding = #qnn.rounding<half_up>} : (tensor<1x16x8x8xsi32>) -> tensor<1x16x8x8xui8>
    ```
  }];
  let arguments = (ins QNN_Tensor:$input, DefaultValuedAttr<I64Attr, "0">:$x_zp,
    OptionalAttr<I32ElementsAttr>:$multiplier, OptionalAttr<I32ElementsAttr>:$exponent,
    OptionalAttr<I64Attr>:$zero_point, OptionalAttr<DenseI64ArrayAttr>:$clamp, OptionalAttr<QNN_RoundingAttr>:$rounding,
    OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_Tensor:$output);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def QNN_SoftmaxOp : QNN_LayerOp<"softmax"> {
  let summary = "exp(x) over the sum of exp along a dimension";
  let description = [{
    Along dimension `axis`, at most 65536 elements. At the integer level, with
    `d = max(x) - x` in [0, 65535],

        weight = (high[d >> 8] * low[d & 255] + 2^29) >> 30
        y = min(floor(weight * 2^15 / sum(weight) + 1/2), 2^15 - 1)

    in 64 bits, the quotient by restoring division. `high` and `low` hold 256 entries
    each: 2^30 * exp(-S * 256 * k) and 2^30 * exp(-S * k) for the operand's scale S.
    The result is `ui16`, 15 bits, with scale 2^-15. It differs from the softmax of the
    operand's real numbers by at most 2^-16 + n * 2^-28 for n elements, and by 2^-15
    where that is 1.

    Example:

    ```mlir
    %y = qnn.softmax %x {axis = 1 : i64, id = "scores"} : (tensor<1x10xf32>) -> tensor<1x10xf32>
    ```
  }];
  let arguments = (ins QNN_Tensor:$input, I64Attr:$axis, OptionalAttr<I32ElementsAttr>:$high,
    OptionalAttr<I32ElementsAttr>:$low, OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_Tensor:$output);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

def QNN_MaxPoolOp : QNN_PassThroughOp<"max_pool"> {
  let summary = "largest value of each window";
  let description = [{
    `kernel`, `strides`, `pads`, `dilations` and `channels_last` as in `qnn.conv`.
    Positions outside of the input take no part; every window must touch the input.
  }];
  let arguments = (ins QNN_Tensor:$input, DenseI64ArrayAttr:$kernel, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$strides,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$pads, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$dilations,
    OptionalAttr<StrAttr>:$id, UnitAttr:$channels_last);
  let results = (outs QNN_Tensor:$output);
}

def QNN_AvgPoolOp : QNN_LayerOp<"avg_pool"> {
  let summary = "mean of each window";
  let description = [{
    The mean over the positions of the window that lie in the input; every window
    must touch the input. Attributes are those of `qnn.max_pool`. (An average that counts the padding is imported as
    `qnn.pad` and a pool without pads.)

    At the integer level the result is `sum (input - x_zp)` over those positions as
    `si32`; the division is part of the multiplier of the `qnn.requantize` that
    follows, one a distinct number of positions.
  }];
  let arguments = (ins QNN_Tensor:$input, DenseI64ArrayAttr:$kernel, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$strides,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$pads, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$dilations,
    OptionalAttr<I64Attr>:$x_zp, OptionalAttr<StrAttr>:$id, UnitAttr:$channels_last);
  let results = (outs QNN_Tensor:$output);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def QNN_InterpolateOp : QNN_LayerOp<"interpolate"> {
  let summary = "linear interpolation along dimensions";
  let description = [{
    Along dimension `axes[a]`, of size `n` in the operand, position `i` of the result
    lies between two positions of the operand, `l = positions[i]` and
    `min(l + 1, n - 1)`, at `k = fractions[i]` of `2^b` parts of the way,
    `b = fraction_bits[a]`:

        y = x[l] * (2^b - k) / 2^b + x[min(l + 1, n - 1)] * k / 2^b

    `positions` and `fractions` hold the entries of all axes, one axis after the
    other. Of several dimensions the last is interpolated first.

    At the integer level the result is `2^(sum of b) * y` of `input - x_zp`, exactly,
    as `si32`; the power of two is part of the multiplier of the `qnn.requantize` that
    follows. The quantize pass rounds fractions so far that it fits.

    Example, to twice the width with pixels centred:

    ```mlir
    %y = qnn.interpolate %x {axes = array<i64: 3>, positions = array<i64: 0, 0, 0, 1>,
        fractions = array<i64: 0, 1, 3, 1>, fraction_bits = array<i64: 2>, id = "up"}
        : (tensor<1x8x4x2xf32>) -> tensor<1x8x4x4xf32>
    ```
  }];
  let arguments = (ins QNN_Tensor:$input, DenseI64ArrayAttr:$axes, DenseI64ArrayAttr:$positions,
    DenseI64ArrayAttr:$fractions, DenseI64ArrayAttr:$fraction_bits, OptionalAttr<I64Attr>:$x_zp,
    OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_Tensor:$output);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Shape operations
//===----------------------------------------------------------------------===//

def QNN_ReshapeOp : QNN_PassThroughOp<"reshape"> {
  let summary = "the same values in the same order, another shape";
  let description = [{
    Upstream's reshapes cannot carry the layer's `id` and split one ONNX node in
    two; this one becomes them when it is lowered.
  }];
  let arguments = (ins QNN_Tensor:$input, OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_Tensor:$output);
  let hasFolder = 1;
}

def QNN_TransposeOp : QNN_PassThroughOp<"transpose"> {
  let summary = "permutation of the dimensions";
  let description = "Dimension `i` of the result is dimension `permutation[i]` of the operand.";
  let arguments = (ins QNN_Tensor:$input, DenseI64ArrayAttr:$permutation, OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_Tensor:$output);
}

def QNN_SliceOp : QNN_PassThroughOp<"slice"> {
  let summary = "every n-th element of a box";
  let description = [{
    Element `i` of a dimension of the result is element `offsets + i * steps` of the
    operand. Steps may be negative; all elements lie in the operand.
  }];
  let arguments = (ins QNN_Tensor:$input, DenseI64ArrayAttr:$offsets, DenseI64ArrayAttr:$steps, OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_Tensor:$output);
}

def QNN_GatherOp : QNN_PassThroughOp<"gather"> {
  let summary = "selected positions along a dimension";
  let description = [{
    Position `i` of dimension `axis` of the result is position `indices[i]` of the
    operand; positions may repeat and be left out. Nearest-neighbour resizing,
    reflected and repeated borders, and a gather with constant indices become this,
    one operation a dimension.

    Example:

    ```mlir
    %y = qnn.gather %x {axis = 2 : i64, indices = array<i64: 0, 0, 1, 1>, id = "up"}
        : (tensor<1x8x2x4xf32>) -> tensor<1x8x4x4xf32>
    ```
  }];
  let arguments = (ins QNN_Tensor:$input, I64Attr:$axis, DenseI64ArrayAttr:$indices, OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_Tensor:$output);
}

def QNN_PadOp : QNN_PassThroughOp<"pad"> {
  let summary = "a border of one constant value";
  let description = [{
    `low` and `high` elements before and after each dimension. Their real value is
    `value`; at the integer level they are the stored number `x_zp`.
  }];
  let arguments = (ins QNN_Tensor:$input, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high,
    DefaultValuedAttr<F32Attr, "0.0">:$value, OptionalAttr<I64Attr>:$x_zp, OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_Tensor:$output);
}

def QNN_ConcatOp : QNN_LayerOp<"concat"> {
  let summary = "operands one after another along a dimension";
  let description = [{
    Operands and result have one element type: at the quantized level a branch with
    another scale is requantized before.

    Example:

    ```mlir
    %y = qnn.concat %a, %b {axis = 1 : i64, id = "cat"}
        : (tensor<1x8x4x4xf32>, tensor<1x16x4x4xf32>) -> tensor<1x24x4x4xf32>
    ```
  }];
  let arguments = (ins Variadic<QNN_Tensor>:$inputs, I64Attr:$axis, OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_Tensor:$output);
  let assemblyFormat = "$inputs attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Between the levels
//===----------------------------------------------------------------------===//

def QNN_RangeOp : QNN_Op<"range", [SameOperandsAndResultType]> {
  let summary = "the range that calibration found for a value";
  let description = [{
    An identity on `f32` tensors; all later uses of a value go through it. `min` and
    `max` are finite and `min <= max`; whatever consumes them widens the range to
    contain 0. `operand_min` and `operand_max` are the range of a copy of fewer bits, which convolutions and matmuls
    read where the plan says so; without them it has the value's own.

    Example:

    ```mlir
    %r = qnn.range %z {min = 0.0 : f32, max = 5.98 : f32} : tensor<1x16x8x8xf32>
    ```
  }];
  let arguments = (ins QNN_FloatTensor:$input, F32Attr:$min, F32Attr:$max, OptionalAttr<F32Attr>:$operand_min,
                   OptionalAttr<F32Attr>:$operand_max);
  let results = (outs QNN_FloatTensor:$output);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

def QNN_QuantizeOp : QNN_LayerOp<"quantize"> {
  let summary = "entry: real numbers to stored integers";
  let description = [{
    `clamp(rne(x / scale) + zero_point)` with a true `f32` division; NaN gives the
    zero point, infinities saturate. The only place, with `qnn.dequantize`, where an
    integer program touches real numbers.
  }];
  let arguments = (ins QNN_FloatTensor:$input, F32Attr:$scale, I64Attr:$zero_point, DenseI64ArrayAttr:$clamp,
    OptionalAttr<StrAttr>:$id);
  let results = (outs QNN_IntegerTensor:$output);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def QNN_DequantizeOp : QNN_Op<"dequantize"> {
  let summary = "exit: stored integers to real numbers";
  let description = [{
    `f32(x - zero_point) * scale`, not contracted. `scale` is an `f32` tensor whose
    shape broadcasts to the result's.
  }];
  let arguments = (ins QNN_IntegerTensor:$input, QNN_F32ElementsAttr:$scale, DefaultValuedAttr<I64Attr, "0">:$zero_point);
  let results = (outs QNN_FloatTensor:$output);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

include "dyadic/IR/QnnPackedOps.td"
include "dyadic/IR/QnnPackedFloatOps.td"

#endif // DYADIC_IR_QNNOPS_TD
