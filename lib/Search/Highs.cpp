// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Solvers.h"
#include "dyadic/Support/Error.h"

namespace dyadic {

bool hasHighs() { return false; }

llvm::Expected<SolverOutcome> solveByHighs(const ExactProblem &exact, const SolveOptions &options) {
  return makeError("highs: not part of this build");
}

} // namespace dyadic
