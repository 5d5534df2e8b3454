// RUN: quant-opt %s --quant-quantize-graph -split-input-file | FileCheck %s
// RUN: quant-opt %s --quant-quantize-graph=integer-io=true -split-input-file | FileCheck %s --check-prefix=INT

// A value that is an output and has another reader: the output is the accumulator, the
// reader takes the rounded value.
// CHECK-LABEL: @output_and_operand
// CHECK: %[[A:.*]] = qnn.matmul {{.*}}id = "a"{{.*}} -> tensor<1x2x!quant.uniform<i32:f32:1
// CHECK: %[[R:.*]] = qnn.requantize %[[A]] {id = "a"} : {{.*}} -> tensor<1x2x!quant.uniform<u8:f32, 1.000000e+00>>
// CHECK: %[[B:.*]] = qnn.matmul %[[R]], {{.*}}id = "b"{{.*}} -> tensor<1x2x!quant.uniform<i32:f32:1
// CHECK-DAG: %[[DA:.*]] = quant.dcast %[[A]]
// CHECK-DAG: %[[DB:.*]] = quant.dcast %[[B]]
// CHECK: return %[[DA]], %[[DB]]
// Integers of 16 bits, each rounded once.
// INT-LABEL: @output_and_operand
// INT-SAME: (%arg0: tensor<1x2x!quant.uniform<u8:f32, 1.000000e+00>> {qnn.name = "x"})
// INT: %[[A:.*]] = qnn.matmul {{.*}}id = "a"
// INT: %[[OA:.*]] = qnn.requantize %[[A]] {id = "a"} : {{.*}} -> tensor<1x2x!quant.uniform<i16:f32, {{.*}}:-32768>>
// INT: %[[R:.*]] = qnn.requantize %[[A]] {id = "a"} : {{.*}} -> tensor<1x2x!quant.uniform<u8:f32, 1.000000e+00>>
// INT: %[[B:.*]] = qnn.matmul %[[R]], {{.*}}id = "b"
// INT: %[[OB:.*]] = qnn.requantize %[[B]] {id = "b"} : {{.*}} -> tensor<1x2x!quant.uniform<i16
// INT: return %[[OA]], %[[OB]]
func.func @output_and_operand(%x: tensor<1x2xf32> {qnn.name = "x"}) -> (tensor<1x2xf32> {qnn.name = "a"}, tensor<1x2xf32> {qnn.name = "b"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x2xf32>
  %w = arith.constant dense<[[-1.0, 1.0], [0.0, 0.5]]> : tensor<2x2xf32>
  %a = qnn.matmul %xr, %w {id = "a"} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %ar = qnn.range %a {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x2xf32>
  %b = qnn.matmul %ar, %w {id = "b"} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %br = qnn.range %b {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x2xf32>
  return %ar, %br : tensor<1x2xf32>, tensor<1x2xf32>
}

// -----

// The rounded value and, moved apart, the accumulator.
// CHECK-LABEL: @moved
// CHECK: %[[A:.*]] = qnn.conv {{.*}}id = "a"{{.*}} -> tensor<1x2x2x!quant.uniform<i32:f32:1
// CHECK: %[[R:.*]] = qnn.requantize %[[A]] {id = "a"}
// CHECK-DAG: %[[DA:.*]] = quant.dcast %[[A]]
// CHECK-DAG: %[[T:.*]] = qnn.transpose %[[DA]] {{.*}} : (tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
// CHECK-DAG: %[[M:.*]] = qnn.max_pool %[[R]]
// CHECK: %[[DM:.*]] = quant.dcast %[[M]]
// CHECK: return %[[T]], %[[DM]]
// INT-LABEL: @moved
// INT: qnn.transpose {{.*}} -> tensor<1x2x2x!quant.uniform<i16
func.func @moved(%x: tensor<1x1x2xf32> {qnn.name = "x"}) -> (tensor<1x2x2xf32> {qnn.name = "t"}, tensor<1x2x2xf32> {qnn.name = "m"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x1x2xf32>
  %w = arith.constant dense<[[[1.0]], [[0.5]]]> : tensor<2x1x1xf32>
  %a = qnn.conv %xr, %w {id = "a"} : (tensor<1x1x2xf32>, tensor<2x1x1xf32>) -> tensor<1x2x2xf32>
  %ar = qnn.range %a {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x2x2xf32>
  %t = qnn.transpose %ar {id = "t", permutation = array<i64: 0, 2, 1>} : (tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  %m = qnn.max_pool %ar {id = "m", kernel = array<i64: 1>} : (tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  return %t, %m : tensor<1x2x2xf32>, tensor<1x2x2xf32>
}

// -----

// An input that is an output leaves as it is; an absorbed ReLU leaves no accumulator.
// CHECK-LABEL: @rounded
// CHECK: %[[Q:.*]] = quant.qcast %arg0
// CHECK: %[[A:.*]] = qnn.matmul %[[Q]], {{.*}} -> tensor<1x1x!quant.uniform<i16:f32, {{.*}}:-32768>>
// CHECK: %[[DA:.*]] = quant.dcast %[[A]]
// CHECK: return %arg0, %[[DA]]
// An input keeps its type, and an output of another width is one more rounding; the other
// value is stored as it leaves.
// INT-LABEL: @rounded
// INT: %[[A:.*]] = qnn.matmul {{.*}} -> tensor<1x1x!quant.uniform<i16:f32, {{.*}}:-32768>>
// INT: %[[OX:.*]] = qnn.requantize %arg0 : {{.*}} -> tensor<1x1x!quant.uniform<i16
// INT: return %[[OX]], %[[A]]
func.func @rounded(%x: tensor<1x1xf32> {qnn.name = "x"}) -> (tensor<1x1xf32> {qnn.name = "x"}, tensor<1x1xf32> {qnn.name = "r"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x1xf32>
  %w = arith.constant dense<1.0> : tensor<1x1xf32>
  %0 = qnn.matmul %xr, %w {id = "a"} : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  %1 = qnn.relu %0 {id = "r"} : tensor<1x1xf32>
  %2 = qnn.range %1 {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x1xf32>
  return %xr, %2 : tensor<1x1xf32>, tensor<1x1xf32>
}

// -----

// A softmax leaves as the 15 bits that it has.
// INT-LABEL: @softmax
// INT: %[[P:.*]] = qnn.softmax
// INT: return %[[P]] : tensor<1x2x!quant.uniform<u15:f32, 3.05{{[0-9]*}}E-5>>
func.func @softmax(%x: tensor<1x2xf32> {qnn.name = "x"}) -> (tensor<1x2xf32> {qnn.name = "p"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x2xf32>
  %0 = qnn.softmax %xr {id = "p", axis = 1 : i64} : (tensor<1x2xf32>) -> tensor<1x2xf32>
  %1 = qnn.range %0 {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x2xf32>
  return %1 : tensor<1x2xf32>
}
