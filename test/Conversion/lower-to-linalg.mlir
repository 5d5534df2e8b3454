// RUN: quant-opt %s --quant-lower-to-linalg -split-input-file | FileCheck %s

// The loops: n, g, o, the output's rows, channel, kernel, and the columns innermost.
// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d1, d6, d3 * 2 + d4, d7 * 2 + d5)>
// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d1, d2, d6, d4, d5)>
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d1, d2, d3, d7)>
// CHECK-LABEL: @conv(
// CHECK-SAME: %arg0: tensor<1x2x5x5xi8>) -> tensor<1x4x3x3xi32>
// The border holds the zero point.
// CHECK: %[[ZP:.*]] = arith.constant 7 : i8
// CHECK: linalg.fill ins(%[[ZP]] : i8)
// CHECK: tensor.insert_slice %arg0 into
// CHECK: linalg.generic {indexing_maps = [#[[X]], #[[W]], #[[Y]]], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction", "parallel"]}
// CHECK: arith.extui %{{.*}} : i8 to i32
// CHECK: arith.extsi %{{.*}} : i8 to i32
// CHECK: arith.muli
// CHECK: arith.addi
func.func @conv(%x: tensor<1x2x5x5xui8> {qnn.name = "x"}) -> tensor<1x4x3x3xsi32> attributes {qnn.batch} {
  %w = arith.constant dense<1> : tensor<4x1x3x3xsi8>
  %b = arith.constant dense<[1, 2, 3, 4]> : tensor<4xsi32>
  %y = qnn.conv %x, %w, %b {group = 2 : i64, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>, x_zp = 7 : i64} : (tensor<1x2x5x5xui8>, tensor<4x1x3x3xsi8>, tensor<4xsi32>) -> tensor<1x4x3x3xsi32>
  return %y : tensor<1x4x3x3xsi32>
}

// -----

// One 64-bit product, one rounding, the clamp, and only then the narrow type.
// CHECK-LABEL: @requantize
// CHECK: arith.extsi %{{.*}} : i32 to i64
// CHECK: %[[P:.*]] = arith.muli {{.*}} : i64
// CHECK: %[[H:.*]] = arith.shli
// CHECK: %[[S:.*]] = arith.addi %[[P]], %[[H]] : i64
// CHECK: %[[Q:.*]] = arith.shrsi %[[S]]
// CHECK: %[[Z:.*]] = arith.addi %[[Q]]
// CHECK: arith.maxsi %[[Z]]
// CHECK: arith.minsi
// CHECK: arith.trunci %{{.*}} : i64 to i8
func.func @requantize(%x: tensor<2x4xsi32>) -> tensor<2x4xui8> {
  %y = qnn.requantize %x {multiplier = dense<[[1073741824], [1073741825]]> : tensor<2x1xi32>, exponent = dense<40> : tensor<i32>, zero_point = 3 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2x4xsi32>) -> tensor<2x4xui8>
  return %y : tensor<2x4xui8>
}

// -----

// No call of libm: 1.5 * 2^23 rounds.
// CHECK-LABEL: @quantize
// CHECK: arith.divf
// CHECK: arith.cmpf uno
// CHECK: arith.addf %{{.*}}, %{{.*}} : f32
// CHECK: arith.bitcast %{{.*}} : f32 to i32
func.func @quantize(%x: tensor<4xf32>) -> tensor<4xui8> {
  %y = qnn.quantize %x {scale = 0.1 : f32, zero_point = 3 : i64, clamp = array<i64: 0, 255>} : (tensor<4xf32>) -> tensor<4xui8>
  return %y : tensor<4xui8>
}
