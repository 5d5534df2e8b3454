// RUN: quant-opt %s --quant-quantize-graph -split-input-file | FileCheck %s
// RUN: quant-opt %s --quant-quantize-graph=activations=16 -split-input-file | FileCheck %s --check-prefix=A16

// Operations that move values keep the type of what they move: the ranges that they have
// of their own do not count.
// CHECK-LABEL: @moves
// CHECK: %[[Q:.*]] = quant.qcast %arg0 : {{.*}} to tensor<1x1x4x[[T:!quant.uniform<u8:f32, 1.000000e\+00:128>]]>
// CHECK: %[[P:.*]] = qnn.pad %[[Q]] {{.*}}value = 2.000000e+00 : f32} : {{.*}} -> tensor<1x1x6x[[T]]>
// CHECK: %[[S:.*]] = qnn.slice %[[P]] {{.*}} -> tensor<1x1x4x[[T]]>
// CHECK: %[[M:.*]] = qnn.max_pool %[[S]] {{.*}} -> tensor<1x1x2x[[T]]>
// CHECK: %[[R:.*]] = qnn.transpose %[[M]] {{.*}} -> tensor<1x2x1x[[T]]>
// CHECK: %[[E:.*]] = qnn.reshape %[[R]] {{.*}} -> tensor<2x[[T]]>
// CHECK: %[[D:.*]] = quant.dcast %[[E]]
// CHECK: return %[[D]]
// Numbers of more than 15 bits are signed.
// A16-LABEL: @moves
// A16: quant.qcast %arg0 : {{.*}} to tensor<1x1x4x!quant.uniform<i16:f32, [[S:[^>]*]]>>
// A16: qnn.max_pool {{.*}} -> tensor<1x1x2x!quant.uniform<i16:f32, [[S]]>>
func.func @moves(%x: tensor<1x1x4xf32> {qnn.name = "x"}) -> (tensor<2xf32> {qnn.name = "r"}) {
  %xr = qnn.range %x {min = -128.0 : f32, max = 127.0 : f32} : tensor<1x1x4xf32>
  %0 = qnn.pad %xr {id = "p", low = array<i64: 0, 0, 1>, high = array<i64: 0, 0, 1>, value = 2.0 : f32} : (tensor<1x1x4xf32>) -> tensor<1x1x6xf32>
  %1 = qnn.slice %0 {id = "s", offsets = array<i64: 0, 0, 4>, steps = array<i64: 1, 1, -1>} : (tensor<1x1x6xf32>) -> tensor<1x1x4xf32>
  %2 = qnn.range %1 {min = 0.0 : f32, max = 5.0 : f32} : tensor<1x1x4xf32>
  %3 = qnn.max_pool %2 {id = "m", kernel = array<i64: 2>, strides = array<i64: 2>} : (tensor<1x1x4xf32>) -> tensor<1x1x2xf32>
  %4 = qnn.range %3 {min = 0.0 : f32, max = 3.0 : f32} : tensor<1x1x2xf32>
  %5 = qnn.transpose %4 {id = "t", permutation = array<i64: 0, 2, 1>} : (tensor<1x1x2xf32>) -> tensor<1x2x1xf32>
  %6 = qnn.reshape %5 {id = "r"} : (tensor<1x2x1xf32>) -> tensor<2xf32>
  return %6 : tensor<2xf32>
}

// -----

// The constant has 16 bits and a scale of its own: -128 to 127 as -32768 to 32767.
// CHECK-LABEL: @constant
// CHECK: %[[C:.*]] = arith.constant dense<{{\[\[}}-32768, 128, 32767]]> : tensor<1x3xi16>
// CHECK: %[[S:.*]] = quant.scast %[[C]] : tensor<1x3xi16> to tensor<1x3x!quant.uniform<i16:f32, {{.*}}:128>>
// CHECK: qnn.add %{{.*}}, %[[S]] {id = "s"} : {{.*}} -> tensor<1x3x!quant.uniform<i16:f32, {{.*}}:-16320>>
// A16-LABEL: @constant
// A16: arith.constant dense<{{.*}}> : tensor<1x3xi16>
func.func @constant(%x: tensor<1x3xf32> {qnn.name = "x"}) -> (tensor<1x3xf32> {qnn.name = "s"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x3xf32>
  %c = arith.constant dense<[[-128.0, 0.0, 127.0]]> : tensor<1x3xf32>
  %0 = qnn.add %xr, %c {id = "s"} : (tensor<1x3xf32>, tensor<1x3xf32>) -> tensor<1x3xf32>
  %1 = qnn.range %0 {min = -128.0 : f32, max = 382.0 : f32} : tensor<1x3xf32>
  return %1 : tensor<1x3xf32>
}

// -----

// A mean over windows of one size is an output as the sum that it is; over windows of
// several sizes no type can say that, and it is rounded.
// CHECK-LABEL: @means
// CHECK: qnn.avg_pool {{.*}}id = "a"{{.*}} -> tensor<1x1x2x!quant.uniform<i32:f32, 5.000000e-01>>
// CHECK: qnn.avg_pool {{.*}}id = "b"{{.*}} -> tensor<1x1x4x!quant.uniform<i16:f32, {{.*}}:-32768>>
func.func @means(%x: tensor<1x1x4xf32> {qnn.name = "x"}) -> (tensor<1x1x2xf32> {qnn.name = "a"}, tensor<1x1x4xf32> {qnn.name = "b"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x1x4xf32>
  %0 = qnn.avg_pool %xr {id = "a", kernel = array<i64: 2>, strides = array<i64: 2>} : (tensor<1x1x4xf32>) -> tensor<1x1x2xf32>
  %1 = qnn.range %0 {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x1x2xf32>
  %2 = qnn.avg_pool %xr {id = "b", kernel = array<i64: 3>, pads = array<i64: 1, 1>} : (tensor<1x1x4xf32>) -> tensor<1x1x4xf32>
  %3 = qnn.range %2 {min = 0.0 : f32, max = 510.0 : f32} : tensor<1x1x4xf32>
  return %1, %3 : tensor<1x1x2xf32>, tensor<1x1x4xf32>
}

// -----

// A Clip that excludes 0 cannot be the range of its producer, which contains 0: it is a
// requantization. One that includes 0 narrows the range.
// CHECK-LABEL: @clips
// CHECK: qnn.matmul {{.*}}id = "a"{{.*}} -> tensor<1x1x!quant.uniform<u8:f32, 2.000000e+00>>
// CHECK: qnn.matmul {{.*}}id = "b"{{.*}} -> tensor<1x1x!quant.uniform<i16:f32, {{.*}}:-32768>>
// CHECK-NOT: id = "c"
// CHECK: qnn.requantize {{.*}} {clamp = array<i64: -31997, 32767>, id = "d"} : {{.*}} -> tensor<1x1x!quant.uniform<i16:f32, {{.*}}:-32768>>
func.func @clips(%x: tensor<1x1xf32> {qnn.name = "x"}) -> (tensor<1x1xf32> {qnn.name = "d"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x1xf32>
  %w = arith.constant dense<1.0> : tensor<1x1xf32>
  %0 = qnn.matmul %xr, %w {id = "a"} : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  %1 = qnn.range %0 {min = 0.0 : f32, max = 510.0 : f32} : tensor<1x1xf32>
  %2 = qnn.matmul %1, %w {id = "b"} : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  %3 = qnn.clip %2 {id = "c", min = 0.0 : f32, max = 255.0 : f32} : tensor<1x1xf32>
  %4 = qnn.range %3 {min = -10.0 : f32, max = 510.0 : f32} : tensor<1x1xf32>
  %5 = qnn.clip %4 {id = "d", min = 3.0 : f32, max = 255.0 : f32} : tensor<1x1xf32>
  %6 = qnn.range %5 {min = 3.0 : f32, max = 255.0 : f32} : tensor<1x1xf32>
  return %6 : tensor<1x1xf32>
}
