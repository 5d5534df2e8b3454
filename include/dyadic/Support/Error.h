// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Errors that users see: `error: FILE: NODE: what was wrong, what was expected`.
// Everything that reads input from outside returns llvm::Error or llvm::Expected
// with the text after `error: `; tools print it and exit with 1.

#ifndef DYADIC_SUPPORT_ERROR_H
#define DYADIC_SUPPORT_ERROR_H

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace dyadic {

/// `text` with backslashes, characters that cannot be printed (of control, or that turn text around) and bytes that
/// are not UTF-8 as \\, \n, \t, \xNN: text from files never breaks a line or a terminal.
std::string printable(llvm::StringRef text);
/// The same of a name; one of more than 200 bytes has "..." in place of its middle.
std::string escaped(llvm::StringRef name);

/// An error with the text `what`, already complete.
llvm::Error makeError(const llvm::Twine &what);
/// `FILE: what`.
llvm::Error fileError(llvm::StringRef file, const llvm::Twine &what);
/// `FILE: NODE: what`.
llvm::Error nodeError(llvm::StringRef file, llvm::StringRef node, const llvm::Twine &what);
/// `FILE: what` and below it the lines, sorted, without repeats and indented by two spaces.
llvm::Error listError(llvm::StringRef file, const llvm::Twine &what, std::vector<std::string> lines);

} // namespace dyadic

#endif // DYADIC_SUPPORT_ERROR_H
