// RUN: quant-opt %s --quant-expose-values -split-input-file | FileCheck %s

// A layer's value is the one after the activation that it absorbs.
// CHECK-LABEL: @float
// CHECK-SAME: -> (tensor<1x4xf32> {qnn.name = "y"}, tensor<1x4xf32> {qnn.name = "a", qnn.value}, tensor<1x4xf32> {qnn.name = "y", qnn.value})
// CHECK: %[[R:.*]] = qnn.relu
// CHECK: %[[Y:.*]] = qnn.matmul %[[R]]
// CHECK: return %[[Y]], %[[R]], %[[Y]]
func.func @float(%x: tensor<1x4xf32> {qnn.name = "x"}) -> (tensor<1x4xf32> {qnn.name = "y"}) {
  %w = arith.constant dense<1.0> : tensor<4x4xf32>
  %a = qnn.matmul %x, %w {id = "a"} : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  %r = qnn.relu %a {id = "r"} : tensor<1x4xf32>
  %y = qnn.matmul %r, %w {id = "y"} : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}

// -----

// Of two operations with one id the later counts; the entry is the input's value.
// CHECK-LABEL: @integer
// CHECK: %[[Q:.*]] = qnn.quantize
// CHECK: %[[R:.*]] = qnn.requantize
// CHECK: return %{{.*}}, %[[Q]], %[[R]] : tensor<1x4xf32>, tensor<1x4xui8>, tensor<1x4xui8>
func.func @integer(%x: tensor<1x4xf32> {qnn.name = "x"}) -> (tensor<1x4xf32> {qnn.name = "y"}) {
  %q = qnn.quantize %x {id = "x", scale = 1.0 : f32, zero_point = 0 : i64, clamp = array<i64: 0, 255>} : (tensor<1x4xf32>) -> tensor<1x4xui8>
  %w = arith.constant dense<1> : tensor<4x4xsi8>
  %a = qnn.matmul %q, %w {id = "y", x_zp = 0 : i64} : (tensor<1x4xui8>, tensor<4x4xsi8>) -> tensor<1x4xsi32>
  %r = qnn.requantize %a {id = "y", multiplier = dense<0> : tensor<i32>, exponent = dense<1> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<1x4xsi32>) -> tensor<1x4xui8>
  %d = qnn.dequantize %r {scale = dense<1.0> : tensor<f32>, zero_point = 0 : i64} : (tensor<1x4xui8>) -> tensor<1x4xf32>
  return %d : tensor<1x4xf32>
}

// -----

!x = !quant.uniform<u8:f32, 1.0>
!w = !quant.uniform<i8<-127:127>:f32, 1.0>

// At the quantized level an input's value is what its entry stores, and a float layer's the
// one that is stored after its activation.
// CHECK-LABEL: @quantized
// CHECK-SAME: tensor<1x4x!quant.uniform<u8:f32, 1.000000e+00>> {qnn.name = "x", qnn.value}, tensor<1x4x!quant.uniform<u8:f32, 1.000000e+00>> {qnn.name = "f", qnn.value}, tensor<1x4x!quant.uniform<i32:f32, 1.000000e+00>> {qnn.name = "m", qnn.value})
// CHECK: %[[Q:.*]] = quant.qcast %arg0
// CHECK: %[[F:.*]] = quant.qcast %{{[0-9]+}}
// CHECK: %[[M:.*]] = qnn.matmul
// CHECK: return %{{.*}}, %[[Q]], %[[F]], %[[M]]
func.func @quantized(%x: tensor<1x4xf32> {qnn.name = "x"}) -> (tensor<1x4xf32> {qnn.name = "y"}) {
  %q = quant.qcast %x : tensor<1x4xf32> to tensor<1x4x!x>
  %d = quant.dcast %q : tensor<1x4x!x> to tensor<1x4xf32>
  %f = qnn.add %d, %d {id = "f"} : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  %r = qnn.relu %f {id = "r"} : tensor<1x4xf32>
  %s = quant.qcast %r : tensor<1x4xf32> to tensor<1x4x!x>
  %c = arith.constant dense<1> : tensor<4x4xi8>
  %w = quant.scast %c : tensor<4x4xi8> to tensor<4x4x!w>
  %m = qnn.matmul %s, %w {id = "m"} : (tensor<1x4x!x>, tensor<4x4x!w>) -> tensor<1x4x!quant.uniform<i32:f32, 1.0>>
  %y = quant.dcast %m : tensor<1x4x!quant.uniform<i32:f32, 1.0>> to tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}

// -----

// A ReLU with two readers before it is a layer; what has no id has no value.
// CHECK-LABEL: @apart
// CHECK: %[[A:.*]] = qnn.add
// CHECK: %[[R:.*]] = qnn.relu
// CHECK: qnn.add
// CHECK: return %{{.*}}, %[[A]], %[[R]] : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
func.func @apart(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = qnn.add %x, %x {id = "a"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %r = qnn.relu %a {id = "r"} : tensor<4xf32>
  %s = qnn.add %a, %r : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %s : tensor<4xf32>
}
