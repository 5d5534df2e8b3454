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
#include <string>
#include <vector>

namespace dyadic {

/// Files that appear together: each is written under a temporary name, commit()
/// renames them all. What is not committed is removed.
class FileSet {
public:
  FileSet() = default;
  FileSet(const FileSet &) = delete;
  ~FileSet();

  /// Names a file that is read: writing it is an error.
  void protect(llvm::StringRef path);
  /// Calls `write` with the temporary name of `path`; an error where the set has `path`
  /// already or reads it.
  llvm::Error writeBy(llvm::StringRef path, llvm::function_ref<llvm::Error(llvm::StringRef temporary)> write);
  llvm::Error write(llvm::StringRef path, llvm::StringRef contents);
  llvm::Error commit();
  /// Bytes of a file that was written and not yet committed; 0 for another.
  int64_t sizeOf(llvm::StringRef path) const;

private:
  llvm::Error claim(llvm::StringRef path);
  std::vector<std::pair<std::string, std::string>> files; // path, temporary name
  std::vector<std::string> inputs;                        // absolute
};

/// A FileSet of one file.
llvm::Error writeFile(llvm::StringRef path, llvm::StringRef contents);
/// The whole file; an error for folders, devices and what cannot be read.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> readFile(llvm::StringRef path);

} // namespace dyadic

#endif // DYADIC_SUPPORT_FILES_H
