// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Parallel.h"
#include "dyadic/Support/Error.h"
#include "llvm/Support/ThreadPool.h"
#include <mutex>

namespace dyadic {

llvm::Error parallelFor(size_t count, llvm::function_ref<llvm::Error(size_t)> body) {
  std::mutex mutex;
  size_t next = 0, failed = 0;
  std::string problem;
  // Numbers are handed out in order, so all before a failed one are done in the end.
  auto take = [&]() -> std::optional<size_t> {
    std::lock_guard<std::mutex> lock(mutex);
    return problem.empty() && next < count ? std::optional<size_t>(next++) : std::nullopt;
  };
  auto work = [&] {
    while (std::optional<size_t> index = take()) {
      std::string text = llvm::toString(body(*index));
      std::lock_guard<std::mutex> lock(mutex);
      if (!text.empty() && (problem.empty() || *index < failed)) {
        problem = text;
        failed = *index;
      }
    }
  };
  llvm::DefaultThreadPool pool(llvm::hardware_concurrency());
  for (unsigned i = 1; i < pool.getMaxConcurrency() && i < count; ++i)
    pool.async(work);
  work();
  pool.wait();
  return problem.empty() ? llvm::Error::success() : makeError(problem);
}

} // namespace dyadic
