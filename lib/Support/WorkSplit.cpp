// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/WorkSplit.h"
#include "llvm/ADT/bit.h"
#include <algorithm>

namespace dyadic {

std::vector<LoopSplit> splitLoops(const std::vector<int64_t> &counts, int64_t nanoseconds) {
  std::vector<LoopSplit> loops;
  int64_t most = nanoseconds < kLeastSplitTime ? 1 : std::min(kMostParts, nanoseconds / kLeastPartTime);
  bool isFirst = true;
  for (int64_t count : counts) {
    int64_t parts = std::max<int64_t>(1, std::min(count, most));
    if (parts < count || !isFirst)
      parts = static_cast<int64_t>(llvm::bit_floor(static_cast<uint64_t>(parts)));
    isFirst &= parts == 1;
    most /= parts;
    loops.push_back({count, parts});
  }
  return loops;
}

int64_t countParts(const std::vector<LoopSplit> &loops) {
  int64_t parts = 1;
  for (const LoopSplit &loop : loops)
    parts *= loop.parts;
  return parts;
}

} // namespace dyadic
