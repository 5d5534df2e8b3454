// RUN: not quant-opt %s --quant-quantize-graph=weights=9 2>&1 | FileCheck %s --check-prefix=BITS9
// RUN: not quant-opt %s --quant-quantize-graph=weights=1 2>&1 | FileCheck %s --check-prefix=BITS1
// RUN: not quant-opt %s --quant-quantize-graph=activations=17 2>&1 | FileCheck %s --check-prefix=BITS17
// RUN: not quant-opt %s --quant-quantize-graph=activations=1 2>&1 | FileCheck %s --check-prefix=BITSA1

// Default widths outside of what a plan may say.
// BITS9: error: weights of 9 and activations of 8 bits, expected 2 to 8 and 2 to 16
// BITS1: error: weights of 1 and activations of 8 bits, expected 2 to 8 and 2 to 16
// BITS17: error: weights of 8 and activations of 17 bits, expected 2 to 8 and 2 to 16
// BITSA1: error: weights of 8 and activations of 1 bits, expected 2 to 8 and 2 to 16
func.func @main(%x: tensor<1xf32> {qnn.name = "x"}) -> tensor<1xf32> {
  %xr = qnn.range %x {min = 0.0 : f32, max = 1.0 : f32} : tensor<1xf32>
  return %xr : tensor<1xf32>
}
