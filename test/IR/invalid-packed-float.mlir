// RUN: quant-opt %s -split-input-file -verify-diagnostics

func.func @beyond(%x: tensor<1x1x3x4xf32>, %w: tensor<64xf32>, %b: tensor<16xf32>, %d: tensor<1x1x4x16xf32>) -> tensor<1x1x4x16xf32> {
  // expected-error@+1 {{reads 16 elements of an image of 12}}
  %y = qnn.packed_float_conv ins(%x, %w, %b) outs(%d) {groups = 1 : i64, high = 0x7F800000 : f32, lanes = 8 : i64, line = 12 : i64, low = 0.0 : f32, pixel = 4 : i64, rows = 6 : i64, run = 4 : i64, tap_line = 12 : i64, tap_pixel = 4 : i64, taps = array<i64: 1, 1>} : (tensor<1x1x3x4xf32>, tensor<64xf32>, tensor<16xf32>, tensor<1x1x4x16xf32>) -> tensor<1x1x4x16xf32>
  return %y : tensor<1x1x4x16xf32>
}

// -----

func.func @weights(%x: tensor<1x1x3x4xf32>, %w: tensor<64xf32>, %b: tensor<16xf32>, %d: tensor<1x1x3x17xf32>) -> tensor<1x1x3x17xf32> {
  // expected-error@+1 {{weights of type 'tensor<64xf32>' and bias of type 'tensor<16xf32>', expected 128 and 32 numbers}}
  %y = qnn.packed_float_conv ins(%x, %w, %b) outs(%d) {groups = 1 : i64, high = 0x7F800000 : f32, lanes = 8 : i64, line = 12 : i64, low = 0.0 : f32, pixel = 4 : i64, rows = 6 : i64, run = 4 : i64, tap_line = 12 : i64, tap_pixel = 4 : i64, taps = array<i64: 1, 1>} : (tensor<1x1x3x4xf32>, tensor<64xf32>, tensor<16xf32>, tensor<1x1x3x17xf32>) -> tensor<1x1x3x17xf32>
  return %y : tensor<1x1x3x17xf32>
}

// -----

func.func @lanes(%x: tensor<1x1x3x4xf32>, %w: tensor<64xf32>, %b: tensor<16xf32>, %d: tensor<1x1x3x16xf32>) -> tensor<1x1x3x16xf32> {
  // expected-error@+1 {{3 lanes and 6 rows, expected a divisor of 16 and at least 1}}
  %y = qnn.packed_float_conv ins(%x, %w, %b) outs(%d) {groups = 1 : i64, high = 0x7F800000 : f32, lanes = 3 : i64, line = 12 : i64, low = 0.0 : f32, pixel = 4 : i64, rows = 6 : i64, run = 4 : i64, tap_line = 12 : i64, tap_pixel = 4 : i64, taps = array<i64: 1, 1>} : (tensor<1x1x3x4xf32>, tensor<64xf32>, tensor<16xf32>, tensor<1x1x3x16xf32>) -> tensor<1x1x3x16xf32>
  return %y : tensor<1x1x3x16xf32>
}

// -----

func.func @bounds(%x: tensor<1x1x3x4xf32>, %w: tensor<64xf32>, %b: tensor<16xf32>, %d: tensor<1x1x3x16xf32>) -> tensor<1x1x3x16xf32> {
  // expected-error@+1 {{bounds that are not in order, expected low <= high}}
  %y = qnn.packed_float_conv ins(%x, %w, %b) outs(%d) {groups = 1 : i64, high = -1.0 : f32, lanes = 8 : i64, line = 12 : i64, low = 0.0 : f32, pixel = 4 : i64, rows = 6 : i64, run = 4 : i64, tap_line = 12 : i64, tap_pixel = 4 : i64, taps = array<i64: 1, 1>} : (tensor<1x1x3x4xf32>, tensor<64xf32>, tensor<16xf32>, tensor<1x1x3x16xf32>) -> tensor<1x1x3x16xf32>
  return %y : tensor<1x1x3x16xf32>
}

// -----

func.func @groups(%x: tensor<1x1x3x4xf32>, %w: tensor<64xf32>, %b: tensor<16xf32>, %d: tensor<1x1x3x16xf32>) -> tensor<1x1x3x16xf32> {
  // expected-error@+1 {{3 groups for 16 channels, expected a divisor}}
  %y = qnn.packed_float_conv ins(%x, %w, %b) outs(%d) {groups = 3 : i64, high = 0x7F800000 : f32, lanes = 8 : i64, line = 12 : i64, low = 0.0 : f32, pixel = 4 : i64, rows = 6 : i64, run = 4 : i64, tap_line = 12 : i64, tap_pixel = 4 : i64, taps = array<i64: 1, 1>} : (tensor<1x1x3x4xf32>, tensor<64xf32>, tensor<16xf32>, tensor<1x1x3x16xf32>) -> tensor<1x1x3x16xf32>
  return %y : tensor<1x1x3x16xf32>
}

// -----

func.func @types(%x: tensor<1x1x3x4xui8>, %w: tensor<64xf32>, %b: tensor<16xf32>, %d: tensor<1x1x3x16xf32>) -> tensor<1x1x3x16xf32> {
  // expected-error@+1 {{operand of type 'tensor<1x1x3x4xui8>', expected a static shape of f32}}
  %y = qnn.packed_float_conv ins(%x, %w, %b) outs(%d) {groups = 1 : i64, high = 0x7F800000 : f32, lanes = 8 : i64, line = 12 : i64, low = 0.0 : f32, pixel = 4 : i64, rows = 6 : i64, run = 4 : i64, tap_line = 12 : i64, tap_pixel = 4 : i64, taps = array<i64: 1, 1>} : (tensor<1x1x3x4xui8>, tensor<64xf32>, tensor<16xf32>, tensor<1x1x3x16xf32>) -> tensor<1x1x3x16xf32>
  return %y : tensor<1x1x3x16xf32>
}

// -----

func.func @depthwise(%x: tensor<1x3x3x4xf32>, %w: tensor<144xf32>, %b: tensor<16xf32>, %d: tensor<1x1x1x5xf32>) -> tensor<1x1x1x5xf32> {
  // expected-error@+1 {{expected as many channels}}
  %y = qnn.packed_float_depthwise ins(%x, %w, %b) outs(%d) {high = 0x7F800000 : f32, lanes = 8 : i64, line = 12 : i64, low = 0.0 : f32, pixel = 4 : i64, rows = 6 : i64, tap_line = 12 : i64, tap_pixel = 4 : i64, taps = array<i64: 3, 3>} : (tensor<1x3x3x4xf32>, tensor<144xf32>, tensor<16xf32>, tensor<1x1x1x5xf32>) -> tensor<1x1x1x5xf32>
  return %y : tensor<1x1x1x5xf32>
}

// -----

func.func @tap(%x: tensor<1x3x3x4xf32>, %w: tensor<144xf32>, %b: tensor<16xf32>, %d: tensor<1x1x1x4xf32>) -> tensor<1x1x1x4xf32> {
  // expected-error@+1 {{reads 40 elements of an image of 36}}
  %y = qnn.packed_float_depthwise ins(%x, %w, %b) outs(%d) {high = 0x7F800000 : f32, lanes = 8 : i64, line = 12 : i64, low = 0.0 : f32, pixel = 4 : i64, rows = 6 : i64, tap_line = 14 : i64, tap_pixel = 4 : i64, taps = array<i64: 3, 3>} : (tensor<1x3x3x4xf32>, tensor<144xf32>, tensor<16xf32>, tensor<1x1x1x4xf32>) -> tensor<1x1x1x4xf32>
  return %y : tensor<1x1x1x4xf32>
}
