// RUN: %quant-opt %s --quant-prove-accumulators -split-input-file -verify-diagnostics

// Of weights that are no constant the type alone is known: 2048 times -128 and 65535.
func.func @weights(%x: tensor<1x2048xui16>, %w: tensor<2048x1xsi8>) -> tensor<1x1xsi32> {
  // expected-error @+1 {{layer 'y': accumulator bound 17179607040 exceeds 2147483647}}
  %y = qnn.matmul %x, %w {id = "y", x_zp = 0 : i64} : (tensor<1x2048xui16>, tensor<2048x1xsi8>) -> tensor<1x1xsi32>
  return %y : tensor<1x1xsi32>
}

// -----

func.func @bias(%x: tensor<1x1xui16>, %b: tensor<1xsi32>) -> tensor<1x1xsi32> {
  %w = arith.constant dense<127> : tensor<1x1xsi8>
  // expected-error @+1 {{layer 'y': accumulator bound 2155872128 exceeds 2147483647}}
  %y = qnn.matmul %x, %w, %b {id = "y", x_zp = 0 : i64} : (tensor<1x1xui16>, tensor<1x1xsi8>, tensor<1xsi32>) -> tensor<1x1xsi32>
  return %y : tensor<1x1xsi32>
}

// -----

func.func @few(%x: tensor<1x2xui8>, %w: tensor<2x1xsi8>) -> tensor<1x1xsi32> {
  %y = qnn.matmul %x, %w {id = "y", x_zp = 0 : i64} : (tensor<1x2xui8>, tensor<2x1xsi8>) -> tensor<1x1xsi32>
  return %y : tensor<1x1xsi32>
}
