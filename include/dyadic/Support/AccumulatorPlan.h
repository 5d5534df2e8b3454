// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which products of a layer may be summed in 16 bits before they are widened. Weights are
// constants and the range of the other factor is proven, so overflow is a fact: the plan
// orders and groups the blocks of a panel so that no 16-bit sum can leave its range.

#ifndef DYADIC_SUPPORT_ACCUMULATORPLAN_H
#define DYADIC_SUPPORT_ACCUMULATORPLAN_H

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace dyadic {

/// One step of a kernel's sum: 4 consecutive inputs against `channels` output channels.
/// weights[4 * c + i] belongs to channel `c` and input `i`.
struct WeightBlock {
  int64_t offset = 0; // of its first input from the position's address, in elements
  std::vector<int8_t> weights;
};

/// How many blocks are summed in 16 bits before one widening addition, the largest first. Beyond
/// `kUnrolledGroup` they are multiples of it, and a kernel loops.
inline constexpr std::array<unsigned, 7> kGroupSizes{64, 16, 8, 4, 3, 2, 1};
inline constexpr unsigned kUnrolledGroup = 4;

/// The blocks of one panel in the order in which the kernel takes them: first
/// `groups[0]` groups of kGroupSizes[0] blocks, then `groups[1]` of kGroupSizes[1], and so on.
struct AccumulatorPlan {
  std::vector<WeightBlock> blocks;
  std::array<int64_t, kGroupSizes.size()> groups{};
};

/// True where the 16-bit sums of `count` blocks, whose weights lie one block after the
/// other at `weights`, stay in [-2^15, 2^15) for inputs in [0, xMax]. A 16-bit lane sums
/// inputs 0 and 1, or 2 and 3, of every block (`vpmaddubsw` and `vpaddw`); the bound holds
/// for each part of the sum too, so that `vpmaddubsw` never saturates.
bool fitsSixteenBits(const int8_t *weights, unsigned count, int64_t channels, int64_t xMax);

/// Groups `blocks` for inputs in [0, xMax], xMax at most 255. Where a block does not fit by
/// itself, blocks are added with which its weights add up: two halves, or what pairs of weights exceed 16 bits by,
/// whichever costs less; so every panel has a plan. Added blocks read inputs that `blocks` read, from any of them on.
/// Groups have multiples of `leastGroup` blocks, one of `kGroupSizes`: blocks of zeros fill up the last. That many
/// of the blocks must always fit together. Deterministic; time is linear in the number of blocks.
AccumulatorPlan planAccumulator(std::vector<WeightBlock> blocks, int64_t channels, int64_t xMax,
                                unsigned leastGroup = 1);

/// Groups of the blocks in their order, each as large as it may be; nothing where a block by itself does not fit.
std::optional<AccumulatorPlan> planConsecutive(std::vector<WeightBlock> blocks, int64_t channels, int64_t xMax);

/// Every block widened by itself, in their order, with what overflows in blocks behind them (as planAccumulator()): one
/// loop that reads weights from one end to the other, for those that are read once, which takes longer than to
/// multiply.
AccumulatorPlan planSingly(std::vector<WeightBlock> blocks, int64_t channels, int64_t xMax);

/// What a position costs, in multiplications of a register: those of the blocks, and one that widens a group.
int64_t costOf(const AccumulatorPlan &plan);

/// The same where sums have 32 bits: the order of the blocks, in groups of `leastGroup`.
AccumulatorPlan planInOrder(std::vector<WeightBlock> blocks, unsigned leastGroup = 1);

} // namespace dyadic

#endif // DYADIC_SUPPORT_ACCUMULATORPLAN_H
