// RUN: %quant-opt %s -split-input-file -verify-diagnostics

// Every fault of additions, activations and requantizations, one a section.

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

// a sum of sizes that do not repeat
func.func @f(%x: tensor<4xf32>, %y: tensor<2xf32>) {
  // expected-error @+1 {{of 'tensor<4xf32>' and 'tensor<2xf32>' as 'tensor<4xf32>', expected one rank and sizes that are equal or 1}}
  %z = qnn.add %x, %y : (tensor<4xf32>, tensor<2xf32>) -> tensor<4xf32>
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

// a sum without its numbers
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{needs all of 'a_multiplier', 'b_multiplier', 'exponent', 'zero_point', 'clamp' and 'rounding'}}
  %y = qnn.add %x, %x {a_zp = 0 : i64, b_zp = 0 : i64, a_multiplier = dense<1> : tensor<i32>, b_multiplier = dense<1> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>} : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  return
}

// -----

// numbers of a float sum
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{must not have any of 'a_multiplier', 'b_multiplier', 'exponent', 'zero_point', 'clamp' and 'rounding'}}
  %y = qnn.add %x, %x {exponent = dense<6> : tensor<i32>} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

// a zero point of a float sum
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{must not have 'b_zp' with operands of type 'f32'}}
  %y = qnn.add %x, %x {b_zp = 0 : i64} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

// a sum without the zero point of an operand
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{needs 'a_zp' with operands of type 'ui8'}}
  %y = qnn.add %x, %x {b_zp = 0 : i64, a_multiplier = dense<1> : tensor<i32>, b_multiplier = dense<1> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  return
}

// -----

// a sum with a zero point outside of the type
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{'b_zp' -1 is outside [0, 255]}}
  %y = qnn.add %x, %x {a_zp = 0 : i64, b_zp = -1 : i64, a_multiplier = dense<1> : tensor<i32>, b_multiplier = dense<1> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  return
}

// -----

// a sum that is no value
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{result of type 'tensor<2xsi32>', expected 8 or 16-bit integers}}
  %y = qnn.add %x, %x {a_zp = 0 : i64, b_zp = 0 : i64, a_multiplier = dense<1> : tensor<i32>, b_multiplier = dense<1> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xsi32>
  return
}

// -----

// a negative multiplier of a sum
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{'a_multiplier' contains -1, expected}}
  %y = qnn.add %x, %x {a_zp = 0 : i64, b_zp = 0 : i64, a_multiplier = dense<-1> : tensor<i32>, b_multiplier = dense<1> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  return
}

// -----

// a sum without shift
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{'exponent' contains 0, expected a number in [1, 62]}}
  %y = qnn.add %x, %x {a_zp = 0 : i64, b_zp = 0 : i64, a_multiplier = dense<1> : tensor<i32>, b_multiplier = dense<1> : tensor<i32>, exponent = dense<0> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  return
}

// -----

// a clamp of a sum out of order
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{'clamp' is [3, 2], expected two ordered numbers in [0, 255]}}
  %y = qnn.add %x, %x {a_zp = 0 : i64, b_zp = 0 : i64, a_multiplier = dense<1> : tensor<i32>, b_multiplier = dense<1> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 3, 2>, rounding = #qnn.rounding<half_up>} : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  return
}

// -----

// a zero point that the sum cannot store
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{'zero_point' 256 is outside [0, 255]}}
  %y = qnn.add %x, %x {a_zp = 0 : i64, b_zp = 0 : i64, a_multiplier = dense<1> : tensor<i32>, b_multiplier = dense<1> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = 256 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  return
}

// -----

// a_multiplier of other channels
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{'a_multiplier' of type 'tensor<3xi32>' does not broadcast to 'tensor<2xui8>'}}
  %y = qnn.add %x, %x {a_zp = 0 : i64, b_zp = 0 : i64, a_multiplier = dense<1> : tensor<3xi32>, b_multiplier = dense<1> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  return
}

// -----

// b_multiplier of other channels
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{'b_multiplier' of type 'tensor<3xi32>' does not broadcast to 'tensor<2xui8>'}}
  %y = qnn.add %x, %x {a_zp = 0 : i64, b_zp = 0 : i64, a_multiplier = dense<1> : tensor<i32>, b_multiplier = dense<1> : tensor<3xi32>, exponent = dense<6> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  return
}

// -----

// an exponent of more dimensions
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{'exponent' of type 'tensor<1x2xi32>' does not broadcast to 'tensor<2xui8>'}}
  %y = qnn.add %x, %x {a_zp = 0 : i64, b_zp = 0 : i64, a_multiplier = dense<1> : tensor<i32>, b_multiplier = dense<1> : tensor<i32>, exponent = dense<6> : tensor<1x2xi32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  return
}

// -----

// a bound that is no number
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{and 'max' nan, expected ordered numbers}}
  %y = qnn.clip %x {min = 0.0 : f32, max = 0x7FC00000 : f32} : tensor<2xf32>
  return
}

// -----

// real numbers requantized
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{operand of type 'tensor<2xf32>', expected a quantized type or integers}}
  %y = qnn.requantize %x {} : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

// a requantization that changes the shape
func.func @f(%x: tensor<2xsi32>) {
  // expected-error @+1 {{result of type 'tensor<2x1xui8>', expected the shape of 'tensor<2xsi32>'}}
  %y = qnn.requantize %x {multiplier = dense<1073741824> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xsi32>) -> tensor<2x1xui8>
  return
}

// -----

// numbers that the types say
!t = !quant.uniform<u8:f32, 1.0>
func.func @f(%x: tensor<2x!t>) {
  // expected-error @+1 {{must not have any of 'multiplier', 'exponent', 'zero_point' and 'rounding'}}
  %y = qnn.requantize %x {rounding = #qnn.rounding<half_up>} : (tensor<2x!t>) -> tensor<2x!t>
  return
}

// -----

// a clamp of one number
!t = !quant.uniform<u8:f32, 1.0>
func.func @f(%x: tensor<2x!t>) {
  // expected-error @+1 {{'clamp' is [3], expected two ordered numbers}}
  %y = qnn.requantize %x {clamp = array<i64: 3>} : (tensor<2x!t>) -> tensor<2x!t>
  return
}

// -----

// a clamp out of order, quantized
!t = !quant.uniform<u8:f32, 1.0>
func.func @f(%x: tensor<2x!t>) {
  // expected-error @+1 {{'clamp' is [3, 2], expected two ordered numbers}}
  %y = qnn.requantize %x {clamp = array<i64: 3, 2>} : (tensor<2x!t>) -> tensor<2x!t>
  return
}

// -----

// a clamp of three numbers
func.func @f(%x: tensor<2xsi32>) {
  // expected-error @+1 {{'clamp' is [0, 1, 2], expected two ordered numbers in [0, 255]}}
  %y = qnn.requantize %x {multiplier = dense<1073741824> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 1, 2>, rounding = #qnn.rounding<half_up>} : (tensor<2xsi32>) -> tensor<2xui8>
  return
}

// -----

// a clamp below the type
func.func @f(%x: tensor<2xsi32>) {
  // expected-error @+1 {{'clamp' is [-1, 255], expected two ordered numbers in [0, 255]}}
  %y = qnn.requantize %x {multiplier = dense<1073741824> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: -1, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xsi32>) -> tensor<2xui8>
  return
}

// -----

// an accumulator as the result
func.func @f(%x: tensor<2xsi32>) {
  // expected-error @+1 {{result of type 'tensor<2xsi32>', expected 8 or 16-bit integers}}
  %y = qnn.requantize %x {multiplier = dense<1073741824> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xsi32>) -> tensor<2xsi32>
  return
}

// -----

// a negative multiplier
func.func @f(%x: tensor<2xsi32>) {
  // expected-error @+1 {{'multiplier' contains -5, expected 0 or a number in [2^30, 2^31)}}
  %y = qnn.requantize %x {multiplier = dense<-5> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xsi32>) -> tensor<2xui8>
  return
}

// -----

// no shift
func.func @f(%x: tensor<2xsi32>) {
  // expected-error @+1 {{'exponent' contains 0, expected a number in [1, 62]}}
  %y = qnn.requantize %x {multiplier = dense<1073741824> : tensor<i32>, exponent = dense<0> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xsi32>) -> tensor<2xui8>
  return
}

// -----

// a zero point that the result cannot store
func.func @f(%x: tensor<2xsi32>) {
  // expected-error @+1 {{'zero_point' -1 is outside [0, 255]}}
  %y = qnn.requantize %x {multiplier = dense<1073741824> : tensor<i32>, exponent = dense<6> : tensor<i32>, zero_point = -1 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xsi32>) -> tensor<2xui8>
  return
}

// -----

// exponents that do not broadcast
func.func @f(%x: tensor<2xsi32>) {
  // expected-error @+1 {{'exponent' of type 'tensor<3xi32>' does not broadcast to 'tensor<2xui8>'}}
  %y = qnn.requantize %x {multiplier = dense<1073741824> : tensor<i32>, exponent = dense<6> : tensor<3xi32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xsi32>) -> tensor<2xui8>
  return
}
