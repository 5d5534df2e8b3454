// RUN: %quant-opt %s -split-input-file -verify-diagnostics

// Every fault of convolutions, matrix products and normalizations, one a section.

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
  // expected-error @+1 {{'strides' contains 0, expected a number in [1, 2^31]}}
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

// a product that does not fit
func.func @f(%x: tensor<1x3xf32>, %w: tensor<2x2xf32>) {
  // expected-error @+1 {{product of 'tensor<1x3xf32>' and 'tensor<2x2xf32>' as 'tensor<1x2xf32>'}}
  %y = qnn.matmul %x, %w : (tensor<1x3xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return
}

// -----

// weights without spatial dimension
func.func @f(%x: tensor<1x2xf32>, %w: tensor<2x2xf32>) {
  // expected-error @+1 {{weights of type 'tensor<2x2xf32>', expected at least one spatial dimension}}
  %y = qnn.conv %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return
}

// -----

// weights of more dimensions than the operand
func.func @f(%x: tensor<1x1x4xf32>, %w: tensor<1x1x1x1xf32>) {
  // expected-error @+1 {{operand 'tensor<1x1x4xf32>' and result 'tensor<1x1x4xf32>' of a window with 2 spatial dimensions, expected rank 4}}
  %y = qnn.conv %x, %w : (tensor<1x1x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4xf32>
  return
}

// -----

// no groups
func.func @f(%x: tensor<1x1x4xf32>, %w: tensor<1x1x1xf32>) {
  // expected-error @+1 {{group 0 with 1 input channels}}
  %y = qnn.conv %x, %w {group = 0 : i64} : (tensor<1x1x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x4xf32>
  return
}

// -----

// more groups than filters
func.func @f(%x: tensor<1x2x4xf32>, %w: tensor<1x1x1xf32>) {
  // expected-error @+1 {{group 2 with 2 input channels and weights of type 'tensor<1x1x1xf32>', expected input channels = group * 1 and a divisor of 1}}
  %y = qnn.conv %x, %w {group = 2 : i64} : (tensor<1x2x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x4xf32>
  return
}

// -----

// channels that the weights do not have
func.func @f(%x: tensor<1x3x4xf32>, %w: tensor<1x2x1xf32>) {
  // expected-error @+1 {{group 1 with 3 input channels and weights of type 'tensor<1x2x1xf32>', expected input channels = group * 2}}
  %y = qnn.conv %x, %w : (tensor<1x3x4xf32>, tensor<1x2x1xf32>) -> tensor<1x1x4xf32>
  return
}

// -----

// wrong number of strides
func.func @f(%x: tensor<1x1x4xf32>, %w: tensor<1x1x1xf32>) {
  // expected-error @+1 {{'strides' has 2 entries, expected 1}}
  %y = qnn.conv %x, %w {strides = array<i64: 1, 1>} : (tensor<1x1x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x4xf32>
  return
}

// -----

// wrong number of dilations
func.func @f(%x: tensor<1x1x4xf32>, %w: tensor<1x1x1xf32>) {
  // expected-error @+1 {{'dilations' has 2 entries, expected 1}}
  %y = qnn.conv %x, %w {dilations = array<i64: 1, 1>} : (tensor<1x1x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x4xf32>
  return
}

// -----

// dilations of 0
func.func @f(%x: tensor<1x1x4xf32>, %w: tensor<1x1x3xf32>) {
  // expected-error @+1 {{'dilations' contains 0, expected a number in [1, 2^31]}}
  %y = qnn.conv %x, %w {dilations = array<i64: 0>} : (tensor<1x1x4xf32>, tensor<1x1x3xf32>) -> tensor<1x1x4xf32>
  return
}

// -----

// negative pads
func.func @f(%x: tensor<1x1x4xf32>, %w: tensor<1x1x1xf32>) {
  // expected-error @+1 {{'pads' contains -1, expected a number in [0, 2^31]}}
  %y = qnn.conv %x, %w {pads = array<i64: 0, -1>} : (tensor<1x1x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x3xf32>
  return
}

// -----

// absurd pads
func.func @f(%x: tensor<1x1x4xf32>, %w: tensor<1x1x1xf32>) {
  // expected-error @+1 {{'pads' contains 4611686018427387904, expected a number in [0, 2^31]}}
  %y = qnn.conv %x, %w {pads = array<i64: 0, 4611686018427387904>} : (tensor<1x1x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x4xf32>
  return
}

// -----

// a kernel larger than the operand
func.func @f(%x: tensor<1x1x2xf32>, %w: tensor<1x1x3xf32>) {
  // expected-error @+1 {{result size 1 in spatial dimension 0, expected 0}}
  %y = qnn.conv %x, %w : (tensor<1x1x2xf32>, tensor<1x1x3xf32>) -> tensor<1x1x1xf32>
  return
}

// -----

// other samples
func.func @f(%x: tensor<2x1x4xf32>, %w: tensor<3x1x1xf32>) {
  // expected-error @+1 {{result of type 'tensor<1x3x4xf32>', expected 2 samples of 3 channels}}
  %y = qnn.conv %x, %w : (tensor<2x1x4xf32>, tensor<3x1x1xf32>) -> tensor<1x3x4xf32>
  return
}

// -----

// other channels
func.func @f(%x: tensor<2x1x4xf32>, %w: tensor<3x1x1xf32>) {
  // expected-error @+1 {{result of type 'tensor<2x1x4xf32>', expected 2 samples of 3 channels}}
  %y = qnn.conv %x, %w : (tensor<2x1x4xf32>, tensor<3x1x1xf32>) -> tensor<2x1x4xf32>
  return
}

// -----

// a float bias of integers
func.func @f(%x: tensor<1x2x4xui8>, %w: tensor<2x2x1xsi8>, %b: tensor<2xf32>) {
  // expected-error @+1 {{bias of type 'tensor<2xf32>', expected elements of type si32}}
  %y = qnn.conv %x, %w, %b {x_zp = 0 : i64} : (tensor<1x2x4xui8>, tensor<2x2x1xsi8>, tensor<2xf32>) -> tensor<1x2x4xsi32>
  return
}

// -----

// an integer bias at the quantized level
!x = !quant.uniform<u8:f32, 1.0>
!w = !quant.uniform<i8<-127:127>:f32, 1.0>
!y = !quant.uniform<u8:f32, 1.0>
func.func @f(%x: tensor<1x2x!x>, %w: tensor<2x2x!w>, %b: tensor<2xsi32>) {
  // expected-error @+1 {{bias of type 'tensor<2xsi32>', expected elements of type f32}}
  %y = qnn.matmul %x, %w, %b : (tensor<1x2x!x>, tensor<2x2x!w>, tensor<2xsi32>) -> tensor<1x2x!y>
  return
}

// -----

// unsigned weights
!x = !quant.uniform<u8:f32, 1.0>
!w = !quant.uniform<u8:f32, 1.0>
!y = !quant.uniform<u8:f32, 1.0>
func.func @f(%x: tensor<1x2x!x>, %w: tensor<2x2x!w>) {
  // expected-error @+1 {{expected signed symmetric ones of 2 to 8 bits with scales along axis 1}}
  %y = qnn.matmul %x, %w : (tensor<1x2x!x>, tensor<2x2x!w>) -> tensor<1x2x!y>
  return
}

// -----

// weights of 9 bits
!x = !quant.uniform<u8:f32, 1.0>
!w = !quant.uniform<i9:f32, 1.0>
!y = !quant.uniform<u8:f32, 1.0>
func.func @f(%x: tensor<1x2x!x>, %w: tensor<2x2x!w>) {
  // expected-error @+1 {{expected signed symmetric ones of 2 to 8 bits with scales along axis 1}}
  %y = qnn.matmul %x, %w : (tensor<1x2x!x>, tensor<2x2x!w>) -> tensor<1x2x!y>
  return
}

// -----

// scales along the rows of a matrix
!x = !quant.uniform<u8:f32, 1.0>
!w = !quant.uniform<i8:f32:0, {1.0, 1.0}>
!y = !quant.uniform<u8:f32, 1.0>
func.func @f(%x: tensor<1x2x!x>, %w: tensor<2x2x!w>) {
  // expected-error @+1 {{expected signed symmetric ones of 2 to 8 bits with scales along axis 1}}
  %y = qnn.matmul %x, %w : (tensor<1x2x!x>, tensor<2x2x!w>) -> tensor<1x2x!y>
  return
}

// -----

// a zero point of one channel
!x = !quant.uniform<u8:f32, 1.0>
!w = !quant.uniform<i8:f32:1, {1.0, 1.0:1}>
!y = !quant.uniform<u8:f32, 1.0>
func.func @f(%x: tensor<1x2x!x>, %w: tensor<2x2x!w>) {
  // expected-error @+1 {{expected signed symmetric ones of 2 to 8 bits with scales along axis 1}}
  %y = qnn.matmul %x, %w : (tensor<1x2x!x>, tensor<2x2x!w>) -> tensor<1x2x!y>
  return
}

// -----

// scales along the input channels of a filter
!x = !quant.uniform<u8:f32, 1.0>
!w = !quant.uniform<i8:f32:1, {1.0, 1.0}>
func.func @f(%x: tensor<1x2x4x!x>, %w: tensor<2x2x1x!w>) {
  // expected-error @+1 {{expected signed symmetric ones of 2 to 8 bits with scales along axis 0}}
  %y = qnn.conv %x, %w : (tensor<1x2x4x!x>, tensor<2x2x1x!w>) -> tensor<1x2x4x!x>
  return
}

// -----

// an operand with two scales
!x = !quant.uniform<u8:f32:1, {1.0, 2.0}>
!w = !quant.uniform<i8<-127:127>:f32, 1.0>
!y = !quant.uniform<u8:f32, 1.0>
func.func @f(%x: tensor<1x2x!x>, %w: tensor<2x2x!w>) {
  // expected-error @+1 {{input of type 'tensor<1x2x!quant.uniform<u8:f32:1, {1.000000e+00,2.000000e+00}>>', expected one scale and at most 16 bits}}
  %y = qnn.matmul %x, %w : (tensor<1x2x!x>, tensor<2x2x!w>) -> tensor<1x2x!y>
  return
}

// -----

// an accumulator as operand
!x = !quant.uniform<i32:f32, 1.0>
!w = !quant.uniform<i8<-127:127>:f32, 1.0>
!y = !quant.uniform<u8:f32, 1.0>
func.func @f(%x: tensor<1x2x!x>, %w: tensor<2x2x!w>) {
  // expected-error @+1 {{expected one scale and at most 16 bits}}
  %y = qnn.matmul %x, %w : (tensor<1x2x!x>, tensor<2x2x!w>) -> tensor<1x2x!y>
  return
}

// -----

// an accumulator as operand, integers
func.func @f(%x: tensor<1x2xsi32>, %w: tensor<2x2xsi8>) {
  // expected-error @+1 {{input of type 'tensor<1x2xsi32>', expected 8 or 16-bit integers}}
  %y = qnn.matmul %x, %w {x_zp = 0 : i64} : (tensor<1x2xsi32>, tensor<2x2xsi8>) -> tensor<1x2xsi32>
  return
}

// -----

// unsigned weights, integers
func.func @f(%x: tensor<1x2xui8>, %w: tensor<2x2xui8>) {
  // expected-error @+1 {{weights of type 'tensor<2x2xui8>', expected si8}}
  %y = qnn.matmul %x, %w {x_zp = 0 : i64} : (tensor<1x2xui8>, tensor<2x2xui8>) -> tensor<1x2xsi32>
  return
}

// -----

// a result that is no accumulator
func.func @f(%x: tensor<1x2xui8>, %w: tensor<2x2xsi8>) {
  // expected-error @+1 {{result of type 'tensor<1x2xsi16>', expected the si32 accumulator}}
  %y = qnn.matmul %x, %w {x_zp = 0 : i64} : (tensor<1x2xui8>, tensor<2x2xsi8>) -> tensor<1x2xsi16>
  return
}

// -----

// a product with a vector
func.func @f(%x: tensor<1x2xf32>, %w: tensor<2xf32>) {
  // expected-error @+1 {{weights of type 'tensor<2xf32>', expected a matrix}}
  %y = qnn.matmul %x, %w : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return
}

// -----

// a product of other rows
func.func @f(%x: tensor<3x2xf32>, %w: tensor<2x2xf32>) {
  // expected-error @+1 {{product of 'tensor<3x2xf32>' and 'tensor<2x2xf32>' as 'tensor<1x2xf32>'}}
  %y = qnn.matmul %x, %w : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return
}

// -----

// a normalization that changes the shape
func.func @f(%x: tensor<1x2xf32>, %p: tensor<2xf32>) {
  // expected-error @+1 {{result of type 'tensor<2x2xf32>', expected the operand's, of at least two dimensions}}
  %y = qnn.batch_norm %x, %p, %p, %p, %p {epsilon = 0.0 : f32} : (tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  return
}

// -----

// a normalization without channels
func.func @f(%x: tensor<2xf32>, %p: tensor<2xf32>) {
  // expected-error @+1 {{result of type 'tensor<2xf32>', expected the operand's, of at least two dimensions}}
  %y = qnn.batch_norm %x, %p, %p, %p, %p {epsilon = 0.0 : f32} : (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

// a parameter of other channels
func.func @f(%x: tensor<1x2xf32>, %p: tensor<2xf32>, %q: tensor<3xf32>) {
  // expected-error @+1 {{parameter of type 'tensor<3xf32>', expected shape [2]}}
  %y = qnn.batch_norm %x, %p, %p, %p, %q {epsilon = 0.0 : f32} : (tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<3xf32>) -> tensor<1x2xf32>
  return
}

// -----

// channels of the operand in the wrong place
func.func @f(%x: tensor<1x2x4xf32>, %w: tensor<2x2x1xf32>) {
  // expected-error @+1 {{group 1 with 4 input channels and weights of type 'tensor<2x2x1xf32>', expected input channels = group * 2}}
  %y = qnn.conv %x, %w {channels_last} : (tensor<1x2x4xf32>, tensor<2x2x1xf32>) -> tensor<1x2x4xf32>
  return
}

// -----

// channels of the result in the wrong place
func.func @f(%x: tensor<1x4x2xf32>, %w: tensor<3x2x1xf32>) {
  // expected-error @+1 {{result size 3 in spatial dimension 0, expected 4}}
  %y = qnn.conv %x, %w {channels_last} : (tensor<1x4x2xf32>, tensor<3x2x1xf32>) -> tensor<1x3x4xf32>
  return
}

// -----

// channels last, but not as many as filters
func.func @f(%x: tensor<1x4x2xf32>, %w: tensor<3x2x1xf32>) {
  // expected-error @+1 {{result of type 'tensor<1x4x2xf32>', expected 1 samples of 3 channels}}
  %y = qnn.conv %x, %w {channels_last} : (tensor<1x4x2xf32>, tensor<3x2x1xf32>) -> tensor<1x4x2xf32>
  return
}

// -----

// scales of an accumulator along the wrong dimension
!u8 = !quant.uniform<u8:f32, 0.5>
!w8 = !quant.uniform<i8:f32:0, {0.25, 0.5}>
!acc = !quant.uniform<i32:f32:1, {0.125, 0.25}>
func.func @f(%x: tensor<1x2x2x!u8>, %w: tensor<2x2x1x!w8>) {
  // expected-error @+1 {{expected the scales of the products along axis 2}}
  %y = qnn.conv %x, %w {channels_last} : (tensor<1x2x2x!u8>, tensor<2x2x1x!w8>) -> tensor<1x2x2x!acc>
  return
}
