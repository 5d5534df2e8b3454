// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a function in a process of its own, so that whatever it does ends there.

#ifndef DYADIC_TEST_MUTATION_TRIAL_H
#define DYADIC_TEST_MUTATION_TRIAL_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace dyadic::mutation {

struct Limits {
  unsigned seconds;   // of the processor
  unsigned megabytes; // 2^20 bytes of memory in use
};

struct Trial {
  int code = -1;     // what the function returned; -1 where it did not
  std::string text;  // what it wrote to the standard output and error
  std::string fault; // why its process did not end by itself within the limits; empty where it did
};

/// Calls `body` in a forked process.
Trial runForked(const Limits &limits, llvm::function_ref<int()> body);

/// True for an error as tools print it: `error: `, one line of printable characters without a full stop, then lines
/// indented by two spaces in order.
bool isReport(llvm::StringRef text);

} // namespace dyadic::mutation

#endif // DYADIC_TEST_MUTATION_TRIAL_H
