// RUN: %quant-opt %s --quant-fold-constants -split-input-file -verify-diagnostics

func.func @not_constant(%x: tensor<1x1x2xf32>, %p: tensor<1xf32>) -> tensor<1x1x2xf32> {
  // expected-error @+1 {{parameters are not constant, expected constants}}
  %y = qnn.batch_norm %x, %p, %p, %p, %p {epsilon = 0.0 : f32} : (tensor<1x1x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2xf32>
  return %y : tensor<1x1x2xf32>
}

// -----

func.func @negative_variance(%x: tensor<1x1x2xf32>) -> tensor<1x1x2xf32> {
  %p = arith.constant dense<-1.0> : tensor<1xf32>
  // expected-error @+1 {{variance plus epsilon of channel 0 is -1.000000e+00, expected a positive number}}
  %y = qnn.batch_norm %x, %p, %p, %p, %p {epsilon = 0.0 : f32} : (tensor<1x1x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2xf32>
  return %y : tensor<1x1x2xf32>
}

// -----

func.func @no_number(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %p = arith.constant dense<[1.0, 0x7FC00000]> : tensor<2xf32>
  // expected-error-re @+1 {{variance plus epsilon of channel 1 is {{-?nan}}, expected a positive number}}
  %y = qnn.batch_norm %x, %p, %p, %p, %p {epsilon = 0.0 : f32} : (tensor<1x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>
  return %y : tensor<1x2x2xf32>
}

// -----

func.func @weights_leave_float32(%x: tensor<1x1x2xf32>) -> tensor<1x1x2xf32> {
  %w = arith.constant dense<1.0e30> : tensor<1x1x1xf32>
  %p = arith.constant dense<1.0e10> : tensor<1xf32>
  %v = arith.constant dense<1.0> : tensor<1xf32>
  %c = qnn.conv %x, %w : (tensor<1x1x2xf32>, tensor<1x1x1xf32>) -> tensor<1x1x2xf32>
  // expected-error @+1 {{scales weights or bias beyond float32, expected finite numbers}}
  %y = qnn.batch_norm %c, %p, %v, %v, %v {epsilon = 0.0 : f32} : (tensor<1x1x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2xf32>
  return %y : tensor<1x1x2xf32>
}

// -----

func.func @offset_leaves_float32(%x: tensor<1x1x2xf32>) -> tensor<1x1x2xf32> {
  %p = arith.constant dense<1.0e30> : tensor<1xf32>
  %v = arith.constant dense<1.0> : tensor<1xf32>
  // expected-error @+1 {{scales weights or bias beyond float32, expected finite numbers}}
  %y = qnn.batch_norm %x, %p, %v, %p, %v {epsilon = 0.0 : f32} : (tensor<1x1x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2xf32>
  return %y : tensor<1x1x2xf32>
}
