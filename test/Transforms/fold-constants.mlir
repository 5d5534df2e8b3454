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
