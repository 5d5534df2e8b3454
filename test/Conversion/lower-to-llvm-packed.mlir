// RUN: quant-opt %s --quant-lower-to-llvm="byte-dot=maddubs word-dot=maddwd" | FileCheck %s
// RUN: quant-opt %s --quant-lower-to-llvm="byte-dot=sdot word-dot=mlal emulate-dots" | FileCheck %s --check-prefix=EMULATED
// RUN: quant-opt %s --quant-lower-to-llvm | FileCheck %s --check-prefix=PLAIN

// The whole way with the instructions of a target, and without.
// CHECK: llvm.call @main_packed_0
// CHECK: llvm.func internal @main_packed_0
// CHECK: llvm.x86.avx2.pmadd.ub.sw
// CHECK-NOT: qnn.
// EMULATED: llvm.func internal @main_packed_0
// EMULATED-NOT: call_intrinsic
// PLAIN-NOT: packed
// PLAIN-NOT: qnn.
func.func @main(%x: tensor<1x4x4x4xui8> {qnn.name = "x"}) -> (tensor<1x16x4x4xui8> {qnn.name = "y"}) {
  %w = arith.constant dense<3> : tensor<16x4x3x3xsi8>
  %b = arith.constant dense<5> : tensor<16xsi32>
  %a = qnn.conv %x, %w, %b {id = "c", pads = array<i64: 1, 1, 1, 1>, x_zp = 7 : i64}
      : (tensor<1x4x4x4xui8>, tensor<16x4x3x3xsi8>, tensor<16xsi32>) -> tensor<1x16x4x4xsi32>
  %y = qnn.requantize %a {id = "c", multiplier = dense<1518500250> : tensor<i32>, exponent = dense<38> : tensor<i32>,
      zero_point = 3 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>}
      : (tensor<1x16x4x4xsi32>) -> tensor<1x16x4x4xui8>
  return %y : tensor<1x16x4x4xui8>
}
