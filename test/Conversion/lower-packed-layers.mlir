// RUN: quant-opt %s --quant-lower-packed-layers -split-input-file | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK: memref.extract_aligned_pointer_as_index
// CHECK: llvm.call @main_packed_0(%{{.*}}) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr) -> ()
// CHECK: llvm.func internal @main_packed_0(%{{.*}}: !llvm.ptr {llvm.noalias}
// The tile has 3 positions; 6 vectors of sums are carried.
// CHECK: scf.for {{.*}} iter_args(%{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}) -> (vector<8xi32>
// CHECK-COUNT-4: llvm.x86.avx2.pmadd.ub.sw
// CHECK: llvm.x86.avx2.pmadd.wd
func.func @main(%x: memref<1x1x3x4xi8>, %w: memref<64xi8>, %o: memref<1xi32>, %p: memref<1x3xi32>, %c: memref<3x16xi32>, %y: memref<1x1x3x16xi8>) {
  qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%y) {clamp = array<i64: 0, 255>, dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<requantize>, group_sizes = array<i64: 4>, groups = 1 : i64, high_halves, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (memref<1x1x3x4xi8>, memref<64xi8>, memref<1xi32>, memref<1x3xi32>, memref<3x16xi32>, memref<1x1x3x16xi8>) -> ()
  return
}

// -----

// A part of a larger buffer: the address has the offset. No group sums without maddubs.
// CHECK-LABEL: func.func @main
// CHECK: arith.constant 16 : i64
// CHECK: llvm.func internal @main_packed_0
// CHECK-COUNT-6: llvm.x86.avx512.vpdpbusd.256
// CHECK-NOT: vpdpbusd
func.func @main(%x: memref<1x1x3x4xi8>, %w: memref<64xi8>, %o: memref<1xi32>, %p: memref<1x3xi32>, %c: memref<3x16xi32>, %y: memref<1x1x3x16xi8, strided<[96, 96, 32, 1], offset: 16>>) {
  qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%y) {clamp = array<i64: 0, 255>, dot = #qnn.dot<dpbusd>, epilogue = #qnn.epilogue<requantize>, group_sizes = array<i64: 1>, groups = 1 : i64, high_halves, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (memref<1x1x3x4xi8>, memref<64xi8>, memref<1xi32>, memref<1x3xi32>, memref<3x16xi32>, memref<1x1x3x16xi8, strided<[96, 96, 32, 1], offset: 16>>) -> ()
  return
}
