// RUN: quant-opt %s --quant-lower-to-llvm -split-input-file | FileCheck %s --implicit-check-not=malloc --implicit-check-not=free --implicit-check-not=memcpy --implicit-check-not=memrefCopy

// Every result is a buffer of the caller's, also where two results are one value, an input
// or a constant. Nothing is allocated and no runtime is called.

// CHECK-LABEL: llvm.func @input
// CHECK-SAME: (%arg0: !llvm.ptr{{[^)]*}}, %arg1: !llvm.ptr{{[^)]*}}, %arg2: !llvm.ptr{{[^)]*}}, %arg3: !llvm.ptr) attributes {dyadic.live_set = {{[0-9]+}} : i64, dyadic.useful_threads = 1 : i64, dyadic.workspace = 0 : i64}
func.func @input(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  return %x : tensor<1x2xf32>
}

// -----

// CHECK: llvm.mlir.global {{.*}}(dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>)
// CHECK: llvm.func @constant(
func.func @constant(%x: tensor<1x2xf32>) -> tensor<2xf32> {
  %c = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  return %c : tensor<2xf32>
}

// -----

// CHECK: llvm.func @part(
// CHECK: llvm.call @part_kernel_0
func.func @part(%x: tensor<1x4xf32>) -> (tensor<1x2xf32>, tensor<4xf32>) {
  %y = qnn.relu %x : tensor<1x4xf32>
  %s = qnn.slice %y {offsets = array<i64: 0, 1>, steps = array<i64: 1, 2>} : (tensor<1x4xf32>) -> tensor<1x2xf32>
  %r = qnn.reshape %y : (tensor<1x4xf32>) -> tensor<4xf32>
  return %s, %r : tensor<1x2xf32>, tensor<4xf32>
}

// -----

// CHECK: llvm.func @nothing(%arg0: !llvm.ptr{{[^)]*}}, %arg1: !llvm.ptr) attributes {dyadic.live_set = {{[0-9]+}} : i64, dyadic.useful_threads = 1 : i64, dyadic.workspace = 0 : i64}
func.func @nothing() {
  return
}
