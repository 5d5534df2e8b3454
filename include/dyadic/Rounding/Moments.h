// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What rounding needs to know of the data: sums over rows of the inputs of a linear map and of the outputs
// that are wanted of it.

#ifndef DYADIC_ROUNDING_MOMENTS_H
#define DYADIC_ROUNDING_MOMENTS_H

#include <cstddef>
#include <vector>

namespace dyadic {

/// Sums over rows of `inputs` numbers x and `outputs` numbers y: of x and y, and of the products x x^T and y x^T.
/// Matrices are row-major. Where x are stored integers less their zero point, of at most 17 bits, their sums are exact,
/// for up to 2^19 rows. Other sums depend on the order of the rows, and on nothing else: one is added after the other.
class Moments {
public:
  /// Without products there are sums of x and y alone.
  Moments(size_t inputs, size_t outputs, bool hasProducts = true);

  /// Adds `rows` rows: x[row * inputs + i], y[row * outputs + o]. The sums do not depend on `threads`.
  void add(const float *x, const float *y, size_t rows, unsigned threads = 1);
  /// Adds the sums of other rows, of a map with as many inputs and outputs.
  void add(const Moments &other);
  /// Forgets y, and counts it again: addOutputs() for all rows that were added.
  void clearOutputs();
  void addOutputs(const float *x, const float *y, size_t rows, unsigned threads = 1);

  size_t inputs() const { return sumX.size(); }
  size_t outputs() const { return sumY.size(); }
  size_t rows() const { return count; }
  const std::vector<double> &x() const { return sumX; }
  const std::vector<double> &y() const { return sumY; }
  bool hasProducts() const { return !sumXX.empty(); }
  /// inputs x inputs, of which the lower triangle is filled: sum of x_i x_j.
  const std::vector<double> &xx() const { return sumXX; }
  /// outputs x inputs: sum of y_o x_i.
  const std::vector<double> &yx() const { return sumYX; }

private:
  void addRows(const float *x, const float *y, size_t rows, unsigned threads, bool onlyOutputs);

  size_t count = 0;
  std::vector<double> sumX, sumY, sumXX, sumYX;
};

} // namespace dyadic

#endif // DYADIC_ROUNDING_MOMENTS_H
