// RUN: %quant-opt %s --quant-lower-packed-layers -verify-diagnostics

// Transformed weights lie behind the workspace.
func.func @unplanned(%v: memref<1x2x2x256xi8>, %w: memref<2304xi8>, %o: memref<4xi16>, %p: memref<16x3xi32>, %c: memref<1x16xi32>, %k: memref<4x16xi32>, %y: memref<1x3x3x16xi32>) {
  // expected-error@+1 {{needs 5120 bytes behind the workspace, expected quant-plan-memory before}}
  qnn.packed_winograd ins(%v, %w, %o, %p, %c, %k) outs(%y) {dot = #qnn.dot<maddubs>, epilogue = #qnn.epilogue<store>, group_sizes = array<i64: 4>, x_max = 60 : i64} : (memref<1x2x2x256xi8>, memref<2304xi8>, memref<4xi16>, memref<16x3xi32>, memref<1x16xi32>, memref<4x16xi32>, memref<1x3x3x16xi32>) -> ()
  return
}
