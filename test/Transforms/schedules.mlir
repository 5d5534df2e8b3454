// RUN: quant-opt %s --quant-pack-layers="byte-dot=maddubs word-dot=maddwd" | FileCheck %s
// RUN: sed -e 's/"lines"/"columns"/' %s | not quant-opt - --quant-pack-layers="byte-dot=maddubs word-dot=maddwd" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: sed -e 's/rows = 3/rows = 13/' %s | not quant-opt - --quant-pack-layers="byte-dot=maddubs word-dot=maddwd" 2>&1 | FileCheck %s --check-prefix=ROWS
// RUN: sed -e 's/"direct"/"winograd"/' %s | not quant-opt - --quant-pack-layers="byte-dot=maddubs word-dot=maddwd" 2>&1 | FileCheck %s --check-prefix=WINOGRAD

// UNKNOWN: error: schedule of layer 'c' is {{.*}}, expected {kernel = "direct" or "winograd", order = "lines" or "panels", rows = 1 to 12}
// ROWS: error: schedule of layer 'c' is
// WINOGRAD: error: schedule: this layer has no exact Winograd convolution, expected 3x3 windows that move by one

// The module says how a layer's kernel goes about it; other layers are left to the compiler.
module attributes {dyadic.schedule = {c = {kernel = "direct", order = "lines", rows = 3 : i64}}} {
// CHECK-LABEL: func.func @scheduled
// CHECK: qnn.packed_conv {{.*}}order = #qnn.loop_order<lines>, {{.*}}rows = 3 : i64
// CHECK-NOT: order =
// CHECK: return
func.func @scheduled(%x: tensor<1x4x4x4xui8>) -> (tensor<1x4x4x16xsi32>, tensor<1x4x4x16xsi32>) {
  %w = arith.constant dense<3> : tensor<16x4x1x1xsi8>
  %b = arith.constant dense<5> : tensor<16xsi32>
  %a = qnn.conv %x, %w, %b {channels_last, id = "c", x_zp = 7 : i64}
      : (tensor<1x4x4x4xui8>, tensor<16x4x1x1xsi8>, tensor<16xsi32>) -> tensor<1x4x4x16xsi32>
  %d = qnn.conv %x, %w, %b {channels_last, id = "d", x_zp = 7 : i64}
      : (tensor<1x4x4x4xui8>, tensor<16x4x1x1xsi8>, tensor<16xsi32>) -> tensor<1x4x4x16xsi32>
  return %a, %d : tensor<1x4x4x16xsi32>, tensor<1x4x4x16xsi32>
}
}
