// RUN: quant-opt %s --quant-quantize-graph -split-input-file | FileCheck %s
// RUN: quant-opt %s --quant-quantize-graph="weights=4 activations=12" -split-input-file | FileCheck %s --check-prefix=W4A12
// RUN: quant-opt %s --quant-quantize-graph="activations=16 integer-io=true" -split-input-file | FileCheck %s --check-prefix=INT

// ReLU becomes the range; a float output comes from the accumulator, here through a reshape.
// CHECK-LABEL: @relu
// CHECK: %[[Q:.*]] = quant.qcast %arg0 : {{.*}} to tensor<1x1x2x2x!quant.uniform<u8:f32, 0.0039215688593685627>>
// CHECK: %[[A:.*]] = qnn.conv %[[Q]], %{{.*}} {id = "a"} : {{.*}} -> tensor<1x2x2x2x!quant.uniform<u8:f32, 0.019607843831181526>>
// CHECK-NOT: qnn.relu
// CHECK: %[[B:.*]] = qnn.conv %[[A]], {{.*}} {id = "b"} : {{.*}} -> tensor<1x1x2x2x!quant.uniform<i32:f32:1, {{{.*}}}>>
// CHECK: %[[D:.*]] = quant.dcast %[[B]]
// CHECK: %[[R:.*]] = qnn.reshape %[[D]] {id = "y"} : (tensor<1x1x2x2xf32>) -> tensor<1x4xf32>
// CHECK: return %[[R]]
// W4A12-LABEL: @relu
// W4A12: arith.constant dense<7> : tensor<2x1x1x1xi4>
// W4A12: !quant.uniform<i4<-7:7>:f32:0
// W4A12: !quant.uniform<u12:f32
// The output is requantized once, from the accumulator, and moved as an integer.
// INT-LABEL: @relu
// INT-SAME: %arg0: tensor<1x1x2x2x!quant.uniform<i16:f32
// INT: %[[B:.*]] = qnn.conv {{.*}}id = "b"
// INT: %[[O:.*]] = qnn.requantize %[[B]] {id = "b"} : {{.*}} -> tensor<1x1x2x2x!quant.uniform<i16:f32
// INT: qnn.reshape %[[O]]
func.func @relu(%x: tensor<1x1x2x2xf32> {qnn.name = "x"}) -> (tensor<1x4xf32> {qnn.name = "y"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x1x2x2xf32>
  %w = arith.constant dense<0.5> : tensor<2x1x1x1xf32>
  %0 = qnn.conv %xr, %w {id = "a"} : (tensor<1x1x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32>
  %1 = qnn.relu %0 {id = "r"} : tensor<1x2x2x2xf32>
  %2 = qnn.range %1 {min = -3.0 : f32, max = 5.0 : f32} : tensor<1x2x2x2xf32>
  %v = arith.constant dense<[[[[0.5]], [[0.25]]]]> : tensor<1x2x1x1xf32>
  %3 = qnn.conv %2, %v {id = "b"} : (tensor<1x2x2x2xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x2x2xf32>
  %4 = qnn.range %3 {min = 0.0 : f32, max = 4.0 : f32} : tensor<1x1x2x2xf32>
  %5 = qnn.reshape %4 {id = "y"} : (tensor<1x1x2x2xf32>) -> tensor<1x4xf32>
  %6 = qnn.range %5 {min = 0.0 : f32, max = 4.0 : f32} : tensor<1x4xf32>
  return %6 : tensor<1x4xf32>
}

// -----

// A residual addition reads its later operand as the accumulator. A ReLU whose operand
// has another use is a requantization with a clamp, here at the zero point.
// CHECK-LABEL: @residual
// CHECK: %[[A:.*]] = qnn.conv {{.*}}id = "a"{{.*}} -> tensor<1x1x2x2x!quant.uniform<u8:f32, {{.*}}:127>>
// CHECK: %[[R:.*]] = qnn.requantize %[[A]] {clamp = array<i64: 0, 255>, id = "r"}
// CHECK: %[[B:.*]] = qnn.conv %[[R]], {{.*}}id = "b"{{.*}} -> tensor<1x1x2x2x!quant.uniform<i32:f32:1
// CHECK: qnn.add %[[B]], %[[A]] {id = "s"}
// CHECK: quant.dcast
func.func @residual(%x: tensor<1x1x2x2xf32> {qnn.name = "x"}) -> (tensor<1x1x2x2xf32> {qnn.name = "s"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x1x2x2xf32>
  %w = arith.constant dense<0.5> : tensor<1x1x1x1xf32>
  %0 = qnn.conv %xr, %w {id = "a"} : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  %1 = qnn.range %0 {min = -1.0 : f32, max = 1.0 : f32} : tensor<1x1x2x2xf32>
  %2 = qnn.relu %1 {id = "r"} : tensor<1x1x2x2xf32>
  %3 = qnn.range %2 {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x1x2x2xf32>
  %4 = qnn.conv %3, %w {id = "b"} : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  %5 = qnn.range %4 {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x1x2x2xf32>
  %6 = qnn.add %5, %1 {id = "s"} : (tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32>
  %7 = qnn.range %6 {min = -1.0 : f32, max = 2.0 : f32} : tensor<1x1x2x2xf32>
  return %7 : tensor<1x1x2x2xf32>
}

// -----

// A branch that the concatenation alone reads takes its scale; the other is rescaled.
// A softmax has 15 bits, its operand 16.
// CHECK-LABEL: @concat
// CHECK: %[[A:.*]] = qnn.conv {{.*}}id = "a"{{.*}} -> tensor<1x1x2x!quant.uniform<u8:f32, 0.01568{{.*}}>>
// CHECK: %[[R:.*]] = qnn.requantize %{{.*}} : {{.*}} -> tensor<1x1x2x!quant.uniform<u8:f32, 0.01568{{.*}}>>
// CHECK: qnn.concat %[[A]], %[[R]] {axis = 2 : i64, id = "c"}
// CHECK: qnn.conv {{.*}}id = "m"{{.*}} -> tensor<1x1x4x!quant.uniform<i16:f32
// CHECK: qnn.softmax {{.*}} -> tensor<1x1x4x!quant.uniform<u15:f32, 3.05{{[0-9]*}}E-5>>
func.func @concat(%x: tensor<1x1x2xf32> {qnn.name = "x"}) -> (tensor<1x1x4xf32> {qnn.name = "p"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x1x2xf32>
  %w = arith.constant dense<0.5> : tensor<1x1x1xf32>
  %0 = qnn.conv %xr, %w {id = "a"} : (tensor<1x1x2xf32>, tensor<1x1x1xf32>) -> tensor<1x1x2xf32>
  %1 = qnn.range %0 {min = 0.0 : f32, max = 2.0 : f32} : tensor<1x1x2xf32>
  %2 = qnn.concat %1, %xr {id = "c", axis = 2 : i64} : (tensor<1x1x2xf32>, tensor<1x1x2xf32>) -> tensor<1x1x4xf32>
  %3 = qnn.range %2 {min = 0.0 : f32, max = 4.0 : f32} : tensor<1x1x4xf32>
  %4 = qnn.conv %3, %w {id = "m"} : (tensor<1x1x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x4xf32>
  %5 = qnn.range %4 {min = -1.0 : f32, max = 1.0 : f32} : tensor<1x1x4xf32>
  %6 = qnn.softmax %5 {id = "p", axis = 2 : i64} : (tensor<1x1x4xf32>) -> tensor<1x1x4xf32>
  %7 = qnn.range %6 {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x1x4xf32>
  return %7 : tensor<1x1x4xf32>
}

// -----

// The concatenation's range reaches below the ReLU's bound: the branch keeps its own
// scale, so that it is clamped at 0.
// CHECK-LABEL: @bounds
// CHECK: qnn.conv {{.*}}id = "a"{{.*}} -> tensor<1x1x2x!quant.uniform<i16:f32, 3.05{{[0-9]*}}E-5:-32768>>
// CHECK: qnn.requantize
// CHECK: qnn.concat
func.func @bounds(%x: tensor<1x1x2xf32> {qnn.name = "x"}) -> (tensor<1x1x4xf32> {qnn.name = "c"}) {
  %xr = qnn.range %x {min = -1.0 : f32, max = 1.0 : f32} : tensor<1x1x2xf32>
  %w = arith.constant dense<0.5> : tensor<1x1x1xf32>
  %0 = qnn.conv %xr, %w {id = "a"} : (tensor<1x1x2xf32>, tensor<1x1x1xf32>) -> tensor<1x1x2xf32>
  %1 = qnn.relu %0 {id = "r"} : tensor<1x1x2xf32>
  %2 = qnn.range %1 {min = 0.0 : f32, max = 2.0 : f32} : tensor<1x1x2xf32>
  %3 = qnn.concat %2, %xr {id = "c", axis = 2 : i64} : (tensor<1x1x2xf32>, tensor<1x1x2xf32>) -> tensor<1x1x4xf32>
  %4 = qnn.range %3 {min = -1.0 : f32, max = 2.0 : f32} : tensor<1x1x4xf32>
  return %4 : tensor<1x1x4xf32>
}

// -----

// |bias / (Sx * Sw)| would exceed 2^30: the channel's scale is doubled until it fits.
// CHECK-LABEL: @bias
// CHECK: quant.uniform<i8<-127:127>:f32:1, {0.0078740157186985015,{{6[0-9.]+E-[0-9]+|[0-9.E-]+}}}>
func.func @bias(%x: tensor<1x1xf32> {qnn.name = "x"}) -> (tensor<1x2xf32> {qnn.name = "y"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x1xf32>
  %w = arith.constant dense<[[1.0, 1.0e-9]]> : tensor<1x2xf32>
  %b = arith.constant dense<[0.0, 1.0]> : tensor<2xf32>
  %0 = qnn.matmul %xr, %w, %b {id = "y"} : (tensor<1x1xf32>, tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %1 = qnn.range %0 {min = 0.0 : f32, max = 2.0 : f32} : tensor<1x2xf32>
  return %1 : tensor<1x2xf32>
}

// -----

// Calibration saw 0 alone: the range still clamps to the ReLU's bound.
// CHECK-LABEL: @dead
// CHECK: qnn.matmul {{.*}} -> tensor<1x1x!quant.uniform<i16:f32, 1.52{{[0-9]*}}E-5:-32768>>
func.func @dead(%x: tensor<1x1xf32> {qnn.name = "x"}) -> (tensor<1x1xf32> {qnn.name = "y"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x1xf32>
  %w = arith.constant dense<-1.0> : tensor<1x1xf32>
  %0 = qnn.matmul %xr, %w {id = "y"} : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  %1 = qnn.relu %0 {id = "r"} : tensor<1x1xf32>
  %2 = qnn.range %1 {min = 0.0 : f32, max = 0.0 : f32} : tensor<1x1xf32>
  return %2 : tensor<1x1xf32>
}
