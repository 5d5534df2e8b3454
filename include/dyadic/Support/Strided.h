// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks over boxes in memory, plain C++.

#ifndef DYADIC_SUPPORT_STRIDED_H
#define DYADIC_SUPPORT_STRIDED_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dyadic {

/// How far one step along each dimension of a row-major tensor of shape `shape` goes, in elements.
template <typename Shape> Shape rowMajorStrides(const Shape &shape) {
  Shape strides(shape.begin(), shape.end());
  int64_t step = 1;
  for (size_t d = shape.size(); d-- > 0;) {
    strides[d] = step;
    step *= shape[d];
  }
  return strides;
}

/// Calls visit(offset) for every element of a box of shape `shape`, in row-major order: element
/// `index` is at `base + sum index * strides`.
template <typename Shape, typename Visit>
void forEachStrided(const Shape &shape, const Shape &strides, int64_t base, Visit visit) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  std::vector<int64_t> index(shape.size(), 0);
  for (int64_t i = 0, offset = base; i < count; ++i) {
    visit(offset);
    for (size_t d = shape.size(); d-- > 0;) {
      offset += strides[d];
      if (++index[d] < shape[d])
        break;
      offset -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
}

} // namespace dyadic

#endif // DYADIC_SUPPORT_STRIDED_H
