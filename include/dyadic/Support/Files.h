// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files appear whole or not at all: they are written under a temporary name in the
// same folder and renamed.

#ifndef DYADIC_SUPPORT_FILES_H
#define DYADIC_SUPPORT_FILES_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>

namespace dyadic {

/// Calls `write` with a temporary name and renames the result to `path`; removes it
/// where `write` fails.
llvm::Error writeFileBy(llvm::StringRef path, llvm::function_ref<llvm::Error(llvm::StringRef temporary)> write);
llvm::Error writeFile(llvm::StringRef path, llvm::StringRef contents);
/// The whole file; an error for folders, devices and what cannot be read.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> readFile(llvm::StringRef path);

} // namespace dyadic

#endif // DYADIC_SUPPORT_FILES_H
