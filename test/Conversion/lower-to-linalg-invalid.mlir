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
