// RUN: split-file %s %t
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="activations=4" | FileCheck %s --check-prefix=DEFAULT
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/asked.json" | FileCheck %s --check-prefix=DEFAULT
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/wide.json activations=4" | FileCheck %s --check-prefix=WIDE
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/narrow.json activations=4" | FileCheck %s --check-prefix=NARROW
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/float.json activations=4" | FileCheck %s --check-prefix=FLOAT
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="activations=4 uniform" | FileCheck %s --check-prefix=NARROW
// RUN: not quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/more.json" 2>&1 | FileCheck %s --check-prefix=MORE

// An addition reads 8 bits of a residual stream, convolutions one copy with 4, behind a pool too; the copy has a range
// of its own. What only a convolution reads has 4.
// DEFAULT: %[[X:.*]] = quant.qcast {{.*}}!quant.uniform<u8:f32, 1.000000e+00>>
// DEFAULT: %[[C:.*]] = qnn.requantize %[[X]] {{.*}}-> tensor<1x1x4x4x!quant.uniform<u4:f32, 1.000000e+01>>
// DEFAULT: %[[A:.*]] = qnn.conv %[[C]], %{{.*}}id = "a"{{.*}}!quant.uniform<u4:f32, {{.*}}>>
// DEFAULT: %[[D:.*]] = qnn.conv %[[C]], %{{.*}}id = "d"
// DEFAULT: %[[B:.*]] = qnn.conv %[[A]], %{{.*}}id = "b"{{.*}}!quant.uniform<i32
// DEFAULT: %[[S:.*]] = qnn.add %[[B]], %[[X]] {id = "s"} {{.*}}-> tensor<1x1x4x4x!quant.uniform<u8:f32
// DEFAULT: %[[P:.*]] = qnn.max_pool %[[S]]
// DEFAULT: %[[Q:.*]] = qnn.requantize %[[P]] {{.*}}-> tensor<1x1x2x2x!quant.uniform<u4:f32
// DEFAULT: qnn.conv %[[Q]], %{{.*}}id = "e"
// DEFAULT: qnn.avg_pool %[[S]]

// The plan's own words: 12 bits with a copy of 6, signed.
// WIDE: %[[X:.*]] = quant.qcast {{.*}}!quant.uniform<i12:f32
// WIDE: %[[C:.*]] = qnn.requantize %[[X]] {{.*}}!quant.uniform<i6:f32, {{.*}}:-32>>
// WIDE: qnn.conv %[[C]], %{{.*}}id = "a"

// A width that is stated alone is that of the operands too.
// NARROW: %[[X:.*]] = quant.qcast {{.*}}!quant.uniform<u4:f32
// NARROW-NOT: qnn.requantize
// NARROW: qnn.conv %[[X]], %{{.*}}id = "a"

// A layer in float reads the copy as well.
// FLOAT: %[[C:.*]] = qnn.requantize %{{.*}}!quant.uniform<u4
// FLOAT: %[[R:.*]] = quant.dcast %[[C]]
// FLOAT: qnn.conv %[[R]], %{{.*}}id = "a"

// MORE: error: plan: value 'x' has 5 bits and is read with 6, expected at most as many

//--- model.mlir
func.func @main(%x: tensor<1x1x4x4xf32> {qnn.name = "x"}) -> (tensor<1x1x4x4xf32> {qnn.name = "d"}, tensor<1x1x2x2xf32> {qnn.name = "e"}, tensor<1x1x2x2xf32> {qnn.name = "m"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 255.0 : f32, operand_min = 0.0 : f32, operand_max = 150.0 : f32} : tensor<1x1x4x4xf32>
  %w = arith.constant dense<0.5> : tensor<1x1x1x1xf32>
  %0 = qnn.conv %xr, %w {id = "a", dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, strides = array<i64: 1, 1>} : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %1 = qnn.range %0 {min = 0.0 : f32, max = 120.0 : f32} : tensor<1x1x4x4xf32>
  %2 = qnn.conv %xr, %w {id = "d", dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, strides = array<i64: 1, 1>} : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %3 = qnn.range %2 {min = 0.0 : f32, max = 120.0 : f32} : tensor<1x1x4x4xf32>
  %4 = qnn.conv %1, %w {id = "b", dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, strides = array<i64: 1, 1>} : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %5 = qnn.range %4 {min = 0.0 : f32, max = 60.0 : f32} : tensor<1x1x4x4xf32>
  %6 = qnn.add %5, %xr {id = "s"} : (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  %7 = qnn.range %6 {min = 0.0 : f32, max = 300.0 : f32} : tensor<1x1x4x4xf32>
  %8 = qnn.max_pool %7 {id = "p", dilations = array<i64: 1, 1>, kernel = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, strides = array<i64: 2, 2>} : (tensor<1x1x4x4xf32>) -> tensor<1x1x2x2xf32>
  %9 = qnn.conv %8, %w {id = "e", dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, strides = array<i64: 1, 1>} : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  %10 = qnn.range %9 {min = 0.0 : f32, max = 60.0 : f32} : tensor<1x1x2x2xf32>
  %11 = qnn.avg_pool %7 {id = "m", dilations = array<i64: 1, 1>, kernel = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, strides = array<i64: 2, 2>} : (tensor<1x1x4x4xf32>) -> tensor<1x1x2x2xf32>
  %12 = qnn.range %11 {min = 0.0 : f32, max = 60.0 : f32} : tensor<1x1x2x2xf32>
  return %3, %10, %12 : tensor<1x1x4x4xf32>, tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>
}

//--- asked.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"a": {"activations": 4}, "b": {"activations": 4}, "e": {"activations": 4}}}

//--- wide.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "values": {"x": {"bits": 12, "operands": 6, "signed": true}}}

//--- narrow.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "values": {"x": {"bits": 4}, "s": {"bits": 4}}}

//--- float.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"a": {"float": true}}}

//--- more.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "values": {"x": {"bits": 5, "operands": 6}}}
