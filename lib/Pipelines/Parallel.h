// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_LIB_PIPELINES_PARALLEL_H
#define DYADIC_LIB_PIPELINES_PARALLEL_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include <cstddef>

namespace dyadic {

/// Calls `body` for 0 to `count` - 1, one a core at a time, in no order. The error of the smallest number that has one.
llvm::Error parallelFor(size_t count, llvm::function_ref<llvm::Error(size_t)> body);

} // namespace dyadic

#endif // DYADIC_LIB_PIPELINES_PARALLEL_H
