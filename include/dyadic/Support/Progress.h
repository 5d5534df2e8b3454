// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How far long work is and how long it will take: one line on the standard error
// where that is a terminal, nothing where it is not.

#ifndef DYADIC_SUPPORT_PROGRESS_H
#define DYADIC_SUPPORT_PROGRESS_H

#include "llvm/ADT/StringRef.h"
#include <chrono>
#include <string>

namespace dyadic {

/// "calibrating: 12 of 100, 1 min 05 s left" after `seconds` of work. The time left takes the rest to be as fast as
/// what is done; it is missing before anything is done and after all is.
std::string progressText(llvm::StringRef what, size_t done, size_t total, double seconds);

/// The line while it lives; erased at the end.
class ProgressLine {
public:
  explicit ProgressLine(llvm::StringRef what);
  ProgressLine(const ProgressLine &) = delete;
  ~ProgressLine();
  /// At most ten times a second; not from several threads at once.
  void show(size_t done, size_t total);

private:
  void write(llvm::StringRef text);

  std::string what;
  bool isTerminal;
  std::chrono::steady_clock::time_point start, shown;
  size_t width = 0; // of what the terminal shows
};

} // namespace dyadic

#endif // DYADIC_SUPPORT_PROGRESS_H
