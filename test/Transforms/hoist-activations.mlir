// RUN: %quant-opt %s -split-input-file -quant-hoist-activations | FileCheck %s

// Over every operation that moves numbers, and a max pool.
// CHECK-LABEL: @moves
// CHECK: %[[C:.*]] = qnn.conv {{.*}}id = "c"}
// CHECK: %[[R:.*]] = qnn.clip %[[C]] {id = "r", max = 6.000000e+00 : f32, min = 0.000000e+00 : f32} : tensor<1x4x4xf32>
// CHECK: %[[P:.*]] = qnn.max_pool %[[R]]
// CHECK: %[[V:.*]] = qnn.reshape %[[P]]
// CHECK: %[[T:.*]] = qnn.transpose %[[V]]
// CHECK: %[[S:.*]] = qnn.slice %[[T]]
// CHECK: %[[G:.*]] = qnn.gather %[[S]]
// CHECK: return %[[G]]
func.func @moves(%x: tensor<1x2x4xf32>, %w: tensor<4x2x1xf32>) -> tensor<1x2x2x3xf32> {
  %c = qnn.conv %x, %w {id = "c"} : (tensor<1x2x4xf32>, tensor<4x2x1xf32>) -> tensor<1x4x4xf32>
  %p = qnn.max_pool %c {kernel = array<i64: 2>, strides = array<i64: 2>} : (tensor<1x4x4xf32>) -> tensor<1x4x2xf32>
  %v = qnn.reshape %p : (tensor<1x4x2xf32>) -> tensor<1x2x2x2xf32>
  %t = qnn.transpose %v {permutation = array<i64: 0, 1, 3, 2>} : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %s = qnn.slice %t {offsets = array<i64: 0, 0, 1, 0>, steps = array<i64: 1, 1, -1, 1>} : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %g = qnn.gather %s {axis = 3 : i64, indices = array<i64: 0, 0, 1>} : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x3xf32>
  %r = qnn.clip %g {min = 0.0 : f32, max = 6.0 : f32, id = "r"} : tensor<1x2x2x3xf32>
  return %r : tensor<1x2x2x3xf32>
}

// -----

// A second activation follows the first.
// CHECK-LABEL: @two
// CHECK: %[[C:.*]] = qnn.conv
// CHECK: %[[R:.*]] = qnn.relu %[[C]]
// CHECK: %[[Q:.*]] = qnn.clip %[[R]]
// CHECK: %[[V:.*]] = qnn.reshape %[[Q]]
// CHECK: return %[[V]]
func.func @two(%x: tensor<1x1x4xf32>, %w: tensor<1x1x1xf32>) -> tensor<1x4xf32> {
  %c = qnn.conv %x, %w : (tensor<1x1x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x4xf32>
  %r = qnn.relu %c : tensor<1x1x4xf32>
  %v = qnn.reshape %r : (tensor<1x1x4xf32>) -> tensor<1x4xf32>
  %q = qnn.clip %v {min = -1.0 : f32, max = 6.0 : f32} : tensor<1x4xf32>
  return %q : tensor<1x4xf32>
}

// -----

// Not past another reader, an input, a border, or where no layer absorbs it.
// CHECK-LABEL: @stays
// CHECK: qnn.conv
// CHECK-NEXT: %[[V:.*]] = qnn.reshape
// CHECK-NEXT: qnn.relu %[[V]]
// CHECK-NEXT: %[[U:.*]] = qnn.reshape %arg0
// CHECK-NEXT: qnn.relu %[[U]]
// CHECK-NEXT: qnn.conv
// CHECK-NEXT: %[[B:.*]] = qnn.pad
// CHECK-NEXT: qnn.relu %[[B]]
// CHECK-NEXT: qnn.conv
// CHECK-NEXT: %[[W:.*]] = qnn.reshape
// CHECK-NEXT: qnn.clip %[[W]]
func.func @stays(%x: tensor<1x1x4xf32>, %w: tensor<1x1x1xf32>) -> (tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x1x5xf32>, tensor<1x4xf32>) {
  %c = qnn.conv %x, %w : (tensor<1x1x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x4xf32>
  %v = qnn.reshape %c : (tensor<1x1x4xf32>) -> tensor<1x4xf32>
  %0 = qnn.relu %v : tensor<1x4xf32>
  %u = qnn.reshape %x : (tensor<1x1x4xf32>) -> tensor<1x4xf32>
  %1 = qnn.relu %u : tensor<1x4xf32>
  %d = qnn.conv %x, %w : (tensor<1x1x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x4xf32>
  %b = qnn.pad %d {low = array<i64: 0, 0, 1>, high = array<i64: 0, 0, 0>, value = -1.0 : f32} : (tensor<1x1x4xf32>) -> tensor<1x1x5xf32>
  %2 = qnn.relu %b : tensor<1x1x5xf32>
  %e = qnn.conv %x, %w : (tensor<1x1x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x4xf32>
  %z = qnn.reshape %e : (tensor<1x1x4xf32>) -> tensor<1x4xf32>
  %3 = qnn.clip %z {min = 1.0 : f32, max = 6.0 : f32} : tensor<1x4xf32>
  return %v, %0, %1, %2, %3 : tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x1x5xf32>, tensor<1x4xf32>
}
