// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Boxes of evenly spaced elements in memory: where they lie in a larger tensor, and where parts of a tensor lie when
// it is itself stored as such a box. Plain C++.

#ifndef DYADIC_SUPPORT_STRIDEDLAYOUT_H
#define DYADIC_SUPPORT_STRIDEDLAYOUT_H

#include <cstdint>
#include <optional>
#include <vector>

namespace dyadic {

/// Element `index` lies at `offset + sum index[d] * strides[d]`, where 0 <= index[d] < sizes[d].
struct StridedLayout {
  int64_t offset = 0;
  std::vector<int64_t> sizes, strides; // both positive

  int64_t numElements() const;
  /// The farthest element.
  int64_t last() const;
};

/// The elements of a tensor of shape `shape`, one after the other.
StridedLayout rowMajor(const std::vector<int64_t> &shape);

/// Positions along one dimension, both included.
struct Interval {
  int64_t first, last;
};

/// For each dimension of a row-major tensor of shape `shape`, positions between which all elements of `layout` lie:
/// the smallest box, or a larger one where a dimension of `layout` runs from line to line. Nothing where its
/// strides do not follow the tensor's dimensions.
std::optional<std::vector<Interval>> boundsIn(const std::vector<int64_t> &shape, const StridedLayout &layout);

/// Where `part`, which lies in a row-major tensor of as many elements as `stored`, lies in memory when that tensor's
/// elements are stored as those of `stored`, in order. Nothing where they are then not evenly spaced.
std::optional<StridedLayout> placeIn(const StridedLayout &stored, const StridedLayout &part);

} // namespace dyadic

#endif // DYADIC_SUPPORT_STRIDEDLAYOUT_H
