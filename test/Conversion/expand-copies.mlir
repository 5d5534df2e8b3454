// RUN: quant-opt %s --quant-expand-copies | FileCheck %s

// CHECK-LABEL: @copy
// CHECK-NOT: memref.copy
// CHECK: linalg.generic
func.func @copy(%a: memref<4x4xi8, strided<[8, 1]>>, %b: memref<4x4xi8>) {
  memref.copy %a, %b : memref<4x4xi8, strided<[8, 1]>> to memref<4x4xi8>
  return
}
