// RUN: %quant-opt %s | %quant-opt | FileCheck %s

// Selected positions and linear interpolation, at every level.

!x = !quant.uniform<u8:f32, 0.5:10>
!a = !quant.uniform<i32:f32, 0.125>

// CHECK-LABEL: @levels
func.func @levels(%f: tensor<1x2x3xf32>, %q: tensor<1x2x3x!x>, %i: tensor<1x2x3xui8>) {
  // CHECK: qnn.gather %arg0 {axis = 2 : i64, id = "g", indices = array<i64: 0, 0, 2, 1>} : (tensor<1x2x3xf32>) -> tensor<1x2x4xf32>
  %0 = qnn.gather %f {axis = 2 : i64, indices = array<i64: 0, 0, 2, 1>, id = "g"} : (tensor<1x2x3xf32>) -> tensor<1x2x4xf32>
  // CHECK: qnn.gather {{.*}} -> tensor<1x1x3x!quant.uniform<u8:f32, 5.000000e-01:10>>
  %1 = qnn.gather %q {axis = 1 : i64, indices = array<i64: 1>} : (tensor<1x2x3x!x>) -> tensor<1x1x3x!x>
  // CHECK: qnn.gather {{.*}} -> tensor<1x4x3xui8>
  %2 = qnn.gather %i {axis = 1 : i64, indices = array<i64: 1, 1, 0, 1>} : (tensor<1x2x3xui8>) -> tensor<1x4x3xui8>
  // CHECK: qnn.interpolate %arg0 {axes = array<i64: 1, 2>, fraction_bits = array<i64: 0, 1>, fractions = array<i64: 0, 1, 0>, id = "r", positions = array<i64: 1, 0, 2>}
  %3 = qnn.interpolate %f {axes = array<i64: 1, 2>, positions = array<i64: 1, 0, 2>, fractions = array<i64: 0, 1, 0>, fraction_bits = array<i64: 0, 1>, id = "r"} : (tensor<1x2x3xf32>) -> tensor<1x1x2xf32>
  // CHECK: qnn.interpolate {{.*}} -> tensor<1x2x2x!quant.uniform<i32:f32, 1.250000e-01>>
  %4 = qnn.interpolate %q {axes = array<i64: 2>, positions = array<i64: 0, 1>, fractions = array<i64: 3, 1>, fraction_bits = array<i64: 2>} : (tensor<1x2x3x!x>) -> tensor<1x2x2x!a>
  // CHECK: qnn.interpolate {{.*}}x_zp = 10 : i64} : (tensor<1x2x3xui8>) -> tensor<1x2x2xsi32>
  %5 = qnn.interpolate %i {axes = array<i64: 2>, positions = array<i64: 0, 1>, fractions = array<i64: 3, 1>, fraction_bits = array<i64: 2>, x_zp = 10 : i64} : (tensor<1x2x3xui8>) -> tensor<1x2x2xsi32>
  return
}
