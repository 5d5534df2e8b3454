// RUN: quant-opt %s --quant-lower-packed-layers -split-input-file | FileCheck %s
// RUN: quant-opt %s --quant-lower-packed-layers=dot-lanes=16 -split-input-file | FileCheck %s --check-prefix=WIDE
// RUN: not quant-opt %s --quant-lower-packed-layers=dot-lanes=12 -split-input-file 2>&1 | FileCheck %s --check-prefix=LANES
// LANES: error: dot-lanes=12, expected 8 or 16

// CHECK-LABEL: func.func @main
// CHECK: memref.extract_aligned_pointer_as_index
// CHECK: llvm.call @main_packed_0(%{{.*}}) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr) -> ()
// CHECK: llvm.func internal @main_packed_0(%{{.*}}: !llvm.ptr {llvm.noalias}
// The tile has 3 positions; 6 vectors of sums are carried.
// CHECK: scf.for {{.*}} iter_args(%{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}) -> (vector<8xi32>
// Four blocks of 16 channels are more weights than registers are left: the next position loads them again.
// CHECK-COUNT-8: llvm.x86.avx2.pmadd.ub.sw
// CHECK: llvm.inline_asm "", "=r,0" %{{.*}} : (!llvm.ptr) -> !llvm.ptr
// CHECK-COUNT-8: llvm.x86.avx2.pmadd.ub.sw
// CHECK: llvm.inline_asm "", "=r,0"
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
// Registers of 16 lanes hold a whole panel's sums; the epilogue takes them in halves.
// WIDE: iter_args({{.*}}) -> (vector<16xi32>, vector<16xi32>, vector<16xi32>)
// WIDE-COUNT-3: llvm.x86.avx512.vpdpbusd.512
// WIDE-NOT: vpdpbusd
func.func @main(%x: memref<1x1x3x4xi8>, %w: memref<64xi8>, %o: memref<1xi32>, %p: memref<1x3xi32>, %c: memref<3x16xi32>, %y: memref<1x1x3x16xi8, strided<[96, 96, 32, 1], offset: 16>>) {
  qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%y) {clamp = array<i64: 0, 255>, dot = #qnn.dot<dpbusd>, epilogue = #qnn.epilogue<requantize>, group_sizes = array<i64: 1>, groups = 1 : i64, high_halves, line = 12 : i64, pixel = 4 : i64, x_max = 255 : i64} : (memref<1x1x3x4xi8>, memref<64xi8>, memref<1xi32>, memref<1x3xi32>, memref<3x16xi32>, memref<1x1x3x16xi8, strided<[96, 96, 32, 1], offset: 16>>) -> ()
  return
}

// -----

// Sums widen by the multiplier, from the second row: the epilogue shifts alone.
// CHECK-LABEL: func.func @scaled
// CHECK: llvm.func internal @scaled_packed_0
// CHECK: %[[F:.*]] = llvm.bitcast %{{.*}} : vector<8xi32> to vector<16xi16>
// CHECK: "llvm.x86.avx2.pmadd.wd"(%{{.*}}, %[[F]])
// CHECK-NOT: llvm.mul {{.*}} : vector
// CHECK: llvm.ashr
// CHECK: llvm.return
func.func @scaled(%x: memref<1x1x1x4xi8>, %w: memref<64xi8>, %o: memref<1xi32>, %p: memref<1x3xi32>, %c: memref<3x16xi32>, %y: memref<1x1x1x16xi8>) {
  qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%y) {clamp = array<i64: 0, 255>, dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<requantize>, group_sizes = array<i64: 1>, groups = 1 : i64, line = 4 : i64, pixel = 4 : i64, scaled_sums, short_products, x_max = 255 : i64} : (memref<1x1x1x4xi8>, memref<64xi8>, memref<1xi32>, memref<1x3xi32>, memref<3x16xi32>, memref<1x1x1x16xi8>) -> ()
  return
}

// -----

// Eight blocks share a group: a loop of its own carries the 16-bit sums.
// CHECK-LABEL: func.func @long
// CHECK: iter_args({{.*}}) -> (vector<8xi32>
// CHECK: iter_args({{.*}}) -> (vector<16xi16>
// CHECK-COUNT-8: llvm.x86.avx2.pmadd.ub.sw
// CHECK-NOT: pmadd.ub.sw
// CHECK: llvm.x86.avx2.pmadd.wd
func.func @long(%x: memref<1x1x1x32xi8>, %w: memref<512xi8>, %o: memref<8xi16>, %p: memref<1x3xi32>, %c: memref<1x16xi32>, %y: memref<1x1x1x16xi32>) {
  qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%y) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 8>, groups = 1 : i64, line = 32 : i64, pixel = 32 : i64, x_max = 255 : i64} : (memref<1x1x1x32xi8>, memref<512xi8>, memref<8xi16>, memref<1x3xi32>, memref<1x16xi32>, memref<1x1x1x16xi32>) -> ()
  return
}

// -----

// The input transform adds modulo 2^8; the kernel keeps 16 sums a tile on the stack. Of an odd output the last line and
// column have no second one: their outputs go where the first are written after them.
// CHECK-LABEL: func.func @winograd
// CHECK: llvm.call @winograd_packed_0
// CHECK: llvm.call @winograd_packed_1
// CHECK: llvm.func internal @winograd_packed_1{{.*}}dyadic.method = "winograd maddubs"
// CHECK: llvm.alloca
// CHECK: llvm.x86.avx2.pmadd.ub.sw
// CHECK: llvm.icmp "eq"
// CHECK: llvm.func internal @winograd_packed_0
// CHECK: llvm.sub {{.*}} : vector<32xi8>
// CHECK: llvm.mlir.constant(dense<30> : vector<32xi8>)
func.func @winograd(%x: memref<1x6x6x16xi8>, %v: memref<1x2x2x256xi8>, %w: memref<2304xi8>, %o: memref<4xi16>, %p: memref<16x3xi32>, %c: memref<1x16xi32>, %k: memref<4x16xi32>, %y: memref<1x3x3x16xi32>, %workspace: memref<100xi8>) attributes {dyadic.workspace = 100 : i64} {
  qnn.winograd_input ins(%x) outs(%v) {center = 0 : i64, around = 30 : i64} : (memref<1x6x6x16xi8>, memref<1x2x2x256xi8>) -> ()
  qnn.packed_winograd ins(%v, %w, %o, %p, %c, %k) outs(%y) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 4>, x_max = 60 : i64} : (memref<1x2x2x256xi8>, memref<2304xi8>, memref<4xi16>, memref<16x3xi32>, memref<1x16xi32>, memref<4x16xi32>, memref<1x3x3x16xi32>) -> ()
  return
}

// -----

// In words: bytes widen as they are loaded, weights too, and nothing is added to transformed inputs. Of 20 channels the last 4 are a vector of their own.
// CHECK-LABEL: func.func @winograd_words
// CHECK: llvm.func internal @winograd_words_packed_1{{.*}}dyadic.method = "winograd maddwd"
// CHECK: llvm.sext %{{.*}} : vector<16xi8> to vector<16xi16>
// CHECK: llvm.x86.avx2.pmadd.wd
// CHECK-NOT: pmadd.ub.sw
// CHECK: llvm.func internal @winograd_words_packed_0
// CHECK: llvm.zext %{{.*}} : vector<16xi8> to vector<16xi16>
// CHECK: llvm.sub {{.*}} : vector<16xi16>
func.func @winograd_words(%x: memref<1x4x4x20xi8>, %v: memref<1x1x1x320xi16>, %w: memref<2880xi8>, %o: memref<10xi16>, %p: memref<16x3xi32>, %c: memref<1x16xi32>, %k: memref<4x16xi32>, %y: memref<1x2x2x16xi32>, %workspace: memref<100xi8>) attributes {dyadic.workspace = 100 : i64} {
  qnn.winograd_input ins(%x) outs(%v) {center = 0 : i64, around = 0 : i64, input_unsigned} : (memref<1x4x4x20xi8>, memref<1x1x1x320xi16>) -> ()
  qnn.packed_winograd ins(%v, %w, %o, %p, %c, %k) outs(%y) {dot = #qnn.dot<maddwd>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 2>, x_max = 1020 : i64} : (memref<1x1x1x320xi16>, memref<2880xi8>, memref<10xi16>, memref<16x3xi32>, memref<1x16xi32>, memref<4x16xi32>, memref<1x2x2x16xi32>) -> ()
  return
}

// -----

// Registers of 128 bits: two dot products for 8 sums. `usdot` takes unsigned inputs as they are.
// CHECK-LABEL: func.func @main
// CHECK-COUNT-2: llvm.aarch64.neon.usdot.v4i32.v16i8
// CHECK-NOT: llvm.xor
// CHECK: llvm.sext %{{.*}} : vector<4xi32> to vector<4xi64>
func.func @main(%x: memref<1x1x1x4xi8>, %w: memref<64xi8>, %o: memref<1xi32>, %p: memref<1x3xi32>, %c: memref<3x16xi32>, %y: memref<1x1x1x16xi8>) {
  qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%y) {clamp = array<i64: 0, 255>, dot = #qnn.dot<usdot>, epilogue = #qnn.epilogue<requantize>, group_sizes = array<i64: 1>, groups = 1 : i64, high_halves, line = 4 : i64, pixel = 4 : i64, x_max = 255 : i64} : (memref<1x1x1x4xi8>, memref<64xi8>, memref<1xi32>, memref<1x3xi32>, memref<3x16xi32>, memref<1x1x1x16xi8>) -> ()
  return
}

// -----

// 16-bit inputs, one lane of them at a time.
// CHECK-LABEL: func.func @main
// CHECK-COUNT-2: llvm.mul %{{.*}} : vector<8xi32>
// CHECK-NOT: call_intrinsic
func.func @main(%x: memref<1x1x1x2xi16>, %w: memref<32xi16>, %o: memref<1xi32>, %p: memref<1x3xi32>, %c: memref<1x16xi32>, %y: memref<1x1x1x16xi32>) {
  qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%y) {dot = #qnn.dot<mlal>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 1>, groups = 1 : i64, line = 2 : i64, pixel = 2 : i64, x_max = 32767 : i64} : (memref<1x1x1x2xi16>, memref<32xi16>, memref<1xi32>, memref<1x3xi32>, memref<1x16xi32>, memref<1x1x1x16xi32>) -> ()
  return
}

// -----

// Depthwise: products of the lanes as they lie.
// CHECK-LABEL: func.func @main
// CHECK: llvm.zext %{{.*}} : vector<16xi8> to vector<16xi16>
// CHECK-NOT: llvm.x86
// CHECK: llvm.return
func.func @main(%x: memref<1x1x1x16xi8>, %w: memref<32xi16>, %c: memref<1x16xi32>, %y: memref<1x1x1x16xi32>) {
  qnn.packed_depthwise ins(%x, %w, %c) outs(%y) {dot = #qnn.dot<mlal>, epilogue = #qnn.epilogue<store>, input_unsigned, line = 16 : i64, offsets = array<i64: 0, -1>, pixel = 16 : i64} : (memref<1x1x1x16xi8>, memref<32xi16>, memref<1x16xi32>, memref<1x1x1x16xi32>) -> ()
  return
}

// -----

// A sum in the place of its residual: these two are no longer apart.
// CHECK-LABEL: func.func @in_place
// CHECK: llvm.func internal @in_place_packed_0(%{{[^:]*}}: !llvm.ptr {llvm.noalias}, %{{[^:]*}}: !llvm.ptr {llvm.noalias}, %{{[^:]*}}: !llvm.ptr {llvm.noalias}, %{{[^:]*}}: !llvm.ptr, %{{[^:]*}}: !llvm.ptr)
func.func @in_place(%x: memref<1x1x4x16xi8>, %w: memref<32xi16>, %c: memref<4x16xi32>, %y: memref<1x1x4x16xi8>) {
  qnn.packed_depthwise ins(%x, %w, %c, %y) outs(%y) {clamp = array<i64: 0, 255>, dot = #qnn.dot<maddwd>, epilogue = #qnn.epilogue<add>, high_halves, input_unsigned, line = 64 : i64, offsets = array<i64: 0, -1>, pixel = 16 : i64} : (memref<1x1x4x16xi8>, memref<32xi16>, memref<4x16xi32>, memref<1x1x4x16xi8>, memref<1x1x4x16xi8>) -> ()
  return
}

// -----

// Much to do: 7 lines outside, panels inside. The kernel makes a share of both; of 2 whole panels and one of 8 channels only
// those that lie in it. A second image has the lines from 7 on.
// CHECK-LABEL: func.func @split
// CHECK: llvm.call @split_packed_0({{.*}}) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, i64, i64, i64, i64) -> ()
// CHECK: llvm.func internal @split_packed_0({{.*}}, %[[LINE:[^:]*]]: i64, %[[LINE_END:[^:]*]]: i64, %[[PANEL:[^:]*]]: i64, %[[PANEL_END:[^:]*]]: i64)
// CHECK-SAME: dyadic.nanoseconds = 120422 : i64, dyadic.split = array<i64: 14, 14, 3, 2>
// CHECK: scf.for %[[N:.*]] = 
// CHECK: llvm.sub %[[LINE]]
// CHECK: llvm.sub %[[LINE_END]]
// CHECK: llvm.intr.smax
// CHECK: llvm.intr.smin
// CHECK: scf.for
// CHECK: llvm.sub %[[PANEL]]
// CHECK: scf.for
// CHECK: llvm.sub %[[PANEL]]
// CHECK: llvm.icmp "slt"
// CHECK: scf.if
func.func @split(%x: memref<2x7x64x64xi8>, %w: memref<13440xi8>, %o: memref<70xi16>, %p: memref<3x3xi32>, %c: memref<1x48xi32>, %y: memref<2x7x64x40xi32>) {
  qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%y) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 8>, groups = 1 : i64, line = 4096 : i64, pixel = 64 : i64, x_max = 255 : i64} : (memref<2x7x64x64xi8>, memref<13440xi8>, memref<70xi16>, memref<3x3xi32>, memref<1x48xi32>, memref<2x7x64x40xi32>) -> ()
  return
}

// -----

// Both halves of a panel, one after the other; a call executes 6 blocks of 8 channels at each of 3 positions.
memref.global "private" constant @panels : memref<2x4xi32> = dense<[[0, 0, 1, 1], [3, 0, 1, 1]]>
// CHECK-LABEL: func.func @halves
// CHECK: llvm.func internal @halves_packed_0{{.*}}dyadic.products = {"maddubs x1" = 192 : i64, "maddubs x2" = 384 : i64}
// CHECK: llvm.alloca
// The tile has 3 positions; 3 vectors of sums are carried, twice.
// CHECK: scf.for {{.*}} = %{{.*}} to %{{.*}} step %{{[^ ]*}} : i64 {
// CHECK: scf.for {{.*}} iter_args(%{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}) -> (vector<8xi32>, vector<8xi32>, vector<8xi32>)
func.func @halves(%x: memref<1x1x3x12xi8>, %w: memref<192xi8>, %o: memref<3xi16>, %c: memref<1x16xi32>, %y: memref<1x1x3x16xi32>) {
  %p = memref.get_global @panels : memref<2x4xi32>
  qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%y) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 2, 1>, groups = 1 : i64, halves, line = 36 : i64, pixel = 12 : i64, x_max = 255 : i64} : (memref<1x1x3x12xi8>, memref<192xi8>, memref<3xi16>, memref<2x4xi32>, memref<1x16xi32>, memref<1x1x3x16xi32>) -> ()
  return
}
