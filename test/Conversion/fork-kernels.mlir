// RUN: quant-opt %s --quant-fork-kernels | FileCheck %s

// Without a team the call is what it was. With one the arguments are stored, and the parts are forked. A kernel that is not
// split has one call. Both loops of @big have parts: 14 lines, and panels in 4 parts. Of 90 + 10 us, 1.6 + 10 cannot be shared.
// CHECK: llvm.func @dyadic_fork(!llvm.ptr, i64, !llvm.ptr, !llvm.ptr)
// CHECK-LABEL: llvm.func @main
// CHECK-SAME: (%[[X:.*]]: !llvm.ptr {llvm.noalias}, %[[W:.*]]: !llvm.ptr, %[[TEAM:.*]]: !llvm.ptr) attributes {dyadic.useful_threads = 8 : i64, dyadic.workspace = 64 : i64}
// CHECK-DAG: %[[SLOTS:.*]] = llvm.alloca %{{.*}} x i64
// CHECK-DAG: %[[NONE:.*]] = llvm.mlir.zero
// CHECK: %[[ALONE:.*]] = llvm.icmp "eq" %[[TEAM]], %[[NONE]]
// CHECK: llvm.cond_br %[[ALONE]], ^[[DIRECT:.*]], ^[[PARTED:.*]]
// CHECK: ^[[DIRECT]]:
// CHECK-NEXT: llvm.call @big(%[[X]], %[[W]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}})
// CHECK-NEXT: llvm.br ^[[NEXT:.*]]
// CHECK: ^[[PARTED]]:
// CHECK: llvm.store %[[X]]
// CHECK: llvm.store %[[W]]
// CHECK: %[[PART:.*]] = llvm.mlir.addressof @big_part
// CHECK: %[[PARTS:.*]] = llvm.mlir.constant(56 : i64)
// CHECK: llvm.call @dyadic_fork(%[[TEAM]], %[[PARTS]], %[[PART]], %[[SLOTS]])
// CHECK-NEXT: llvm.br ^[[NEXT]]
// CHECK: ^[[NEXT]]:
// CHECK-NEXT: llvm.call @small(%[[X]])
// CHECK-NEXT: llvm.return
llvm.func @main(%x: !llvm.ptr {llvm.noalias}, %workspace: !llvm.ptr) attributes {dyadic.workspace = 64 : i64} {
  %c0 = llvm.mlir.constant(0 : i64) : i64
  %c14 = llvm.mlir.constant(14 : i64) : i64
  %c5 = llvm.mlir.constant(5 : i64) : i64
  llvm.call @big(%x, %workspace, %c0, %c14, %c0, %c5) : (!llvm.ptr, !llvm.ptr, i64, i64, i64, i64) -> ()
  llvm.call @small(%x) : (!llvm.ptr) -> ()
  llvm.return
}

// CHECK: llvm.func internal @big(
// CHECK-NOT: dyadic.split
llvm.func internal @big(%x: !llvm.ptr, %w: !llvm.ptr, %first: i64, %end: i64, %firstPanel: i64, %endPanel: i64) attributes {dyadic.nanoseconds = 90000 : i64, dyadic.split = array<i64: 14, 14, 5, 4>} {
  llvm.return
}

// Part i: line i / 4; of the panels [i % 4 * 5 / 4, (i % 4 + 1) * 5 / 4), without a division.
// CHECK: llvm.func internal @big_part(%[[ARGUMENTS:.*]]: !llvm.ptr, %[[I:.*]]: i64, %{{.*}}: i64)
// CHECK: %[[A0:.*]] = llvm.load %{{.*}} : !llvm.ptr -> !llvm.ptr
// CHECK: %[[A1:.*]] = llvm.load %{{.*}} : !llvm.ptr -> !llvm.ptr
// CHECK: %[[MASK:.*]] = llvm.mlir.constant(3 : i64)
// CHECK: %[[PANEL:.*]] = llvm.and %[[I]], %[[MASK]]
// CHECK: %[[BITS:.*]] = llvm.mlir.constant(2 : i64)
// CHECK: %[[LINE:.*]] = llvm.lshr %[[I]], %[[BITS]]
// CHECK: %[[PANEL1:.*]] = llvm.add %[[PANEL]]
// CHECK: %[[P1:.*]] = llvm.mul %[[PANEL1]]
// CHECK: %[[END:.*]] = llvm.lshr %[[P1]]
// CHECK: %[[P0:.*]] = llvm.mul %[[PANEL]]
// CHECK: %[[FIRST:.*]] = llvm.lshr %[[P0]]
// CHECK: %[[LINE1:.*]] = llvm.add %[[LINE]]
// CHECK: llvm.call @big(%[[A0]], %[[A1]], %[[LINE]], %[[LINE1]], %[[FIRST]], %[[END]])

llvm.func internal @small(%x: !llvm.ptr) attributes {dyadic.nanoseconds = 10000 : i64} {
  llvm.return
}
