// RUN: quant-opt %s --quant-isolate-layers -split-input-file | FileCheck %s

// Every layer reads the layers before it from arguments and returns its own value; what a layer absorbs stays in it. A
// value read twice is one argument, and an input stays what it is.
// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[X:.*]]: tensor<1x4xf32> {qnn.name = "x"}, %[[A:.*]]: tensor<1x4xf32> {qnn.name = "a"}, %[[S:.*]]: tensor<1x4xf32> {qnn.name = "s"})
// CHECK-SAME: -> (tensor<1x4xf32> {qnn.name = "a", qnn.value}, tensor<1x4xf32> {qnn.name = "s", qnn.value})
// CHECK-NOT: qnn.batch
// CHECK: %[[M:.*]] = qnn.matmul %[[X]]
// CHECK: %[[R:.*]] = qnn.relu %[[M]]
// CHECK: %[[SUM:.*]] = qnn.add %[[A]], %[[A]]
// CHECK: return %[[R]], %[[SUM]]
func.func @main(%x: tensor<1x4xf32> {qnn.name = "x"}) -> (tensor<1x4xf32> {qnn.name = "out"}) attributes {qnn.batch} {
  %w = arith.constant dense<1.0> : tensor<4x4xf32>
  %m = qnn.matmul %x, %w {id = "a"} : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  %r = qnn.relu %m {id = "r"} : tensor<1x4xf32>
  %s = qnn.add %r, %r {id = "s"} : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  return %s : tensor<1x4xf32>
}

// -----

// A layer without an id is part of those that read it.
// CHECK-LABEL: func.func @anonymous
// CHECK-SAME: %[[Y:.*]]: tensor<4xf32> {qnn.name = "y"})
// CHECK: %[[F:.*]] = qnn.reshape
// CHECK: %[[R:.*]] = qnn.relu %[[F]]
// CHECK: return %[[R]]
func.func @anonymous(%x: tensor<1x4xf32> {qnn.name = "x"}) -> (tensor<4xf32> {qnn.name = "y"}) {
  %f = qnn.reshape %x : (tensor<1x4xf32>) -> tensor<4xf32>
  %y = qnn.relu %f {id = "y"} : tensor<4xf32>
  return %y : tensor<4xf32>
}
