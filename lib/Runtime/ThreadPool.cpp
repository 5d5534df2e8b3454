// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Runtime/ThreadPool.h"
#include <chrono>
#include <cstring>
#include <sched.h>

namespace dyadic {

/// How long a thread looks for the next loop before it sleeps: longer than most layers that
/// are computed by one thread, and than it takes to wake up.
static constexpr std::chrono::microseconds kPatience{200};

/// Tells the core that this is a loop that waits.
static void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ __volatile__("yield");
#endif
}

/// Waits until `isDone`, at first busily, then by giving the core to whoever wants it; false after `patience`.
template <typename Condition> static bool spin(Condition isDone, std::chrono::microseconds patience) {
  using Clock = std::chrono::steady_clock;
  constexpr int kBusy = 1024; // about 15 us: who yields on a busy machine is away for milliseconds
  Clock::time_point start = Clock::now();
  do {
    for (int i = 0; i < kBusy; ++i) {
      if (isDone())
        return true;
      pause();
    }
    sched_yield();
  } while (patience.count() == 0 || Clock::now() - start < patience);
  return isDone();
}

bool ThreadPool::isSize(int64_t threads, std::string &error) {
  if (threads >= 1 && threads <= kMostThreads)
    return true;
  error = std::to_string(threads) + " threads, expected 1 to " + std::to_string(kMostThreads);
  return false;
}

ThreadPool::Owner ThreadPool::create(int threads, std::string &error) {
  if (!isSize(threads, error))
    return nullptr;
  Owner pool(new ThreadPool);
  for (int i = 1; i < threads; ++i) {
    pthread_t thread;
    // Not std::thread, whose failure is an exception.
    if (int status = pthread_create(&thread, nullptr, main, pool.get())) {
      error = std::to_string(threads) + " threads: the system starts no more than " + std::to_string(i) + " (" +
              std::strerror(status) + ")";
      return nullptr;
    }
    pool->workers.push_back(thread);
  }
  return pool;
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    isEnding = true;
  }
  wake.notify_all();
  for (pthread_t worker : workers)
    pthread_join(worker, nullptr);
}

bool ThreadPool::takeOne() {
  uint64_t seen = state.load(std::memory_order_acquire);
  while (static_cast<uint32_t>(seen) != 0) {
    if (!state.compare_exchange_weak(seen, seen - 1, std::memory_order_acquire, std::memory_order_acquire))
      continue;
    // The loop cannot end, and `loop` cannot change, before this iteration returns.
    loop.function(loop.argument, static_cast<uint32_t>(seen) - 1);
    pending.fetch_sub(1, std::memory_order_release);
    return true;
  }
  return false;
}

void ThreadPool::run(int64_t n, void (*function)(void *, int64_t), void *argument) {
  if (n <= 1 || workers.empty()) {
    for (int64_t i = 0; i < n; ++i)
      function(argument, i);
    return;
  }
  loop = {function, argument};
  pending.store(static_cast<uint32_t>(n), std::memory_order_relaxed);
  uint64_t number = (state.load(std::memory_order_relaxed) >> 32) + 1;
  // Before `sleepers` is read: a thread that goes to sleep reads them in the other order.
  state.store(number << 32 | static_cast<uint32_t>(n));
  if (sleepers.load() > 0) {
    // A thread that has counted itself may not wait yet: it holds the lock until it does.
    {
      std::lock_guard<std::mutex> lock(mutex);
    }
    wake.notify_all();
  }
  while (takeOne()) {
  }
  spin([&] { return pending.load(std::memory_order_acquire) == 0; }, std::chrono::microseconds(0));
}

void ThreadPool::parallelFor(void *pool, int64_t n, void (*function)(void *, int64_t), void *argument) {
  static_cast<ThreadPool *>(pool)->run(n, function, argument);
}

void *ThreadPool::main(void *pool) {
  static_cast<ThreadPool *>(pool)->work();
  return nullptr;
}

void ThreadPool::work() {
  auto hasWork = [&] { return static_cast<uint32_t>(state.load(std::memory_order_acquire)) != 0; };
  while (!isEnding) {
    if (takeOne() || spin([&] { return hasWork() || isEnding.load(std::memory_order_relaxed); }, kPatience))
      continue;
    std::unique_lock<std::mutex> lock(mutex);
    ++sleepers;
    wake.wait(lock, [&] { return static_cast<uint32_t>(state.load()) != 0 || isEnding; });
    --sleepers;
  }
}

ThreadPool::Owner ThreadPools::take(int threads, std::string &error) {
  std::vector<ThreadPool::Owner> others; // end when the lock is free again
  std::lock_guard<std::mutex> lock(mutex);
  while (!idle.empty()) {
    ThreadPool::Owner pool = std::move(idle.back());
    idle.pop_back();
    if (pool->size() == threads && pool->isOurs())
      return pool;
    others.push_back(std::move(pool));
  }
  return ThreadPool::create(threads, error);
}

void ThreadPools::give(ThreadPool::Owner pool) {
  std::lock_guard<std::mutex> lock(mutex);
  idle.push_back(std::move(pool));
}

} // namespace dyadic
