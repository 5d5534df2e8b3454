// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelWork.h"
#include "dyadic/Conversion/Passes.h"

using namespace mlir;

namespace dyadic {

SmallVector<Type> KernelSplit::argumentTypes(Type type) const {
  SmallVector<Type> types;
  for (const LoopSplit &loop : loops)
    if (loop.parts > 1)
      types.append({type, type});
  return types;
}

SmallVector<Value> KernelSplit::allPasses(function_ref<Value(int64_t)> make) const {
  SmallVector<Value> passes;
  for (const LoopSplit &loop : loops)
    if (loop.parts > 1)
      passes.append({make(0), make(loop.count)});
  return passes;
}

SmallVector<Range> KernelSplit::ranges(ValueRange arguments) const {
  SmallVector<Range> ranges;
  for (const LoopSplit &loop : loops) {
    Range range{loop.count};
    if (loop.parts > 1) {
      range.first = arguments[0];
      range.end = arguments[1];
      arguments = arguments.drop_front(2);
    }
    ranges.push_back(range);
  }
  return ranges;
}

void KernelSplit::note(Operation *kernel) const {
  Builder builder(kernel->getContext());
  kernel->setAttr(kTimeAttr, builder.getI64IntegerAttr(nanoseconds));
  SmallVector<int64_t> split;
  for (const LoopSplit &loop : loops)
    if (loop.parts > 1)
      split.append({loop.count, loop.parts});
  if (!split.empty())
    kernel->setAttr(kSplitAttr, builder.getDenseI64ArrayAttr(split));
}

} // namespace dyadic
