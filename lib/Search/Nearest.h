// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_LIB_SEARCH_NEAREST_H
#define DYADIC_LIB_SEARCH_NEAREST_H

#include "dyadic/Search/Problem.h"
#include <functional>

namespace dyadic {

/// The least limit of the cost with which a plan meets the other limits; nothing where there is none, or it was not
/// found before `isInterrupted` said true.
std::optional<double> leastLimit(const AssignmentProblem &problem, size_t cost,
                                 const std::function<bool()> &isInterrupted);

} // namespace dyadic

#endif // DYADIC_LIB_SEARCH_NEAREST_H
