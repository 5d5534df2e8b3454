// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_CONVERSION_PASSES_TD
#define DYADIC_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def LowerToLinalg : Pass<"quant-lower-to-linalg", "::mlir::ModuleOp"> {
  let summary = "qnn operations at the float or integer level to linalg";
  let description = [{
    Each operation becomes the `linalg.generic` that says what it computes, on
    signless integers; upstream lowers those to loops. The loops of a convolution are
    ordered so that the last spatial dimension is innermost, or with `channels_last`
    a block of filters, whose weights are constants in that order. A float sum over
    one output is a chain of fused multiply-adds over kernel positions, then channels, as in the reference
    interpreter: float programs agree with it bit for bit too. Names and
    types of inputs and outputs are dropped from the function: read them before.

    ```mlir
    // before
    %r = qnn.requantize %a {multiplier = dense<1518500250> : tensor<i32>, ...} : (tensor<8xsi32>) -> tensor<8xui8>
    // after
    %r = linalg.generic {...} ins(%a : tensor<8xi32>) outs(%e : tensor<8xi8>) { ... arith.muli, arith.addi, arith.shrsi ... }
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect", "::mlir::arith::ArithDialect"];
}

def TrimFills : Pass<"quant-trim-fills", "::mlir::ModuleOp"> {
  let summary = "fills only where no copy follows";
  let description = [{
    A padded value is a filled buffer into which the value is copied. Where the copy is the next to use the
    buffer, the fill becomes fills of what the copy leaves: the border.

    ```mlir
    // before
    linalg.fill ins(%zero : i8) outs(%b : memref<1x10x10xi8>)
    memref.copy %a, %part : memref<1x8x8xi8> to memref<1x8x8xi8, strided<[100, 10, 1], offset: 11>>
    // after
    linalg.fill ins(%zero : i8) outs(%above : memref<1x1x10xi8, strided<[100, 10, 1]>>)
    linalg.fill ins(%zero : i8) outs(%below : ...)
    linalg.fill ins(%zero : i8) outs(%left : ...)
    linalg.fill ins(%zero : i8) outs(%right : ...)
    memref.copy %a, %part : ...
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect"];
}

def ElideCopies : Pass<"quant-elide-copies", "::mlir::ModuleOp"> {
  let summary = "values computed where they would be copied to";
  let description = [{
    Where a whole buffer is copied into a part of another one (the interior of a padded value, a branch of
    a concatenation, a result), what writes it writes there at once, and its readers read there. That is done where nothing
    else happens to that part meanwhile and all who use the buffer can take one whose lines and positions are farther
    apart: loops can; packed operations can for their destination and residual, and for their input where it is the
    same for every position of the window (1x1) or the distances are attributes (depthwise). Copies
    of a buffer onto itself go as well.

    ```mlir
    // before
    linalg.generic {...} outs(%a : memref<1x8x8xi8>) {...}
    memref.copy %a, %part : memref<1x8x8xi8> to memref<1x8x8xi8, strided<[100, 10, 1], offset: 11>>
    // after
    linalg.generic {...} outs(%part : memref<1x8x8xi8, strided<[100, 10, 1], offset: 11>>) {...}
    ```
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def ExpandCopies : Pass<"quant-expand-copies", "::mlir::ModuleOp"> {
  let summary = "memref.copy to linalg.generic";
  let description = [{
    Upstream lowers a copy between strided buffers to a call of a runtime function; a
    compiled model has no runtime. As a loop it needs none.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def ShareBuffers : Pass<"quant-share-buffers", "::mlir::ModuleOp"> {
  let summary = "results in the place of operands that are not needed any more";
  let description = [{
    An element-wise operation, or a packed one with a residual, reads the elements of an operand in the places
    where it then writes. Where it is the last to use that operand's buffer and the first to use its own
    destination's, and both have the same type, the destination becomes the operand's buffer.

    ```mlir
    // before
    linalg.generic {...} ins(%a : memref<8xi8>) outs(%b : memref<8xi8>) {...}
    // after
    linalg.generic {...} ins(%a : memref<8xi8>) outs(%a : memref<8xi8>) {...}
    ```
  }];
}

def ExpandMultiplyAdds : Pass<"quant-expand-multiply-adds", "::mlir::ModuleOp"> {
  let summary = "fused multiply-adds for targets without the instruction";
  let description = [{
    Each `llvm.intr.fma` of `f32` becomes the multiplication and addition in `f64`, rounded to odd, that give the same
    bits (`Support/FusedMultiplyAdd.h`). A call of `fmaf` would be a dependency on libm.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def PlanMemory : Pass<"quant-plan-memory", "::mlir::ModuleOp"> {
  let summary = "all buffers into one workspace";
  let description = [{
    Replaces the `memref.alloc` operations of the entry function by views of one
    additional argument, the workspace. Two buffers share memory where their lives
    (from first to last use, views included) do not meet; their offsets are multiples of 64 bytes and
    come from the best of several orders of placing them (Support/ArenaPlanner.h). On the function,
    `dyadic.workspace` says how many bytes are needed, `dyadic.live_set` how many live at one moment at most.

    ```mlir
    // before
    %0 = memref.alloc() : memref<1x16x8x8xi8>
    // after
    %0 = memref.view %workspace[%c1024][] : memref<4096xi8> to memref<1x16x8x8xi8>
    ```
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect"];
}

def LowerTransposes : Pass<"quant-lower-transposes", "::mlir::ModuleOp"> {
  let summary = "transposes of buffers into kernels of vectors";
  let description = [{
    A loop nest that only moves numbers of 8, 16 or 32 bits, so that another dimension becomes the contiguous one,
    becomes a call of a private function of the LLVM dialect. It turns squares of 16 bytes by 16 in registers;
    two to four planes of numbers it interleaves, or takes apart. The last square of a line lies over some of the one before.

    ```mlir
    // before
    linalg.generic {indexing_maps = [(h, w, c) -> (c, h, w), (h, w, c) -> (h, w, c)], ...} ins(%a : memref<3x8x8xi8>) outs(%b : memref<8x8x3xi8>) { linalg.yield %in }
    // after
    llvm.call @main_transpose_0(%0, %1) : (!llvm.ptr, !llvm.ptr) -> ()
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::scf::SCFDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::arith::ArithDialect"];
}

def OutlineKernels : Pass<"quant-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "every loop nest into a function of its own";
  let description = [{
    Each linalg operation of the entry function becomes a call of a private function
    over its buffers. Buffers that cannot overlap (different parts of the workspace,
    constants, inputs, outputs) are `noalias`, so that LLVM vectorises without checks,
    and its analyses stay linear in the number of layers. Constants are copied in.
    `dyadic.layers` on a kernel holds the ids of the layers that it computes, where the
    lowering noted them in the locations, and `dyadic.nanoseconds` about how long it takes on one core.
    Where that is long the outer parallel loops are split (`dyadic.split`): a call says which of their passes
    the kernel makes.

    ```mlir
    // before
    linalg.generic {...} ins(%a, %c : memref<8xi32>, memref<8xi32>) outs(%b : memref<8xi8>) {...}
    // after
    call @main_kernel_0(%a, %c, %b) : (memref<8xi32>, memref<8xi32>, memref<8xi8>) -> ()
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def LowerPackedLayers : Pass<"quant-lower-packed-layers", "::mlir::ModuleOp"> {
  let summary = "packed operations into kernels of vectors";
  let description = [{
    Each packed operation on buffers becomes a call of a private function of the LLVM
    dialect with pointers to its operands, none of which alias: explicit vectors and the target's dot
    instructions, loops of `scf`. `dyadic.layers`, `dyadic.nanoseconds` and `dyadic.split` as in `quant-outline-kernels`.
    `dyadic.method` says how a kernel multiplies, `dyadic.products` how many multiply-accumulates it executes of each
    sequence of instructions.

    ```mlir
    // before
    qnn.packed_conv ins(%x, %w, %o, %p, %c) outs(%y) {...} : (memref<1x8x8x16xi8>, ...) -> ()
    // after
    llvm.call @main_packed_0(%0, %1, %2, %3, %4, %5) : (!llvm.ptr, ...) -> ()
    ```
  }];
  let options = [Option<"dotLanes", "dot-lanes", "int64_t", "8",
                        "sums in a register of the target's dot instructions: 8, or 16 for dpbusd and dpwssd">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::scf::SCFDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::arith::ArithDialect"];
}

def ExpandDots : Pass<"quant-expand-dots", "::mlir::ModuleOp"> {
  let summary = "dot instructions into plain vectors of the same meaning";
  let description = [{
    Each call of an intrinsic for a dot instruction becomes its definition, in instructions that every
    machine has. So the whole schedule of a target, from its packed weights to its epilogue, runs and is
    checked on a machine that lacks the instruction. Another intrinsic of a target is an error.

    ```mlir
    // before
    %s = llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"(%a, %x, %w) : (vector<4xi32>, vector<16xi8>, vector<16xi8>) -> vector<4xi32>
    // after
    %p = llvm.mul %x32, %w32 : vector<16xi32>
    ...
    %s = llvm.add %a, %sums : vector<4xi32>
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def ForkKernels : Pass<"quant-fork-kernels", "::mlir::ModuleOp"> {
  let summary = "kernels in parts where there are threads";
  let description = [{
    Works on the LLVM dialect. The entry function (with `dyadic.workspace`) gets one more argument, the team that
    computes the parts of a kernel, or null. The call of a kernel whose loops are split (`dyadic.split`: for each loop, the
    outermost first, its passes and parts) stays as it is where there is none. Otherwise the arguments are stored, and
    `dyadic_fork(team, parts, part, arguments)` calls `part(arguments, i, worker)` for every `i` in [0, parts), in
    any order and on any thread, and returns when all have returned. Parts depend on the model alone: threads take them one by
    one, and no thread waits before all are taken. `dyadic.useful_threads` on the entry function says how many
    threads one sample keeps busy, by the kernels' times (`dyadic.nanoseconds`): all of the time over what is left with
    every kernel as fast as its longest part.

    ```mlir
    // before
    llvm.call @main_packed_0(%0, %1, %c0, %c56) : (!llvm.ptr, !llvm.ptr, i64, i64) -> ()
    // after
      llvm.cond_br %alone, ^bb1, ^bb2
    ^bb1:
      llvm.call @main_packed_0(%0, %1, %c0, %c56) : (!llvm.ptr, !llvm.ptr, i64, i64) -> ()
      llvm.br ^bb3
    ^bb2:
      ... llvm.store %0, %slot0; llvm.store %1, %slot1
      llvm.call @dyadic_fork(%team, %c56, %part, %slots) : (!llvm.ptr, i64, !llvm.ptr, !llvm.ptr) -> ()
      llvm.br ^bb3
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // DYADIC_CONVERSION_PASSES_TD
