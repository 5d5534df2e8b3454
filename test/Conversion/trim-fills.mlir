// RUN: quant-opt %s --quant-trim-fills -split-input-file | FileCheck %s

// Above, below, left and right of what is copied.
// CHECK-LABEL: @border
// CHECK: %[[B:.*]] = memref.alloc() : memref<1x10x10xi8>
// CHECK: %[[ABOVE:.*]] = memref.subview %[[B]][0, 0, 0] [1, 1, 10] [1, 1, 1]
// CHECK: linalg.fill {{.*}} outs(%[[ABOVE]]
// CHECK: %[[BELOW:.*]] = memref.subview %[[B]][0, 8, 0] [1, 2, 10] [1, 1, 1]
// CHECK: linalg.fill {{.*}} outs(%[[BELOW]]
// CHECK: %[[LEFT:.*]] = memref.subview %[[B]][0, 1, 0] [1, 7, 1] [1, 1, 1]
// CHECK: linalg.fill {{.*}} outs(%[[LEFT]]
// CHECK: %[[RIGHT:.*]] = memref.subview %[[B]][0, 1, 9] [1, 7, 1] [1, 1, 1]
// CHECK: linalg.fill {{.*}} outs(%[[RIGHT]]
// CHECK-NOT: linalg.fill
// CHECK: memref.copy
func.func @border(%a: memref<1x7x8xi8>, %out: memref<1x10x10xi8>) {
  %zero = arith.constant 0 : i8
  %b = memref.alloc() : memref<1x10x10xi8>
  linalg.fill ins(%zero : i8) outs(%b : memref<1x10x10xi8>)
  %part = memref.subview %b[0, 1, 1] [1, 7, 8] [1, 1, 1] : memref<1x10x10xi8> to memref<1x7x8xi8, strided<[100, 10, 1], offset: 11>>
  memref.copy %a, %part : memref<1x7x8xi8> to memref<1x7x8xi8, strided<[100, 10, 1], offset: 11>>
  memref.copy %b, %out : memref<1x10x10xi8> to memref<1x10x10xi8>
  return
}

// -----

// Behind alone; nothing where all is copied.
// CHECK-LABEL: @behind
// CHECK: %[[B:.*]] = memref.alloc() : memref<10xi8>
// CHECK: %[[REST:.*]] = memref.subview %[[B]][8] [2] [1]
// CHECK: linalg.fill {{.*}} outs(%[[REST]]
// CHECK-NOT: linalg.fill
func.func @behind(%a: memref<8xi8>, %whole: memref<10xi8>, %out: memref<10xi8>) {
  %zero = arith.constant 0 : i8
  %b = memref.alloc() : memref<10xi8>
  linalg.fill ins(%zero : i8) outs(%b : memref<10xi8>)
  %part = memref.subview %b[0] [8] [1] : memref<10xi8> to memref<8xi8, strided<[1]>>
  memref.copy %a, %part : memref<8xi8> to memref<8xi8, strided<[1]>>
  memref.copy %b, %out : memref<10xi8> to memref<10xi8>
  %c = memref.alloc() : memref<10xi8>
  linalg.fill ins(%zero : i8) outs(%c : memref<10xi8>)
  memref.copy %whole, %c : memref<10xi8> to memref<10xi8>
  memref.copy %c, %out : memref<10xi8> to memref<10xi8>
  return
}

// -----

// As they are: a fill whose buffer is read first, one that starts a sum, one of which every second element is copied,
// one of a caller's buffer.
// CHECK-LABEL: @kept
// CHECK-NOT: memref.subview {{.*}} [{{.*}}] [2] [1]
// CHECK: linalg.fill {{.*}} outs(%{{.*}} : memref<10xi8>)
// CHECK: linalg.fill {{.*}} outs(%{{.*}} : memref<10xi8>)
// CHECK: linalg.fill {{.*}} outs(%{{.*}} : memref<10xi8>)
// CHECK: linalg.fill {{.*}} outs(%{{.*}} : memref<10xi8>)
func.func @kept(%a: memref<8xi8>, %five: memref<5xi8>, %out: memref<10xi8>) {
  %zero = arith.constant 0 : i8
  %b = memref.alloc() : memref<10xi8>
  linalg.fill ins(%zero : i8) outs(%b : memref<10xi8>)
  memref.copy %b, %out : memref<10xi8> to memref<10xi8>
  %part = memref.subview %b[0] [8] [1] : memref<10xi8> to memref<8xi8, strided<[1]>>
  memref.copy %a, %part : memref<8xi8> to memref<8xi8, strided<[1]>>
  memref.copy %b, %out : memref<10xi8> to memref<10xi8>
  %c = memref.alloc() : memref<10xi8>
  linalg.fill ins(%zero : i8) outs(%c : memref<10xi8>)
  linalg.add ins(%b, %b : memref<10xi8>, memref<10xi8>) outs(%c : memref<10xi8>)
  memref.copy %c, %out : memref<10xi8> to memref<10xi8>
  %d = memref.alloc() : memref<10xi8>
  linalg.fill ins(%zero : i8) outs(%d : memref<10xi8>)
  %odd = memref.subview %d[0] [5] [2] : memref<10xi8> to memref<5xi8, strided<[2]>>
  memref.copy %five, %odd : memref<5xi8> to memref<5xi8, strided<[2]>>
  memref.copy %d, %out : memref<10xi8> to memref<10xi8>
  linalg.fill ins(%zero : i8) outs(%out : memref<10xi8>)
  %end = memref.subview %out[0] [8] [1] : memref<10xi8> to memref<8xi8, strided<[1]>>
  memref.copy %a, %end : memref<8xi8> to memref<8xi8, strided<[1]>>
  return
}
