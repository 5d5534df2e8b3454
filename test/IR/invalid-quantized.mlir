// RUN: %quant-opt %s -split-input-file -verify-diagnostics

// Quantized types that the rewrite to integers could not follow: the program would compute
// something else than they say.

// a result with scales along an axis, of which one alone would count
!x = !quant.uniform<u8:f32, 1.0>
!w = !quant.uniform<i8<-127:127>:f32, 1.0>
!y = !quant.uniform<i8:f32:1, {1.0, 2.0}>
func.func @f(%x: tensor<1x2x!x>, %w: tensor<2x2x!w>) {
  // expected-error @+1 {{result of type 'tensor<1x2x!quant.uniform<i8:f32:1, {1.000000e+00,2.000000e+00}>>', expected one scale and at most 16 bits}}
  %y = qnn.matmul %x, %w : (tensor<1x2x!x>, tensor<2x2x!w>) -> tensor<1x2x!y>
  return
}

// -----

// an accumulator whose scale is not that of its products
!x = !quant.uniform<u8:f32, 1.0>
!w = !quant.uniform<i8<-127:127>:f32, 1.0>
!y = !quant.uniform<i32:f32, 0.125>
func.func @f(%x: tensor<1x2x!x>, %w: tensor<2x2x!w>) {
  // expected-error @+1 {{accumulator of type 'tensor<1x2x!quant.uniform<i32:f32, 1.250000e-01>>', expected the scales of the products along axis 1}}
  %y = qnn.matmul %x, %w : (tensor<1x2x!x>, tensor<2x2x!w>) -> tensor<1x2x!y>
  return
}

// -----

// a sum with scales along an axis
!x = !quant.uniform<u8:f32, 1.0>
!y = !quant.uniform<u8:f32:1, {1.0, 2.0}>
func.func @f(%x: tensor<1x2x!x>) {
  // expected-error @+1 {{result of type 'tensor<1x2x!quant.uniform<u8:f32:1, {1.000000e+00,2.000000e+00}>>', expected one scale and at most 16 bits}}
  %y = qnn.add %x, %x : (tensor<1x2x!x>, tensor<1x2x!x>) -> tensor<1x2x!y>
  return
}

// -----

// a requantization to scales along an axis
!x = !quant.uniform<u8:f32, 1.0>
!y = !quant.uniform<u8:f32:1, {1.0, 2.0}>
func.func @f(%x: tensor<1x2x!x>) {
  // expected-error @+1 {{result of type 'tensor<1x2x!quant.uniform<u8:f32:1, {1.000000e+00,2.000000e+00}>>', expected one scale and at most 16 bits}}
  %y = qnn.requantize %x : (tensor<1x2x!x>) -> tensor<1x2x!y>
  return
}

// -----

// the mean of values with scales along an axis
!x = !quant.uniform<u8:f32:1, {1.0, 2.0}>
!y = !quant.uniform<u8:f32, 1.0>
func.func @f(%x: tensor<1x2x4x!x>) {
  // expected-error @+1 {{input of type 'tensor<1x2x4x!quant.uniform<u8:f32:1, {1.000000e+00,2.000000e+00}>>', expected one scale and at most 16 bits}}
  %y = qnn.avg_pool %x {kernel = array<i64: 4>} : (tensor<1x2x4x!x>) -> tensor<1x2x1x!y>
  return
}

// -----

// scales along a dimension that the transpose moves away
!a = !quant.uniform<i32:f32:1, {1.0, 2.0}>
func.func @f(%x: tensor<1x2x2x!a>) {
  // expected-error @+1 {{operand with scales along an axis, expected one scale}}
  %y = qnn.transpose %x {permutation = array<i64: 0, 2, 1>} : (tensor<1x2x2x!a>) -> tensor<1x2x2x!a>
  return
}

// -----

// scales along a dimension that the reshape takes apart
!a = !quant.uniform<i32:f32:1, {1.0, 2.0}>
func.func @f(%x: tensor<4x2x!a>) {
  // expected-error @+1 {{operand with scales along an axis, expected one scale}}
  %y = qnn.reshape %x : (tensor<4x2x!a>) -> tensor<2x2x2x!a>
  return
}

// -----

// scales along a dimension that the slice reverses
!a = !quant.uniform<i32:f32:1, {1.0, 2.0}>
func.func @f(%x: tensor<1x2x!a>) {
  // expected-error @+1 {{operand with scales along an axis, expected one scale}}
  %y = qnn.slice %x {offsets = array<i64: 0, 1>, steps = array<i64: 1, -1>} : (tensor<1x2x!a>) -> tensor<1x2x!a>
  return
}

// -----

// an accumulator without sign
!a = !quant.uniform<u32:f32, 1.0>
func.func @f(%x: tensor<2x!a>) {
  // expected-error @+1 {{accumulator without sign, expected a signed one}}
  %y = qnn.reshape %x : (tensor<2x!a>) -> tensor<1x2x!a>
  return
}

// -----

// a zero point that the types say already, and differently
!x = !quant.uniform<u8:f32, 1.0>
func.func @f(%x: tensor<2x!x>) {
  // expected-error @+1 {{must not have 'x_zp' with operands of type '!quant.uniform<u8:f32, 1.000000e+00>'}}
  %y = qnn.requantize %x {x_zp = 5 : i64} : (tensor<2x!x>) -> tensor<2x!x>
  return
}

// -----

// scales of products that were multiplied otherwise, one a channel
!x = !quant.uniform<u8:f32, 0.5>
!w = !quant.uniform<i8<-127:127>:f32:0, {1.0, 2.0}>
!y = !quant.uniform<i32:f32:1, {0.5, 2.0}>
func.func @f(%x: tensor<1x1x2x!x>, %w: tensor<2x1x1x!w>) {
  // expected-error @+1 {{expected the scales of the products along axis 1}}
  %y = qnn.conv %x, %w : (tensor<1x1x2x!x>, tensor<2x1x1x!w>) -> tensor<1x2x2x!y>
  return
}
