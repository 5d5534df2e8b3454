// RUN: quant-opt %s --quant-rewrite-dyadic -split-input-file | FileCheck %s
// RUN: quant-opt %s --quant-rewrite-dyadic=rounding=half_even -split-input-file | FileCheck %s --check-prefix=EVEN

!x = !quant.uniform<u8:f32, 0.5:10>
!w = !quant.uniform<i4<-7:7>:f32:1, {0.25, 0.5}>
!y = !quant.uniform<i8:f32, 1.0:-3>

// Four bits become bytes with their sign. Without a bias the zero point's share is left:
// -10 * (-7 + 1) and -10 * (7 - 1). The columns are the last dimension: no dimension after it.
// CHECK-LABEL: @matmul
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[}}-7, 7], [1, -1]]> : tensor<2x2xsi8>
// CHECK-DAG: %[[B:.*]] = arith.constant dense<[60, -60]> : tensor<2xsi32>
// CHECK: %[[A:.*]] = qnn.matmul %arg0, %[[W]], %[[B]] {id = "m", x_zp = 10 : i64} : (tensor<1x3x2xui8>, tensor<2x2xsi8>, tensor<2xsi32>) -> tensor<1x3x2xsi32>
// CHECK: qnn.requantize %[[A]] {clamp = array<i64: -128, 127>, exponent = dense<[33, 32]> : tensor<2xi32>, id = "m", multiplier = dense<1073741824> : tensor<2xi32>, rounding = #qnn.rounding<half_up>, zero_point = -3 : i64} : (tensor<1x3x2xsi32>) -> tensor<1x3x2xsi8>
func.func @matmul(%x: tensor<1x3x2x!x> {qnn.name = "x"}) -> tensor<1x3x2x!y> {
  %c = arith.constant dense<[[-7, 7], [1, -1]]> : tensor<2x2xi4>
  %w = quant.scast %c : tensor<2x2xi4> to tensor<2x2x!w>
  %y = qnn.matmul %x, %w {id = "m"} : (tensor<1x3x2x!x>, tensor<2x2x!w>) -> tensor<1x3x2x!y>
  return %y : tensor<1x3x2x!y>
}

// -----

!x = !quant.uniform<u8:f32, 0.5>
!w = !quant.uniform<i8<-127:127>:f32, 0.25>
!y = !quant.uniform<u8:f32, 1.0>

// A bias over Sx * Sw = 1/8, ties to even: 1.5 and 2.5 are 2. One scale for all channels.
// CHECK-LABEL: @bias
// CHECK: arith.constant dense<2> : tensor<2xsi32>
// CHECK: qnn.conv {{.*}} {dilations = array<i64: 2>, group = 2 : i64, id = "c", pads = array<i64: 1, 1>, strides = array<i64: 1>, x_zp = 0 : i64}
// CHECK: qnn.requantize {{.*}}exponent = dense<33> : tensor<2x1xi32>
func.func @bias(%x: tensor<1x2x4x!x> {qnn.name = "x"}) -> tensor<1x2x4x!y> {
  %c = arith.constant dense<1> : tensor<2x1x2xi8>
  %w = quant.scast %c : tensor<2x1x2xi8> to tensor<2x1x2x!w>
  %b = arith.constant dense<[0.1875, 0.3125]> : tensor<2xf32>
  %y = qnn.conv %x, %w, %b {id = "c", group = 2 : i64, dilations = array<i64: 2>, pads = array<i64: 1, 1>, strides = array<i64: 1>} : (tensor<1x2x4x!x>, tensor<2x1x2x!w>, tensor<2xf32>) -> tensor<1x2x4x!y>
  return %y : tensor<1x2x4x!y>
}

// -----

!x = !quant.uniform<u8:f32, 0.5:10>
!w = !quant.uniform<i8<-127:127>:f32:0, {0.25, 0.5}>
!a = !quant.uniform<i32:f32:1, {0.125, 0.25}>

// An output from the accumulator: no requantization, the scales at the exit.
// CHECK-LABEL: @exit
// CHECK: %[[A:.*]] = qnn.conv
// CHECK-NOT: qnn.requantize
// CHECK: qnn.dequantize %[[A]] {scale = dense<{{\[\[}}1.250000e-01], [2.500000e-01]]> : tensor<2x1xf32>} : (tensor<1x2x4xsi32>) -> tensor<1x2x4xf32>
func.func @exit(%x: tensor<1x2x4x!x> {qnn.name = "x"}) -> (tensor<1x2x4xf32> {qnn.name = "c"}) {
  %c = arith.constant dense<1> : tensor<2x2x1xi8>
  %w = quant.scast %c : tensor<2x2x1xi8> to tensor<2x2x1x!w>
  %y = qnn.conv %x, %w {id = "c"} : (tensor<1x2x4x!x>, tensor<2x2x1x!w>) -> tensor<1x2x4x!a>
  %d = quant.dcast %y : tensor<1x2x4x!a> to tensor<1x2x4xf32>
  return %d : tensor<1x2x4xf32>
}

// -----

!x = !quant.uniform<u8:f32, 0.5:10>
!y = !quant.uniform<u8:f32, 1.0:3>
!z = !quant.uniform<u8:f32, 1.0e-10>

// A change of scale, with the clamp of an activation cut to what the type stores. A ratio
// below 2^-32 is 0.
// CHECK-LABEL: @requantize
// CHECK: qnn.requantize %arg0 {clamp = array<i64: 3, 255>, exponent = dense<31> : tensor<i32>, id = "r", multiplier = dense<1073741824> : tensor<i32>, rounding = #qnn.rounding<half_up>, x_zp = 10 : i64, zero_point = 3 : i64} : (tensor<4xui8>) -> tensor<4xui8>
// CHECK: qnn.requantize %arg1 {clamp = array<i64: 0, 255>, exponent = dense<1> : tensor<i32>, id = "z", multiplier = dense<0> : tensor<i32>
// EVEN-LABEL: @requantize
// EVEN: rounding = #qnn.rounding<half_even>
// EVEN: rounding = #qnn.rounding<half_even>
func.func @requantize(%x: tensor<4x!x> {qnn.name = "x"}, %z: tensor<4x!z> {qnn.name = "z"}) -> (tensor<4x!y>, tensor<4x!y>) {
  %y = qnn.requantize %x {id = "r", clamp = array<i64: 3, 1000>} : (tensor<4x!x>) -> tensor<4x!y>
  %s = qnn.requantize %z {id = "z"} : (tensor<4x!z>) -> tensor<4x!y>
  return %y, %s : tensor<4x!y>, tensor<4x!y>
}

// -----

!x = !quant.uniform<u8:f32, 1.0>
!a = !quant.uniform<i32:f32:1, {0.5, 2.0}>

// A residual sum: one pair of numbers a channel over one exponent, and the accumulator
// as it is. 1/2 and 1 are 2^29 and 2^30 over 2^30; 2 and 1 are 2^30 and 2^29 over 2^29.
// CHECK-LABEL: @residual
// CHECK: qnn.add %arg0, %arg1 {a_multiplier = dense<{{\[\[}}536870912], [1073741824]]> : tensor<2x1xi32>, a_zp = 0 : i64, b_multiplier = dense<{{\[\[}}1073741824], [536870912]]> : tensor<2x1xi32>, b_zp = 0 : i64, clamp = array<i64: 0, 255>, exponent = dense<{{\[\[}}30], [29]]> : tensor<2x1xi32>, id = "s"
// CHECK-SAME: (tensor<1x2x3xsi32>, tensor<1x2x3xui8>) -> tensor<1x2x3xui8>
// An accumulator rescaled, one pair a channel.
// CHECK: qnn.requantize %arg0 {{.*}}exponent = dense<{{\[\[}}31], [29]]> : tensor<2x1xi32>, id = "q", multiplier = dense<1073741824> : tensor<2x1xi32>
// EVEN-LABEL: @residual
// EVEN: qnn.add {{.*}}rounding = #qnn.rounding<half_even>
func.func @residual(%a: tensor<1x2x3x!a> {qnn.name = "a"}, %x: tensor<1x2x3x!x> {qnn.name = "x"}) -> (tensor<1x2x3x!x>, tensor<1x2x3x!x>) {
  %y = qnn.add %a, %x {id = "s"} : (tensor<1x2x3x!a>, tensor<1x2x3x!x>) -> tensor<1x2x3x!x>
  %z = qnn.requantize %a {id = "q"} : (tensor<1x2x3x!a>) -> tensor<1x2x3x!x>
  return %y, %z : tensor<1x2x3x!x>, tensor<1x2x3x!x>
}

// -----

!a = !quant.uniform<i32:f32, 4.656612870908988e-10>
!y = !quant.uniform<u8:f32, 1.0>

// (2^31 - 1) / 2^62 twice, for sums of 2^31 each: with 2^61 for the rounding they would
// reach 2^63. One bit of the exponent less is 2^30 each, ties to even.
// CHECK-LABEL: @room
// CHECK: a_multiplier = dense<1073741824> : tensor<i32>
// CHECK-SAME: b_multiplier = dense<1073741824> : tensor<i32>
// CHECK-SAME: exponent = dense<61> : tensor<i32>
func.func @room(%a: tensor<4x!a> {qnn.name = "a"}) -> tensor<4x!y> {
  %y = qnn.add %a, %a : (tensor<4x!a>, tensor<4x!a>) -> tensor<4x!y>
  return %y : tensor<4x!y>
}

// -----

!x = !quant.uniform<u8:f32, 1.0>
!c = !quant.uniform<u4:f32, 1.0>

// Unsigned numbers of a constant are unsigned again: -1 of 8 bits is 255, of 4 bits 15.
// CHECK-LABEL: @constants
// CHECK-DAG: %[[C:.*]] = arith.constant dense<[0, 128, 255]> : tensor<3xui8>
// CHECK-DAG: %[[D:.*]] = arith.constant dense<[15, 7, 8]> : tensor<3xui8>
// CHECK: qnn.add %[[C]], %[[D]]
func.func @constants() -> tensor<3x!x> {
  %0 = arith.constant dense<[0, -128, -1]> : tensor<3xi8>
  %1 = quant.scast %0 : tensor<3xi8> to tensor<3x!x>
  %2 = arith.constant dense<[-1, 7, -8]> : tensor<3xi4>
  %3 = quant.scast %2 : tensor<3xi4> to tensor<3x!c>
  %y = qnn.add %1, %3 : (tensor<3x!x>, tensor<3x!c>) -> tensor<3x!x>
  return %y : tensor<3x!x>
}

// -----

!x = !quant.uniform<u8:f32, 1.0:5>
!a = !quant.uniform<i32:f32, 0.25>

// Windows of one size need one pair of numbers: 1 / 4 is 2^30 / 2^32.
// CHECK-LABEL: @pools
// CHECK: %[[S:.*]] = qnn.avg_pool %arg0 {id = "p", kernel = array<i64: 4>, x_zp = 5 : i64} : (tensor<1x1x8xui8>) -> tensor<1x1x5xsi32>
// CHECK: qnn.requantize %[[S]] {clamp = array<i64: 0, 255>, exponent = dense<32> : tensor<i32>, id = "p", multiplier = dense<1073741824> : tensor<i32>, {{.*}}zero_point = 5 : i64}
// The sum as an output.
// CHECK: %[[T:.*]] = qnn.avg_pool
// CHECK: qnn.dequantize %[[T]] {scale = dense<2.500000e-01> : tensor<f32>}
// CHECK: qnn.max_pool {{.*}} : (tensor<1x1x8xui8>) -> tensor<1x1x5xui8>
func.func @pools(%x: tensor<1x1x8x!x> {qnn.name = "x"}) -> (tensor<1x1x5x!x>, tensor<1x1x5xf32>, tensor<1x1x5x!x>) {
  %0 = qnn.avg_pool %x {id = "p", kernel = array<i64: 4>} : (tensor<1x1x8x!x>) -> tensor<1x1x5x!x>
  %1 = qnn.avg_pool %x {id = "q", kernel = array<i64: 4>} : (tensor<1x1x8x!x>) -> tensor<1x1x5x!a>
  %2 = quant.dcast %1 : tensor<1x1x5x!a> to tensor<1x1x5xf32>
  %3 = qnn.max_pool %x {kernel = array<i64: 4>} : (tensor<1x1x8x!x>) -> tensor<1x1x5x!x>
  return %0, %2, %3 : tensor<1x1x5x!x>, tensor<1x1x5xf32>, tensor<1x1x5x!x>
}

// -----

!s = !quant.uniform<i16:f32, 0.5:-7>
!u = !quant.uniform<u12:f32, 0.25>

// A float layer stays between an exit and an entry, which carries its id; the entries
// clamp to the width, not to the type that stores it.
// CHECK-LABEL: @island
// CHECK: %[[Q:.*]] = qnn.quantize %arg0 {clamp = array<i64: -32768, 32767>, id = "x", scale = 5.000000e-01 : f32, zero_point = -7 : i64} : (tensor<4xf32>) -> tensor<4xsi16>
// CHECK: %[[D:.*]] = qnn.dequantize %[[Q]] {scale = dense<5.000000e-01> : tensor<f32>, zero_point = -7 : i64}
// CHECK: %[[F:.*]] = qnn.add %[[D]], %[[D]] {id = "f"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
// CHECK: %[[R:.*]] = qnn.relu %[[F]]
// CHECK: qnn.quantize %[[R]] {clamp = array<i64: 0, 4095>, id = "f", scale = 2.500000e-01 : f32, zero_point = 0 : i64} : (tensor<4xf32>) -> tensor<4xui16>
func.func @island(%x: tensor<4xf32> {qnn.name = "x"}) -> (tensor<4x!u> {qnn.name = "y"}) {
  %q = quant.qcast %x : tensor<4xf32> to tensor<4x!s>
  %d = quant.dcast %q : tensor<4x!s> to tensor<4xf32>
  %f = qnn.add %d, %d {id = "f"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %r = qnn.relu %f {id = "r"} : tensor<4xf32>
  %y = quant.qcast %r : tensor<4xf32> to tensor<4x!u>
  return %y : tensor<4x!u>
}

// -----

!x = !quant.uniform<u8:f32, 0.69314718246459961>
!p = !quant.uniform<u15:f32, 3.0517578125e-05>

// The scale is ln 2 (slightly above it): 2^30 and, truncated to 31 bits, 2^29 and 2^28;
// after 256 steps nothing is left.
// CHECK-LABEL: @tables
// CHECK: high = dense<"0x0000004000000000{{0*}}">
// CHECK-SAME: low = dense<"0x00000040FFFFFF1FFFFFFF0F
func.func @tables(%x: tensor<1x3x!x> {qnn.name = "x"}) -> tensor<1x3x!p> {
  %y = qnn.softmax %x {axis = 1 : i64} : (tensor<1x3x!x>) -> tensor<1x3x!p>
  return %y : tensor<1x3x!p>
}
