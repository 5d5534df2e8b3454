// RUN: quant-opt %s --quant-lower-transposes -split-input-file | FileCheck %s

#hwc = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#chw = affine_map<(d0, d1, d2) -> (d2, d0, d1)>

// A square of 16 x 16 bytes: four times 16 registers are interleaved. Lines and columns are one dimension.
// CHECK-LABEL: func.func @squares
// CHECK: llvm.call @squares_transpose_0(%{{.*}}, %{{.*}}) : (!llvm.ptr, !llvm.ptr) -> ()
// CHECK: llvm.func internal @squares_transpose_0(%{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.noalias})
// CHECK: llvm.mlir.constant(4 : i64)
// CHECK: scf.for
// CHECK: scf.for
// CHECK-COUNT-16: llvm.load %{{.*}} {alignment = 1 : i64} : !llvm.ptr -> vector<16xi8>
// CHECK-COUNT-64: llvm.shufflevector
// CHECK-COUNT-16: llvm.store %{{.*}} : vector<16xi8>
func.func @squares(%a: memref<32x8x8xi8>, %b: memref<8x8x32xi8>) {
  linalg.generic {indexing_maps = [#chw, #hwc], iterator_types = ["parallel", "parallel", "parallel"]} ins(%a : memref<32x8x8xi8>) outs(%b : memref<8x8x32xi8>) {
  ^bb0(%in: i8, %out: i8):
    linalg.yield %in : i8
  }
  return
}

// -----

#hwc = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#chw = affine_map<(d0, d1, d2) -> (d2, d0, d1)>

// Three planes become one store of 48 bytes; 64 positions are four steps. Into a part of a larger buffer, line by
// line: 8 positions are no whole register.
// CHECK-LABEL: func.func @planes
// CHECK: llvm.func internal @planes_transpose_{{[01]}}
// CHECK: llvm.store %{{.*}} : vector<48xi8>
func.func @planes(%a: memref<3x8x8xi8>, %b: memref<8x8x3xi8>, %c: memref<8x8x3xi8, strided<[30, 3, 1], offset: 33>>) {
  linalg.generic {indexing_maps = [#chw, #hwc], iterator_types = ["parallel", "parallel", "parallel"]} ins(%a : memref<3x8x8xi8>) outs(%b : memref<8x8x3xi8>) {
  ^bb0(%in: i8, %out: i8):
    linalg.yield %in : i8
  }
  linalg.generic {indexing_maps = [#chw, #hwc], iterator_types = ["parallel", "parallel", "parallel"]} ins(%a : memref<3x8x8xi8>) outs(%c : memref<8x8x3xi8, strided<[30, 3, 1], offset: 33>>) {
  ^bb0(%in: i8, %out: i8):
    linalg.yield %in : i8
  }
  return
}

// -----

#hw = affine_map<(d0, d1) -> (d0, d1)>
#wh = affine_map<(d0, d1) -> (d1, d0)>

// Positions with 2 numbers of 32 bits each are taken apart, 4 positions at a time.
// CHECK-LABEL: func.func @apart
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> vector<8xi32>
// CHECK-COUNT-2: llvm.store %{{.*}} : vector<4xi32>
func.func @apart(%a: memref<64x2xf32>, %b: memref<2x64xf32>) {
  linalg.generic {indexing_maps = [#wh, #hw], iterator_types = ["parallel", "parallel"]} ins(%a : memref<64x2xf32>) outs(%b : memref<2x64xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  }
  return
}

// -----

#hw = affine_map<(d0, d1) -> (d0, d1)>
#wh = affine_map<(d0, d1) -> (d1, d0)>
#abc = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#bac = affine_map<(d0, d1, d2) -> (d1, d0, d2)>

// As loops: one that computes, one that moves lines, numbers of 64 bits.
// CHECK-LABEL: func.func @loops
// CHECK-COUNT-3: linalg.generic
// CHECK-NOT: llvm.func
func.func @loops(%a: memref<8x8xi8>, %b: memref<8x8xi8>, %c: memref<2x3x8xi8>, %d: memref<3x2x8xi8>, %e: memref<4x8xi64>, %f: memref<8x4xi64>) {
  linalg.generic {indexing_maps = [#wh, #hw], iterator_types = ["parallel", "parallel"]} ins(%a : memref<8x8xi8>) outs(%b : memref<8x8xi8>) {
  ^bb0(%in: i8, %out: i8):
    %s = arith.addi %in, %in : i8
    linalg.yield %s : i8
  }
  linalg.generic {indexing_maps = [#bac, #abc], iterator_types = ["parallel", "parallel", "parallel"]} ins(%c : memref<2x3x8xi8>) outs(%d : memref<3x2x8xi8>) {
  ^bb0(%in: i8, %out: i8):
    linalg.yield %in : i8
  }
  linalg.generic {indexing_maps = [#wh, #hw], iterator_types = ["parallel", "parallel"]} ins(%e : memref<4x8xi64>) outs(%f : memref<8x4xi64>) {
  ^bb0(%in: i64, %out: i64):
    linalg.yield %in : i64
  }
  return
}
