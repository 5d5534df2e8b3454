// RUN: quant-opt %s --quant-lower-to-llvm -split-input-file | FileCheck %s

// One value, two results: two buffers, both written.
// CHECK: llvm.func @twice(%arg0: !llvm.ptr{{[^)]*}}, %arg1: !llvm.ptr{{[^)]*}}, %arg2: !llvm.ptr{{[^)]*}}, %arg3: !llvm.ptr{{[^)]*}})
// CHECK: llvm.call @twice_kernel_0
// CHECK: llvm.call @twice_kernel_1
func.func @twice(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %y = qnn.relu %x : tensor<1x2xf32>
  return %y, %y : tensor<1x2xf32>, tensor<1x2xf32>
}
