// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What two layers' errors do together beyond what each does alone: which widths are measured, and the pair terms of the
// problem that follow for all widths (after "Augmenting Hessians with Inter-Layer Dependencies", Deng et al. 2023).

#ifndef DYADIC_SEARCH_PAIRTERMS_H
#define DYADIC_SEARCH_PAIRTERMS_H

#include "dyadic/Search/Problem.h"
#include "dyadic/Search/Sensitivity.h"

namespace dyadic {

/// Ids of two layers.
using LayerPair = std::pair<std::string, std::string>;

/// The layers' widths to measure the pairs with, both layers quantized: of the widths that the problem's choices have
/// for each, the second and the third narrowest, or all where there are fewer than three; at most four keys a pair.
/// Pairs with a layer that is not in the problem have none.
std::vector<SensitivityKey> pairKeys(const AssignmentProblem &problem, llvm::ArrayRef<LayerPair> pairs);

/// Adds a pair term to the problem for every pair with keys; pairs within a group go to its choices. To second order,
/// errors a and b cost P(a + b) = P(a) + P(b) + a^T H b, and the last grows like the root of P(a) P(b): so the term of
/// two choices is r sqrt(P(a) P(b)), where r is what P(a + b) - P(a) - P(b) are together, over all measured widths,
/// relative to these roots, and at least -2. `table` has all pairKeys() and the weights' own numbers, of which `metric`
/// counts.
void addPairTerms(AssignmentProblem &problem, const SensitivityTable &table, llvm::ArrayRef<LayerPair> pairs,
                  size_t metric);

} // namespace dyadic

#endif // DYADIC_SEARCH_PAIRTERMS_H
