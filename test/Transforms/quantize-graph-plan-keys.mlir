// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=unknown.json 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not quant-opt model.mlir --quant-quantize-graph=plan=key.json 2>&1 | FileCheck %s --check-prefix=KEY

// An unknown key is told with all that are known, optional ones too.
// UNKNOWN: error: unknown.json: unknown key 'laers', expected adds, defaults, io, kind, layers, model, outputs, producer, rounding, schedules, values, version
// KEY: error: key.json: layers.a: unknown key 'weight', expected activations, float, weights

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

//--- unknown.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "laers": {}}

//--- key.json
{"kind": "plan", "version": 1, "producer": "test", "model": "0000000000000000000000000000000000000000000000000000000000000000", "layers": {"a": {"weight": 4}}}
