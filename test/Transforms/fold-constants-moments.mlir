// RUN: quant-opt %s --pass-pipeline='builtin.module(quant-fold-constants{keep-moments})' -split-input-file | FileCheck %s
// RUN: quant-opt %s --quant-fold-constants -split-input-file | FileCheck %s --check-prefix=WITHOUT

// What batch normalizations say of the values of their layers: offsets, then the sizes of scales.
// WITHOUT-NOT: qnn.moments

// CHECK-LABEL: @conv
// CHECK: qnn.conv {{.*}}id = "conv", qnn.moments = array<f64: 1.000000e+01, 2.000000e+01, 4.000000e+00, 1.000000e+00>
func.func @conv(%x: tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w = arith.constant dense<1.0> : tensor<2x1x1x1xf32>
  %scale = arith.constant dense<[-4.0, 1.0]> : tensor<2xf32>
  %offset = arith.constant dense<[10.0, 20.0]> : tensor<2xf32>
  %mean = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %variance = arith.constant dense<[3.0, 3.0]> : tensor<2xf32>
  %y = qnn.conv %x, %w {id = "conv"} : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  %z = qnn.batch_norm %y, %scale, %offset, %mean, %variance {epsilon = 1.0 : f32, id = "bn"} : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  return %z : tensor<1x2x4x4xf32>
}

// -----

// A product and a sum with constants are imported alike, but normalize nothing: 10 * -2 + 1 and 4 * 2.
// CHECK-LABEL: @affine
// CHECK: qnn.conv {{.*}}id = "conv", qnn.moments = array<f64: -1.900000e+01, 8.000000e+00>
// CHECK: qnn.conv {{.*}}id = "product"
// CHECK-NOT: qnn.moments
// CHECK: return
func.func @affine(%x: tensor<1x1x4x4xf32>) -> (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>) {
  %w = arith.constant dense<1.0> : tensor<1x1x1x1xf32>
  %zero = arith.constant dense<0.0> : tensor<1xf32>
  %one = arith.constant dense<1.0> : tensor<1xf32>
  %two = arith.constant dense<-2.0> : tensor<1xf32>
  %four = arith.constant dense<4.0> : tensor<1xf32>
  %ten = arith.constant dense<10.0> : tensor<1xf32>
  %y = qnn.conv %x, %w {id = "conv"} : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %z = qnn.batch_norm %y, %four, %ten, %one, %one {epsilon = 0.0 : f32, id = "bn"} : (tensor<1x1x4x4xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x4x4xf32>
  %a = qnn.batch_norm %z, %two, %one, %zero, %one {epsilon = 0.0 : f32, id = "affine"} : (tensor<1x1x4x4xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x4x4xf32>
  %p = qnn.batch_norm %x, %two, %one, %zero, %one {epsilon = 0.0 : f32, id = "product"} : (tensor<1x1x4x4xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x4x4xf32>
  return %a, %p : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>
}

// -----

// Alone, of a matrix: the convolution that computes it.
// CHECK-LABEL: @matrix
// CHECK: qnn.conv {{.*}}id = "bn", qnn.moments = array<f64: 5.000000e+00, 3.000000e+00>
func.func @matrix(%x: tensor<2x1xf32>) -> tensor<2x1xf32> {
  %three = arith.constant dense<3.0> : tensor<1xf32>
  %five = arith.constant dense<5.0> : tensor<1xf32>
  %z = qnn.batch_norm %x, %three, %five, %three, %five {epsilon = 0.0 : f32, id = "bn"} : (tensor<2x1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<2x1xf32>
  return %z : tensor<2x1xf32>
}
