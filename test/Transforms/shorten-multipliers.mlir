// RUN: quant-opt %s --quant-shorten-multipliers -split-input-file | FileCheck %s
// RUN: quant-opt %s --quant-shorten-multipliers --quant-lower-to-integer -split-input-file | FileCheck %s --check-prefix=INT

!x = !quant.uniform<u8:f32, 0.2:10>
!w = !quant.uniform<i8<-127:127>:f32:0, {0.01, 0.1}>
!y = !quant.uniform<u8:f32, 0.03:3>

// M = 0.2 * 0.01 / 0.03 = 2184.5 / 2^15 becomes 2185 / 2^15, and 0.66667 becomes 2731 / 2^12. Numbers of weights stay.
// CHECK-LABEL: @conv
// CHECK: arith.constant dense<{{\[\[\[}}1], [2]], {{\[\[}}3], [-4]]]> : tensor<2x2x1xi8>
// CHECK: quant.scast %{{.*}} : tensor<2x2x1xi8> to tensor<2x2x1x!quant.uniform<i8<-127:127>:f32:0, {0.0100021{{[0-9]*}},0.1000122{{[0-9]*}}}>>
// CHECK: qnn.conv {{.*}} -> tensor<1x2x4x!quant.uniform<u8:f32, 3.000000e-02:3>>
// 2185 * 2^19 and 2731 * 2^19.
// INT-LABEL: @conv
// INT: qnn.requantize {{.*}} exponent = dense<{{\[\[}}34], [31]]> : tensor<2x1xi32>, id = "c", multiplier = dense<{{\[\[}}1145569280], [1431830528]]>
func.func @conv(%x: tensor<1x2x4x!x> {qnn.name = "x"}) -> (tensor<1x2x4x!y> {qnn.name = "y"}) {
  %c = arith.constant dense<[[[1], [2]], [[3], [-4]]]> : tensor<2x2x1xi8>
  %w = quant.scast %c : tensor<2x2x1xi8> to tensor<2x2x1x!w>
  %b = arith.constant dense<[1.0, 1.0]> : tensor<2xf32>
  %y = qnn.conv %x, %w, %b {id = "c"} : (tensor<1x2x4x!x>, tensor<2x2x1x!w>, tensor<2xf32>) -> tensor<1x2x4x!y>
  return %y : tensor<1x2x4x!y>
}

// -----

!x = !quant.uniform<u8:f32, 0.2:0>
!w = !quant.uniform<i8<-127:127>:f32:1, {0.01, 0.1}>
!y = !quant.uniform<u8:f32, 3.3:3>

// Sums of 300 products of 255 * 127 leave 7 bits, fewer than the 9 that 8 bits of output need: nothing moves.
// CHECK-LABEL: @long
// CHECK: quant.scast {{.*}} to tensor<300x2x!quant.uniform<i8<-127:127>:f32:1, {1.000000e-02,1.000000e-01}>>
func.func @long(%x: tensor<1x300x!x> {qnn.name = "x"}) -> (tensor<1x2x!y> {qnn.name = "y"}) {
  %c = arith.constant dense<127> : tensor<300x2xi8>
  %w = quant.scast %c : tensor<300x2xi8> to tensor<300x2x!w>
  %y = qnn.matmul %x, %w {id = "m"} : (tensor<1x300x!x>, tensor<300x2x!w>) -> tensor<1x2x!y>
  return %y : tensor<1x2x!y>
}

// -----

!x = !quant.uniform<u8:f32, 0.2:0>
!w = !quant.uniform<i8<-127:127>:f32:1, {0.01, 0.1}>
!y = !quant.uniform<u4:f32, 3.3:3>

// Outputs of 4 bits need 5, which there are.
// CHECK-LABEL: @narrow
// CHECK: quant.scast
// CHECK-NOT: 1.000000e-02
// CHECK: qnn.matmul
func.func @narrow(%x: tensor<1x300x!x> {qnn.name = "x"}) -> (tensor<1x2x!y> {qnn.name = "y"}) {
  %c = arith.constant dense<127> : tensor<300x2xi8>
  %w = quant.scast %c : tensor<300x2xi8> to tensor<300x2x!w>
  %y = qnn.matmul %x, %w {id = "m"} : (tensor<1x300x!x>, tensor<300x2x!w>) -> tensor<1x2x!y>
  return %y : tensor<1x2x!y>
}

// -----

!x = !quant.uniform<u8:f32, 0.2:0>
!w = !quant.uniform<i8<-127:127>:f32:1, {0.01, 0.1}>
!a = !quant.uniform<i32:f32:1, {0.002, 0.02}>
!y = !quant.uniform<u8:f32, 0.24998474:3>

// The other operand's ratio is as near to 3277 / 2^12 as scales are known; the accumulator's type follows the weights'.
// CHECK-LABEL: @sum
// CHECK: quant.scast {{.*}} to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.00999866{{[0-9]*}},0.1000152{{[0-9]*}}}>>
// CHECK: qnn.matmul {{.*}} -> tensor<1x2x!quant.uniform<i32:f32:1, {0.00199973{{[0-9]*}},0.0200030{{[0-9]*}}}>>
// INT-LABEL: @sum
// INT: qnn.add {{.*}}a_multiplier = dense<[17178624, 171835392]>{{.*}}b_multiplier = dense<1718091776>
func.func @sum(%x: tensor<1x2x!x> {qnn.name = "x"}) -> (tensor<1x2x!y> {qnn.name = "y"}) {
  %c = arith.constant dense<[[1, 2], [3, -4]]> : tensor<2x2xi8>
  %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!w>
  %m = qnn.matmul %x, %w {id = "m"} : (tensor<1x2x!x>, tensor<2x2x!w>) -> tensor<1x2x!a>
  %y = qnn.add %m, %x {id = "s"} : (tensor<1x2x!a>, tensor<1x2x!x>) -> tensor<1x2x!y>
  return %y : tensor<1x2x!y>
}

// -----

!x = !quant.uniform<i16:f32, 0.2>
!w = !quant.uniform<i8<-127:127>:f32:1, {0.01, 0.1}>
!y = !quant.uniform<u8:f32, 0.03:3>

// CHECK-LABEL: @wide
// CHECK: {1.000000e-02,1.000000e-01}
func.func @wide(%x: tensor<1x2x!x> {qnn.name = "x"}) -> (tensor<1x2x!y> {qnn.name = "y"}) {
  %c = arith.constant dense<[[1, 2], [3, -4]]> : tensor<2x2xi8>
  %w = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!w>
  %y = qnn.matmul %x, %w {id = "m"} : (tensor<1x2x!x>, tensor<2x2x!w>) -> tensor<1x2x!y>
  return %y : tensor<1x2x!y>
}
