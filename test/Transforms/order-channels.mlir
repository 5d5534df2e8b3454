// RUN: quant-opt %s --quant-order-channels=byte-dot=maddubs -split-input-file | FileCheck %s
// RUN: quant-opt %s --quant-order-channels=byte-dot=dpbusd -split-input-file | FileCheck %s --check-prefix=SAME
// RUN: quant-opt %s --quant-order-channels -split-input-file | FileCheck %s --check-prefix=SAME

// Odd channels overflow, so they come together: biases, multipliers, the weights of a depthwise layer behind a pool and
// those of the reader follow.
// CHECK-LABEL: @chain
// CHECK{LITERAL}: [[1]], [[1]], [[1]], [[1]]], [[[1]], [[1]], [[1]], [[1]]], [[[1]], [[1]], [[1]], [[1]]], [[[1]], [[1]], [[1]], [[1]]], [[[1]], [[1]], [[1]], [[1]]], [[[1]], [[1]], [[1]], [[1]]], [[[1]], [[1]], [[1]], [[1]]], [[[1]], [[1]], [[1]], [[1]]], [[[100]], [[100]], [[1]], [[1]]], [[[100]], [[100]], [[1]], [[1]]], [[[100]], [[100]], [[1]], [[1]]], [[[100]], [[100]], [[1]], [[1]]], [[[100]], [[100]], [[1]], [[1]]], [[[100]], [[100]], [[1]], [[1]]], [[[100]], [[100]], [[1]], [[1]]], [[[100]], [[100]], [[1]], [[1]]]]> : tensor<16x4x1x1xsi8>
// CHECK: arith.constant dense<[0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15]> : tensor<16xsi32>
// CHECK: qnn.requantize {{.*}}multiplier = dense<[1073741824, 1073741826, 1073741828, 1073741830, 1073741832, 1073741834, 1073741836, 1073741838, 1073741825, 1073741827, 1073741829, 1073741831, 1073741833, 1073741835, 1073741837, 1073741839]>
// CHECK{LITERAL}: [[0]]], [[[2]]], [[[4]]], [[[6]]], [[[8]]], [[[10]]], [[[12]]], [[[14]]], [[[1]]], [[[3]]], [[[5]]], [[[7]]], [[[9]]], [[[11]]], [[[13]]], [[[15]]]]> : tensor<16x1x1x1xsi8>
// CHECK: qnn.conv {{.*}}group = 16
// CHECK{LITERAL}: [[0]], [[0]], [[0]], [[0]], [[0]], [[0]], [[0]], [[0]], [[0]], [[0]], [[0]], [[0]], [[0]], [[0]], [[0]], [[0]]], [[[0]], [[2]], [[4]], [[6]], [[8]], [[10]], [[12]], [[14]], [[1]], [[3]], [[5]], [[7]], [[9]], [[11]], [[13]], [[15]]]]> : tensor<2x16x1x1xsi8>
// CHECK: qnn.conv {{.*}}id = "last"
// SAME-LABEL: @chain
// SAME: arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]> : tensor<16xsi32>
func.func @chain(%x: tensor<1x2x2x4xui8>) -> tensor<1x2x2x2xsi32> {
  %w = arith.constant dense<"0x01010101646401010101010164640101010101016464010101010101646401010101010164640101010101016464010101010101646401010101010164640101"> : tensor<16x4x1x1xsi8>
  %b = arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]> : tensor<16xsi32>
  %a = qnn.conv %x, %w, %b {channels_last, id = "first", x_zp = 0 : i64} : (tensor<1x2x2x4xui8>, tensor<16x4x1x1xsi8>, tensor<16xsi32>) -> tensor<1x2x2x16xsi32>
  %y = qnn.requantize %a {id = "first", multiplier = dense<[1073741824, 1073741825, 1073741826, 1073741827, 1073741828, 1073741829, 1073741830, 1073741831, 1073741832, 1073741833, 1073741834, 1073741835, 1073741836, 1073741837, 1073741838, 1073741839]> : tensor<16xi32>, exponent = dense<40> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<1x2x2x16xsi32>) -> tensor<1x2x2x16xui8>
  %p = qnn.max_pool %y {channels_last, kernel = array<i64: 1, 1>} : (tensor<1x2x2x16xui8>) -> tensor<1x2x2x16xui8>
  %v = arith.constant dense<"0x000102030405060708090A0B0C0D0E0F"> : tensor<16x1x1x1xsi8>
  %d = qnn.conv %p, %v {channels_last, group = 16 : i64, id = "depthwise", x_zp = 0 : i64} : (tensor<1x2x2x16xui8>, tensor<16x1x1x1xsi8>) -> tensor<1x2x2x16xsi32>
  %e = qnn.requantize %d {id = "depthwise", multiplier = dense<1073741824> : tensor<i32>, exponent = dense<40> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<1x2x2x16xsi32>) -> tensor<1x2x2x16xui8>
  %u = arith.constant dense<"0x00000000000000000000000000000000000102030405060708090A0B0C0D0E0F"> : tensor<2x16x1x1xsi8>
  %l = qnn.conv %e, %u {channels_last, id = "last", x_zp = 0 : i64} : (tensor<1x2x2x16xui8>, tensor<2x16x1x1xsi8>) -> tensor<1x2x2x2xsi32>
  return %l : tensor<1x2x2x2xsi32>
}

// -----

// Of a concatenation every part has its own order; what is no layer's keeps it. A matmul reads columns.
// CHECK-LABEL: @concat
// CHECK: [-2], [-1], [0], [2], [4], [6], [8], [10], [12], [14], [1], [3], [5], [7], [9], [11], [13], [15]]> : tensor<18x1xsi8>
// CHECK: qnn.matmul
func.func @concat(%x: tensor<1x2x2x4xui8>, %z: tensor<1x2x2x2xui8>) -> tensor<1x2x2x1xsi32> {
  %w = arith.constant dense<"0x01010101646401010101010164640101010101016464010101010101646401010101010164640101010101016464010101010101646401010101010164640101"> : tensor<16x4x1x1xsi8>
  %a = qnn.conv %x, %w {channels_last, id = "first", x_zp = 0 : i64} : (tensor<1x2x2x4xui8>, tensor<16x4x1x1xsi8>) -> tensor<1x2x2x16xsi32>
  %y = qnn.requantize %a {id = "first", multiplier = dense<1073741824> : tensor<i32>, exponent = dense<40> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<1x2x2x16xsi32>) -> tensor<1x2x2x16xui8>
  %c = qnn.concat %z, %y {axis = 3 : i64} : (tensor<1x2x2x2xui8>, tensor<1x2x2x16xui8>) -> tensor<1x2x2x18xui8>
  %u = arith.constant dense<"0xFEFF000102030405060708090A0B0C0D0E0F"> : tensor<18x1xsi8>
  %l = qnn.matmul %c, %u {id = "last", x_zp = 0 : i64} : (tensor<1x2x2x18xui8>, tensor<18x1xsi8>) -> tensor<1x2x2x1xsi32>
  return %l : tensor<1x2x2x1xsi32>
}

// -----

// What is added has one order: that of the first layer, where odd channels overflow.
// CHECK-LABEL: @residual
// CHECK: qnn.requantize
// CHECK: arith.constant dense<[0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15]> : tensor<16xsi32>
// CHECK: qnn.add {{.*}}a_multiplier = dense<[1073741824, 1073741826, 1073741828, 1073741830, 1073741832, 1073741834, 1073741836, 1073741838, 1073741825, 1073741827, 1073741829, 1073741831, 1073741833, 1073741835, 1073741837, 1073741839]>
// CHECK{LITERAL}: [[0]], [[2]], [[4]], [[6]], [[8]], [[10]], [[12]], [[14]], [[1]], [[3]], [[5]], [[7]], [[9]], [[11]], [[13]], [[15]]]]> : tensor<1x16x1x1xsi8>
func.func @residual(%x: tensor<1x2x2x4xui8>) -> tensor<1x2x2x1xsi32> {
  %w = arith.constant dense<"0x01010101646401010101010164640101010101016464010101010101646401010101010164640101010101016464010101010101646401010101010164640101"> : tensor<16x4x1x1xsi8>
  %a = qnn.conv %x, %w {channels_last, id = "first", x_zp = 0 : i64} : (tensor<1x2x2x4xui8>, tensor<16x4x1x1xsi8>) -> tensor<1x2x2x16xsi32>
  %y = qnn.requantize %a {id = "first", multiplier = dense<1073741824> : tensor<i32>, exponent = dense<40> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<1x2x2x16xsi32>) -> tensor<1x2x2x16xui8>
  %v = arith.constant dense<1> : tensor<16x16x1x1xsi8>
  %b = arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]> : tensor<16xsi32>
  %c = qnn.conv %y, %v, %b {channels_last, id = "second", x_zp = 0 : i64} : (tensor<1x2x2x16xui8>, tensor<16x16x1x1xsi8>, tensor<16xsi32>) -> tensor<1x2x2x16xsi32>
  %s = qnn.add %c, %y {id = "sum", a_zp = 0 : i64, b_zp = 0 : i64, a_multiplier = dense<[1073741824, 1073741825, 1073741826, 1073741827, 1073741828, 1073741829, 1073741830, 1073741831, 1073741832, 1073741833, 1073741834, 1073741835, 1073741836, 1073741837, 1073741838, 1073741839]> : tensor<16xi32>, b_multiplier = dense<1073741824> : tensor<i32>, exponent = dense<40> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<1x2x2x16xsi32>, tensor<1x2x2x16xui8>) -> tensor<1x2x2x16xui8>
  %u = arith.constant dense<"0x000102030405060708090A0B0C0D0E0F"> : tensor<1x16x1x1xsi8>
  %l = qnn.conv %s, %u {channels_last, id = "last", x_zp = 0 : i64} : (tensor<1x2x2x16xui8>, tensor<1x16x1x1xsi8>) -> tensor<1x2x2x1xsi32>
  return %l : tensor<1x2x2x1xsi32>
}

// -----

// A value that is returned keeps its order, and so does one that is added to an argument.
// CHECK-LABEL: @fixed
// CHECK: arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]> : tensor<16xsi32>
// CHECK: arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]> : tensor<16xsi32>
// CHECK: qnn.add
func.func @fixed(%x: tensor<1x2x2x4xui8>, %z: tensor<1x2x2x16xui8>) -> (tensor<1x2x2x16xui8>, tensor<1x2x2x1xsi32>) {
  %w = arith.constant dense<"0x01010101646401010101010164640101010101016464010101010101646401010101010164640101010101016464010101010101646401010101010164640101"> : tensor<16x4x1x1xsi8>
  %b = arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]> : tensor<16xsi32>
  %a = qnn.conv %x, %w, %b {channels_last, id = "returned", x_zp = 0 : i64} : (tensor<1x2x2x4xui8>, tensor<16x4x1x1xsi8>, tensor<16xsi32>) -> tensor<1x2x2x16xsi32>
  %y = qnn.requantize %a {id = "returned", multiplier = dense<1073741824> : tensor<i32>, exponent = dense<40> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<1x2x2x16xsi32>) -> tensor<1x2x2x16xui8>
  %b2 = arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]> : tensor<16xsi32>
  %c = qnn.conv %x, %w, %b2 {channels_last, id = "added", x_zp = 0 : i64} : (tensor<1x2x2x4xui8>, tensor<16x4x1x1xsi8>, tensor<16xsi32>) -> tensor<1x2x2x16xsi32>
  %s = qnn.add %c, %z {id = "sum", a_zp = 0 : i64, b_zp = 0 : i64, a_multiplier = dense<1073741824> : tensor<i32>, b_multiplier = dense<1073741824> : tensor<i32>, exponent = dense<40> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<1x2x2x16xsi32>, tensor<1x2x2x16xui8>) -> tensor<1x2x2x16xui8>
  %u = arith.constant dense<1> : tensor<1x16x1x1xsi8>
  %l = qnn.conv %s, %u {channels_last, id = "last", x_zp = 0 : i64} : (tensor<1x2x2x16xui8>, tensor<1x16x1x1xsi8>) -> tensor<1x2x2x1xsi32>
  return %y, %l : tensor<1x2x2x16xui8>, tensor<1x2x2x1xsi32>
}

// -----

// Values without dimensions have no channels.
// CHECK-LABEL: @scalar
// CHECK: qnn.reshape
// CHECK: qnn.add
func.func @scalar(%x: tensor<1xui8>, %z: tensor<ui8>) -> tensor<ui8> {
  %y = qnn.reshape %x : (tensor<1xui8>) -> tensor<ui8>
  %s = qnn.add %y, %z {id = "sum", a_zp = 0 : i64, b_zp = 0 : i64, a_multiplier = dense<1073741824> : tensor<i32>, b_multiplier = dense<1073741824> : tensor<i32>, exponent = dense<40> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<ui8>, tensor<ui8>) -> tensor<ui8>
  return %s : tensor<ui8>
}
