// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops that take the time, with the vectors of the host. Every sum has one order and every product is rounded
// before it is added, so that the bits do not depend on the vectors, nor on how the work is cut.

#ifndef DYADIC_LIB_ROUNDING_KERNELS_H
#define DYADIC_LIB_ROUNDING_KERNELS_H

#include <cstddef>
#include <cstdint>

namespace dyadic {

/// A matrix that is read: element (i, j) is at i * rowStride + j * columnStride.
struct StridedMatrix {
  const double *data;
  size_t rowStride, columnStride;
};

/// C += A B: to each element of C (rows x columns, `stride` from row to row) its `depth` products are added one after
/// the other. Rows of B have `columns` numbers, B.columnStride is 1.
void addProduct(size_t rows, size_t columns, size_t depth, StridedMatrix a, StridedMatrix b, double *c, size_t stride);

/// Lines are padded to a multiple of this.
inline constexpr size_t kLines = 32;

/// A block of inputs of many lines that are rounded; arrays have `lines` numbers for each input.
struct LineBlock {
  size_t lines;         // a multiple of kLines
  size_t inputs;        // of the block
  const double *scales; // by line
  double most;          // of the multiples of a scale
  const double *D;      // by input
  StridedMatrix U;      // inputs x inputs, above the diagonal
  const double *targets;
  double *wanted; // targets with what inputs before the block add; destroyed
  double *errors; // becomes target - scale q
  double *losses; // by line; D (wanted - scale q)^2 is added
  int8_t *q;      // becomes the multiples, ties to even
};
void roundLines(const LineBlock &block);

} // namespace dyadic

#endif // DYADIC_LIB_ROUNDING_KERNELS_H
