// RUN: quant-opt %s -verify-diagnostics -split-input-file

// a body that computes something else
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+3 {{'math.sin' op in the body of qnn.map, expected an f32 operation that qnn.map lists}}
  %y = "qnn.map"(%x) ({
  ^bb0(%a: f32):
    %e = math.sin %a : f32
    qnn.yield %e : f32
  }) : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

// a body without its argument
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{body with 0 arguments, expected one f32}}
  %y = qnn.map %x : (tensor<2xf32>) -> tensor<2xf32> {
    %e = arith.constant 1.0 : f32
    qnn.yield %e : f32
  }
  return
}

// -----

// a function of integers
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{operand of type 'tensor<2xui8>', expected f32 or a quantized type}}
  %y = qnn.map %x : (tensor<2xui8>) -> tensor<2xui8> {
  ^bb0(%a: f32):
    qnn.yield %a : f32
  }
  return
}

// -----

// another shape
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{result of type 'tensor<3xf32>', expected the shape of 'tensor<2xf32>'}}
  %y = qnn.map %x : (tensor<2xf32>) -> tensor<3xf32> {
  ^bb0(%a: f32):
    qnn.yield %a : f32
  }
  return
}

// -----

// an entry that the clamp excludes
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{'entries' contains 9, expected a number in the range of 'clamp'}}
  %y = qnn.table %x {entries = dense<[0, 9]> : tensor<2xi32>, low = 0 : i64, clamp = array<i64: 0, 8>} : (tensor<2xui8>) -> tensor<2xui8>
  return
}

// -----

// one knot
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{table of type 'tensor<1xi32>' with shift 3, expected}}
  %y = qnn.table %x {entries = dense<[0]> : tensor<1xi32>, low = 0 : i64, shift = 3 : i64, clamp = array<i64: 0, 8>} : (tensor<2xui8>) -> tensor<2xui8>
  return
}

// -----

// a table that starts below its operand's numbers
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{'low' -1 is outside [0, 255]}}
  %y = qnn.table %x {entries = dense<[0]> : tensor<1xi32>, low = -1 : i64, clamp = array<i64: 0, 8>} : (tensor<2xui8>) -> tensor<2xui8>
  return
}

// -----

// a table of accumulators
func.func @f(%x: tensor<2xsi32>) {
  // expected-error @+1 {{operand 'tensor<2xsi32>' and result 'tensor<2xui8>', expected 8 or 16-bit integers of one shape}}
  %y = qnn.table %x {entries = dense<[0]> : tensor<1xi32>, low = 0 : i64, clamp = array<i64: 0, 8>} : (tensor<2xsi32>) -> tensor<2xui8>
  return
}

// -----

// a slope that does not broadcast
func.func @f(%x: tensor<2xf32>, %s: tensor<3xf32>) {
  // expected-error @+1 {{slope of type 'tensor<3xf32>' does not broadcast to 'tensor<2xf32>'}}
  %y = qnn.prelu %x, %s : (tensor<2xf32>, tensor<3xf32>) -> tensor<2xf32>
  return
}

// -----

// no slope
func.func @f(%x: tensor<2xf32>) {
  // expected-error @+1 {{needs a slope with operands of type 'f32'}}
  %y = qnn.prelu %x : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

// a product of accumulators
func.func @f(%x: tensor<2xsi32>) {
  // expected-error @+1 {{operand of type 'tensor<2xsi32>', expected 8 or 16-bit integers}}
  %y = qnn.mul %x, %x {a_zp = 0 : i64, b_zp = 0 : i64, multiplier = 1073741824 : i32, exponent = 33 : i32, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xsi32>, tensor<2xsi32>) -> tensor<2xui8>
  return
}

// -----

// a product without its multiplier
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{needs all of 'multiplier', 'exponent', 'zero_point', 'clamp' and 'rounding'}}
  %y = qnn.mul %x, %x {a_zp = 0 : i64, b_zp = 0 : i64} : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  return
}

// -----

// a negative multiplier of a product
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{multiplier -1 and exponent 33, expected at least 0 and a number in [1, 62]}}
  %y = qnn.mul %x, %x {a_zp = 0 : i64, b_zp = 0 : i64, multiplier = -1 : i32, exponent = 33 : i32, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  return
}

// -----

// a difference of integers
func.func @f(%x: tensor<2xui8>) {
  // expected-error @+1 {{with operands of type 'ui8', expected qnn.add with a negative 'b_multiplier'}}
  %y = qnn.sub %x, %x : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  return
}
