// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=layer.json 2>&1 | FileCheck %s --check-prefix=LAYER
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=absorbed.json 2>&1 | FileCheck %s --check-prefix=ABSORBED
// RUN: not quant-opt moves.mlir --quant-quantize-graph=plan=moves.json 2>&1 | FileCheck %s --check-prefix=MOVES
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=floatio.json 2>&1 | FileCheck %s --check-prefix=FLOATIO
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=empty.json 2>&1 | FileCheck %s --check-prefix=EMPTY
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=val.json 2>&1 | FileCheck %s --check-prefix=VAL
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=sum.json 2>&1 | FileCheck %s --check-prefix=SUM
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=output.json 2>&1 | FileCheck %s --check-prefix=OUTPUT
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=escape.json 2>&1 | FileCheck %s --check-prefix=ESCAPE
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=weightless.json 2>&1 | FileCheck %s --check-prefix=WEIGHTLESS
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=readers.json 2>&1 | FileCheck %s --check-prefix=READERS
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=unsigned.json 2>&1 | FileCheck %s --check-prefix=UNSIGNED
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=summand.json 2>&1 | FileCheck %s --check-prefix=SUMMAND
// RUN: not quant-opt softmax.mlir --quant-quantize-graph=plan=softbits.json 2>&1 | FileCheck %s --check-prefix=SOFTBITS
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=absent.json 2>&1 | FileCheck %s --check-prefix=ABSENT
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=kind.json 2>&1 | FileCheck %s --check-prefix=KIND
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=newer.json 2>&1 | FileCheck %s --check-prefix=NEWER
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=model.json 2>&1 | FileCheck %s --check-prefix=MODEL
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=headless.json 2>&1 | FileCheck %s --check-prefix=HEADLESS
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=narrow.json 2>&1 | FileCheck %s --check-prefix=NARROW
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=wide.json 2>&1 | FileCheck %s --check-prefix=WIDE
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=fraction.json 2>&1 | FileCheck %s --check-prefix=FRACTION
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=outbits.json 2>&1 | FileCheck %s --check-prefix=OUTBITS
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=flag.json 2>&1 | FileCheck %s --check-prefix=FLAG
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=sign.json 2>&1 | FileCheck %s --check-prefix=SIGN
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=operand.json 2>&1 | FileCheck %s --check-prefix=OPERAND
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=noperand.json 2>&1 | FileCheck %s --check-prefix=NOPERAND
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=rounding.json 2>&1 | FileCheck %s --check-prefix=ROUNDING
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=io.json 2>&1 | FileCheck %s --check-prefix=IO
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=section.json 2>&1 | FileCheck %s --check-prefix=SECTION
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=twice.json 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=text.json 2>&1 | FileCheck %s --check-prefix=TEXT
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=root.json 2>&1 | FileCheck %s --check-prefix=ROOT

// LAYER: error: plan: 'layers' names 'c', which the model does not have
// ABSORBED: error: plan: 'values' names 'r', which belongs to layer 'a', expected that
// MOVES: error: plan: 'values' names 't', which moves the numbers of 'a', expected that
// FLOATIO: error: floatio.json: outputs: has no meaning with io float, expected io integer
// EMPTY: error: empty.json: values: a name is empty, expected the ids and names of the model
// VAL: error: plan: 'values' names 'c', which the model does not have
// SUM: error: plan: 'adds' names 'a', which the model does not have
// OUTPUT: error: plan: 'outputs' names 'a', which the model does not have
// ESCAPE: error: plan: 'layers' names '\x1b[31m\n', which the model does not have
// WEIGHTLESS: error: plan: layer 's' has no weights, but the plan gives it 4 bits of them
// READERS: error: plan: layers 'b' and 's' read 'a' with 12 and 10 bits, expected one width
// UNSIGNED: error: plan: value 'a' has 16 unsigned bits, expected at most 15
// SUMMAND: error: plan: addition 's' reads an accumulator, but no operand is a convolution, matmul or average pool used by it alone
// SOFTBITS: error: plan: softmax 'p' has 8 bits, expected 15
// ABSENT: error: absent.json: {{[Nn]}}o such file or directory
// KIND: error: kind.json: kind: found 'report', expected 'plan'
// NEWER: error: newer.json: version: found 2, written by 'test', expected at most 1
// MODEL: error: model.json: model: found {{.*}}, expected a SHA-256 of 64 hexadecimal digits
// HEADLESS: error: headless.json: key 'model' is missing
// NARROW: error: narrow.json: layers.a.weights: found 1, expected an integer from 2 to 8
// WIDE: error: wide.json: layers.a.activations: found 17, expected an integer from 2 to 16
// FRACTION: error: fraction.json: values.a.bits: found 7.5, expected an integer from 2 to 16
// OUTBITS: error: outbits.json: outputs.s.bits: found 32, expected an integer from 2 to 16
// FLAG: error: flag.json: layers.a.float: found 1, expected true or false
// SIGN: error: sign.json: values.a.signed: found 'yes', expected true or false
// OPERAND: error: operand.json: adds.s.operand: 'sum', expected value or accumulator
// NOPERAND: error: noperand.json: adds.s: key 'operand' is missing
// ROUNDING: error: rounding.json: rounding: 'double', expected half_up or half_even
// IO: error: io.json: io: 'half', expected float or integer
// SECTION: error: section.json: layers: found an array, expected an object
// TWICE: error: twice.json: line 1: key 'io' is given twice
// TEXT: error: text.json: not JSON: {{.+}}
// ROOT: error: root.json: found an array, expected an object

//--- model.mlir
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

//--- softmax.mlir
func.func @main(%x: tensor<1x2xf32> {qnn.name = "x"}) -> (tensor<1x2xf32> {qnn.name = "p"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x2xf32>
  %0 = qnn.softmax %xr {id = "p", axis = 1 : i64} : (tensor<1x2xf32>) -> tensor<1x2xf32>
  %1 = qnn.range %0 {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x2xf32>
  %2 = qnn.add %1, %1 {id = "s"} : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %3 = qnn.range %2 {min = 0.0 : f32, max = 2.0 : f32} : tensor<1x2xf32>
  return %3 : tensor<1x2xf32>
}

//--- layer.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"c": {"weights": 4}}}

//--- val.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "values": {"c": {"bits": 4}}}

//--- sum.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "adds": {"a": {"operand": "value"}}}

//--- output.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "io": "integer", "outputs": {"a": {"bits": 8}}}

//--- escape.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"\u001b[31m\n": {"weights": 4}}}

//--- weightless.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"s": {"weights": 4}}}

//--- readers.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"b": {"activations": 12}, "s": {"activations": 10}}}

//--- unsigned.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "values": {"a": {"bits": 16, "signed": false}}}

//--- summand.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"b": {"float": true}}, "adds": {"s": {"operand": "accumulator"}}}

//--- softbits.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "values": {"p": {"bits": 8}}}

//--- kind.json
{"kind": "report"}

//--- newer.json
{"kind": "plan", "version": 2, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000"}

//--- model.json
{"kind": "plan", "version": 1, "producer": "test", "model": "000000000000000000000000000000000000000000000000000000000000000z"}

//--- headless.json
{"kind": "plan", "version": 1, "producer": "test"}

//--- narrow.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"a": {"weights": 1}}}

//--- wide.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"a": {"activations": 17}}}

//--- fraction.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "values": {"a": {"bits": 7.5}}}

//--- outbits.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "io": "integer", "outputs": {"s": {"bits": 32}}}

//--- flag.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"a": {"float": 1}}}

//--- sign.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "values": {"a": {"signed": "yes"}}}

//--- operand.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "adds": {"s": {"operand": "sum"}}}

//--- noperand.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "adds": {"s": {}}}

//--- rounding.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "rounding": "double"}

//--- io.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "io": "half"}

//--- section.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": []}

//--- twice.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "io": "float", "io": "float"}

//--- text.json
[1,

//--- root.json
[]

//--- moves.mlir
func.func @main(%x: tensor<1x2xf32> {qnn.name = "x"}) -> (tensor<2x1xf32> {qnn.name = "t"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x2xf32>
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %0 = qnn.matmul %xr, %w {id = "a"} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %1 = qnn.range %0 {min = 0.0 : f32, max = 255.0 : f32} : tensor<1x2xf32>
  %2 = qnn.transpose %1 {id = "t", permutation = array<i64: 1, 0>} : (tensor<1x2xf32>) -> tensor<2x1xf32>
  return %2 : tensor<2x1xf32>
}

//--- absorbed.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "values": {"r": {"bits": 4}}}

//--- moves.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "values": {"t": {"bits": 4}}}

//--- floatio.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "outputs": {"s": {"bits": 4}}}

//--- empty.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "values": {"": {"bits": 4}}}
