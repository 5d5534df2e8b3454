// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_LIB_ROUNDING_MATRICES_H
#define DYADIC_LIB_ROUNDING_MATRICES_H

// Every part of Eigen that is used is under the MPL2.
#define EIGEN_MPL2_ONLY
// Threads would share sums out by how many there are.
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Dense>

namespace dyadic {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixMap = Eigen::Map<Matrix>;
using ConstMatrixMap = Eigen::Map<const Matrix>;
using Vector = Eigen::VectorXd;
using ConstVectorMap = Eigen::Map<const Vector>;

} // namespace dyadic

#endif // DYADIC_LIB_ROUNDING_MATRICES_H
