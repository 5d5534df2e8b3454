// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_CONVERSION_PASSES_H
#define DYADIC_CONVERSION_PASSES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassOptions.h"

namespace dyadic {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "dyadic/Conversion/Passes.h.inc"

/// What the target offers to packed kernels, as names of `#qnn.dot`; empty: nothing.
struct LoweringOptions : mlir::PassPipelineOptions<LoweringOptions> {
  Option<std::string> byteDot{*this, "byte-dot", llvm::cl::desc("maddubs, dpbusd, sdot or usdot")};
  Option<std::string> wordDot{*this, "word-dot", llvm::cl::desc("maddwd, dpwssd or mlal")};
  Option<int64_t> rows{*this, "rows", llvm::cl::desc("positions that a packed kernel computes together"),
                       llvm::cl::init(0)};
  Option<int64_t> dotLanes{*this, "dot-lanes", llvm::cl::desc("see quant-lower-packed-layers"), llvm::cl::init(8)};
  Option<bool> emulateDots{*this, "emulate-dots", llvm::cl::desc("see quant-expand-dots")};
  Option<int64_t> floatLanes{*this, "float-lanes", llvm::cl::desc("f32 numbers in a register; 0: no packed kernels")};
  Option<int64_t> floatRows{*this, "float-rows", llvm::cl::desc("positions computed together"), llvm::cl::init(6)};
  Option<int64_t> floatDepthwiseRows{*this, "float-depthwise-rows", llvm::cl::desc("the same of a depthwise one"),
                                     llvm::cl::init(4)};
  Option<bool> expandMultiplyAdds{*this, "expand-multiply-adds",
                                  llvm::cl::desc("the target has no fused multiply-add")};
};

/// From the float or the integer level to the LLVM dialect. The entry function then
/// takes one pointer an input, one a result, the workspace and the team (see `quant-fork-kernels`), in this order.
void buildLoweringPipeline(mlir::OpPassManager &manager, const LoweringOptions &options);
/// Registers it as `quant-lower-to-llvm`.
void registerLoweringPipeline();

/// Attribute of the entry function: bytes of workspace for one sample.
inline constexpr llvm::StringLiteral kWorkspaceAttr = "dyadic.workspace";
/// And bytes of the largest set of buffers in it that live at one moment.
inline constexpr llvm::StringLiteral kLiveSetAttr = "dyadic.live_set";

/// Attribute of a kernel whose last pointer is to memory that a thread has for itself: how many bytes. Of the entry
/// function: the most of its kernels, which lie behind the workspace.
inline constexpr llvm::StringLiteral kScratchAttr = "dyadic.scratch";
/// Of buffers in the workspace and of what lies behind it, in bytes.
inline constexpr int64_t kBufferAlignment = 64;

/// Attribute of a kernel: about how many nanoseconds it takes on one core.
inline constexpr llvm::StringLiteral kTimeAttr = "dyadic.nanoseconds";
/// Attribute of a kernel whose loops are split: for each, the outermost first, its passes and its parts. The kernel's
/// last arguments are, for each, the first pass that a call makes and the one behind the last.
inline constexpr llvm::StringLiteral kSplitAttr = "dyadic.split";
/// Attribute of the entry function: how many threads one sample keeps busy, about.
inline constexpr llvm::StringLiteral kUsefulThreadsAttr = "dyadic.useful_threads";
/// The function by which the entry function has a kernel computed in parts: of the C interface, `Target/ForkJoin.h`.
inline constexpr llvm::StringLiteral kForkFunction = "dyadic_fork";

/// How packed operations become operations on buffers.
void registerPackedBufferization(mlir::DialectRegistry &registry);

/// Attribute of a kernel: the ids of the layers that it computes, several where it fuses them.
inline constexpr llvm::StringLiteral kLayersAttr = "dyadic.layers";
/// Attribute of a kernel: how it multiplies and sums, as `maddubs`, `winograd dpbusd`, `fma`. Loops have none.
inline constexpr llvm::StringLiteral kMethodAttr = "dyadic.method";
/// Attribute of a kernel: the multiply-accumulates that a call of all its passes executes, zeros and split weights
/// included, by the name of their sequence of instructions (`Conversion/DotProbe.h`).
inline constexpr llvm::StringLiteral kProductsAttr = "dyadic.products";
/// Notes on `kernel` the layers that the lowering put into `location`.
void noteLayers(mlir::Operation *kernel, mlir::Location location);

} // namespace dyadic

#endif // DYADIC_CONVERSION_PASSES_H
