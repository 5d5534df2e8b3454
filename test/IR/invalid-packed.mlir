// RUN: quant-opt %s -split-input-file -verify-diagnostics

// The plan is proven again from the weights: 2 * 65 * 255 is beyond 2^15.
func.func @overflow(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<65> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{panel 0: the sum of 2 products can leave 16 bits, expected smaller groups}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, groups = 1 : i64, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

func.func @group(%x: tensor<1x1x3x8xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<40> : tensor<128xi8>
  %o = arith.constant dense<[0, 4]> : tensor<2xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{panel 0: the sum of 4 products can leave 16 bits, expected smaller groups}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 2>, groups = 1 : i64, line = 24 : i64, pixel = 8 : i64, x_max = 255 : i64} : (tensor<1x1x3x8xui8>, tensor<128xi8>, tensor<2xi32>, tensor<1x3xi32>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

func.func @beyond(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<1> : tensor<64xi8>
  %o = arith.constant dense<1> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{offset 1 reads beyond the input}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, groups = 1 : i64, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

func.func @rows(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<1> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{'rows' is 13, expected 0 to 12}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, groups = 1 : i64, line = 12 : i64, pixel = 4 : i64, rows = 13 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

func.func @exponent(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8> {
  %w = arith.constant dense<1> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<32> : tensor<3x16xi32>
  // expected-error@+1 {{exponent 32, expected one from 33 to 62}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {clamp = array<i64: 0, 255>, dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<requantize>, group_sizes = array<i64: 1>, groups = 1 : i64, high_halves, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<3x16xi32>, tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8>
  return %y : tensor<1x1x3x16xui8>
}

// -----

func.func @blocks(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<1> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 2]]> : tensor<1x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{panel 0 has more blocks than there are weights}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, groups = 1 : i64, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

func.func @depthwise(%x: tensor<1x1x3x16xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<1> : tensor<16xi16>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{weights of type 'tensor<16xi16>', expected 32 16-bit numbers}}
  %y = qnn.packed_depthwise ins(%x, %w, %c) outs(%d) {dot = #qnn.dot<maddwd>, epilogue = #qnn.epilogue<store>, input_unsigned, line = 48 : i64, offsets = array<i64: 0, -1>, pixel = 16 : i64} : (tensor<1x1x3x16xui8>, tensor<16xi16>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

func.func @bytes(%x: tensor<1x1x3x16xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<1> : tensor<16xi16>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{multiplies by 'sdot', expected maddubs, dpbusd or an instruction for 16-bit numbers}}
  %y = qnn.packed_depthwise ins(%x, %w, %c) outs(%d) {dot = #qnn.dot<sdot>, epilogue = #qnn.epilogue<store>, input_unsigned, line = 48 : i64, offsets = array<i64: 0, -1>, pixel = 16 : i64} : (tensor<1x1x3x16xui8>, tensor<16xi16>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

// 16 * 9 * 255 is beyond 2^15; 16 * 8 * 255 is not.
func.func @long_group(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<9> : tensor<512xi8>
  %o = arith.constant dense<0> : tensor<8xi16>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{panel 0: the sum of 16 products can leave 16 bits, expected smaller groups}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 8>, groups = 1 : i64, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<512xi8>, tensor<8xi16>, tensor<1x3xi32>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

func.func @odd_group(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<1> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{groups of 6 blocks, expected at most 4, with maddubs also multiples of it}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 6>, groups = 1 : i64, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

func.func @long_group_of_dpbusd(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<1> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{groups of 8 blocks, expected at most 4, with maddubs also multiples of it}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {dot = #qnn.dot<dpbusd>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 8>, groups = 1 : i64, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

func.func @narrow_offsets(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<1> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi8>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{offsets of type 'tensor<1xi8>', expected 16 or 32-bit numbers}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, groups = 1 : i64, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi8>, tensor<1x3xi32>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

func.func @start(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<1> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[1, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{panel 0 starts at block 1, expected 0}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, groups = 1 : i64, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

func.func @more_than_offsets(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<1> : tensor<128xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 2]]> : tensor<1x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{panel 0 has more blocks than there are offsets}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, groups = 1 : i64, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<128xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

func.func @shifted(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<1> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 1, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{panel 0 has more blocks than there are offsets}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, groups = 1 : i64, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

func.func @rest(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<1> : tensor<128xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{1 blocks in panels, expected 2 as there are weights}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, groups = 1 : i64, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<128xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

func.func @tiles(%x: tensor<1x5x6x16xui8>, %d: tensor<1x2x2x256xui8>) -> tensor<1x2x2x256xui8> {
  // expected-error@+1 {{input and destination have shapes [1, 5, 6, 16] and [1, 2, 2, 256], expected [N, H, W, C] and [N, TH, TW, 16 * C] with H >= 2 TH + 2 and W >= 2 TW + 2}}
  %y = qnn.winograd_input ins(%x) outs(%d) {center = 0 : i64, around = 30 : i64} : (tensor<1x5x6x16xui8>, tensor<1x2x2x256xui8>) -> tensor<1x2x2x256xui8>
  return %y : tensor<1x2x2x256xui8>
}

// -----

func.func @tile_bits(%x: tensor<1x6x6x16xsi16>, %d: tensor<1x2x2x256xui8>) -> tensor<1x2x2x256xui8> {
  // expected-error@+1 {{numbers of 16 and 8 bits, expected 8}}
  %y = qnn.winograd_input ins(%x) outs(%d) {center = 0 : i64, around = 30 : i64} : (tensor<1x6x6x16xsi16>, tensor<1x2x2x256xui8>) -> tensor<1x2x2x256xui8>
  return %y : tensor<1x2x2x256xui8>
}

// -----

func.func @tile_count(%x: tensor<1x1x1x64xui8>, %d: tensor<1x3x2x16xsi32>) -> tensor<1x3x2x16xsi32> {
  %w = arith.constant dense<1> : tensor<1024xi8>
  %o = arith.constant dense<0> : tensor<1xi16>
  %p = arith.constant dense<[[0, 0, 1], [1, 0, 1], [2, 0, 1], [3, 0, 1], [4, 0, 1], [5, 0, 1], [6, 0, 1], [7, 0, 1], [8, 0, 1], [9, 0, 1], [10, 0, 1], [11, 0, 1], [12, 0, 1], [13, 0, 1], [14, 0, 1], [15, 0, 1]]> : tensor<16x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  %k = arith.constant dense<0> : tensor<4x16xi32>
  // expected-error@+1 {{tiles of shape [1, 1, 1, 64] with 16 rows of panels for a destination [1, 3, 2, 16], expected one tile for 2x2 positions and 16 rows a panel}}
  %y = qnn.packed_winograd ins(%x, %w, %o, %p, %c, %k) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, x_max = 255 : i64} : (tensor<1x1x1x64xui8>, tensor<1024xi8>, tensor<1xi16>, tensor<16x3xi32>, tensor<1x16xi32>, tensor<4x16xi32>, tensor<1x3x2x16xsi32>) -> tensor<1x3x2x16xsi32>
  return %y : tensor<1x3x2x16xsi32>
}

// -----

func.func @corrections(%x: tensor<1x1x1x64xui8>, %d: tensor<1x2x2x16xsi32>) -> tensor<1x2x2x16xsi32> {
  %w = arith.constant dense<1> : tensor<1024xi8>
  %o = arith.constant dense<0> : tensor<1xi16>
  %p = arith.constant dense<[[0, 0, 1], [1, 0, 1], [2, 0, 1], [3, 0, 1], [4, 0, 1], [5, 0, 1], [6, 0, 1], [7, 0, 1], [8, 0, 1], [9, 0, 1], [10, 0, 1], [11, 0, 1], [12, 0, 1], [13, 0, 1], [14, 0, 1], [15, 0, 1]]> : tensor<16x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  %k = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{'corrections' of type 'tensor<1x16xi32>', expected 4 x 16 32-bit numbers}}
  %y = qnn.packed_winograd ins(%x, %w, %o, %p, %c, %k) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, x_max = 255 : i64} : (tensor<1x1x1x64xui8>, tensor<1024xi8>, tensor<1xi16>, tensor<16x3xi32>, tensor<1x16xi32>, tensor<1x16xi32>, tensor<1x2x2x16xsi32>) -> tensor<1x2x2x16xsi32>
  return %y : tensor<1x2x2x16xsi32>
}

// -----

func.func @transformed_overflow(%x: tensor<1x1x1x64xui8>, %d: tensor<1x2x2x16xsi32>) -> tensor<1x2x2x16xsi32> {
  %w = arith.constant dense<14> : tensor<576xi8>
  %o = arith.constant dense<0> : tensor<1xi16>
  %p = arith.constant dense<[[0, 0, 1], [1, 0, 1], [2, 0, 1], [3, 0, 1], [4, 0, 1], [5, 0, 1], [6, 0, 1], [7, 0, 1], [8, 0, 1], [9, 0, 1], [10, 0, 1], [11, 0, 1], [12, 0, 1], [13, 0, 1], [14, 0, 1], [15, 0, 1]]> : tensor<16x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  %k = arith.constant dense<0> : tensor<4x16xi32>
  // expected-error@+1 {{panel 1: the sum of 2 products can leave 16 bits, expected smaller groups}}
  %y = qnn.packed_winograd ins(%x, %w, %o, %p, %c, %k) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, x_max = 255 : i64} : (tensor<1x1x1x64xui8>, tensor<576xi8>, tensor<1xi16>, tensor<16x3xi32>, tensor<1x16xi32>, tensor<4x16xi32>, tensor<1x2x2x16xsi32>) -> tensor<1x2x2x16xsi32>
  return %y : tensor<1x2x2x16xsi32>
}

// -----

func.func @transformed_beyond_bytes(%x: tensor<1x1x1x64xui8>, %d: tensor<1x2x2x16xsi32>) -> tensor<1x2x2x16xsi32> {
  %w = arith.constant dense<15> : tensor<576xi8>
  %o = arith.constant dense<0> : tensor<1xi16>
  %p = arith.constant dense<[[0, 0, 1], [1, 0, 1], [2, 0, 1], [3, 0, 1], [4, 0, 1], [5, 0, 1], [6, 0, 1], [7, 0, 1], [8, 0, 1], [9, 0, 1], [10, 0, 1], [11, 0, 1], [12, 0, 1], [13, 0, 1], [14, 0, 1], [15, 0, 1]]> : tensor<16x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  %k = arith.constant dense<0> : tensor<4x16xi32>
  // expected-error@+1 {{transformed weights leave 8 bits, expected smaller ones}}
  %y = qnn.packed_winograd ins(%x, %w, %o, %p, %c, %k) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, x_max = 255 : i64} : (tensor<1x1x1x64xui8>, tensor<576xi8>, tensor<1xi16>, tensor<16x3xi32>, tensor<1x16xi32>, tensor<4x16xi32>, tensor<1x2x2x16xsi32>) -> tensor<1x2x2x16xsi32>
  return %y : tensor<1x2x2x16xsi32>
}

// -----

func.func @taps(%x: tensor<1x1x1x64xui8>, %d: tensor<1x2x2x16xsi32>) -> tensor<1x2x2x16xsi32> {
  %w = arith.constant dense<65> : tensor<1024xi8>
  %o = arith.constant dense<0> : tensor<1xi16>
  %p = arith.constant dense<[[0, 0, 1], [1, 0, 1], [2, 0, 1], [3, 0, 1], [4, 0, 1], [5, 0, 1], [6, 0, 1], [7, 0, 1], [8, 0, 1], [9, 0, 1], [10, 0, 1], [11, 0, 1], [12, 0, 1], [13, 0, 1], [14, 0, 1], [15, 0, 1]]> : tensor<16x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  %k = arith.constant dense<0> : tensor<4x16xi32>
  // expected-error@+1 {{16 blocks of weights, expected as many for each of 9 positions of 1 panels}}
  %y = qnn.packed_winograd ins(%x, %w, %o, %p, %c, %k) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, x_max = 255 : i64} : (tensor<1x1x1x64xui8>, tensor<1024xi8>, tensor<1xi16>, tensor<16x3xi32>, tensor<1x16xi32>, tensor<4x16xi32>, tensor<1x2x2x16xsi32>) -> tensor<1x2x2x16xsi32>
  return %y : tensor<1x2x2x16xsi32>
}

// -----

// Two blocks of 4 bits share their bytes.
func.func @shared(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<1> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{groups of 1 blocks, expected multiples of 2, which share their bytes}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, groups = 1 : i64, line = 12 : i64, pixel = 4 : i64, weight_bits = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

func.func @three(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<1> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{weights of 3 bits, expected 8, or in numbers of 8 bits 4 or 2}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, groups = 1 : i64, line = 12 : i64, pixel = 4 : i64, weight_bits = 3 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

// The proof reads the weights as they are unpacked: 0x77 in every byte is -1 and -1, four blocks of which fit.
func.func @unpacked(%x: tensor<1x1x1x16xui8>, %d: tensor<1x1x1x16xsi32>) -> tensor<1x1x1x16xsi32> {
  %w = arith.constant dense<119> : tensor<128xi8>
  %o = arith.constant dense<[0, 4, 8, 12]> : tensor<4xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 4>, groups = 1 : i64, line = 16 : i64, pixel = 16 : i64, weight_bits = 4 : i64, x_max = 255 : i64} : (tensor<1x1x1x16xui8>, tensor<128xi8>, tensor<4xi32>, tensor<1x3xi32>, tensor<1x16xi32>, tensor<1x1x1x16xsi32>) -> tensor<1x1x1x16xsi32>
  return %y : tensor<1x1x1x16xsi32>
}

// -----

// Each half of the panel is proven by itself: the second has weights of 65.
func.func @half(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<"0x01010101010101010101010101010101010101010101010101010101010101014141414141414141414141414141414141414141414141414141414141414141"> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 1], [1, 0, 1]]> : tensor<2x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{panel 1: the sum of 2 products can leave 16 bits, expected smaller groups}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, groups = 1 : i64, halves, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<2x3xi32>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

func.func @one_half(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<1> : tensor<32xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{1 rows of panels, expected one for each half}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, groups = 1 : i64, halves, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<32xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

func.func @narrow_halves(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32> {
  %w = arith.constant dense<1> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<2xi32>
  %p = arith.constant dense<[[0, 0, 1], [2, 0, 1]]> : tensor<2x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  // expected-error@+1 {{'halves' with weights of 4 bits and 'maddubs', expected 8 and a dot of whole registers}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 2>, groups = 1 : i64, halves, line = 12 : i64, pixel = 4 : i64, weight_bits = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<2xi32>, tensor<2x3xi32>, tensor<1x16xi32>, tensor<1x1x3x16xsi32>) -> tensor<1x1x3x16xsi32>
  return %y : tensor<1x1x3x16xsi32>
}

// -----

// 4 products of 255 * 127 and 7, times 2^15: beyond 2^31.
func.func @sum_shift(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8> {
  %w = arith.constant dense<127> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<33> : tensor<3x16xi32>
  // expected-error@+1 {{'sum_shift' is 15 for numbers up to 129573, expected shifted ones of 32 bits}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {clamp = array<i64: 0, 255>, dot = #qnn.dot<dpbusd>, epilogue = #qnn.epilogue<requantize>, group_sizes = array<i64: 1>, groups = 1 : i64, high_halves, sum_shift = 15 : i64, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<3x16xi32>, tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8>
  return %y : tensor<1x1x3x16xui8>
}

// -----

func.func @residual_shift(%x: tensor<1x1x3x16xui8>, %r: tensor<1x1x3x16xui8>, %d: tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8> {
  %w = arith.constant dense<1> : tensor<32xi16>
  %c = arith.constant dense<40> : tensor<4x16xi32>
  // expected-error@+1 {{'residual_shift' is 23 for numbers up to 265, expected shifted ones of 32 bits}}
  %y = qnn.packed_depthwise ins(%x, %w, %c, %r) outs(%d) {clamp = array<i64: 0, 255>, dot = #qnn.dot<maddwd>, epilogue = #qnn.epilogue<add>, high_halves, residual_shift = 23 : i64, residual_zp = 9 : i64, residual_unsigned, input_unsigned, line = 48 : i64, offsets = array<i64: 0, -1>, pixel = 16 : i64} : (tensor<1x1x3x16xui8>, tensor<32xi16>, tensor<4x16xi32>, tensor<1x1x3x16xui8>, tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8>
  return %y : tensor<1x1x3x16xui8>
}

// -----

func.func @nibbles(%x: tensor<1x1x3x32xui8>, %d: tensor<1x1x3x32xui8>) -> tensor<1x1x3x32xui8> {
  %w = arith.constant dense<9> : tensor<64xi8>
  %c = arith.constant dense<40> : tensor<3x32xi32>
  // expected-error@+1 {{a nibble of a weight is 9 in magnitude, expected at most 8}}
  %y = qnn.packed_depthwise ins(%x, %w, %c) outs(%d) {clamp = array<i64: 0, 255>, dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<requantize>, high_halves, input_unsigned, line = 96 : i64, offsets = array<i64: 0, -1>, pixel = 32 : i64} : (tensor<1x1x3x32xui8>, tensor<64xi8>, tensor<3x32xi32>, tensor<1x1x3x32xui8>) -> tensor<1x1x3x32xui8>
  return %y : tensor<1x1x3x32xui8>
}

// -----

func.func @nibble_count(%x: tensor<1x1x3x32xui8>, %d: tensor<1x1x3x32xui8>) -> tensor<1x1x3x32xui8> {
  %w = arith.constant dense<1> : tensor<96xi8>
  %c = arith.constant dense<40> : tensor<3x32xi32>
  // expected-error@+1 {{weights of type 'tensor<96xi8>', expected 64 (or two for each) 8-bit numbers}}
  %y = qnn.packed_depthwise ins(%x, %w, %c) outs(%d) {clamp = array<i64: 0, 255>, dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<requantize>, high_halves, input_unsigned, line = 96 : i64, offsets = array<i64: 0, -1>, pixel = 32 : i64} : (tensor<1x1x3x32xui8>, tensor<96xi8>, tensor<3x32xi32>, tensor<1x1x3x32xui8>) -> tensor<1x1x3x32xui8>
  return %y : tensor<1x1x3x32xui8>
}

// -----

// A sum of 4 products of 255 * 127 times 2^15 is beyond 2^31.
func.func @long_products(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8> {
  %w = arith.constant dense<127> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<"0x00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000008000000080000000800000008000000080000000800000008000000080000000800000008000000080000000800000008000000080000000800000008000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F00000000400000004000000040000000400000004000000040000000400000004000000040000000400000004000000040000000400000004000000040000000400000"> : tensor<4x16xi32>
  // expected-error@+1 {{column 0: short products can leave 32 bits, expected fewer bits of multipliers}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {clamp = array<i64: 0, 255>, dot = #qnn.dot<dpbusd>, epilogue = #qnn.epilogue<requantize>, group_sizes = array<i64: 1>, groups = 1 : i64, short_products, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<4x16xi32>, tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8>
  return %y : tensor<1x1x3x16xui8>
}

// -----

func.func @rounder(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8> {
  %w = arith.constant dense<127> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<7> : tensor<4x16xi32>
  // expected-error@+1 {{column 0: 7 rounds a division by 2^7 to a zero point of 0, expected 64}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {clamp = array<i64: 0, 255>, dot = #qnn.dot<dpbusd>, epilogue = #qnn.epilogue<requantize>, group_sizes = array<i64: 1>, groups = 1 : i64, short_products, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<4x16xi32>, tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8>
  return %y : tensor<1x1x3x16xui8>
}

// -----

func.func @short_high_halves(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8> {
  %w = arith.constant dense<127> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<33> : tensor<4x16xi32>
  // expected-error@+1 {{'short_products' with epilogue 'requantize', expected requantize or add, rounded half up, without 'high_halves' and shifts}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {clamp = array<i64: 0, 255>, dot = #qnn.dot<dpbusd>, epilogue = #qnn.epilogue<requantize>, group_sizes = array<i64: 1>, groups = 1 : i64, high_halves, short_products, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<4x16xi32>, tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8>
  return %y : tensor<1x1x3x16xui8>
}

// -----

func.func @scaled_fours(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8> {
  %w = arith.constant dense<1> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<15> : tensor<3x16xi32>
  // expected-error@+1 {{'scaled_sums' with 'dpbusd', expected 'maddubs' and 'short_products'}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {clamp = array<i64: 0, 255>, dot = #qnn.dot<dpbusd>, epilogue = #qnn.epilogue<requantize>, group_sizes = array<i64: 1>, groups = 1 : i64, scaled_sums, short_products, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<3x16xi32>, tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8>
  return %y : tensor<1x1x3x16xui8>
}

// -----

func.func @scaled_long(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8> {
  %w = arith.constant dense<1> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<15> : tensor<3x16xi32>
  // expected-error@+1 {{'scaled_sums' with 'maddubs' and long products, expected 'maddubs' and 'short_products'}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {clamp = array<i64: 0, 255>, dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<requantize>, group_sizes = array<i64: 1>, groups = 1 : i64, scaled_sums, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<3x16xi32>, tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8>
  return %y : tensor<1x1x3x16xui8>
}

// -----

// Sums of 4 * 255 * 64 times 2047 fit next to 2^31 - 4 * 255 * 64 * 2047 - 1, and not next to one more.
func.func @scaled_widely(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8> {
  %w = arith.constant dense<64> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<"0x00FF087800FF087800FF087800FF087800FF087800FF087800FF087800FF087800FF087800FF087800FF087800FF087800FF087800FF087800FF087800FF0878FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF07FF070F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F000000"> : tensor<3x16xi32>
  // expected-error@+1 {{column 0: short products can leave 32 bits, expected fewer bits of multipliers}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {clamp = array<i64: 0, 255>, dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<requantize>, group_sizes = array<i64: 1>, groups = 1 : i64, scaled_sums, short_products, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<3x16xi32>, tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8>
  return %y : tensor<1x1x3x16xui8>
}

// -----

// Both 16-bit halves of a sum count the same.
func.func @scaled_unequally(%x: tensor<1x1x3x4xui8>, %d: tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8> {
  %w = arith.constant dense<1> : tensor<64xi8>
  %o = arith.constant dense<0> : tensor<1xi32>
  %p = arith.constant dense<[[0, 0, 1]]> : tensor<1x3xi32>
  %c = arith.constant dense<"0x00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000FE07FF07FE07FF07FE07FF07FE07FF07FE07FF07FE07FF07FE07FF07FE07FF07FE07FF07FE07FF07FE07FF07FE07FF07FE07FF07FE07FF07FE07FF07FE07FF070F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F0000000F000000"> : tensor<3x16xi32>
  // expected-error@+1 {{column 0: sums widen by 2046 and 2047, expected 1 times the first as the second}}
  %y = qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%d) {clamp = array<i64: 0, 255>, dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<requantize>, group_sizes = array<i64: 1>, groups = 1 : i64, scaled_sums, short_products, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (tensor<1x1x3x4xui8>, tensor<64xi8>, tensor<1xi32>, tensor<1x3xi32>, tensor<3x16xi32>, tensor<1x1x3x16xui8>) -> tensor<1x1x3x16xui8>
  return %y : tensor<1x1x3x16xui8>
}

// -----

func.func @winograd_dot(%x: tensor<1x1x1x64xsi16>, %d: tensor<1x2x2x16xsi32>) -> tensor<1x2x2x16xsi32> {
  %w = arith.constant dense<1> : tensor<576xi8>
  %o = arith.constant dense<0> : tensor<1xi16>
  %p = arith.constant dense<[[0, 0, 1], [1, 0, 1], [2, 0, 1], [3, 0, 1], [4, 0, 1], [5, 0, 1], [6, 0, 1], [7, 0, 1], [8, 0, 1], [9, 0, 1], [10, 0, 1], [11, 0, 1], [12, 0, 1], [13, 0, 1], [14, 0, 1], [15, 0, 1]]> : tensor<16x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  %k = arith.constant dense<0> : tensor<4x16xi32>
  // expected-error@+1 {{multiplies by 'mlal', expected maddwd or an instruction for 8-bit numbers}}
  %y = qnn.packed_winograd ins(%x, %w, %o, %p, %c, %k) outs(%d) {dot = #qnn.dot<mlal>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, x_max = 1020 : i64} : (tensor<1x1x1x64xsi16>, tensor<576xi8>, tensor<1xi16>, tensor<16x3xi32>, tensor<1x16xi32>, tensor<4x16xi32>, tensor<1x2x2x16xsi32>) -> tensor<1x2x2x16xsi32>
  return %y : tensor<1x2x2x16xsi32>
}

// -----

func.func @winograd_widths(%x: tensor<1x1x1x64xsi16>, %d: tensor<1x2x2x16xsi32>) -> tensor<1x2x2x16xsi32> {
  %w = arith.constant dense<1> : tensor<576xi16>
  %o = arith.constant dense<0> : tensor<1xi16>
  %p = arith.constant dense<[[0, 0, 1], [1, 0, 1], [2, 0, 1], [3, 0, 1], [4, 0, 1], [5, 0, 1], [6, 0, 1], [7, 0, 1], [8, 0, 1], [9, 0, 1], [10, 0, 1], [11, 0, 1], [12, 0, 1], [13, 0, 1], [14, 0, 1], [15, 0, 1]]> : tensor<16x3xi32>
  %c = arith.constant dense<0> : tensor<1x16xi32>
  %k = arith.constant dense<0> : tensor<4x16xi32>
  // expected-error@+1 {{input of type 'tensor<1x1x1x64xsi16>' and weights of type 'tensor<576xi16>', expected numbers of 16 and 8 bits}}
  %y = qnn.packed_winograd ins(%x, %w, %o, %p, %c, %k) outs(%d) {dot = #qnn.dot<maddwd>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, x_max = 1020 : i64} : (tensor<1x1x1x64xsi16>, tensor<576xi16>, tensor<1xi16>, tensor<16x3xi32>, tensor<1x16xi32>, tensor<4x16xi32>, tensor<1x2x2x16xsi32>) -> tensor<1x2x2x16xsi32>
  return %y : tensor<1x2x2x16xsi32>
}
