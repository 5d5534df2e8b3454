// RUN: quant-opt %s --quant-plan-memory | FileCheck %s
// RUN: quant-opt %s --quant-outline-kernels | FileCheck %s --check-prefix=KERNEL

// %a dies before %c is born: they share memory. %b lives with both.
// CHECK-LABEL: @main
// CHECK-SAME: (%arg0: memref<64xi8>, %arg1: memref<256xi8>) attributes {dyadic.live_set = 228 : i64, dyadic.workspace = 256 : i64}
// CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
// CHECK: memref.view %arg1[%[[C0]]][] : memref<256xi8> to memref<128xi8>
// CHECK: memref.view %arg1[%c128{{.*}}][] : memref<256xi8> to memref<100xi8>
// CHECK: memref.view %arg1[%c0{{.*}}][] : memref<256xi8> to memref<64xi8>
// CHECK-NOT: memref.alloc

// KERNEL-LABEL: @main
// KERNEL: call @main_kernel_0
// KERNEL: call @main_kernel_1
// KERNEL: func.func private @main_kernel_0(%arg0: memref<128xi8> {llvm.noalias}) attributes {dyadic.nanoseconds = 64 : i64, llvm.linkage = #llvm.linkage<internal>, passthrough = ["noinline", "nounwind"]}
func.func @main(%out: memref<64xi8>) {
  %c1 = arith.constant 1 : i8
  %a = memref.alloc() : memref<128xi8>
  linalg.fill ins(%c1 : i8) outs(%a : memref<128xi8>)
  %b = memref.alloc() : memref<100xi8>
  %s = memref.subview %a[0] [100] [1] : memref<128xi8> to memref<100xi8, strided<[1]>>
  linalg.copy ins(%s : memref<100xi8, strided<[1]>>) outs(%b : memref<100xi8>)
  %c = memref.alloc() : memref<64xi8>
  linalg.fill ins(%c1 : i8) outs(%c : memref<64xi8>)
  %t = memref.subview %b[0] [64] [1] : memref<100xi8> to memref<64xi8, strided<[1]>>
  linalg.copy ins(%t : memref<64xi8, strided<[1]>>) outs(%c : memref<64xi8>)
  linalg.copy ins(%c : memref<64xi8>) outs(%out : memref<64xi8>)
  return
}
