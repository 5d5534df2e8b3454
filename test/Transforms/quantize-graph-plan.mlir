// RUN: split-file %s %t
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/empty.json" | FileCheck %s --check-prefix=EMPTY
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/value.json" | FileCheck %s --check-prefix=VALUE
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/accumulator.json" | FileCheck %s --check-prefix=ACCUMULATOR
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/weights.json" | FileCheck %s --check-prefix=WEIGHTS
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/reads.json" | FileCheck %s --check-prefix=READS
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/values.json" | FileCheck %s --check-prefix=VALUES
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/both.json" | FileCheck %s --check-prefix=BOTH
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/float.json" | FileCheck %s --check-prefix=FLOAT
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/sum.json" | FileCheck %s --check-prefix=SUM
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/integer.json" | FileCheck %s --check-prefix=INTEGER
// RUN: quant-opt %t/model.mlir --quant-quantize-graph="plan=%t/defaults.json weights=3 activations=6" | FileCheck %s --check-prefix=DEFAULTS

// A plan may say nothing: the defaults, and an accumulator where an addition can read one.
// EMPTY: qnn.conv {{.*}}id = "a"{{.*}} -> tensor<1x1x2x2x!quant.uniform<u8:f32, 1.000000e+00>>
// EMPTY: qnn.conv {{.*}}id = "b"{{.*}} -> tensor<1x1x2x2x!quant.uniform<i32:f32:1
// EMPTY: qnn.add {{.*}} -> tensor<1x1x2x2x!quant.uniform<i16:f32, {{.*}}:-32768>>

// Both operands as values.
// VALUE: qnn.conv {{.*}}id = "b"{{.*}} -> tensor<1x1x2x2x!quant.uniform<i16:f32, {{.*}}:-32768>>
// VALUE: qnn.add

// What the default is, said.
// ACCUMULATOR: qnn.conv {{.*}}id = "b"{{.*}} -> tensor<1x1x2x2x!quant.uniform<i32:f32:1

// Four bits of one layer alone.
// WEIGHTS: arith.constant dense<127> : tensor<1x1x1x1xi8>
// WEIGHTS: arith.constant dense<7> : tensor<1x1x1x1xi4>
// WEIGHTS: quant.scast {{.*}}!quant.uniform<i4<-7:7>:f32:0, {{{.*}}}>>
// WEIGHTS: qnn.conv {{.*}}id = "b"

// The width that a layer asks for is that of the value which it reads.
// READS: quant.qcast {{.*}}!quant.uniform<u8
// READS: qnn.conv {{.*}}id = "a"{{.*}} -> tensor<1x1x2x2x!quant.uniform<u12:f32, {{[^:]*}}>>
// READS: qnn.add {{.*}} -> tensor<1x1x2x2x!quant.uniform<i16

// Values by their own names, inputs too; 16 bits are signed.
// VALUES: quant.qcast {{.*}}!quant.uniform<i5:f32, {{.*}}:-16>>
// VALUES: qnn.conv {{.*}}id = "a"{{.*}} -> tensor<1x1x2x2x!quant.uniform<i16:f32, {{.*}}:-32768>>
// 12 bits of a ratio of 2^-9 move the sum's scale from 2.
// VALUES: qnn.add {{.*}} -> tensor<1x1x2x2x!quant.uniform<i8:f32, 2.0000305{{[0-9]*}}:-128>>

// The value's own entry decides where its readers disagree.
// BOTH: qnn.conv {{.*}}id = "a"{{.*}} -> tensor<1x1x2x2x!quant.uniform<u6:f32

// A float layer keeps its ReLU and its weights, between an exit and an entry.
// FLOAT: %[[Q:.*]] = quant.qcast %arg0
// FLOAT: %[[D:.*]] = quant.dcast %[[Q]]
// FLOAT: %[[Y:.*]] = qnn.conv %[[D]], %{{.*}} {id = "a"} : {{.*}} -> tensor<1x1x2x2xf32>
// FLOAT: %[[R:.*]] = qnn.relu %[[Y]] {id = "r"}
// FLOAT: %[[E:.*]] = quant.qcast %[[R]]
// FLOAT: qnn.conv %[[E]], %{{.*}} {id = "b"}
// FLOAT: qnn.add %{{.*}}, %[[E]]

// A float layer that makes the output is the output.
// SUM: %[[A:.*]] = qnn.conv {{.*}}id = "a"{{.*}} -> tensor<1x1x2x2x!quant.uniform<u8
// SUM: %[[B:.*]] = qnn.conv {{.*}}id = "b"{{.*}} -> tensor<1x1x2x2x!quant.uniform<i16
// SUM-DAG: %[[DB:.*]] = quant.dcast %[[B]]
// SUM-DAG: %[[DA:.*]] = quant.dcast %[[A]]
// SUM: %[[S:.*]] = qnn.add %[[DB]], %[[DA]]
// SUM-NOT: quant.qcast
// SUM: return %[[S]]

// Integers in and out; an output has a width of its own and is signed.
// INTEGER: func.func @main
// INTEGER-SAME: %arg0: tensor<1x1x2x2x!quant.uniform<u8:f32, 1.000000e+00>> {qnn.name = "x"}
// INTEGER: %[[S:.*]] = qnn.add {{.*}} -> tensor<1x1x2x2x!quant.uniform<i16:f32, {{.*}}:-32768>>
// INTEGER: %[[O:.*]] = qnn.requantize %[[S]] : {{.*}} -> tensor<1x1x2x2x!quant.uniform<i5:f32, {{.*}}:-16>>
// INTEGER: return %[[O]]

// The options are for what the plan does not name.
// DEFAULTS: quant.qcast {{.*}}!quant.uniform<u6
// DEFAULTS: arith.constant dense<127> : tensor<1x1x1x1xi8>
// DEFAULTS: arith.constant dense<3> : tensor<1x1x1x1xi3>

//--- model.mlir
// The scales are 1 where a range is [0, 255] and the weight 127 (or 7 at 4 bits).
func.func @main(%x: tensor<1x1x2x2xf32> {qnn.name = "x"}) -> (tensor<1x1x2x2xf32> {qnn.name = "s"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x1x2x2xf32>
  %w = arith.constant dense<127.0> : tensor<1x1x1x1xf32>
  %0 = qnn.conv %xr, %w {id = "a"} : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  %1 = qnn.relu %0 {id = "r"} : tensor<1x1x2x2xf32>
  %2 = qnn.range %1 {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x1x2x2xf32>
  %3 = qnn.conv %2, %w {id = "b"} : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  %4 = qnn.range %3 {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x1x2x2xf32>
  %5 = qnn.add %4, %2 {id = "s"} : (tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32>
  %6 = qnn.range %5 {min = 0.0 : f32, max = 510.0 : f32} : tensor<1x1x2x2xf32>
  return %6 : tensor<1x1x2x2xf32>
}

//--- empty.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000"}

//--- value.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "adds": {"s": {"operand": "value"}}}

//--- accumulator.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "adds": {"s": {"operand": "accumulator"}}}

//--- weights.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"b": {"weights": 4}}}

//--- reads.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"b": {"activations": 12}}}

//--- values.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "values": {"x": {"bits": 5, "signed": true}, "a": {"bits": 16}, "s": {"bits": 8, "signed": true}}}

//--- both.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"b": {"activations": 12}, "s": {"activations": 10}}, "values": {"a": {"bits": 6}}}

//--- float.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"a": {"float": true}}}

//--- sum.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"s": {"float": true}}}

//--- integer.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "io": "integer", "outputs": {"s": {"bits": 5}}}

//--- defaults.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"a": {"weights": 8}}}
