// RUN: quant-opt %s --pass-pipeline='builtin.module(quant-derive-ranges{sigmas=4 inputs=x=-1:3})' -split-input-file | FileCheck %s

// What a batch normalization says, cut off by the activation; all channels together.
// CHECK-LABEL: @activations
// CHECK: qnn.range %arg0 {max = 3.000000e+00 : f32, min = -1.000000e+00 : f32}
// CHECK: qnn.conv
// CHECK-NOT: qnn.moments
// CHECK: qnn.relu
// CHECK: qnn.range {{.*}} {max = 8.500000e+00 : f32, min = 0.000000e+00 : f32}
// CHECK: qnn.clip
// CHECK: qnn.range {{.*}} {max = 6.000000e+00 : f32, min = -3.000000e+00 : f32}
func.func @activations(%x: tensor<1x1x4x4xf32> {qnn.name = "x"}) -> (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) {
  %w = arith.constant dense<1.0> : tensor<2x1x1x1xf32>
  %y = qnn.conv %x, %w {id = "y", qnn.moments = array<f64: 0.5, 1.0, 2.0, 1.0>} : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  %r = qnn.relu %y : tensor<1x2x4x4xf32>
  %z = qnn.conv %x, %w {id = "z", qnn.moments = array<f64: 1.0, 1.0, 1.0, 2.0>} : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  %c = qnn.clip %z {min = -3.0 : f32, max = 6.0 : f32} : tensor<1x2x4x4xf32>
  return %r, %c : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>
}

// -----

// Sums: means add up, and so do squares of what reaches beyond them: 3 and 4 make 5 to either side of 1 + 2 and 1 - 2.
// A constant moves the range: 10 more.
// CHECK-LABEL: @sums
// CHECK: qnn.add
// CHECK: qnn.range {{.*}} {max = 8.000000e+00 : f32, min = -2.000000e+00 : f32}
// CHECK: qnn.sub
// CHECK: qnn.range {{.*}} {max = 4.000000e+00 : f32, min = -6.000000e+00 : f32}
// CHECK: qnn.add
// CHECK: qnn.range {{.*}} {max = 1.400000e+01 : f32, min = 8.000000e+00 : f32}
func.func @sums(%x: tensor<1x1x4x4xf32> {qnn.name = "x"}) -> (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>) {
  %w = arith.constant dense<1.0> : tensor<1x1x1x1xf32>
  %ten = arith.constant dense<10.0> : tensor<1x1x1x1xf32>
  %a = qnn.conv %x, %w {id = "a", qnn.moments = array<f64: 1.0, 0.75>} : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %b = qnn.conv %x, %w {id = "b", qnn.moments = array<f64: 2.0, 1.0>} : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %s = qnn.add %a, %b {id = "s"} : (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  %d = qnn.sub %a, %b {id = "d"} : (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  %t = qnn.add %a, %ten {id = "t"} : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  return %s, %d, %t : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>
}

// -----

// A layer without: of two channels that reach 3 and 4 from 1 and 2, with weights 1 and -1 and bias 1, 5 to either side of 1 - 2 + 1.
// Of one channel's window, 3 times 1.0 of what is no more than 4 from 2: all may be equal, 12 from 6. Borders are 0.
// CHECK-LABEL: @layers
// CHECK: qnn.conv {{.*}} {id = "m"}
// CHECK: qnn.range {{.*}} {max = 5.000000e+00 : f32, min = -5.000000e+00 : f32}
// CHECK: qnn.conv {{.*}} {id = "window"}
// CHECK: qnn.range {{.*}} {max = 1.800000e+01 : f32, min = -6.000000e+00 : f32}
func.func @layers(%x: tensor<1x1x4xf32> {qnn.name = "x"}) -> (tensor<1x1x4xf32>, tensor<1x1x2xf32>) {
  %w = arith.constant dense<1.0> : tensor<2x1x1xf32>
  %v = arith.constant dense<[[[1.0], [-1.0]]]> : tensor<1x2x1xf32>
  %b = arith.constant dense<1.0> : tensor<1xf32>
  %k = arith.constant dense<1.0> : tensor<1x1x3xf32>
  %a = qnn.conv %x, %w {id = "a", qnn.moments = array<f64: 1.0, 2.0, 0.75, 1.0>} : (tensor<1x1x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4xf32>
  %m = qnn.conv %a, %v, %b {id = "m"} : (tensor<1x2x4xf32>, tensor<1x2x1xf32>, tensor<1xf32>) -> tensor<1x1x4xf32>
  %second = qnn.slice %a {offsets = array<i64: 0, 1, 0>, steps = array<i64: 1, 1, 1>} : (tensor<1x2x4xf32>) -> tensor<1x1x4xf32>
  %window = qnn.conv %second, %k {id = "window"} : (tensor<1x1x4xf32>, tensor<1x1x3xf32>) -> tensor<1x1x2xf32>
  return %m, %window : tensor<1x1x4xf32>, tensor<1x1x2xf32>
}

// -----

// Channels are told apart through what moves and joins them; pools keep what reaches them; a border is a number more.
// CHECK-LABEL: @moves
// CHECK: qnn.range {{.*}} {max = 1.400000e+01 : f32, min = -4.000000e+00 : f32}
// CHECK: qnn.avg_pool
// CHECK: qnn.range {{.*}} {max = 1.400000e+01 : f32, min = 6.000000e+00 : f32}
// CHECK: qnn.pad
// CHECK: qnn.range {{.*}} {max = 1.400000e+01 : f32, min = -7.000000e+00 : f32}
// CHECK: qnn.concat
// CHECK: qnn.range {{.*}} {max = 1.400000e+01 : f32, min = -7.000000e+00 : f32}
// CHECK: qnn.softmax
// CHECK: qnn.range {{.*}} {max = 1.000000e+00 : f32, min = 0.000000e+00 : f32}
// CHECK: qnn.mul
// CHECK: qnn.range {{.*}} {max = 1.400000e+01 : f32, min = 0.000000e+00 : f32}
func.func @moves(%x: tensor<1x1x4xf32> {qnn.name = "x"}) -> (tensor<1x2x6xf32>, tensor<1x1x1xf32>) {
  %w = arith.constant dense<1.0> : tensor<2x1x1xf32>
  %a = qnn.conv %x, %w {id = "a", qnn.moments = array<f64: 0.0, 10.0, 1.0, 1.0>} : (tensor<1x1x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4xf32>
  %t = qnn.transpose %a {permutation = array<i64: 0, 1, 2>} : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %s = qnn.slice %t {offsets = array<i64: 0, 1, 0>, steps = array<i64: 1, 1, 1>} : (tensor<1x2x4xf32>) -> tensor<1x1x4xf32>
  %p = qnn.avg_pool %s {id = "p", kernel = array<i64: 4>} : (tensor<1x1x4xf32>) -> tensor<1x1x1xf32>
  %e = qnn.pad %s {low = array<i64: 0, 0, 1>, high = array<i64: 0, 0, 1>, value = -7.0 : f32, id = "e"} : (tensor<1x1x4xf32>) -> tensor<1x1x6xf32>
  %c = qnn.concat %e, %e {axis = 1 : i64, id = "c"} : (tensor<1x1x6xf32>, tensor<1x1x6xf32>) -> tensor<1x2x6xf32>
  %q = qnn.softmax %p {axis = 1 : i64, id = "q"} : (tensor<1x1x1xf32>) -> tensor<1x1x1xf32>
  %m = qnn.mul %q, %p {id = "m"} : (tensor<1x1x1xf32>, tensor<1x1x1xf32>) -> tensor<1x1x1xf32>
  return %c, %m : tensor<1x2x6xf32>, tensor<1x1x1xf32>
}

// -----

// Functions map all that reaches them.
// CHECK-LABEL: @functions
// CHECK: qnn.map
// CHECK: qnn.range {{.*}} {max = 1.600000e+01 : f32, min = 0.000000e+00 : f32}
// CHECK: qnn.prelu
// CHECK: qnn.range {{.*}} {max = 4.000000e+00 : f32, min = -2.000000e+00 : f32}
func.func @functions(%x: tensor<1x1x4xf32> {qnn.name = "x"}) -> (tensor<1x1x4xf32>, tensor<1x1x4xf32>) {
  %w = arith.constant dense<1.0> : tensor<1x1x1xf32>
  %half = arith.constant dense<0.5> : tensor<f32>
  %a = qnn.conv %x, %w {id = "a", qnn.moments = array<f64: 0.0, 1.0>} : (tensor<1x1x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x4xf32>
  %f = qnn.map %a {id = "f"} : (tensor<1x1x4xf32>) -> tensor<1x1x4xf32> {
  ^bb0(%n: f32):
    %s = arith.mulf %n, %n : f32
    qnn.yield %s : f32
  }
  %p = qnn.prelu %a, %half {id = "p"} : (tensor<1x1x4xf32>, tensor<f32>) -> tensor<1x1x4xf32>
  return %f, %p : tensor<1x1x4xf32>, tensor<1x1x4xf32>
}
