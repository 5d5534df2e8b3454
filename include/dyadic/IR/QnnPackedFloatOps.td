// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The packed level of float layers. Included by QnnOps.td.

#ifndef DYADIC_IR_QNNPACKEDFLOATOPS_TD
#define DYADIC_IR_QNNPACKEDFLOATOPS_TD

include "dyadic/IR/QnnPackedOps.td"

def QNN_PackedFloatConvOp : QNN_PackedOp<"packed_float_conv"> {
  let summary = "float convolution or matmul of a panel layout, with what follows its sums";
  let description = [{
    `input` is [N, H, W, C] with the border that the window reads, `dest` (and the `residual`) [N, OH, OW, M]; tensors
    or buffers of `f32`. Position (n, oh, ow) reads from the address `n * H * W * C + oh * line + ow * pixel` on, and
    group g from `g * run` behind it, in elements.

    Output channels form `groups` groups of panels of 16 channels; the last panel of a group is filled up with zeros.
    A kernel has `taps` = [KH, KW] positions, `tap_line` and `tap_pixel` elements apart; each is a run of `run`
    neighbouring elements of the input. `weights` are [panel][KH][KW][run][16], `bias` [panel][16].

    A sum starts from the bias and takes one fused multiply-add for each element, in the order of `weights`. Then the
    `residual` is added, and the result is min(max(y, low), high) (IEEE 754-2019's: NaN wins, +0 > -0; no bound where it
    is infinite).

    `lanes` is the number of channels in one of the target's registers, `rows` how many neighbouring positions are
    computed together. Neither changes a bit.
  }];
  let arguments = (ins AnyShaped:$input, AnyShaped:$weights, AnyShaped:$bias, Optional<AnyShaped>:$residual,
    AnyShaped:$dest, I64Attr:$line, I64Attr:$pixel, DenseI64ArrayAttr:$taps, I64Attr:$tap_line, I64Attr:$tap_pixel,
    I64Attr:$run, I64Attr:$groups, I64Attr:$lanes, I64Attr:$rows, F32Attr:$low, F32Attr:$high);
  let results = (outs Optional<AnyRankedTensor>:$output);
  let assemblyFormat = [{
    `ins` `(` $input `,` $weights `,` $bias (`,` $residual^)? `)` `outs` `(` $dest `)` attr-dict `:`
    functional-type(operands, results)
  }];
}

def QNN_PackedFloatDepthwiseOp : QNN_PackedOp<"packed_float_depthwise"> {
  let summary = "float depthwise convolution of channels-last numbers, with what follows its sums";
  let description = [{
    As `qnn.packed_float_conv`, but output channel c sums input channel c alone: `weights` are [panel][KH][KW][16], and
    a tap is one number a channel.
  }];
  let arguments = (ins AnyShaped:$input, AnyShaped:$weights, AnyShaped:$bias, Optional<AnyShaped>:$residual,
    AnyShaped:$dest, I64Attr:$line, I64Attr:$pixel, DenseI64ArrayAttr:$taps, I64Attr:$tap_line, I64Attr:$tap_pixel,
    I64Attr:$lanes, I64Attr:$rows, F32Attr:$low, F32Attr:$high);
  let results = (outs Optional<AnyRankedTensor>:$output);
  let assemblyFormat = [{
    `ins` `(` $input `,` $weights `,` $bias (`,` $residual^)? `)` `outs` `(` $dest `)` attr-dict `:`
    functional-type(operands, results)
  }];
}

#endif // DYADIC_IR_QNNPACKEDFLOATOPS_TD
