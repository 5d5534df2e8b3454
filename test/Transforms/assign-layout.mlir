// RUN: %quant-opt %s -split-input-file -quant-assign-layout | FileCheck %s

// A chain of layers moves once at each end, where elements are smallest. Parameters follow, weights stay.
// CHECK-LABEL: @chain(%arg0: tensor<1x3x4x5xf32>) -> tensor<1x2x4x5xf32>
// CHECK: %[[Q:.*]] = qnn.quantize %arg0 {{.*}} : (tensor<1x3x4x5xf32>) -> tensor<1x3x4x5xui8>
// CHECK: %[[T:.*]] = qnn.transpose %[[Q]] {permutation = array<i64: 0, 2, 3, 1>} : (tensor<1x3x4x5xui8>) -> tensor<1x4x5x3xui8>
// CHECK: %[[A:.*]] = qnn.conv %[[T]], %{{.*}} {channels_last, id = "a", x_zp = 3 : i64} : (tensor<1x4x5x3xui8>, tensor<2x3x1x1xsi8>) -> tensor<1x4x5x2xsi32>
// CHECK: %[[R:.*]] = qnn.requantize %[[A]] {clamp = array<i64: 0, 255>, exponent = dense<[40, 41]> : tensor<2xi32>, id = "a", multiplier = dense<[1073741824, 1073741825]> : tensor<2xi32>
// CHECK: %[[B:.*]] = qnn.conv %[[R]], %{{.*}} {channels_last, group = 2 : i64, id = "b", x_zp = 0 : i64}
// CHECK: %[[S:.*]] = qnn.requantize %[[B]] {{.*}} -> tensor<1x4x5x2xui8>
// CHECK: %[[Y:.*]] = qnn.transpose %[[S]] {permutation = array<i64: 0, 3, 1, 2>} : (tensor<1x4x5x2xui8>) -> tensor<1x2x4x5xui8>
// CHECK: %[[D:.*]] = qnn.dequantize %[[Y]]
// CHECK: return %[[D]]
func.func @chain(%x: tensor<1x3x4x5xf32>) -> tensor<1x2x4x5xf32> {
  %w = arith.constant dense<1> : tensor<2x3x1x1xsi8>
  %v = arith.constant dense<1> : tensor<2x1x1x1xsi8>
  %q = qnn.quantize %x {scale = 0.5 : f32, zero_point = 3 : i64, clamp = array<i64: 0, 255>} : (tensor<1x3x4x5xf32>) -> tensor<1x3x4x5xui8>
  %a = qnn.conv %q, %w {id = "a", x_zp = 3 : i64} : (tensor<1x3x4x5xui8>, tensor<2x3x1x1xsi8>) -> tensor<1x2x4x5xsi32>
  %r = qnn.requantize %a {id = "a", multiplier = dense<[[[1073741824]], [[1073741825]]]> : tensor<2x1x1xi32>, exponent = dense<[[[40]], [[41]]]> : tensor<2x1x1xi32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<1x2x4x5xsi32>) -> tensor<1x2x4x5xui8>
  %b = qnn.conv %r, %v {id = "b", group = 2 : i64, x_zp = 0 : i64} : (tensor<1x2x4x5xui8>, tensor<2x1x1x1xsi8>) -> tensor<1x2x4x5xsi32>
  %s = qnn.requantize %b {id = "b", multiplier = dense<1073741824> : tensor<i32>, exponent = dense<40> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<1x2x4x5xsi32>) -> tensor<1x2x4x5xui8>
  %y = qnn.dequantize %s {scale = dense<0.5> : tensor<f32>} : (tensor<1x2x4x5xui8>) -> tensor<1x2x4x5xf32>
  return %y : tensor<1x2x4x5xf32>
}

// -----

// Both branches of a residual addition, a constant summand, concatenations, slices and pads stay channels-last.
// CHECK-LABEL: @graph
// CHECK: %[[T:.*]] = qnn.transpose %arg0
// CHECK: %[[A:.*]] = qnn.conv %[[T]], %{{.*}} {channels_last}
// CHECK: %[[R:.*]] = qnn.relu %[[A]] : tensor<1x2x2x2xf32>
// CHECK: %[[B:.*]] = qnn.conv %[[R]], %{{.*}} {channels_last}
// CHECK: %[[S:.*]] = qnn.add %[[B]], %[[R]]
// CHECK: %[[C:.*]] = arith.constant dense<{{\[\[\[\[}}1.000000e+00, 3.000000e+00], [2.000000e+00, 4.000000e+00]]]]> : tensor<1x1x2x2xf32>
// CHECK: %[[U:.*]] = qnn.add %[[S]], %[[C]] {{.*}}: (tensor<1x2x2x2xf32>, tensor<1x1x2x2xf32>)
// CHECK: %[[K:.*]] = qnn.concat %[[U]], %[[A]] {axis = 3 : i64}
// CHECK: %[[P:.*]] = qnn.pad %[[K]] {high = array<i64: 0, 3, 4, 2>, low = array<i64: 0, 0, 1, 0>
// CHECK: %[[L:.*]] = qnn.slice %[[P]] {offsets = array<i64: 0, 2, 3, 1>, steps = array<i64: 1, 1, -1, 2>} : (tensor<1x5x7x6xf32>) -> tensor<1x3x4x3xf32>
// CHECK: %[[G:.*]] = qnn.gather %[[L]] {axis = 1 : i64
// CHECK: %[[M:.*]] = qnn.softmax %[[G]] {axis = 3 : i64}
// CHECK: %[[X:.*]] = qnn.max_pool %[[M]] {channels_last, kernel = array<i64: 2, 2>}
// CHECK: %[[I:.*]] = qnn.interpolate %[[X]] {axes = array<i64: 2>
// CHECK: %[[Y:.*]] = qnn.transpose %[[I]] {permutation = array<i64: 0, 3, 1, 2>}
// CHECK: return %[[Y]]
func.func @graph(%x: tensor<1x2x2x2xf32>) -> tensor<1x3x1x2xf32> {
  %w = arith.constant dense<1.0> : tensor<2x2x1x1xf32>
  %c = arith.constant dense<[[[[1.0, 2.0]], [[3.0, 4.0]]]]> : tensor<1x2x1x2xf32>
  %a = qnn.conv %x, %w : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %r = qnn.relu %a : tensor<1x2x2x2xf32>
  %b = qnn.conv %r, %w : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %s = qnn.add %b, %r : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %u = qnn.add %s, %c : (tensor<1x2x2x2xf32>, tensor<1x2x1x2xf32>) -> tensor<1x2x2x2xf32>
  %k = qnn.concat %u, %a {axis = 1 : i64} : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x4x2x2xf32>
  %p = qnn.pad %k {low = array<i64: 0, 0, 0, 1>, high = array<i64: 0, 2, 3, 4>} : (tensor<1x4x2x2xf32>) -> tensor<1x6x5x7xf32>
  %l = qnn.slice %p {offsets = array<i64: 0, 1, 2, 3>, steps = array<i64: 1, 2, 1, -1>} : (tensor<1x6x5x7xf32>) -> tensor<1x3x3x4xf32>
  %g = qnn.gather %l {axis = 2 : i64, indices = array<i64: 0, 1>} : (tensor<1x3x3x4xf32>) -> tensor<1x3x2x4xf32>
  %m = qnn.softmax %g {axis = 1 : i64} : (tensor<1x3x2x4xf32>) -> tensor<1x3x2x4xf32>
  %q = qnn.max_pool %m {kernel = array<i64: 2, 2>} : (tensor<1x3x2x4xf32>) -> tensor<1x3x1x3xf32>
  %i = qnn.interpolate %q {axes = array<i64: 3>, positions = array<i64: 0, 1>, fractions = array<i64: 1, 1>, fraction_bits = array<i64: 1>} : (tensor<1x3x1x3xf32>) -> tensor<1x3x1x2xf32>
  return %i : tensor<1x3x1x2xf32>
}

// -----

// After a global pool only dimensions of size 1 would move.
// CHECK-LABEL: @head
// CHECK: %[[T:.*]] = qnn.transpose %arg0
// CHECK: %[[P:.*]] = qnn.avg_pool %[[T]] {channels_last, kernel = array<i64: 2, 2>} : (tensor<1x2x2x4xf32>) -> tensor<1x1x1x4xf32>
// CHECK-NOT: qnn.transpose
// CHECK: %[[R:.*]] = qnn.reshape %[[P]] {id = "flat"} : (tensor<1x1x1x4xf32>) -> tensor<1x4xf32>
// CHECK: %[[Y:.*]] = qnn.matmul %[[R]]
// CHECK: return %[[Y]]
func.func @head(%x: tensor<1x4x2x2xf32>, %w: tensor<4x3xf32>) -> tensor<1x3xf32> {
  %p = qnn.avg_pool %x {kernel = array<i64: 2, 2>} : (tensor<1x4x2x2xf32>) -> tensor<1x4x1x1xf32>
  %r = qnn.reshape %p {id = "flat"} : (tensor<1x4x1x1xf32>) -> tensor<1x4xf32>
  %y = qnn.matmul %r, %w : (tensor<1x4xf32>, tensor<4x3xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}

// -----

// A reshape that mixes channels and positions needs the model's order.
// CHECK-LABEL: @flatten
// CHECK: %[[P:.*]] = qnn.max_pool {{.*}} -> tensor<1x2x2x4xf32>
// CHECK: %[[T:.*]] = qnn.transpose %[[P]] {permutation = array<i64: 0, 3, 1, 2>}
// CHECK: qnn.reshape %[[T]] : (tensor<1x4x2x2xf32>) -> tensor<1x16xf32>
func.func @flatten(%x: tensor<1x4x3x3xf32>) -> tensor<1x16xf32> {
  %p = qnn.max_pool %x {kernel = array<i64: 2, 2>} : (tensor<1x4x3x3xf32>) -> tensor<1x4x2x2xf32>
  %r = qnn.reshape %p : (tensor<1x4x2x2xf32>) -> tensor<1x16xf32>
  return %r : tensor<1x16xf32>
}

// -----

// Reshapes that split or merge channels alone follow: a channel shuffle moves what it shuffles.
// CHECK-LABEL: @shuffle
// CHECK: %[[P:.*]] = qnn.max_pool {{.*}} -> tensor<1x2x3x4xf32>
// CHECK: %[[A:.*]] = qnn.reshape %[[P]] : (tensor<1x2x3x4xf32>) -> tensor<1x2x3x2x2xf32>
// CHECK: %[[T:.*]] = qnn.transpose %[[A]] {permutation = array<i64: 0, 1, 2, 4, 3>}
// CHECK: %[[B:.*]] = qnn.reshape %[[T]] : (tensor<1x2x3x2x2xf32>) -> tensor<1x2x3x4xf32>
// CHECK: qnn.max_pool %[[B]]
func.func @shuffle(%x: tensor<1x4x2x3xf32>) -> tensor<1x4x2x3xf32> {
  %p = qnn.max_pool %x {kernel = array<i64: 1, 1>} : (tensor<1x4x2x3xf32>) -> tensor<1x4x2x3xf32>
  %a = qnn.reshape %p : (tensor<1x4x2x3xf32>) -> tensor<1x2x2x2x3xf32>
  %t = qnn.transpose %a {permutation = array<i64: 0, 2, 1, 3, 4>} : (tensor<1x2x2x2x3xf32>) -> tensor<1x2x2x2x3xf32>
  %b = qnn.reshape %t : (tensor<1x2x2x2x3xf32>) -> tensor<1x4x2x3xf32>
  %q = qnn.max_pool %b {kernel = array<i64: 1, 1>} : (tensor<1x4x2x3xf32>) -> tensor<1x4x2x3xf32>
  return %q : tensor<1x4x2x3xf32>
}

// -----

// Transposes of a model that is channels-last itself cancel with ours.
// CHECK-LABEL: @own
// CHECK-NOT: qnn.transpose
// CHECK: qnn.conv %arg0, %{{.*}} {channels_last} : (tensor<1x5x2xf32>
// CHECK-NOT: qnn.transpose
// CHECK: return
func.func @own(%x: tensor<1x5x2xf32>, %w: tensor<3x2x1xf32>) -> tensor<1x5x3xf32> {
  %t = qnn.transpose %x {permutation = array<i64: 0, 2, 1>} : (tensor<1x5x2xf32>) -> tensor<1x2x5xf32>
  %a = qnn.conv %t, %w : (tensor<1x2x5xf32>, tensor<3x2x1xf32>) -> tensor<1x3x5xf32>
  %y = qnn.transpose %a {permutation = array<i64: 0, 2, 1>} : (tensor<1x3x5xf32>) -> tensor<1x5x3xf32>
  return %y : tensor<1x5x3xf32>
}

// -----

// The slope of a PReLU follows, with fewer dimensions than the operand as well.
// CHECK-LABEL: @slope
// CHECK: %[[S:.*]] = arith.constant dense<{{\[\[}}[1.000000e+00, 3.000000e+00], [2.000000e+00, 4.000000e+00]]]> : tensor<1x2x2xf32>
// CHECK: qnn.prelu %{{.*}}, %[[S]] : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
func.func @slope(%x: tensor<1x2x2xf32>, %w: tensor<2x2x1xf32>) -> tensor<1x2x2xf32> {
  %s = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %a = qnn.conv %x, %w : (tensor<1x2x2xf32>, tensor<2x2x1xf32>) -> tensor<1x2x2xf32>
  %p = qnn.prelu %a, %s : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  return %p : tensor<1x2x2xf32>
}

// -----

// A value that is returned for debugging is transposed for that alone.
// CHECK-LABEL: @exposed
// CHECK: %[[A:.*]] = qnn.conv
// CHECK: %[[R:.*]] = qnn.relu %[[A]] {id = "r"} : tensor<1x4x2xf32>
// CHECK: %[[B:.*]] = qnn.max_pool %[[R]] {channels_last
// CHECK-DAG: %[[Y:.*]] = qnn.transpose %[[B]]
// CHECK-DAG: %[[V:.*]] = qnn.transpose %[[R]]
// CHECK: return %[[Y]], %[[V]]
func.func @exposed(%x: tensor<1x2x4xf32>, %w: tensor<2x2x1xf32>) -> (tensor<1x2x4xf32>, tensor<1x2x4xf32> {qnn.name = "r", qnn.value}) {
  %a = qnn.conv %x, %w : (tensor<1x2x4xf32>, tensor<2x2x1xf32>) -> tensor<1x2x4xf32>
  %r = qnn.relu %a {id = "r"} : tensor<1x2x4xf32>
  %b = qnn.max_pool %r {kernel = array<i64: 1>} : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  return %b, %r : tensor<1x2x4xf32>, tensor<1x2x4xf32>
}
