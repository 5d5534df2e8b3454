// RUN: quant-opt %s --quant-lower-to-linalg -split-input-file | FileCheck %s

// Loops: sample, group, block of filters, output, kernel, channel, filter. The weights are constant in that order.
// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d3 * 2 + d4 * 3, d1, d5)>
// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d2, d4, d5, d6)>
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d3, d1, d2, d6)>
// CHECK-LABEL: @conv
// CHECK: %[[C:.*]] = arith.constant dense<[1, 5, 3, 7, 2, 6, 4, 8]> : tensor<8xi8>
// CHECK: %[[V:.*]] = tensor.expand_shape %[[C]] {{.*}} into tensor<1x1x2x2x2xi8>
// CHECK: linalg.generic {indexing_maps = [#[[X]], #[[W]], #[[Y]]], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "parallel"]} ins({{.*}}, %[[V]] : tensor<1x6x1x2xi8>, tensor<1x1x2x2x2xi8>)
func.func @conv(%x: tensor<1x6x2xui8>) -> tensor<1x2x2xsi32> {
  %w = arith.constant dense<[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]> : tensor<2x2x2xsi8>
  %y = qnn.conv %x, %w {channels_last, strides = array<i64: 2>, dilations = array<i64: 3>, x_zp = 0 : i64} : (tensor<1x6x2xui8>, tensor<2x2x2xsi8>) -> tensor<1x2x2xsi32>
  return %y : tensor<1x2x2xsi32>
}

// -----

// A depthwise convolution: sample, output, block of channels, kernel, channel.
// CHECK: affine_map<(d0, d1, d2, d3, d4) -> (d0, d1 + d3, d2, d4)>
// CHECK-LABEL: @depthwise
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "reduction", "parallel"]} ins({{.*}} : tensor<1x4x2x40xf32>, tensor<2x2x40xf32>)
func.func @depthwise(%x: tensor<1x4x80xf32>) -> tensor<1x3x80xf32> {
  %w = arith.constant dense<1.0> : tensor<80x1x2xf32>
  %y = qnn.conv %x, %w {channels_last, group = 80 : i64} : (tensor<1x4x80xf32>, tensor<80x1x2xf32>) -> tensor<1x3x80xf32>
  return %y : tensor<1x3x80xf32>
}

// -----

// Few filters of many channels: these are innermost. Weights that are not constant are transposed at run time.
// CHECK-LABEL: @few
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} ins({{.*}}, %{{.*}} : tensor<1x4x1x16xi8>, tensor<1x1x1x1x16xi8>)
func.func @few(%x: tensor<1x4x16xui8>, %w: tensor<1x16x1xsi8>) -> tensor<1x4x1xsi32> {
  %y = qnn.conv %x, %w {channels_last, x_zp = 0 : i64} : (tensor<1x4x16xui8>, tensor<1x16x1xsi8>) -> tensor<1x4x1xsi32>
  return %y : tensor<1x4x1xsi32>
}

// -----

// Pools run over the channels innermost; a border is divided out of float means.
// CHECK: affine_map<(d0, d1, d2, d3) -> (d0, d1 * 2 + d2, d3)>
// CHECK-LABEL: @pools
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
// CHECK: arith.maxui
// CHECK: arith.constant dense<{{\[}}[1.000000e+00], [2.000000e+00]]> : tensor<2x1xf32>
func.func @pools(%x: tensor<1x4x3xui8>, %z: tensor<1x3x3xf32>) -> (tensor<1x2x3xui8>, tensor<1x2x3xf32>) {
  %0 = qnn.max_pool %x {channels_last, kernel = array<i64: 2>, strides = array<i64: 2>} : (tensor<1x4x3xui8>) -> tensor<1x2x3xui8>
  %1 = qnn.avg_pool %z {channels_last, kernel = array<i64: 2>, strides = array<i64: 2>, pads = array<i64: 1, 0>} : (tensor<1x3x3xf32>) -> tensor<1x2x3xf32>
  return %0, %1 : tensor<1x2x3xui8>, tensor<1x2x3xf32>
}
