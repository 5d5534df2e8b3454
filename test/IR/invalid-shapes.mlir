// RUN: %quant-opt %s -split-input-file -verify-diagnostics

// Every fault of pools and operations that move values, one a section.

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

// an empty kernel
func.func @f(%x: tensor<1x1x2xf32>) {
  // expected-error @+1 {{'kernel' contains 0, expected a number in [1, 2^31]}}
  %y = qnn.max_pool %x {kernel = array<i64: 0>} : (tensor<1x1x2xf32>) -> tensor<1x1x3xf32>
  return
}

// -----

// a pool without kernel
func.func @f(%x: tensor<1x1xf32>) {
  // expected-error @+1 {{of a window with 0 spatial dimensions, expected rank 2}}
  %y = qnn.max_pool %x {kernel = array<i64>} : (tensor<1x1xf32>) -> tensor<1x1xf32>
  return
}

// -----

// a pool of more dimensions than the operand
func.func @f(%x: tensor<1x1x2xf32>) {
  // expected-error @+1 {{operand 'tensor<1x1x2xf32>' and result 'tensor<1x1x2xf32>' of a window with 2 spatial dimensions, expected rank 4}}
  %y = qnn.max_pool %x {kernel = array<i64: 1, 1>} : (tensor<1x1x2xf32>) -> tensor<1x1x2xf32>
  return
}

// -----

// a pool over channels
func.func @f(%x: tensor<1x2x2xf32>) {
  // expected-error @+1 {{result of type 'tensor<1x1x2xf32>', expected the samples and channels of 'tensor<1x2x2xf32>'}}
  %y = qnn.max_pool %x {kernel = array<i64: 1>} : (tensor<1x2x2xf32>) -> tensor<1x1x2xf32>
  return
}

// -----

// a mean over channels
func.func @f(%x: tensor<1x2x2xf32>) {
  // expected-error @+1 {{result of type 'tensor<1x1x2xf32>', expected the samples and channels of 'tensor<1x2x2xf32>'}}
  %y = qnn.avg_pool %x {kernel = array<i64: 1>} : (tensor<1x2x2xf32>) -> tensor<1x1x2xf32>
  return
}

// -----

// a mean of the padding alone, at the end
func.func @f(%x: tensor<1x1x2xf32>) {
  // expected-error @+1 {{a window in spatial dimension 0 lies in the padding alone}}
  %y = qnn.avg_pool %x {kernel = array<i64: 1>, pads = array<i64: 0, 1>} : (tensor<1x1x2xf32>) -> tensor<1x1x3xf32>
  return
}

// -----

// a mean without zero point
func.func @f(%x: tensor<1x1x2xui8>) {
  // expected-error @+1 {{needs 'x_zp' with operands of type 'ui8'}}
  %y = qnn.avg_pool %x {kernel = array<i64: 1>} : (tensor<1x1x2xui8>) -> tensor<1x1x2xsi32>
  return
}

// -----

// a mean that is no sum
func.func @f(%x: tensor<1x1x2xui8>) {
  // expected-error @+1 {{operand 'tensor<1x1x2xui8>' and result 'tensor<1x1x2xui8>', expected 8 or 16-bit integers and the si32 sum}}
  %y = qnn.avg_pool %x {kernel = array<i64: 1>, x_zp = 0 : i64} : (tensor<1x1x2xui8>) -> tensor<1x1x2xui8>
  return
}

// -----

// a mean of accumulators
func.func @f(%x: tensor<1x1x2xsi32>) {
  // expected-error @+1 {{operand 'tensor<1x1x2xsi32>' and result 'tensor<1x1x2xsi32>', expected 8 or 16-bit integers and the si32 sum}}
  %y = qnn.avg_pool %x {kernel = array<i64: 1>, x_zp = 0 : i64} : (tensor<1x1x2xsi32>) -> tensor<1x1x2xsi32>
  return
}

// -----

// scales along an axis: their largest
!a = !quant.uniform<i8:f32:1, {1.0, 2.0}>
func.func @f(%x: tensor<1x2x2x!a>) {
  // expected-error @+1 {{operand with scales along an axis, expected one scale}}
  %y = qnn.max_pool %x {kernel = array<i64: 1>} : (tensor<1x2x2x!a>) -> tensor<1x2x2x!a>
  return
}

// -----

// scales along an axis: a border
!a = !quant.uniform<i8:f32:1, {1.0, 2.0}>
func.func @f(%x: tensor<1x2x2x!a>) {
  // expected-error @+1 {{operand with scales along an axis, expected one scale}}
  %y = qnn.pad %x {low = array<i64: 0, 0, 0>, high = array<i64: 0, 0, 1>} : (tensor<1x2x2x!a>) -> tensor<1x2x3x!a>
  return
}

// -----

// scales along an axis: one after another
!a = !quant.uniform<i8:f32:1, {1.0, 2.0}>
func.func @f(%x: tensor<1x2x2x!a>) {
  // expected-error @+1 {{operand with scales along an axis, expected one scale}}
  %y = qnn.concat %x, %x {axis = 2 : i64} : (tensor<1x2x2x!a>, tensor<1x2x2x!a>) -> tensor<1x2x4x!a>
  return
}

// -----

// a permutation of other dimensions
func.func @f(%x: tensor<2x2xf32>) {
  // expected-error @+1 {{'permutation' has 3 entries, expected 2}}
  %y = qnn.transpose %x {permutation = array<i64: 0, 1, 2>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  return
}

// -----

// a dimension that does not exist
func.func @f(%x: tensor<2x2xf32>) {
  // expected-error @+1 {{'permutation' is [0, 2], expected each dimension once}}
  %y = qnn.transpose %x {permutation = array<i64: 0, 2>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  return
}

// -----

// sizes that stay
func.func @f(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{result of type 'tensor<2x3xf32>' for permutation [1, 0] of 'tensor<2x3xf32>'}}
  %y = qnn.transpose %x {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

// a transpose to another rank
func.func @f(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{result of type 'tensor<3x2x1xf32>' for permutation [1, 0] of 'tensor<2x3xf32>'}}
  %y = qnn.transpose %x {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2x1xf32>
  return
}

// -----

// a transpose that changes the type
func.func @f(%x: tensor<2x3xui8>) {
  // expected-error @+1 {{result elements of type 'si8', expected the operand's, 'ui8'}}
  %y = qnn.transpose %x {permutation = array<i64: 1, 0>} : (tensor<2x3xui8>) -> tensor<3x2xsi8>
  return
}

// -----

// offsets of other dimensions
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{'offsets' has 2 entries, expected 1}}
  %y = qnn.slice %x {offsets = array<i64: 0, 0>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// steps of other dimensions
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{'steps' has 0 entries, expected 1}}
  %y = qnn.slice %x {offsets = array<i64: 0>, steps = array<i64>} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// a slice of another rank
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{result of type 'tensor<1x4xf32>', expected rank 1}}
  %y = qnn.slice %x {offsets = array<i64: 0>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<1x4xf32>
  return
}

// -----

// a slice that starts outside
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{dimension 0 of size 4 from 4 in 0 steps of 1 leaves the operand}}
  %y = qnn.slice %x {offsets = array<i64: 4>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<1xf32>
  return
}

// -----

// a slice that starts before
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{dimension 0 of size 4 from -1 in 0 steps of 1 leaves the operand}}
  %y = qnn.slice %x {offsets = array<i64: -1>, steps = array<i64: 1>} : (tensor<4xf32>) -> tensor<1xf32>
  return
}

// -----

// steps of 0
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{dimension 0 of size 4 from 0 in 1 steps of 0 leaves the operand}}
  %y = qnn.slice %x {offsets = array<i64: 0>, steps = array<i64: 0>} : (tensor<4xf32>) -> tensor<2xf32>
  return
}

// -----

// a reversed slice that leaves the operand
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{dimension 0 of size 4 from 1 in 2 steps of -1 leaves the operand}}
  %y = qnn.slice %x {offsets = array<i64: 1>, steps = array<i64: -1>} : (tensor<4xf32>) -> tensor<3xf32>
  return
}

// -----

// steps whose negation is no number
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{leaves the operand}}
  %y = qnn.slice %x {offsets = array<i64: 1>, steps = array<i64: -9223372036854775808>} : (tensor<4xf32>) -> tensor<2xf32>
  return
}

// -----

// a border of other dimensions, before
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{'low' has 2 entries, expected 1}}
  %y = qnn.pad %x {low = array<i64: 0, 0>, high = array<i64: 1>} : (tensor<4xf32>) -> tensor<5xf32>
  return
}

// -----

// a border of other dimensions, after
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{'high' has 2 entries, expected 1}}
  %y = qnn.pad %x {low = array<i64: 0>, high = array<i64: 1, 0>} : (tensor<4xf32>) -> tensor<5xf32>
  return
}

// -----

// a border that the result does not have
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{result of type 'tensor<4xf32>' for padding of [0] before and [1] after 'tensor<4xf32>'}}
  %y = qnn.pad %x {low = array<i64: 0>, high = array<i64: 1>} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// a border without number
func.func @f(%x: tensor<4xui8>) {
  // expected-error @+1 {{needs 'x_zp' with operands of type 'ui8'}}
  %y = qnn.pad %x {low = array<i64: 0>, high = array<i64: 1>} : (tensor<4xui8>) -> tensor<5xui8>
  return
}

// -----

// nothing one after another
func.func @f() {
  // expected-error @+1 {{has no operands, expected at least one}}
  %y = "qnn.concat"() {axis = 0 : i64} : () -> tensor<4xf32>
  return
}

// -----

// along a dimension that does not exist
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{'axis' is 1, expected a dimension of 'tensor<4xf32>'}}
  %y = qnn.concat %x {axis = 1 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// along a negative dimension
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{'axis' is -1, expected a dimension of 'tensor<4xf32>'}}
  %y = qnn.concat %x {axis = -1 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// operands of other sizes
func.func @f(%x: tensor<1x2xf32>, %z: tensor<1x3xf32>) {
  // expected-error @+1 {{operand of type 'tensor<1x3xf32>', expected the sizes of 'tensor<2x2xf32>' but along dimension 0}}
  %y = qnn.concat %x, %z {axis = 0 : i64} : (tensor<1x2xf32>, tensor<1x3xf32>) -> tensor<2x2xf32>
  return
}

// -----

// operands of another rank
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{operand of type 'tensor<2xf32>', expected the sizes of 'tensor<1x2xf32>' but along dimension 0}}
  %y = qnn.concat %x {axis = 0 : i64} : (tensor<2xf32>) -> tensor<1x2xf32>
  return
}

// -----

// operands of two types
func.func @f(%x: tensor<2xui8>, %z: tensor<2xsi8>) {
  // expected-error @+1 {{result elements of type 'ui8', expected the operand's, 'si8'}}
  %y = qnn.concat %x, %z {axis = 0 : i64} : (tensor<2xui8>, tensor<2xsi8>) -> tensor<4xui8>
  return
}

// -----

// padding of more positions than any model has
func.func @f(%x: tensor<1x1x2x2xf32>) {
  // expected-error @+1 {{the window has too many positions, expected at most 2^31 with the padding}}
  %y = qnn.max_pool %x {kernel = array<i64: 65536, 65536>, pads = array<i64: 65535, 65535, 0, 0>} : (tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32>
  return
}

// -----

// a kernel of more positions than any model has, most of them between the elements
func.func @f(%x: tensor<1x1x1x1xf32>) {
  // expected-error @+1 {{the window has too many positions, expected at most 2^31 with the padding}}
  %y = qnn.avg_pool %x {kernel = array<i64: 2147483648, 2>, pads = array<i64: 0, 0, 2147483647, 1>} : (tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  return
}

// -----

// a border that no integer can stand for
func.func @f(%x: tensor<4xf32>) {
  // expected-error @+1 {{'value' is not finite}}
  %y = qnn.pad %x {low = array<i64: 0>, high = array<i64: 1>, value = 0xFF800000 : f32} : (tensor<4xf32>) -> tensor<5xf32>
  return
}

// -----

// channels last, but not those of the operand
func.func @f(%x: tensor<1x3x2xf32>) {
  // expected-error @+1 {{result of type 'tensor<1x3x1xf32>', expected the samples and channels of 'tensor<1x3x2xf32>'}}
  %y = qnn.max_pool %x {channels_last, kernel = array<i64: 1>} : (tensor<1x3x2xf32>) -> tensor<1x3x1xf32>
  return
}
