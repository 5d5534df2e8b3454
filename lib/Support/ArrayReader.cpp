// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/ArrayReader.h"
#include "Archive.h"
#include "NpyHeader.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Npz.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include <algorithm>

using namespace llvm;

namespace dyadic {

static constexpr uint64_t kMaxArrayBytes = uint64_t(1) << 32;
/// What NumPy could write into a header of version 1; nobody has more.
static constexpr uint64_t kMaxHeaderBytes = 1 << 16;
/// Deflate cannot do better than 1032 to 1; what promises more is a trap.
static constexpr uint64_t kMaxDeflateRatio = 1032;

std::string lowerFirst(StringRef text) {
  std::string result = text.str();
  if (result.size() > 1 && isLower(result[1]))
    result[0] = toLower(result[0]);
  return result;
}

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

ByteStream::~ByteStream() = default;

namespace {

/// A regular file.
class FileStream : public ByteStream {
public:
  FileStream(std::string path, sys::fs::file_t file, uint64_t bytes)
      : path(std::move(path)), file(file), bytes(bytes) {}
  ~FileStream() override { sys::fs::closeFile(file); }
  uint64_t size() const override { return bytes; }

  Error read(MutableArrayRef<uint8_t> buffer) override {
    while (!buffer.empty()) {
      auto *start = reinterpret_cast<char *>(buffer.data());
      Expected<size_t> count = sys::fs::readNativeFile(file, {start, std::min<size_t>(buffer.size(), 1 << 30)});
      if (!count)
        return makeError(lowerFirst(toString(count.takeError())));
      if (*count == 0)
        return makeError("truncated while it was read");
      buffer = buffer.drop_front(*count);
    }
    return Error::success();
  }

  Error rewind() override {
    Expected<sys::fs::file_t> again = sys::fs::openNativeFileForRead(path);
    if (!again)
      return makeError(lowerFirst(toString(again.takeError())));
    sys::fs::closeFile(file);
    file = *again;
    return Error::success();
  }

private:
  std::string path;
  sys::fs::file_t file;
  uint64_t bytes;
};

/// An entry of an archive, which entries share.
class EntryStream : public ByteStream {
public:
  EntryStream(std::shared_ptr<zip_t> archive, uint64_t index, uint64_t bytes)
      : archive(std::move(archive)), index(index), bytes(bytes) {}
  uint64_t size() const override { return bytes; }

  Error read(MutableArrayRef<uint8_t> buffer) override {
    while (!buffer.empty()) {
      zip_int64_t count = zip_fread(file.get(), buffer.data(), std::min<size_t>(buffer.size(), 1 << 30));
      if (count < 0)
        return makeError("cannot be read: " + lowerFirst(zip_file_strerror(file.get())));
      if (count == 0)
        return makeError("is shorter than the archive's directory says");
      buffer = buffer.drop_front(count);
    }
    return Error::success();
  }

  Error rewind() override {
    file.reset(zip_fopen_index(archive.get(), index, 0));
    return file ? Error::success() : makeError("cannot be read: " + lowerFirst(zip_strerror(archive.get())));
  }

  /// Only a read at the end makes libzip compare the checksum.
  Error finish() override {
    uint8_t more = 0;
    zip_int64_t count = zip_fread(file.get(), &more, 1);
    if (count < 0)
      return makeError("cannot be read: " + lowerFirst(zip_file_strerror(file.get())));
    if (count > 0)
      return makeError("is longer than the archive's directory says");
    return Error::success();
  }

private:
  std::shared_ptr<zip_t> archive;
  uint64_t index, bytes;
  std::unique_ptr<zip_file_t, decltype(&zip_fclose)> file{nullptr, zip_fclose};
};

} // namespace

//===----------------------------------------------------------------------===//
// One array
//===----------------------------------------------------------------------===//

static uint64_t littleEndian(ArrayRef<uint8_t> bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i)
    value |= static_cast<uint64_t>(bytes[i]) << 8 * i;
  return value;
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

ArrayReader::ArrayReader(Tensor tensor)
    : elementType(tensor.type), sizes(std::move(tensor.shape)), data(std::move(tensor.data)) {}

Error ArrayReader::fail(Error error) const { return makeError(label + toString(std::move(error))); }

uint64_t ArrayReader::dataBytes() const {
  NpyHeader header;
  header.type = elementType;
  header.shape = sizes;
  return header.dataBytes();
}

Expected<std::unique_ptr<ArrayReader>> ArrayReader::open(std::unique_ptr<ByteStream> stream, std::string label) {
  std::unique_ptr<ArrayReader> array(new ArrayReader());
  array->label = std::move(label);
  array->stream = std::move(stream);
  if (Error error = array->readHeader())
    return array->fail(std::move(error));
  return std::move(array);
}

Error ArrayReader::readHeader() {
  uint8_t start[12] = {};
  uint64_t bytes = stream->size();
  if (bytes < 10)
    return makeError("truncated: " + Twine(bytes) + " bytes are no .npy array");
  if (Error error = stream->read({start, 8}))
    return error;
  if (StringRef(reinterpret_cast<char *>(start), 6) != "\x93NUMPY")
    return makeError("not an .npy array: it does not start with \\x93NUMPY");
  if (start[6] < 1 || start[6] > 3 || start[7] != 0)
    return makeError("has .npy version " + Twine(unsigned(start[6])) + "." + Twine(unsigned(start[7])) +
                     ", expected 1.0, 2.0 or 3.0");
  size_t lengthBytes = start[6] == 1 ? 2 : 4;
  headerBytes = 8 + lengthBytes;
  if (bytes < headerBytes)
    return makeError("truncated: " + Twine(bytes) + " bytes are no .npy array");
  if (Error error = stream->read({start + 8, lengthBytes}))
    return error;
  uint64_t length = littleEndian({start + 8, lengthBytes});
  if (length > kMaxHeaderBytes || length > bytes - headerBytes)
    return makeError("has a header of " + Twine(length) + " bytes, expected at most " +
                     Twine(std::min(kMaxHeaderBytes, bytes - headerBytes)));
  std::vector<uint8_t> text(length);
  if (Error error = stream->read(text))
    return error;
  headerBytes += length;
  Expected<NpyHeader> header = parseNpyHeader(StringRef(reinterpret_cast<char *>(text.data()), length));
  if (!header)
    return header.takeError();
  elementType = header->type;
  sizes = header->shape;
  isSwapped = header->swapped;
  isFortran = header->fortranOrder && sizes.size() > 1;
  std::string what = std::string(elementName(elementType)) + " of shape " + shapeText(sizes);
  if (dataBytes() > kMaxArrayBytes)
    return makeError("is too large: " + what + ", expected at most 4 GiB");
  if (bytes - headerBytes != dataBytes())
    return makeError("has " + Twine(bytes - headerBytes) + " bytes of data, expected " + Twine(dataBytes()) + " for " +
                     what);
  return Error::success();
}

Error ArrayReader::holdInMemory() {
  isFortran = false;
  Tensor tensor(elementType, sizes);
  if (Error error = read(tensor.data))
    return error;
  data = toRowMajor(tensor);
  stream = nullptr;
  position = 0;
  return Error::success();
}

Error ArrayReader::read(MutableArrayRef<uint8_t> buffer) {
  if (isFortran)
    if (Error error = holdInMemory())
      return error;
  if (buffer.size() > dataBytes() - position)
    return fail(makeError("has no more elements"));
  if (!stream) {
    std::copy_n(data.begin() + static_cast<ptrdiff_t>(position), buffer.size(), buffer.begin());
    position += buffer.size();
    return Error::success();
  }
  if (Error error = stream->read(buffer))
    return fail(std::move(error));
  position += buffer.size();
  if (position == dataBytes())
    if (Error error = stream->finish())
      return fail(std::move(error));
  size_t bytes = elementSize(elementType);
  if (isSwapped)
    for (uint8_t *it = buffer.begin(); it != buffer.end(); it += bytes)
      std::reverse(it, it + bytes);
  if (elementType == ElementType::Bool)
    for (uint8_t &value : buffer)
      value = value != 0;
  return Error::success();
}

Error ArrayReader::rewind() {
  position = 0;
  if (!stream)
    return Error::success();
  std::vector<uint8_t> header(headerBytes);
  if (Error error = stream->rewind())
    return fail(std::move(error));
  if (Error error = stream->read(header))
    return fail(std::move(error));
  return Error::success();
}

Expected<Tensor> ArrayReader::readAll() {
  // The file has as many bytes as it claims: the header was checked against them.
  Tensor tensor(elementType, sizes);
  if (position != 0)
    if (Error error = rewind())
      return std::move(error);
  if (Error error = read(tensor.data))
    return std::move(error);
  return tensor;
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

/// The size of the regular file `path`.
static Expected<uint64_t> regularFileSize(StringRef path) {
  sys::fs::file_status status;
  if (std::error_code code = sys::fs::status(path, status))
    return fileError(path, lowerFirst(code.message()));
  if (!sys::fs::is_regular_file(status))
    return fileError(path, "not a regular file");
  return status.getSize();
}

Expected<std::unique_ptr<ArrayReader>> openNpy(StringRef path) {
  Expected<uint64_t> size = regularFileSize(path);
  if (!size)
    return size.takeError();
  Expected<sys::fs::file_t> file = sys::fs::openNativeFileForRead(path);
  if (!file)
    return fileError(path, lowerFirst(toString(file.takeError())));
  return ArrayReader::open(std::make_unique<FileStream>(path.str(), *file, *size), escaped(path) + ": ");
}

Expected<Archive> openArchive(StringRef path, int flags) {
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

static Expected<std::unique_ptr<ArrayReader>> openEntry(std::shared_ptr<zip_t> archive, const zip_stat_t &entry,
                                                        std::string label) {
  auto stream = std::make_unique<EntryStream>(std::move(archive), entry.index, entry.size);
  Error error = checkEntry(entry);
  if (!error)
    error = stream->rewind();
  if (error)
    return makeError(label + toString(std::move(error)));
  return ArrayReader::open(std::move(stream), std::move(label));
}

Expected<std::vector<NamedArray>> openNpz(StringRef path, function_ref<bool(StringRef)> wanted) {
  Expected<uint64_t> size = regularFileSize(path);
  if (!size)
    return size.takeError();
  if (*size == 0)
    return fileError(path, "cannot be opened as .npz: the file is empty");
  Expected<Archive> opened = openArchive(path, ZIP_RDONLY);
  if (!opened)
    return opened.takeError();
  std::shared_ptr<zip_t> archive = std::move(*opened);
  std::vector<NamedArray> result;
  StringSet<> names;
  uint64_t left = *size;
  zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    zip_stat_t entry;
    if (zip_stat_index(archive.get(), i, 0, &entry) || !(entry.valid & ZIP_STAT_NAME))
      return fileError(path, "entry " + Twine(i) + " is damaged: " + lowerFirst(zip_strerror(archive.get())));
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
    auto array = openEntry(archive, entry, escaped(path) + ": " + where);
    if (!array)
      return array.takeError();
    result.push_back({name.str(), std::move(*array)});
  }
  return std::move(result);
}

} // namespace dyadic
