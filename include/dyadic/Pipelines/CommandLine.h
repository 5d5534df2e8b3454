// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the tools' command lines share: help that shows their own options alone,
// errors in one form.

#ifndef DYADIC_PIPELINES_COMMANDLINE_H
#define DYADIC_PIPELINES_COMMANDLINE_H

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Error.h"

namespace dyadic {

/// Takes the options of LLVM's libraries off the command line, where their names are
/// noise and can collide with ours. Define one before a tool's own static options.
struct ForeignOptionsRemoved {
  ForeignOptionsRemoved();
};

/// Parses the command line; false, after one `error: ` line on stderr, where it is wrong.
bool parseCommandLine(int argc, char **argv, llvm::cl::OptionCategory &category, llvm::StringRef overview);

/// Prints `error: ` and the error; returns the exit code 1.
int reportError(llvm::Error error);

/// A tool's exit code: that of reportError() where there is an error, or where the standard output cannot be written.
int finish(llvm::Error error);

} // namespace dyadic

#endif // DYADIC_PIPELINES_COMMANDLINE_H
