// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Threads for `run` of a compiled model, which starts none itself.

#ifndef DYADIC_RUNTIME_THREADPOOL_H
#define DYADIC_RUNTIME_THREADPOOL_H

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <pthread.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace dyadic {

/// Computes the iterations of a loop on a fixed number of threads, of which the caller is one. The
/// others look for work a short time after a loop, because kernels follow each other within microseconds, then sleep.
/// One loop at a time: a pool belongs to one caller.
class ThreadPool {
public:
  /// Ends the threads. A forked process has none to end and must not touch what they hold: there the pool is left.
  struct End {
    void operator()(ThreadPool *pool) const {
      if (pool->isOurs())
        delete pool;
    }
  };
  using Owner = std::unique_ptr<ThreadPool, End>;

  /// More threads than this are refused.
  static constexpr int kMostThreads = 1024;

  /// Whether a pool may have `threads`; if not, `error` is set.
  static bool isSize(int64_t threads, std::string &error);

  /// Starts `threads - 1` threads; nothing, with `error` set, where `threads` is no size or the system has no more.
  static Owner create(int threads, std::string &error);
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  int size() const { return static_cast<int>(workers.size()) + 1; }
  /// False in a process that was forked from the one that made the pool: threads are not inherited.
  bool isOurs() const { return process == getpid(); }

  /// Calls function(argument, i) for every i in [0, n), n < 2^32, and returns when all calls have returned.
  void run(int64_t n, void (*function)(void *, int64_t), void *argument);
  /// The same as a `dyadic_parallel_for`, whose context is a pool.
  static void parallelFor(void *pool, int64_t n, void (*function)(void *, int64_t), void *argument);

private:
  ThreadPool() = default;
  ~ThreadPool();
  static void *main(void *pool);
  void work();
  bool takeOne();

  struct Loop {
    void (*function)(void *, int64_t) = nullptr;
    void *argument = nullptr;
  } loop;
  /// The number of the loop in the upper half, how many of its iterations nobody has taken in the lower: one is taken
  /// by exchanging the whole, which fails where another loop has begun meanwhile.
  alignas(64) std::atomic<uint64_t> state{0};
  /// Iterations that have not returned.
  alignas(64) std::atomic<uint32_t> pending{0};
  alignas(64) std::atomic<int> sleepers{0};
  std::atomic<bool> isEnding{false};
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<pthread_t> workers;
  pid_t process = getpid();
};

/// Pools that nobody uses, kept for the next caller: starting threads takes longer than running a small model.
class ThreadPools {
public:
  /// A pool of `threads`, as `create` makes it. Idle ones of other sizes end.
  ThreadPool::Owner take(int threads, std::string &error);
  void give(ThreadPool::Owner pool);

private:
  std::mutex mutex;
  std::vector<ThreadPool::Owner> idle;
};

} // namespace dyadic

#endif // DYADIC_RUNTIME_THREADPOOL_H
