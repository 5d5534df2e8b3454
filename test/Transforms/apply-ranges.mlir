// RUN: quant-opt %s --pass-pipeline='builtin.module(quant-apply-ranges{ranges=x=-1:1,conv=0:5.5,pool=0:2})' | FileCheck %s
// RUN: not quant-opt %s --pass-pipeline='builtin.module(quant-apply-ranges{ranges=x=-1:1,conv=0:5.5})' 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not quant-opt %s --pass-pipeline='builtin.module(quant-apply-ranges{ranges=x=1:-1,conv=0:5.5,pool=0:2})' 2>&1 | FileCheck %s --check-prefix=ORDER
// RUN: not quant-opt %s --pass-pipeline='builtin.module(quant-apply-ranges{ranges=x})' 2>&1 | FileCheck %s --check-prefix=FORM

// The range of a layer is that of its value after the activation it absorbs.
// CHECK: %[[X:.*]] = qnn.range %arg0 {max = 1.000000e+00 : f32, min = -1.000000e+00 : f32}
// CHECK: %[[Y:.*]] = qnn.conv %[[X]]
// CHECK: %[[Z:.*]] = qnn.relu %[[Y]]
// CHECK: %[[R:.*]] = qnn.range %[[Z]] {max = 5.500000e+00 : f32, min = 0.000000e+00 : f32}
// CHECK: qnn.max_pool %[[R]]
// MISSING: error: no range for value 'pool', expected one in the calibration table
// ORDER: error: range [1.000000e+00, -1.000000e+00] of value 'x', expected finite ordered numbers
// FORM: error: range 'x', expected ID=MIN:MAX
func.func @main(%x: tensor<1x1x4x4xf32> {qnn.name = "x"}) -> (tensor<1x1x2x2xf32> {qnn.name = "pool"}) {
  %w = arith.constant dense<1.0> : tensor<1x1x1x1xf32>
  %y = qnn.conv %x, %w {id = "conv"} : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %z = qnn.relu %y {id = "relu"} : tensor<1x1x4x4xf32>
  %p = qnn.max_pool %z {id = "pool", kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x1x4x4xf32>) -> tensor<1x1x2x2xf32>
  return %p : tensor<1x1x2x2xf32>
}
