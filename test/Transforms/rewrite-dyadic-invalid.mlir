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

// -----

// Scales along an axis at the entry.
func.func @entry(%x: tensor<1x2xf32>) -> tensor<1x2x!quant.uniform<u8:f32:1, {1.0, 2.0}>> {
  // expected-error @+1 {{entry with scales along an axis, expected one scale}}
  %q = quant.qcast %x : tensor<1x2xf32> to tensor<1x2x!quant.uniform<u8:f32:1, {1.0, 2.0}>>
  return %q : tensor<1x2x!quant.uniform<u8:f32:1, {1.0, 2.0}>>
}

// -----

// Zero points along an axis.
func.func @zero_points(%x: tensor<1x2xf32>) -> tensor<1x2x!quant.uniform<u8:f32:1, {1.0:1, 1.0:2}>> {
  // expected-error @+1 {{type 'tensor<1x2x!quant.uniform<u8:f32:1, {1.000000e+00:1,1.000000e+00:2}>>', expected a !quant.uniform type with one zero point}}
  %q = quant.qcast %x : tensor<1x2xf32> to tensor<1x2x!quant.uniform<u8:f32:1, {1.0:1, 1.0:2}>>
  return %q : tensor<1x2x!quant.uniform<u8:f32:1, {1.0:1, 1.0:2}>>
}

// -----

// Storage that is no constant, and the way back.
func.func @storage(%x: tensor<2xi8>) -> tensor<2x!quant.uniform<u8:f32, 1.0>> {
  // expected-error @+1 {{quant.scast of something else than a constant, expected a constant's storage}}
  %q = quant.scast %x : tensor<2xi8> to tensor<2x!quant.uniform<u8:f32, 1.0>>
  return %q : tensor<2x!quant.uniform<u8:f32, 1.0>>
}

// -----

func.func @stored(%x: tensor<2x!quant.uniform<u8:f32, 1.0>>) -> tensor<2xi8> {
  // expected-error @+1 {{quant.scast of something else than a constant, expected a constant's storage}}
  %q = quant.scast %x : tensor<2x!quant.uniform<u8:f32, 1.0>> to tensor<2xi8>
  return %q : tensor<2xi8>
}

// -----

!x = !quant.uniform<u8:f32, 1.0>
!w = !quant.uniform<i8<-127:127>:f32, 1.0>
func.func @weights(%x: tensor<1x2x!x>, %w: tensor<2x2x!w>) -> tensor<1x2x!x> {
  // expected-error @+1 {{weights or bias are not constant, expected constants}}
  %y = qnn.matmul %x, %w {id = "m"} : (tensor<1x2x!x>, tensor<2x2x!w>) -> tensor<1x2x!x>
  return %y : tensor<1x2x!x>
}

// -----

!x = !quant.uniform<u8:f32, 1.0>
!w = !quant.uniform<i8<-127:127>:f32, 1.0>
func.func @bias(%x: tensor<1x2x!x>, %b: tensor<2xf32>) -> tensor<1x2x!x> {
  %c = arith.constant dense<1> : tensor<2x2xi8>
  %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!w>
  // expected-error @+1 {{weights or bias are not constant, expected constants}}
  %y = qnn.matmul %x, %w, %b {id = "m"} : (tensor<1x2x!x>, tensor<2x2x!w>, tensor<2xf32>) -> tensor<1x2x!x>
  return %y : tensor<1x2x!x>
}

// -----

// A bias that 32 bits cannot hold.
!x = !quant.uniform<u8:f32, 1.0>
!w = !quant.uniform<i8<-127:127>:f32, 1.0>
func.func @large_bias(%x: tensor<1x2x!x>) -> tensor<1x2x!x> {
  %c = arith.constant dense<1> : tensor<2x2xi8>
  %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!w>
  %b = arith.constant dense<[0.0, -3.0e9]> : tensor<2xf32>
  // expected-error-re @+1 {{layer 'm': accumulator bound {{[0-9]+}} exceeds 2147483647 with activations of 8 bits}}
  %y = qnn.matmul %x, %w, %b {id = "m"} : (tensor<1x2x!x>, tensor<2x2x!w>, tensor<2xf32>) -> tensor<1x2x!x>
  return %y : tensor<1x2x!x>
}

// -----

// The ratio of a layer of its own, and the one of a pool over windows of several sizes.
!x = !quant.uniform<u8:f32, 1.0e10>
!y = !quant.uniform<u8:f32, 1.0>
func.func @pool_ratio(%x: tensor<1x1x2x!x>) -> tensor<1x1x2x!y> {
  // expected-error-re @+1 {{layer 'p': scale ratio {{[0-9.e+]+}} is not below 2^30}}
  %y = qnn.avg_pool %x {id = "p", kernel = array<i64: 2>, pads = array<i64: 0, 1>} : (tensor<1x1x2x!x>) -> tensor<1x1x2x!y>
  return %y : tensor<1x1x2x!y>
}

// -----

!x = !quant.uniform<u8:f32, 1.0e10>
!y = !quant.uniform<u8:f32, 1.0>
func.func @sum_ratio(%x: tensor<2x!x>, %y: tensor<2x!y>) -> tensor<2x!y> {
  // expected-error @+1 {{layer 's': scale ratios 1.000000e+00 and 1.000000e+10 are not below 2^30}}
  %z = qnn.add %y, %x {id = "s"} : (tensor<2x!y>, tensor<2x!x>) -> tensor<2x!y>
  return %z : tensor<2x!y>
}

// -----

!a = !quant.uniform<i32:f32:1, {1.0, 2.0}>
!b = !quant.uniform<i32:f32:2, {1.0, 2.0}>
!y = !quant.uniform<u8:f32, 1.0>
func.func @axes(%a: tensor<1x2x2x!a>, %b: tensor<1x2x2x!b>) -> tensor<1x2x2x!y> {
  // expected-error @+1 {{scales along axes 1 and 2, expected one axis}}
  %z = qnn.add %a, %b {id = "s"} : (tensor<1x2x2x!a>, tensor<1x2x2x!b>) -> tensor<1x2x2x!y>
  return %z : tensor<1x2x2x!y>
}

// -----

// A softmax with a scale a column.
!x = !quant.uniform<u8:f32:1, {1.0, 2.0}>
!p = !quant.uniform<u15:f32, 3.0517578125e-05>
func.func @softmax_axis(%x: tensor<1x2x!x>) -> tensor<1x2x!p> {
  // expected-error @+1 {{expected one scale of at most 16 bits and 15 unsigned bits of scale 2^-15}}
  %y = qnn.softmax %x {axis = 1 : i64} : (tensor<1x2x!x>) -> tensor<1x2x!p>
  return %y : tensor<1x2x!p>
}

// -----

// Values that another dialect makes.
func.func @foreign_value() -> tensor<4x!quant.uniform<u8:f32, 1.0>> {
  // expected-error @+1 {{'tensor.empty' cannot be rewritten to integers}}
  %x = tensor.empty() : tensor<4x!quant.uniform<u8:f32, 1.0>>
  return %x : tensor<4x!quant.uniform<u8:f32, 1.0>>
}
