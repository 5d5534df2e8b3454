// RUN: split-file %s %t
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/reshape.json uniform" | FileCheck %s --check-prefix=RESHAPE
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/transpose.json uniform" | FileCheck %s --check-prefix=TRANSPOSE
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/slice.json uniform" | FileCheck %s --check-prefix=SLICE
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/integer.json uniform" | FileCheck %s --check-prefix=INTEGER

// A move in float reads the stored value like any other float layer, also behind another
// move of a layer whose accumulator would be the output otherwise.
// RESHAPE: %[[A:.*]] = qnn.matmul {{.*}} -> tensor<1x4x!quant.uniform<u8
// RESHAPE: %[[D:.*]] = quant.dcast %[[A]]
// RESHAPE: %[[R:.*]] = qnn.reshape %[[D]] {id = "r"} : (tensor<1x4xf32>) -> tensor<2x2xf32>
// RESHAPE: %[[Q:.*]] = quant.qcast %[[R]]
// RESHAPE: %[[T:.*]] = qnn.transpose %[[Q]] {{.*}} -> tensor<2x2x!quant.uniform<u8
// RESHAPE: %[[S:.*]] = qnn.slice %[[T]] {{.*}} -> tensor<1x2x!quant.uniform<u8
// RESHAPE: %[[E:.*]] = quant.dcast %[[S]]
// RESHAPE: return %[[E]]

// TRANSPOSE: %[[A:.*]] = qnn.matmul {{.*}} -> tensor<1x4x!quant.uniform<u8
// TRANSPOSE: %[[R:.*]] = qnn.reshape %[[A]] {{.*}} -> tensor<2x2x!quant.uniform<u8
// TRANSPOSE: %[[D:.*]] = quant.dcast %[[R]]
// TRANSPOSE: qnn.transpose %[[D]] {{.*}} -> tensor<2x2xf32>

// SLICE: %[[A:.*]] = qnn.matmul {{.*}} -> tensor<1x4x!quant.uniform<u8
// SLICE: %[[R:.*]] = qnn.reshape %[[A]] {{.*}} -> tensor<2x2x!quant.uniform<u8
// SLICE: %[[T:.*]] = qnn.transpose %[[R]] {{.*}} -> tensor<2x2x!quant.uniform<u8
// SLICE: %[[D:.*]] = quant.dcast %[[T]]
// SLICE: %[[S:.*]] = qnn.slice %[[D]] {{.*}} -> tensor<1x2xf32>
// SLICE: return %[[S]]

// INTEGER: qnn.matmul {{.*}} -> tensor<1x4x!quant.uniform<u8
// INTEGER: qnn.slice {{.*}} -> tensor<1x2xf32>
// INTEGER: qnn.requantize {{.*}} -> tensor<1x2x!quant.uniform<i16

//--- model.mlir
func.func @main(%x: tensor<1x2xf32> {qnn.name = "x"}) -> (tensor<1x2xf32> {qnn.name = "s"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x2xf32>
  %w = arith.constant dense<[[1.0, 0.5, -1.0, 0.25], [0.0, 1.0, 1.0, 1.0]]> : tensor<2x4xf32>
  %0 = qnn.matmul %xr, %w {id = "a"} : (tensor<1x2xf32>, tensor<2x4xf32>) -> tensor<1x4xf32>
  %1 = qnn.range %0 {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x4xf32>
  %2 = qnn.reshape %1 {id = "r"} : (tensor<1x4xf32>) -> tensor<2x2xf32>
  %3 = qnn.transpose %2 {id = "t", permutation = array<i64: 1, 0>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %4 = qnn.slice %3 {id = "s", offsets = array<i64: 1, 0>, steps = array<i64: 1, 1>} : (tensor<2x2xf32>) -> tensor<1x2xf32>
  return %4 : tensor<1x2xf32>
}

//--- reshape.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"r": {"float": true}}}

//--- transpose.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"t": {"float": true}}}

//--- slice.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"s": {"float": true}}}

//--- integer.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "io": "integer", "layers": {"s": {"float": true}}}
