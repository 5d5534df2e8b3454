// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_LIB_SEARCH_RELATIVEERROR_H
#define DYADIC_LIB_SEARCH_RELATIVEERROR_H

#include "dyadic/Support/Tensor.h"

namespace dyadic {

/// sum (f - q)^2 / sum f^2; where f is 0, 0 for no difference and else 1. Tensors that are not f32 count 0.
double relativeSquaredError(const Tensor &reference, const Tensor &tensor);

} // namespace dyadic

#endif // DYADIC_LIB_SEARCH_RELATIVEERROR_H
