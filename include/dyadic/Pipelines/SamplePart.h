// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Work on samples in parts, by several processes.

#ifndef DYADIC_PIPELINES_SAMPLEPART_H
#define DYADIC_PIPELINES_SAMPLEPART_H

#include <cstddef>
#include <utility>

namespace dyadic {

/// Of a list of samples, every `count`-th from the one with the number `index`: all parts together are the list.
struct SamplePart {
  size_t index = 0, count = 1; // index < count

  /// Leaves of `list` the elements that are of the part.
  template <typename List> void keep(List &list) const {
    size_t kept = 0;
    for (size_t i = index; i < list.size(); i += count)
      if (kept++ != i)
        list[kept - 1] = std::move(list[i]);
    list.resize(kept);
  }
};

} // namespace dyadic

#endif // DYADIC_PIPELINES_SAMPLEPART_H
