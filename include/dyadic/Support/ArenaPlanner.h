// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Offsets in one arena for buffers with known lives. Buffers are placed one by one, in several orders: by size, by
// size and life ("greedy by size" and what it is compared with in Pisarchyk and Lee, "Efficient Memory Management for
// Deep Neural Net Inference", 2020, section 5), by life, by first and last moment, by what else lives then; each
// at the lowest offset that is free during its life, or in the smallest gap (best fit). Where the best of these
// arenas is larger than what lives at one moment, a bounded search with backtracking looks for a smaller one.

#ifndef DYADIC_SUPPORT_ARENAPLANNER_H
#define DYADIC_SUPPORT_ARENAPLANNER_H

#include <cstdint>
#include <vector>

namespace dyadic {

struct ArenaBuffer {
  int64_t size = 0;           // bytes
  int64_t begin = 0, end = 0; // first and last moment of use, both included
  int64_t offset = 0;         // the answer
};

/// Sets the offsets, multiples of `alignment` (a power of two); returns the arena's
/// size. Deterministic: ties keep the order of the buffers.
int64_t planArena(std::vector<ArenaBuffer> &buffers, int64_t alignment);

/// Bytes of the largest set of buffers that live at one moment: no arena is smaller.
int64_t largestLiveSet(const std::vector<ArenaBuffer> &buffers);

} // namespace dyadic

#endif // DYADIC_SUPPORT_ARENAPLANNER_H
