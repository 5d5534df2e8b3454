// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Rounding/Moments.h"
#include "Matrices.h"

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

void Moments::add(const float *x, const float *y, size_t rows) {
  fixedBlocking();
  auto n = static_cast<Eigen::Index>(rows), in = static_cast<Eigen::Index>(inputs()),
       out = static_cast<Eigen::Index>(outputs());
  Matrix X = doubles(x, n, in), Y = doubles(y, n, out);
  Eigen::Map<Vector>(sumX.data(), in) += X.colwise().sum().transpose();
  Eigen::Map<Vector>(sumY.data(), out) += Y.colwise().sum().transpose();
  if (hasProducts()) {
    MatrixMap(sumXX.data(), in, in).selfadjointView<Eigen::Lower>().rankUpdate(X.transpose());
    MatrixMap(sumYX.data(), out, in).noalias() += Y.transpose() * X;
  }
  count += rows;
}

} // namespace dyadic
