// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// In which order the channels of a value are stored, where that is free. A block of weights is
// split where any channel of its panel overflows 16 bits, and whether one does depends on which
// inputs are neighbours: so channels that overflow in the same blocks are put together, and
// inputs whose weights overflow together are kept apart.

#ifndef DYADIC_SUPPORT_CHANNELORDER_H
#define DYADIC_SUPPORT_CHANNELORDER_H

#include "llvm/ADT/BitVector.h"
#include <functional>
#include <vector>

namespace dyadic {

/// `order[i]` is the channel at place i. `overflows[c]` are the blocks in which channel c overflows. Fills one panel of
/// `panel` channels after the other, each with the channel that has fewest overflows and those that add the
/// fewest blocks to the union, and orders every panel by halves in the same way. Channels keep their order where
/// none overflows. Deterministic; quadratic in the number of channels.
std::vector<int64_t> clusterChannels(const std::vector<llvm::BitVector> &overflows, int64_t panel);

/// Orders every 8 channels of `order`, which a kernel's register holds in any order, for those who read them: 4
/// neighbours are a block, of which the first two and the last two are multiplied together. `overflows(a, b)` are the
/// places (a reader's output and position of the window) where the weights of channels a and b overflow as such a pair.
/// Of all arrangements the one with fewest blocks that overflow is taken. A remainder of less than 8 stays.
void pairChannels(std::vector<int64_t> &order, const std::function<llvm::BitVector(int64_t, int64_t)> &overflows);

} // namespace dyadic

#endif // DYADIC_SUPPORT_CHANNELORDER_H
