// RUN: quant-opt %s --quant-plan-memory -split-input-file | FileCheck %s

// The largest buffer lies first, the others behind it; one takes the place of a dead one, at
// multiples of 64 bytes. Elements of 32 bits are four bytes.
// CHECK-LABEL: @gap
// CHECK-SAME: %arg0: memref<768xi8>) attributes {dyadic.live_set = 712 : i64, dyadic.workspace = 768 : i64}
// CHECK: %[[A:.*]] = arith.constant 512 : index
// CHECK: memref.view %arg0[%[[A]]][] : memref<768xi8> to memref<200xi8>
// CHECK: %[[B:.*]] = arith.constant 0 : index
// CHECK: memref.view %arg0[%[[B]]][] : memref<768xi8> to memref<128xi32>
// CHECK: %[[C:.*]] = arith.constant 512 : index
// CHECK: memref.view %arg0[%[[C]]][] : memref<768xi8> to memref<100xi8>
func.func @gap() {
  %c1 = arith.constant 1 : i8
  %c2 = arith.constant 2 : i32
  %a = memref.alloc() : memref<200xi8>
  linalg.fill ins(%c1 : i8) outs(%a : memref<200xi8>)
  %b = memref.alloc() : memref<128xi32>
  linalg.fill ins(%c2 : i32) outs(%b : memref<128xi32>)
  linalg.fill ins(%c1 : i8) outs(%a : memref<200xi8>)
  %c = memref.alloc() : memref<100xi8>
  linalg.fill ins(%c1 : i8) outs(%c : memref<100xi8>)
  linalg.fill ins(%c2 : i32) outs(%b : memref<128xi32>)
  return
}

// -----

// A buffer lives as long as its views do, and through a nested operation.
// CHECK-LABEL: @views
// CHECK-SAME: attributes {dyadic.live_set = 128 : i64, dyadic.workspace = 128 : i64}
func.func @views(%n: i1) {
  %c1 = arith.constant 1 : i8
  %a = memref.alloc() : memref<64xi8>
  linalg.fill ins(%c1 : i8) outs(%a : memref<64xi8>)
  %v = memref.subview %a[0] [32] [1] : memref<64xi8> to memref<32xi8, strided<[1]>>
  %u = memref.subview %v[0] [16] [1] : memref<32xi8, strided<[1]>> to memref<16xi8, strided<[1]>>
  %b = memref.alloc() : memref<64xi8>
  linalg.fill ins(%c1 : i8) outs(%b : memref<64xi8>)
  scf.if %n {
    linalg.fill ins(%c1 : i8) outs(%u : memref<16xi8, strided<[1]>>)
  }
  return
}

// -----

// One after another in one place; no buffers need no bytes; private functions have none.
// CHECK-LABEL: @reuse
// CHECK-SAME: attributes {dyadic.live_set = 64 : i64, dyadic.workspace = 64 : i64}
func.func @reuse() {
  %c1 = arith.constant 1 : i8
  %a = memref.alloc() : memref<64xi8>
  linalg.fill ins(%c1 : i8) outs(%a : memref<64xi8>)
  %b = memref.alloc() : memref<64xi8>
  linalg.fill ins(%c1 : i8) outs(%b : memref<64xi8>)
  %unused = memref.alloc() : memref<64xi8>
  return
}
// CHECK-LABEL: @empty
// CHECK-SAME: (%arg0: memref<0xi8>) attributes {dyadic.live_set = 0 : i64, dyadic.workspace = 0 : i64}
func.func @empty() {
  return
}
// CHECK: func.func private @helper()
// CHECK: memref.alloc
func.func private @helper() {
  %c1 = arith.constant 1 : i8
  %a = memref.alloc() : memref<64xi8>
  linalg.fill ins(%c1 : i8) outs(%a : memref<64xi8>)
  return
}
