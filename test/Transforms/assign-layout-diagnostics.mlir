// RUN: %quant-opt %s -split-input-file -quant-assign-layout -verify-diagnostics

// a transpose that nothing can take away
func.func @f(%x: tensor<1x2x4xf32>, %w: tensor<8x2xf32>) -> tensor<1x2xf32> {
  // expected-remark @+1 {{a transpose of 'tensor<1x4x2xf32>' remains inside of the program}}
  %p = qnn.max_pool %x {kernel = array<i64: 1>} : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %r = qnn.reshape %p : (tensor<1x2x4xf32>) -> tensor<1x8xf32>
  %y = qnn.matmul %r, %w : (tensor<1x8xf32>, tensor<8x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

// a level that has scales along dimensions
!u8 = !quant.uniform<u8:f32, 0.5>
func.func @f(%x: tensor<1x2x4xf32>) {
  // expected-error @+1 {{'quant.qcast' cannot be lowered, expected the float or integer level}}
  %q = quant.qcast %x : tensor<1x2x4xf32> to tensor<1x2x4x!u8>
  return
}
