// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The packed level: one destination-passing operation a kernel, constants in the target's
// layout. Included by QnnOps.td.

#ifndef DYADIC_IR_QNNPACKEDOPS_TD
#define DYADIC_IR_QNNPACKEDOPS_TD

include "mlir/Interfaces/DestinationStyleOpInterface.td"

def QNN_Dot : I32EnumAttr<"Dot", "the instructions that multiply and sum a block", [
    I32EnumAttrCase<"Maddubs", 0, "maddubs">,
    I32EnumAttrCase<"Maddwd", 1, "maddwd">,
    I32EnumAttrCase<"Dpbusd", 2, "dpbusd">,
    I32EnumAttrCase<"Dpwssd", 3, "dpwssd">,
    I32EnumAttrCase<"Sdot", 4, "sdot">,
    I32EnumAttrCase<"Usdot", 5, "usdot">,
    I32EnumAttrCase<"Mlal", 6, "mlal">]> {
  let genSpecializedAttr = 0;
  let cppNamespace = "::dyadic::qnn";
}
def QNN_DotAttr : EnumAttr<QNN_Dialect, QNN_Dot, "dot"> { let assemblyFormat = "`<` $value `>`"; }

def QNN_Epilogue : I32EnumAttr<"Epilogue", "what becomes of an accumulator before it is stored", [
    I32EnumAttrCase<"Store", 0, "store">,
    I32EnumAttrCase<"Requantize", 1, "requantize">,
    I32EnumAttrCase<"Add", 2, "add">,
    I32EnumAttrCase<"PRelu", 3, "prelu">]> {
  let genSpecializedAttr = 0;
  let cppNamespace = "::dyadic::qnn";
}
def QNN_EpilogueAttr : EnumAttr<QNN_Dialect, QNN_Epilogue, "epilogue"> { let assemblyFormat = "`<` $value `>`"; }

def QNN_LoopOrder : I32EnumAttr<"LoopOrder", "which of a kernel's loops is outside", [
    I32EnumAttrCase<"Auto", 0, "auto">,
    I32EnumAttrCase<"Lines", 1, "lines">,
    I32EnumAttrCase<"Panels", 2, "panels">]> {
  let genSpecializedAttr = 0;
  let cppNamespace = "::dyadic::qnn";
}
def QNN_LoopOrderAttr : EnumAttr<QNN_Dialect, QNN_LoopOrder, "loop_order"> { let assemblyFormat = "`<` $value `>`"; }

class QNN_PackedOp<string mnemonic> : Op<QNN_Dialect, mnemonic, [
    DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let hasVerifier = 1;
  let extraClassDeclaration = "::mlir::MutableOperandRange getDpsInitsMutable() { return getDestMutable(); }";
}

def QNN_PackedConvOp : QNN_PackedOp<"packed_conv"> {
  let summary = "convolution or matmul of a panel layout, with its epilogue";
  let description = [{
    `input` is [N, H, W, C], with the border that the window reads, `dest` (and the
    `residual`) [N, OH, OW, M]; tensors, or buffers of signless integers. Position (n, oh, ow)
    reads from the address `n * H * W * C + oh * line + ow * pixel` on, in elements.

    Output channels form `groups` groups of panels of 16 channels; the last panel of a group
    is filled up with zeros. A panel's row of `panels` [panels, 2 + n] says with which block of `weights`
    and with which of `offsets` it starts, then how many groups of each of the n `group_sizes` (in blocks) it has.
    A block is 4 bytes of input (4 numbers of 8 bits or 2 of 16) against the panel's
    channels: `weights` hold it channel by channel (for `mlal` the first and the last 8 channels
    input by input), `offsets` (16 or 32 bits, not negative) its distance in bytes from the
    position's address; panels may share them. With `weight_bits` of 4 or 2, for 8-bit inputs, 2 or 4 blocks share
    their bytes (Support/NarrowWeights.h) and groups are multiples of as many. `channels` [k, panels * 16] holds what differs by channel:
    the bias; the multiplier and the exponent of the epilogue; and the residual's
    multiplier (`add`), or the multiplier and the exponent of negative sums (`prelu`).

    With `halves` the first and the last 8 channels of a panel have a row of `panels` each, and blocks of their own.

    With `dot` `maddubs` the products of a group are summed in 16 bits before they are widened.
    For inputs up to `x_max` no such sum may leave [-2^15, 2^15): the verifier
    proves it from the weights. `maddubs`, `dpbusd` and `usdot` multiply unsigned inputs, `sdot` signed ones.
    `flip` says that the input is the other kind: its sign bit is inverted, which adds 128, or
    for `sdot` subtracts it, and the bias takes that back.

    `high_halves` says that no exponent is below 33, so that the high halves of the
    64-bit products are enough, rounding included. So that this holds for scales that grow as well, sums are multiplied
    by 2^`sum_shift` and the other operand of `add` by 2^`residual_shift` first: exponents (or multipliers instead of a shift) have that in them.
    No shifted sum may leave 32 bits: the verifier proves it from the weights.

    `short_products` says that the products of the epilogue, the residual's among them, and 2^(e - 1) + zero_point 2^e
    sum up to 32 bits, which the verifier proves from the weights, bias and multipliers: multipliers have few bits then,
    exponents lie in [1, 31], and a last row of `channels` holds that addend. Ties go up.

    `scaled_sums`, for short products of `maddubs`, says that sums are multiplied where they widen from 16 bits: `vpmaddwd`
    does it by (m, m) instead of (1, 1). So the row of the multiplier m holds m 2^16 + m, that of the bias what
    the sums of products with m start from, bias m + 2^(e - 1) + zero_point 2^e, and the last row is not there. m has 15 bits.

    The epilogue rounds as `qnn.requantize`, `qnn.add` (the other operand is
    `residual - residual_zp`) or `qnn.prelu` do; `store` leaves the sum as it is.

    The schedule changes no result: `rows` positions of a line are computed together (1 to 12; 0: as many as the
    instruction does best with), and `order` says whether the loop over lines or that over panels is outside.
  }];
  let arguments = (ins AnyShaped:$input, AnyShaped:$weights, AnyShaped:$offsets, AnyShaped:$panels, AnyShaped:$channels,
    Optional<AnyShaped>:$residual, AnyShaped:$dest, I64Attr:$line, I64Attr:$pixel, I64Attr:$groups, QNN_DotAttr:$dot,
    DenseI64ArrayAttr:$group_sizes, DefaultValuedAttr<I64Attr, "8">:$weight_bits, UnitAttr:$halves, I64Attr:$x_max, UnitAttr:$flip, QNN_EpilogueAttr:$epilogue, UnitAttr:$high_halves, UnitAttr:$short_products, UnitAttr:$scaled_sums,
    DefaultValuedAttr<I64Attr, "0">:$sum_shift, DefaultValuedAttr<I64Attr, "0">:$residual_shift, DefaultValuedAttr<I64Attr, "0">:$residual_zp,
    UnitAttr:$residual_unsigned, DefaultValuedAttr<I64Attr, "0">:$zero_point,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$clamp,
    DefaultValuedAttr<QNN_RoundingAttr, "::dyadic::qnn::Rounding::HalfUp">:$rounding,
    DefaultValuedAttr<I64Attr, "0">:$rows,
    DefaultValuedAttr<QNN_LoopOrderAttr, "::dyadic::qnn::LoopOrder::Auto">:$order);
  let results = (outs Optional<AnyRankedTensor>:$output);
  let assemblyFormat = [{
    `ins` `(` $input `,` $weights `,` $offsets `,` $panels `,` $channels (`,` $residual^)? `)` `outs` `(` $dest `)` attr-dict `:`
    functional-type(operands, results)
  }];
}

def QNN_PackedDepthwiseOp : QNN_PackedOp<"packed_depthwise"> {
  let summary = "depthwise convolution of channels-last numbers, with its epilogue";
  let description = [{
    As `qnn.packed_conv`, but output channel c sums input channel c alone. `weights` hold,
    for every 16 channels (the last of them filled up with zeros), the kernel positions two by
    two: channel by channel, in the order 0-3, 8-11, 4-7, 12-15, the weights of both as
    16-bit numbers; where `dot` is `mlal` all channels in order, position by position.
    `offsets` has the distances of both, -1 where there is no second. `dot` multiplies 16-bit numbers.

    Or `dot` is `dpbusd` or `maddubs`, for inputs of 8 bits (signed ones are flipped, as `flip` of `qnn.packed_conv` says):
    then `weights` hold, for every 32 channels, the kernel positions four by four (two by two), `offsets` has -1 where
    there is no more, and `channels` are in the order of `byteDepthwiseChannel`, in which 32 sums narrow to bytes in their natural order.
    Those of `dpbusd` are in this order too, those of `maddubs` in that of `pairDepthwiseChannel`. As products of bytes sum up
    to more than 16 bits, a weight of `maddubs` is 16 h + l with nibbles h and l in [-8, 8]: of every pair of positions
    first all l, then all h, which are not there where all are 0. 16 products of either stay within 16 bits.
    With `scaled_sums` these widen by (m, 16 m), so m has 11 bits.
  }];
  let arguments = (ins AnyShaped:$input, AnyShaped:$weights, AnyShaped:$channels, Optional<AnyShaped>:$residual,
    AnyShaped:$dest, I64Attr:$line, I64Attr:$pixel, DenseI64ArrayAttr:$offsets, QNN_DotAttr:$dot,
    UnitAttr:$input_unsigned, QNN_EpilogueAttr:$epilogue, UnitAttr:$high_halves, UnitAttr:$short_products, UnitAttr:$scaled_sums,
    DefaultValuedAttr<I64Attr, "0">:$sum_shift, DefaultValuedAttr<I64Attr, "0">:$residual_shift, DefaultValuedAttr<I64Attr, "0">:$residual_zp, UnitAttr:$residual_unsigned,
    DefaultValuedAttr<I64Attr, "0">:$zero_point, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$clamp,
    DefaultValuedAttr<QNN_RoundingAttr, "::dyadic::qnn::Rounding::HalfUp">:$rounding,
    DefaultValuedAttr<I64Attr, "0">:$rows);
  let results = (outs Optional<AnyRankedTensor>:$output);
  let assemblyFormat = [{
    `ins` `(` $input `,` $weights `,` $channels (`,` $residual^)? `)` `outs` `(` $dest `)` attr-dict `:`
    functional-type(operands, results)
  }];
}

def QNN_WinogradInputOp : QNN_PackedOp<"winograd_input"> {
  let summary = "input transform of Winograd's F(2x2, 3x3)";
  let description = [{
    `input` is [N, H, W, C] with 8-bit numbers, `dest` [N, TH, TW, 16 * C] with numbers of 8 or 16 bits: position p, channel c
    of tile (th, tw) is B' d B at p, plus `center` where p is 5 and plus `around` elsewhere, modulo 2^8 or 2^16. d are the
    4x4 inputs from (2 th, 2 tw) on; for 16 bits `input_unsigned` says how they widen. See Support/Winograd.h.
  }];
  let arguments = (ins AnyShaped:$input, AnyShaped:$dest, I64Attr:$center, I64Attr:$around, UnitAttr:$input_unsigned);
  let results = (outs Optional<AnyRankedTensor>:$output);
  let assemblyFormat = "`ins` `(` $input `)` `outs` `(` $dest `)` attr-dict `:` functional-type(operands, results)";
}

def QNN_PackedWinogradOp : QNN_PackedOp<"packed_winograd"> {
  let summary = "3x3 convolution of transformed inputs, with its epilogue";
  let description = [{
    As `qnn.packed_conv` with one group, but `input` is the result of `qnn.winograd_input`, and a tile gives
    2x2 positions of `dest`. `weights` are those of the convolution, for each panel the 9 positions of the kernel, of each
    the blocks of 4 inputs in their order (with `weight_bits` below 8, blocks of zeros fill up those that share bytes). The kernel
    transforms them panel by panel. `panels` has 16 rows a panel, one for each position p of the transformed
    tile: it starts with block p * blocks of the transformed weights, and offsets count from the tile's address plus `p * C`.
    The 16 sums of a channel, from 0 on, are transformed back: four numbers, to which `corrections` [4, panels * 16] are
    added (modulo 2^32), give four times the convolution. What the inputs were shifted by is in there; the
    bias comes after the division by four. `input_unsigned` says that the convolution's inputs, before they were transformed, are
    in [0, 255] and not in [-128, 127]: with it the verifier bounds their sums.

    Or `dot` is `maddwd`, for inputs of more bits: the transformed numbers have 16 bits, and so have the transformed weights, of which a block has
    2 inputs; those that are stored have 8 bits still.
  }];
  let arguments = (ins AnyShaped:$input, AnyShaped:$weights, AnyShaped:$offsets, AnyShaped:$panels, AnyShaped:$channels,
    AnyShaped:$corrections, Optional<AnyShaped>:$residual, AnyShaped:$dest, QNN_DotAttr:$dot,
    DenseI64ArrayAttr:$group_sizes, DefaultValuedAttr<I64Attr, "8">:$weight_bits, I64Attr:$x_max, UnitAttr:$input_unsigned, QNN_EpilogueAttr:$epilogue, UnitAttr:$high_halves, UnitAttr:$short_products,
    DefaultValuedAttr<I64Attr, "0">:$sum_shift, DefaultValuedAttr<I64Attr, "0">:$residual_shift,
    DefaultValuedAttr<I64Attr, "0">:$residual_zp, UnitAttr:$residual_unsigned, DefaultValuedAttr<I64Attr, "0">:$zero_point,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$clamp,
    DefaultValuedAttr<QNN_RoundingAttr, "::dyadic::qnn::Rounding::HalfUp">:$rounding,
    DefaultValuedAttr<I64Attr, "0">:$rows,
    DefaultValuedAttr<QNN_LoopOrderAttr, "::dyadic::qnn::LoopOrder::Auto">:$order);
  let results = (outs Optional<AnyRankedTensor>:$output);
  let assemblyFormat = [{
    `ins` `(` $input `,` $weights `,` $offsets `,` $panels `,` $channels `,` $corrections (`,` $residual^)? `)` `outs` `(` $dest `)`
    attr-dict `:` functional-type(operands, results)
  }];
}

#endif // DYADIC_IR_QNNPACKEDOPS_TD
