// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What reading and writing of .npz files share: a libzip archive that closes itself.

#ifndef DYADIC_SUPPORT_ARCHIVE_H
#define DYADIC_SUPPORT_ARCHIVE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>
#include <zip.h>

namespace dyadic {

using Archive = std::unique_ptr<zip_t, decltype(&zip_discard)>;

/// Opens `path` with the ZIP_* flags; an error names it.
llvm::Expected<Archive> openArchive(llvm::StringRef path, int flags);

/// "No such file" -> "no such file", but "CRC error" stays: texts of libraries in the style of our messages.
std::string lowerFirst(llvm::StringRef text);

} // namespace dyadic

#endif // DYADIC_SUPPORT_ARCHIVE_H
