// RUN: quant-opt %s --quant-rewrite-dyadic -split-input-file | FileCheck %s
// RUN: quant-opt %s --quant-rewrite-dyadic=rounding=half_even -split-input-file | FileCheck %s --check-prefix=EVEN
// RUN: quant-opt %s --quant-lower-to-integer -split-input-file | FileCheck %s

!x = !quant.uniform<u8:f32, 0.5:10>
!w = !quant.uniform<i8<-127:127>:f32:0, {0.25, 0.5}>
!y = !quant.uniform<u8:f32, 1.0:3>

// M = 0.5 * 0.25 / 1 = 1/8 = 2^30 / 2^33 and twice that. The bias is b / (Sx * Sw) less
// the zero point times the sum of the weights: 8 - 10 * (1 + 2) and 4 - 10 * (3 - 4).
// CHECK-LABEL: @conv
// CHECK: %[[Q:.*]] = qnn.quantize %arg0 {clamp = array<i64: 0, 255>, id = "x", scale = 5.000000e-01 : f32, zero_point = 10 : i64}
// CHECK: arith.constant dense<{{.*}}> : tensor<2x2x1xsi8>
// CHECK: %[[B:.*]] = arith.constant dense<[-22, 14]> : tensor<2xsi32>
// CHECK: %[[A:.*]] = qnn.conv %[[Q]], %{{.*}}, %[[B]] {id = "c", x_zp = 10 : i64}
// CHECK: %[[R:.*]] = qnn.requantize %[[A]] {clamp = array<i64: 0, 255>, exponent = dense<{{\[\[}}33], [32]]> : tensor<2x1xi32>, id = "c", multiplier = dense<1073741824> : tensor<2x1xi32>, rounding = #qnn.rounding<half_up>, zero_point = 3 : i64}
// CHECK: qnn.dequantize %[[R]] {scale = dense<1.000000e+00> : tensor<f32>, zero_point = 3 : i64}
// EVEN: rounding = #qnn.rounding<half_even>
func.func @conv(%x: tensor<1x2x4xf32> {qnn.name = "x"}) -> (tensor<1x2x4xf32> {qnn.name = "y"}) {
  %q = quant.qcast %x : tensor<1x2x4xf32> to tensor<1x2x4x!x>
  %c = arith.constant dense<[[[1], [2]], [[3], [-4]]]> : tensor<2x2x1xi8>
  %w = quant.scast %c : tensor<2x2x1xi8> to tensor<2x2x1x!w>
  %b = arith.constant dense<[1.0, 1.0]> : tensor<2xf32>
  %y = qnn.conv %q, %w, %b {id = "c"} : (tensor<1x2x4x!x>, tensor<2x2x1x!w>, tensor<2xf32>) -> tensor<1x2x4x!y>
  %d = quant.dcast %y : tensor<1x2x4x!y> to tensor<1x2x4xf32>
  return %d : tensor<1x2x4xf32>
}

// -----

!x = !quant.uniform<u8:f32, 0.5:10>
!y = !quant.uniform<u8:f32, 1.0:3>

// Both factors over one exponent: 1/2 and 1/2 are 2^30 / 2^31.
// CHECK-LABEL: @add
// CHECK-SAME: %arg0: tensor<4xui8> {qnn.name = "x", qnn.type = !quant.uniform<u8:f32, 5.000000e-01:10>}
// CHECK: qnn.add %arg0, %arg0 {a_multiplier = dense<1073741824> : tensor<i32>, a_zp = 10 : i64, b_multiplier = dense<1073741824> : tensor<i32>, b_zp = 10 : i64, clamp = array<i64: 0, 255>, exponent = dense<31> : tensor<i32>, id = "s"
func.func @add(%x: tensor<4x!x> {qnn.name = "x"}) -> (tensor<4x!y> {qnn.name = "s"}) {
  %y = qnn.add %x, %x {id = "s"} : (tensor<4x!x>, tensor<4x!x>) -> tensor<4x!y>
  return %y : tensor<4x!y>
}

// -----

!x = !quant.uniform<u8:f32, 1.0:0>

// Windows at the border hold 2 positions, inner ones 3: one pair of numbers each.
// CHECK-LABEL: @border_pool
// CHECK: %[[S:.*]] = qnn.avg_pool %arg0 {{.*}}x_zp = 0 : i64} : (tensor<1x1x4xui8>) -> tensor<1x1x4xsi32>
// CHECK: qnn.requantize %[[S]] {{.*}}exponent = dense<[31, 32, 32, 31]> : tensor<4xi32>, id = "p", multiplier = dense<[1073741824, 1431655765, 1431655765, 1073741824]> : tensor<4xi32>
func.func @border_pool(%x: tensor<1x1x4x!x> {qnn.name = "x"}) -> (tensor<1x1x4x!x> {qnn.name = "p"}) {
  %y = qnn.avg_pool %x {id = "p", kernel = array<i64: 3>, pads = array<i64: 1, 1>} : (tensor<1x1x4x!x>) -> tensor<1x1x4x!x>
  return %y : tensor<1x1x4x!x>
}

// -----

!x = !quant.uniform<u8:f32, 0.5:10>

// The border is the stored number of 2.0: 10 + 4.
// CHECK-LABEL: @moves
// CHECK: qnn.pad %arg0 {{.*}}x_zp = 14 : i64} : (tensor<1x4xui8>) -> tensor<1x5xui8>
// CHECK: qnn.transpose {{.*}} : (tensor<1x5xui8>) -> tensor<5x1xui8>
// CHECK: qnn.slice {{.*}} : (tensor<5x1xui8>) -> tensor<2x1xui8>
// CHECK: qnn.concat {{.*}} -> tensor<4x1xui8>
func.func @moves(%x: tensor<1x4x!x> {qnn.name = "x"}) -> (tensor<4x1x!x> {qnn.name = "y"}) {
  %0 = qnn.pad %x {low = array<i64: 0, 0>, high = array<i64: 0, 1>, value = 2.0 : f32} : (tensor<1x4x!x>) -> tensor<1x5x!x>
  %1 = qnn.transpose %0 {permutation = array<i64: 1, 0>} : (tensor<1x5x!x>) -> tensor<5x1x!x>
  %2 = qnn.slice %1 {offsets = array<i64: 4, 0>, steps = array<i64: -2, 1>} : (tensor<5x1x!x>) -> tensor<2x1x!x>
  %3 = qnn.concat %2, %2 {axis = 0 : i64} : (tensor<2x1x!x>, tensor<2x1x!x>) -> tensor<4x1x!x>
  return %3 : tensor<4x1x!x>
}

// -----

!x = !quant.uniform<i16:f32, 0.5>
!p = !quant.uniform<u15:f32, 3.0517578125e-05>

// exp(-0.5), exp(-1) ... times 2^30.
// CHECK-LABEL: @softmax
// CHECK: qnn.softmax %arg0 {axis = 1 : i64, high = dense<{{.*}}> : tensor<256xi32>, id = "p", low = dense<{{.*}}> : tensor<256xi32>} : (tensor<1x3xsi16>) -> tensor<1x3xui16>
func.func @softmax(%x: tensor<1x3x!x> {qnn.name = "x"}) -> (tensor<1x3x!p> {qnn.name = "p"}) {
  %y = qnn.softmax %x {id = "p", axis = 1 : i64} : (tensor<1x3x!x>) -> tensor<1x3x!p>
  return %y : tensor<1x3x!p>
}
