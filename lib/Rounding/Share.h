// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_LIB_ROUNDING_SHARE_H
#define DYADIC_LIB_ROUNDING_SHARE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/ThreadPool.h"

namespace dyadic {

/// Calls `work` for 0 to `count` - 1 on some threads.
inline void share(size_t count, unsigned threads, llvm::function_ref<void(size_t)> work) {
  if (threads == 1 || count < 2) {
    for (size_t i = 0; i < count; ++i)
      work(i);
    return;
  }
  llvm::DefaultThreadPool pool(llvm::hardware_concurrency(threads));
  for (size_t i = 0; i < count; ++i)
    pool.async([&work, i] { work(i); });
  pool.wait();
}

} // namespace dyadic

#endif // DYADIC_LIB_ROUNDING_SHARE_H
