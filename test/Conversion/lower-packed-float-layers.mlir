// RUN: quant-opt %s --quant-lower-packed-layers -split-input-file | FileCheck %s

// The tile has 3 positions of 2 vectors each; four elements of the run make a turn, the fifth comes after the loop.
// CHECK-LABEL: func.func @main
// CHECK: llvm.call @main_packed_0(%{{.*}}) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr) -> ()
// CHECK: llvm.func internal @main_packed_0(%{{.*}}: !llvm.ptr {llvm.noalias}
// CHECK: scf.for {{.*}} iter_args(%{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}) -> (vector<8xf32>
// CHECK-COUNT-24: llvm.intr.fma
// CHECK: scf.yield
// CHECK-COUNT-6: llvm.intr.fma
// CHECK-NOT: llvm.intr.fma
// CHECK: llvm.intr.maximum
// CHECK: llvm.intr.minimum
// CHECK: llvm.store {{.*}} : vector<8xf32>
// CHECK: llvm.return
func.func @main(%x: memref<1x1x3x9xf32>, %w: memref<144xf32>, %b: memref<16xf32>, %y: memref<1x1x3x16xf32>) {
  qnn.packed_float_conv ins(%x, %w, %b) outs(%y) {groups = 1 : i64, high = 6.0 : f32, lanes = 8 : i64, line = 27 : i64, low = 0.0 : f32, pixel = 9 : i64, rows = 6 : i64, run = 9 : i64, tap_line = 27 : i64, tap_pixel = 9 : i64, taps = array<i64: 1, 1>} : (memref<1x1x3x9xf32>, memref<144xf32>, memref<16xf32>, memref<1x1x3x16xf32>) -> ()
  return
}

// -----

// Three channels: one vector of them, of which three numbers are stored. Sums without bounds are stored as they are;
// the residual is added to them.
// CHECK-LABEL: func.func @few
// CHECK: llvm.func internal @few_packed_0
// CHECK-COUNT-3: llvm.intr.fma
// CHECK-NOT: llvm.intr.fma
// CHECK-NOT: imum
// CHECK: llvm.fadd
// CHECK: llvm.store {{.*}} : vector<2xf32>
// CHECK: llvm.store {{.*}} : vector<1xf32>
// CHECK-NOT: vector<8xf32>, !llvm.ptr
// CHECK: llvm.return
func.func @few(%x: memref<1x1x1x3xf32>, %w: memref<48xf32>, %b: memref<16xf32>, %r: memref<1x1x1x3xf32>, %y: memref<1x1x1x3xf32>) {
  qnn.packed_float_conv ins(%x, %w, %b, %r) outs(%y) {groups = 1 : i64, high = 0x7F800000 : f32, lanes = 8 : i64, line = 3 : i64, low = 0xFF800000 : f32, pixel = 3 : i64, rows = 6 : i64, run = 3 : i64, tap_line = 3 : i64, tap_pixel = 3 : i64, taps = array<i64: 1, 1>} : (memref<1x1x1x3xf32>, memref<48xf32>, memref<16xf32>, memref<1x1x1x3xf32>, memref<1x1x1x3xf32>) -> ()
  return
}

// -----

// A depthwise kernel is unrolled: 2 positions, 3 taps, 4 vectors of 4 channels.
// CHECK-LABEL: func.func @depthwise
// CHECK: llvm.func internal @depthwise_packed_0
// CHECK-COUNT-24: llvm.intr.fma
// CHECK-NOT: llvm.intr.fma
// CHECK: llvm.return
func.func @depthwise(%x: memref<1x1x4x16xf32>, %w: memref<48xf32>, %b: memref<16xf32>, %y: memref<1x1x2x16xf32>) {
  qnn.packed_float_depthwise ins(%x, %w, %b) outs(%y) {high = 0x7F800000 : f32, lanes = 4 : i64, line = 64 : i64, low = 0.0 : f32, pixel = 16 : i64, rows = 6 : i64, tap_line = 64 : i64, tap_pixel = 16 : i64, taps = array<i64: 1, 3>} : (memref<1x1x4x16xf32>, memref<48xf32>, memref<16xf32>, memref<1x1x2x16xf32>) -> ()
  return
}
