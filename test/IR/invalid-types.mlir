// RUN: %quant-opt %s -split-input-file -verify-diagnostics

// Every fault of types, levels and the attributes of the entry function, one a section.

// mixed levels
func.func @f(%x: tensor<1x2x4xf32>, %w: tensor<2x2x1xsi8>) {
  // expected-error @+1 {{mixes 'tensor<1x2x4xf32>' and 'tensor<2x2x1xsi8>', which belong to different levels}}
  %y = qnn.conv %x, %w : (tensor<1x2x4xf32>, tensor<2x2x1xsi8>) -> tensor<1x2x4xf32>
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

// attributes of the entry
// expected-error @+1 {{unknown attribute 'qnn.frobnicate' of the qnn dialect}}
func.func @f(%x: tensor<2xui8> {qnn.frobnicate}) {
  return
}

// -----

// a type of another width
// expected-error @+1 {{'qnn.type' is '!quant.uniform<u12:f32, 1.000000e+00>', which 'tensor<2xui8>' does not store}}
func.func @f(%x: tensor<2xui8> {qnn.type = !quant.uniform<u12:f32, 1.0>}) {
  return
}

// -----

// a name that is a number
// expected-error @+1 {{'qnn.name' is 3 : i64, expected a string}}
func.func @f(%x: tensor<2xui8> {qnn.name = 3 : i64}) {
  return
}

// -----

// unknown sizes
func.func @f(%x: tensor<?x2xf32>) {
  // expected-error @+1 {{type 'tensor<?x2xf32>' has no static shape of positive sizes}}
  %y = qnn.reshape %x : (tensor<?x2xf32>) -> tensor<2x?xf32>
  return
}

// -----

// numbers that stand for double
!t = !quant.uniform<u8:f64, 1.0>
func.func @f(%x: tensor<2x2x!t>) {
  // expected-error @+1 {{quantized type expresses 'f64', expected f32}}
  %y = qnn.reshape %x : (tensor<2x2x!t>) -> tensor<4x!t>
  return
}

// -----

// a width between value and accumulator
!t = !quant.uniform<i24:f32, 1.0>
func.func @f(%x: tensor<2x2x!t>) {
  // expected-error @+1 {{storage of 24 bits, expected 2 to 16, or 32}}
  %y = qnn.reshape %x : (tensor<2x2x!t>) -> tensor<4x!t>
  return
}

// -----

// a width of one bit
!t = !quant.uniform<u1:f32, 1.0>
func.func @f(%x: tensor<2x2x!t>) {
  // expected-error @+1 {{storage of 1 bits, expected 2 to 15, or 32}}
  %y = qnn.reshape %x : (tensor<2x2x!t>) -> tensor<4x!t>
  return
}

// -----

// scales along a dimension that does not exist
!t = !quant.uniform<i8:f32:2, {1.0, 1.0}>
func.func @f(%x: tensor<2x2x!t>) {
  // expected-error @+1 {{quantized axis 2 of a tensor of rank 2}}
  %y = qnn.reshape %x : (tensor<2x2x!t>) -> tensor<4x!t>
  return
}

// -----

// more scales than channels
!t = !quant.uniform<i8:f32:1, {1.0, 1.0, 1.0}>
func.func @f(%x: tensor<2x2x!t>) {
  // expected-error @+1 {{3 scales along axis 1 of size 2}}
  %y = qnn.reshape %x : (tensor<2x2x!t>) -> tensor<4x!t>
  return
}

// -----

// the zero point of one channel
!t = !quant.uniform<i4:f32:1, {1.0, 1.0:8}>
func.func @f(%x: tensor<2x2x!t>) {
  // expected-error @+1 {{zero point 8 is outside [-8, 7]}}
  %y = qnn.reshape %x : (tensor<2x2x!t>) -> tensor<4x!t>
  return
}

// -----

// a zero point outside of a narrowed storage
!t = !quant.uniform<u4<1:5>:f32, 1.0>
func.func @f(%x: tensor<2x2x!t>) {
  // expected-error @+1 {{zero point 0 is outside [1, 5]}}
  %y = qnn.reshape %x : (tensor<2x2x!t>) -> tensor<4x!t>
  return
}

// -----

// elements of no level
func.func @f(%x: tensor<2xf64>) {
  // expected-error @+1 {{operand #0 must be ranked tensor of f32, a !quant.uniform type, or an integer of the integer level (ui8, si8, ui16, si16, si32) values, but got 'tensor<2xf64>'}}
  %y = qnn.reshape %x : (tensor<2xf64>) -> tensor<1x2xf64>
  return
}

// -----

// integers without sign
func.func @f(%x: tensor<2xi8>) {
  // expected-error @+1 {{operand #0 must be ranked tensor of}}
  %y = qnn.reshape %x : (tensor<2xi8>) -> tensor<1x2xi8>
  return
}

// -----

// no rank
func.func @f(%x: tensor<*xf32>) {
  // expected-error @+1 {{operand #0 must be ranked tensor of}}
  %y = qnn.reshape %x : (tensor<*xf32>) -> tensor<1x2xf32>
  return
}

// -----

// an unknown attribute of the function
// expected-error @+1 {{unknown attribute 'qnn.frobnicate' of the qnn dialect}}
func.func @f() attributes {qnn.frobnicate} {
  return
}

// -----

// a batch with a value
// expected-error @+1 {{'qnn.batch' is a unit attribute of functions}}
func.func @f() attributes {qnn.batch = 3 : i64} {
  return
}

// -----

// a batch of something else than a function
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{'qnn.batch' is a unit attribute of functions}}
  %y = qnn.relu %x {qnn.batch} : tensor<2xf32>
  return
}

// -----

// moments of something else than a layer
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{'qnn.moments' is an array of f64 of convolutions and matmuls}}
  %y = qnn.relu %x {qnn.moments = array<f64: 0.0, 1.0>} : tensor<2xf32>
  return
}

// -----

// moments of another number of channels
func.func @f(%x: tensor<1x2xf32>, %w: tensor<2x3xf32>) {
  // expected-error @+1 {{'qnn.moments' has 4 numbers, expected 6: a mean and a deviation for each channel}}
  %y = qnn.matmul %x, %w {qnn.moments = array<f64: 0.0, 0.0, 1.0, 1.0>} : (tensor<1x2xf32>, tensor<2x3xf32>) -> tensor<1x3xf32>
  return
}

// -----

// a negative deviation
func.func @f(%x: tensor<1x2xf32>, %w: tensor<2x1xf32>) {
  // expected-error @+1 {{'qnn.moments' has -1.000000e+00, expected finite means, then finite deviations of at least 0}}
  %y = qnn.matmul %x, %w {qnn.moments = array<f64: 0.0, -1.0>} : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
  return
}

// -----

// an unknown attribute of an operation
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{unknown attribute 'qnn.name' of the qnn dialect}}
  %y = qnn.relu %x {qnn.name = "x"} : tensor<2xf32>
  return
}

// -----

// a type that is none
// expected-error @+1 {{'qnn.type' is "u8", expected a !quant.uniform type}}
func.func @f(%x: tensor<2xui8> {qnn.type = "u8"}) {
  return
}

// -----

// a type that is not quantized
// expected-error @+1 {{'qnn.type' is f32, expected a !quant.uniform type}}
func.func @f(%x: tensor<2xui8> {qnn.type = f32}) {
  return
}

// -----

// a type of something else than a tensor
// expected-error @+1 {{'qnn.type' is '!quant.uniform<u8:f32, 1.000000e+00>', which 'index' does not store}}
func.func @f(%x: index {qnn.type = !quant.uniform<u8:f32, 1.0>}) {
  return
}

// -----

// a result marked with a number
// expected-error @+1 {{'qnn.value' is 1 : i64, expected a unit attribute}}
func.func @f(%x: tensor<2xf32>) -> (tensor<2xf32> {qnn.value = 1 : i64}) {
  return %x : tensor<2xf32>
}

// -----

// a result without a name
// expected-error @+1 {{'qnn.name' is unit, expected a string}}
func.func @f(%x: tensor<2xf32>) -> (tensor<2xf32> {qnn.name}) {
  return %x : tensor<2xf32>
}

// -----

// a type that the result does not store
// expected-error @+1 {{'qnn.type' is '!quant.uniform<u8:f32, 1.000000e+00>', which 'tensor<2xf32>' does not store}}
func.func @f(%x: tensor<2xf32>) -> (tensor<2xf32> {qnn.type = !quant.uniform<u8:f32, 1.0>}) {
  return %x : tensor<2xf32>
}

// -----

// more elements than any model has
func.func @f(%x: tensor<65536x65536xf32>) {
  // expected-error @+1 {{type 'tensor<65536x65536xf32>' has too many elements, expected at most 2^31}}
  %y = qnn.reshape %x : (tensor<65536x65536xf32>) -> tensor<65536x65536xf32>
  return
}

// -----

// a number of elements that wraps around
func.func @f(%x: tensor<4294967296x4294967296xf32>) {
  // expected-error @+1 {{has too many elements, expected at most 2^31}}
  %y = qnn.reshape %x : (tensor<4294967296x4294967296xf32>) -> tensor<1xf32>
  return
}
