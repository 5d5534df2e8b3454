// RUN: quant-opt %s --quant-expand-dots -split-input-file -verify-diagnostics | FileCheck %s

// Groups of four products, summed pair by pair, then added modulo 2^32.
// CHECK-LABEL: llvm.func @sdot
// CHECK: %[[X:.*]] = llvm.sext %{{.*}} : vector<16xi8> to vector<16xi32>
// CHECK: %[[W:.*]] = llvm.sext %{{.*}} : vector<16xi8> to vector<16xi32>
// CHECK: llvm.mul %[[X]], %[[W]] : vector<16xi32>
// CHECK: llvm.add %{{.*}} : vector<8xi32>
// CHECK: %[[S:.*]] = llvm.add %{{.*}} : vector<4xi32>
// CHECK: %[[R:.*]] = llvm.add %arg0, %[[S]] : vector<4xi32>
// CHECK: llvm.return %[[R]]
llvm.func @sdot(%a: vector<4xi32>, %x: vector<16xi8>, %w: vector<16xi8>) -> vector<4xi32> {
  %s = llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"(%a, %x, %w) : (vector<4xi32>, vector<16xi8>, vector<16xi8>) -> vector<4xi32>
  llvm.return %s : vector<4xi32>
}

// CHECK-LABEL: llvm.func @usdot
// CHECK: llvm.zext %arg1 : vector<16xi8> to vector<16xi32>
// CHECK: llvm.sext %arg2 : vector<16xi8> to vector<16xi32>
// CHECK-NOT: call_intrinsic
llvm.func @usdot(%a: vector<4xi32>, %x: vector<16xi8>, %w: vector<16xi8>) -> vector<4xi32> {
  %s = llvm.call_intrinsic "llvm.aarch64.neon.usdot.v4i32.v16i8"(%a, %x, %w) : (vector<4xi32>, vector<16xi8>, vector<16xi8>) -> vector<4xi32>
  llvm.return %s : vector<4xi32>
}

// Pairs of products, saturated.
// CHECK-LABEL: llvm.func @maddubs
// CHECK: llvm.zext %arg0 : vector<32xi8> to vector<32xi32>
// CHECK: llvm.sext %arg1 : vector<32xi8> to vector<32xi32>
// CHECK: llvm.add %{{.*}} : vector<16xi32>
// CHECK: llvm.intr.smax
// CHECK: llvm.intr.smin
// CHECK: llvm.trunc %{{.*}} : vector<16xi32> to vector<16xi16>
llvm.func @maddubs(%x: vector<32xi8>, %w: vector<32xi8>) -> vector<16xi16> {
  %s = llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"(%x, %w) : (vector<32xi8>, vector<32xi8>) -> vector<16xi16>
  llvm.return %s : vector<16xi16>
}

// CHECK-LABEL: llvm.func @words
// CHECK-NOT: call_intrinsic
// CHECK: llvm.sext %arg1 : vector<16xi16> to vector<16xi32>
// CHECK: %[[P:.*]] = llvm.add %{{.*}} : vector<8xi32>
// CHECK: %[[A:.*]] = llvm.add %arg0, %{{.*}} : vector<8xi32>
// CHECK: llvm.add %[[P]], %[[A]]
llvm.func @words(%a: vector<8xi32>, %x: vector<16xi16>, %w: vector<16xi16>) -> vector<8xi32> {
  %s = llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"(%x, %w) : (vector<16xi16>, vector<16xi16>) -> vector<8xi32>
  %t = llvm.call_intrinsic "llvm.x86.avx512.vpdpwssd.256"(%a, %x, %w) : (vector<8xi32>, vector<16xi16>, vector<16xi16>) -> vector<8xi32>
  %r = llvm.add %s, %t : vector<8xi32>
  llvm.return %r : vector<8xi32>
}

// CHECK-LABEL: llvm.func @dpbusd
// CHECK: llvm.zext %arg1 : vector<32xi8> to vector<32xi32>
// CHECK: llvm.add %arg0
llvm.func @dpbusd(%a: vector<8xi32>, %x: vector<32xi8>, %w: vector<32xi8>) -> vector<8xi32> {
  %s = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"(%a, %x, %w) : (vector<8xi32>, vector<32xi8>, vector<32xi8>) -> vector<8xi32>
  llvm.return %s : vector<8xi32>
}

// -----

// What has no expansion is not left for a machine that may lack it; what every machine has stays.
llvm.func @unknown(%x: vector<8xi32>) -> i32 {
  // expected-error@+1 {{no reference expansion of 'llvm.x86.avx2.psad.bw'}}
  %s = llvm.call_intrinsic "llvm.x86.avx2.psad.bw"(%x, %x) : (vector<8xi32>, vector<8xi32>) -> vector<8xi32>
  %t = llvm.call_intrinsic "llvm.vector.reduce.add.v8i32"(%s) : (vector<8xi32>) -> i32
  llvm.return %t : i32
}
