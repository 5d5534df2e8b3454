// RUN: quant-opt %s --quant-pack-float-layers="lanes=8 rows=6" -split-input-file | FileCheck %s
// RUN: quant-opt %s --quant-pack-float-layers -split-input-file | FileCheck %s --check-prefix=NONE

// The border is a pad of lines; a line of the kernel over all channels is one run; the ReLU is fused.
// CHECK-LABEL: func.func @conv
// CHECK: %[[L:.*]] = qnn.reshape %{{.*}} : (tensor<1x4x4x4xf32>) -> tensor<1x4x16xf32>
// CHECK: %[[P:.*]] = qnn.pad %[[L]] {high = array<i64: 0, 1, 4>, low = array<i64: 0, 1, 4>} : (tensor<1x4x16xf32>) -> tensor<1x6x24xf32>
// CHECK: %[[X:.*]] = qnn.reshape %[[P]] : (tensor<1x6x24xf32>) -> tensor<1x6x6x4xf32>
// CHECK: %[[D:.*]] = tensor.empty() : tensor<1x4x4x20xf32>
// CHECK: %[[Y:.*]] = qnn.packed_float_conv ins(%[[X]], %{{.*}}, %{{.*}}) outs(%[[D]])
// CHECK-SAME: groups = 1 : i64, high = 0x7F800000 : f32, lanes = 8 : i64, line = 24 : i64, low = 0.000000e+00 : f32,
// CHECK-SAME: pixel = 4 : i64, rows = 6 : i64, run = 12 : i64, tap_line = 24 : i64, tap_pixel = 4 : i64, taps = array<i64: 3, 1>
// CHECK-SAME: (tensor<1x6x6x4xf32>, tensor<1152xf32>, tensor<32xf32>, tensor<1x4x4x20xf32>)
// CHECK: return %[[Y]]
// NONE-LABEL: func.func @conv
// NONE: qnn.conv
// NONE-NOT: packed
func.func @conv(%x: tensor<1x4x4x4xf32>) -> tensor<1x4x4x20xf32> {
  %w = arith.constant dense<3.0> : tensor<20x4x3x3xf32>
  %b = arith.constant dense<5.0> : tensor<20xf32>
  %a = qnn.conv %x, %w, %b {channels_last, id = "c", pads = array<i64: 1, 1, 1, 1>}
      : (tensor<1x4x4x4xf32>, tensor<20x4x3x3xf32>, tensor<20xf32>) -> tensor<1x4x4x20xf32>
  %y = qnn.relu %a {id = "r"} : tensor<1x4x4x20xf32>
  return %y : tensor<1x4x4x20xf32>
}

// -----

// A panel has its 16 channels for each input of each tap; the last panel is filled up. Without a bias there are zeros.
// CHECK-LABEL: func.func @order
// CHECK-DAG: dense<[1.000000e+00, 3.000000e+00, 0.000000e+00, {{.*}}, 2.000000e+00, 4.000000e+00, 0.000000e+00, {{.*}}]> : tensor<32xf32>
// CHECK-DAG: dense<0.000000e+00> : tensor<16xf32>
func.func @order(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %w = arith.constant dense<[[1.0, 3.0], [2.0, 4.0]]> : tensor<2x2xf32>
  %y = qnn.matmul %x, %w {id = "m"} : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

// A residual that is made later than the sums, then a Clip: the kernel takes the place of the last.
// CHECK-LABEL: func.func @residual
// CHECK: %[[M:.*]] = qnn.max_pool
// CHECK: qnn.packed_float_depthwise ins(%{{.*}}, %{{.*}}, %{{.*}}, %[[M]]) outs(%{{[0-9]+}})
// CHECK-SAME: high = 6.000000e+00 : f32
// CHECK-SAME: low = -1.000000e+00 : f32
// CHECK-SAME: tap_line = 112 : i64, tap_pixel = 16 : i64, taps = array<i64: 3, 3>
func.func @residual(%x: tensor<1x7x7x16xf32>) -> tensor<1x5x5x16xf32> {
  %w = arith.constant dense<-3.0> : tensor<16x1x3x3xf32>
  %a = qnn.conv %x, %w {channels_last, id = "c", group = 16 : i64}
      : (tensor<1x7x7x16xf32>, tensor<16x1x3x3xf32>) -> tensor<1x5x5x16xf32>
  %m = qnn.max_pool %x {channels_last, kernel = array<i64: 3, 3>, id = "p"} : (tensor<1x7x7x16xf32>) -> tensor<1x5x5x16xf32>
  %s = qnn.add %m, %a {id = "s"} : (tensor<1x5x5x16xf32>, tensor<1x5x5x16xf32>) -> tensor<1x5x5x16xf32>
  %y = qnn.clip %s {id = "y", min = -1.0 : f32, max = 6.0 : f32} : tensor<1x5x5x16xf32>
  return %y : tensor<1x5x5x16xf32>
}

// -----

// Sums with other readers are stored as they are, and so are those that meet another shape.
// CHECK-LABEL: func.func @readers
// CHECK: qnn.packed_float_conv {{.*}}high = 0x7F800000 : f32, {{.*}}low = 0xFF800000 : f32
// CHECK: qnn.relu
// CHECK: qnn.packed_float_conv {{.*}}high = 0x7F800000 : f32, {{.*}}low = 0xFF800000 : f32
// CHECK: qnn.add
func.func @readers(%x: tensor<3x4xf32>, %r: tensor<1x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) {
  %w = arith.constant dense<2.0> : tensor<4x4xf32>
  %a = qnn.matmul %x, %w {id = "a"} : (tensor<3x4xf32>, tensor<4x4xf32>) -> tensor<3x4xf32>
  %b = qnn.relu %a {id = "b"} : tensor<3x4xf32>
  %c = qnn.matmul %x, %w {id = "c"} : (tensor<3x4xf32>, tensor<4x4xf32>) -> tensor<3x4xf32>
  %d = qnn.add %c, %r {id = "d"} : (tensor<3x4xf32>, tensor<1x4xf32>) -> tensor<3x4xf32>
  return %a, %b, %d : tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>
}

// -----

// Not packed: integers, three dimensions, weights that are no constants.
// CHECK-LABEL: func.func @others
// CHECK-NOT: packed
func.func @others(%i: tensor<3x4xui8>, %x: tensor<1x3x3x3x4xf32>, %y: tensor<3x4xf32>, %v: tensor<4x16xf32>)
    -> (tensor<3x16xsi32>, tensor<1x2x2x2x4xf32>, tensor<3x16xf32>) {
  %w = arith.constant dense<127> : tensor<4x16xsi8>
  %a = qnn.matmul %i, %w {id = "m", x_zp = 0 : i64} : (tensor<3x4xui8>, tensor<4x16xsi8>) -> tensor<3x16xsi32>
  %u = arith.constant dense<2.0> : tensor<4x4x2x2x2xf32>
  %b = qnn.conv %x, %u {channels_last, id = "c"} : (tensor<1x3x3x3x4xf32>, tensor<4x4x2x2x2xf32>) -> tensor<1x2x2x2x4xf32>
  %c = qnn.matmul %y, %v {id = "n"} : (tensor<3x4xf32>, tensor<4x16xf32>) -> tensor<3x16xf32>
  return %a, %b, %c : tensor<3x16xsi32>, tensor<1x2x2x2x4xf32>, tensor<3x16xf32>
}
