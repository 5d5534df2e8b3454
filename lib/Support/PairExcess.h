// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Blocks of weights that overflow 16 bits by themselves: what pairs exceed their range by goes into blocks of its own.

#ifndef DYADIC_LIB_SUPPORT_PAIREXCESS_H
#define DYADIC_LIB_SUPPORT_PAIREXCESS_H

#include "dyadic/Support/AccumulatorPlan.h"

namespace dyadic {

/// Takes from every pair of weights of one channel what it exceeds 16 bits by, for inputs in [0, xMax], so that every
/// block fits by itself. What is taken is returned in blocks that fit too, and keeps its sign. A block may begin at any
/// input between two that follow one another, so that it has the excess of up to three pairs where `blocks` have two
/// each: there are at most as many as blocks that did not fit.
std::vector<WeightBlock> takeExcess(std::vector<WeightBlock> &blocks, int64_t channels, int64_t xMax);

} // namespace dyadic

#endif // DYADIC_LIB_SUPPORT_PAIREXCESS_H
