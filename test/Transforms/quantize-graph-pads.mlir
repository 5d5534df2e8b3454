// RUN: quant-opt %s --quant-quantize-graph=uniform -split-input-file | FileCheck %s
// RUN: quant-opt %s --quant-quantize-graph=uniform --quant-rewrite-dyadic -split-input-file | FileCheck %s --check-prefix=INT

// A border below the range of its operand needs a range that contains it. The only reader
// of a layer passes it on, and the layer is rounded once.
// CHECK-LABEL: @shared
// CHECK: qnn.matmul {{.*}} -> tensor<1x4x[[T:!quant.uniform<u8:f32, 1.000000e\+00:20>]]>
// CHECK-NEXT: qnn.pad {{.*}} -> tensor<1x5x[[T]]>
// INT-LABEL: @shared
// INT: qnn.pad {{.*}}x_zp = 0
func.func @shared(%x: tensor<1x2xf32> {qnn.name = "x"}) -> (tensor<1x5xf32> {qnn.name = "p"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x2xf32>
  %w = arith.constant dense<1.0> : tensor<2x4xf32>
  %0 = qnn.matmul %xr, %w {id = "a"} : (tensor<1x2xf32>, tensor<2x4xf32>) -> tensor<1x4xf32>
  %1 = qnn.range %0 {min = -3.0 : f32, max = 235.0 : f32} : tensor<1x4xf32>
  %2 = qnn.pad %1 {id = "p", low = array<i64: 0, 0>, high = array<i64: 0, 1>, value = -20.0 : f32} : (tensor<1x4xf32>) -> tensor<1x5xf32>
  return %2 : tensor<1x5xf32>
}

// -----

// Behind a ReLU, whose clamp the wider range would lose, and where the layer has another
// reader, the pad's operand is rounded again.
// CHECK-LABEL: @own
// CHECK: %[[A:.*]] = qnn.matmul {{.*}} -> tensor<1x4x!quant.uniform<u8:f32, 1.000000e+00>>
// CHECK: %[[R:.*]] = qnn.requantize %[[A]] : {{.*}} -> tensor<1x4x[[T:!quant.uniform<u8:f32, 2.000000e\+00:128>]]>
// CHECK: %[[P:.*]] = qnn.pad %[[R]] {{.*}} -> tensor<1x5x[[T]]>
// CHECK: %[[M:.*]] = qnn.reshape %[[P]] {{.*}} -> tensor<5x[[T]]>
// CHECK: %[[H:.*]] = qnn.requantize %[[A]] : {{.*}} -> tensor<1x4x!quant.uniform<u8:f32, 3.000000e+00>>
// CHECK: qnn.pad %[[H]]
// INT-LABEL: @own
// INT: qnn.pad {{.*}}value = -2.550000e+02 : f32, x_zp = 0
// INT: qnn.pad {{.*}}value = 7.650000e+02 : f32, x_zp = 255
func.func @own(%x: tensor<1x2xf32> {qnn.name = "x"}) -> (tensor<5xf32> {qnn.name = "r"}, tensor<1x5xf32> {qnn.name = "q"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x2xf32>
  %w = arith.constant dense<1.0> : tensor<2x4xf32>
  %0 = qnn.matmul %xr, %w {id = "a"} : (tensor<1x2xf32>, tensor<2x4xf32>) -> tensor<1x4xf32>
  %1 = qnn.relu %0 {id = "relu"} : tensor<1x4xf32>
  %2 = qnn.range %1 {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x4xf32>
  %3 = qnn.pad %2 {id = "p", low = array<i64: 0, 0>, high = array<i64: 0, 1>, value = -255.0 : f32} : (tensor<1x4xf32>) -> tensor<1x5xf32>
  %4 = qnn.reshape %3 {id = "r"} : (tensor<1x5xf32>) -> tensor<5xf32>
  %5 = qnn.pad %2 {id = "q", low = array<i64: 0, 0>, high = array<i64: 0, 1>, value = 765.0 : f32} : (tensor<1x4xf32>) -> tensor<1x5xf32>
  return %4, %5 : tensor<5xf32>, tensor<1x5xf32>
}

// -----

// A border that masks scores need not be as far away as it says: 22 below the smallest
// score has no weight.
// CHECK-LABEL: @mask
// CHECK: qnn.matmul {{.*}} -> tensor<1x4x[[T:!quant.uniform<i16:f32, 4.88[0-9]*E-4:12287>]]>
// CHECK: qnn.pad {{.*}} -> tensor<1x5x[[T]]>
// INT-LABEL: @mask
// INT: qnn.pad {{.*}}x_zp = -32768
func.func @mask(%x: tensor<1x2xf32> {qnn.name = "x"}) -> (tensor<1x5xf32> {qnn.name = "s"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x2xf32>
  %w = arith.constant dense<1.0> : tensor<2x4xf32>
  %0 = qnn.matmul %xr, %w {id = "a"} : (tensor<1x2xf32>, tensor<2x4xf32>) -> tensor<1x4xf32>
  %1 = qnn.range %0 {min = 0.0 : f32, max = 10.0 : f32} : tensor<1x4xf32>
  %2 = qnn.pad %1 {id = "p", low = array<i64: 0, 0>, high = array<i64: 0, 1>, value = -1.0e+04 : f32} : (tensor<1x4xf32>) -> tensor<1x5xf32>
  %3 = qnn.softmax %2 {id = "s", axis = 1 : i64} : (tensor<1x5xf32>) -> tensor<1x5xf32>
  %4 = qnn.range %3 {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x5xf32>
  return %4 : tensor<1x5xf32>
}

// -----

// A max pool never returns a border below all numbers, unless a window lies in it alone.
// CHECK-LABEL: @max_pool
// CHECK: qnn.pad {{.*}} -> tensor<1x1x4x!quant.uniform<u8:f32, 1.000000e+00>>
// CHECK: qnn.requantize {{.*}} -> tensor<1x1x2x!quant.uniform<u8:f32, 4.000000e+00:191>>
// CHECK: qnn.pad {{.*}} -> tensor<1x1x4x!quant.uniform<u8:f32, 4.000000e+00:191>>
func.func @max_pool(%x: tensor<1x1x2xf32> {qnn.name = "x"}) -> (tensor<1x1x2xf32> {qnn.name = "m"}, tensor<1x1x4xf32> {qnn.name = "n"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x1x2xf32>
  %0 = qnn.pad %xr {id = "p", low = array<i64: 0, 0, 1>, high = array<i64: 0, 0, 1>, value = -765.0 : f32} : (tensor<1x1x2xf32>) -> tensor<1x1x4xf32>
  %1 = qnn.max_pool %0 {id = "m", kernel = array<i64: 2>, strides = array<i64: 2>} : (tensor<1x1x4xf32>) -> tensor<1x1x2xf32>
  %2 = qnn.pad %xr {id = "q", low = array<i64: 0, 0, 1>, high = array<i64: 0, 0, 1>, value = -765.0 : f32} : (tensor<1x1x2xf32>) -> tensor<1x1x4xf32>
  %3 = qnn.max_pool %2 {id = "n", kernel = array<i64: 1>} : (tensor<1x1x4xf32>) -> tensor<1x1x4xf32>
  return %1, %3 : tensor<1x1x2xf32>, tensor<1x1x4xf32>
}
