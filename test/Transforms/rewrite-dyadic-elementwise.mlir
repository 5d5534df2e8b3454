// RUN: quant-opt %s --quant-rewrite-dyadic -split-input-file | FileCheck %s

!x = !quant.uniform<u8:f32, 0.5:10>
!z = !quant.uniform<u8:f32, 0.25:3>
!y = !quant.uniform<u8:f32, 1.0:3>

// M = 0.5 * 0.25 / 1 = 2^30 / 2^33.
// CHECK-LABEL: @product
// CHECK: qnn.mul %arg0, %arg1 {a_zp = 10 : i64, b_zp = 3 : i64, clamp = array<i64: 0, 255>, exponent = 33 : i32, id = "p", multiplier = 1073741824 : i32, rounding = #qnn.rounding<half_up>, zero_point = 3 : i64} : (tensor<2x4xui8>, tensor<2x1xui8>) -> tensor<2x4xui8>
func.func @product(%x: tensor<2x4x!x> {qnn.name = "x"}, %z: tensor<2x1x!z> {qnn.name = "z"}) -> (tensor<2x4x!y> {qnn.name = "p"}) {
  %y = qnn.mul %x, %z {id = "p"} : (tensor<2x4x!x>, tensor<2x1x!z>) -> tensor<2x4x!y>
  return %y : tensor<2x4x!y>
}

// -----

!x = !quant.uniform<i16:f32, 1.0:-32768>
!y = !quant.uniform<i16:f32, 65536.0:0>

// Two operands of 16 bits: 65535^2 * 2^30 + 2^45 < 2^63, so that the multiplier keeps its bits.
// CHECK-LABEL: @wide
// CHECK: qnn.mul {{.*}}exponent = 46 : i32, id = "p", multiplier = 1073741824 : i32
func.func @wide(%x: tensor<4x!x> {qnn.name = "x"}) -> (tensor<4x!y> {qnn.name = "p"}) {
  %y = qnn.mul %x, %x {id = "p"} : (tensor<4x!x>, tensor<4x!x>) -> tensor<4x!y>
  return %y : tensor<4x!y>
}

// -----

!x = !quant.uniform<u8:f32, 0.5:10>
!y = !quant.uniform<u8:f32, 1.0:3>

// A difference is a sum with a negative multiplier.
// CHECK-LABEL: @difference
// CHECK: qnn.add %arg0, %arg0 {a_multiplier = dense<1073741824> : tensor<i32>, a_zp = 10 : i64, b_multiplier = dense<-1073741824> : tensor<i32>, b_zp = 10 : i64
func.func @difference(%x: tensor<4x!x> {qnn.name = "x"}) -> (tensor<4x!y> {qnn.name = "s"}) {
  %y = qnn.sub %x, %x {id = "s"} : (tensor<4x!x>, tensor<4x!x>) -> tensor<4x!y>
  return %y : tensor<4x!y>
}

// -----

!x = !quant.uniform<u2:f32, 1.0:1>
!y = !quant.uniform<u8:f32, 0.5:2>

// One entry a number: |x| for -1, 0, 1, 2 in halves from 2.
// CHECK-LABEL: @table
// CHECK: qnn.table %arg0 {clamp = array<i64: 0, 255>, entries = dense<[4, 2, 4, 6]> : tensor<4xi32>, id = "t", low = 0 : i64} : (tensor<4xui8>) -> tensor<4xui8>
func.func @table(%x: tensor<4x!x> {qnn.name = "x"}) -> (tensor<4x!y> {qnn.name = "t"}) {
  %y = qnn.map %x {id = "t"} : (tensor<4x!x>) -> tensor<4x!y> {
  ^bb0(%a: f32):
    %e = math.absf %a : f32
    qnn.yield %e : f32
  }
  return %y : tensor<4x!y>
}

// -----

!x = !quant.uniform<i16:f32, 1.0:0>
!y = !quant.uniform<i16:f32, 1.0:0>

// 513 knots, 128 numbers apart and with 8 fraction bits; the last is beyond the largest number.
// CHECK-LABEL: @knots
// CHECK: qnn.table %arg0 {clamp = array<i64: -32768, 32767>, entries = dense<"0x000080{{.*}}"> : tensor<513xi32>, id = "t", low = -32768 : i64, shift = 7 : i64}
func.func @knots(%x: tensor<4x!x> {qnn.name = "x"}) -> (tensor<4x!y> {qnn.name = "t"}) {
  %y = qnn.map %x {id = "t"} : (tensor<4x!x>) -> tensor<4x!y> {
  ^bb0(%a: f32):
    %e = arith.negf %a : f32
    qnn.yield %e : f32
  }
  return %y : tensor<4x!y>
}

// -----

!a = !quant.uniform<i32:f32:1, {0.5, 0.25}>
!y = !quant.uniform<u8:f32, 1.0:3>

// The slope and the scales of the channels multiply; a negative slope has a negative multiplier.
// CHECK-LABEL: @prelu
// CHECK: qnn.prelu %{{.*}} {clamp = array<i64: 0, 255>, exponent = dense<{{\[\[}}31], [32]]> : tensor<2x1xi32>, id = "r", multiplier = dense<1073741824> : tensor<2x1xi32>, negative_exponent = dense<{{\[\[\[}}32], [33]]]> : tensor<1x2x1xi32>, negative_multiplier = dense<{{\[\[\[}}1073741824], [-1073741824]]]> : tensor<1x2x1xi32>, rounding = #qnn.rounding<half_up>, x_zp = 0 : i64, zero_point = 3 : i64}
func.func @prelu(%x: tensor<1x1x4x!quant.uniform<u8:f32, 0.5>> {qnn.name = "x"}) -> (tensor<1x2x4x!y> {qnn.name = "r"}) {
  %c = arith.constant dense<1> : tensor<2x1x1xi8>
  %w = quant.scast %c : tensor<2x1x1xi8> to tensor<2x1x1x!quant.uniform<i8<-127:127>:f32:0, {1.0, 0.5}>>
  %a = qnn.conv %x, %w {id = "c"} : (tensor<1x1x4x!quant.uniform<u8:f32, 0.5>>, tensor<2x1x1x!quant.uniform<i8<-127:127>:f32:0, {1.0, 0.5}>>) -> tensor<1x2x4x!a>
  %slope = arith.constant dense<[[0.5], [-0.5]]> : tensor<2x1xf32>
  %y = qnn.prelu %a, %slope {id = "r"} : (tensor<1x2x4x!a>, tensor<2x1xf32>) -> tensor<1x2x4x!y>
  return %y : tensor<1x2x4x!y>
}
