// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How fast this machine can be at most with the instructions of packed kernels.

#ifndef DYADIC_RUNTIME_SEQUENCELIMITS_H
#define DYADIC_RUNTIME_SEQUENCELIMITS_H

#include "dyadic/Target/Targets.h"
#include <map>
#include <set>

namespace dyadic {

/// Multiply-accumulates a microsecond of each of `sequences` (Conversion/DotProbe.h) with operands in registers: the
/// best of several measurements on one core, of some milliseconds in all. `target` is one CPU, which this machine is.
/// Sequences that have no probe are left out.
llvm::Expected<std::map<std::string, double>> measureSequenceLimits(const Target &target,
                                                                    const std::set<std::string> &sequences);

} // namespace dyadic

#endif // DYADIC_RUNTIME_SEQUENCELIMITS_H
