// RUN: %quant-opt %s -split-input-file -verify-diagnostics

// mixed levels
func.func @f(%x: tensor<1x2x4xf32>, %w: tensor<2x2x1xsi8>) {
  // expected-error @+1 {{mixes 'tensor<1x2x4xf32>' and 'tensor<2x2x1xsi8>', which belong to different levels}}
  %y = qnn.conv %x, %w : (tensor<1x2x4xf32>, tensor<2x2x1xsi8>) -> tensor<1x2x4xf32>
  return
}

// -----

// no zero point at the integer level
func.func @f(%x: tensor<1x2x4xui8>, %w: tensor<2x2x1xsi8>) {
  // expected-error @+1 {{needs 'x_zp' with operands of type 'ui8'}}
  %y = qnn.conv %x, %w : (tensor<1x2x4xui8>, tensor<2x2x1xsi8>) -> tensor<1x2x4xsi32>
  return
}

// -----

// zero point outside of the type
func.func @f(%x: tensor<1x2x4xui8>, %w: tensor<2x2x1xsi8>) {
  // expected-error @+1 {{'x_zp' 256 is outside [0, 255]}}
  %y = qnn.conv %x, %w {x_zp = 256 : i64} : (tensor<1x2x4xui8>, tensor<2x2x1xsi8>) -> tensor<1x2x4xsi32>
  return
}

// -----

// a zero point in float
func.func @f(%x: tensor<1x2x4xf32>, %w: tensor<2x2x1xf32>) {
  // expected-error @+1 {{must not have 'x_zp' with operands of type 'f32'}}
  %y = qnn.conv %x, %w {x_zp = 0 : i64} : (tensor<1x2x4xf32>, tensor<2x2x1xf32>) -> tensor<1x2x4xf32>
  return
}

// -----

// groups that do not divide
func.func @f(%x: tensor<1x3x4xf32>, %w: tensor<4x1x1xf32>) {
  // expected-error @+1 {{group 3 with 3 input channels and weights of type 'tensor<4x1x1xf32>', expected input channels = group * 1 and a divisor of 4}}
  %y = qnn.conv %x, %w {group = 3 : i64} : (tensor<1x3x4xf32>, tensor<4x1x1xf32>) -> tensor<1x4x4xf32>
  return
}

// -----

// wrong result size
func.func @f(%x: tensor<1x1x4xf32>, %w: tensor<1x1x3xf32>) {
  // expected-error @+1 {{result size 4 in spatial dimension 0, expected 2}}
  %y = qnn.conv %x, %w : (tensor<1x1x4xf32>, tensor<1x1x3xf32>) -> tensor<1x1x4xf32>
  return
}

// -----

// wrong number of pads
func.func @f(%x: tensor<1x1x4xf32>, %w: tensor<1x1x3xf32>) {
  // expected-error @+1 {{'pads' has 1 entries, expected 2}}
  %y = qnn.conv %x, %w {pads = array<i64: 1>} : (tensor<1x1x4xf32>, tensor<1x1x3xf32>) -> tensor<1x1x4xf32>
  return
}

// -----

// strides of 0
func.func @f(%x: tensor<1x1x4xf32>, %w: tensor<1x1x3xf32>) {
  // expected-error @+1 {{'strides' contains 0, expected at least 1}}
  %y = qnn.conv %x, %w {strides = array<i64: 0>} : (tensor<1x1x4xf32>, tensor<1x1x3xf32>) -> tensor<1x1x2xf32>
  return
}

// -----

// a bias that is no bias
func.func @f(%x: tensor<1x1x4xf32>, %w: tensor<2x1x1xf32>, %b: tensor<3xf32>) {
  // expected-error @+1 {{bias of type 'tensor<3xf32>', expected shape [2]}}
  %y = qnn.conv %x, %w, %b : (tensor<1x1x4xf32>, tensor<2x1x1xf32>, tensor<3xf32>) -> tensor<1x2x4xf32>
  return
}

// -----

// asymmetric weights
func.func @f(%x: tensor<1x2x!quant.uniform<u8:f32, 1.0>>, %w: tensor<2x2x!quant.uniform<i8:f32, 1.0:3>>) {
  // expected-error @+1 {{expected signed symmetric ones of 2 to 8 bits with scales along axis 1}}
  %y = qnn.matmul %x, %w : (tensor<1x2x!quant.uniform<u8:f32, 1.0>>, tensor<2x2x!quant.uniform<i8:f32, 1.0:3>>) -> tensor<1x2x!quant.uniform<u8:f32, 1.0>>
  return
}

// -----

// fewer scales than channels
func.func @f(%x: tensor<1x2x!quant.uniform<u8:f32, 1.0>>, %w: tensor<2x2x!quant.uniform<i8:f32:1, {1.0}>>) {
  // expected-error @+1 {{1 scales along axis 1 of size 2}}
  %y = qnn.matmul %x, %w : (tensor<1x2x!quant.uniform<u8:f32, 1.0>>, tensor<2x2x!quant.uniform<i8:f32:1, {1.0}>>) -> tensor<1x2x!quant.uniform<u8:f32, 1.0>>
  return
}

// -----

// zero point outside of the storage
func.func @f(%x: tensor<2x!quant.uniform<u4:f32, 1.0:16>>) {
  // expected-error @+1 {{zero point 16 is outside [0, 15]}}
  %y = qnn.reshape %x : (tensor<2x!quant.uniform<u4:f32, 1.0:16>>) -> tensor<1x2x!quant.uniform<u4:f32, 1.0:16>>
  return
}

// -----

// a width that nothing stores
func.func @f(%x: tensor<2x!quant.uniform<u16:f32, 1.0>>) {
  // expected-error @+1 {{storage of 16 bits, expected 2 to 15, or 32}}
  %y = qnn.reshape %x : (tensor<2x!quant.uniform<u16:f32, 1.0>>) -> tensor<1x2x!quant.uniform<u16:f32, 1.0>>
  return
}

// -----

// empty dimension
func.func @f(%x: tensor<0x2xf32>) {
  // expected-error @+1 {{type 'tensor<0x2xf32>' has no static shape of positive sizes}}
  %y = qnn.reshape %x : (tensor<0x2xf32>) -> tensor<2x0xf32>
  return
}

// -----

// a product that does not fit
func.func @f(%x: tensor<1x3xf32>, %w: tensor<2x2xf32>) {
  // expected-error @+1 {{product of 'tensor<1x3xf32>' and 'tensor<2x2xf32>' as 'tensor<1x2xf32>'}}
  %y = qnn.matmul %x, %w : (tensor<1x3xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return
}

// -----

// numbers missing
func.func @f(%x: tensor<2xsi32>) {
  // expected-error @+1 {{needs all of 'multiplier', 'exponent', 'zero_point', 'clamp' and 'rounding'}}
  %y = qnn.requantize %x : (tensor<2xsi32>) -> tensor<2xui8>
  return
}

// -----

// exponent out of range
func.func @f(%x: tensor<2xsi32>) {
  // expected-error @+1 {{'exponent' contains 63, expected a number in [1, 62]}}
  %y = qnn.requantize %x {multiplier = dense<1073741824> : tensor<i32>, exponent = dense<63> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xsi32>) -> tensor<2xui8>
  return
}

// -----

// multiplier that is not normalised
func.func @f(%x: tensor<2xsi32>) {
  // expected-error @+1 {{'multiplier' contains 5, expected 0 or a number in [2^30, 2^31)}}
  %y = qnn.requantize %x {multiplier = dense<5> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xsi32>) -> tensor<2xui8>
  return
}

// -----

// multipliers that do not broadcast
func.func @f(%x: tensor<2xsi32>) {
  // expected-error @+1 {{'multiplier' of type 'tensor<3xi32>' does not broadcast to 'tensor<2xui8>'}}
  %y = qnn.requantize %x {multiplier = dense<1073741824> : tensor<3xi32>, exponent = dense<6> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xsi32>) -> tensor<2xui8>
  return
}

// -----

// clamp outside of the type
func.func @f(%x: tensor<2xsi32>) {
  // expected-error @+1 {{'clamp' is [0, 256], expected two ordered numbers in [0, 255]}}
  %y = qnn.requantize %x {multiplier = dense<1073741824> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 256>, rounding = #qnn.rounding<half_up>} : (tensor<2xsi32>) -> tensor<2xui8>
  return
}

// -----

// an accumulator with a zero point
func.func @f(%x: tensor<2xsi32>) {
  // expected-error @+1 {{'x_zp' 1 is outside [0, 0]}}
  %y = qnn.requantize %x {x_zp = 1 : i64, multiplier = dense<1073741824> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xsi32>) -> tensor<2xui8>
  return
}

// -----

// double rounding of a sum
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{'rounding' double is for qnn.requantize alone, expected half_up or half_even}}
  %y = qnn.add %x, %x {a_zp = 0 : i64, b_zp = 0 : i64, a_multiplier = dense<1> : tensor<i32>, b_multiplier = dense<1> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<double>} : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  return
}

// -----

// a sum of two shapes
func.func @f(%x: tensor<2xf32>, %y: tensor<1xf32>) {
  // expected-error @+1 {{sum of 'tensor<2xf32>' and 'tensor<1xf32>' as 'tensor<2xf32>', expected one shape}}
  %z = qnn.add %x, %y : (tensor<2xf32>, tensor<1xf32>) -> tensor<2xf32>
  return
}

// -----

// bounds out of order
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{'min' 2.000000e+00 and 'max' 1.000000e+00, expected ordered numbers}}
  %y = qnn.clip %x {min = 2.0 : f32, max = 1.0 : f32} : tensor<2xf32>
  return
}

// -----

// a range without end
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{expected finite ordered numbers}}
  %y = qnn.range %x {min = 0.0 : f32, max = 0x7F800000 : f32} : tensor<2xf32>
  return
}

// -----

// a window in the padding alone
func.func @f(%x: tensor<1x1x2xf32>) {
  // expected-error @+1 {{a window in spatial dimension 0 lies in the padding alone}}
  %y = qnn.max_pool %x {kernel = array<i64: 1>, pads = array<i64: 1, 0>} : (tensor<1x1x2xf32>) -> tensor<1x1x3xf32>
  return
}

// -----

// a pass-through that changes the type
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{result elements of type 'si8', expected the operand's, 'ui8'}}
  %y = qnn.reshape %x : (tensor<2xui8>) -> tensor<1x2xsi8>
  return
}

// -----

// other elements
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{differ in the number of elements}}
  %y = qnn.reshape %x : (tensor<2xf32>) -> tensor<3xf32>
  return
}

// -----

// a dimension twice
func.func @f(%x: tensor<2x2xf32>) {
  // expected-error @+1 {{'permutation' is [0, 0], expected each dimension once}}
  %y = qnn.transpose %x {permutation = array<i64: 0, 0>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  return
}

// -----

// a slice that leaves the operand
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{dimension 0 of size 4 from 2 in 2 steps of 1 leaves the operand}}
  %y = qnn.slice %x {offsets = array<i64: 2>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<3xf32>
  return
}

// -----

// negative padding
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{for padding of [-1] before and [0] after}}
  %y = qnn.pad %x {low = array<i64: -1>, high = array<i64: 0>} : (tensor<4xf32>) -> tensor<3xf32>
  return
}

// -----

// operands that do not add up
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{operands have 8 elements along dimension 0, expected 7}}
  %y = qnn.concat %x, %x {axis = 0 : i64} : (tensor<4xf32>, tensor<4xf32>) -> tensor<7xf32>
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

// attributes of the entry
// expected-error @+1 {{unknown attribute 'qnn.frobnicate' of the qnn dialect}}
func.func @f(%x: tensor<2xui8> {qnn.frobnicate}) {
  return
}

// -----

// expected-error @+1 {{'qnn.type' is '!quant.uniform<u12:f32, 1.000000e+00>', which 'tensor<2xui8>' does not store}}
func.func @f(%x: tensor<2xui8> {qnn.type = !quant.uniform<u12:f32, 1.0>}) {
  return
}

// -----

// expected-error @+1 {{'qnn.name' is 3 : i64, expected a string}}
func.func @f(%x: tensor<2xui8> {qnn.name = 3 : i64}) {
  return
}
