// RUN: %quant-opt %s --quant-prove-accumulators -split-input-file -verify-diagnostics

// 258 products of 127 and 65535 leave 163837 below 2^31.
func.func @fits(%x: tensor<1x258xui16>) -> tensor<1x1xsi32> {
  %w = arith.constant dense<127> : tensor<258x1xsi8>
  %b = arith.constant dense<163837> : tensor<1xsi32>
  %y = qnn.matmul %x, %w, %b {id = "y", x_zp = 0 : i64} : (tensor<1x258xui16>, tensor<258x1xsi8>, tensor<1xsi32>) -> tensor<1x1xsi32>
  return %y : tensor<1x1xsi32>
}

// -----

func.func @one_too_many(%x: tensor<1x258xui16>) -> tensor<1x1xsi32> {
  %w = arith.constant dense<127> : tensor<258x1xsi8>
  %b = arith.constant dense<163838> : tensor<1xsi32>
  // expected-error @+1 {{layer 'y': accumulator bound 2147483648 exceeds 2147483647 with activations of 16 bits, the largest legal width is 15}}
  %y = qnn.matmul %x, %w, %b {id = "y", x_zp = 0 : i64} : (tensor<1x258xui16>, tensor<258x1xsi8>, tensor<1xsi32>) -> tensor<1x1xsi32>
  return %y : tensor<1x1xsi32>
}

// -----

// The clamp of the input counts, not its type.
func.func @clamped(%x: tensor<1x258xf32>) -> tensor<1x1xsi32> {
  %q = qnn.quantize %x {scale = 1.0 : f32, zero_point = 0 : i64, clamp = array<i64: 0, 4095>} : (tensor<1x258xf32>) -> tensor<1x258xui16>
  %w = arith.constant dense<127> : tensor<258x1xsi8>
  %b = arith.constant dense<2000000000> : tensor<1xsi32>
  %y = qnn.matmul %q, %w, %b {id = "y", x_zp = 0 : i64} : (tensor<1x258xui16>, tensor<258x1xsi8>, tensor<1xsi32>) -> tensor<1x1xsi32>
  return %y : tensor<1x1xsi32>
}

// -----

// The border of a padded convolution counts too, where its number is outside of the clamp.
func.func @border(%x: tensor<1x1x2xui16>) -> tensor<1x1x2xsi32> {
  %q = qnn.requantize %x {multiplier = dense<0> : tensor<i32>, exponent = dense<1> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 1>, rounding = #qnn.rounding<half_up>} : (tensor<1x1x2xui16>) -> tensor<1x1x2xui16>
  %w = arith.constant dense<127> : tensor<1x1x3xsi8>
  %b = arith.constant dense<2147000000> : tensor<1xsi32>
  // expected-error @+1 {{accumulator bound}}
  %y = qnn.conv %q, %w, %b {id = "c", x_zp = 65535 : i64, pads = array<i64: 1, 1>} : (tensor<1x1x2xui16>, tensor<1x1x3xsi8>, tensor<1xsi32>) -> tensor<1x1x2xsi32>
  return %y : tensor<1x1x2xsi32>
}

// -----

func.func @sum(%x: tensor<4xui8>, %a: tensor<4xsi32>) -> tensor<4xui8> {
  // expected-error @+1 {{layer 's': the sum can reach 2^63, expected smaller multipliers or a lower exponent}}
  %y = qnn.add %a, %a {id = "s", a_zp = 0 : i64, b_zp = 0 : i64, a_multiplier = dense<2147483647> : tensor<i32>, b_multiplier = dense<2147483647> : tensor<i32>, exponent = dense<62> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<4xsi32>, tensor<4xsi32>) -> tensor<4xui8>
  return %y : tensor<4xui8>
}

// -----

// 32768 numbers of 16 bits sum up to 2147450880, one more leaves 32 bits. Around a zero
// point in the middle twice as many fit, to -2^31 exactly.
func.func @pools(%x: tensor<1x1x32768xui16>, %y: tensor<1x1x65536xsi16>, %z: tensor<1x1x32769xui16>) -> (tensor<1x1x1xsi32>, tensor<1x1x1xsi32>, tensor<1x1x1xsi32>) {
  %0 = qnn.avg_pool %x {id = "fits", kernel = array<i64: 32768>, x_zp = 0 : i64} : (tensor<1x1x32768xui16>) -> tensor<1x1x1xsi32>
  %1 = qnn.avg_pool %y {id = "centred", kernel = array<i64: 65536>, x_zp = 0 : i64} : (tensor<1x1x65536xsi16>) -> tensor<1x1x1xsi32>
  // expected-error @+1 {{layer 'p': accumulator bound 2147516415 exceeds 2147483647 with activations of 16 bits, the largest legal width is 15}}
  %2 = qnn.avg_pool %z {id = "p", kernel = array<i64: 32769>, x_zp = 0 : i64} : (tensor<1x1x32769xui16>) -> tensor<1x1x1xsi32>
  return %0, %1, %2 : tensor<1x1x1xsi32>, tensor<1x1x1xsi32>, tensor<1x1x1xsi32>
}

// -----

func.func @centred_pool(%x: tensor<1x1x65537xsi16>) -> tensor<1x1x1xsi32> {
  // expected-error @+1 {{layer 'p': accumulator bound 2147516416 exceeds}}
  %0 = qnn.avg_pool %x {id = "p", kernel = array<i64: 65537>, x_zp = 0 : i64} : (tensor<1x1x65537xsi16>) -> tensor<1x1x1xsi32>
  return %0 : tensor<1x1x1xsi32>
}

// -----

// -2^31 itself fits; a layer without id is told too, by the lower side of one channel.
func.func @lowest(%x: tensor<1x1xui8>) -> (tensor<1x1xsi32>, tensor<1x2xsi32>) {
  %w = arith.constant dense<-1> : tensor<1x1xsi8>
  %b = arith.constant dense<-2147483393> : tensor<1xsi32>
  %y = qnn.matmul %x, %w, %b {x_zp = 0 : i64} : (tensor<1x1xui8>, tensor<1x1xsi8>, tensor<1xsi32>) -> tensor<1x1xsi32>
  %v = arith.constant dense<[[1, -1]]> : tensor<1x2xsi8>
  %c = arith.constant dense<[0, -2147483394]> : tensor<2xsi32>
  // expected-error @+1 {{layer without id: accumulator bound 2147483649 exceeds 2147483647 with activations of 8 bits, the largest legal width is 7}}
  %z = qnn.matmul %x, %v, %c {x_zp = 0 : i64} : (tensor<1x1xui8>, tensor<1x2xsi8>, tensor<2xsi32>) -> tensor<1x2xsi32>
  return %y, %z : tensor<1x1xsi32>, tensor<1x2xsi32>
}

// -----

// Two bits have no smaller legal width below them: none is named.
func.func @narrow(%x: tensor<1x1xf32>) -> tensor<1x1xsi32> {
  %q = qnn.quantize %x {scale = 1.0 : f32, zero_point = 0 : i64, clamp = array<i64: 0, 3>} : (tensor<1x1xf32>) -> tensor<1x1xui8>
  %w = arith.constant dense<1> : tensor<1x1xsi8>
  %b = arith.constant dense<2147483645> : tensor<1xsi32>
  // expected-error-re @+1 {{layer 'n': accumulator bound 2147483648 exceeds 2147483647 with activations of 2 bits{{$}}}}
  %y = qnn.matmul %q, %w, %b {id = "n", x_zp = 0 : i64} : (tensor<1x1xui8>, tensor<1x1xsi8>, tensor<1xsi32>) -> tensor<1x1xsi32>
  return %y : tensor<1x1xsi32>
}

// -----

// Ranges through moves and concatenations: the pad's number and the wider operand count.
func.func @moves(%x: tensor<1x1x2xui16>) -> (tensor<1x1x2xsi32>, tensor<1x1x6xsi32>) {
  %q = qnn.requantize %x {multiplier = dense<0> : tensor<i32>, exponent = dense<1> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 1>, rounding = #qnn.rounding<half_up>} : (tensor<1x1x2xui16>) -> tensor<1x1x2xui16>
  %r = qnn.max_pool %q {kernel = array<i64: 1>} : (tensor<1x1x2xui16>) -> tensor<1x1x2xui16>
  %w = arith.constant dense<1> : tensor<1x1x1xsi8>
  %b = arith.constant dense<2147483646> : tensor<1xsi32>
  %y = qnn.conv %r, %w, %b {id = "fits", x_zp = 0 : i64} : (tensor<1x1x2xui16>, tensor<1x1x1xsi8>, tensor<1xsi32>) -> tensor<1x1x2xsi32>
  %p = qnn.pad %r {low = array<i64: 0, 0, 1>, high = array<i64: 0, 0, 1>, x_zp = 2 : i64} : (tensor<1x1x2xui16>) -> tensor<1x1x4xui16>
  %c = qnn.concat %q, %p {axis = 2 : i64} : (tensor<1x1x2xui16>, tensor<1x1x4xui16>) -> tensor<1x1x6xui16>
  // expected-error @+1 {{layer 'c': accumulator bound 2147483648 exceeds}}
  %z = qnn.conv %c, %w, %b {id = "c", x_zp = 0 : i64} : (tensor<1x1x6xui16>, tensor<1x1x1xsi8>, tensor<1xsi32>) -> tensor<1x1x6xsi32>
  return %y, %z : tensor<1x1x2xsi32>, tensor<1x1x6xsi32>
}

// -----

// The sum fits because its operands are known: 255 and 65535, not 2^31.
func.func @known_sum(%x: tensor<4xui8>, %z: tensor<4xui16>) -> tensor<4xui8> {
  %y = qnn.add %x, %z {id = "s", a_zp = 0 : i64, b_zp = 0 : i64, a_multiplier = dense<2147483647> : tensor<i32>, b_multiplier = dense<2147483647> : tensor<i32>, exponent = dense<62> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<4xui8>, tensor<4xui16>) -> tensor<4xui8>
  return %y : tensor<4xui8>
}

// -----

// One channel of two.
func.func @sum_channel(%a: tensor<1x2xsi32>) -> tensor<1x2xui8> {
  // expected-error @+1 {{layer without id: the sum can reach 2^63}}
  %y = qnn.add %a, %a {a_zp = 0 : i64, b_zp = 0 : i64, a_multiplier = dense<[1, 2147483647]> : tensor<2xi32>, b_multiplier = dense<[1, 2147483647]> : tensor<2xi32>, exponent = dense<62> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<1x2xsi32>, tensor<1x2xsi32>) -> tensor<1x2xui8>
  return %y : tensor<1x2xui8>
}

// -----

// 65535^2 * (2^31 - 1) and the rounding term of 2^61 reach 2^63.
func.func @product(%x: tensor<2xui16> {qnn.name = "x", qnn.type = !quant.uniform<u15:f32, 1.0>}, %z: tensor<2xsi16> {qnn.name = "z"}) -> tensor<2xui8> {
  %0 = qnn.mul %x, %x {id = "fine", a_zp = 0 : i64, b_zp = 0 : i64, multiplier = 2147483647 : i32, exponent = 62 : i32, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xui16>, tensor<2xui16>) -> tensor<2xui8>
  // expected-error @+1 {{layer 'p': the product can reach 2^63, expected a smaller multiplier or a lower exponent}}
  %1 = qnn.mul %z, %z {id = "p", a_zp = -32768 : i64, b_zp = -32768 : i64, multiplier = 2147483647 : i32, exponent = 62 : i32, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2xsi16>, tensor<2xsi16>) -> tensor<2xui8>
  return %1 : tensor<2xui8>
}

// -----

// A bias of 2^29 or more may not follow the width of the input: where it fills 32 bits
// alone no width is legal, and where it leaves little room few bits are. A smaller one does.
func.func @bias(%x: tensor<1x2xui8>) -> (tensor<1x1xsi32>, tensor<1x1xsi32>) {
  %w = arith.constant dense<127> : tensor<2x1xsi8>
  %b = arith.constant dense<2147483647> : tensor<1xsi32>
  // expected-error-re @+1 {{layer 'full': accumulator bound 2147548417 exceeds 2147483647 with activations of 8 bits{{$}}}}
  %0 = qnn.matmul %x, %w, %b {id = "full", x_zp = 0 : i64} : (tensor<1x2xui8>, tensor<2x1xsi8>, tensor<1xsi32>) -> tensor<1x1xsi32>
  %c = arith.constant dense<2147479000> : tensor<1xsi32>
  // expected-error @+1 {{layer 'close': accumulator bound 2147543770 exceeds 2147483647 with activations of 8 bits, the largest legal width is 4}}
  %1 = qnn.matmul %x, %w, %c {id = "close", x_zp = 0 : i64} : (tensor<1x2xui8>, tensor<2x1xsi8>, tensor<1xsi32>) -> tensor<1x1xsi32>
  return %0, %1 : tensor<1x1xsi32>, tensor<1x1xsi32>
}
