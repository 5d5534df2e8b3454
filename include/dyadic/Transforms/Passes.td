// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_TRANSFORMS_PASSES_TD
#define DYADIC_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def FoldConstants : Pass<"quant-fold-constants", "::mlir::ModuleOp"> {
  let summary = "fold batch normalization into the layer before it";
  let description = [{
    `qnn.batch_norm` after a convolution or a matmul with no other use becomes part
    of its weights and bias (computed in `double`, rounded once to `f32`); the layer
    keeps its `id`. Between them may stand reshapes, transposes, slices and gathers
    that keep channels together, as after a transposed convolution. Any other batch normalization becomes a depthwise 1x1
    convolution. Afterwards the module has no `qnn.batch_norm`.

    ```mlir
    // before
    %y = qnn.conv %x, %w {id = "conv"} : ...
    %z = qnn.batch_norm %y, %scale, %offset, %mean, %variance {epsilon = 1.0e-5 : f32, id = "bn"} : ...
    // after
    %z = qnn.conv %x, %w2, %b2 {id = "conv"} : ...
    ```

    With `keep-moments` a layer that took in a batch normalization gets the attribute `qnn.moments`: the mean of
    each channel of its value on the training data (the offset), then each one's standard deviation (the scale's
    size). `quant-derive-ranges` reads it. What was imported as a batch normalization but is only a sum or product
    with constants has no statistics; it changes those that are there.
  }];
  let options = [
    Option<"keepMoments", "keep-moments", "bool", "false", "keep what batch normalizations say of their values">,
  ];
  let dependentDialects = ["::dyadic::qnn::QNNDialect", "::mlir::arith::ArithDialect"];
}

def DeriveRanges : Pass<"quant-derive-ranges", "::mlir::ModuleOp"> {
  let summary = "ranges from batch normalizations instead of data";
  let description = [{
    Float level to calibrated level, as by `quant-apply-ranges`, with ranges that no data are needed for
    (ZeroQ, Cai et al., 2020; Nagel et al., 2019): a channel whose layer took in a batch normalization reaches from
    `offset - n |scale|` to `offset + n |scale|`, which `quant-fold-constants{keep-moments}` left in `qnn.moments`. From
    there every other value's channels follow: bounds of activations are intersected, functions map what reaches them,
    and sums (of values, or of a layer that no batch normalization follows) add means and the squares of what reaches beyond
    them, within what interval arithmetic allows. The range of a value is that of all its channels together. Inputs
    take theirs from `inputs`; one without is an error, and so is a module without `qnn.moments`.

    ```mlir
    // before, with inputs=x=-1:1 sigmas=4
    %y = qnn.conv %x, %w, %b {id = "conv", qnn.moments = array<f64: 0.5, 2.0>} : (...) -> tensor<1x1x8x8xf32>
    // after
    %y = qnn.conv %xr, %w, %b {id = "conv"} : ...
    %r = qnn.range %y {min = -7.5 : f32, max = 8.5 : f32} : ...
    ```
  }];
  let options = [
    Option<"sigmas", "sigmas", "double", "8", "standard deviations on either side of the mean">,
    ListOption<"inputs", "inputs", "std::string", "ranges of inputs as NAME=MIN:MAX">,
  ];
  let dependentDialects = ["::dyadic::qnn::QNNDialect"];
}

def FuseElementwise : Pass<"quant-fuse-elementwise", "::mlir::ModuleOp"> {
  let summary = "make one function of a composition of element-wise operations";
  let description = [{
    Element-wise operations (`qnn.map`, ReLU, Clip, sums, differences and products of
    values or numbers) that compute one value from one other, with no use of what lies
    between, become one `qnn.map` with the last one's `id`. Quantized, it is one table
    and rounded once.

    ```mlir
    // before
    %s = qnn.map %x {id = "s"} : ... { sigmoid }
    %y = qnn.mul %x, %s {id = "y"} : ...
    // after
    %y = qnn.map %x {id = "y"} : ... { x * sigmoid(x) }
    ```
  }];
  let dependentDialects = ["::dyadic::qnn::QNNDialect", "::mlir::arith::ArithDialect"];
}

def HoistActivations : Pass<"quant-hoist-activations", "::mlir::ModuleOp"> {
  let summary = "move a ReLU or Clip up to the layer that can absorb it";
  let description = [{
    Where only reshapes, transposes, slices, gathers and max pools, each with one
    use, stand between a layer and an activation, the activation goes before them.
    The numbers are the same; the layer's range then is the activation's.

    ```mlir
    // before
    %y = qnn.conv %x, %w {id = "conv"} : ...
    %m = qnn.max_pool %y {id = "pool"} : ...
    %z = qnn.relu %m {id = "relu"} : ...
    // after
    %y = qnn.conv %x, %w {id = "conv"} : ...
    %m = qnn.relu %y {id = "relu"} : ...
    %z = qnn.max_pool %m {id = "pool"} : ...
    ```
  }];
  let dependentDialects = ["::dyadic::qnn::QNNDialect"];
}

def ApplyRanges : Pass<"quant-apply-ranges", "::mlir::ModuleOp"> {
  let summary = "put a qnn.range on every value of the float program";
  let description = [{
    Float level to calibrated level. Every input and every layer's value (after the
    activations that the layer absorbs) gets the range that `ranges` names for it; a
    value without one is an error.

    ```mlir
    // before, with ranges=conv=0:5.5
    %y = qnn.conv %x, %w {id = "conv"} : ...
    %z = qnn.relu %y {id = "relu"} : ...
    // after
    %y = qnn.conv %x, %w {id = "conv"} : ...
    %z = qnn.relu %y {id = "relu"} : ...
    %r = qnn.range %z {min = 0.0 : f32, max = 5.5 : f32} : ...
    ```
  }];
  let options = [
    ListOption<"ranges", "ranges", "std::string", "ranges as ID=MIN:MAX">,
  ];
  let dependentDialects = ["::dyadic::qnn::QNNDialect"];
}

def QuantizeGraph : Pass<"quant-quantize-graph", "::mlir::ModuleOp"> {
  let summary = "give every value and weight its quantized type";
  let description = [{
    Calibrated level to quantized level, following a plan (widths, signs, float
    layers, operands of additions); what the plan does not name takes `weights` and
    `activations`, or more bits where these cost next to nothing (docs/Arithmetic.md, section 7). ReLU and Clip become the range of the value that they produce.
    Operations that move values keep their producer's type. A residual addition
    reads its later operand as an accumulator where that is legal, and a float output
    comes from the accumulator of the layer that made it. Where convolutions and matmuls read a value with fewer bits
    than it is stored with, as a residual stream with `activations=4`, they read a `qnn.requantize` of it.

    ```mlir
    // before
    %y = qnn.conv %x, %w {id = "conv"} : (tensor<1x3x8x8xf32>, ...) -> tensor<1x16x8x8xf32>
    %z = qnn.relu %y {id = "relu"} : tensor<1x16x8x8xf32>
    %r = qnn.range %z {min = 0.0 : f32, max = 5.1 : f32} : tensor<1x16x8x8xf32>
    // after
    %r = qnn.conv %xq, %wq {id = "conv"} : (tensor<1x3x8x8x!quant.uniform<u8:f32, ...>>, ...)
        -> tensor<1x16x8x8x!quant.uniform<u8:f32, 0.02>>
    ```
  }];
  let options = [
    Option<"plan", "plan", "std::string", "\"\"", "file of the plan">,
    Option<"weights", "weights", "unsigned", "8", "bits of weights that the plan does not name, 2 to 8">,
    Option<"activations", "activations", "unsigned", "8", "bits of values that the plan does not name, 2 to 16">,
    Option<"uniform", "uniform", "bool", "false",
           "`activations` bits also for tails and operands of tables and sums, where more cost next to nothing">,
    Option<"integerIo", "integer-io", "bool", "false", "inputs and outputs are quantized integers">,
  ];
  let dependentDialects = ["::dyadic::qnn::QNNDialect", "::mlir::quant::QuantDialect", "::mlir::arith::ArithDialect"];
}

def ShortenMultipliers : Pass<"quant-shorten-multipliers", "::mlir::ModuleOp"> {
  let summary = "scales of weights whose multipliers have few bits";
  let description = [{
    At the quantized level, before `quant-rewrite-dyadic`. The sums of a convolution or matmul with inputs of up to 8 bits are multiplied by
    `M = Sx * Sw / Sy`. The scale `Sw` of every channel's weights moves to the nearest one that gives an `M` of at most 12
    bits, so few that `A * m + 2^(e-1)` fits 32 bits for every sum `A` of the channel (exact bounds), with the product of what is added where an
    addition reads the sums. `M` keeps more bits than the output has, so that no output moves by more than half a step. A layer with a channel
    where that cannot be stays as it is. Numbers of weights do not change, biases follow their scale.

    ```mlir
    // before: M = 0.2 * 0.01 / 0.03
    !w = !quant.uniform<i8<-127:127>:f32:0, {0.01, ...}>
    // after: M = 2185 / 2^15
    !w = !quant.uniform<i8<-127:127>:f32:0, {0.010002136, ...}>
    ```
  }];
  let dependentDialects = ["::dyadic::qnn::QNNDialect", "::mlir::quant::QuantDialect", "::mlir::arith::ArithDialect"];
}

def RewriteDyadic : Pass<"quant-rewrite-dyadic", "::mlir::ModuleOp"> {
  let summary = "integer multiply, add and shift instead of scales";
  let description = [{
    Quantized level to integer level. Convolutions, matmuls and average pools return
    their `si32` accumulator, biases take the zero-point correction in, and changes of
    scale become `qnn.requantize` with `M = Sx * Sw / Sy` as a dyadic number
    (Yao et al., HAWQ-V3, 2021, section 3.1; here with 31 bits and one rounding).

    ```mlir
    // before
    %r = qnn.conv %xq, %wq, %b {id = "conv"} : (tensor<1x3x8x8x!u8>, tensor<16x3x3x3x!w8>, tensor<16xf32>) -> tensor<1x16x6x6x!u8>
    // after
    %a = qnn.conv %xi, %wi, %bi {id = "conv", x_zp = 114 : i64} : (tensor<1x3x8x8xui8>, tensor<16x3x3x3xsi8>, tensor<16xsi32>) -> tensor<1x16x6x6xsi32>
    %r = qnn.requantize %a {id = "conv", ...} : (tensor<1x16x6x6xsi32>) -> tensor<1x16x6x6xui8>
    ```
  }];
  let options = [
    Option<"rounding", "rounding", "::dyadic::qnn::Rounding", "::dyadic::qnn::Rounding::HalfUp", "how quotients are rounded",
      [{::llvm::cl::values(clEnumValN(::dyadic::qnn::Rounding::HalfUp, "half_up", "ties towards plus infinity"),
                           clEnumValN(::dyadic::qnn::Rounding::HalfEven, "half_even", "ties to even"))}]>,
  ];
  let dependentDialects = ["::dyadic::qnn::QNNDialect", "::mlir::arith::ArithDialect"];
}

def ProveAccumulators : Pass<"quant-prove-accumulators", "::mlir::ModuleOp"> {
  let summary = "prove that no accumulator leaves 32 bits and no sum 64";
  let description = [{
    For every convolution, matmul and average pool of the integer level: the exact
    smallest and largest sum, from the real weights and biases and the proven range of
    the input, lies in `si32`. For every addition: `sum max|a| * m + 2^(e-1) < 2^63`. A
    layer that fails is an error with its bound and the largest legal width.
  }];
}

def VerifyIntegerOnly : Pass<"quant-verify-integer-only", "::mlir::ModuleOp"> {
  let summary = "no float operation between entry and exit";
  let description = [{
    Every operation works on integers, but for `qnn.quantize` of an argument,
    `qnn.dequantize` on the way to a result, and operations that only move the numbers
    that it made. Lists every float island otherwise.
  }];
}

def ExposeValues : Pass<"quant-expose-values", "::mlir::ModuleOp"> {
  let summary = "return the value of every layer as an extra result";
  let description = [{
    Adds a result marked `qnn.value` for every `id`, named by it: at the float level
    the value after the activations that the layer absorbs, at the quantized and the
    integer level the result of the last operation of the layer. The program is otherwise the same.
  }];
}

def IsolateLayers : Pass<"quant-isolate-layers", "::mlir::ModuleOp"> {
  let summary = "every layer on inputs of its own";
  let description = [{
    Every layer of the float program reads the values before it from arguments, named by
    their ids after the program's inputs, and its own value is a result; the program's
    outputs and its batch are dropped. One run tells what each layer adds to the error
    of another program: it gets that program's values, and what differs from them is the
    layer's doing.

    ```mlir
    // before
    func.func @main(%x) -> (tensor<1x8xf32> {qnn.name = "y"}) {
      %a = qnn.relu %x {id = "a"}
      %b = qnn.matmul %a, %w {id = "b"}
      return %b
    // after
    func.func @main(%x, %a0 {qnn.name = "a"}, %b0 {qnn.name = "b"}) -> ({qnn.name = "a", qnn.value}, {qnn.name = "b", qnn.value}) {
      %a = qnn.relu %x {id = "a"}
      %b = qnn.matmul %a0, %w {id = "b"}
      return %a, %b
    ```
  }];
}

def OrderChannels : Pass<"quant-order-channels", "::mlir::ModuleOp"> {
  let summary = "channels in the order in which fewest blocks of weights overflow 16 bits";
  let description = [{
    `vpmaddubsw` adds two products in 16 bits, and a block of weights in which two large ones meet is
    computed twice. A kernel takes 8 or 16 output channels together, so one channel that overflows costs
    all of them. Which channels are neighbours is free wherever a value is read by nothing but convolutions and
    matmuls with constant weights, on the way through pools, tables, depthwise convolutions, concatenations
    and other operations that know no neighbours. There the channels that overflow in the same blocks become
    neighbours, and within 8 of them the pairs that overflow least where they are read. Values that are added
    (or multiplied) keep one order, which the first layer chooses. Weights, biases
    and the numbers of requantizations are permuted; no operation is added, and no result changes.

    `byte-dot` is the target's instruction; for any but `maddubs` the pass does nothing. It works on
    channels-last values, so after `quant-assign-layout`. Values that the program takes or returns, or that anybody
    else reads, keep their order.

    ```mlir
    // before: channels 0 and 2 overflow
    %a = qnn.conv %x, %w, %b {channels_last, id = "c"} : (tensor<1x4x4x4xui8>, tensor<64x4x1x1xsi8>, tensor<64xsi32>) -> tensor<1x4x4x64xsi32>
    %y = qnn.requantize %a {id = "c", ...} : (tensor<1x4x4x64xsi32>) -> tensor<1x4x4x64xui8>
    %c = qnn.conv %y, %v {channels_last, id = "d"} : (tensor<1x4x4x64xui8>, tensor<8x64x1x1xsi8>) -> tensor<1x4x4x8xsi32>
    // after: the same, with %w, %b and the multipliers of "c", and %v, in another order
    ```
  }];
  let options = [Option<"byteDot", "byte-dot", "std::string", "\"\"", "maddubs, dpbusd, sdot or usdot">];
  let dependentDialects = ["::dyadic::qnn::QNNDialect", "::mlir::arith::ArithDialect"];
}

def PackLayers : Pass<"quant-pack-layers", "::mlir::ModuleOp"> {
  let summary = "convolutions and matmuls of the integer level into packed kernels";
  let description = [{
    A channels-last convolution with one or two spatial dimensions, or a matmul, with
    constant weights becomes `qnn.packed_conv` or `qnn.packed_depthwise`, together with
    the operation that rounds its sums where that is their only use: a requantization,
    the addition of a residual, or a PReLU. Weights are laid out in panels of 16
    output channels. For `maddubs` the blocks of a panel are ordered and grouped by what
    their weights, and the proven range of the input, let a 16-bit sum hold. Borders become `qnn.pad`.

    The module's attribute `dyadic.schedule` (Transforms/Schedules.h) says by layer id how a kernel goes about its
    work, where the plan does.

    `byte-dot` and `word-dot` are the target's instructions for inputs of up to 8 and of 9
    to 16 bits; without them the pass does nothing.

    ```mlir
    // before
    %a = qnn.conv %x, %w, %b {channels_last, id = "conv", x_zp = 3 : i64} : (tensor<1x8x8x16xui8>, ...) -> tensor<1x8x8x16xsi32>
    %y = qnn.requantize %a {id = "conv", ...} : (tensor<1x8x8x16xsi32>) -> tensor<1x8x8x16xui8>
    // after
    %d = tensor.empty() : tensor<1x8x8x16xui8>
    %y = qnn.packed_conv ins(%x, %weights, %offsets, %panels, %channels) outs(%d) {dot = #qnn.dot<maddubs>, ...} : ...
    ```
  }];
  let options = [
    Option<"byteDot", "byte-dot", "std::string", "\"\"", "maddubs, dpbusd, sdot or usdot">,
    Option<"wordDot", "word-dot", "std::string", "\"\"", "maddwd, dpwssd or mlal">,
    Option<"rows", "rows", "int64_t", "0", "positions that a kernel computes together; 0: what suits the instruction">,
  ];
  let dependentDialects = ["::dyadic::qnn::QNNDialect", "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

def PackFloatLayers : Pass<"quant-pack-float-layers", "::mlir::ModuleOp"> {
  let summary = "convolutions and matmuls of the float level into packed kernels";
  let description = [{
    A channels-last convolution with one or two spatial dimensions, or a matmul, of `f32` and
    with constant weights becomes `qnn.packed_float_conv` or `qnn.packed_float_depthwise`, together with the
    residual addition and the ReLU or Clip after it where these are the only readers of what is before
    them. Weights are laid out in panels of 16 output channels. Borders become `qnn.pad`.

    `lanes`, `rows` and `depthwise-rows` say what suits the target's float unit (`Target/FloatUnit.h`); they
    change no result. With 0 lanes the pass does nothing.

    ```mlir
    // before
    %a = qnn.conv %x, %w, %b {channels_last, id = "conv"} : (tensor<1x8x8x16xf32>, ...) -> tensor<1x8x8x16xf32>
    %y = qnn.relu %a {id = "relu"} : (tensor<1x8x8x16xf32>) -> tensor<1x8x8x16xf32>
    // after
    %d = tensor.empty() : tensor<1x8x8x16xf32>
    %y = qnn.packed_float_conv ins(%x, %weights, %bias) outs(%d) {low = 0.0 : f32, ...} : ...
    ```
  }];
  let options = [
    Option<"lanes", "lanes", "int64_t", "0", "f32 numbers in a register: 1, 2, 4, 8 or 16">,
    Option<"rows", "rows", "int64_t", "6", "positions that are computed together">,
    Option<"depthwiseRows", "depthwise-rows", "int64_t", "4", "the same of a depthwise convolution">,
  ];
  let dependentDialects = ["::dyadic::qnn::QNNDialect", "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

def AssignLayout : Pass<"quant-assign-layout", "::mlir::ModuleOp"> {
  let summary = "convolutions and pools channels-last";
  let description = [{
    Every `qnn.conv`, `qnn.max_pool` and `qnn.avg_pool` of the float or the integer level
    becomes `channels_last`. Operations between them, transposes of the model itself
    among them, work in the layout that moves the fewest bytes: axes, parameters and
    constants are permuted. What then still has to move is one transpose a value and
    layout, without an `id`; it is a reshape where it moves nothing. Arguments and
    results of the program keep their layout. A remark tells each transpose that is
    not at an argument or a result.

    ```mlir
    // before
    %a = qnn.conv %x, %w, %b {id = "conv", x_zp = 0 : i64} : (tensor<1x3x8x8xui8>, ...) -> tensor<1x16x6x6xsi32>
    %r = qnn.requantize %a {id = "conv", multiplier = dense<...> : tensor<16x1x1xi32>, ...} : ...
    // after
    %t = qnn.transpose %x {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x3x8x8xui8>) -> tensor<1x8x8x3xui8>
    %a = qnn.conv %t, %w, %b {channels_last, id = "conv", x_zp = 0 : i64} : (tensor<1x8x8x3xui8>, ...) -> tensor<1x6x6x16xsi32>
    %r = qnn.requantize %a {id = "conv", multiplier = dense<...> : tensor<16xi32>, ...} : ...
    %y = qnn.transpose %r {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x6x6x16xui8>) -> tensor<1x16x6x6xui8>
    ```
  }];
  let dependentDialects = ["::dyadic::qnn::QNNDialect", "::mlir::arith::ArithDialect"];
}

#endif // DYADIC_TRANSFORMS_PASSES_TD
