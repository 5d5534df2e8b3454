// RUN: %quant-opt %s -split-input-file -quant-fold-constants | FileCheck %s

// The shape of a transposed convolution: two channels become one of the normalization.
// CHECK-LABEL: @phases
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[}}{{\[}}[2.000000e+00]], {{\[}}[4.000000e+00]], {{\[}}[9.000000e+00]], {{\[}}[1.200000e+01]]]> : tensor<4x1x1xf32>
// CHECK-DAG: %[[B:.*]] = arith.constant dense<[1.000000e+01, 1.000000e+01, 2.000000e+01, 2.000000e+01]> : tensor<4xf32>
// CHECK: %[[C:.*]] = qnn.conv %arg0, %[[W]], %[[B]] {id = "t"}
// CHECK: %[[V:.*]] = qnn.reshape %[[C]]
// CHECK: %[[T:.*]] = qnn.transpose %[[V]]
// CHECK: %[[M:.*]] = qnn.reshape %[[T]]
// CHECK: %[[S:.*]] = qnn.slice %[[M]]
// CHECK: return %[[S]]
func.func @phases(%x: tensor<1x1x3xf32>) -> tensor<1x2x5xf32> {
  %w = arith.constant dense<[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]> : tensor<4x1x1xf32>
  %c = qnn.conv %x, %w {id = "t"} : (tensor<1x1x3xf32>, tensor<4x1x1xf32>) -> tensor<1x4x3xf32>
  %v = qnn.reshape %c : (tensor<1x4x3xf32>) -> tensor<1x2x2x3xf32>
  %t = qnn.transpose %v {permutation = array<i64: 0, 1, 3, 2>} : (tensor<1x2x2x3xf32>) -> tensor<1x2x3x2xf32>
  %m = qnn.reshape %t : (tensor<1x2x3x2xf32>) -> tensor<1x2x6xf32>
  %s = qnn.slice %m {offsets = array<i64: 0, 0, 1>, steps = array<i64: 1, 1, 1>} : (tensor<1x2x6xf32>) -> tensor<1x2x5xf32>
  %scale = arith.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %offset = arith.constant dense<[10.0, 20.0]> : tensor<2xf32>
  %mean = arith.constant dense<0.0> : tensor<2xf32>
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %n = qnn.batch_norm %s, %scale, %offset, %mean, %one {epsilon = 0.0 : f32, id = "n"} : (tensor<1x2x5xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x5xf32>
  return %n : tensor<1x2x5xf32>
}

// -----

// Channels that moved apart, or were chosen among: a convolution of its own.
// CHECK-LABEL: @apart
// CHECK: qnn.conv {{.*}}id = "a"
// CHECK: qnn.transpose
// CHECK: qnn.conv {{.*}}id = "m"
// CHECK: qnn.conv {{.*}}id = "b"
// CHECK: qnn.gather
// CHECK: qnn.conv {{.*}}id = "n"
func.func @apart(%x: tensor<1x1x2xf32>) -> (tensor<1x2x2xf32>, tensor<1x2x2xf32>) {
  %w = arith.constant dense<1.0> : tensor<2x1x1xf32>
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %a = qnn.conv %x, %w {id = "a"} : (tensor<1x1x2xf32>, tensor<2x1x1xf32>) -> tensor<1x2x2xf32>
  %t = qnn.transpose %a {permutation = array<i64: 0, 2, 1>} : (tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  %m = qnn.batch_norm %t, %one, %one, %one, %one {epsilon = 0.0 : f32, id = "m"} : (tensor<1x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>
  %b = qnn.conv %x, %w {id = "b"} : (tensor<1x1x2xf32>, tensor<2x1x1xf32>) -> tensor<1x2x2xf32>
  %g = qnn.gather %b {axis = 1 : i64, indices = array<i64: 1, 0>} : (tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  %n = qnn.batch_norm %g, %one, %one, %one, %one {epsilon = 0.0 : f32, id = "n"} : (tensor<1x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>
  return %m, %n : tensor<1x2x2xf32>, tensor<1x2x2xf32>
}
