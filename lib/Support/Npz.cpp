// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/Npz.h"
#include "Archive.h"
#include "NpyHeader.h"
#include "dyadic/Support/ArrayReader.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace dyadic {

std::string shapeText(ArrayRef<int64_t> shape) {
  return "[" + llvm::join(llvm::map_range(shape, [](int64_t size) { return std::to_string(size); }), ", ") + "]";
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

Expected<Tensor> readNpy(StringRef path) {
  Expected<std::unique_ptr<ArrayReader>> array = openNpy(path);
  if (!array)
    return array.takeError();
  return (*array)->readAll();
}

Expected<std::vector<NamedTensor>> readNpz(StringRef path, function_ref<bool(StringRef)> wanted) {
  Expected<std::vector<NamedArray>> arrays = openNpz(path, wanted);
  if (!arrays)
    return arrays.takeError();
  std::vector<NamedTensor> result;
  for (NamedArray &entry : *arrays) {
    Expected<Tensor> tensor = entry.array->readAll();
    if (!tensor)
      return tensor.takeError();
    result.push_back({std::move(entry.name), std::move(*tensor)});
  }
  return std::move(result);
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static Error checkNames(StringRef path, ArrayRef<NamedTensor> tensors) {
  StringSet<> names;
  for (const NamedTensor &it : tensors) {
    std::string where = "array '" + escaped(it.name) + "': ";
    if (it.name.find('\0') != std::string::npos)
      return fileError(path, where + "has a name with a zero byte");
    if (!names.insert(it.name).second)
      return fileError(path, where + "is there twice");
    if (it.tensor.data.size() != sizeInBytes(it.tensor.type, it.tensor.shape))
      return fileError(path, where + "has " + Twine(it.tensor.data.size()) + " bytes for shape " +
                                 shapeText(it.tensor.shape));
  }
  return Error::success();
}

/// Adds one entry; `header` and `tensor` must outlive the archive.
static bool addEntry(zip_t *archive, StringRef name, const std::string &header, const Tensor &tensor) {
  const zip_buffer_fragment_t parts[] = {
      {reinterpret_cast<zip_uint8_t *>(const_cast<char *>(header.data())), header.size()},
      {const_cast<zip_uint8_t *>(tensor.data.data()), tensor.data.size()}};
  zip_source_t *source = zip_source_buffer_fragment(archive, parts, tensor.data.empty() ? 1 : 2, 0);
  if (!source)
    return false;
  zip_int64_t index = zip_file_add(archive, (name + ".npy").str().c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    return false;
  }
  // Stored, so that the bytes do not depend on the version of zlib; dated 1980-01-01, zip's first day, because the
  // time of day and the time zone must not show either.
  return zip_set_file_compression(archive, index, ZIP_CM_STORE, 0) == 0 &&
         zip_file_set_dostime(archive, index, 0, (1 << 5) | 1, 0) == 0 &&
         zip_file_set_external_attributes(archive, index, 0, ZIP_OPSYS_UNIX, 0100644u << 16) == 0;
}

Error writeNpz(StringRef path, ArrayRef<NamedTensor> tensors, StringRef name) {
  name = name.empty() ? path : name;
  sys::fs::file_status status;
  if (!sys::fs::status(path, status) && !sys::fs::is_regular_file(status))
    return fileError(name, "cannot be written: not a regular file");
  if (Error error = checkNames(name, tensors))
    return error;
  if (tensors.empty()) // libzip would remove the file
    return fileError(name, "cannot be written: no arrays");
  // libzip writes to a temporary file beside `path` and renames it when the archive is closed.
  Expected<Archive> archive = openArchive(path, ZIP_CREATE | ZIP_TRUNCATE);
  if (!archive)
    return archive.takeError();
  std::vector<std::string> headers;
  headers.reserve(tensors.size());
  for (const NamedTensor &it : tensors) {
    headers.push_back(formatNpyHeader(it.tensor));
    if (!addEntry(archive->get(), it.name, headers.back(), it.tensor))
      return fileError(name, "array '" + escaped(it.name) +
                                 "': cannot be written: " + lowerFirst(zip_strerror(archive->get())));
  }
  if (zip_close(archive->get()))
    return fileError(name, "cannot be written: " + lowerFirst(zip_strerror(archive->get())));
  (void)archive->release();
  return Error::success();
}

} // namespace dyadic
