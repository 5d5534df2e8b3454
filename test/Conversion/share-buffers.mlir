// RUN: quant-opt %s --quant-share-buffers -split-input-file | FileCheck %s
// RUN: quant-opt %s --quant-share-buffers --quant-plan-memory --quant-outline-kernels -split-input-file | FileCheck %s --check-prefix=KERNEL

#identity = affine_map<(d0) -> (d0)>

// The last reader of %a writes into it, and the reader of that result again, through a view of another shape;
// as one argument of the kernel, LLVM sees that reading and writing are in the same place. A caller's buffer stays.
// CHECK-LABEL: @chain
// CHECK-SAME: (%[[IN:.*]]: memref<64xi8>, %[[OUT:.*]]: memref<64xi8>)
// CHECK: %[[A:.*]] = memref.alloc() : memref<64xi8>
// CHECK-NOT: memref.alloc
// CHECK: linalg.generic {{.*}} ins(%[[IN]] : memref<64xi8>) outs(%[[A]] : memref<64xi8>)
// CHECK: linalg.generic {{.*}} ins(%[[A]] : memref<64xi8>) outs(%[[A]] : memref<64xi8>)
// CHECK: %[[V:.*]] = memref.expand_shape %[[A]]
// CHECK: %[[W:.*]] = memref.collapse_shape %[[V]]
// CHECK: linalg.generic {{.*}} ins(%[[W]] : memref<64xi8>) outs(%[[OUT]] : memref<64xi8>)
// KERNEL: func.func @chain{{.*}}dyadic.live_set = 64 : i64, dyadic.workspace = 64 : i64
// KERNEL: func.func private @chain_kernel_1(%arg0: memref<64xi8> {llvm.noalias}) attributes
func.func @chain(%in: memref<64xi8>, %out: memref<64xi8>) {
  %a = memref.alloc() : memref<64xi8>
  linalg.generic {indexing_maps = [#identity, #identity], iterator_types = ["parallel"]} ins(%in : memref<64xi8>) outs(%a : memref<64xi8>) {
  ^bb0(%x: i8, %y: i8):
    linalg.yield %x : i8
  }
  %b = memref.alloc() : memref<64xi8>
  linalg.generic {indexing_maps = [#identity, #identity], iterator_types = ["parallel"]} ins(%a : memref<64xi8>) outs(%b : memref<64xi8>) {
  ^bb0(%x: i8, %y: i8):
    %z = arith.addi %x, %x : i8
    linalg.yield %z : i8
  }
  %v = memref.expand_shape %b [[0, 1]] output_shape [8, 8] : memref<64xi8> into memref<8x8xi8>
  %w = memref.collapse_shape %v [[0, 1]] : memref<8x8xi8> into memref<64xi8>
  linalg.generic {indexing_maps = [#identity, #identity], iterator_types = ["parallel"]} ins(%w : memref<64xi8>) outs(%out : memref<64xi8>) {
  ^bb0(%x: i8, %y: i8):
    linalg.yield %x : i8
  }
  return
}

// -----

#identity = affine_map<(d0) -> (d0)>
#reverse = affine_map<(d0) -> (63 - d0)>

// Not in place: an operand that is read once more, one that is read in another order, one of another width.
// CHECK-LABEL: @apart
// CHECK-COUNT-4: memref.alloc
// CHECK: return
func.func @apart(%out: memref<64xi8>) {
  %c = arith.constant 1 : i8
  %a = memref.alloc() : memref<64xi8>
  %b = memref.alloc() : memref<64xi8>
  %d = memref.alloc() : memref<64xi8>
  %e = memref.alloc() : memref<64xi32>
  linalg.fill ins(%c : i8) outs(%a : memref<64xi8>)
  linalg.generic {indexing_maps = [#identity, #identity], iterator_types = ["parallel"]} ins(%a : memref<64xi8>) outs(%b : memref<64xi8>) {
  ^bb0(%x: i8, %y: i8):
    linalg.yield %x : i8
  }
  linalg.generic {indexing_maps = [#identity, #reverse, #identity], iterator_types = ["parallel"]} ins(%b, %b : memref<64xi8>, memref<64xi8>) outs(%d : memref<64xi8>) {
  ^bb0(%x: i8, %y: i8, %z: i8):
    %s = arith.addi %x, %y : i8
    linalg.yield %s : i8
  }
  linalg.generic {indexing_maps = [#identity, #identity], iterator_types = ["parallel"]} ins(%d : memref<64xi8>) outs(%e : memref<64xi32>) {
  ^bb0(%x: i8, %y: i32):
    %s = arith.extsi %x : i8 to i32
    linalg.yield %s : i32
  }
  linalg.generic {indexing_maps = [#identity, #identity, #identity], iterator_types = ["parallel"]} ins(%a, %e : memref<64xi8>, memref<64xi32>) outs(%out : memref<64xi8>) {
  ^bb0(%x: i8, %y: i32, %z: i8):
    %t = arith.trunci %y : i32 to i8
    %s = arith.addi %x, %t : i8
    linalg.yield %s : i8
  }
  return
}

// -----

// A packed layer adds its residual in place; its input it reads again and again. The kernel may then not assume
// that the two are apart.
// CHECK-LABEL: @residual
// CHECK: %[[X:.*]] = memref.alloc() : memref<1x1x4x16xi8>
// CHECK: %[[R:.*]] = memref.alloc() : memref<1x1x4x16xi8>
// CHECK-NOT: memref.alloc
// CHECK: qnn.packed_depthwise ins(%[[X]], {{.*}}, {{.*}}, %[[R]]) outs(%[[R]])
// KERNEL: func.func @residual{{.*}}dyadic.live_set = 128 : i64
func.func @residual(%w: memref<32xi16>, %c: memref<4x16xi32>, %out: memref<1x1x4x16xi8>) {
  %zero = arith.constant 0 : i8
  %x = memref.alloc() : memref<1x1x4x16xi8>
  %r = memref.alloc() : memref<1x1x4x16xi8>
  %y = memref.alloc() : memref<1x1x4x16xi8>
  linalg.fill ins(%zero : i8) outs(%x : memref<1x1x4x16xi8>)
  linalg.fill ins(%zero : i8) outs(%r : memref<1x1x4x16xi8>)
  qnn.packed_depthwise ins(%x, %w, %c, %r) outs(%y) {clamp = array<i64: 0, 255>, dot = #qnn.dot<maddwd>, epilogue = #qnn.epilogue<add>, high_halves, input_unsigned, line = 64 : i64, offsets = array<i64: 0, -1>, pixel = 16 : i64} : (memref<1x1x4x16xi8>, memref<32xi16>, memref<4x16xi32>, memref<1x1x4x16xi8>, memref<1x1x4x16xi8>) -> ()
  memref.copy %y, %out : memref<1x1x4x16xi8> to memref<1x1x4x16xi8>
  return
}

// -----

// Winograd's tiles have a line and a column beyond odd edges, which are written before what belongs there: no residual
// may lie there.
// CHECK-LABEL: func.func @odd
// CHECK-COUNT-3: memref.alloc
// CHECK-LABEL: func.func @even
// CHECK-COUNT-2: memref.alloc
// CHECK-NOT: memref.alloc
func.func @odd(%v: memref<1x2x2x256xui8>, %w: memref<2304xi8>, %o: memref<4xi16>, %p: memref<16x3xi32>, %c: memref<4x16xi32>, %k: memref<4x16xi32>, %x: memref<1x3x3x16xui8>, %y: memref<1x3x3x16xui8>) {
  %v1 = memref.alloc() : memref<1x2x2x256xui8>
  %r = memref.alloc() : memref<1x3x3x16xui8>
  %z = memref.alloc() : memref<1x3x3x16xui8>
  memref.copy %v, %v1 : memref<1x2x2x256xui8> to memref<1x2x2x256xui8>
  memref.copy %x, %r : memref<1x3x3x16xui8> to memref<1x3x3x16xui8>
  qnn.packed_winograd ins(%v1, %w, %o, %p, %c, %k, %r) outs(%z) {clamp = array<i64: 0, 255>, dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<add>, group_sizes = array<i64: 4>, x_max = 60 : i64} : (memref<1x2x2x256xui8>, memref<2304xi8>, memref<4xi16>, memref<16x3xi32>, memref<4x16xi32>, memref<4x16xi32>, memref<1x3x3x16xui8>, memref<1x3x3x16xui8>) -> ()
  memref.copy %z, %y : memref<1x3x3x16xui8> to memref<1x3x3x16xui8>
  return
}
func.func @even(%v: memref<1x2x2x256xui8>, %w: memref<2304xi8>, %o: memref<4xi16>, %p: memref<16x3xi32>, %c: memref<4x16xi32>, %k: memref<4x16xi32>, %x: memref<1x4x4x16xui8>, %y: memref<1x4x4x16xui8>) {
  %v1 = memref.alloc() : memref<1x2x2x256xui8>
  %r = memref.alloc() : memref<1x4x4x16xui8>
  %z = memref.alloc() : memref<1x4x4x16xui8>
  memref.copy %v, %v1 : memref<1x2x2x256xui8> to memref<1x2x2x256xui8>
  memref.copy %x, %r : memref<1x4x4x16xui8> to memref<1x4x4x16xui8>
  qnn.packed_winograd ins(%v1, %w, %o, %p, %c, %k, %r) outs(%z) {clamp = array<i64: 0, 255>, dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<add>, group_sizes = array<i64: 4>, x_max = 60 : i64} : (memref<1x2x2x256xui8>, memref<2304xi8>, memref<4xi16>, memref<16x3xi32>, memref<4x16xi32>, memref<4x16xi32>, memref<1x4x4x16xui8>, memref<1x4x4x16xui8>) -> ()
  memref.copy %z, %y : memref<1x4x4x16xui8> to memref<1x4x4x16xui8>
  return
}
