// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/ArenaPlanner.h"
#include <algorithm>
#include <cstddef>
#include <functional>
#include <numeric>
#include <tuple>

namespace dyadic {

static int64_t roundUp(int64_t n, int64_t alignment) { return (n + alignment - 1) & ~(alignment - 1); }
static bool meet(const ArenaBuffer &a, const ArenaBuffer &b) { return a.begin <= b.end && b.begin <= a.end; }

/// Bytes that live when each buffer is born: a largest set is complete when its last buffer is.
static std::vector<int64_t> bytesAtBirths(const std::vector<ArenaBuffer> &buffers) {
  std::vector<int64_t> sums;
  for (const ArenaBuffer &born : buffers) {
    int64_t sum = 0;
    for (const ArenaBuffer &other : buffers)
      if (other.begin <= born.begin && born.begin <= other.end)
        sum += other.size;
    sums.push_back(sum);
  }
  return sums;
}

int64_t largestLiveSet(const std::vector<ArenaBuffer> &buffers) {
  int64_t largest = 0;
  for (int64_t sum : bytesAtBirths(buffers))
    largest = std::max(largest, sum);
  return largest;
}

namespace {
/// Buffers in one order, each in a gap that is free during its life.
class Placement {
public:
  Placement(const std::vector<ArenaBuffer> &buffers, int64_t alignment, bool smallestGap)
      : buffers(buffers), alignment(alignment), smallestGap(smallestGap) {}

  void place(const std::vector<size_t> &order) {
    offsets.assign(buffers.size(), 0);
    total = 0;
    for (size_t index : order) {
      offsets[index] = findGap(buffers[index]);
      total = std::max(total, aligned(offsets[index] + buffers[index].size));
      auto behind = [this](size_t a, size_t b) { return offsets[a] < offsets[b]; };
      placed.insert(std::upper_bound(placed.begin(), placed.end(), index, behind), index);
    }
  }

  std::vector<int64_t> offsets;
  int64_t total = 0;

private:
  int64_t aligned(int64_t n) const { return roundUp(n, alignment); }

  /// The lowest free place, or the one in the smallest gap that is large enough; behind everything where none is.
  int64_t findGap(const ArenaBuffer &buffer) const {
    int64_t end = 0, best = -1, bestGap = 0;
    for (size_t other : placed) {
      if (!meet(buffers[other], buffer))
        continue;
      int64_t gap = offsets[other] - end;
      if (gap >= buffer.size && (best < 0 || gap < bestGap)) {
        best = end;
        bestGap = gap;
        if (!smallestGap)
          break;
      }
      end = std::max(end, aligned(offsets[other] + buffers[other].size));
    }
    return best < 0 ? end : best;
  }

  const std::vector<ArenaBuffer> &buffers;
  int64_t alignment;
  bool smallestGap;
  std::vector<size_t> placed; // by offset
};

/// Looks for a plan that fits a given arena: buffers in the order of their births, each at either end of a free gap,
/// and back to an earlier choice where none is large enough. Gives up after a number of steps.
class Search {
public:
  Search(const std::vector<ArenaBuffer> &buffers, int64_t alignment, int64_t capacity)
      : buffers(buffers), alignment(alignment), capacity(capacity), order(buffers.size()) {
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return std::make_tuple(buffers[a].begin, -buffers[a].size, a) <
             std::make_tuple(buffers[b].begin, -buffers[b].size, b);
    });
    offsets.assign(buffers.size(), 0);
  }

  bool run() { return place(0, {}); }

  std::vector<int64_t> offsets;

private:
  static constexpr int kMostSteps = 20000;

  /// Places buffer `next` of the order and all after it; `live` are those before it that are still alive, by offset.
  bool place(size_t next, std::vector<size_t> live) {
    if (next == order.size())
      return true;
    if (++steps > kMostSteps)
      return false;
    const ArenaBuffer &buffer = buffers[order[next]];
    int64_t size = roundUp(buffer.size, alignment), end = 0;
    live.erase(std::remove_if(live.begin(), live.end(), [&](size_t i) { return !meet(buffers[i], buffer); }),
               live.end());
    struct Gap {
      int64_t low, size;
      size_t index; // in `live`, where its neighbour behind is
    };
    std::vector<Gap> gaps;
    for (size_t i = 0; i <= live.size(); ++i) {
      int64_t behind = i == live.size() ? capacity : offsets[live[i]];
      if (behind - end >= size)
        gaps.push_back({end, behind - end, i});
      if (i < live.size())
        end = offsets[live[i]] + roundUp(buffers[live[i]].size, alignment);
    }
    std::sort(gaps.begin(), gaps.end(),
              [](const Gap &a, const Gap &b) { return std::tie(a.size, a.index) < std::tie(b.size, b.index); });
    for (const Gap &gap : gaps) {
      std::vector<size_t> with = live;
      with.insert(with.begin() + static_cast<std::ptrdiff_t>(gap.index), order[next]);
      for (int64_t rest : {int64_t(0), gap.size - size}) {
        offsets[order[next]] = gap.low + rest;
        if (place(next + 1, with))
          return true;
        if (steps > kMostSteps)
          return false;
        if (gap.size == size)
          break;
      }
    }
    return false;
  }

  const std::vector<ArenaBuffer> &buffers;
  int64_t alignment, capacity;
  std::vector<size_t> order;
  int steps = 0;
};

/// What an order compares, by the buffer's number; larger keys come first.
using Key = std::function<int64_t(size_t)>;
} // namespace

int64_t planArena(std::vector<ArenaBuffer> &buffers, int64_t alignment) {
  std::vector<int64_t> births = bytesAtBirths(buffers);
  std::vector<int64_t> breadths; // of the fullest moment in a buffer's life
  for (const ArenaBuffer &buffer : buffers) {
    int64_t most = 0;
    for (size_t i = 0; i < buffers.size(); ++i)
      if (buffer.begin <= buffers[i].begin && buffers[i].begin <= buffer.end)
        most = std::max(most, births[i]);
    breadths.push_back(most);
  }
  auto life = [&](size_t i) { return buffers[i].end - buffers[i].begin + 1; };
  const Key keys[] = {
      [&](size_t i) { return buffers[i].size; }, [&](size_t i) { return buffers[i].size * life(i); },
      [&](size_t i) { return life(i); },         [&](size_t i) { return -buffers[i].begin; },
      [&](size_t i) { return buffers[i].end; },  [&](size_t i) { return breadths[i]; },
  };
  std::vector<int64_t> offsets(buffers.size(), 0);
  int64_t total = -1;
  for (const Key &key : keys) {
    std::vector<size_t> order(buffers.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return std::make_tuple(-key(a), -buffers[a].size, a) < std::make_tuple(-key(b), -buffers[b].size, b);
    });
    for (bool smallestGap : {false, true}) {
      Placement placement(buffers, alignment, smallestGap);
      placement.place(order);
      if (total < 0 || placement.total < total) {
        total = placement.total;
        offsets = placement.offsets;
      }
    }
  }
  std::vector<ArenaBuffer> rounded = buffers;
  for (ArenaBuffer &buffer : rounded)
    buffer.size = roundUp(buffer.size, alignment);
  int64_t least = largestLiveSet(rounded);
  // The search recurses once for every buffer.
  constexpr size_t kMostBuffers = 4096;
  bool isSearched = buffers.size() <= kMostBuffers;
  for (int64_t percent = 100; isSearched && least * percent / 100 < total; percent += 2) {
    Search search(buffers, alignment, roundUp(least * percent / 100, alignment));
    if (search.run()) {
      total = roundUp(least * percent / 100, alignment);
      offsets = search.offsets;
      break;
    }
  }
  for (size_t i = 0; i < buffers.size(); ++i)
    buffers[i].offset = offsets[i];
  return total;
}

} // namespace dyadic
