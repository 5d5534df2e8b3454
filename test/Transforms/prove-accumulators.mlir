// RUN: %quant-opt %s --quant-prove-accumulators -split-input-file -verify-diagnostics

// 258 products of 127 and 65535 leave 163837 below 2^31.
func.func @fits(%x: tensor<1x258xui16>) -> tensor<1x1xsi32> {
  %w = arith.constant dense<127> : tensor<258x1xsi8>
  %b = arith.constant dense<163837> : tensor<1xsi32>
  %y = qnn.matmul %x, %w, %b {id = "y", x_zp = 0 : i64} : (tensor<1x258xui16>, tensor<258x1xsi8>, tensor<1xsi32>) -> tensor<1x1xsi32>
  return %y : tensor<1x1xsi32>
}

// -----

func.func @one_too_many(%x: tensor<1x258xui16>) -> tensor<1x1xsi32> {
  %w = arith.constant dense<127> : tensor<258x1xsi8>
  %b = arith.constant dense<163838> : tensor<1xsi32>
  // expected-error @+1 {{layer 'y': accumulator bound 2147483648 exceeds 2147483647 with activations of 16 bits, the largest legal width is 15}}
  %y = qnn.matmul %x, %w, %b {id = "y", x_zp = 0 : i64} : (tensor<1x258xui16>, tensor<258x1xsi8>, tensor<1xsi32>) -> tensor<1x1xsi32>
  return %y : tensor<1x1xsi32>
}

// -----

// The clamp of the input counts, not its type.
func.func @clamped(%x: tensor<1x258xf32>) -> tensor<1x1xsi32> {
  %q = qnn.quantize %x {scale = 1.0 : f32, zero_point = 0 : i64, clamp = array<i64: 0, 4095>} : (tensor<1x258xf32>) -> tensor<1x258xui16>
  %w = arith.constant dense<127> : tensor<258x1xsi8>
  %b = arith.constant dense<2000000000> : tensor<1xsi32>
  %y = qnn.matmul %q, %w, %b {id = "y", x_zp = 0 : i64} : (tensor<1x258xui16>, tensor<258x1xsi8>, tensor<1xsi32>) -> tensor<1x1xsi32>
  return %y : tensor<1x1xsi32>
}

// -----

// The border of a padded convolution counts too, where its number is outside of the clamp.
func.func @border(%x: tensor<1x1x2xui16>) -> tensor<1x1x2xsi32> {
  %q = qnn.requantize %x {multiplier = dense<0> : tensor<i32>, exponent = dense<1> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 1>, rounding = #qnn.rounding<half_up>} : (tensor<1x1x2xui16>) -> tensor<1x1x2xui16>
  %w = arith.constant dense<127> : tensor<1x1x3xsi8>
  %b = arith.constant dense<2147000000> : tensor<1xsi32>
  // expected-error @+1 {{accumulator bound}}
  %y = qnn.conv %q, %w, %b {id = "c", x_zp = 65535 : i64, pads = array<i64: 1, 1>} : (tensor<1x1x2xui16>, tensor<1x1x3xsi8>, tensor<1xsi32>) -> tensor<1x1x2xsi32>
  return %y : tensor<1x1x2xsi32>
}

// -----

func.func @sum(%x: tensor<4xui8>, %a: tensor<4xsi32>) -> tensor<4xui8> {
  // expected-error @+1 {{layer 's': the sum can reach 2^63, expected smaller multipliers or a lower exponent}}
  %y = qnn.add %a, %a {id = "s", a_zp = 0 : i64, b_zp = 0 : i64, a_multiplier = dense<2147483647> : tensor<i32>, b_multiplier = dense<2147483647> : tensor<i32>, exponent = dense<62> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<4xsi32>, tensor<4xsi32>) -> tensor<4xui8>
  return %y : tensor<4xui8>
}
