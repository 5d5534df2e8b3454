// RUN: %quant-opt %s --quant-quantize-graph -split-input-file -verify-diagnostics

// expected-error @+1 {{value 'x' has no qnn.range, expected a calibrated graph}}
func.func @no_range(%x: tensor<1x1xf32> {qnn.name = "x"}) -> tensor<1x1xf32> {
  return %x : tensor<1x1xf32>
}

// -----

func.func @weights(%x: tensor<1x1xf32> {qnn.name = "x"}, %w: tensor<1x1xf32> {qnn.name = "w"}) -> tensor<1x1xf32> {
  %xr = qnn.range %x {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x1xf32>
  %wr = qnn.range %w {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x1xf32>
  // expected-error @+1 {{weights or bias are not constant, expected constants}}
  %y = qnn.matmul %xr, %wr {id = "y"} : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  %yr = qnn.range %y {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x1xf32>
  return %yr : tensor<1x1xf32>
}

// -----

func.func @infinite_weight(%x: tensor<1x1xf32> {qnn.name = "x"}) -> tensor<1x1xf32> {
  %w = arith.constant dense<0x7F800000> : tensor<1x1xf32>
  %xr = qnn.range %x {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x1xf32>
  // expected-error @+1 {{weights or bias are not finite, expected finite numbers}}
  %y = qnn.matmul %xr, %w {id = "y"} : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  %yr = qnn.range %y {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x1xf32>
  return %yr : tensor<1x1xf32>
}

// -----

func.func @bias_without_a_number(%x: tensor<1x1xf32> {qnn.name = "x"}) -> tensor<1x1xf32> {
  %w = arith.constant dense<1.0> : tensor<1x1xf32>
  %b = arith.constant dense<0x7FC00000> : tensor<1xf32>
  %xr = qnn.range %x {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x1xf32>
  // expected-error @+1 {{weights or bias are not finite, expected finite numbers}}
  %y = qnn.matmul %xr, %w, %b {id = "y"} : (tensor<1x1xf32>, tensor<1x1xf32>, tensor<1xf32>) -> tensor<1x1xf32>
  %yr = qnn.range %y {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x1xf32>
  return %yr : tensor<1x1xf32>
}

// -----

func.func @batch_norm(%x: tensor<1x1xf32> {qnn.name = "x"}, %p: tensor<1xf32>) -> tensor<1x1xf32> {
  %xr = qnn.range %x {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x1xf32>
  %pr = qnn.range %p {min = 0.0 : f32, max = 1.0 : f32} : tensor<1xf32>
  // expected-error @+1 {{'qnn.batch_norm' at the calibrated level, expected quant-fold-constants to run first}}
  %y = qnn.batch_norm %xr, %pr, %pr, %pr, %pr {epsilon = 0.0 : f32} : (tensor<1x1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
