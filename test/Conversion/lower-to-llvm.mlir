// RUN: quant-opt %s --quant-lower-to-llvm | FileCheck %s

// One pointer an input, one a result, the workspace, the team; no call but of its own kernels.
// CHECK: llvm.func @main(%arg0: !llvm.ptr{{.*}}, %arg1: !llvm.ptr{{.*}}, %arg2: !llvm.ptr{{.*}}, %arg3: !llvm.ptr) attributes {dyadic.live_set = {{[0-9]+}} : i64, dyadic.useful_threads = 1 : i64, dyadic.workspace = {{[0-9]+}} : i64}
// CHECK: llvm.call @main_kernel_0
// CHECK: llvm.func internal @main_kernel_0(%arg0: !llvm.ptr {llvm.noalias}
// CHECK-NOT: llvm.func @{{[a-z]+}}({{.*}}) attributes {sym_visibility
func.func @main(%x: tensor<1x4xf32> {qnn.name = "x"}) -> (tensor<1x4xf32> {qnn.name = "y"}) attributes {qnn.batch} {
  %q = qnn.quantize %x {scale = 1.0 : f32, zero_point = 0 : i64, clamp = array<i64: 0, 255>} : (tensor<1x4xf32>) -> tensor<1x4xui8>
  %w = arith.constant dense<1> : tensor<4x4xsi8>
  %y = qnn.matmul %q, %w {x_zp = 0 : i64} : (tensor<1x4xui8>, tensor<4x4xsi8>) -> tensor<1x4xsi32>
  %d = qnn.dequantize %y {scale = dense<1.0> : tensor<f32>} : (tensor<1x4xsi32>) -> tensor<1x4xf32>
  return %d : tensor<1x4xf32>
}
