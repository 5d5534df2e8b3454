// RUN: not quant-opt %s --quant-derive-ranges 2>&1 | FileCheck %s --check-prefix=INPUT
// RUN: not quant-opt %s --pass-pipeline='builtin.module(quant-derive-ranges{inputs=x=0:1,y=0:1})' 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not quant-opt %s --pass-pipeline='builtin.module(quant-derive-ranges{inputs=x})' 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not quant-opt %s --pass-pipeline='builtin.module(quant-derive-ranges{inputs=x=0:1})' 2>&1 | FileCheck %s --check-prefix=FINITE
// RUN: not quant-opt %S/apply-ranges.mlir --pass-pipeline='builtin.module(quant-derive-ranges{inputs=x=0:1})' 2>&1 | FileCheck %s --check-prefix=NONE

// INPUT: error: no range for input 'x', which batch normalization does not tell, expected --input-range=x:LOW,HIGH
// NAME: error: a range is given for 'y', expected one of the inputs 'x'
// FORM: error: range 'x', expected ID=MIN:MAX
// FINITE: error: 'qnn.map' op reaches from 0.000000e+00 to INF by what batch normalization tells, expected finite numbers, or --calibration=PATH
// NONE: error: no batch normalization, from which --calibration-method=batchnorm takes ranges, expected some, or --calibration=PATH with representative inputs
func.func @main(%x: tensor<1x1x4xf32> {qnn.name = "x"}) -> (tensor<1x1x4xf32> {qnn.name = "e"}) {
  %w = arith.constant dense<1.0> : tensor<1x1x1xf32>
  %a = qnn.conv %x, %w {id = "a", qnn.moments = array<f64: 0.0, 1.0e9>} : (tensor<1x1x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x4xf32>
  %e = qnn.map %a {id = "e"} : (tensor<1x1x4xf32>) -> tensor<1x1x4xf32> {
  ^bb0(%n: f32):
    %s = math.exp %n : f32
    qnn.yield %s : f32
  }
  return %e : tensor<1x1x4xf32>
}
