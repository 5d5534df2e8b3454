// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arrays of NumPy's files read from front to back in pieces, so that a file may be
// larger than memory. Files come from outside, so nothing in them is trusted: no
// pickle is ever loaded, nothing is unpacked to disk, and no memory is taken before
// the file proves that it is needed.

#ifndef DYADIC_SUPPORT_ARRAYREADER_H
#define DYADIC_SUPPORT_ARRAYREADER_H

#include "dyadic/Support/Tensor.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>
#include <vector>

namespace dyadic {

/// The bytes of a file or of an archive's entry, in order.
class ByteStream {
public:
  virtual ~ByteStream();
  virtual uint64_t size() const = 0;
  /// Fills all of `buffer` with the next bytes, or fails.
  virtual llvm::Error read(llvm::MutableArrayRef<uint8_t> buffer) = 0;
  /// Starts again at the first byte.
  virtual llvm::Error rewind() = 0;
  /// Called once all bytes are read: whether they are what the file promised.
  virtual llvm::Error finish() { return llvm::Error::success(); }
};

/// One array. Not safe to use from several threads at once, and neither are two arrays of one archive.
class ArrayReader {
public:
  /// Reads and checks everything before the data. `label` starts every error: "FILE: array 'x': ".
  static llvm::Expected<std::unique_ptr<ArrayReader>> open(std::unique_ptr<ByteStream> stream, std::string label);
  /// An array in memory.
  explicit ArrayReader(Tensor tensor);

  ElementType type() const { return elementType; }
  const std::vector<int64_t> &shape() const { return sizes; }

  /// Fills `buffer`, a whole number of elements, with the next ones: row-major and in the host's byte order. Reading
  /// past the end is an error. The last piece also compares the file's checksum. An array whose first index runs
  /// fastest is held in memory.
  llvm::Error read(llvm::MutableArrayRef<uint8_t> buffer);
  /// Starts again at the first element.
  llvm::Error rewind();
  /// All of the array.
  llvm::Expected<Tensor> readAll();

private:
  ArrayReader() = default;
  llvm::Error fail(llvm::Error error) const;
  llvm::Error readHeader();
  llvm::Error holdInMemory();
  uint64_t dataBytes() const;

  std::string label;
  std::unique_ptr<ByteStream> stream; // none: all is in `data`
  uint64_t headerBytes = 0, position = 0;
  ElementType elementType = ElementType::F32;
  std::vector<int64_t> sizes;
  bool isSwapped = false, isFortran = false;
  std::vector<uint8_t> data;
};

/// An array with its name.
struct NamedArray {
  std::string name;
  std::unique_ptr<ArrayReader> array;
};

/// The array of an .npy file. Element types: those of `ElementType`; float16, complex numbers, strings, structures and
/// objects are errors, and so are arrays of more than 4 GiB.
llvm::Expected<std::unique_ptr<ArrayReader>> openNpy(llvm::StringRef path);

/// The arrays of an .npz file in the file's order, named without ".npy". Entries with other names are not arrays and
/// are skipped. Where `wanted` is given, it is asked once for every array, and the arrays that it does not want are
/// neither read nor checked. Errors: those of openNpy, and archives that are damaged, encrypted or hold a name twice.
llvm::Expected<std::vector<NamedArray>> openNpz(llvm::StringRef path,
                                                llvm::function_ref<bool(llvm::StringRef name)> wanted = nullptr);

} // namespace dyadic

#endif // DYADIC_SUPPORT_ARRAYREADER_H
