// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/ArenaPlanner.h"
#include <algorithm>
#include <numeric>

namespace dyadic {

int64_t planArena(std::vector<ArenaBuffer> &buffers, int64_t alignment) {
  auto aligned = [alignment](int64_t n) { return (n + alignment - 1) & ~(alignment - 1); };
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return buffers[a].size != buffers[b].size ? buffers[a].size > buffers[b].size : a < b;
  });

  std::vector<const ArenaBuffer *> placed; // by offset
  int64_t total = 0;
  for (size_t index : order) {
    ArenaBuffer &buffer = buffers[index];
    int64_t offset = 0;
    for (const ArenaBuffer *other : placed) {
      bool meet = other->begin <= buffer.end && buffer.begin <= other->end;
      if (!meet)
        continue;
      if (offset + buffer.size <= other->offset)
        break; // it fits into the gap before
      offset = std::max(offset, aligned(other->offset + other->size));
    }
    buffer.offset = offset;
    total = std::max(total, aligned(offset + buffer.size));
    placed.insert(std::upper_bound(placed.begin(), placed.end(), &buffer,
                                   [](const ArenaBuffer *a, const ArenaBuffer *b) { return a->offset < b->offset; }),
                  &buffer);
  }
  return total;
}

} // namespace dyadic
