// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Rounding/Moments.h"
#include "Matrices.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/ThreadPool.h"

namespace dyadic {

void fixedBlocking() {
  [[maybe_unused]] static const bool isDone = [] {
    Eigen::setCpuCacheSizes(32 << 10, 256 << 10, 4 << 20);
    return true;
  }();
}

Moments::Moments(size_t inputs, size_t outputs, bool hasProducts)
    : sumX(inputs), sumY(outputs), sumXX(hasProducts ? inputs * inputs : 0), sumYX(hasProducts ? outputs * inputs : 0) {
}

/// The rows as doubles, of which products of integers are exact.
static Matrix doubles(const float *numbers, Eigen::Index rows, Eigen::Index columns) {
  using Floats = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const Floats>(numbers, rows, columns).cast<double>();
}

/// Calls `work` for 0 to `count` - 1 on some threads.
static void share(size_t count, unsigned threads, llvm::function_ref<void(size_t)> work) {
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

void Moments::add(const float *x, const float *y, size_t rows, unsigned threads) {
  fixedBlocking();
  auto n = static_cast<Eigen::Index>(rows), in = static_cast<Eigen::Index>(inputs()),
       out = static_cast<Eigen::Index>(outputs());
  Matrix X = doubles(x, n, in), Y = doubles(y, n, out);
  Eigen::Map<Vector>(sumX.data(), in) += X.colwise().sum().transpose();
  Eigen::Map<Vector>(sumY.data(), out) += Y.colwise().sum().transpose();
  if (hasProducts()) {
    // The lower triangle in lines of blocks, whatever the number of threads: those of more columns come first.
    constexpr Eigen::Index kBlock = 96;
    MatrixMap xx(sumXX.data(), in, in), yx(sumYX.data(), out, in);
    Eigen::Index blocks = (in + kBlock - 1) / kBlock, blocksY = (out + kBlock - 1) / kBlock;
    share(static_cast<size_t>(blocks + blocksY), threads, [&](size_t task) {
      Eigen::Index t = static_cast<Eigen::Index>(task), first = (t < blocksY ? t : blocks + blocksY - 1 - t) * kBlock;
      if (t < blocksY) {
        Eigen::Index lines = std::min(kBlock, out - first);
        yx.middleRows(first, lines).noalias() += Y.middleCols(first, lines).transpose() * X;
        return;
      }
      Eigen::Index lines = std::min(kBlock, in - first);
      xx.block(first, 0, lines, first).noalias() += X.middleCols(first, lines).transpose() * X.leftCols(first);
      xx.block(first, first, lines, lines)
          .selfadjointView<Eigen::Lower>()
          .rankUpdate(X.middleCols(first, lines).transpose());
    });
  }
  count += rows;
}

} // namespace dyadic
