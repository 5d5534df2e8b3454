// RUN: quant-opt %s --quant-quantize-graph | FileCheck %s

// A constant output is returned as it is.
// CHECK-LABEL: @main
// CHECK: %[[C:.*]] = arith.constant dense<[-1.000000e+00, 3.000000e-01]> : tensor<2xf32>
// CHECK: return %{{.*}}, %[[C]]
func.func @main(%x: tensor<1x2xf32> {qnn.name = "x"}) -> (tensor<1x2xf32> {qnn.name = "x"}, tensor<2xf32> {qnn.name = "c"}) {
  %xr = qnn.range %x {min = 0.0 : f32, max = 1.0 : f32} : tensor<1x2xf32>
  %c = arith.constant dense<[-1.0, 0.3]> : tensor<2xf32>
  return %xr, %c : tensor<1x2xf32>, tensor<2xf32>
}
