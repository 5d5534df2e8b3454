// RUN: quant-opt %s --pass-pipeline='builtin.module(quant-apply-ranges{ranges=x=-1:1,a=b=-3e-1:0x1p1,r=2:2})' | FileCheck %s
// RUN: not quant-opt %s --pass-pipeline='builtin.module(quant-apply-ranges{ranges=x=0:inf,a=b=0:1,r=0:1})' 2>&1 | FileCheck %s --check-prefix=INFINITE
// RUN: not quant-opt %s --pass-pipeline='builtin.module(quant-apply-ranges{ranges=x=nan:1,a=b=0:1,r=0:1})' 2>&1 | FileCheck %s --check-prefix=NAN
// RUN: not quant-opt %s --pass-pipeline='builtin.module(quant-apply-ranges{ranges=a=b=0:1,r=0:1})' 2>&1 | FileCheck %s --check-prefix=INPUT
// RUN: not quant-opt %s --pass-pipeline='builtin.module(quant-apply-ranges{ranges==0:1})' 2>&1 | FileCheck %s --check-prefix=NAMELESS
// RUN: not quant-opt %s --pass-pipeline='builtin.module(quant-apply-ranges{ranges=x=0:one})' 2>&1 | FileCheck %s --check-prefix=WORD

// All readers of a value go through its range, returns too. Ids may contain '='; a layer
// without id has no range; a ReLU that nothing absorbs has one.
// CHECK: %[[X:.*]] = qnn.range %arg0 {max = 1.000000e+00 : f32, min = -1.000000e+00 : f32}
// CHECK: %[[A:.*]] = qnn.add %[[X]], %[[X]] {id = "a=b"}
// CHECK: %[[AR:.*]] = qnn.range %[[A]] {max = 2.000000e+00 : f32, min = -3.000000e-01 : f32}
// CHECK: %[[R:.*]] = qnn.relu %[[AR]]
// CHECK: %[[RR:.*]] = qnn.range %[[R]] {max = 2.000000e+00 : f32, min = 2.000000e+00 : f32}
// CHECK: %[[S:.*]] = qnn.add %[[AR]], %[[RR]]
// CHECK-NOT: qnn.range
// CHECK: return %[[AR]], %[[S]]
// INFINITE: error: range [0.000000e+00, {{.*}}] of value 'x', expected finite ordered numbers
// NAN: error: range [{{.*}}, 1.000000e+00] of value 'x', expected finite ordered numbers
// INPUT: error: no range for value 'x', expected one in the calibration table
// NAMELESS: error: range '=0:1', expected ID=MIN:MAX
// WORD: error: range 'x=0:one', expected ID=MIN:MAX
func.func @main(%x: tensor<4xf32> {qnn.name = "x"}) -> (tensor<4xf32> {qnn.name = "a=b"}, tensor<4xf32> {qnn.name = "s"}) {
  %a = qnn.add %x, %x {id = "a=b"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %r = qnn.relu %a {id = "r"} : tensor<4xf32>
  %s = qnn.add %a, %r : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %a, %s : tensor<4xf32>, tensor<4xf32>
}
