// RUN: quant-opt %s | FileCheck %s
// RUN: quant-opt %s --mlir-print-op-generic | quant-opt | FileCheck %s
// RUN: quant-opt %s --emit-bytecode | quant-opt | FileCheck %s

// CHECK-LABEL: @float
func.func @float(%x: tensor<1x4x8x8xf32>, %w: tensor<8x2x3x3xf32>, %b: tensor<8xf32>, %m: tensor<8x5xf32>) -> tensor<1x5xf32> {
  // CHECK: qnn.conv %{{.*}}, %{{.*}}, %{{.*}} {group = 2 : i64, id = "c", pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>}
  %0 = qnn.conv %x, %w, %b {id = "c", group = 2 : i64, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>}
      : (tensor<1x4x8x8xf32>, tensor<8x2x3x3xf32>, tensor<8xf32>) -> tensor<1x8x4x4xf32>
  // CHECK: qnn.batch_norm
  %1 = qnn.batch_norm %0, %b, %b, %b, %b {epsilon = 1.0e-5 : f32}
      : (tensor<1x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<1x8x4x4xf32>
  // CHECK: qnn.relu %{{.*}} {id = "r"} : tensor<1x8x4x4xf32>
  %2 = qnn.relu %1 {id = "r"} : tensor<1x8x4x4xf32>
  // CHECK: qnn.clip
  %3 = qnn.clip %2 {min = 0.0 : f32, max = 6.0 : f32} : tensor<1x8x4x4xf32>
  // CHECK: qnn.add
  %4 = qnn.add %3, %2 : (tensor<1x8x4x4xf32>, tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
  // CHECK: qnn.max_pool
  %5 = qnn.max_pool %4 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x8x4x4xf32>) -> tensor<1x8x2x2xf32>
  // CHECK: qnn.pad
  %6 = qnn.pad %5 {low = array<i64: 0, 0, 1, 0>, high = array<i64: 0, 0, 1, 0>, value = 0.5 : f32} : (tensor<1x8x2x2xf32>) -> tensor<1x8x4x2xf32>
  // CHECK: qnn.slice
  %7 = qnn.slice %6 {offsets = array<i64: 0, 0, 3, 0>, steps = array<i64: 1, 1, -2, 1>} : (tensor<1x8x4x2xf32>) -> tensor<1x8x2x2xf32>
  // CHECK: qnn.concat %{{.*}}, %{{.*}} {axis = 3 : i64}
  %8 = qnn.concat %7, %5 {axis = 3 : i64} : (tensor<1x8x2x2xf32>, tensor<1x8x2x2xf32>) -> tensor<1x8x2x4xf32>
  // CHECK: qnn.avg_pool
  %9 = qnn.avg_pool %8 {kernel = array<i64: 2, 4>} : (tensor<1x8x2x4xf32>) -> tensor<1x8x1x1xf32>
  // CHECK: qnn.reshape
  %10 = qnn.reshape %9 : (tensor<1x8x1x1xf32>) -> tensor<8x1xf32>
  // CHECK: qnn.transpose
  %11 = qnn.transpose %10 {permutation = array<i64: 1, 0>} : (tensor<8x1xf32>) -> tensor<1x8xf32>
  // CHECK: qnn.range %{{.*}} {max = 2.000000e+00 : f32, min = -1.000000e+00 : f32}
  %12 = qnn.range %11 {min = -1.0 : f32, max = 2.0 : f32} : tensor<1x8xf32>
  // CHECK: qnn.matmul %{{.*}}, %{{.*}} {id = "m"}
  %13 = qnn.matmul %12, %m {id = "m"} : (tensor<1x8xf32>, tensor<8x5xf32>) -> tensor<1x5xf32>
  // CHECK: qnn.softmax %{{.*}} {axis = 1 : i64}
  %14 = qnn.softmax %13 {axis = 1 : i64} : (tensor<1x5xf32>) -> tensor<1x5xf32>
  return %14 : tensor<1x5xf32>
}

!u8 = !quant.uniform<u8:f32, 0.5:10>
!w4 = !quant.uniform<i4<-7:7>:f32:0, {0.1, 0.2}>
!acc = !quant.uniform<i32:f32:1, {0.05, 0.1}>

// CHECK-LABEL: @quantized
func.func @quantized(%x: tensor<1x1x4x4xf32>, %b: tensor<2xf32>) -> tensor<1x2x4x4xf32> {
  %q = quant.qcast %x : tensor<1x1x4x4xf32> to tensor<1x1x4x4x!u8>
  %c = arith.constant dense<[[[[-7]]], [[[3]]]]> : tensor<2x1x1x1xi4>
  %w = quant.scast %c : tensor<2x1x1x1xi4> to tensor<2x1x1x1x!w4>
  // CHECK: qnn.conv {{.*}} -> tensor<1x2x4x4x!quant.uniform<i32:f32:1, {{.*}}>>
  %a = qnn.conv %q, %w, %b : (tensor<1x1x4x4x!u8>, tensor<2x1x1x1x!w4>, tensor<2xf32>) -> tensor<1x2x4x4x!acc>
  // CHECK: qnn.requantize %{{.*}} {clamp = array<i64: 10, 255>}
  %r = qnn.requantize %a {clamp = array<i64: 10, 255>} : (tensor<1x2x4x4x!acc>) -> tensor<1x2x4x4x!u8>
  %d = quant.dcast %r : tensor<1x2x4x4x!u8> to tensor<1x2x4x4xf32>
  return %d : tensor<1x2x4x4xf32>
}

// CHECK-LABEL: @integer
// CHECK-SAME: qnn.name = "x"
func.func @integer(%x: tensor<1x1x4x4xf32> {qnn.name = "x"}) -> (tensor<1x2x4x4xf32> {qnn.name = "y"}, tensor<1x2x4x4xui16>) attributes {qnn.batch} {
  // CHECK: qnn.quantize %{{.*}} {clamp = array<i64: 0, 255>, scale = 5.000000e-01 : f32, zero_point = 10 : i64}
  %q = qnn.quantize %x {scale = 0.5 : f32, zero_point = 10 : i64, clamp = array<i64: 0, 255>} : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xui8>
  %w = arith.constant dense<3> : tensor<2x1x3x3xsi8>
  %b = arith.constant dense<[1, -1]> : tensor<2xsi32>
  // CHECK: qnn.conv {{.*}}x_zp = 10 : i64
  %a = qnn.conv %q, %w, %b {pads = array<i64: 1, 1, 1, 1>, x_zp = 10 : i64} : (tensor<1x1x4x4xui8>, tensor<2x1x3x3xsi8>, tensor<2xsi32>) -> tensor<1x2x4x4xsi32>
  // CHECK: qnn.requantize {{.*}}rounding = #qnn.rounding<double>
  %r = qnn.requantize %a {multiplier = dense<[[[1073741824]], [[2147483647]]]> : tensor<2x1x1xi32>, exponent = dense<40> : tensor<i32>, zero_point = 3 : i64, clamp = array<i64: -128, 127>, rounding = #qnn.rounding<double>} : (tensor<1x2x4x4xsi32>) -> tensor<1x2x4x4xsi8>
  // CHECK: qnn.add {{.*}}rounding = #qnn.rounding<half_even>
  %s = qnn.add %r, %a {a_zp = 3 : i64, b_zp = 0 : i64, a_multiplier = dense<1073741824> : tensor<i32>, b_multiplier = dense<5> : tensor<i32>, exponent = dense<31> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 4095>, rounding = #qnn.rounding<half_even>} : (tensor<1x2x4x4xsi8>, tensor<1x2x4x4xsi32>) -> tensor<1x2x4x4xui16>
  // CHECK: qnn.dequantize
  %d = qnn.dequantize %a {scale = dense<[[[0.5]], [[0.25]]]> : tensor<2x1x1xf32>} : (tensor<1x2x4x4xsi32>) -> tensor<1x2x4x4xf32>
  return %d, %s : tensor<1x2x4x4xf32>, tensor<1x2x4x4xui16>
}

// Every other operation at the quantized level.
// CHECK-LABEL: @quantized_moves
func.func @quantized_moves(%x: tensor<1x2x4x!u8> {qnn.name = "x"}, %a: tensor<1x2x2x!acc>) -> tensor<1x12x!quant.uniform<u15:f32, 3.0517578125e-05>> {
  // CHECK: qnn.max_pool %{{.*}} {dilations = array<i64: 2>, kernel = array<i64: 2>, pads = array<i64: 1, 1>} : (tensor<1x2x4x!quant.uniform<u8:f32, 5.000000e-01:10>>) -> tensor<1x2x4x!quant.uniform<u8:f32, 5.000000e-01:10>>
  %0 = qnn.max_pool %x {kernel = array<i64: 2>, pads = array<i64: 1, 1>, dilations = array<i64: 2>} : (tensor<1x2x4x!u8>) -> tensor<1x2x4x!u8>
  // CHECK: qnn.avg_pool {{.*}}-> tensor<1x2x2x!quant.uniform<i16:f32, 2.500000e-01>>
  %1 = qnn.avg_pool %0 {kernel = array<i64: 2>, strides = array<i64: 2>} : (tensor<1x2x4x!u8>) -> tensor<1x2x2x!quant.uniform<i16:f32, 0.25>>
  // CHECK: qnn.slice {{.*}} -> tensor<1x2x2x!quant.uniform<u8:f32, 5.000000e-01:10>>
  %2 = qnn.slice %0 {offsets = array<i64: 0, 0, 1>, steps = array<i64: 1, 1, 2>} : (tensor<1x2x4x!u8>) -> tensor<1x2x2x!u8>
  // CHECK: qnn.add %arg1, %{{.*}} {id = "s"} : (tensor<1x2x2x!quant.uniform<i32:f32:1, {5.000000e-02,1.000000e-01}>>, tensor<1x2x2x!quant.uniform<i16:f32, 2.500000e-01>>) -> tensor<1x2x2x!quant.uniform<u8:f32, 5.000000e-01:10>>
  %3 = qnn.add %a, %1 {id = "s"} : (tensor<1x2x2x!acc>, tensor<1x2x2x!quant.uniform<i16:f32, 0.25>>) -> tensor<1x2x2x!u8>
  // CHECK: qnn.pad %{{.*}} {high = array<i64: 0, 0, 1>, low = array<i64: 0, 0, 0>}
  %4 = qnn.pad %3 {low = array<i64: 0, 0, 0>, high = array<i64: 0, 0, 1>} : (tensor<1x2x2x!u8>) -> tensor<1x2x3x!u8>
  // CHECK: qnn.transpose %{{.*}} {permutation = array<i64: 0, 2, 1>}
  %5 = qnn.transpose %4 {permutation = array<i64: 0, 2, 1>} : (tensor<1x2x3x!u8>) -> tensor<1x3x2x!u8>
  // CHECK: qnn.concat %{{.*}}, %{{.*}} {axis = 1 : i64}
  %6 = qnn.concat %5, %5 {axis = 1 : i64} : (tensor<1x3x2x!u8>, tensor<1x3x2x!u8>) -> tensor<1x6x2x!u8>
  // CHECK: qnn.reshape
  %7 = qnn.reshape %6 : (tensor<1x6x2x!u8>) -> tensor<1x12x!u8>
  // CHECK: qnn.softmax %{{.*}} {axis = 1 : i64} : (tensor<1x12x!quant.uniform<u8:f32, 5.000000e-01:10>>) -> tensor<1x12x!quant.uniform<u15:f32, 3.05{{[0-9]*}}E-5>>
  %8 = qnn.softmax %7 {axis = 1 : i64} : (tensor<1x12x!u8>) -> tensor<1x12x!quant.uniform<u15:f32, 3.0517578125e-05>>
  return %8 : tensor<1x12x!quant.uniform<u15:f32, 3.0517578125e-05>>
}

// Weights with one scale or one a column; 12 bits and 16.
// CHECK-LABEL: @quantized_products
func.func @quantized_products(%x: tensor<3x2x!quant.uniform<u12:f32, 1.0:7>>, %z: tensor<3x2x!quant.uniform<i16:f32, 1.0:-7>>) -> tensor<3x2x!u8> {
  %c = arith.constant dense<[[1, -1], [0, 1]]> : tensor<2x2xi2>
  %w = quant.scast %c : tensor<2x2xi2> to tensor<2x2x!quant.uniform<i2<-1:1>:f32, 0.5>>
  %v = quant.scast %c : tensor<2x2xi2> to tensor<2x2x!quant.uniform<i2<-1:1>:f32:1, {0.5, 0.25}>>
  // CHECK: qnn.matmul {{.*}} : (tensor<3x2x!quant.uniform<u12:f32, 1.000000e+00:7>>, tensor<2x2x!quant.uniform<i2<-1:1>:f32, 5.000000e-01>>) ->
  %0 = qnn.matmul %x, %w : (tensor<3x2x!quant.uniform<u12:f32, 1.0:7>>, tensor<2x2x!quant.uniform<i2<-1:1>:f32, 0.5>>) -> tensor<3x2x!u8>
  // CHECK: qnn.matmul {{.*}} : (tensor<3x2x!quant.uniform<i16:f32, 1.000000e+00:-7>>, tensor<2x2x!quant.uniform<i2<-1:1>:f32:1, {5.000000e-01,2.500000e-01}>>) ->
  %1 = qnn.matmul %z, %v : (tensor<3x2x!quant.uniform<i16:f32, 1.0:-7>>, tensor<2x2x!quant.uniform<i2<-1:1>:f32:1, {0.5, 0.25}>>) -> tensor<3x2x!u8>
  // CHECK: qnn.add
  %2 = qnn.add %0, %1 : (tensor<3x2x!u8>, tensor<3x2x!u8>) -> tensor<3x2x!u8>
  return %2 : tensor<3x2x!u8>
}

// Every other operation at the integer level.
// CHECK-LABEL: @integer_moves
// CHECK-SAME: qnn.type = !quant.uniform<i12:f32, 5.000000e-01>
func.func @integer_moves(%x: tensor<1x2x4xsi16> {qnn.name = "x", qnn.type = !quant.uniform<i12:f32, 0.5>}) -> (tensor<1x12xui16> {qnn.name = "y", qnn.value}) {
  // CHECK: qnn.max_pool {{.*}} : (tensor<1x2x4xsi16>) -> tensor<1x2x2xsi16>
  %0 = qnn.max_pool %x {kernel = array<i64: 2>, strides = array<i64: 2>} : (tensor<1x2x4xsi16>) -> tensor<1x2x2xsi16>
  // CHECK: qnn.avg_pool %{{.*}} {kernel = array<i64: 3>, pads = array<i64: 1, 1>, x_zp = -4 : i64} : (tensor<1x2x4xsi16>) -> tensor<1x2x4xsi32>
  %1 = qnn.avg_pool %x {kernel = array<i64: 3>, pads = array<i64: 1, 1>, x_zp = -4 : i64} : (tensor<1x2x4xsi16>) -> tensor<1x2x4xsi32>
  // CHECK: qnn.slice {{.*}}steps = array<i64: 1, 1, -2>} : (tensor<1x2x4xsi32>) -> tensor<1x2x2xsi32>
  %2 = qnn.slice %1 {offsets = array<i64: 0, 0, 3>, steps = array<i64: 1, 1, -2>} : (tensor<1x2x4xsi32>) -> tensor<1x2x2xsi32>
  // CHECK: qnn.requantize %{{.*}} : (tensor<1x2x2xsi32>) -> tensor<1x2x2xsi16>
  %3 = qnn.requantize %2 {multiplier = dense<0> : tensor<i32>, exponent = dense<1> : tensor<1x1x1xi32>, zero_point = 1 : i64, clamp = array<i64: -32768, 32767>, rounding = #qnn.rounding<half_up>} : (tensor<1x2x2xsi32>) -> tensor<1x2x2xsi16>
  // CHECK: qnn.concat {{.*}} -> tensor<1x2x4xsi16>
  %4 = qnn.concat %0, %3 {axis = 2 : i64} : (tensor<1x2x2xsi16>, tensor<1x2x2xsi16>) -> tensor<1x2x4xsi16>
  // CHECK: qnn.transpose {{.*}} -> tensor<1x4x2xsi16>
  %5 = qnn.transpose %4 {permutation = array<i64: 0, 2, 1>} : (tensor<1x2x4xsi16>) -> tensor<1x4x2xsi16>
  // CHECK: qnn.pad %{{.*}} {high = array<i64: 0, 1, 0>, low = array<i64: 0, 1, 0>, x_zp = -5 : i64}
  %6 = qnn.pad %5 {low = array<i64: 0, 1, 0>, high = array<i64: 0, 1, 0>, x_zp = -5 : i64} : (tensor<1x4x2xsi16>) -> tensor<1x6x2xsi16>
  // CHECK: qnn.reshape
  %7 = qnn.reshape %6 : (tensor<1x6x2xsi16>) -> tensor<1x12xsi16>
  // CHECK: qnn.softmax %{{.*}} {axis = 1 : i64, high = dense<1073741824> : tensor<256xi32>, low = dense<1073741824> : tensor<256xi32>} : (tensor<1x12xsi16>) -> tensor<1x12xui16>
  %8 = qnn.softmax %7 {axis = 1 : i64, high = dense<1073741824> : tensor<256xi32>, low = dense<1073741824> : tensor<256xi32>} : (tensor<1x12xsi16>) -> tensor<1x12xui16>
  return %8 : tensor<1x12xui16>
}

// CHECK-LABEL: @integer_product
func.func @integer_product(%x: tensor<2x3x2xui16>) -> tensor<2x3x1xsi32> {
  %w = arith.constant dense<[[-128], [127]]> : tensor<2x1xsi8>
  %b = arith.constant dense<-2147483648> : tensor<1xsi32>
  // CHECK: qnn.matmul %{{.*}}, %{{.*}}, %{{.*}} {x_zp = 65535 : i64} : (tensor<2x3x2xui16>, tensor<2x1xsi8>, tensor<1xsi32>) -> tensor<2x3x1xsi32>
  %y = qnn.matmul %x, %w, %b {x_zp = 65535 : i64} : (tensor<2x3x2xui16>, tensor<2x1xsi8>, tensor<1xsi32>) -> tensor<2x3x1xsi32>
  return %y : tensor<2x3x1xsi32>
}

// Any spatial rank, and one window over a whole input.
// CHECK-LABEL: @ranks
func.func @ranks(%x: tensor<2x2x5xf32>, %w: tensor<2x1x2xf32>, %z: tensor<1x1x2x3x4xf32>, %v: tensor<3x1x2x3x4xf32>) -> tensor<1x3x1x1x1xf32> {
  // CHECK: qnn.conv %{{.*}}, %{{.*}} {dilations = array<i64: 3>, group = 2 : i64, pads = array<i64: 0, 2>, strides = array<i64: 2>}
  %0 = qnn.conv %x, %w {group = 2 : i64, dilations = array<i64: 3>, strides = array<i64: 2>, pads = array<i64: 0, 2>} : (tensor<2x2x5xf32>, tensor<2x1x2xf32>) -> tensor<2x2x2xf32>
  // CHECK: qnn.conv %{{.*}}, %{{.*}} : (tensor<1x1x2x3x4xf32>, tensor<3x1x2x3x4xf32>) -> tensor<1x3x1x1x1xf32>
  %1 = qnn.conv %z, %v : (tensor<1x1x2x3x4xf32>, tensor<3x1x2x3x4xf32>) -> tensor<1x3x1x1x1xf32>
  return %1 : tensor<1x3x1x1x1xf32>
}

// Element-wise functions, products and differences at every level.
// CHECK-LABEL: @functions
func.func @functions(%x: tensor<1x2x4xf32>, %g: tensor<1x2x1xf32>, %q: tensor<4x!u8>, %i: tensor<4xui8>, %s: tensor<4xsi32>) {
  // CHECK: qnn.map %arg0 {id = "f"} : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32> {
  // CHECK-NEXT: ^bb0(%[[A:.*]]: f32):
  // CHECK-NEXT: %[[E:.*]] = math.erf %[[A]] : f32
  // CHECK-NEXT: qnn.yield %[[E]] : f32
  %0 = qnn.map %x {id = "f"} : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32> {
  ^bb0(%a: f32):
    %e = math.erf %a : f32
    qnn.yield %e : f32
  }
  // CHECK: qnn.mul %{{.*}}, %arg1 {id = "m"} : (tensor<1x2x4xf32>, tensor<1x2x1xf32>) -> tensor<1x2x4xf32>
  %1 = qnn.mul %0, %g {id = "m"} : (tensor<1x2x4xf32>, tensor<1x2x1xf32>) -> tensor<1x2x4xf32>
  // CHECK: qnn.sub %arg1, %{{.*}} : (tensor<1x2x1xf32>, tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %2 = qnn.sub %g, %1 : (tensor<1x2x1xf32>, tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %slope = arith.constant dense<[[0.1], [-0.2]]> : tensor<2x1xf32>
  // CHECK: qnn.prelu %{{.*}}, %{{.*}} {id = "p"} : (tensor<1x2x4xf32>, tensor<2x1xf32>) -> tensor<1x2x4xf32>
  %3 = qnn.prelu %2, %slope {id = "p"} : (tensor<1x2x4xf32>, tensor<2x1xf32>) -> tensor<1x2x4xf32>
  // CHECK: qnn.map %arg2 : (tensor<4x!quant.uniform<u8:f32, 5.000000e-01:10>>) -> tensor<4x!quant.uniform<u8:f32, 5.000000e-01:10>>
  %4 = qnn.map %q : (tensor<4x!u8>) -> tensor<4x!u8> {
  ^bb0(%a: f32):
    qnn.yield %a : f32
  }
  // CHECK: qnn.mul %arg2, %{{.*}} : (tensor<4x!quant.uniform<u8:f32, 5.000000e-01:10>>
  %5 = qnn.mul %q, %4 : (tensor<4x!u8>, tensor<4x!u8>) -> tensor<4x!u8>
  // CHECK: qnn.table %arg3 {clamp = array<i64: 0, 9>, entries = dense<[0, 1, 4, 9]> : tensor<4xi32>, low = 0 : i64} : (tensor<4xui8>) -> tensor<4xui8>
  %6 = qnn.table %i {entries = dense<[0, 1, 4, 9]> : tensor<4xi32>, low = 0 : i64, clamp = array<i64: 0, 9>} : (tensor<4xui8>) -> tensor<4xui8>
  // CHECK: qnn.mul %{{.*}}exponent = 33 : i32, multiplier = 1073741824 : i32
  %7 = qnn.mul %i, %6 {a_zp = 3 : i64, b_zp = 0 : i64, multiplier = 1073741824 : i32, exponent = 33 : i32, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  // CHECK: qnn.prelu %arg4 {{.*}} : (tensor<4xsi32>) -> tensor<4xsi8>
  %8 = qnn.prelu %s {x_zp = 0 : i64, multiplier = dense<1073741824> : tensor<i32>, exponent = dense<40> : tensor<i32>, negative_multiplier = dense<-5> : tensor<i32>, negative_exponent = dense<33> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: -128, 127>, rounding = #qnn.rounding<half_even>} : (tensor<4xsi32>) -> tensor<4xsi8>
  return
}

// Channels last: the weights are the same.
// CHECK-LABEL: @channels_last
func.func @channels_last(%x: tensor<2x5x2xf32>, %w: tensor<4x1x2xf32>) -> tensor<2x3x4xf32> {
  // CHECK: qnn.conv %{{.*}}, %{{.*}} {channels_last, group = 2 : i64} : (tensor<2x5x2xf32>, tensor<4x1x2xf32>) -> tensor<2x4x4xf32>
  %0 = qnn.conv %x, %w {channels_last, group = 2 : i64} : (tensor<2x5x2xf32>, tensor<4x1x2xf32>) -> tensor<2x4x4xf32>
  // CHECK: qnn.max_pool %{{.*}} {channels_last, kernel = array<i64: 1>}
  %1 = qnn.max_pool %0 {channels_last, kernel = array<i64: 1>} : (tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
  // CHECK: qnn.avg_pool %{{.*}} {channels_last, kernel = array<i64: 2>}
  %2 = qnn.avg_pool %1 {channels_last, kernel = array<i64: 2>} : (tensor<2x4x4xf32>) -> tensor<2x3x4xf32>
  return %2 : tensor<2x3x4xf32>
}
