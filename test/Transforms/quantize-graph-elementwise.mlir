// RUN: quant-opt %s --quant-quantize-graph -split-input-file | FileCheck %s
// RUN: quant-opt %s --quant-quantize-graph=activations=12 -split-input-file | FileCheck %s --check-prefix=A12

// A value that tables alone read has 10 bits, if the plan does not give it more; the
// result is read by a convolution.
// CHECK-LABEL: @before_a_table
// CHECK: %[[A:.*]] = qnn.conv {{.*}}id = "a"{{.*}} -> tensor<1x1x4x!quant.uniform<u10:f32, {{.*}}:512>>
// CHECK: %[[T:.*]] = qnn.map %[[A]] {id = "t"} : {{.*}} -> tensor<1x1x4x!quant.uniform<u8:f32, {{.*}}>> {
// CHECK: math.exp
// CHECK: qnn.conv %[[T]]
// A12-LABEL: @before_a_table
// A12: qnn.conv {{.*}}id = "a"{{.*}} -> tensor<1x1x4x!quant.uniform<u12:f32, {{.*}}>>
func.func @before_a_table(%x: tensor<1x1x4xf32> {qnn.name = "x"}) -> (tensor<1x1x4xf32> {qnn.name = "y"}) {
  %xr = qnn.range %x {min = -1.0 : f32, max = 1.0 : f32} : tensor<1x1x4xf32>
  %w = arith.constant dense<0.5> : tensor<1x1x1xf32>
  %a = qnn.conv %xr, %w {id = "a"} : (tensor<1x1x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x4xf32>
  %ar = qnn.range %a {min = -1.0 : f32, max = 1.0 : f32} : tensor<1x1x4xf32>
  %t = qnn.map %ar {id = "t"} : (tensor<1x1x4xf32>) -> tensor<1x1x4xf32> {
  ^bb0(%e: f32):
    %f = math.exp %e : f32
    qnn.yield %f : f32
  }
  %tr = qnn.range %t {min = 0.0 : f32, max = 3.0 : f32} : tensor<1x1x4xf32>
  %y = qnn.conv %tr, %w {id = "y"} : (tensor<1x1x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x4xf32>
  %yr = qnn.range %y {min = 0.0 : f32, max = 3.0 : f32} : tensor<1x1x4xf32>
  return %yr : tensor<1x1x4xf32>
}

// -----

// Behind the last convolution everything has 16 bits, as far as an average pool can sum
// them in 31: its window of 40000 leaves 15. A table absorbs a ReLU.
// CHECK-LABEL: @tail
// CHECK: qnn.conv {{.*}}id = "a"{{.*}} -> tensor<1x1x40000x!quant.uniform<i16:f32
// CHECK: qnn.map {{.*}} -> tensor<1x1x40000x!quant.uniform<u15:f32
// CHECK-NOT: qnn.relu
// CHECK: qnn.mul {{.*}} -> tensor<1x1x40000x!quant.uniform<i16:f32
// CHECK: qnn.avg_pool
func.func @tail(%x: tensor<1x1x40000xf32> {qnn.name = "x"}) -> (tensor<1x1x40000xf32> {qnn.name = "y"}, tensor<1x1x1xf32> {qnn.name = "p"}) {
  %xr = qnn.range %x {min = -1.0 : f32, max = 1.0 : f32} : tensor<1x1x40000xf32>
  %w = arith.constant dense<0.5> : tensor<1x1x1xf32>
  %a = qnn.conv %xr, %w {id = "a"} : (tensor<1x1x40000xf32>, tensor<1x1x1xf32>) -> tensor<1x1x40000xf32>
  %ar = qnn.range %a {min = -1.0 : f32, max = 1.0 : f32} : tensor<1x1x40000xf32>
  %t = qnn.map %ar {id = "t"} : (tensor<1x1x40000xf32>) -> tensor<1x1x40000xf32> {
  ^bb0(%e: f32):
    %f = math.exp %e : f32
    qnn.yield %f : f32
  }
  %r = qnn.relu %t {id = "r"} : tensor<1x1x40000xf32>
  %tr = qnn.range %r {min = 0.0 : f32, max = 3.0 : f32} : tensor<1x1x40000xf32>
  %y = qnn.mul %tr, %ar {id = "y"} : (tensor<1x1x40000xf32>, tensor<1x1x40000xf32>) -> tensor<1x1x40000xf32>
  %yr = qnn.range %y {min = 0.0 : f32, max = 3.0 : f32} : tensor<1x1x40000xf32>
  %p = qnn.avg_pool %tr {id = "p", kernel = array<i64: 40000>} : (tensor<1x1x40000xf32>) -> tensor<1x1x1xf32>
  %pr = qnn.range %p {min = 0.0 : f32, max = 3.0 : f32} : tensor<1x1x1xf32>
  return %yr, %pr : tensor<1x1x40000xf32>, tensor<1x1x1xf32>
}

// -----

// A PRelu reads the accumulator of a layer that is for it alone, and so does a difference.
// CHECK-LABEL: @accumulators
// CHECK: %[[A:.*]] = qnn.conv {{.*}}id = "a"{{.*}} -> tensor<1x1x4x!quant.uniform<i32:f32:1
// CHECK: %[[R:.*]] = qnn.prelu %[[A]], %{{.*}} {id = "r"} : {{.*}} -> tensor<1x1x4x!quant.uniform<u8:f32
// CHECK: %[[B:.*]] = qnn.conv %[[R]], {{.*}}id = "b"{{.*}} -> tensor<1x1x4x!quant.uniform<i32:f32:1
// CHECK: qnn.sub %[[R]], %[[B]] {id = "s"}
func.func @accumulators(%x: tensor<1x1x4xf32> {qnn.name = "x"}) -> (tensor<1x1x4xf32> {qnn.name = "s"}) {
  %xr = qnn.range %x {min = -1.0 : f32, max = 1.0 : f32} : tensor<1x1x4xf32>
  %w = arith.constant dense<0.5> : tensor<1x1x1xf32>
  %slope = arith.constant dense<0.1> : tensor<f32>
  %a = qnn.conv %xr, %w {id = "a"} : (tensor<1x1x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x4xf32>
  %ar = qnn.range %a {min = -1.0 : f32, max = 1.0 : f32} : tensor<1x1x4xf32>
  %r = qnn.prelu %ar, %slope {id = "r"} : (tensor<1x1x4xf32>, tensor<f32>) -> tensor<1x1x4xf32>
  %rr = qnn.range %r {min = -0.1 : f32, max = 1.0 : f32} : tensor<1x1x4xf32>
  %b = qnn.conv %rr, %w {id = "b"} : (tensor<1x1x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x4xf32>
  %br = qnn.range %b {min = -1.0 : f32, max = 1.0 : f32} : tensor<1x1x4xf32>
  %s = qnn.sub %rr, %br {id = "s"} : (tensor<1x1x4xf32>, tensor<1x1x4xf32>) -> tensor<1x1x4xf32>
  %sr = qnn.range %s {min = -1.0 : f32, max = 1.0 : f32} : tensor<1x1x4xf32>
  return %sr : tensor<1x1x4xf32>
}
