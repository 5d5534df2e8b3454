// RUN: %quant-opt %s -split-input-file -verify-diagnostics -quant-prove-accumulators

// 2^23 * 255 fits, 2^24 * 255 does not: the weights add up to 2^bits.
func.func @main(%x: tensor<1x2xui8>, %y: tensor<1x2xui8>) {
  %0 = qnn.interpolate %x {id = "fits", axes = array<i64: 1>, positions = array<i64: 0>, fractions = array<i64: 1>, fraction_bits = array<i64: 23>, x_zp = 0 : i64} : (tensor<1x2xui8>) -> tensor<1x1xsi32>
  // expected-error @+1 {{layer 'r': accumulator bound 4278190080 exceeds 2147483647 with activations of 8 bits, the largest legal width is 7}}
  %1 = qnn.interpolate %y {id = "r", axes = array<i64: 1>, positions = array<i64: 0>, fractions = array<i64: 1>, fraction_bits = array<i64: 24>, x_zp = 0 : i64} : (tensor<1x2xui8>) -> tensor<1x1xsi32>
  return
}
