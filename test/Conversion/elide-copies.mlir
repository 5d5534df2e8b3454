// RUN: quant-opt %s --quant-elide-copies --cse -split-input-file | FileCheck %s

#id = affine_map<(d0, d1, d2) -> (d0, d1, d2)>

// What computes %a writes into the interior of %b, and another reader finds it there, in its own shape.
// CHECK-LABEL: @padded
// CHECK-SAME: (%[[IN:.*]]: memref<1x8x8xi8>, %[[OUT:.*]]: memref<1x10x10xi8>, %[[SUM:.*]]: memref<1x4x2x8xi8>)
// CHECK: %[[B:.*]] = memref.alloc() : memref<1x10x10xi8>
// CHECK-NOT: memref.alloc
// CHECK: %[[PART:.*]] = memref.reinterpret_cast %[[B]] to offset: [11], sizes: [1, 8, 8], strides: [80, 10, 1]
// CHECK: linalg.add {{.*}} outs(%[[PART]]
// CHECK: %[[OTHER:.*]] = memref.reinterpret_cast %[[B]] to offset: [11], sizes: [1, 4, 2, 8], strides: [80, 20, 10, 1]
// CHECK: linalg.add ins(%[[OTHER]], %[[OTHER]]
// CHECK-NOT: memref.copy
// CHECK: linalg.add ins(%[[B]], %[[B]] : {{.*}} outs(%[[OUT]]
func.func @padded(%in: memref<1x8x8xi8>, %out: memref<1x10x10xi8>, %sum: memref<1x4x2x8xi8>) {
  %a = memref.alloc() : memref<1x8x8xi8>
  linalg.add ins(%in, %in : memref<1x8x8xi8>, memref<1x8x8xi8>) outs(%a : memref<1x8x8xi8>)
  %v = memref.expand_shape %a [[0], [1, 2], [3]] output_shape [1, 4, 2, 8] : memref<1x8x8xi8> into memref<1x4x2x8xi8>
  %b = memref.alloc() : memref<1x10x10xi8>
  %part = memref.subview %b[0, 1, 1] [1, 8, 8] [1, 1, 1] : memref<1x10x10xi8> to memref<1x8x8xi8, strided<[100, 10, 1], offset: 11>>
  linalg.add ins(%v, %v : memref<1x4x2x8xi8>, memref<1x4x2x8xi8>) outs(%sum : memref<1x4x2x8xi8>)
  memref.copy %a, %part : memref<1x8x8xi8> to memref<1x8x8xi8, strided<[100, 10, 1], offset: 11>>
  linalg.add ins(%b, %b : memref<1x10x10xi8>, memref<1x10x10xi8>) outs(%out : memref<1x10x10xi8>)
  return
}

// -----

// Branches of a concatenation, one in lines of its own; the result is the caller's. A copy onto itself goes.
// CHECK-LABEL: @concat
// CHECK-SAME: %[[OUT:[a-z0-9]*]]: memref<1x4x4x32xi8>)
// CHECK-NOT: memref.alloc
// CHECK: %[[LEFT:.*]] = memref.reinterpret_cast %[[OUT]] to offset: [0], sizes: [1, 2, 8, 16], strides: [512, 256, 32, 1]
// CHECK: qnn.packed_conv {{.*}} outs(%[[LEFT]])
// CHECK: %[[RIGHT:.*]] = memref.subview %[[OUT]]
// CHECK: linalg.add {{.*}} outs(%[[RIGHT]]
// CHECK-NOT: memref.copy
func.func @concat(%x: memref<1x2x8x16xi8>, %y: memref<1x4x4x16xi8>, %w: memref<256xi8>, %o: memref<4xi16>, %p: memref<1x3xi32>, %c: memref<3x16xi32>, %out: memref<1x4x4x32xi8>) {
  %a = memref.alloc() : memref<1x2x8x16xi8>
  qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%a) {clamp = array<i64: 0, 255>, dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<requantize>, group_sizes = array<i64: 4>, groups = 1 : i64, high_halves, line = 128 : i64, pixel = 16 : i64, x_max = 255 : i64} : (memref<1x2x8x16xi8>, memref<256xi8>, memref<4xi16>, memref<1x3xi32>, memref<3x16xi32>, memref<1x2x8x16xi8>) -> ()
  %flat = memref.collapse_shape %a [[0, 1, 2, 3]] : memref<1x2x8x16xi8> into memref<256xi8>
  %v = memref.expand_shape %flat [[0, 1, 2, 3]] output_shape [1, 4, 4, 16] : memref<256xi8> into memref<1x4x4x16xi8>
  %left = memref.subview %out[0, 0, 0, 0] [1, 4, 4, 16] [1, 1, 1, 1] : memref<1x4x4x32xi8> to memref<1x4x4x16xi8, strided<[512, 128, 32, 1]>>
  %right = memref.subview %out[0, 0, 0, 16] [1, 4, 4, 16] [1, 1, 1, 1] : memref<1x4x4x32xi8> to memref<1x4x4x16xi8, strided<[512, 128, 32, 1], offset: 16>>
  linalg.add ins(%y, %y : memref<1x4x4x16xi8>, memref<1x4x4x16xi8>) outs(%right : memref<1x4x4x16xi8, strided<[512, 128, 32, 1], offset: 16>>)
  memref.copy %v, %left : memref<1x4x4x16xi8> to memref<1x4x4x16xi8, strided<[512, 128, 32, 1]>>
  memref.copy %right, %right : memref<1x4x4x16xi8, strided<[512, 128, 32, 1], offset: 16>> to memref<1x4x4x16xi8, strided<[512, 128, 32, 1], offset: 16>>
  return
}

// -----

memref.global "private" constant @two : memref<2xi16> = dense<[0, 4]>

// Packed readers of an image with a border: a 1x1 window steps over it, a depthwise one finds its positions.
// CHECK-LABEL: @readers
// CHECK: %[[B:.*]] = memref.alloc() : memref<1x6x48xi8>
// CHECK-NOT: memref.alloc
// CHECK: %[[IN:.*]] = memref.reinterpret_cast %[[B]] to offset: [56], sizes: [1, 4, 4, 8], strides: [192, 48, 8, 1]
// CHECK: qnn.packed_conv ins(%[[IN]], {{.*}} line = 48 : i64, pixel = 8 : i64
// CHECK: qnn.packed_depthwise ins(%[[IN]], {{.*}} line = 48 : i64, offsets = array<i64: 0, 48, 8, -1>, pixel = 8 : i64
func.func @readers(%x: memref<1x4x4x8xi8>, %w: memref<128xi8>, %p: memref<1x3xi32>, %c: memref<3x16xi32>, %d: memref<64xi16>, %y: memref<1x4x4x16xi8>, %z: memref<1x3x3x8xi8>, %out: memref<1x6x48xi8>) {
  %o = memref.get_global @two : memref<2xi16>
  %a = memref.alloc() : memref<1x4x4x8xi8>
  linalg.add ins(%x, %x : memref<1x4x4x8xi8>, memref<1x4x4x8xi8>) outs(%a : memref<1x4x4x8xi8>)
  qnn.packed_conv ins(%a, %w, %o, %p, %c) outs(%y) {clamp = array<i64: 0, 255>, dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<requantize>, group_sizes = array<i64: 2>, groups = 1 : i64, high_halves, line = 32 : i64, pixel = 8 : i64, x_max = 255 : i64} : (memref<1x4x4x8xi8>, memref<128xi8>, memref<2xi16>, memref<1x3xi32>, memref<3x16xi32>, memref<1x4x4x16xi8>) -> ()
  qnn.packed_depthwise ins(%a, %d, %c) outs(%z) {clamp = array<i64: 0, 255>, dot = #qnn.dot<maddwd>, epilogue = #qnn.epilogue<requantize>, high_halves, input_unsigned, line = 32 : i64, offsets = array<i64: 0, 32, 8, -1>, pixel = 8 : i64} : (memref<1x4x4x8xi8>, memref<64xi16>, memref<3x16xi32>, memref<1x3x3x8xi8>) -> ()
  %lines = memref.collapse_shape %a [[0], [1], [2, 3]] : memref<1x4x4x8xi8> into memref<1x4x32xi8>
  %b = memref.alloc() : memref<1x6x48xi8>
  %part = memref.subview %b[0, 1, 8] [1, 4, 32] [1, 1, 1] : memref<1x6x48xi8> to memref<1x4x32xi8, strided<[288, 48, 1], offset: 56>>
  memref.copy %lines, %part : memref<1x4x32xi8> to memref<1x4x32xi8, strided<[288, 48, 1], offset: 56>>
  linalg.add ins(%b, %b : memref<1x6x48xi8>, memref<1x6x48xi8>) outs(%out : memref<1x6x48xi8>)
  return
}

// -----

// A window of positions across lines is in a constant: the copy stays.
memref.global "private" constant @lines : memref<2xi16> = dense<[0, 32]>
// CHECK-LABEL: @window
// CHECK-COUNT-2: memref.alloc
// CHECK: memref.copy
func.func @window(%x: memref<1x4x4x8xi8>, %w: memref<128xi8>, %p: memref<1x3xi32>, %c: memref<3x16xi32>, %y: memref<1x3x4x16xi8>, %out: memref<1x6x48xi8>) {
  %o = memref.get_global @lines : memref<2xi16>
  %a = memref.alloc() : memref<1x4x4x8xi8>
  linalg.add ins(%x, %x : memref<1x4x4x8xi8>, memref<1x4x4x8xi8>) outs(%a : memref<1x4x4x8xi8>)
  qnn.packed_conv ins(%a, %w, %o, %p, %c) outs(%y) {clamp = array<i64: 0, 255>, dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<requantize>, group_sizes = array<i64: 2>, groups = 1 : i64, high_halves, line = 32 : i64, pixel = 8 : i64, x_max = 255 : i64} : (memref<1x4x4x8xi8>, memref<128xi8>, memref<2xi16>, memref<1x3xi32>, memref<3x16xi32>, memref<1x3x4x16xi8>) -> ()
  %lines = memref.collapse_shape %a [[0], [1], [2, 3]] : memref<1x4x4x8xi8> into memref<1x4x32xi8>
  %b = memref.alloc() : memref<1x6x48xi8>
  %part = memref.subview %b[0, 1, 8] [1, 4, 32] [1, 1, 1] : memref<1x6x48xi8> to memref<1x4x32xi8, strided<[288, 48, 1], offset: 56>>
  memref.copy %lines, %part : memref<1x4x32xi8> to memref<1x4x32xi8, strided<[288, 48, 1], offset: 56>>
  linalg.add ins(%b, %b : memref<1x6x48xi8>, memref<1x6x48xi8>) outs(%out : memref<1x6x48xi8>)
  return
}

// -----

// Copies that stay: the part is written meanwhile; the source changes later; the part changes while the source
// is still read; a caller's buffer is copied.
// CHECK-LABEL: @kept
// CHECK-COUNT-4: memref.copy {{.*}} to memref<8xi8, strided<[1], offset: 2>>
func.func @kept(%in: memref<8xi8>, %b: memref<10xi8>, %c: memref<10xi8>, %d: memref<10xi8>, %e: memref<10xi8>) {
  %a1 = memref.alloc() : memref<8xi8>
  linalg.add ins(%in, %in : memref<8xi8>, memref<8xi8>) outs(%a1 : memref<8xi8>)
  linalg.add ins(%c, %c : memref<10xi8>, memref<10xi8>) outs(%b : memref<10xi8>)
  %p1 = memref.subview %b[2] [8] [1] : memref<10xi8> to memref<8xi8, strided<[1], offset: 2>>
  memref.copy %a1, %p1 : memref<8xi8> to memref<8xi8, strided<[1], offset: 2>>

  %a2 = memref.alloc() : memref<8xi8>
  linalg.add ins(%in, %in : memref<8xi8>, memref<8xi8>) outs(%a2 : memref<8xi8>)
  %p2 = memref.subview %c[2] [8] [1] : memref<10xi8> to memref<8xi8, strided<[1], offset: 2>>
  memref.copy %a2, %p2 : memref<8xi8> to memref<8xi8, strided<[1], offset: 2>>
  linalg.add ins(%in, %in : memref<8xi8>, memref<8xi8>) outs(%a2 : memref<8xi8>)

  %a3 = memref.alloc() : memref<8xi8>
  linalg.add ins(%in, %in : memref<8xi8>, memref<8xi8>) outs(%a3 : memref<8xi8>)
  %p3 = memref.subview %d[2] [8] [1] : memref<10xi8> to memref<8xi8, strided<[1], offset: 2>>
  memref.copy %a3, %p3 : memref<8xi8> to memref<8xi8, strided<[1], offset: 2>>
  linalg.add ins(%c, %c : memref<10xi8>, memref<10xi8>) outs(%d : memref<10xi8>)
  linalg.add ins(%a3, %a3 : memref<8xi8>, memref<8xi8>) outs(%a2 : memref<8xi8>)

  %p4 = memref.subview %e[2] [8] [1] : memref<10xi8> to memref<8xi8, strided<[1], offset: 2>>
  memref.copy %in, %p4 : memref<8xi8> to memref<8xi8, strided<[1], offset: 2>>
  return
}

// -----

// One block of 4 bytes has two positions of two channels, with weights for both: the copy stays.
memref.global "private" constant @first : memref<1xi16> = dense<0>
// CHECK-LABEL: @joined
// CHECK: memref.alloc
// CHECK: qnn.packed_conv {{.*}} line = 8 : i64, pixel = 2 : i64
// CHECK: memref.copy
func.func @joined(%x: memref<1x4x4x2xi8>, %w: memref<64xi8>, %p: memref<1x3xi32>, %c: memref<3x16xi32>, %y: memref<1x4x3x16xi8>, %out: memref<1x4x4x4xi8>) {
  %o = memref.get_global @first : memref<1xi16>
  %a = memref.alloc() : memref<1x4x4x2xi8>
  linalg.add ins(%x, %x : memref<1x4x4x2xi8>, memref<1x4x4x2xi8>) outs(%a : memref<1x4x4x2xi8>)
  qnn.packed_conv ins(%a, %w, %o, %p, %c) outs(%y) {clamp = array<i64: 0, 255>, dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<requantize>, group_sizes = array<i64: 1>, groups = 1 : i64, high_halves, line = 8 : i64, pixel = 2 : i64, x_max = 255 : i64} : (memref<1x4x4x2xi8>, memref<64xi8>, memref<1xi16>, memref<1x3xi32>, memref<3x16xi32>, memref<1x4x3x16xi8>) -> ()
  %part = memref.subview %out[0, 0, 0, 0] [1, 4, 4, 2] [1, 1, 1, 1] : memref<1x4x4x4xi8> to memref<1x4x4x2xi8, strided<[64, 16, 4, 1]>>
  memref.copy %a, %part : memref<1x4x4x2xi8> to memref<1x4x4x2xi8, strided<[64, 16, 4, 1]>>
  return
}
