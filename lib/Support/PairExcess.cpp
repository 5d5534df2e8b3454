// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PairExcess.h"
#include <algorithm>
#include <cstdlib>

namespace dyadic {

namespace {
/// Blocks that follow one another in memory. Pair `p` of a channel has the weights of inputs 2 p and 2 p + 1.
class Chain {
public:
  Chain(std::vector<WeightBlock *> blocks, int64_t channels, int64_t xMax)
      : blocks(std::move(blocks)), channels(channels), xMax(xMax), most(static_cast<int>(INT16_MAX / xMax)),
        least(static_cast<int>(INT16_MIN / xMax)) {
    for (size_t p = 0; p < pairs(); ++p) {
      bool isAny = false;
      for (int64_t c = 0; c < channels && !isAny; ++c)
        isAny = excess(p, c) != 0;
      overflows.push_back(isAny);
    }
  }

  /// Appends blocks that have the excess of all pairs to `taken`.
  void takeAll(std::vector<WeightBlock> &taken) {
    for (size_t p = 0; p < pairs();) {
      if (!overflows[p]) {
        ++p;
        continue;
      }
      std::optional<WeightBlock> block;
      size_t end = p + 3;
      if (end <= pairs() && overflows[p + 2])
        block = take(p, end, 2 * p + 1);
      if (!block) {
        // Two pairs fit always: each exceeds by at most 128. One alone is read as its block reads it.
        end = std::min(p + 2, pairs());
        bool isAlone = end == p + 1 || !overflows[p + 1];
        block = take(p, end, 2 * (isAlone ? p - p % 2 : p));
      }
      taken.push_back(std::move(*block));
      p = end;
    }
  }

private:
  size_t pairs() const { return 2 * blocks.size(); }

  int8_t &weight(size_t input, int64_t c) const { return blocks[input / 4]->weights[4 * c + input % 4]; }

  /// What the products of a pair of channel `c` exceed 16 bits by, as weights: 0 where they fit. No weight exceeds by
  /// itself, so that either one of the pair is at least as large.
  int excess(size_t p, int64_t c) const {
    int first = weight(2 * p, c), second = weight(2 * p + 1, c);
    int positive = std::max(first, 0) + std::max(second, 0), negative = std::min(first, 0) + std::min(second, 0);
    return std::max(positive - most, 0) + std::min(negative - least, 0);
  }

  /// Moves the excess of the pairs from `p` to `end` into a block of the 4 inputs from `start` on, among which there
  /// are one or two of each of them. Nothing, and nothing has changed, where the block would not fit.
  std::optional<WeightBlock> take(size_t p, size_t end, size_t start) {
    WeightBlock block{blocks.front()->offset + static_cast<int64_t>(start), std::vector<int8_t>(4 * channels, 0)};
    for (int64_t c = 0; c < channels; ++c) {
      int8_t *taken = &block.weights[4 * c];
      for (bool hasChoice : {false, true}) // a pair of which both inputs are read comes last
        for (size_t q = p; q < end; ++q) {
          size_t from = std::max(2 * q, start), to = std::min(2 * q + 1, start + 3);
          if ((from != to) != hasChoice)
            continue;
          // The products of inputs 0 and 1 of a block meet in 16 bits, and those of 2 and 3.
          bool isLighter = std::abs(taken[(to - start) ^ 1]) < std::abs(taken[(from - start) ^ 1]);
          taken[(isLighter ? to : from) - start] = static_cast<int8_t>(excess(q, c));
        }
    }
    if (!fitsSixteenBits(block.weights.data(), 1, channels, xMax))
      return std::nullopt;
    for (int64_t c = 0; c < channels; ++c)
      for (size_t i = 0; i < 4; ++i)
        weight(start + i, c) = static_cast<int8_t>(weight(start + i, c) - block.weights[4 * c + i]);
    return block;
  }

  std::vector<WeightBlock *> blocks;
  int64_t channels, xMax;
  int most, least;             // of the sum of the weights of a pair that have one sign
  std::vector<bool> overflows; // by pair
};
} // namespace

std::vector<WeightBlock> takeExcess(std::vector<WeightBlock> &blocks, int64_t channels, int64_t xMax) {
  std::vector<WeightBlock> taken;
  for (size_t next = 0; next < blocks.size();) {
    std::vector<WeightBlock *> chain;
    do
      chain.push_back(&blocks[next++]);
    while (next < blocks.size() && blocks[next].offset == chain.back()->offset + 4);
    Chain(std::move(chain), channels, xMax).takeAll(taken);
  }
  return taken;
}

} // namespace dyadic
