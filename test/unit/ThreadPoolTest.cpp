// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Runtime/ThreadPool.h"
#include "gtest/gtest.h"
#include <sys/wait.h>
#include <thread>

using namespace dyadic;

namespace {
/// Counts, without atomics, how often each iteration ran: what the pool promises makes that right.
struct Counts {
  explicit Counts(int64_t n) : of(static_cast<size_t>(n)) {}
  std::vector<int> of;
  static void add(void *counts, int64_t i) { ++static_cast<Counts *>(counts)->of[static_cast<size_t>(i)]; }
};

void expectOnce(ThreadPool &pool, int64_t n, int rounds = 1) {
  Counts counts(n);
  for (int round = 0; round < rounds; ++round)
    ThreadPool::parallelFor(&pool, n, Counts::add, &counts);
  for (int count : counts.of)
    EXPECT_EQ(count, rounds);
}

ThreadPool::Owner make(int threads) {
  std::string error;
  ThreadPool::Owner pool = ThreadPool::create(threads, error);
  EXPECT_EQ(error, "");
  return pool;
}

TEST(ThreadPool, RunsEveryIterationOnce) {
  for (int threads : {1, 2, 3, 7}) {
    ThreadPool::Owner pool = make(threads);
    EXPECT_EQ(pool->size(), threads);
    for (int64_t n : {0, 1, 2, 3, 64, 1000})
      expectOnce(*pool, n);
    expectOnce(*pool, 5, 2000); // one loop right after the other
  }
}

TEST(ThreadPool, WakesUpAfterAPause) {
  ThreadPool::Owner pool = make(3);
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    expectOnce(*pool, 100);
  }
}

TEST(ThreadPool, RefusesSizes) {
  for (int threads : {0, -1, ThreadPool::kMostThreads + 1}) {
    std::string error;
    EXPECT_EQ(ThreadPool::create(threads, error), nullptr);
    EXPECT_EQ(error, std::to_string(threads) + " threads, expected 1 to 1024");
  }
}

TEST(ThreadPool, PoolsAreKeptByTheirSize) {
  ThreadPools pools;
  std::string error;
  ThreadPool::Owner pool = pools.take(3, error);
  ThreadPool *first = pool.get();
  pools.give(std::move(pool));
  pool = pools.take(3, error);
  EXPECT_EQ(pool.get(), first);
  ThreadPool::Owner other = pools.take(3, error); // while the first is in use
  EXPECT_NE(other.get(), first);
  pools.give(std::move(other));
  EXPECT_EQ(pools.take(2, error)->size(), 2);
  expectOnce(*pool, 10);
}

TEST(ThreadPool, AForkedProcessMakesItsOwn) {
  ThreadPools pools;
  std::string error;
  pools.give(pools.take(3, error));
  pid_t child = fork();
  if (child == 0) {
    ThreadPool::Owner pool = pools.take(3, error);
    Counts counts(50);
    if (pool)
      pool->run(50, Counts::add, &counts);
    _exit(pool && counts.of == std::vector<int>(50, 1) ? 0 : 1);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}
} // namespace
