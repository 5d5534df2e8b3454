// RUN: %quant-opt %s -split-input-file -quant-quantize-graph=uniform | FileCheck %s
// RUN: %quant-opt %s -split-input-file -quant-quantize-graph=uniform -quant-rewrite-dyadic -quant-prove-accumulators | FileCheck %s --check-prefix=INTEGER

// Fractions that fit stay; the result is the accumulator where it leaves as real numbers,
// in units of 2^-2 of the operand's scale; a ReLU is absorbed.
// CHECK-LABEL: @exact
// CHECK: qnn.interpolate %{{.*}} {axes = array<i64: 2>, fraction_bits = array<i64: 2>, fractions = array<i64: 0, 1, 3>, id = "exit", positions = array<i64: 0, 0, 0>}{{.*}} -> tensor<1x1x3x!quant.uniform<i32:f32, 2.500000e-01>>
// CHECK: qnn.interpolate {{.*}}id = "relu"{{.*}} -> tensor<1x1x3x!quant.uniform<u8:f32, 5.000000e-01>>
// INTEGER-LABEL: @exact
// INTEGER: qnn.interpolate %{{.*}} {axes = array<i64: 2>, fraction_bits = array<i64: 2>, fractions = array<i64: 0, 1, 3>, id = "exit", positions = array<i64: 0, 0, 0>, x_zp = 0 : i64} : (tensor<1x1x2xui8>) -> tensor<1x1x3xsi32>
// INTEGER-DAG: qnn.dequantize %{{.*}} {scale = dense<2.500000e-01> : tensor<f32>}
// INTEGER-DAG: qnn.requantize %{{.*}} {clamp = array<i64: 0, 255>, exponent = dense<31> : tensor<i32>, id = "relu", multiplier = dense<1073741824> : tensor<i32>
func.func @exact(%x: tensor<1x1x2xf32> {qnn.name = "x"}) -> (tensor<1x1x3xf32> {qnn.name = "y"}, tensor<1x1x3xf32> {qnn.name = "z"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x1x2xf32>
  %0 = qnn.interpolate %xr {axes = array<i64: 2>, positions = array<i64: 0, 0, 0>, fractions = array<i64: 0, 1, 3>, fraction_bits = array<i64: 2>, id = "exit"} : (tensor<1x1x2xf32>) -> tensor<1x1x3xf32>
  %yr = qnn.range %0 {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x1x3xf32>
  %1 = qnn.interpolate %xr {axes = array<i64: 2>, positions = array<i64: 0, 0, 0>, fractions = array<i64: 0, 1, 3>, fraction_bits = array<i64: 2>, id = "relu"} : (tensor<1x1x2xf32>) -> tensor<1x1x3xf32>
  %2 = qnn.relu %1 {id = "r"} : tensor<1x1x3xf32>
  %zr = qnn.range %2 {min = 0.0 : f32, max = 127.5 : f32} : tensor<1x1x3xf32>
  return %yr, %zr : tensor<1x1x3xf32>, tensor<1x1x3xf32>
}

// -----

// 31 bits less the 8 of the operand are left for both fractions, 12 and 11: 1/3 and 2/3 of them,
// and what rounds to 1 is the next position.
// CHECK-LABEL: @rounded
// CHECK: qnn.interpolate %{{.*}} {axes = array<i64: 1, 2>, fraction_bits = array<i64: 12, 11>, fractions = array<i64: 1365, 683, 0>, id = "r", positions = array<i64: 0, 1, 2>}
// INTEGER-LABEL: @rounded
// INTEGER: -> tensor<1x1x2xsi32>
func.func @rounded(%x: tensor<1x2x3xf32> {qnn.name = "x"}) -> (tensor<1x1x2xf32> {qnn.name = "y"}) {
  %xr = qnn.range %x {min = -1.0 : f32, max = 1.0 : f32} : tensor<1x2x3xf32>
  %0 = qnn.interpolate %xr {axes = array<i64: 1, 2>, positions = array<i64: 0, 1, 1>, fractions = array<i64: 5592405, 5592405, 16777215>, fraction_bits = array<i64: 24, 24>, id = "r"} : (tensor<1x2x3xf32>) -> tensor<1x1x2xf32>
  %yr = qnn.range %0 {min = -1.0 : f32, max = 1.0 : f32} : tensor<1x1x2xf32>
  return %yr : tensor<1x1x2xf32>
}
