// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_LIB_SEARCH_HEURISTICS_H
#define DYADIC_LIB_SEARCH_HEURISTICS_H

#include "DualMaster.h"

namespace dyadic {

/// A plan near `start` that meets the limits as doubles say, or nothing: choices are changed where the limits are
/// exceeded, least priced perturbation for the excess first, then changed and exchanged while that improves the plan.
std::optional<CoreChoices> improvedPlan(const Core &core, CoreChoices start, const Multipliers &multipliers);

/// Every group's least perturbation, then the change with the least perturbation for the excess that it takes away,
/// until the limits are met; then the change that improves most while one does. Nothing where that fails.
std::optional<CoreChoices> greedyPlan(const Core &core);

} // namespace dyadic

#endif // DYADIC_LIB_SEARCH_HEURISTICS_H
