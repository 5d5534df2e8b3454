// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/ChannelOrder.h"
#include "llvm/ADT/bit.h"
#include <algorithm>
#include <array>
#include <climits>
#include <numeric>
#include <tuple>

namespace dyadic {

/// How many numbers of `set` are not in `other`.
static unsigned countWithout(llvm::BitVector set, const llvm::BitVector &other) { return set.reset(other).count(); }

/// Orders `channels` by sets of `size`.
static std::vector<int64_t> cluster(std::vector<int64_t> channels, const std::vector<llvm::BitVector> &overflows,
                                    size_t size) {
  std::vector<int64_t> order;
  llvm::BitVector together;
  while (!channels.empty()) {
    bool isFirst = order.size() % size == 0;
    if (isFirst)
      together.clear();
    // Of those that add nothing, the one with most overflows: here these cost nothing.
    using Rank = std::tuple<unsigned, int64_t, int64_t>;
    Rank least{UINT_MAX, 0, 0};
    auto next = channels.begin();
    for (auto channel = next; channel != channels.end(); ++channel) {
      const llvm::BitVector &set = overflows[*channel];
      Rank rank{countWithout(set, together), isFirst ? 0 : -static_cast<int64_t>(set.count()), *channel};
      if (rank < least) {
        least = rank;
        next = channel;
      }
    }
    together.resize(overflows[*next].size());
    together |= overflows[*next];
    order.push_back(*next);
    channels.erase(next);
  }
  return order;
}

std::vector<int64_t> clusterChannels(const std::vector<llvm::BitVector> &overflows, int64_t panel) {
  std::vector<int64_t> order(overflows.size());
  std::iota(order.begin(), order.end(), 0);
  if (std::all_of(overflows.begin(), overflows.end(), [](const llvm::BitVector &set) { return set.none(); }))
    return order;
  order = cluster(std::move(order), overflows, panel);
  for (auto from = order.begin(); from != order.end();) {
    auto to = from + std::min<int64_t>(panel, order.end() - from);
    std::vector<int64_t> halves = cluster({from, to}, overflows, panel / 2);
    from = std::copy(halves.begin(), halves.end(), from);
  }
  return order;
}

namespace {
/// The cheapest arrangements of 8 channels.
class Octet {
public:
  Octet(const int64_t *channels, const std::function<llvm::BitVector(int64_t, int64_t)> &overflows) {
    for (int a = 0; a < 8; ++a)
      for (int b = a + 1; b < 8; ++b)
        pairs[a][b] = overflows(channels[a], channels[b]);
  }

  /// Places of the channels, such that as few blocks as possible overflow; as they are where nothing is gained.
  std::array<int, 8> best() const {
    std::array<int, 8> result{0, 1, 2, 3, 4, 5, 6, 7};
    size_t least = cost(result.data()) + cost(result.data() + 4);
    for (unsigned mask = 0; mask < 256; ++mask) {
      if (llvm::popcount(mask) != 4 || !(mask & 1)) // the block of the first channel is the first
        continue;
      std::array<int, 8> found{};
      int *first = found.data(), *second = found.data() + 4;
      for (int i = 0; i < 8; ++i)
        *(mask >> i & 1 ? first : second)++ = i;
      size_t sum = arrange(found.data()) + arrange(found.data() + 4);
      if (sum < least) {
        least = sum;
        result = found;
      }
    }
    return result;
  }

private:
  /// Of a block of 4 channels, in ascending pairs.
  size_t cost(const int *block) const {
    const llvm::BitVector &first = pairs[block[0]][block[1]], &second = pairs[block[2]][block[3]];
    return first.count() + countWithout(second, first);
  }
  /// Orders a block of 4 ascending channels; its cost.
  size_t arrange(int *block) const {
    std::array<int, 4> best{block[0], block[1], block[2], block[3]};
    size_t least = cost(best.data());
    for (int partner : {2, 3}) {
      std::array<int, 4> other{block[0], block[partner], block[1], block[5 - partner]};
      if (size_t found = cost(other.data()); found < least) {
        least = found;
        best = other;
      }
    }
    std::copy(best.begin(), best.end(), block);
    return least;
  }

  std::array<std::array<llvm::BitVector, 8>, 8> pairs;
};
} // namespace

void pairChannels(std::vector<int64_t> &order, const std::function<llvm::BitVector(int64_t, int64_t)> &overflows) {
  for (size_t start = 0; start + 8 <= order.size(); start += 8) {
    std::array<int, 8> places = Octet(&order[start], overflows).best();
    std::array<int64_t, 8> before{};
    std::copy_n(&order[start], 8, before.begin());
    for (size_t i = 0; i < 8; ++i)
      order[start + i] = before[places[i]];
  }
}

} // namespace dyadic
