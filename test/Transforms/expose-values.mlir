// RUN: quant-opt %s --quant-expose-values -split-input-file | FileCheck %s

// A layer's value is the one after the activation that it absorbs.
// CHECK-LABEL: @float
// CHECK-SAME: -> (tensor<1x4xf32> {qnn.name = "y"}, tensor<1x4xf32> {qnn.name = "a", qnn.value}, tensor<1x4xf32> {qnn.name = "y", qnn.value})
// CHECK: %[[R:.*]] = qnn.relu
// CHECK: %[[Y:.*]] = qnn.matmul %[[R]]
// CHECK: return %[[Y]], %[[R]], %[[Y]]
func.func @float(%x: tensor<1x4xf32> {qnn.name = "x"}) -> (tensor<1x4xf32> {qnn.name = "y"}) {
  %w = arith.constant dense<1.0> : tensor<4x4xf32>
  %a = qnn.matmul %x, %w {id = "a"} : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  %r = qnn.relu %a {id = "r"} : tensor<1x4xf32>
  %y = qnn.matmul %r, %w {id = "y"} : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}

// -----

// Of two operations with one id the later counts; the entry is the input's value.
// CHECK-LABEL: @integer
// CHECK: %[[Q:.*]] = qnn.quantize
// CHECK: %[[R:.*]] = qnn.requantize
// CHECK: return %{{.*}}, %[[Q]], %[[R]] : tensor<1x4xf32>, tensor<1x4xui8>, tensor<1x4xui8>
func.func @integer(%x: tensor<1x4xf32> {qnn.name = "x"}) -> (tensor<1x4xf32> {qnn.name = "y"}) {
  %q = qnn.quantize %x {id = "x", scale = 1.0 : f32, zero_point = 0 : i64, clamp = array<i64: 0, 255>} : (tensor<1x4xf32>) -> tensor<1x4xui8>
  %w = arith.constant dense<1> : tensor<4x4xsi8>
  %a = qnn.matmul %q, %w {id = "y", x_zp = 0 : i64} : (tensor<1x4xui8>, tensor<4x4xsi8>) -> tensor<1x4xsi32>
  %r = qnn.requantize %a {id = "y", multiplier = dense<0> : tensor<i32>, exponent = dense<1> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<1x4xsi32>) -> tensor<1x4xui8>
  %d = qnn.dequantize %r {scale = dense<1.0> : tensor<f32>, zero_point = 0 : i64} : (tensor<1x4xui8>) -> tensor<1x4xf32>
  return %d : tensor<1x4xf32>
}
