// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Offsets in one arena for buffers with known lives: greedy by size (the largest
// first, each at the lowest offset that is free during its life), after Pisarchyk
// and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, section 5.

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

} // namespace dyadic

#endif // DYADIC_SUPPORT_ARENAPLANNER_H
