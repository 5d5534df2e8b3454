// RUN: %quant-opt %s --quant-rewrite-dyadic -split-input-file -verify-diagnostics

// A module that is at the integer level already.
func.func @conv(%x: tensor<1x2x4xui8>) -> tensor<1x2x4xsi32> {
  %w = arith.constant dense<1> : tensor<2x2x1xsi8>
  // expected-error @+1 {{'qnn.conv' cannot be rewritten to integers}}
  %y = qnn.conv %x, %w {x_zp = 0 : i64} : (tensor<1x2x4xui8>, tensor<2x2x1xsi8>) -> tensor<1x2x4xsi32>
  return %y : tensor<1x2x4xsi32>
}

// -----

func.func @requantize(%x: tensor<2xsi32>) -> tensor<2xui8> {
  // expected-error @+1 {{'qnn.requantize' cannot be rewritten to integers}}
  %y = qnn.requantize %x {multiplier = dense<1073741824> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xsi32>) -> tensor<2xui8>
  return %y : tensor<2xui8>
}

// -----

func.func @pad(%x: tensor<2xui8>) -> tensor<3xui8> {
  // expected-error @+1 {{'qnn.pad' cannot be rewritten to integers}}
  %y = qnn.pad %x {low = array<i64: 1>, high = array<i64: 0>, x_zp = 3 : i64} : (tensor<2xui8>) -> tensor<3xui8>
  return %y : tensor<3xui8>
}

// -----

func.func @quantize(%x: tensor<2xf32>) -> tensor<2xui8> {
  // expected-error @+1 {{'qnn.quantize' cannot be rewritten to integers}}
  %y = qnn.quantize %x {scale = 1.0 : f32, zero_point = 0 : i64, clamp = array<i64: 0, 255>} : (tensor<2xf32>) -> tensor<2xui8>
  return %y : tensor<2xui8>
}
