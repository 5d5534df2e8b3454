// RUN: %quant-opt %s --quant-rewrite-dyadic -split-input-file -verify-diagnostics

func.func @ratio(%x: tensor<4x!quant.uniform<u8:f32, 1.0e10>>) -> tensor<4x!quant.uniform<u8:f32, 1.0>> {
  // expected-error @+1 {{layer 'r': scale ratio 1.000000e+10 is not below 2^30}}
  %y = qnn.requantize %x {id = "r"} : (tensor<4x!quant.uniform<u8:f32, 1.0e10>>) -> tensor<4x!quant.uniform<u8:f32, 1.0>>
  return %y : tensor<4x!quant.uniform<u8:f32, 1.0>>
}

// -----

func.func @foreign(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'func.call' cannot be rewritten to integers}}
  call @other() : () -> ()
  return %x : tensor<4xf32>
}
func.func private @other()

// -----

func.func @softmax(%x: tensor<1x3x!quant.uniform<u8:f32, 0.5>>) -> tensor<1x3x!quant.uniform<u8:f32, 0.5>> {
  // expected-error @+1 {{expected one scale of at most 16 bits and 15 unsigned bits of scale 2^-15}}
  %y = qnn.softmax %x {axis = 1 : i64} : (tensor<1x3x!quant.uniform<u8:f32, 0.5>>) -> tensor<1x3x!quant.uniform<u8:f32, 0.5>>
  return %y : tensor<1x3x!quant.uniform<u8:f32, 0.5>>
}
