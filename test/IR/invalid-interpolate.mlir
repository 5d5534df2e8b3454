// RUN: %quant-opt %s -split-input-file -verify-diagnostics

// Every fault of gathers and interpolations, one a section.

// no such dimension
func.func @f(%x: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'axis' is 3, expected a dimension of}}
  %y = qnn.gather %x {axis = 3 : i64, indices = array<i64: 0, 0, 1, 2>} : (tensor<1x2x3xf32>) -> tensor<1x2x4xf32>
  return
}

// -----

// another size than the indices say
func.func @f(%x: tensor<1x2x3xf32>) {
  // expected-error @+1 {{result of type 'tensor<1x2x4xf32>' for 3 indices along dimension 2 of}}
  %y = qnn.gather %x {axis = 2 : i64, indices = array<i64: 0, 0, 1>} : (tensor<1x2x3xf32>) -> tensor<1x2x4xf32>
  return
}

// -----

// a position behind the operand
func.func @f(%x: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'indices' contains 3, expected a number in [0, 2]}}
  %y = qnn.gather %x {axis = 2 : i64, indices = array<i64: 0, 0, 1, 3>} : (tensor<1x2x3xf32>) -> tensor<1x2x4xf32>
  return
}

// -----

// a negative position
func.func @f(%x: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'indices' contains -1, expected a number in [0, 2]}}
  %y = qnn.gather %x {axis = 2 : i64, indices = array<i64: 0, 0, 1, -1>} : (tensor<1x2x3xf32>) -> tensor<1x2x4xf32>
  return
}

// -----

// another element type
func.func @f(%x: tensor<2xsi8>) {
  // expected-error @+1 {{result elements of type 'ui8', expected the operand's, 'si8'}}
  %y = qnn.gather %x {axis = 0 : i64, indices = array<i64: 0>} : (tensor<2xsi8>) -> tensor<1xui8>
  return
}

// -----

// another rank
func.func @f(%x: tensor<1x2x3xf32>) {
  // expected-error @+1 {{result of type 'tensor<1x2x1x4xf32>', expected rank 3}}
  %y = qnn.interpolate %x {axes = array<i64: 2>, positions = array<i64: 0, 1, 1, 2>, fractions = array<i64: 0, 1, 0, 1>, fraction_bits = array<i64: 1>} : (tensor<1x2x3xf32>) -> tensor<1x2x1x4xf32>
  return
}

// -----

// dimensions out of order
func.func @f(%x: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'axes' is [2, 1], expected increasing dimensions of}}
  %y = qnn.interpolate %x {axes = array<i64: 2, 1>, positions = array<i64: 0, 1, 1, 2>, fractions = array<i64: 0, 1, 0, 1>, fraction_bits = array<i64: 1>} : (tensor<1x2x3xf32>) -> tensor<1x2x4xf32>
  return
}

// -----

// a dimension that does not exist
func.func @f(%x: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'axes' is [3], expected increasing dimensions of}}
  %y = qnn.interpolate %x {axes = array<i64: 3>, positions = array<i64: 0, 1, 1, 2>, fractions = array<i64: 0, 1, 0, 1>, fraction_bits = array<i64: 1>} : (tensor<1x2x3xf32>) -> tensor<1x2x4xf32>
  return
}

// -----

// another size in another dimension
func.func @f(%x: tensor<1x2x3xf32>) {
  // expected-error @+1 {{result of type 'tensor<1x3x4xf32>' along dimensions [2] of}}
  %y = qnn.interpolate %x {axes = array<i64: 2>, positions = array<i64: 0, 1, 1, 2>, fractions = array<i64: 0, 1, 0, 1>, fraction_bits = array<i64: 1>} : (tensor<1x2x3xf32>) -> tensor<1x3x4xf32>
  return
}

// -----

// too few positions
func.func @f(%x: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'positions' has 3 entries, expected 4}}
  %y = qnn.interpolate %x {axes = array<i64: 2>, positions = array<i64: 0, 1, 1>, fractions = array<i64: 0, 1, 0, 1>, fraction_bits = array<i64: 1>} : (tensor<1x2x3xf32>) -> tensor<1x2x4xf32>
  return
}

// -----

// too few fractions
func.func @f(%x: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'fractions' has 3 entries, expected 4}}
  %y = qnn.interpolate %x {axes = array<i64: 2>, positions = array<i64: 0, 1, 1, 2>, fractions = array<i64: 0, 1, 1>, fraction_bits = array<i64: 1>} : (tensor<1x2x3xf32>) -> tensor<1x2x4xf32>
  return
}

// -----

// no bits
func.func @f(%x: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'fraction_bits' has 2 entries, expected 1}}
  %y = qnn.interpolate %x {axes = array<i64: 2>, positions = array<i64: 0, 1, 1, 2>, fractions = array<i64: 0, 1, 0, 1>, fraction_bits = array<i64: 1, 1>} : (tensor<1x2x3xf32>) -> tensor<1x2x4xf32>
  return
}

// -----

// bits beyond those of f32
func.func @f(%x: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'fraction_bits' contains 25, expected a number in [0, 24]}}
  %y = qnn.interpolate %x {axes = array<i64: 2>, positions = array<i64: 0, 1, 1, 2>, fractions = array<i64: 0, 1, 0, 1>, fraction_bits = array<i64: 25>} : (tensor<1x2x3xf32>) -> tensor<1x2x4xf32>
  return
}

// -----

// a position behind the operand
func.func @f(%x: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'positions' contains 3, expected a number in [0, 2]}}
  %y = qnn.interpolate %x {axes = array<i64: 2>, positions = array<i64: 0, 1, 2, 3>, fractions = array<i64: 0, 1, 0, 1>, fraction_bits = array<i64: 1>} : (tensor<1x2x3xf32>) -> tensor<1x2x4xf32>
  return
}

// -----

// a fraction of 1
func.func @f(%x: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'fractions' contains 2, expected a number in [0, 2^1)}}
  %y = qnn.interpolate %x {axes = array<i64: 2>, positions = array<i64: 0, 1, 1, 2>, fractions = array<i64: 0, 1, 0, 2>, fraction_bits = array<i64: 1>} : (tensor<1x2x3xf32>) -> tensor<1x2x4xf32>
  return
}

// -----

// integers without a zero point
func.func @f(%x: tensor<1x2x3xui8>) {
  // expected-error @+1 {{needs 'x_zp' with operands of type 'ui8'}}
  %y = qnn.interpolate %x {axes = array<i64: 2>, positions = array<i64: 0, 1, 1, 2>, fractions = array<i64: 0, 1, 0, 1>, fraction_bits = array<i64: 1>} : (tensor<1x2x3xui8>) -> tensor<1x2x4xsi32>
  return
}

// -----

// integers that are no sum
func.func @f(%x: tensor<1x2x3xui8>) {
  // expected-error @+1 {{expected 8 or 16-bit integers and the si32 sum}}
  %y = qnn.interpolate %x {axes = array<i64: 2>, positions = array<i64: 0, 1, 1, 2>, fractions = array<i64: 0, 1, 0, 1>, fraction_bits = array<i64: 1>, x_zp = 0 : i64} : (tensor<1x2x3xui8>) -> tensor<1x2x4xui8>
  return
}

// -----

// fractions that no sum holds
func.func @f(%x: tensor<1x2x3xui8>) {
  // expected-error @+1 {{48 fraction bits, expected at most 30}}
  %y = qnn.interpolate %x {axes = array<i64: 1, 2>, positions = array<i64: 0, 0, 0, 1, 1, 2>, fractions = array<i64: 0, 0, 0, 1, 0, 1>, fraction_bits = array<i64: 24, 24>, x_zp = 0 : i64} : (tensor<1x2x3xui8>) -> tensor<1x2x4xsi32>
  return
}
