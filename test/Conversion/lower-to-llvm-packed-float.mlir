// RUN: quant-opt %s --quant-lower-to-llvm="float-lanes=8" | FileCheck %s
// RUN: quant-opt %s --quant-lower-to-llvm | FileCheck %s --check-prefix=LOOPS
// RUN: quant-opt %s --quant-lower-to-llvm="float-lanes=4 expand-multiply-adds" | FileCheck %s --check-prefix=PLAIN

// The whole way: in vectors, in loops, and for a target that has no fused multiply-add. A window of three dimensions is
// a loop everywhere.
// CHECK: llvm.call @main_packed_0
// CHECK-DAG: llvm.intr.fma({{.*}}) : (f32, f32, f32) -> f32
// CHECK-DAG: llvm.intr.fma({{.*}}) : (vector<8xf32>, vector<8xf32>, vector<8xf32>) -> vector<8xf32>
// CHECK-NOT: qnn.
// LOOPS-NOT: packed
// LOOPS: llvm.intr.fma({{.*}}) : (f32, f32, f32) -> f32
// LOOPS-NOT: packed
// PLAIN-NOT: llvm.intr.fma
// PLAIN: llvm.fmul {{.*}} : vector<4xf64>
// PLAIN-NOT: llvm.intr.fma
// PLAIN: llvm.fmul {{.*}} : f64
// PLAIN-NOT: llvm.intr.fma
func.func @main(%x: tensor<1x4x4x4x4xf32> {qnn.name = "x"}) -> (tensor<1x16x4x16xf32> {qnn.name = "y"}) {
  %v = arith.constant dense<2.0> : tensor<4x4x1x1x1xf32>
  %a = qnn.conv %x, %v {id = "a"} : (tensor<1x4x4x4x4xf32>, tensor<4x4x1x1x1xf32>) -> tensor<1x4x4x4x4xf32>
  %r = qnn.reshape %a : (tensor<1x4x4x4x4xf32>) -> tensor<1x4x4x16xf32>
  %w = arith.constant dense<3.0> : tensor<16x4x3x3xf32>
  %b = arith.constant dense<5.0> : tensor<16xf32>
  %y = qnn.conv %r, %w, %b {id = "c", pads = array<i64: 1, 1, 1, 1>}
      : (tensor<1x4x4x16xf32>, tensor<16x4x3x3xf32>, tensor<16xf32>) -> tensor<1x16x4x16xf32>
  return %y : tensor<1x16x4x16xf32>
}
