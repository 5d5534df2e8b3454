// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a kernel's loops are cut into parts that threads compute. The parts are decided when a
// model is compiled and do not depend on the number of threads: each thread takes the next
// part until none is left.

#ifndef DYADIC_SUPPORT_WORKSPLIT_H
#define DYADIC_SUPPORT_WORKSPLIT_H

#include <cstdint>
#include <vector>

namespace dyadic {

/// A loop of `count` passes in `parts` parts, [i * count / parts, (i + 1) * count / parts). `parts` is 1, `count`
/// or a power of two, so that no division is needed.
struct LoopSplit {
  int64_t count = 1, parts = 1;
};

/// A kernel that takes less time, in nanoseconds, stays whole: threads would need longer to meet than they save.
inline constexpr int64_t kLeastSplitTime = 10'000;
/// A part takes at least so long: then it does not matter what it costs to take it.
inline constexpr int64_t kLeastPartTime = 2'000;
/// Parts of a kernel: enough for all threads to end at about the same time.
inline constexpr int64_t kMostParts = 64;

/// Splits loops of `counts` passes, the outermost first, of a kernel that takes about `nanoseconds` on one core.
/// Every loop but the first that is split has a power of two of parts.
std::vector<LoopSplit> splitLoops(const std::vector<int64_t> &counts, int64_t nanoseconds);

/// The product of the loops' parts.
int64_t countParts(const std::vector<LoopSplit> &loops);

} // namespace dyadic

#endif // DYADIC_SUPPORT_WORKSPLIT_H
