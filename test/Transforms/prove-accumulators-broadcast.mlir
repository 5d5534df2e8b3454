// RUN: %quant-opt %s --quant-prove-accumulators -split-input-file -verify-diagnostics

// The multipliers broadcast along different dimensions: element [0, 1] has both large ones.
func.func @crossed(%a: tensor<2x2xsi32>) -> tensor<2x2xui8> {
  // expected-error @+1 {{layer 's': the sum can reach 2^63}}
  %y = qnn.add %a, %a {id = "s", a_zp = 0 : i64, b_zp = 0 : i64, a_multiplier = dense<[[2147483647], [0]]> : tensor<2x1xi32>, b_multiplier = dense<[[0, 2147483647]]> : tensor<1x2xi32>, exponent = dense<62> : tensor<i32>, zero_point = 0 : i64, clamp = array<i64: 0, 255>, rounding = #qnn.rounding<half_up>} : (tensor<2x2xsi32>, tensor<2x2xsi32>) -> tensor<2x2xui8>
  return %y : tensor<2x2xui8>
}
