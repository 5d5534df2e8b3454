// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/Npz.h"
#include "NpyHeader.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <memory>
#include <numeric>
#include <zip.h>

using namespace llvm;

namespace dyadic {

static constexpr uint64_t kMaxArrayBytes = uint64_t(1) << 32;
/// What NumPy could write into a header of version 1; nobody has more.
static constexpr uint64_t kMaxHeaderBytes = 1 << 16;
/// Deflate cannot do better than 1032 to 1; what promises more is a trap.
static constexpr uint64_t kMaxDeflateRatio = 1032;

std::string shapeText(ArrayRef<int64_t> shape) {
  return "[" + llvm::join(llvm::map_range(shape, [](int64_t size) { return std::to_string(size); }), ", ") + "]";
}

/// "No such file" -> "no such file", but "CRC error" stays: texts of libraries in the style of our messages.
static std::string lowerFirst(StringRef text) {
  std::string result = text.str();
  if (result.size() > 1 && isLower(result[1]))
    result[0] = toLower(result[0]);
  return result;
}

//===----------------------------------------------------------------------===//
// One array
//===----------------------------------------------------------------------===//

namespace {

/// Where the bytes of an array come from.
struct ByteSource {
  uint64_t size;
  /// Fills all of the buffer with the next bytes, or fails.
  function_ref<Error(MutableArrayRef<uint8_t>)> read;
};

} // namespace

static uint64_t littleEndian(ArrayRef<uint8_t> bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i)
    value |= static_cast<uint64_t>(bytes[i]) << 8 * i;
  return value;
}

/// Reads and checks everything before the data; `used` is its length.
static Expected<NpyHeader> readHeader(const ByteSource &source, uint64_t &used) {
  uint8_t start[12] = {};
  if (source.size < 10)
    return makeError("truncated: " + Twine(source.size) + " bytes are no .npy array");
  if (Error error = source.read({start, 8}))
    return std::move(error);
  if (StringRef(reinterpret_cast<char *>(start), 6) != "\x93NUMPY")
    return makeError("not an .npy array: it does not start with \\x93NUMPY");
  if (start[6] < 1 || start[6] > 3 || start[7] != 0)
    return makeError("has .npy version " + Twine(unsigned(start[6])) + "." + Twine(unsigned(start[7])) +
                     ", expected 1.0, 2.0 or 3.0");
  size_t lengthBytes = start[6] == 1 ? 2 : 4;
  used = 8 + lengthBytes;
  if (source.size < used)
    return makeError("truncated: " + Twine(source.size) + " bytes are no .npy array");
  if (Error error = source.read({start + 8, lengthBytes}))
    return std::move(error);
  uint64_t length = littleEndian({start + 8, lengthBytes});
  if (length > kMaxHeaderBytes || length > source.size - used)
    return makeError("has a header of " + Twine(length) + " bytes, expected at most " +
                     Twine(std::min(kMaxHeaderBytes, source.size - used)));
  std::vector<uint8_t> text(length);
  if (Error error = source.read(text))
    return std::move(error);
  used += length;
  return parseNpyHeader(StringRef(reinterpret_cast<char *>(text.data()), length));
}

/// Copies elements from an order where the first index runs fastest.
static std::vector<uint8_t> toRowMajor(const Tensor &tensor) {
  size_t bytes = elementSize(tensor.type), rank = tensor.shape.size();
  std::vector<int64_t> stride(rank, 1), index(rank, 0);
  for (size_t d = 1; d < rank; ++d)
    stride[d] = stride[d - 1] * tensor.shape[d - 1];
  std::vector<uint8_t> result(tensor.data.size());
  int64_t from = 0;
  for (size_t to = 0; to < result.size(); to += bytes) {
    std::memcpy(&result[to], &tensor.data[from * bytes], bytes);
    for (size_t d = rank; d-- > 0;) {
      from += stride[d];
      if (++index[d] < tensor.shape[d])
        break;
      from -= stride[d] * tensor.shape[d];
      index[d] = 0;
    }
  }
  return result;
}

/// Reads the array; the errors do not name the file.
static Expected<Tensor> readArray(const ByteSource &source) {
  uint64_t used = 0;
  Expected<NpyHeader> header = readHeader(source, used);
  if (!header)
    return header.takeError();
  std::string what = std::string(elementName(header->type)) + " of shape " + shapeText(header->shape);
  if (header->dataBytes() > kMaxArrayBytes)
    return makeError("is too large: " + what + ", expected at most 4 GiB");
  if (source.size - used != header->dataBytes())
    return makeError("has " + Twine(source.size - used) + " bytes of data, expected " + Twine(header->dataBytes()) +
                     " for " + what);
  // Only now is it known that the file has as much as it claims.
  Tensor tensor(header->type, header->shape);
  if (Error error = source.read(tensor.data))
    return std::move(error);
  size_t bytes = elementSize(tensor.type);
  if (header->swapped)
    for (auto *it = tensor.data.data(), *end = it + tensor.data.size(); it != end; it += bytes)
      std::reverse(it, it + bytes);
  if (header->fortranOrder && tensor.shape.size() > 1)
    tensor.data = toRowMajor(tensor);
  if (tensor.type == ElementType::Bool)
    for (uint8_t &value : tensor.data)
      value = value != 0;
  return tensor;
}

/// The size of the regular file `path`.
static Expected<uint64_t> regularFileSize(StringRef path) {
  sys::fs::file_status status;
  if (std::error_code code = sys::fs::status(path, status))
    return fileError(path, lowerFirst(code.message()));
  if (!sys::fs::is_regular_file(status))
    return fileError(path, "not a regular file");
  return status.getSize();
}

Expected<Tensor> readNpy(StringRef path) {
  Expected<uint64_t> size = regularFileSize(path);
  if (!size)
    return size.takeError();
  Expected<sys::fs::file_t> file = sys::fs::openNativeFileForRead(path);
  if (!file)
    return fileError(path, lowerFirst(toString(file.takeError())));
  scope_exit close([&] { sys::fs::closeFile(*file); });
  auto read = [&](MutableArrayRef<uint8_t> buffer) -> Error {
    while (!buffer.empty()) {
      auto *start = reinterpret_cast<char *>(buffer.data());
      Expected<size_t> count = sys::fs::readNativeFile(*file, {start, std::min<size_t>(buffer.size(), 1 << 30)});
      if (!count)
        return makeError(lowerFirst(toString(count.takeError())));
      if (*count == 0)
        return makeError("truncated while it was read");
      buffer = buffer.drop_front(*count);
    }
    return Error::success();
  };
  Expected<Tensor> tensor = readArray({*size, read});
  if (!tensor)
    return fileError(path, toString(tensor.takeError()));
  return tensor;
}

//===----------------------------------------------------------------------===//
// The container
//===----------------------------------------------------------------------===//

using Archive = std::unique_ptr<zip_t, decltype(&zip_discard)>;

static Expected<Archive> openArchive(StringRef path, int flags) {
  int code = 0;
  Archive archive(zip_open(path.str().c_str(), flags, &code), zip_discard);
  if (archive)
    return std::move(archive);
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string text = lowerFirst(zip_error_strerror(&error));
  zip_error_fini(&error);
  return fileError(path, "cannot be opened as .npz: " + text);
}

/// Checks what the directory of the archive says about an entry, before anything of it is read.
static Error checkEntry(const zip_stat_t &entry) {
  constexpr zip_uint64_t needed =
      ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
  if ((entry.valid & needed) != needed)
    return makeError("has no size in the archive's directory");
  if (entry.encryption_method != ZIP_EM_NONE)
    return makeError("is encrypted");
  if (entry.comp_method != ZIP_CM_STORE && entry.comp_method != ZIP_CM_DEFLATE)
    return makeError("is compressed by method " + Twine(entry.comp_method) + ", expected stored or deflated");
  uint64_t ratio = entry.comp_method == ZIP_CM_STORE ? 1 : kMaxDeflateRatio;
  if (entry.size / ratio > entry.comp_size)
    return makeError("claims " + Twine(entry.size) + " bytes in " + Twine(entry.comp_size) + " bytes of archive");
  return Error::success();
}

static Expected<Tensor> readEntry(zip_t *archive, const zip_stat_t &entry) {
  if (Error error = checkEntry(entry))
    return std::move(error);
  std::unique_ptr<zip_file_t, decltype(&zip_fclose)> file(zip_fopen_index(archive, entry.index, 0), zip_fclose);
  if (!file)
    return makeError("cannot be read: " + lowerFirst(zip_strerror(archive)));
  auto read = [&](MutableArrayRef<uint8_t> buffer) -> Error {
    while (!buffer.empty()) {
      zip_int64_t count = zip_fread(file.get(), buffer.data(), std::min<size_t>(buffer.size(), 1 << 30));
      if (count < 0)
        return makeError("cannot be read: " + lowerFirst(zip_file_strerror(file.get())));
      if (count == 0)
        return makeError("is shorter than the archive's directory says");
      buffer = buffer.drop_front(count);
    }
    return Error::success();
  };
  Expected<Tensor> tensor = readArray({entry.size, read});
  if (!tensor)
    return tensor;
  // Only a read at the end makes libzip compare the checksum.
  uint8_t more = 0;
  zip_int64_t count = zip_fread(file.get(), &more, 1);
  if (count < 0)
    return makeError("cannot be read: " + lowerFirst(zip_file_strerror(file.get())));
  if (count > 0)
    return makeError("is longer than the archive's directory says");
  return tensor;
}

Expected<std::vector<NamedTensor>> readNpz(StringRef path, function_ref<bool(StringRef)> wanted) {
  Expected<uint64_t> size = regularFileSize(path);
  if (!size)
    return size.takeError();
  if (*size == 0)
    return fileError(path, "cannot be opened as .npz: the file is empty");
  Expected<Archive> archive = openArchive(path, ZIP_RDONLY);
  if (!archive)
    return archive.takeError();
  std::vector<NamedTensor> result;
  StringSet<> names;
  uint64_t left = *size;
  zip_int64_t count = zip_get_num_entries(archive->get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    zip_stat_t entry;
    if (zip_stat_index(archive->get(), i, 0, &entry) || !(entry.valid & ZIP_STAT_NAME))
      return fileError(path, "entry " + Twine(i) + " is damaged: " + lowerFirst(zip_strerror(archive->get())));
    StringRef name = entry.name;
    if (!name.consume_back(".npy"))
      continue;
    std::string where = "array '" + escaped(name) + "': ";
    if (!names.insert(name).second)
      return fileError(path, where + "is there twice");
    if (wanted && !wanted(name))
      continue;
    // Entries that share their bytes would turn a small file into any amount of data.
    if (entry.comp_size > left)
      return fileError(path, where + "is larger than the file, or overlaps other arrays");
    left -= entry.comp_size;
    Expected<Tensor> tensor = readEntry(archive->get(), entry);
    if (!tensor)
      return fileError(path, where + toString(tensor.takeError()));
    result.push_back({name.str(), std::move(*tensor)});
  }
  return result;
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
    if (it.tensor.data.size() != static_cast<size_t>(it.tensor.size()) * elementSize(it.tensor.type))
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

Error writeNpz(StringRef path, ArrayRef<NamedTensor> tensors) {
  sys::fs::file_status status;
  if (!sys::fs::status(path, status) && !sys::fs::is_regular_file(status))
    return fileError(path, "cannot be written: not a regular file");
  if (Error error = checkNames(path, tensors))
    return error;
  if (tensors.empty()) // libzip would remove the file
    return fileError(path, "cannot be written: no arrays");
  // libzip writes to a temporary file beside `path` and renames it when the archive is closed.
  Expected<Archive> archive = openArchive(path, ZIP_CREATE | ZIP_TRUNCATE);
  if (!archive)
    return archive.takeError();
  std::vector<std::string> headers;
  headers.reserve(tensors.size());
  for (const NamedTensor &it : tensors) {
    headers.push_back(formatNpyHeader(it.tensor));
    if (!addEntry(archive->get(), it.name, headers.back(), it.tensor))
      return fileError(path, "array '" + escaped(it.name) +
                                 "': cannot be written: " + lowerFirst(zip_strerror(archive->get())));
  }
  if (zip_close(archive->get()))
    return fileError(path, "cannot be written: " + lowerFirst(zip_strerror(archive->get())));
  (void)archive->release();
  return Error::success();
}

} // namespace dyadic
