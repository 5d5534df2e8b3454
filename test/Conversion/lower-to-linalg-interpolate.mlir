// RUN: %quant-opt %s -quant-lower-to-linalg | FileCheck %s

// A gather is a loop over the result that looks its position up.
// CHECK-LABEL: @gather
// CHECK: %[[I:.*]] = arith.constant dense<[1, 1, 0]> : tensor<3xi32>
// CHECK: linalg.generic {{.*}} ins(%[[I]] : tensor<3xi32>)
// CHECK: %[[P:.*]] = arith.index_cast %{{.*}} : i32 to index
// CHECK: tensor.extract %arg0[%{{.*}}, %[[P]], %{{.*}}] : tensor<1x2x4xi8>
func.func @gather(%x: tensor<1x2x4xui8>) -> tensor<1x3x4xui8> {
  %y = qnn.gather %x {axis = 1 : i64, indices = array<i64: 1, 1, 0>} : (tensor<1x2x4xui8>) -> tensor<1x3x4xui8>
  return %y : tensor<1x3x4xui8>
}

// The last dimension first; the zero point goes once.
// CHECK-LABEL: @interpolate
// CHECK: %[[A:.*]] = linalg.generic {{.*}}tensor<2xi32>{{.*}} outs(%{{.*}} : tensor<1x2x2xi32>)
// CHECK-COUNT-2: arith.subi
// CHECK: linalg.generic {{.*}}tensor<3xi32>{{.*}} outs(%{{.*}} : tensor<1x3x2xi32>)
// CHECK-NOT: arith.subi
// CHECK: tensor.extract %[[A]]
// CHECK: return
func.func @interpolate(%x: tensor<1x2x3xsi8>) -> tensor<1x3x2xsi32> {
  %y = qnn.interpolate %x {axes = array<i64: 1, 2>, positions = array<i64: 0, 0, 1, 0, 1>, fractions = array<i64: 0, 1, 0, 1, 3>, fraction_bits = array<i64: 1, 2>, x_zp = -3 : i64} : (tensor<1x2x3xsi8>) -> tensor<1x3x2xsi32>
  return %y : tensor<1x3x2xsi32>
}

// CHECK-LABEL: @float
// CHECK-DAG: arith.constant dense<[7.500000e-01, 2.500000e-01]> : tensor<2xf32>
// CHECK-DAG: arith.constant dense<[2.500000e-01, 7.500000e-01]> : tensor<2xf32>
// CHECK: arith.mulf
// CHECK: arith.mulf
// CHECK: arith.addf
func.func @float(%x: tensor<1x3xf32>) -> tensor<1x2xf32> {
  %y = qnn.interpolate %x {axes = array<i64: 1>, positions = array<i64: 0, 1>, fractions = array<i64: 1, 3>, fraction_bits = array<i64: 2>} : (tensor<1x3xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
