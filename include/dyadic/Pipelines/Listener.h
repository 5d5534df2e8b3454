// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DYADIC_PIPELINES_LISTENER_H
#define DYADIC_PIPELINES_LISTENER_H

#include "llvm/ADT/StringRef.h"
#include <functional>

namespace dyadic {

/// Who watches a compilation; each member may be null. They are called on the thread that
/// compiles, or on those that calibrate (one at a time).
struct Listener {
  std::function<void(llvm::StringRef message)> warn;
  /// How far the stage `what` is ("calibrating"): done, and how many there are (0: not known yet).
  std::function<void(llvm::StringRef what, size_t done, size_t total)> progress;
  /// True ends the compilation with the error `interrupted`.
  std::function<bool()> isInterrupted;

  /// `progress` of one stage.
  std::function<void(size_t done, size_t total)> stage(llvm::StringRef what) const {
    return [this, what](size_t done, size_t total) {
      if (progress)
        progress(what, done, total);
    };
  }
};

} // namespace dyadic

#endif // DYADIC_PIPELINES_LISTENER_H
