// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a kernel has to do, and how it is cut into parts for threads.
//
// A kernel whose loops are split takes two more arguments for each of them, at its end: the first
// pass that it makes and the one behind the last. `quant-fork-kernels` makes the rest.

#ifndef DYADIC_LIB_CONVERSION_KERNELWORK_H
#define DYADIC_LIB_CONVERSION_KERNELWORK_H

#include "VectorBuilder.h"
#include "dyadic/Support/WorkSplit.h"

namespace dyadic {

/// About how long a kernel takes on one core, and the passes of those of its loops that may be
/// made in any order and at the same time, the outermost first.
struct KernelWork {
  int64_t nanoseconds = 0;
  std::vector<int64_t> loops;
};

/// How many of a kind of step one core makes in a nanosecond, about: enough to tell what is worth being shared.
namespace rate {
inline constexpr int64_t kPackedBytes = 100; // bytes of weights, each multiplied once
inline constexpr int64_t kDepthwiseProducts = 20;
inline constexpr int64_t kTransformedBytes = 8; // of Winograd's input transform
inline constexpr int64_t kElements = 2;         // innermost passes of a loop nest
} // namespace rate

/// A kernel's loops and their parts.
class KernelSplit {
public:
  explicit KernelSplit(const KernelWork &work)
      : nanoseconds(work.nanoseconds), loops(splitLoops(work.loops, work.nanoseconds)) {}

  /// The types of the arguments that the split adds, all `type`.
  llvm::SmallVector<mlir::Type> argumentTypes(mlir::Type type) const;
  /// All passes, as arguments of a call; `make` makes a constant.
  llvm::SmallVector<mlir::Value> allPasses(llvm::function_ref<mlir::Value(int64_t)> make) const;
  /// What the kernel makes of each loop's passes, from the arguments that the split added.
  llvm::SmallVector<Range> ranges(mlir::ValueRange arguments) const;
  /// Notes the time and the split on the kernel.
  void note(mlir::Operation *kernel) const;

private:
  int64_t nanoseconds;
  std::vector<LoopSplit> loops;
};

} // namespace dyadic

#endif // DYADIC_LIB_CONVERSION_KERNELWORK_H
