// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/Files.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

namespace dyadic {

static llvm::Error cannotWrite(llvm::StringRef path, std::error_code code) {
  return fileError(path, "cannot be written: " + code.message());
}

FileSet::~FileSet() {
  for (const auto &[path, temporary] : files)
    llvm::sys::fs::remove(temporary);
}

/// One spelling of a path, links resolved where the file exists.
static std::string canonical(llvm::StringRef path) {
  llvm::SmallString<128> real, absolute(path);
  if (!llvm::sys::fs::real_path(path, real))
    return real.str().str();
  llvm::sys::fs::make_absolute(absolute);
  llvm::sys::path::remove_dots(absolute, /*remove_dot_dot=*/true);
  return absolute.str().str();
}

void FileSet::protect(llvm::StringRef path) {
  if (!path.empty())
    inputs.push_back(canonical(path));
}

llvm::Error FileSet::claim(llvm::StringRef path) {
  std::string file = canonical(path);
  if (llvm::is_contained(inputs, file))
    return fileError(path, "cannot be written: it is read too");
  for (const auto &[other, temporary] : files)
    if (canonical(other) == file)
      return fileError(path, "cannot be written: another output has the same name");
  return llvm::Error::success();
}

llvm::Error FileSet::writeBy(llvm::StringRef path, llvm::function_ref<llvm::Error(llvm::StringRef)> write) {
  if (llvm::Error error = claim(path))
    return error;
  llvm::sys::fs::file_status status;
  if (!llvm::sys::fs::status(path, status) && status.type() != llvm::sys::fs::file_type::regular_file)
    return fileError(path, "cannot be written: not a regular file");
  llvm::SmallString<128> temporary;
  if (std::error_code code = llvm::sys::fs::createUniqueFile(path + ".%%%%%%.tmp", temporary, 0666))
    return cannotWrite(path, code);
  files.emplace_back(path.str(), temporary.str().str());
  return write(temporary);
}

llvm::Error FileSet::write(llvm::StringRef path, llvm::StringRef contents) {
  return writeBy(path, [&](llvm::StringRef temporary) -> llvm::Error {
    std::error_code code;
    llvm::raw_fd_ostream stream(temporary, code);
    if (!code) {
      stream << contents;
      stream.close();
      code = stream.error();
      stream.clear_error();
    }
    return code ? cannotWrite(path, code) : llvm::Error::success();
  });
}

llvm::Error FileSet::commit() {
  while (!files.empty()) {
    auto [path, temporary] = files.back();
    if (std::error_code code = llvm::sys::fs::rename(temporary, path))
      return cannotWrite(path, code);
    files.pop_back();
  }
  return llvm::Error::success();
}

int64_t FileSet::sizeOf(llvm::StringRef path) const {
  uint64_t size = 0;
  for (const auto &[known, temporary] : files)
    if (known == path && llvm::sys::fs::file_size(temporary, size))
      size = 0;
  return static_cast<int64_t>(size);
}

llvm::Error writeFile(llvm::StringRef path, llvm::StringRef contents) {
  FileSet files;
  if (llvm::Error error = files.write(path, contents))
    return error;
  return files.commit();
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
