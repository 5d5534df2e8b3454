// RUN: quant-opt %s --quant-fuse-elementwise -split-input-file | FileCheck %s

// x * f(x) is one function, with the id of what it computes.
// CHECK-LABEL: @silu
// CHECK: %[[Y:.*]] = qnn.map %arg0 {id = "y"} : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32> {
// CHECK-NEXT: ^bb0(%[[A:.*]]: f32):
// CHECK: %[[T:.*]] = math.tanh %[[A]] : f32
// CHECK: %[[P:.*]] = arith.mulf %[[A]], %[[T]] : f32
// CHECK: qnn.yield %[[P]] : f32
// CHECK: return %[[Y]]
func.func @silu(%x: tensor<1x2x4xf32>) -> tensor<1x2x4xf32> {
  %t = qnn.map %x {id = "t"} : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32> {
  ^bb0(%a: f32):
    %e = math.tanh %a : f32
    qnn.yield %e : f32
  }
  %y = qnn.mul %x, %t {id = "y"} : (tensor<1x2x4xf32>, tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  return %y : tensor<1x2x4xf32>
}

// -----

// HardSwish as exporters write it: numbers, a Clip and a product.
// CHECK-LABEL: @hard_swish
// CHECK: qnn.map %arg0 {id = "y"}
// CHECK-DAG: arith.addf
// CHECK-DAG: arith.maximumf
// CHECK-DAG: arith.minimumf
// CHECK: arith.mulf
// CHECK: arith.mulf
// CHECK-NOT: qnn.clip
func.func @hard_swish(%x: tensor<4xf32>) -> tensor<4xf32> {
  %three = arith.constant dense<3.0> : tensor<1xf32>
  %sixth = arith.constant dense<0.166666667> : tensor<1xf32>
  %0 = qnn.add %x, %three {id = "a"} : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %1 = qnn.clip %0 {id = "b", min = 0.0 : f32, max = 6.0 : f32} : tensor<4xf32>
  %2 = qnn.mul %x, %1 {id = "c"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = qnn.mul %2, %sixth {id = "y"} : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  return %3 : tensor<4xf32>
}

// -----

// The function ends where one value is all that is left: the sum of two stays.
// CHECK-LABEL: @sum_stays
// CHECK: %[[S:.*]] = qnn.add %arg0, %arg1 {id = "s"}
// CHECK: qnn.map %[[S]] {id = "y"}
// CHECK-NOT: qnn.mul
func.func @sum_stays(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  %s = qnn.add %a, %b {id = "s"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %t = qnn.map %s {id = "t"} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%x: f32):
    %e = math.exp %x : f32
    qnn.yield %e : f32
  }
  %y = qnn.mul %t, %s {id = "y"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// What somebody else reads is not taken in, and neither is what repeats along a dimension,
// or a constant of several numbers.
// CHECK-LABEL: @stays
// CHECK: %[[T:.*]] = qnn.map %arg0 {id = "t"}
// CHECK: %[[Y:.*]] = qnn.mul %[[T]], %arg0 {id = "y"}
// CHECK: qnn.mul %[[T]], %arg1 {id = "z"}
// CHECK: qnn.mul %[[T]], %{{.*}} {id = "w"}
func.func @stays(%x: tensor<1x4xf32>, %r: tensor<1x1xf32>) -> (tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>) {
  %c = arith.constant dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf32>
  %t = qnn.map %x {id = "t"} : (tensor<1x4xf32>) -> tensor<1x4xf32> {
  ^bb0(%a: f32):
    %e = math.exp %a : f32
    qnn.yield %e : f32
  }
  %y = qnn.mul %t, %x {id = "y"} : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  %z = qnn.mul %t, %r {id = "z"} : (tensor<1x4xf32>, tensor<1x1xf32>) -> tensor<1x4xf32>
  %w = qnn.mul %t, %c {id = "w"} : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  return %y, %z, %w : tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>
}

// -----

// Clamps alone are left for the layer before them; one product is not a composition.
// CHECK-LABEL: @simple
// CHECK: qnn.relu
// CHECK: qnn.clip
// CHECK: qnn.mul
// CHECK-NOT: qnn.map
func.func @simple(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %half = arith.constant dense<0.5> : tensor<1xf32>
  %0 = qnn.relu %x {id = "r"} : tensor<4xf32>
  %1 = qnn.clip %0 {id = "c", min = 0.0 : f32, max = 6.0 : f32} : tensor<4xf32>
  %2 = qnn.mul %x, %half {id = "m"} : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  return %1, %2 : tensor<4xf32>, tensor<4xf32>
}
