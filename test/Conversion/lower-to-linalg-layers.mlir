// RUN: quant-opt %s --quant-lower-to-linalg -split-input-file | FileCheck %s

// Rows and columns in two dimensions; the accumulator starts from the bias.
// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-LABEL: @matmul
// CHECK: %[[B:.*]] = arith.constant dense<[5, 6]> : tensor<2xi32>
// CHECK: %[[S:.*]] = linalg.generic {{.*}} ins(%[[B]] : tensor<2xi32>) outs(%{{.*}} : tensor<3x2xi32>)
// CHECK: linalg.generic {indexing_maps = [#[[X]], #[[W]], #[[Y]]], iterator_types = ["parallel", "reduction", "parallel"]} ins({{.*}} : tensor<3x2xi16>, tensor<2x2xi8>) outs(%[[S]] : tensor<3x2xi32>)
// CHECK: %[[L:.*]] = arith.extui %{{.*}} : i16 to i32
// CHECK: %[[R:.*]] = arith.extsi %{{.*}} : i8 to i32
// CHECK: arith.muli %[[L]], %[[R]]
func.func @matmul(%x: tensor<1x3x2xui16>) -> tensor<1x3x2xsi32> {
  %w = arith.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xsi8>
  %b = arith.constant dense<[5, 6]> : tensor<2xsi32>
  %y = qnn.matmul %x, %w, %b {x_zp = 0 : i64} : (tensor<1x3x2xui16>, tensor<2x2xsi8>, tensor<2xsi32>) -> tensor<1x3x2xsi32>
  return %y : tensor<1x3x2xsi32>
}

// -----

// A pointwise convolution has one long spatial dimension; without bias it starts from 0.
// CHECK-LABEL: @pointwise
// CHECK: %[[S:.*]] = linalg.fill ins(%c0_i32 : i32) outs(%{{.*}} : tensor<1x1x9xi32>)
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<1x1x2x9xi8>, tensor<1x1x2x1xi8>) outs(%{{.*}} : tensor<1x1x1x9xi32>)
// CHECK: arith.extsi %{{.*}} : i8 to i32
func.func @pointwise(%x: tensor<1x2x3x3xsi8>) -> tensor<1x1x3x3xsi32> {
  %w = arith.constant dense<1> : tensor<1x2x1x1xsi8>
  %y = qnn.conv %x, %w {x_zp = 0 : i64} : (tensor<1x2x3x3xsi8>, tensor<1x2x1x1xsi8>) -> tensor<1x1x3x3xsi32>
  return %y : tensor<1x1x3x3xsi32>
}

// -----

// In float the order is the same: kernel positions, then channels, in fused multiply-adds.
// CHECK: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d4, d5 * 2 + d3 * 3)>
// CHECK-LABEL: @float_conv
// CHECK: math.fma %in, %in_{{.*}}, %out : f32
func.func @float_conv(%x: tensor<1x1x9xf32>) -> tensor<1x1x3xf32> {
  %w = arith.constant dense<[[[1.0, 2.0]]]> : tensor<1x1x2xf32>
  %y = qnn.conv %x, %w {strides = array<i64: 2>, dilations = array<i64: 3>} : (tensor<1x1x9xf32>, tensor<1x1x2xf32>) -> tensor<1x1x3xf32>
  return %y : tensor<1x1x3xf32>
}

// -----

// The largest value begins at the lowest, which the border holds too.
// CHECK-LABEL: @max_pool
// CHECK: %[[LOW:.*]] = arith.constant -32768 : i16
// CHECK: linalg.fill ins(%[[LOW]] : i16) outs(%{{.*}} : tensor<1x1x3xi16>)
// CHECK: linalg.fill ins(%[[LOW]] : i16) outs(%{{.*}} : tensor<1x1x7xi16>)
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction", "parallel"]
// CHECK: arith.maxsi %out, %in : i16
// CHECK: %[[LEAST:.*]] = arith.constant 0 : i8
// CHECK: linalg.fill ins(%[[LEAST]] : i8)
// CHECK: arith.maxui %out, %in{{.*}} : i8
// CHECK: %[[INF:.*]] = arith.constant 0xFF800000 : f32
// CHECK: linalg.fill ins(%[[INF]] : f32)
// CHECK: arith.maximumf %out, %in{{.*}} : f32
func.func @max_pool(%x: tensor<1x1x6xsi16>, %u: tensor<1x1x6xui8>, %f: tensor<1x1x6xf32>) -> (tensor<1x1x3xsi16>, tensor<1x1x5xui8>, tensor<1x1x5xf32>) {
  %0 = qnn.max_pool %x {kernel = array<i64: 2>, strides = array<i64: 2>, pads = array<i64: 1, 0>} : (tensor<1x1x6xsi16>) -> tensor<1x1x3xsi16>
  %1 = qnn.max_pool %u {kernel = array<i64: 2>} : (tensor<1x1x6xui8>) -> tensor<1x1x5xui8>
  %2 = qnn.max_pool %f {kernel = array<i64: 2>} : (tensor<1x1x6xf32>) -> tensor<1x1x5xf32>
  return %0, %1, %2 : tensor<1x1x3xsi16>, tensor<1x1x5xui8>, tensor<1x1x5xf32>
}

// -----

// The border of a sum holds the zero point, so that it adds 0. A real mean is divided by
// the number of positions that lie in the input.
// CHECK-LABEL: @avg_pool
// CHECK: %[[ZP:.*]] = arith.constant -3 : i16
// CHECK: linalg.fill ins(%[[ZP]] : i16) outs(%{{.*}} : tensor<1x1x8xi16>)
// CHECK: %[[E:.*]] = arith.extsi %in : i16 to i32
// CHECK: %[[D:.*]] = arith.subi %[[E]], %c-3_i32 : i32
// CHECK: arith.addi %out, %[[D]] : i32
// CHECK: arith.addf
// CHECK: %[[N:.*]] = arith.constant dense<[2.000000e+00, 1.000000e+00]> : tensor<2xf32>
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[N]] : tensor<1x1x2xf32>, tensor<2xf32>)
// CHECK: arith.divf
func.func @avg_pool(%x: tensor<1x1x6xsi16>, %f: tensor<1x1x2xf32>) -> (tensor<1x1x6xsi32>, tensor<1x1x2xf32>) {
  %0 = qnn.avg_pool %x {kernel = array<i64: 3>, pads = array<i64: 1, 1>, x_zp = -3 : i64} : (tensor<1x1x6xsi16>) -> tensor<1x1x6xsi32>
  %1 = qnn.avg_pool %f {kernel = array<i64: 2>, pads = array<i64: 0, 1>} : (tensor<1x1x2xf32>) -> tensor<1x1x2xf32>
  return %0, %1 : tensor<1x1x6xsi32>, tensor<1x1x2xf32>
}

// -----

// CHECK-DAG: #[[T:.*]] = affine_map<(d0, d1, d2) -> (d2, d1, d0)>
// CHECK-DAG: #[[REV:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, -d2 + 3)>
// CHECK-LABEL: @shapes
// CHECK: linalg.generic {indexing_maps = [#[[T]], #{{.*}}]{{.*}} ins(%arg0 : tensor<1x2x4xi8>) outs(%{{.*}} : tensor<4x2x1xi8>)
// Forward steps are a part of the operand and no loop; backward ones are a loop.
// CHECK: %[[S:.*]] = tensor.extract_slice %arg0[0, 0, 1] [1, 2, 2] [1, 1, 2]
// CHECK: linalg.generic {indexing_maps = [#[[REV]], #{{.*}}]
// CHECK: arith.constant -56 : i8
// CHECK: %[[P:.*]] = tensor.insert_slice %arg0 into %{{.*}}[0, 1, 0] [1, 2, 4] [1, 1, 1] : tensor<1x2x4xi8> into tensor<1x3x6xi8>
// CHECK: %[[A:.*]] = tensor.insert_slice %[[P]] into %{{.*}}[0, 0, 0] [1, 3, 6]
// CHECK: %[[B:.*]] = tensor.insert_slice %[[P]] into %[[A]][0, 3, 0] [1, 3, 6]
// CHECK: %[[R:.*]] = tensor.collapse_shape %arg0
// CHECK: return %{{.*}}, %[[S]], %{{.*}}, %[[B]], %[[R]], %arg0
func.func @shapes(%x: tensor<1x2x4xui8>) -> (tensor<4x2x1xui8>, tensor<1x2x2xui8>, tensor<1x2x4xui8>, tensor<1x6x6xui8>, tensor<8xui8>, tensor<1x2x4xui8>) {
  %0 = qnn.transpose %x {permutation = array<i64: 2, 1, 0>} : (tensor<1x2x4xui8>) -> tensor<4x2x1xui8>
  %1 = qnn.slice %x {offsets = array<i64: 0, 0, 1>, steps = array<i64: 1, 1, 2>} : (tensor<1x2x4xui8>) -> tensor<1x2x2xui8>
  %2 = qnn.slice %x {offsets = array<i64: 0, 0, 3>, steps = array<i64: 1, 1, -1>} : (tensor<1x2x4xui8>) -> tensor<1x2x4xui8>
  %3 = qnn.pad %x {low = array<i64: 0, 1, 0>, high = array<i64: 0, 0, 2>, x_zp = 200 : i64} : (tensor<1x2x4xui8>) -> tensor<1x3x6xui8>
  %4 = qnn.concat %3, %3 {axis = 1 : i64} : (tensor<1x3x6xui8>, tensor<1x3x6xui8>) -> tensor<1x6x6xui8>
  %5 = qnn.reshape %x : (tensor<1x2x4xui8>) -> tensor<8xui8>
  %6 = qnn.reshape %x : (tensor<1x2x4xui8>) -> tensor<1x2x4xui8>
  return %0, %1, %2, %4, %5, %6 : tensor<4x2x1xui8>, tensor<1x2x2xui8>, tensor<1x2x4xui8>, tensor<1x6x6xui8>, tensor<8xui8>, tensor<1x2x4xui8>
}

// -----

// Scalars have no dimensions to reassociate.
// CHECK-LABEL: @scalars
// CHECK: tensor.expand_shape %arg0 [] output_shape [1, 1] : tensor<f32> into tensor<1x1xf32>
// CHECK: tensor.collapse_shape %arg1 [] : tensor<1xf32> into tensor<f32>
func.func @scalars(%x: tensor<f32>, %y: tensor<1xf32>) -> (tensor<1x1xf32>, tensor<f32>) {
  %0 = qnn.reshape %x : (tensor<f32>) -> tensor<1x1xf32>
  %1 = qnn.reshape %y : (tensor<1xf32>) -> tensor<f32>
  return %0, %1 : tensor<1x1xf32>, tensor<f32>
}
