// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Row-major multi-indices, and the positions that a sliding window reads.

#ifndef DYADIC_LIB_REFERENCE_INDEXING_H
#define DYADIC_LIB_REFERENCE_INDEXING_H

#include "dyadic/IR/Window.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <vector>

namespace dyadic::reference {

using Index = llvm::SmallVector<int64_t, 6>;

/// Offset of the element at `index` in a row-major tensor of shape `shape`.
inline int64_t offsetOf(llvm::ArrayRef<int64_t> index, llvm::ArrayRef<int64_t> shape) {
  int64_t offset = 0;
  for (auto [i, size] : llvm::zip_equal(index, shape))
    offset = offset * size + i;
  return offset;
}

inline int64_t volumeOf(llvm::ArrayRef<int64_t> shape) {
  int64_t volume = 1;
  for (int64_t size : shape)
    volume *= size;
  return volume;
}

/// Calls visit(index, offset) for every element of a tensor of shape `shape`, in order.
template <typename Visit> void forEachIndex(llvm::ArrayRef<int64_t> shape, Visit visit) {
  Index index(shape.size(), 0);
  for (int64_t offset = 0, end = volumeOf(shape); offset < end; ++offset) {
    visit(index, offset);
    for (size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d])
        break;
      index[d] = 0;
    }
  }
}

/// Where a tensor of the shape that `window` gives has the elements of its images.
struct ImageLayout {
  int64_t channels, area;
  bool channelsLast;
  int64_t offset(int64_t sample, int64_t channel, int64_t position) const {
    return channelsLast ? (sample * area + position) * channels + channel
                        : (sample * channels + channel) * area + position;
  }
};

/// One kernel position of a window: its offset in the kernel and in the spatial part
/// of the input, -1 outside of it.
struct Tap {
  int64_t kernel;
  int64_t input;
};

/// Every kernel position, row-major, of the window at output position `output`; with
/// `insideOnly` those in the input alone.
inline std::vector<Tap> tapsAt(const qnn::Window &window, llvm::ArrayRef<int64_t> output, bool insideOnly) {
  std::vector<Tap> taps;
  forEachIndex(window.kernel, [&](llvm::ArrayRef<int64_t> k, int64_t offset) {
    Index position;
    bool inside = true;
    for (size_t d = 0; d < window.rank(); ++d) {
      position.push_back(window.inputAt(d, output[d], k[d]));
      inside &= position[d] >= 0 && position[d] < window.input[d];
    }
    if (inside || !insideOnly)
      taps.push_back({offset, inside ? offsetOf(position, window.input) : -1});
  });
  return taps;
}

} // namespace dyadic::reference

#endif // DYADIC_LIB_REFERENCE_INDEXING_H
