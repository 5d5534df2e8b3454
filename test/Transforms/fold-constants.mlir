// RUN: quant-opt %s --quant-fold-constants -split-input-file | FileCheck %s

// scale / sqrt(variance + epsilon) = 2 and 0.5: weights and bias take them in.
// CHECK-LABEL: @conv
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[\[\[}}2.000000e+00]], {{\[\[}}4.000000e+00]]], {{\[\[\[}}1.500000e+00]], {{\[\[}}2.000000e+00]]]]>
// CHECK-DAG: %[[B:.*]] = arith.constant dense<[1.000000e+01, 1.950000e+01]>
// CHECK: %[[Y:.*]] = qnn.conv %{{.*}}, %[[W]], %[[B]] {id = "conv"}
// CHECK-NOT: qnn.batch_norm
// CHECK: return %[[Y]]
func.func @conv(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w = arith.constant dense<[[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]]> : tensor<2x2x1x1xf32>
  %b = arith.constant dense<[1.0, 1.0]> : tensor<2xf32>
  %scale = arith.constant dense<[4.0, 1.0]> : tensor<2xf32>
  %offset = arith.constant dense<[10.0, 20.0]> : tensor<2xf32>
  %mean = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %variance = arith.constant dense<[3.0, 3.0]> : tensor<2xf32>
  %y = qnn.conv %x, %w, %b {id = "conv"} : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  %z = qnn.batch_norm %y, %scale, %offset, %mean, %variance {epsilon = 1.0 : f32, id = "bn"} : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  return %z : tensor<1x2x4x4xf32>
}

// -----

// Its operand has another use: a depthwise convolution of its own.
// CHECK-LABEL: @alone
// CHECK: %[[Y:.*]] = qnn.conv %arg0, %{{.*}}, %{{.*}} {group = 2 : i64, id = "bn"}
// CHECK: qnn.add %arg0, %[[Y]]
func.func @alone(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %y = qnn.batch_norm %x, %one, %one, %one, %one {epsilon = 0.0 : f32, id = "bn"} : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  %z = qnn.add %x, %y : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  return %z : tensor<1x2x4x4xf32>
}

// -----

// Without a bias, into columns of a matrix: factors 2 and 3, offsets 0 - 1 * 2 and 5 - 2 * 3.
// CHECK-LABEL: @matmul
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[}}2.000000e+00, 6.000000e+00], [6.000000e+00, 1.200000e+01]]>
// CHECK-DAG: %[[B:.*]] = arith.constant dense<[-2.000000e+00, -1.000000e+00]>
// CHECK: %[[Y:.*]] = qnn.matmul %arg0, %[[W]], %[[B]] {id = "m"}
// CHECK-NEXT: return %[[Y]]
func.func @matmul(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %scale = arith.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %offset = arith.constant dense<[0.0, 5.0]> : tensor<2xf32>
  %mean = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %variance = arith.constant dense<1.0> : tensor<2xf32>
  %y = qnn.matmul %x, %w {id = "m"} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %z = qnn.batch_norm %y, %scale, %offset, %mean, %variance {epsilon = 0.0 : f32, id = "bn"} : (tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %z : tensor<1x2xf32>
}

// -----

// At rank 3 the channels are not the columns.
// CHECK-LABEL: @rows
// CHECK: %[[M:.*]] = qnn.matmul %arg0, %{{[a-z_0-9]*}} {id = "m"}
// CHECK: qnn.conv %[[M]], %{{.*}}, %{{.*}} {group = 3 : i64, id = "bn"} : (tensor<1x3x2xf32>, tensor<3x1x1xf32>, tensor<3xf32>) -> tensor<1x3x2xf32>
func.func @rows(%x: tensor<1x3x2xf32>) -> tensor<1x3x2xf32> {
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %p = arith.constant dense<1.0> : tensor<3xf32>
  %y = qnn.matmul %x, %w {id = "m"} : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  %z = qnn.batch_norm %y, %p, %p, %p, %p {epsilon = 0.0 : f32, id = "bn"} : (tensor<1x3x2xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<1x3x2xf32>
  return %z : tensor<1x3x2xf32>
}

// -----

// A matrix [N, C] is convolved as [N, C, 1].
// CHECK-LABEL: @matrix
// CHECK: %[[E:.*]] = qnn.reshape %arg0 : (tensor<4x2xf32>) -> tensor<4x2x1xf32>
// CHECK: %[[Y:.*]] = qnn.conv %[[E]], %{{.*}}, %{{.*}} {group = 2 : i64, id = "bn"}
// CHECK: %[[Z:.*]] = qnn.reshape %[[Y]] : (tensor<4x2x1xf32>) -> tensor<4x2xf32>
// CHECK: return %[[Z]]
func.func @matrix(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %p = arith.constant dense<1.0> : tensor<2xf32>
  %z = qnn.batch_norm %x, %p, %p, %p, %p {epsilon = 0.0 : f32, id = "bn"} : (tensor<4x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<4x2xf32>
  return %z : tensor<4x2xf32>
}

// -----

// Not into a convolution that has another reader, nor past a ReLU; one after another into
// one: 1 * 2 * 2 and (0 * 2 - 1) * 2 - 1.
// CHECK-LABEL: @readers
// CHECK: %[[A:.*]] = qnn.conv %arg0, %{{[a-z_0-9]*}} {id = "a"}
// CHECK: %[[N:.*]] = qnn.conv %[[A]], %{{.*}}, %{{.*}} {id = "n"}
// CHECK: qnn.relu %[[A]]
// CHECK: qnn.conv %{{.*}}, %{{.*}}, %{{.*}} {id = "m"}
// CHECK: %[[W:.*]] = arith.constant dense<4.000000e+00> : tensor<1x1x1xf32>
// CHECK: %[[B:.*]] = arith.constant dense<-3.000000e+00> : tensor<1xf32>
// CHECK: qnn.conv %arg0, %[[W]], %[[B]] {id = "c"}
// CHECK-NOT: qnn.conv
func.func @readers(%x: tensor<1x1x2xf32>) -> (tensor<1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>) {
  %w = arith.constant dense<1.0> : tensor<1x1x1xf32>
  %one = arith.constant dense<1.0> : tensor<1xf32>
  %half = arith.constant dense<0.5> : tensor<1xf32>
  %quarter = arith.constant dense<0.25> : tensor<1xf32>
  %zero = arith.constant dense<0.0> : tensor<1xf32>
  %a = qnn.conv %x, %w {id = "a"} : (tensor<1x1x2xf32>, tensor<1x1x1xf32>) -> tensor<1x1x2xf32>
  %n = qnn.batch_norm %a, %one, %one, %one, %one {epsilon = 0.0 : f32, id = "n"} : (tensor<1x1x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2xf32>
  %r = qnn.relu %a {id = "r"} : tensor<1x1x2xf32>
  %m = qnn.batch_norm %r, %one, %one, %one, %one {epsilon = 0.0 : f32, id = "m"} : (tensor<1x1x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2xf32>
  %c = qnn.conv %x, %w {id = "c"} : (tensor<1x1x2xf32>, tensor<1x1x1xf32>) -> tensor<1x1x2xf32>
  %p = qnn.batch_norm %c, %one, %zero, %half, %quarter {epsilon = 0.0 : f32, id = "p"} : (tensor<1x1x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2xf32>
  %q = qnn.batch_norm %p, %one, %zero, %half, %quarter {epsilon = 0.0 : f32, id = "q"} : (tensor<1x1x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2xf32>
  return %n, %m, %q : tensor<1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>
}

// -----

// Weights that are an argument cannot take anything in.
// CHECK-LABEL: @weights
// CHECK: qnn.conv %arg0, %arg1 {id = "c"}
// CHECK: qnn.conv {{.*}}id = "n"
func.func @weights(%x: tensor<1x1x2xf32>, %w: tensor<1x1x1xf32>) -> tensor<1x1x2xf32> {
  %one = arith.constant dense<1.0> : tensor<1xf32>
  %c = qnn.conv %x, %w {id = "c"} : (tensor<1x1x2xf32>, tensor<1x1x1xf32>) -> tensor<1x1x2xf32>
  %n = qnn.batch_norm %c, %one, %one, %one, %one {epsilon = 0.0 : f32, id = "n"} : (tensor<1x1x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2xf32>
  return %n : tensor<1x1x2xf32>
}
