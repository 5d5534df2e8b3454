// RUN: quant-opt %s --quant-pack-layers="byte-dot=maddubs word-dot=maddwd" -split-input-file | FileCheck %s
// RUN: quant-opt %s --quant-pack-layers="byte-dot=dpbusd word-dot=dpwssd" -split-input-file | FileCheck %s --check-prefix=VNNI
// RUN: quant-opt %s --quant-pack-layers="byte-dot=sdot word-dot=mlal" -split-input-file | FileCheck %s --check-prefixes=ARM,SDOT
// RUN: quant-opt %s --quant-pack-layers="byte-dot=usdot word-dot=mlal" -split-input-file | FileCheck %s --check-prefixes=ARM,USDOT
// RUN: quant-opt %s --quant-pack-layers -split-input-file | FileCheck %s --check-prefix=NONE

// The border is a pad of lines; weights of one block a position; the requantization is fused.
// CHECK-LABEL: func.func @conv
// CHECK: %[[L:.*]] = qnn.reshape %{{.*}} : (tensor<1x4x4x4xui8>) -> tensor<1x4x16xui8>
// CHECK: %[[P:.*]] = qnn.pad %[[L]] {high = array<i64: 0, 1, 4>, low = array<i64: 0, 1, 4>, {{.*}}x_zp = 7 : i64} : (tensor<1x4x16xui8>) -> tensor<1x6x24xui8>
// CHECK: %[[X:.*]] = qnn.reshape %[[P]] : (tensor<1x6x24xui8>) -> tensor<1x6x6x4xui8>
// CHECK: %[[D:.*]] = tensor.empty() : tensor<1x4x4x16xui8>
// Nine blocks of narrow weights, two of which share their bytes, are filled up to ten.
// CHECK: dense<{{\[\[}}0, 0, 1, 1]]> : tensor<1x4xi32>
// CHECK: %[[Y:.*]] = qnn.packed_conv ins(%[[X]],
// CHECK-SAME: outs(%[[D]]) {clamp = array<i64: 0, 255>, dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<requantize>
// CHECK-SAME: high_halves, line = 24 : i64, pixel = 4 : i64
// CHECK-SAME: x_max = 255 : i64, zero_point = 3 : i64
// CHECK: return %[[Y]]
// VNNI-LABEL: func.func @conv
// VNNI: dense<{{\[\[}}0, 0, 5]]> : tensor<1x3xi32>
// VNNI: qnn.packed_conv {{.*}}dot = #qnn.dot<dpbusd>
// Of Arm's, sdot wants signed inputs: this one is flipped, and the bias gets 128 * 36 * 3 more.
// ARM-LABEL: func.func @conv
// SDOT: dense<{{.*}}13829
// SDOT: qnn.packed_conv {{.*}}dot = #qnn.dot<sdot>, epilogue = #qnn.epilogue<requantize>, flip
// USDOT: qnn.packed_conv {{.*}}dot = #qnn.dot<usdot>, epilogue = #qnn.epilogue<requantize>, group_sizes
// NONE-LABEL: func.func @conv
// NONE: qnn.conv
// NONE-NOT: packed
func.func @conv(%x: tensor<1x4x4x4xui8>) -> tensor<1x4x4x16xui8> {
  %w = arith.constant dense<3> : tensor<16x4x3x3xsi8>
  %b = arith.constant dense<5> : tensor<16xsi32>
  %a = qnn.conv %x, %w, %b {channels_last, id = "c", pads = array<i64: 1, 1, 1, 1>, x_zp = 7 : i64}
      : (tensor<1x4x4x4xui8>, tensor<16x4x3x3xsi8>, tensor<16xsi32>) -> tensor<1x4x4x16xsi32>
  %y = qnn.requantize %a {id = "c", multiplier = dense<1518500250> : tensor<i32>, exponent = dense<38> : tensor<i32>,
      zero_point = 3 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>}
      : (tensor<1x4x4x16xsi32>) -> tensor<1x4x4x16xui8>
  return %y : tensor<1x4x4x16xui8>
}

// -----

// Weights that overflow in pairs are split: two blocks of one offset.
// A signed input is flipped.
// Sums with other readers are stored as they are.
// CHECK-LABEL: func.func @overflow
// CHECK-DAG: dense<{{\[\[}}0, 0, 2]]> : tensor<1x3xi32>
// CHECK: qnn.packed_conv
// CHECK-SAME: epilogue = #qnn.epilogue<store>, flip
// CHECK-SAME: x_max = 255 : i64
// ARM-LABEL: func.func @overflow
// ARM: qnn.packed_conv {{.*}}dot = #qnn.dot<sdot>, epilogue = #qnn.epilogue<store>, group_sizes
func.func @overflow(%x: tensor<3x4xsi8>) -> (tensor<3x16xsi32>, tensor<3x16xui8>) {
  %w = arith.constant dense<127> : tensor<4x16xsi8>
  %a = qnn.matmul %x, %w {id = "m", x_zp = 0 : i64} : (tensor<3x4xsi8>, tensor<4x16xsi8>) -> tensor<3x16xsi32>
  %y = qnn.requantize %a {id = "m", multiplier = dense<1518500250> : tensor<i32>, exponent = dense<38> : tensor<i32>,
      zero_point = 3 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>}
      : (tensor<3x16xsi32>) -> tensor<3x16xui8>
  return %a, %y : tensor<3x16xsi32>, tensor<3x16xui8>
}

// -----

// Only the first 8 channels overflow: as halves of a panel with blocks of their own the others are not split.
// CHECK-LABEL: func.func @half
// CHECK-DAG: dense<{{\[\[}}0, 0, 0, 0, 12], [12, 12, 1, 1, 0]]> : tensor<2x5xi32>
// CHECK: qnn.packed_conv {{.*}}group_sizes = array<i64: 4, 2, 1>, groups = 1 : i64, halves
// VNNI-LABEL: func.func @half
// VNNI-NOT: i64, halves
// ARM-LABEL: func.func @half
// ARM-NOT: i64, halves
func.func @half(%x: tensor<4x24xui8>) -> tensor<4x16xsi32> {
  %w = arith.constant dense<"0x7F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F01010101010101017F7F7F7F7F7F7F7F0101010101010101"> : tensor<24x16xsi8>
  %a = qnn.matmul %x, %w {id = "m", x_zp = 0 : i64} : (tensor<4x24xui8>, tensor<24x16xsi8>) -> tensor<4x16xsi32>
  return %a : tensor<4x16xsi32>
}

// -----

// A residual is the epilogue's other operand; a depthwise layer has a kernel of its own.
// CHECK-LABEL: func.func @residual
// CHECK: qnn.packed_depthwise ins(%{{.*}}, %{{.*}}, %{{.*}}, %arg1) outs(%{{[0-9]+}})
// CHECK-SAME: epilogue = #qnn.epilogue<add>
// CHECK-SAME: offsets = array<i64: 0, 112, 224, -1, 16, 128, 240, -1, 32, 144, 256, -1>
// CHECK-SAME: residual_unsigned, residual_zp = 9 : i64
// ARM-LABEL: func.func @residual
// ARM: qnn.packed_depthwise {{.*}}dot = #qnn.dot<mlal>
func.func @residual(%x: tensor<1x7x7x16xui8>, %r: tensor<1x5x5x16xui8>) -> tensor<1x5x5x16xui8> {
  %w = arith.constant dense<-3> : tensor<16x1x3x3xsi8>
  %a = qnn.conv %x, %w {channels_last, id = "c", group = 16 : i64, x_zp = 0 : i64}
      : (tensor<1x7x7x16xui8>, tensor<16x1x3x3xsi8>) -> tensor<1x5x5x16xsi32>
  %y = qnn.add %r, %a {id = "s", a_zp = 9 : i64, b_zp = 0 : i64, a_multiplier = dense<1518500250> : tensor<i32>,
      b_multiplier = dense<17> : tensor<i32>, exponent = dense<31> : tensor<i32>, zero_point = 3 : i64,
      clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_even>}
      : (tensor<1x5x5x16xui8>, tensor<1x5x5x16xsi32>) -> tensor<1x5x5x16xui8>
  return %y : tensor<1x5x5x16xui8>
}

// -----

// 16-bit inputs take the words' instruction: 2 to a block.
// CHECK-LABEL: func.func @wide
// CHECK: dense<{{\[\[}}0, 0, 4]]> : tensor<1x3xi32>
// CHECK: qnn.packed_conv {{.*}}dot = #qnn.dot<maddwd>
// VNNI-LABEL: func.func @wide
// VNNI: qnn.packed_conv {{.*}}dot = #qnn.dot<dpwssd>
// ARM-LABEL: func.func @wide
// ARM: qnn.packed_conv {{.*}}dot = #qnn.dot<mlal>
func.func @wide(%x: tensor<3x8xsi16>) -> tensor<3x16xsi32> {
  %w = arith.constant dense<127> : tensor<8x16xsi8>
  %a = qnn.matmul %x, %w {id = "m", x_zp = 0 : i64} : (tensor<3x8xsi16>, tensor<8x16xsi8>) -> tensor<3x16xsi32>
  return %a : tensor<3x16xsi32>
}

// -----

// Not packed: weights that are not constant, three spatial dimensions, channels first.
// CHECK-LABEL: func.func @left
// CHECK-NOT: packed
func.func @left(%x: tensor<1x4x4x4xui8>, %w: tensor<16x4x3x3xsi8>) -> tensor<1x2x2x16xsi32> {
  %a = qnn.conv %x, %w {channels_last, id = "c", x_zp = 7 : i64}
      : (tensor<1x4x4x4xui8>, tensor<16x4x3x3xsi8>) -> tensor<1x2x2x16xsi32>
  return %a : tensor<1x2x2x16xsi32>
}

// -----

// Four bits on both sides: Winograd. 2x2 outputs of a tile; the odd line and column get a tile of their own. The inputs lie
// in [0, 15]: 2 * 15 makes them unsigned, up to 60. Every weight is 1: transformed 9 in the middle, 3 * 2 beside it
// and 4 in the corners, one block of 4 channels each.
// CHECK-LABEL: func.func @winograd
// CHECK: qnn.pad %{{.*}} {{.*}} -> tensor<1x8x128xui8>
// CHECK: qnn.winograd_input {{.*}} {around = 30 : i64, center = 0 : i64} : (tensor<1x8x8x16xui8>, tensor<1x3x3x256xui8>)
// CHECK: dense<-1> : tensor<576xi8>
// CHECK: qnn.packed_winograd {{.*}} group_sizes = array<i64: 4>, high_halves, input_unsigned, weight_bits = 2 : i64, x_max = 60 : i64
// VNNI-LABEL: func.func @winograd
// VNNI: qnn.packed_winograd {{.*}}dot = #qnn.dot<dpbusd>
// Five bits of weight can leave a byte, and these do: 9 * 15.
// CHECK-LABEL: func.func @too_wide
// CHECK: qnn.packed_conv
func.func @winograd(%x: tensor<1x5x5x16xui8> {qnn.type = !quant.uniform<u8<0:15>:f32, 1.0>}) -> tensor<1x5x5x16xui8> {
  %w = arith.constant dense<1> : tensor<16x16x3x3xsi8>
  %a = qnn.conv %x, %w {channels_last, id = "c", x_zp = 0 : i64, pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x5x5x16xui8>, tensor<16x16x3x3xsi8>) -> tensor<1x5x5x16xsi32>
  %y = qnn.requantize %a {id = "c", multiplier = dense<1518500250> : tensor<i32>, exponent = dense<38> : tensor<i32>,
    zero_point = 3 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<1x5x5x16xsi32>) -> tensor<1x5x5x16xui8>
  return %y : tensor<1x5x5x16xui8>
}

func.func @too_wide(%x: tensor<1x5x5x16xui8> {qnn.type = !quant.uniform<u8<0:15>:f32, 1.0>}) -> tensor<1x5x5x16xsi32> {
  %w = arith.constant dense<15> : tensor<16x16x3x3xsi8>
  %a = qnn.conv %x, %w {channels_last, id = "c", x_zp = 0 : i64, pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x5x5x16xui8>, tensor<16x16x3x3xsi8>) -> tensor<1x5x5x16xsi32>
  return %a : tensor<1x5x5x16xsi32>
}

// -----

// A scale that grows has an exponent below 33: sums are shifted first, so that high halves of products are enough.
// CHECK-LABEL: func.func @growing_scale
// CHECK-DAG: arith.constant {{.*}}[33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33]
// CHECK: qnn.packed_conv {{.*}} high_halves, {{.*}} sum_shift = 3 : i64
func.func @growing_scale(%x: tensor<1x4x4x4xui8>) -> tensor<1x4x4x16xui8> {
  %w = arith.constant dense<3> : tensor<16x4x1x1xsi8>
  %a = qnn.conv %x, %w {channels_last, id = "c", x_zp = 7 : i64}
      : (tensor<1x4x4x4xui8>, tensor<16x4x1x1xsi8>) -> tensor<1x4x4x16xsi32>
  %y = qnn.requantize %a {id = "c", multiplier = dense<1518500250> : tensor<i32>, exponent = dense<30> : tensor<i32>,
      zero_point = 3 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>}
      : (tensor<1x4x4x16xsi32>) -> tensor<1x4x4x16xui8>
  return %y : tensor<1x4x4x16xui8>
}

// -----

// Not where a shifted sum might leave 32 bits: 4 products of 255 and 127 times 2^18.
// CHECK-LABEL: func.func @no_room
// CHECK-NOT: high_halves
// CHECK: return
func.func @no_room(%x: tensor<1x4x4x4xui8>) -> tensor<1x4x4x16xui8> {
  %w = arith.constant dense<127> : tensor<16x4x1x1xsi8>
  %a = qnn.conv %x, %w {channels_last, id = "c", x_zp = 0 : i64}
      : (tensor<1x4x4x4xui8>, tensor<16x4x1x1xsi8>) -> tensor<1x4x4x16xsi32>
  %y = qnn.requantize %a {id = "c", multiplier = dense<1518500250> : tensor<i32>, exponent = dense<15> : tensor<i32>,
      zero_point = 3 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>}
      : (tensor<1x4x4x16xsi32>) -> tensor<1x4x4x16xui8>
  return %y : tensor<1x4x4x16xui8>
}

// -----

// Of an addition, small multipliers grow themselves, and of the larger one its operand does.
// CHECK-LABEL: func.func @growing_residual
// CHECK-DAG: arith.constant {{.*}}[80000, 80000,
// CHECK: qnn.packed_conv {{.*}} high_halves, {{.*}} residual_shift = 3 : i64
// CHECK-NOT: sum_shift
func.func @growing_residual(%x: tensor<1x4x4x4xui8>, %r: tensor<1x4x4x16xui8>) -> tensor<1x4x4x16xui8> {
  %w = arith.constant dense<3> : tensor<16x4x1x1xsi8>
  %a = qnn.conv %x, %w {channels_last, id = "c", x_zp = 7 : i64}
      : (tensor<1x4x4x4xui8>, tensor<16x4x1x1xsi8>) -> tensor<1x4x4x16xsi32>
  %y = qnn.add %r, %a {id = "y", a_zp = 9 : i64, b_zp = 0 : i64, a_multiplier = dense<1518500250> : tensor<i32>,
      b_multiplier = dense<10000> : tensor<i32>, exponent = dense<30> : tensor<i32>, zero_point = 3 : i64,
      clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_even>}
      : (tensor<1x4x4x16xui8>, tensor<1x4x4x16xsi32>) -> tensor<1x4x4x16xui8>
  return %y : tensor<1x4x4x16xui8>
}

// -----

// Bytes of a depthwise layer go two by two, their weights as nibbles: 35 = 16 * 2 + 3. Narrow weights have one.
// CHECK-LABEL: func.func @nibbles
// CHECK: dense<"0x{{(03){64}(02){64}.*}}"> : tensor<640xi8>
// CHECK: qnn.packed_depthwise {{.*}}dot = #qnn.dot<maddubs>{{.*}}offsets = array<i64: 0, 224, 32, 256, 64, 288, 448, 480, 512, -1>
// CHECK: dense<{{.*}}> : tensor<320xi8>
// CHECK: qnn.packed_depthwise {{.*}}dot = #qnn.dot<maddubs>
func.func @nibbles(%x: tensor<1x7x7x32xui8>) -> (tensor<1x5x5x32xui8>, tensor<1x5x5x32xui8>) {
  %w = arith.constant dense<35> : tensor<32x1x3x3xsi8>
  %a = qnn.conv %x, %w {channels_last, id = "c", group = 32 : i64, x_zp = 0 : i64}
      : (tensor<1x7x7x32xui8>, tensor<32x1x3x3xsi8>) -> tensor<1x5x5x32xsi32>
  %y = qnn.requantize %a {id = "c", multiplier = dense<1518500250> : tensor<i32>, exponent = dense<38> : tensor<i32>,
      zero_point = 3 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>}
      : (tensor<1x5x5x32xsi32>) -> tensor<1x5x5x32xui8>
  %v = arith.constant dense<-5> : tensor<32x1x3x3xsi8>
  %b = qnn.conv %x, %v {channels_last, id = "d", group = 32 : i64, x_zp = 0 : i64}
      : (tensor<1x7x7x32xui8>, tensor<32x1x3x3xsi8>) -> tensor<1x5x5x32xsi32>
  %z = qnn.requantize %b {id = "d", multiplier = dense<1518500250> : tensor<i32>, exponent = dense<38> : tensor<i32>,
      zero_point = 3 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>}
      : (tensor<1x5x5x32xsi32>) -> tensor<1x5x5x32xui8>
  return %y, %z : tensor<1x5x5x32xui8>, tensor<1x5x5x32xui8>
}

// -----

// Eight bits on both sides: in words where bytes would be summed in 16 bits, signed or not; 8 blocks of 2 channels. VNNI multiplies bytes.
// CHECK-LABEL: func.func @winograd_words
// CHECK: qnn.winograd_input {{.*}} {around = 0 : i64, center = 0 : i64, input_unsigned} : (tensor<1x18x18x16xui8>, tensor<1x8x8x256xsi16>)
// CHECK-DAG: dense<[0, 4, 8, 12, 16, 20, 24, 28]> : tensor<8xi16>
// CHECK-DAG: arith.constant {{.*}} : tensor<2304xi8>
// CHECK: qnn.packed_winograd {{.*}}dot = #qnn.dot<maddwd>, {{.*}}group_sizes = array<i64: 2>, high_halves, input_unsigned, x_max = 1020 : i64
// CHECK: qnn.winograd_input {{.*}} {around = 0 : i64, center = 0 : i64} : (tensor<1x18x18x16xsi8>, tensor<1x8x8x256xsi16>)
// CHECK: qnn.packed_winograd {{.*}}dot = #qnn.dot<maddwd>, {{.*}}group_sizes = array<i64: 2>, high_halves, x_max = 512 : i64
// VNNI-LABEL: func.func @winograd_words
// VNNI-NOT: winograd
// VNNI: return
func.func @winograd_words(%x: tensor<1x18x18x16xui8>, %s: tensor<1x18x18x16xsi8>) -> (tensor<1x16x16x16xsi32>, tensor<1x16x16x16xsi32>) {
  %w = arith.constant dense<100> : tensor<16x16x3x3xsi8>
  %a = qnn.conv %x, %w {channels_last, id = "a", x_zp = 0 : i64}
      : (tensor<1x18x18x16xui8>, tensor<16x16x3x3xsi8>) -> tensor<1x16x16x16xsi32>
  %b = qnn.conv %s, %w {channels_last, id = "b", x_zp = 0 : i64}
      : (tensor<1x18x18x16xsi8>, tensor<16x16x3x3xsi8>) -> tensor<1x16x16x16xsi32>
  return %a, %b : tensor<1x16x16x16xsi32>, tensor<1x16x16x16xsi32>
}

// -----

// One tile is not enough for what its weights cost.
// CHECK-LABEL: func.func @winograd_loses
// CHECK-NOT: winograd
// CHECK: return
func.func @winograd_loses(%x: tensor<1x4x4x16xui8>) -> tensor<1x2x2x16xsi32> {
  %w = arith.constant dense<30> : tensor<16x16x3x3xsi8>
  %a = qnn.conv %x, %w {channels_last, id = "a", x_zp = 0 : i64}
      : (tensor<1x4x4x16xui8>, tensor<16x16x3x3xsi8>) -> tensor<1x2x2x16xsi32>
  return %a : tensor<1x2x2x16xsi32>
}

// -----

// 2185 * 2^19 / 2^34 is 2185 / 2^15: the products with sums of 4 * 255 * 3 - 84 fit 32 bits. 2^14 rounds, 3 * 2^15 is
// the zero point. Sums that widen by (2185, 2185) start from -84 * 2185 and both.
// VNNI-LABEL: func.func @short_products
// VNNI-DAG: arith.constant dense<{{\[\[}}-84, {{.*}}-84], [2185, {{.*}}2185], [15, {{.*}}15], [114688, {{.*}}114688]]> : tensor<4x16xi32>
// VNNI: qnn.packed_conv
// VNNI-NOT: high_halves
// VNNI-NOT: scaled_sums
// VNNI-SAME: short_products
// CHECK-LABEL: func.func @short_products
// CHECK-DAG: arith.constant dense<{{\[\[}}-68852, {{.*}}-68852], [143198345, {{.*}}143198345], [15, {{.*}}15]]> : tensor<3x16xi32>
// CHECK: qnn.packed_conv
// CHECK-NOT: high_halves
// CHECK-SAME: scaled_sums, short_products
func.func @short_products(%x: tensor<1x4x4x4xui8>) -> tensor<1x4x4x16xui8> {
  %w = arith.constant dense<3> : tensor<16x4x1x1xsi8>
  %b = arith.constant dense<-84> : tensor<16xsi32>
  %a = qnn.conv %x, %w, %b {channels_last, id = "c", x_zp = 7 : i64}
      : (tensor<1x4x4x4xui8>, tensor<16x4x1x1xsi8>, tensor<16xsi32>) -> tensor<1x4x4x16xsi32>
  %y = qnn.requantize %a {id = "c", multiplier = dense<1145569280> : tensor<i32>, exponent = dense<34> : tensor<i32>,
      zero_point = 3 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>}
      : (tensor<1x4x4x16xsi32>) -> tensor<1x4x4x16xui8>
  return %y : tensor<1x4x4x16xui8>
}

// -----

// Both multipliers of an addition over one power of two: 2185 / 2^15 and 3277 / 2^12.
// CHECK-LABEL: func.func @short_sum
// VNNI-LABEL: func.func @short_sum
// VNNI-DAG: [2185, {{.*}}2185], [15, {{.*}}15], [26216, {{.*}}26216], [114688, {{.*}}114688]]> : tensor<5x16xi32>
// VNNI: qnn.packed_conv {{.*}} short_products
// CHECK-DAG: [143198345, {{.*}}143198345], [15, {{.*}}15], [26216, {{.*}}26216]]> : tensor<4x16xi32>
// CHECK: qnn.packed_conv {{.*}} scaled_sums, short_products
func.func @short_sum(%x: tensor<1x4x4x4xui8>, %r: tensor<1x4x4x16xui8>) -> tensor<1x4x4x16xui8> {
  %w = arith.constant dense<3> : tensor<16x4x1x1xsi8>
  %a = qnn.conv %x, %w {channels_last, id = "c", x_zp = 7 : i64}
      : (tensor<1x4x4x4xui8>, tensor<16x4x1x1xsi8>) -> tensor<1x4x4x16xsi32>
  %y = qnn.add %a, %r {id = "s", a_multiplier = dense<143196160> : tensor<i32>, b_multiplier = dense<1718091776> : tensor<i32>,
      exponent = dense<31> : tensor<i32>, a_zp = 0 : i64, b_zp = 3 : i64, zero_point = 3 : i64, clamp = array<i64: 0, 255>,
      rounding = #qnn.rounding<half_up>} : (tensor<1x4x4x16xsi32>, tensor<1x4x4x16xui8>) -> tensor<1x4x4x16xui8>
  return %y : tensor<1x4x4x16xui8>
}

// -----

// Nibbles' sums widen by (m, 16 m), so m has 11 bits: 2047 does, 2049 does not.
// CHECK-LABEL: func.func @short_depthwise
// CHECK-DAG: [2146437119, {{.*}}2146437119], [15, {{.*}}15]]> : tensor<3x32xi32>
// CHECK: qnn.packed_depthwise {{.*}} scaled_sums, short_products
// CHECK-NOT: scaled_sums
// CHECK: qnn.packed_depthwise {{.*}} short_products
func.func @short_depthwise(%x: tensor<1x4x4x32xui8>) -> (tensor<1x4x4x32xui8>, tensor<1x4x4x32xui8>) {
  %w = arith.constant dense<100> : tensor<32x1x1x1xsi8>
  %a = qnn.conv %x, %w {channels_last, id = "a", group = 32 : i64, x_zp = 0 : i64}
      : (tensor<1x4x4x32xui8>, tensor<32x1x1x1xsi8>) -> tensor<1x4x4x32xsi32>
  %y = qnn.requantize %a {id = "a", multiplier = dense<2146435072> : tensor<i32>, exponent = dense<35> : tensor<i32>,
      zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>}
      : (tensor<1x4x4x32xsi32>) -> tensor<1x4x4x32xui8>
  %b = qnn.conv %x, %w {channels_last, id = "b", group = 32 : i64, x_zp = 0 : i64}
      : (tensor<1x4x4x32xui8>, tensor<32x1x1x1xsi8>) -> tensor<1x4x4x32xsi32>
  %z = qnn.requantize %b {id = "b", multiplier = dense<1074266112> : tensor<i32>, exponent = dense<34> : tensor<i32>,
      zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>}
      : (tensor<1x4x4x32xsi32>) -> tensor<1x4x4x32xui8>
  return %y, %z : tensor<1x4x4x32xui8>, tensor<1x4x4x32xui8>
}

// -----

// A single position reads every weight once: one loop takes block after block, in their order, and what pairs of 100 and
// 100 exceed 16 bits by, 72, comes last.
// CHECK-LABEL: func.func @single
// CHECK-DAG: arith.constant dense<[0, 4, 0]> : tensor<3xi16>
// CHECK-DAG: arith.constant dense<{{\[\[}}0, 0, 3]]> : tensor<1x3xi32>
// CHECK: qnn.packed_conv {{.*}}group_sizes = array<i64: 1>
func.func @single(%x: tensor<1x1x1x8xui8>) -> tensor<1x1x1x16xsi32> {
  %w = arith.constant dense<"0x6464010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101010101"> : tensor<16x8x1x1xsi8>
  %y = qnn.conv %x, %w {channels_last, id = "c", x_zp = 0 : i64}
      : (tensor<1x1x1x8xui8>, tensor<16x8x1x1xsi8>) -> tensor<1x1x1x16xsi32>
  return %y : tensor<1x1x1x16xsi32>
}

// -----

// Not for ties to even.
// CHECK-LABEL: func.func @even
// CHECK-NOT: short_products
// CHECK: return
func.func @even(%x: tensor<1x4x4x4xui8>) -> tensor<1x4x4x16xui8> {
  %w = arith.constant dense<3> : tensor<16x4x1x1xsi8>
  %a = qnn.conv %x, %w {channels_last, id = "c", x_zp = 7 : i64}
      : (tensor<1x4x4x4xui8>, tensor<16x4x1x1xsi8>) -> tensor<1x4x4x16xsi32>
  %y = qnn.requantize %a {id = "c", multiplier = dense<1145569280> : tensor<i32>, exponent = dense<34> : tensor<i32>,
      zero_point = 3 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_even>}
      : (tensor<1x4x4x16xsi32>) -> tensor<1x4x4x16xui8>
  return %y : tensor<1x4x4x16xui8>
}
