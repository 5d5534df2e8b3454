// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/Progress.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cmath>

using namespace llvm;

namespace dyadic {

/// "8 s", "1 min 05 s", "2 h 07 min".
static std::string durationText(double seconds) {
  auto whole = static_cast<uint64_t>(std::ceil(std::min(seconds, 3.6e8)));
  if (whole < 60)
    return formatv("{0} s", whole).str();
  if (whole < 3600)
    return formatv("{0} min {1,0+2} s", whole / 60, whole % 60).str();
  return formatv("{0} h {1,0+2} min", whole / 3600, whole % 3600 / 60).str();
}

std::string progressText(StringRef what, size_t done, size_t total, double seconds) {
  std::string text = formatv("{0}: {1} of {2}", what, done, total).str();
  if (done == 0 || done >= total || !(seconds >= 0))
    return text;
  double left = seconds / static_cast<double>(done) * static_cast<double>(total - done);
  return text + ", " + durationText(left) + " left";
}

ProgressLine::ProgressLine(StringRef what)
    : what(what), isTerminal(sys::Process::StandardErrIsDisplayed()), start(std::chrono::steady_clock::now()) {}

ProgressLine::~ProgressLine() {
  if (width > 0) {
    write("");
    errs() << "\r";
  }
}

void ProgressLine::show(size_t done, size_t total) {
  using namespace std::chrono_literals;
  auto now = std::chrono::steady_clock::now();
  if (!isTerminal || (width > 0 && now - shown < 100ms))
    return;
  shown = now;
  write(progressText(what, done, total, std::chrono::duration<double>(now - start).count()));
}

/// Spaces cover what a longer line left.
void ProgressLine::write(StringRef text) {
  errs() << "\r" << text;
  errs().indent(static_cast<unsigned>(width > text.size() ? width - text.size() : 0));
  errs().flush();
  width = text.size();
}

} // namespace dyadic
