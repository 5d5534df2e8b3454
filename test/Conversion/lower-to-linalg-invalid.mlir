// RUN: %quant-opt %s --quant-lower-to-linalg -split-input-file -verify-diagnostics

func.func @quantized(%x: tensor<4x!quant.uniform<u8:f32, 1.0>>) -> tensor<4x!quant.uniform<u8:f32, 2.0>> {
  // expected-error @+1 {{'qnn.requantize' cannot be lowered, expected the float or integer level}}
  %y = qnn.requantize %x : (tensor<4x!quant.uniform<u8:f32, 1.0>>) -> tensor<4x!quant.uniform<u8:f32, 2.0>>
  return %y : tensor<4x!quant.uniform<u8:f32, 2.0>>
}

// -----

func.func @batch_norm(%x: tensor<1x1xf32>, %p: tensor<1xf32>) -> tensor<1x1xf32> {
  // expected-error @+1 {{'qnn.batch_norm' cannot be lowered}}
  %y = qnn.batch_norm %x, %p, %p, %p, %p {epsilon = 0.0 : f32} : (tensor<1x1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// Something else than one tensor, and another dialect's operation on tensors.
func.func private @other()
func.func @call(%x: tensor<1xf32>) -> tensor<1xf32> {
  // expected-error @+1 {{'func.call' cannot be lowered, expected the float or integer level}}
  call @other() : () -> ()
  return %x : tensor<1xf32>
}

// -----

func.func @foreign(%x: tensor<1xf32>) -> tensor<1xf32> {
  // expected-error @+1 {{'math.absf' cannot be lowered}}
  %y = math.absf %x : tensor<1xf32>
  return %y : tensor<1xf32>
}

// -----

func.func @scalar() -> tensor<1xf32> {
  // expected-error @+1 {{'arith.constant' cannot be lowered, expected the float or integer level}}
  %c = arith.constant 1.0 : f32
  %x = arith.constant dense<1.0> : tensor<1xf32>
  return %x : tensor<1xf32>
}

// -----

func.func @sparse() -> tensor<4xf32> {
  // expected-error @+1 {{'arith.constant' cannot be lowered}}
  %x = arith.constant sparse<[[0]], [1.0]> : tensor<4xf32>
  return %x : tensor<4xf32>
}
