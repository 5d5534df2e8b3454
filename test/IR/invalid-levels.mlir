// RUN: %quant-opt %s -split-input-file -verify-diagnostics

// Every fault of softmax, ranges, entry and exit, one a section.

// a range without end
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{expected finite ordered numbers}}
  %y = qnn.range %x {min = 0.0 : f32, max = 0x7F800000 : f32} : tensor<2xf32>
  return
}

// -----

// a row too long
func.func @f(%x: tensor<1x65537xf32>) {
  // expected-error @+1 {{65537 elements along dimension 1, expected at most 65536}}
  %y = qnn.softmax %x {axis = 1 : i64} : (tensor<1x65537xf32>) -> tensor<1x65537xf32>
  return
}

// -----

// a softmax without tables
func.func @f(%x: tensor<1x3xui8>) {
  // expected-error @+1 {{needs 'high' and 'low'}}
  %y = qnn.softmax %x {axis = 1 : i64} : (tensor<1x3xui8>) -> tensor<1x3xui16>
  return
}

// -----

// a scale of 0
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{'scale' 0.000000e+00, expected a positive finite number}}
  %y = qnn.quantize %x {scale = 0.0 : f32, zero_point = 0 : i64, clamp = array<i64: 0, 255>} : (tensor<2xf32>) -> tensor<2xui8>
  return
}

// -----

// a zero point that the clamp excludes
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{'zero_point' 0 is outside of 'clamp' [1, 255]}}
  %y = qnn.quantize %x {scale = 1.0 : f32, zero_point = 0 : i64, clamp = array<i64: 1, 255>} : (tensor<2xf32>) -> tensor<2xui8>
  return
}

// -----

// a negative scale at the exit
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{'scale' contains -1.000000e+00, expected positive finite numbers}}
  %y = qnn.dequantize %x {scale = dense<-1.0> : tensor<f32>, zero_point = 0 : i64} : (tensor<2xui8>) -> tensor<2xf32>
  return
}

// -----

// a range out of order
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{'min' 1.000000e+00 and 'max' -1.000000e+00, expected finite ordered numbers}}
  %y = qnn.range %x {min = 1.0 : f32, max = -1.0 : f32} : tensor<2xf32>
  return
}

// -----

// a copy's range out of order
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{'operand_min' 1.000000e+00 and 'operand_max' 0.000000e+00, expected finite ordered numbers}}
  %y = qnn.range %x {min = 0.0 : f32, max = 1.0 : f32, operand_min = 1.0 : f32, operand_max = 0.0 : f32} : tensor<2xf32>
  return
}

// -----

// half of a copy's range
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{has one of 'operand_min' and 'operand_max', expected both or none}}
  %y = qnn.range %x {min = 0.0 : f32, max = 1.0 : f32, operand_max = 1.0 : f32} : tensor<2xf32>
  return
}

// -----

// a dimension that the operand does not have
func.func @f(%x: tensor<1x3xf32>) {
  // expected-error @+1 {{result of type 'tensor<1x3xf32>' along dimension 2 of 'tensor<1x3xf32>'}}
  %y = qnn.softmax %x {axis = 2 : i64} : (tensor<1x3xf32>) -> tensor<1x3xf32>
  return
}

// -----

// a negative dimension
func.func @f(%x: tensor<1x3xf32>) {
  // expected-error @+1 {{along dimension -1 of 'tensor<1x3xf32>'}}
  %y = qnn.softmax %x {axis = -1 : i64} : (tensor<1x3xf32>) -> tensor<1x3xf32>
  return
}

// -----

// a softmax that changes the shape
func.func @f(%x: tensor<1x3xf32>) {
  // expected-error @+1 {{result of type 'tensor<3x1xf32>' along dimension 1 of 'tensor<1x3xf32>'}}
  %y = qnn.softmax %x {axis = 1 : i64} : (tensor<1x3xf32>) -> tensor<3x1xf32>
  return
}

// -----

// tables of a float softmax
func.func @f(%x: tensor<1x3xf32>) {
  // expected-error @+1 {{must not have 'high' and 'low'}}
  %y = qnn.softmax %x {axis = 1 : i64, high = dense<1073741824> : tensor<256xi32>, low = dense<1073741824> : tensor<256xi32>} : (tensor<1x3xf32>) -> tensor<1x3xf32>
  return
}

// -----

// one table of two, float
func.func @f(%x: tensor<1x3xf32>) {
  // expected-error @+1 {{must not have 'high' and 'low'}}
  %y = qnn.softmax %x {axis = 1 : i64, high = dense<1073741824> : tensor<256xi32>} : (tensor<1x3xf32>) -> tensor<1x3xf32>
  return
}

// -----

// one table of two
func.func @f(%x: tensor<1x3xui8>) {
  // expected-error @+1 {{needs 'high' and 'low'}}
  %y = qnn.softmax %x {axis = 1 : i64, low = dense<1073741824> : tensor<256xi32>} : (tensor<1x3xui8>) -> tensor<1x3xui16>
  return
}

// -----

// a softmax of an accumulator
func.func @f(%x: tensor<1x3xsi32>) {
  // expected-error @+1 {{operand 'tensor<1x3xsi32>' and result 'tensor<1x3xui16>', expected 8 or 16-bit integers and ui16}}
  %y = qnn.softmax %x {axis = 1 : i64, high = dense<1073741824> : tensor<256xi32>, low = dense<1073741824> : tensor<256xi32>} : (tensor<1x3xsi32>) -> tensor<1x3xui16>
  return
}

// -----

// a softmax of 8 bits
func.func @f(%x: tensor<1x3xui8>) {
  // expected-error @+1 {{operand 'tensor<1x3xui8>' and result 'tensor<1x3xui8>', expected 8 or 16-bit integers and ui16}}
  %y = qnn.softmax %x {axis = 1 : i64, high = dense<1073741824> : tensor<256xi32>, low = dense<1073741824> : tensor<256xi32>} : (tensor<1x3xui8>) -> tensor<1x3xui8>
  return
}

// -----

// a table too short
func.func @f(%x: tensor<1x3xui8>) {
  // expected-error @+1 {{a table of 255 entries, expected 256}}
  %y = qnn.softmax %x {axis = 1 : i64, high = dense<1073741824> : tensor<256xi32>, low = dense<1073741824> : tensor<255xi32>} : (tensor<1x3xui8>) -> tensor<1x3xui16>
  return
}

// -----

// a table above 1
func.func @f(%x: tensor<1x3xui8>) {
  // expected-error @+1 {{a table contains 1073741825, expected a number in [0, 2^30]}}
  %y = qnn.softmax %x {axis = 1 : i64, high = dense<1073741825> : tensor<256xi32>, low = dense<1073741824> : tensor<256xi32>} : (tensor<1x3xui8>) -> tensor<1x3xui16>
  return
}

// -----

// a negative table
func.func @f(%x: tensor<1x3xui8>) {
  // expected-error @+1 {{a table contains -1, expected a number in [0, 2^30]}}
  %y = qnn.softmax %x {axis = 1 : i64, high = dense<1073741824> : tensor<256xi32>, low = dense<-1> : tensor<256xi32>} : (tensor<1x3xui8>) -> tensor<1x3xui16>
  return
}

// -----

// a table that does not begin with 1
func.func @f(%x: tensor<1x3xui8>) {
  // expected-error @+1 {{the first entry of a table is not 2^30}}
  %y = qnn.softmax %x {axis = 1 : i64, high = dense<1073741824> : tensor<256xi32>, low = dense<1073741823> : tensor<256xi32>} : (tensor<1x3xui8>) -> tensor<1x3xui16>
  return
}

// -----

// an entry that changes the shape
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{result of type 'tensor<1x2xui8>', expected 8 or 16-bit integers of the operand's shape}}
  %y = qnn.quantize %x {scale = 1.0 : f32, zero_point = 0 : i64, clamp = array<i64: 0, 255>} : (tensor<2xf32>) -> tensor<1x2xui8>
  return
}

// -----

// an accumulator at the entry
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{result of type 'tensor<2xsi32>', expected 8 or 16-bit integers of the operand's shape}}
  %y = qnn.quantize %x {scale = 1.0 : f32, zero_point = 0 : i64, clamp = array<i64: 0, 255>} : (tensor<2xf32>) -> tensor<2xsi32>
  return
}

// -----

// a negative scale at the entry
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{'scale' -1.000000e+00, expected a positive finite number}}
  %y = qnn.quantize %x {scale = -1.0 : f32, zero_point = 0 : i64, clamp = array<i64: 0, 255>} : (tensor<2xf32>) -> tensor<2xui8>
  return
}

// -----

// an infinite scale
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{'scale' INF, expected a positive finite number}}
  %y = qnn.quantize %x {scale = 0x7F800000 : f32, zero_point = 0 : i64, clamp = array<i64: 0, 255>} : (tensor<2xf32>) -> tensor<2xui8>
  return
}

// -----

// a zero point that the entry cannot store
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{'zero_point' 300 is outside [0, 255]}}
  %y = qnn.quantize %x {scale = 1.0 : f32, zero_point = 300 : i64, clamp = array<i64: 0, 255>} : (tensor<2xf32>) -> tensor<2xui8>
  return
}

// -----

// a clamp that the entry cannot store
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{'clamp' is [0, 256], expected two ordered numbers in [0, 255]}}
  %y = qnn.quantize %x {scale = 1.0 : f32, zero_point = 0 : i64, clamp = array<i64: 0, 256>} : (tensor<2xf32>) -> tensor<2xui8>
  return
}

// -----

// an exit that changes the shape
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{result of type 'tensor<1x2xf32>', expected the shape of 'tensor<2xui8>'}}
  %y = qnn.dequantize %x {scale = dense<1.0> : tensor<f32>, zero_point = 0 : i64} : (tensor<2xui8>) -> tensor<1x2xf32>
  return
}

// -----

// an infinite scale at the exit
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{'scale' contains INF, expected positive finite numbers}}
  %y = qnn.dequantize %x {scale = dense<0x7F800000> : tensor<f32>, zero_point = 0 : i64} : (tensor<2xui8>) -> tensor<2xf32>
  return
}

// -----

// scales of other channels
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{'scale' of type 'tensor<3xf32>' does not broadcast to 'tensor<2xf32>'}}
  %y = qnn.dequantize %x {scale = dense<1.0> : tensor<3xf32>, zero_point = 0 : i64} : (tensor<2xui8>) -> tensor<2xf32>
  return
}

// -----

// a zero point that the operand cannot store
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{'zero_point' 256 is outside [0, 255]}}
  %y = qnn.dequantize %x {scale = dense<1.0> : tensor<f32>, zero_point = 256 : i64} : (tensor<2xui8>) -> tensor<2xf32>
  return
}

// -----

// an accumulator with a zero point at the exit
func.func @f(%x: tensor<2xsi32>) {
  // expected-error @+1 {{'zero_point' 1 is outside [0, 0]}}
  %y = qnn.dequantize %x {scale = dense<1.0> : tensor<f32>, zero_point = 1 : i64} : (tensor<2xsi32>) -> tensor<2xf32>
  return
}
