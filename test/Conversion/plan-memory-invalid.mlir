// RUN: %quant-opt %s --quant-plan-memory -split-input-file -verify-diagnostics

func.func @dynamic(%n: index) {
  // expected-error @+1 {{buffer of type 'memref<?xi8>', expected a static one in the entry block}}
  %a = memref.alloc(%n) : memref<?xi8>
  return
}

// -----

func.func @returned() -> memref<4xi8> {
  %a = memref.alloc() : memref<4xi8>
  // expected-error @+1 {{a buffer is returned, expected results in arguments}}
  return %a : memref<4xi8>
}

// -----

func.func @nested(%n: i1) {
  scf.if %n {
    // expected-error @+1 {{buffer of type 'memref<4xi8>', expected a static one in the entry block}}
    %a = memref.alloc() : memref<4xi8>
  }
  return
}

// -----

func.func @strided() {
  // expected-error @+1 {{buffer of type 'memref<4xi8, strided<[2]>>', expected a static one in the entry block}}
  %a = memref.alloc() : memref<4xi8, strided<[2]>>
  return
}

// -----

// Its view is returned.
func.func @view() -> memref<2xi8, strided<[1]>> {
  %a = memref.alloc() : memref<4xi8>
  %v = memref.subview %a[0] [2] [1] : memref<4xi8> to memref<2xi8, strided<[1]>>
  // expected-error @+1 {{a buffer is returned, expected results in arguments}}
  return %v : memref<2xi8, strided<[1]>>
}
