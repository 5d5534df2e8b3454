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
