// RUN: quant-opt %s --quant-lower-to-linalg -split-input-file | FileCheck %s

// A sum in 64 bits, of which one operand has a multiplier a row; ties to even by the
// quotient's last bit.
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (d0, 0)>
// CHECK-LABEL: @add
// CHECK: %[[M:.*]] = arith.constant dense<{{\[\[}}3], [4]]> : tensor<2x1xi32>
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #{{.*}}, #[[ROW]], #{{.*}}]{{.*}} ins(%arg0, %arg1, %[[M]] : tensor<2x4xi8>, tensor<2x4xi32>, tensor<2x1xi32>)
// CHECK: %[[A:.*]] = arith.extui %in : i8 to i64
// CHECK: %[[D:.*]] = arith.subi %[[A]], %c7_i64
// CHECK: %[[AM:.*]] = arith.muli %[[D]], %{{.*}} : i64
// CHECK: arith.extsi %{{.*}} : i32 to i64
// CHECK: %[[BM:.*]] = arith.muli {{.*}} : i64
// CHECK: %[[S:.*]] = arith.addi %[[AM]], %[[BM]] : i64
// CHECK: %[[Q:.*]] = arith.shrsi %[[S]], %[[E:.*]] : i64
// CHECK: %[[ODD:.*]] = arith.andi %[[Q]], %c1_i64
// CHECK: %[[H:.*]] = arith.addi %[[S]], %{{.*}} : i64
// CHECK: %[[T:.*]] = arith.addi %[[H]], %[[ODD]] : i64
// CHECK: %[[R:.*]] = arith.shrsi %[[T]], %[[E]] : i64
// CHECK: %[[Z:.*]] = arith.addi %[[R]], %c-1_i64
// CHECK: %[[LOW:.*]] = arith.maxsi %[[Z]], %c-128_i64
// CHECK: %[[C:.*]] = arith.minsi %[[LOW]], %c127_i64
// CHECK: arith.trunci %[[C]] : i64 to i8
func.func @add(%x: tensor<2x4xui8>, %a: tensor<2x4xsi32>) -> tensor<2x4xsi8> {
  %y = qnn.add %x, %a {a_zp = 7 : i64, b_zp = 0 : i64, a_multiplier = dense<[[3], [4]]> : tensor<2x1xi32>, b_multiplier = dense<5> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = -1 : i64, clamp = array<i64: -128, 127>, rounding = #qnn.rounding<half_even>} : (tensor<2x4xui8>, tensor<2x4xsi32>) -> tensor<2x4xsi8>
  return %y : tensor<2x4xsi8>
}

// -----

// Two roundings where more than 31 bits go: the first away from zero by 2^30. The zero
// point of the operand is taken off before.
// CHECK-LABEL: @double
// CHECK: %[[X:.*]] = arith.subi %{{.*}}, %c10_i64
// CHECK: %[[P:.*]] = arith.muli %[[X]], {{.*}} : i64
// CHECK: arith.cmpi slt
// CHECK: arith.select %{{.*}}, %c-1073741824_i64, %c1073741824_i64
// CHECK: arith.cmpi sgt, %{{.*}}, %c31_i64
// CHECK: arith.shrsi
// CHECK: arith.trunci %{{.*}} : i64 to i16
func.func @double(%x: tensor<4xui8>) -> tensor<4xsi16> {
  %y = qnn.requantize %x {x_zp = 10 : i64, multiplier = dense<1073741824> : tensor<i32>, exponent = dense<40> : tensor<i32>, zero_point = 3 : i64, clamp = array<i64: -32768, 32767>, rounding = #qnn.rounding<double>} : (tensor<4xui8>) -> tensor<4xsi16>
  return %y : tensor<4xsi16>
}

// -----

// ReLU has no upper bound; a range computes nothing; names go.
// CHECK-LABEL: @float(%arg0: tensor<4xf32>) -> tensor<4xf32> {
// CHECK: arith.maximumf %in, %{{.*}} : f32
// CHECK-NEXT: linalg.yield
// CHECK-NOT: qnn.range
// CHECK: arith.maximumf
// CHECK: arith.minimumf
// CHECK: arith.addf
// CHECK-NOT: qnn
func.func @float(%x: tensor<4xf32> {qnn.name = "x"}) -> (tensor<4xf32> {qnn.name = "y"}) attributes {qnn.batch} {
  %r = qnn.relu %x {id = "r"} : tensor<4xf32>
  %g = qnn.range %r {min = 0.0 : f32, max = 1.0 : f32} : tensor<4xf32>
  %c = qnn.clip %g {id = "c", min = -1.0 : f32, max = 6.0 : f32} : tensor<4xf32>
  %s = qnn.add %c, %g {id = "s"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %s : tensor<4xf32>
}

// -----

// One scale a channel; an accumulator has no zero point to take off.
// CHECK-LABEL: @dequantize
// CHECK: %[[E:.*]] = arith.extui %in : i8 to i32
// CHECK: %[[D:.*]] = arith.subi %[[E]], %c3_i32
// CHECK: %[[F:.*]] = arith.sitofp %[[D]] : i32 to f32
// CHECK: arith.mulf %[[F]], %{{.*}} : f32
// CHECK: %[[S:.*]] = arith.constant dense<{{\[\[}}5.000000e-01], [2.500000e-01]]> : tensor<2x1xf32>
// CHECK: linalg.generic {{.*}} ins(%arg1, %[[S]] : tensor<2x4xi32>, tensor<2x1xf32>)
// CHECK-NEXT: ^bb0(%[[X:.*]]: i32, %[[C:.*]]: f32, %{{.*}}: f32):
// CHECK-NEXT: %[[G:.*]] = arith.sitofp %[[X]] : i32 to f32
// CHECK-NEXT: arith.mulf %[[G]], %[[C]] : f32
func.func @dequantize(%x: tensor<2x4xui8>, %a: tensor<2x4xsi32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %0 = qnn.dequantize %x {scale = dense<0.5> : tensor<f32>, zero_point = 3 : i64} : (tensor<2x4xui8>) -> tensor<2x4xf32>
  %1 = qnn.dequantize %a {scale = dense<[[0.5], [0.25]]> : tensor<2x1xf32>} : (tensor<2x4xsi32>) -> tensor<2x4xf32>
  return %0, %1 : tensor<2x4xf32>, tensor<2x4xf32>
}

// -----

// The distance to the largest number picks two table entries; the quotient is made by
// compare and subtract.
// Rows shorter than a vector are the outermost loop.
// CHECK-LABEL: @softmax
// CHECK: linalg.generic {{.*}}iterator_types = ["reduction", "parallel"]
// CHECK: arith.maxui
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<3x2xi64>)
// CHECK: %[[D:.*]] = arith.subi %{{.*}}, %{{.*}} : i64
// CHECK: arith.shrsi %[[D]], %c8_i64
// CHECK: tensor.extract
// CHECK: arith.andi %[[D]], %c255_i64
// CHECK: tensor.extract
// CHECK: arith.muli
// CHECK: linalg.generic {{.*}}iterator_types = ["reduction", "parallel"]
// CHECK: arith.addi
// CHECK: linalg.generic
// CHECK-COUNT-16: arith.cmpi sge
// CHECK-NOT: arith.div
// CHECK: arith.minsi %{{.*}}, %c32767_i64
// CHECK: arith.trunci %{{.*}} : i64 to i16
func.func @softmax(%x: tensor<2x3xui8>) -> tensor<2x3xui16> {
  %y = qnn.softmax %x {axis = 1 : i64, high = dense<1073741824> : tensor<256xi32>, low = dense<1073741824> : tensor<256xi32>} : (tensor<2x3xui8>) -> tensor<2x3xui16>
  return %y : tensor<2x3xui16>
}

// -----

// CHECK-LABEL: @long_softmax
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]
// CHECK: arith.maxui
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x8xi64>)
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]
func.func @long_softmax(%x: tensor<2x8xui8>) -> tensor<2x8xui16> {
  %y = qnn.softmax %x {axis = 1 : i64, high = dense<1073741824> : tensor<256xi32>, low = dense<1073741824> : tensor<256xi32>} : (tensor<2x8xui8>) -> tensor<2x8xui16>
  return %y : tensor<2x8xui16>
}

// -----

// No call of exp: a polynomial. The dimension need not be the last.
// CHECK: affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: @float_softmax
// CHECK: linalg.generic {{.*}}iterator_types = ["reduction", "parallel"]
// CHECK: arith.maximumf
// CHECK: arith.subf
// CHECK-NOT: math.
// CHECK: arith.bitcast
// CHECK: arith.divf
func.func @float_softmax(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %y = qnn.softmax %x {axis = 0 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}
