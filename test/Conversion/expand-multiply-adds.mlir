// RUN: quant-opt %s --quant-expand-multiply-adds | FileCheck %s

// In f64, rounded to odd where the sum is not exact. See Support/FusedMultiplyAdd.h.
// CHECK-LABEL: llvm.func @vector
// CHECK: %[[C:.*]] = llvm.fpext %arg2 : vector<4xf32> to vector<4xf64>
// CHECK: %[[P:.*]] = llvm.fmul %{{.*}}, %{{.*}} : vector<4xf64>
// CHECK: %[[S:.*]] = llvm.fadd %[[P]], %[[C]] : vector<4xf64>
// CHECK: %[[A:.*]] = llvm.fsub %[[S]], %[[P]] : vector<4xf64>
// CHECK: %[[B:.*]] = llvm.fsub %[[S]], %[[A]] : vector<4xf64>
// CHECK: %[[E:.*]] = llvm.fsub %[[P]], %[[B]] : vector<4xf64>
// CHECK: %[[D:.*]] = llvm.fsub %[[C]], %[[A]] : vector<4xf64>
// CHECK: %[[ERROR:.*]] = llvm.fadd %[[E]], %[[D]] : vector<4xf64>
// CHECK: llvm.fcmp "one" %[[ERROR]]
// CHECK: llvm.fptrunc %{{.*}} : vector<4xf64> to vector<4xf32>
// CHECK-NOT: fma
llvm.func @vector(%x: vector<4xf32>, %y: vector<4xf32>, %c: vector<4xf32>) -> vector<4xf32> {
  %0 = llvm.intr.fma(%x, %y, %c) : (vector<4xf32>, vector<4xf32>, vector<4xf32>) -> vector<4xf32>
  llvm.return %0 : vector<4xf32>
}

// CHECK-LABEL: llvm.func @scalar
// CHECK: llvm.fptrunc %{{.*}} : f64 to f32
// CHECK-NOT: fma.f32
llvm.func @scalar(%x: f32, %y: f32, %c: f32) -> f32 {
  %0 = llvm.intr.fma(%x, %y, %c) : (f32, f32, f32) -> f32
  llvm.return %0 : f32
}

// Wider numbers are not ours.
// CHECK-LABEL: llvm.func @wide
// CHECK: llvm.intr.fma
llvm.func @wide(%x: f64) -> f64 {
  %0 = llvm.intr.fma(%x, %x, %x) : (f64, f64, f64) -> f64
  llvm.return %0 : f64
}
