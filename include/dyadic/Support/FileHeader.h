// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What Dyadic's JSON files (calibration tables, plans, cost tables) share: the
// header that says what a file is and which model it belongs to, and strict
// reading: people edit these files, so what is not understood is an error.

#ifndef DYADIC_SUPPORT_FILEHEADER_H
#define DYADIC_SUPPORT_FILEHEADER_H

#include "dyadic/Support/Version.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <string>

namespace dyadic {

/// The first four keys of every file.
struct FileHeader {
  std::string kind;
  int64_t version = 1;
  /// SHA-256 of the model that the file belongs to: 64 lower-case hexadecimal digits.
  std::string model;
  std::string producer = kProducer;
};

/// Parses a JSON text. On top of llvm::json's rules, keys must be unique within their object and the nesting at most 64
/// deep.
llvm::Expected<llvm::json::Value> parseJson(llvm::StringRef file, llvm::StringRef text);

/// A JSON object, as our writers end it, with one more key, `sha256`: the checksum of the text before. For files that
/// programs alone write and read, such as those of a cache.
std::string seal(llvm::StringRef json);
/// The text that was sealed. An error where it was changed since, or cut.
llvm::Expected<std::string> unseal(llvm::StringRef file, llvm::StringRef text);

/// One object of a JSON file, read strictly: every key is asked for by name, and finish() refuses what was not.
/// Errors read `FILE: a.b[3].c: what, expected what`. The JSON value must outlive the reader.
class JsonReader {
public:
  /// The root of `file`; an error where it is not an object.
  static llvm::Expected<JsonReader> root(llvm::StringRef file, const llvm::json::Value &value);

  /// Whether an optional key is there.
  bool has(llvm::StringRef key);

  // Each of these is an error where the key is missing or its value is of another type.
  llvm::Expected<std::string> getString(llvm::StringRef key);
  /// Exactly 64 lower-case hexadecimal digits.
  llvm::Expected<std::string> getSha(llvm::StringRef key);
  llvm::Expected<bool> getBool(llvm::StringRef key);
  /// An integer from `min` to `max`.
  llvm::Expected<int64_t> getInteger(llvm::StringRef key, int64_t min, int64_t max);
  /// A finite number that is also finite as float.
  llvm::Expected<float> getFloat(llvm::StringRef key);
  /// A finite number.
  llvm::Expected<double> getNumber(llvm::StringRef key);
  llvm::Expected<const llvm::json::Array *> getArray(llvm::StringRef key);
  llvm::Expected<JsonReader> getObject(llvm::StringRef key);
  /// The elements of an array of objects; the first error that `read` or finish() of an element returns.
  llvm::Error eachObject(llvm::StringRef key, llvm::function_ref<llvm::Error(JsonReader &)> read);
  // Arrays whose elements are all of one type.
  llvm::Expected<std::vector<std::string>> getShas(llvm::StringRef key);
  llvm::Expected<std::vector<float>> getFloats(llvm::StringRef key);
  llvm::Expected<std::vector<std::string>> getStrings(llvm::StringRef key);
  /// An array of arrays of finite numbers.
  llvm::Expected<std::vector<std::vector<double>>> getNumberRows(llvm::StringRef key);
  llvm::Expected<std::vector<int64_t>> getIntegers(llvm::StringRef key, int64_t min, int64_t max);

  /// The keys of the object, sorted; the caller will read them all.
  std::vector<std::string> keys();

  /// An error that names the first key, in sorted order, that nobody asked for.
  llvm::Error finish() const;
  /// `FILE: PATH: what` for this object, or for its `key`.
  llvm::Error error(const llvm::Twine &what) const;
  llvm::Error error(llvm::StringRef key, const llvm::Twine &what) const;

private:
  JsonReader(llvm::StringRef file, std::string path, const llvm::json::Object &object)
      : file(file), path(std::move(path)), object(&object) {}
  std::string pathOf(llvm::StringRef key) const;
  llvm::Expected<const llvm::json::Value *> get(llvm::StringRef key);
  template <typename T, typename Convert>
  llvm::Expected<std::vector<T>> getElements(llvm::StringRef key, Convert convert);

  std::string file;
  std::string path;
  const llvm::json::Object *object;
  llvm::SmallVector<std::string, 8> asked;
};

/// Writes the header's keys into the object that `json` has open.
void writeHeader(llvm::json::OStream &json, const FileHeader &header);

/// Reads the header of a file of `kind`, written in a version from 1 to `newest`.
llvm::Expected<FileHeader> readHeader(JsonReader &reader, llvm::StringRef kind, int64_t newest);

/// An error that names both models where the file `path` with `header` does not belong to the model with SHA-256 `sha`.
llvm::Error checkModel(const FileHeader &header, llvm::StringRef path, llvm::StringRef sha);

/// Writes `value` (finite) so that reading it as double and rounding to float gives it back. Zero has no sign.
void writeFloat(llvm::json::OStream &json, float value);

} // namespace dyadic

#endif // DYADIC_SUPPORT_FILEHEADER_H
