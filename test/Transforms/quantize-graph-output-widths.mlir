// RUN: split-file %s %t
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/plan.json" | FileCheck %s

// One accumulator as outputs of several widths: each is rounded once, also behind moves.
// CHECK: %[[A:.*]] = qnn.matmul {{.*}}id = "a"
// CHECK-DAG: %[[O5:.*]] = qnn.requantize %[[A]] {id = "a"} : {{.*}} -> tensor<1x4x!quant.uniform<i5:
// CHECK-DAG: %[[O12:.*]] = qnn.requantize %[[A]] {id = "a"} : {{.*}} -> tensor<1x4x!quant.uniform<i12:
// CHECK-DAG: %[[R5:.*]] = qnn.reshape %[[O5]] {{.*}} -> tensor<2x2x!quant.uniform<i5:
// CHECK-DAG: %[[R12:.*]] = qnn.reshape %[[O12]] {{.*}} -> tensor<2x2x!quant.uniform<i12:
// CHECK-DAG: %[[T5:.*]] = qnn.transpose %[[R5]]
// CHECK-NOT: qnn.requantize
// CHECK: return %[[O12]], %[[O5]], %[[R12]], %[[T5]]

//--- model.mlir
func.func @main(%x: tensor<1x2xf32> {qnn.name = "x"}) -> (tensor<1x4xf32> {qnn.name = "wide"}, tensor<1x4xf32> {qnn.name = "narrow"}, tensor<2x2xf32> {qnn.name = "r"}, tensor<2x2xf32> {qnn.name = "t"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x2xf32>
  %w = arith.constant dense<[[1.0, 0.5, -1.0, 0.25], [0.0, 1.0, 1.0, 1.0]]> : tensor<2x4xf32>
  %0 = qnn.matmul %xr, %w {id = "a"} : (tensor<1x2xf32>, tensor<2x4xf32>) -> tensor<1x4xf32>
  %1 = qnn.range %0 {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x4xf32>
  %2 = qnn.reshape %1 {id = "r"} : (tensor<1x4xf32>) -> tensor<2x2xf32>
  %3 = qnn.transpose %2 {id = "t", permutation = array<i64: 1, 0>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  return %1, %1, %2, %3 : tensor<1x4xf32>, tensor<1x4xf32>, tensor<2x2xf32>, tensor<2x2xf32>
}

//--- plan.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "io": "integer", "outputs": {"wide": {"bits": 12}, "narrow": {"bits": 5}, "r": {"bits": 12}, "t": {"bits": 5}}}
