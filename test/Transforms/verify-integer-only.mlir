// RUN: %quant-opt %s --quant-verify-integer-only -split-input-file -verify-diagnostics

// Entry, integers, exit, and moves of the exit's numbers.
func.func @integer(%x: tensor<1x4xf32>) -> tensor<4xf32> {
  %q = qnn.quantize %x {scale = 1.0 : f32, zero_point = 0 : i64, clamp = array<i64: 0, 255>} : (tensor<1x4xf32>) -> tensor<1x4xui8>
  %w = arith.constant dense<1> : tensor<4x4xsi8>
  %y = qnn.matmul %q, %w {x_zp = 0 : i64} : (tensor<1x4xui8>, tensor<4x4xsi8>) -> tensor<1x4xsi32>
  %d = qnn.dequantize %y {scale = dense<1.0> : tensor<f32>} : (tensor<1x4xsi32>) -> tensor<1x4xf32>
  %r = qnn.reshape %d : (tensor<1x4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

// The conversions around it are not named: they follow.
func.func @island(%x: tensor<1x4xui8>) -> tensor<1x4xui8> {
  %d = qnn.dequantize %x {scale = dense<1.0> : tensor<f32>, zero_point = 0 : i64} : (tensor<1x4xui8>) -> tensor<1x4xf32>
  // expected-error @+1 {{'qnn.relu' computes in float (layer 'r'), expected integers between entry and exit}}
  %r = qnn.relu %d {id = "r"} : tensor<1x4xf32>
  %q = qnn.quantize %r {scale = 1.0 : f32, zero_point = 0 : i64, clamp = array<i64: 0, 255>} : (tensor<1x4xf32>) -> tensor<1x4xui8>
  return %q : tensor<1x4xui8>
}

// -----

func.func @there_and_back(%x: tensor<1x4xui8>) -> tensor<1x4xui8> {
  // expected-error @+1 {{'qnn.dequantize' computes in float, expected integers between entry and exit}}
  %d = qnn.dequantize %x {scale = dense<1.0> : tensor<f32>, zero_point = 0 : i64} : (tensor<1x4xui8>) -> tensor<1x4xf32>
  // expected-error @+1 {{'qnn.quantize' computes in float}}
  %q = qnn.quantize %d {scale = 1.0 : f32, zero_point = 0 : i64, clamp = array<i64: 0, 255>} : (tensor<1x4xf32>) -> tensor<1x4xui8>
  return %q : tensor<1x4xui8>
}

// -----

// Upstream's operations count, and every island is told, not the first alone. Names are escaped.
func.func @islands(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'arith.addf' computes in float, expected integers between entry and exit}}
  %0 = arith.addf %x, %x : tensor<4xf32>
  // expected-error @+1 {{'qnn.add' computes in float (layer 'a\nb'), expected integers between entry and exit}}
  %1 = qnn.add %0, %0 {id = "a\nb"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

// A ReLU that its layer absorbs is not told apart; numbers before the quantized level are float.
func.func @absorbed(%x: tensor<1x4xf32>, %q: tensor<4x!quant.uniform<u8:f32, 1.0>>) -> (tensor<1x4xf32>, tensor<1x4x!quant.uniform<u8:f32, 1.0>>) {
  %w = arith.constant dense<1.0> : tensor<4x4xf32>
  // expected-error @+1 {{'qnn.matmul' computes in float (layer 'm')}}
  %y = qnn.matmul %x, %w {id = "m"} : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  %r = qnn.relu %y {id = "r"} : tensor<1x4xf32>
  // expected-error @+1 {{'qnn.reshape' computes in float}}
  %s = qnn.reshape %q : (tensor<4x!quant.uniform<u8:f32, 1.0>>) -> tensor<1x4x!quant.uniform<u8:f32, 1.0>>
  return %r, %s : tensor<1x4xf32>, tensor<1x4x!quant.uniform<u8:f32, 1.0>>
}

// -----

// An exit that something reads besides moves is none; nor is a move of the real input.
func.func @moves(%x: tensor<4xf32>, %i: tensor<4xui8>) -> (tensor<1x4xf32>, tensor<4xf32>) {
  // expected-error @+1 {{'qnn.reshape' computes in float}}
  %m = qnn.reshape %x : (tensor<4xf32>) -> tensor<1x4xf32>
  %d = qnn.dequantize %i {scale = dense<1.0> : tensor<f32>, zero_point = 0 : i64} : (tensor<4xui8>) -> tensor<4xf32>
  // expected-error @+1 {{'qnn.relu' computes in float}}
  %r = qnn.relu %d : tensor<4xf32>
  return %m, %r : tensor<1x4xf32>, tensor<4xf32>
}
