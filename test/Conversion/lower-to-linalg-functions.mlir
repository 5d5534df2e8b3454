// RUN: quant-opt %s --quant-lower-to-linalg -split-input-file | FileCheck %s

// Float functions are polynomials in the loop: no call is left, square roots and absolute
// values are instructions.
// CHECK-LABEL: @functions
// CHECK: linalg.generic
// CHECK-NOT: math.exp
// CHECK: math.sqrt
// CHECK: math.absf
// CHECK: arith.bitcast
// CHECK-NOT: math.{{exp|log|tanh|erf}}
// CHECK: linalg.yield
func.func @functions(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %y = qnn.map %x {id = "y"} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
  ^bb0(%a: f32):
    %0 = math.sqrt %a : f32
    %1 = math.absf %0 : f32
    %2 = math.exp %1 : f32
    %3 = math.log %2 : f32
    %4 = math.tanh %3 : f32
    %5 = math.erf %4 : f32
    qnn.yield %5 : f32
  }
  return %y : tensor<2x3xf32>
}

// -----

// Entries are as narrow as the result; every ui8 number has one, so that nothing limits it.
// CHECK-LABEL: @table
// CHECK: arith.constant dense<{{.*}}> : tensor<256xi8>
// CHECK: linalg.generic
// CHECK: arith.extui %{{.*}} : i8 to i64
// CHECK-NOT: arith.minsi
// CHECK: tensor.extract
// CHECK-NOT: arith.muli
func.func @table(%x: tensor<4xui8>) -> tensor<4xui8> {
  %y = qnn.table %x {entries = dense<7> : tensor<256xi32>, low = 0 : i64, clamp = array<i64: 0, 255>} : (tensor<4xui8>) -> tensor<4xui8>
  return %y : tensor<4xui8>
}

// -----

// Ten bits of a ui16: the number is limited to the table.
// CHECK-LABEL: @limited
// CHECK: arith.constant dense<{{.*}}> : tensor<1024xi16>
// CHECK: arith.maxsi
// CHECK: arith.minsi
// CHECK: tensor.extract
func.func @limited(%x: tensor<4xui16>) -> tensor<4xsi16> {
  %y = qnn.table %x {entries = dense<-7> : tensor<1024xi32>, low = 0 : i64, clamp = array<i64: -8, 8>} : (tensor<4xui16>) -> tensor<4xsi16>
  return %y : tensor<4xsi16>
}

// -----

// Between two knots.
// CHECK-LABEL: @knots
// CHECK: arith.constant dense<{{.*}}> : tensor<513xi32>
// CHECK: arith.shrsi
// CHECK: arith.andi
// CHECK: tensor.extract
// CHECK: tensor.extract
// CHECK: arith.muli
// CHECK: arith.muli
// CHECK: arith.shrsi
func.func @knots(%x: tensor<4xsi16>) -> tensor<4xsi16> {
  %y = qnn.table %x {entries = dense<9> : tensor<513xi32>, low = -32768 : i64, shift = 7 : i64, clamp = array<i64: -8, 8>} : (tensor<4xsi16>) -> tensor<4xsi16>
  return %y : tensor<4xsi16>
}

// -----

// A gate for each channel repeats by its map.
// CHECK: #[[ALL:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK: #[[GATE:.*]] = affine_map<(d0, d1, d2) -> (0, d1, 0)>
// CHECK-LABEL: @gate
// CHECK: linalg.generic {indexing_maps = [#[[ALL]], #[[GATE]], #[[ALL]]]
// CHECK: arith.mulf
func.func @gate(%x: tensor<2x3x4xf32>, %g: tensor<1x3x1xf32>) -> tensor<2x3x4xf32> {
  %y = qnn.mul %x, %g {id = "y"} : (tensor<2x3x4xf32>, tensor<1x3x1xf32>) -> tensor<2x3x4xf32>
  return %y : tensor<2x3x4xf32>
}
