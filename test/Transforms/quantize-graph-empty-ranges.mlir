// RUN: quant-opt %s --quant-quantize-graph=uniform -split-input-file | FileCheck %s
// RUN: quant-opt %s --quant-quantize-graph=activations=16 -split-input-file | FileCheck %s --check-prefix=A16

// A ReLU and a Clip that leave 0 alone: no range clamps to one number, a requantization
// does (here 255 stands for 0, the end of [-1, 0]).
// CHECK-LABEL: @nothing_left
// CHECK: %[[A:.*]] = qnn.matmul {{.*}} -> tensor<1x1x!quant.uniform<u8:f32, 1.000000e+00>>
// CHECK: %[[C:.*]] = qnn.requantize %[[A]] {clamp = array<i64: 0, 255>, id = "c"} : {{.*}} -> tensor<1x1x!quant.uniform<u8:f32, {{.*}}:255>>
// CHECK: qnn.reshape %[[C]]
// CHECK: %[[Z:.*]] = qnn.matmul {{.*}}id = "z"
// CHECK: qnn.requantize %[[Z]] {clamp = array<i64: 0, 0>, id = "d"}
// A16-LABEL: @nothing_left
// A16: qnn.requantize {{.*}} {clamp = array<i64: -32768, 32767>, id = "c"} : {{.*}} -> tensor<1x1x!quant.uniform<i16:f32, {{.*}}:32767>>
// A16: qnn.requantize {{.*}} {clamp = array<i64: 0, 0>, id = "d"} : {{.*}} -> tensor<1x1x!quant.uniform<i16:f32, 1.000000e+00>>
func.func @nothing_left(%x: tensor<1x1xf32> {qnn.name = "x"}) -> (tensor<1xf32> {qnn.name = "y"}, tensor<1x1xf32> {qnn.name = "d"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x1xf32>
  %w = arith.constant dense<1.0> : tensor<1x1xf32>
  %0 = qnn.matmul %xr, %w {id = "a"} : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  %1 = qnn.relu %0 {id = "b"} : tensor<1x1xf32>
  %2 = qnn.range %1 {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x1xf32>
  %3 = qnn.clip %2 {id = "c", min = -1.0 : f32, max = 0.0 : f32} : tensor<1x1xf32>
  %4 = qnn.range %3 {min = 0.0 : f32, max = 0.0 : f32} : tensor<1x1xf32>
  %5 = qnn.reshape %4 {id = "y"} : (tensor<1x1xf32>) -> tensor<1xf32>
  %6 = qnn.matmul %xr, %w {id = "z"} : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  %7 = qnn.range %6 {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x1xf32>
  %8 = qnn.clip %7 {id = "d", min = 0.0 : f32, max = 0.0 : f32} : tensor<1x1xf32>
  %9 = qnn.range %8 {min = 0.0 : f32, max = 0.0 : f32} : tensor<1x1xf32>
  return %5, %9 : tensor<1xf32>, tensor<1x1xf32>
}

// -----

// A concatenation that was 0 alone in calibration has a type as wide as its integers,
// which would not clamp like the activations of its branches: they keep their own.
// CHECK-LABEL: @concat
// CHECK: qnn.matmul {{.*}}id = "a"{{.*}} -> tensor<1x1x!quant.uniform<u8:f32, 0.0039215
// CHECK: qnn.matmul {{.*}}id = "b"{{.*}} -> tensor<1x1x!quant.uniform<u8:f32, 0.0039215
// CHECK: qnn.matmul {{.*}}id = "c"{{.*}} -> tensor<1x1x[[T:!quant.uniform<u8:f32, 1.000000e\+00>]]>
// CHECK: qnn.requantize
// CHECK: qnn.requantize
// CHECK: qnn.concat {{.*}} -> tensor<1x3x[[T]]>
// A16-LABEL: @concat
// A16: qnn.matmul {{.*}}id = "a"{{.*}} -> tensor<1x1x!quant.uniform<i16:f32, {{.*}}:-32768>>
// A16: qnn.concat {{.*}} -> tensor<1x3x!quant.uniform<i16:f32, 1.000000e+00>>
func.func @concat(%x: tensor<1x1xf32> {qnn.name = "x"}) -> (tensor<1x3xf32> {qnn.name = "y"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x1xf32>
  %w = arith.constant dense<1.0> : tensor<1x1xf32>
  %0 = qnn.matmul %xr, %w {id = "a"} : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  %1 = qnn.relu %0 {id = "relu"} : tensor<1x1xf32>
  %2 = qnn.range %1 {min = 0.0 : f32, max = 0.0 : f32} : tensor<1x1xf32>
  %3 = qnn.matmul %xr, %w {id = "b"} : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  %4 = qnn.clip %3 {id = "clip", min = 0.0 : f32, max = 6.0 : f32} : tensor<1x1xf32>
  %5 = qnn.range %4 {min = 0.0 : f32, max = 0.0 : f32} : tensor<1x1xf32>
  %6 = qnn.matmul %xr, %w {id = "c"} : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  %7 = qnn.range %6 {min = 0.0 : f32, max = 0.0 : f32} : tensor<1x1xf32>
  %8 = qnn.concat %2, %5, %7 {id = "y", axis = 1 : i64} : (tensor<1x1xf32>, tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x3xf32>
  %9 = qnn.range %8 {min = 0.0 : f32, max = 0.0 : f32} : tensor<1x3xf32>
  return %9 : tensor<1x3xf32>
}
