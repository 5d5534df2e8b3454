// RUN: quant-opt %s --quant-outline-kernels -split-input-file | FileCheck %s

#map = affine_map<(d0) -> (d0)>

// Two parts of one buffer may overlap: neither is noalias. The output is another buffer.
// Constants are copied into the kernel, captured values are arguments.
// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[A:.*]]: memref<8xi8>, %[[O:.*]]: memref<4xi8>, %[[K:.*]]: i8)
// CHECK: %[[X:.*]] = memref.subview %[[A]][0]
// CHECK: %[[Y:.*]] = memref.subview %[[A]][4]
// CHECK: call @main_kernel_0(%[[X]], %[[Y]], %[[O]], %[[K]])
// CHECK-NOT: linalg
// CHECK: return
// CHECK: func.func private @main_kernel_0(%arg0: memref<4xi8, strided<[1]>>, %arg1: memref<4xi8, strided<[1], offset: 4>>, %arg2: memref<4xi8> {llvm.noalias}, %arg3: i8)
// CHECK-SAME: attributes {dyadic.nanoseconds = 2 : i64, llvm.linkage = #llvm.linkage<internal>, passthrough = ["noinline", "nounwind"]}
// CHECK: %[[SEVEN:.*]] = arith.constant 7 : i8
// CHECK: linalg.generic
// CHECK: arith.addi %{{.*}}, %[[SEVEN]]
// CHECK: arith.addi %{{.*}}, %arg3
func.func @main(%a: memref<8xi8>, %o: memref<4xi8>, %k: i8) {
  %seven = arith.constant 7 : i8
  %x = memref.subview %a[0] [4] [1] : memref<8xi8> to memref<4xi8, strided<[1]>>
  %y = memref.subview %a[4] [4] [1] : memref<8xi8> to memref<4xi8, strided<[1], offset: 4>>
  linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel"]} ins(%x, %y : memref<4xi8, strided<[1]>>, memref<4xi8, strided<[1], offset: 4>>) outs(%o : memref<4xi8>) {
  ^bb0(%l: i8, %r: i8, %out: i8):
    %s = arith.addi %l, %r : i8
    %t = arith.addi %s, %seven : i8
    %u = arith.addi %t, %k : i8
    linalg.yield %u : i8
  }
  return
}

// -----

// Parts of the workspace that the planner made are apart from each other; private functions
// and declarations stay as they are.
// CHECK-LABEL: func.func @entry
// CHECK: call @entry_kernel_0
// CHECK: func.func private @entry_kernel_0(%arg0: memref<4xi8> {llvm.noalias}, %arg1: memref<4xi8> {llvm.noalias})
// CHECK: func.func private @helper
// CHECK-NEXT: linalg.copy
func.func @entry(%w: memref<128xi8>) {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %a = memref.view %w[%c0][] : memref<128xi8> to memref<4xi8>
  %b = memref.view %w[%c64][] : memref<128xi8> to memref<4xi8>
  linalg.copy ins(%a : memref<4xi8>) outs(%b : memref<4xi8>)
  return
}
func.func private @helper(%a: memref<4xi8>, %b: memref<4xi8>) {
  linalg.copy ins(%a : memref<4xi8>) outs(%b : memref<4xi8>)
  return
}
func.func private @declared()

// -----

#in = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3, d2)>
#out = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>

// A kernel with much to do takes a share of its outer parallel loops of more than one pass: both of two, and 100 in 8 parts. Sums
// stay whole. The caller asks for all.
// CHECK-LABEL: func.func @split
// CHECK: call @split_kernel_0(%{{.*}}, %{{.*}}, %c0, %c2, %c0{{.*}}, %c100) : (memref<1x2x500x100xf32>, memref<1x2x100xf32>, index, index, index, index)
// CHECK: func.func private @split_kernel_0(%{{.*}}, %[[FIRST:.*]]: index, %[[END:.*]]: index, %[[FIRST1:.*]]: index, %[[END1:.*]]: index)
// CHECK-SAME: dyadic.nanoseconds = 50000 : i64, dyadic.split = array<i64: 2, 2, 100, 8>
// CHECK: scf.for %{{.*}} = %c0 to %c1 step
// CHECK: scf.for %{{.*}} = %[[FIRST]] to %[[END]] step
// CHECK: scf.for %{{.*}} = %[[FIRST1]] to %[[END1]] step
// CHECK: scf.for %{{.*}} = %{{.*}} to %c500 step
// CHECK-NOT: linalg
func.func @split(%a: memref<1x2x500x100xf32>, %b: memref<1x2x100xf32>) {
  linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%a : memref<1x2x500x100xf32>) outs(%b : memref<1x2x100xf32>) {
  ^bb0(%x: f32, %sum: f32):
    %s = arith.addf %x, %sum : f32
    linalg.yield %s : f32
  }
  return
}

// -----

// The layers that a kernel computes, from its location: one, several where layers were fused, none.
// CHECK-LABEL: func.func @layers
// CHECK: func.func private @layers_kernel_2
// CHECK-NOT: dyadic.layers
// CHECK: func.func private @layers_kernel_1
// CHECK-SAME: dyadic.layers = ["b", "c"]
// CHECK: func.func private @layers_kernel_0
// CHECK-SAME: dyadic.layers = ["a"]
func.func @layers(%a: memref<4xi8>, %b: memref<4xi8>) {
  linalg.copy ins(%a : memref<4xi8>) outs(%b : memref<4xi8>) loc(#a)
  linalg.copy ins(%a : memref<4xi8>) outs(%b : memref<4xi8>) loc(#bc)
  linalg.copy ins(%a : memref<4xi8>) outs(%b : memref<4xi8>) loc("node")
  return
}
#a = loc(fused<"a">["node"])
#b = loc(fused<"b">["node"])
#c = loc(fused<"c">["node"])
#bc = loc(fused[#b, #c])
