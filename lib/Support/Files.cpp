// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/Files.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

namespace dyadic {

llvm::Error writeFileBy(llvm::StringRef path, llvm::function_ref<llvm::Error(llvm::StringRef)> write) {
  auto fail = [&](std::error_code code) { return fileError(path, "cannot be written: " + code.message()); };
  llvm::sys::fs::file_status status;
  if (!llvm::sys::fs::status(path, status) && status.type() != llvm::sys::fs::file_type::regular_file)
    return fileError(path, "cannot be written: not a regular file");
  llvm::SmallString<128> temporary;
  if (std::error_code code = llvm::sys::fs::createUniqueFile(path + ".%%%%%%.tmp", temporary, 0666))
    return fail(code);
  llvm::Error error = write(temporary);
  if (!error)
    if (std::error_code code = llvm::sys::fs::rename(temporary, path))
      error = fail(code);
  if (error)
    llvm::sys::fs::remove(temporary);
  return error;
}

llvm::Error writeFile(llvm::StringRef path, llvm::StringRef contents) {
  return writeFileBy(path, [&](llvm::StringRef temporary) -> llvm::Error {
    std::error_code code;
    llvm::raw_fd_ostream stream(temporary, code);
    if (!code) {
      stream << contents;
      stream.close();
      code = stream.error();
      stream.clear_error();
    }
    if (code)
      return fileError(path, "cannot be written: " + code.message());
    return llvm::Error::success();
  });
}

llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> readFile(llvm::StringRef path) {
  llvm::sys::fs::file_status status;
  if (std::error_code code = llvm::sys::fs::status(path, status))
    return fileError(path, code.message());
  if (status.type() == llvm::sys::fs::file_type::directory_file)
    return fileError(path, "is a folder, expected a file");
  if (status.type() != llvm::sys::fs::file_type::regular_file)
    return fileError(path, "not a regular file");
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return fileError(path, buffer.getError().message());
  return std::move(*buffer);
}

} // namespace dyadic
