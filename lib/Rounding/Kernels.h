// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops that take the time, with the vectors of the host. Every sum has one order and every product is rounded
// before it is added, so that the bits do not depend on the vectors, nor on how the work is cut.

#ifndef DYADIC_LIB_ROUNDING_KERNELS_H
#define DYADIC_LIB_ROUNDING_KERNELS_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace dyadic {

/// A matrix that is read: element (i, j) is at i * rowStride + j * columnStride.
template <typename T> struct StridedMatrix {
  const T *data;
  size_t rowStride, columnStride;
};

/// C += A B: to each element of C (rows x columns, `stride` from row to row) its `depth` products are added one after
/// the other. Rows of B have `columns` numbers, B.columnStride is 1. Products of floats are exact: multiplication and
/// addition are one instruction then, with the same result.
void addProduct(size_t rows, size_t columns, size_t depth, StridedMatrix<double> a, StridedMatrix<double> b, double *c,
                size_t stride);
void addProduct(size_t rows, size_t columns, size_t depth, StridedMatrix<float> a, StridedMatrix<float> b, double *c,
                size_t stride);

/// Rows of small integers, packed for products of their columns, which are exact: several times as fast as doubles.
class IntegerColumns {
public:
  /// Nothing where a number is no integer of at most kMost, or the host has no instruction for them.
  static std::optional<IntegerColumns> pack(const float *rows, size_t count, size_t columns);
  /// C[i][j] += the sum over the rows of numbers first + i and j, for i < height and j < first + height. `first` is a
  /// multiple of kBlock.
  void addProducts(size_t first, size_t height, double *c, size_t stride) const;

  static constexpr size_t kBlock = 96;
  static constexpr float kMost = 2047;

private:
  size_t columns = 0;
  std::vector<std::vector<int32_t>> parts; // some rows each: panels of columns, of which pairs of rows follow another
};

/// Lines are padded to a multiple of this.
inline constexpr size_t kLines = 32;

/// A block of inputs of many lines that are rounded; arrays have `lines` numbers for each input.
struct LineBlock {
  size_t lines;            // a multiple of kLines
  size_t inputs;           // of the block
  const double *scales;    // by line
  double most;             // of the multiples of a scale
  const double *D;         // by input
  StridedMatrix<double> U; // inputs x inputs, above the diagonal
  const double *targets;
  double *wanted; // targets with what inputs before the block add; destroyed
  double *errors; // becomes target - scale q
  double *losses; // by line; D (wanted - scale q)^2 is added
  int8_t *q;      // becomes the multiples, ties to even
};
void roundLines(const LineBlock &block);

} // namespace dyadic

#endif // DYADIC_LIB_ROUNDING_KERNELS_H
