// RUN: quant-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: @same_shape
// CHECK-NOT: qnn.reshape
// CHECK: return %arg0
func.func @same_shape(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %y = qnn.reshape %x {id = "r"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// At the other levels alike, and one after another.
// CHECK-LABEL: @chain
// CHECK-SAME: (%[[X:.*]]: tensor<6x!quant.uniform<u8:f32, 5.000000e-01>>)
// CHECK-NEXT: %[[Y:.*]] = qnn.reshape %[[X]] {id = "b"}
// CHECK-NEXT: return %[[Y]]
func.func @chain(%x: tensor<6x!quant.uniform<u8:f32, 0.5>>) -> tensor<2x3x!quant.uniform<u8:f32, 0.5>> {
  %0 = qnn.reshape %x {id = "a"} : (tensor<6x!quant.uniform<u8:f32, 0.5>>) -> tensor<6x!quant.uniform<u8:f32, 0.5>>
  %1 = qnn.reshape %0 {id = "b"} : (tensor<6x!quant.uniform<u8:f32, 0.5>>) -> tensor<2x3x!quant.uniform<u8:f32, 0.5>>
  %2 = qnn.reshape %1 {id = "c"} : (tensor<2x3x!quant.uniform<u8:f32, 0.5>>) -> tensor<2x3x!quant.uniform<u8:f32, 0.5>>
  return %2 : tensor<2x3x!quant.uniform<u8:f32, 0.5>>
}

// CHECK-LABEL: @another_shape
// CHECK: qnn.reshape {{.*}} : (tensor<2x3xui8>) -> tensor<3x2xui8>
func.func @another_shape(%x: tensor<2x3xui8>) -> tensor<3x2xui8> {
  %y = qnn.reshape %x : (tensor<2x3xui8>) -> tensor<3x2xui8>
  return %y : tensor<3x2xui8>
}

// A range is an identity that must stay; what nothing reads goes.
// CHECK-LABEL: @range
// CHECK-NEXT: %[[R:.*]] = qnn.range
// CHECK-NEXT: return %[[R]]
func.func @range(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = qnn.range %x {min = 0.0 : f32, max = 1.0 : f32} : tensor<2xf32>
  %1 = qnn.relu %0 {id = "dead"} : tensor<2xf32>
  return %0 : tensor<2xf32>
}
