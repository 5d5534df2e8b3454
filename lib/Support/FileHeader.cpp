// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Support/FileHeader.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/SHA256.h"
#include <charconv>
#include <cmath>

using namespace llvm;

namespace dyadic {

static constexpr size_t kMaxDepth = 64;

//===----------------------------------------------------------------------===//
// The text
//===----------------------------------------------------------------------===//

/// Looks for what llvm::json accepts and we do not: a key twice in one object (the parser would keep one of the two
/// silently), and nesting so deep that the parser, which is recursive, runs out of stack. Other mistakes are left to
/// it.
static Error checkStructure(StringRef file, StringRef text) {
  std::vector<StringSet<>> open;
  unsigned line = 1;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    line += c == '\n';
    if (c == '{' || c == '[') {
      if (open.size() == kMaxDepth)
        return fileError(file, "line " + Twine(line) + ": more than " + Twine(kMaxDepth) + " levels of nesting");
      open.emplace_back();
    } else if ((c == '}' || c == ']') && !open.empty()) {
      open.pop_back();
    } else if (c == '"') {
      size_t start = ++i;
      while (i < text.size() && text[i] != '"' && text[i] != '\n')
        i += text[i] == '\\' ? 2 : 1;
      if (i >= text.size() || text[i] == '\n')
        return Error::success(); // not terminated: the parser says it better
      StringRef string = text.slice(start, i);
      bool isKey = text.drop_front(i + 1).ltrim(" \t\r\n").starts_with(":");
      if (isKey && !open.empty() && !open.back().insert(string).second)
        return fileError(file, "line " + Twine(line) + ": key '" + escaped(string) + "' is given twice");
    }
  }
  return Error::success();
}

Expected<json::Value> parseJson(StringRef file, StringRef text) {
  if (Error error = checkStructure(file, text))
    return std::move(error);
  Expected<json::Value> value = json::parse(text);
  if (!value)
    return fileError(file, "not JSON: " + printable(toString(value.takeError())));
  return value;
}

//===----------------------------------------------------------------------===//
// JsonReader
//===----------------------------------------------------------------------===//

/// What a value is, in words.
static std::string describe(const json::Value &value) {
  switch (value.kind()) {
  case json::Value::Null:
    return "null";
  case json::Value::Boolean:
    return *value.getAsBoolean() ? "true" : "false";
  case json::Value::Array:
    return "an array";
  case json::Value::Object:
    return "an object";
  case json::Value::String:
    return "'" + escaped(value.getAsString()->take_front(80)) + "'";
  case json::Value::Number:
    break;
  }
  std::string text;
  raw_string_ostream(text) << value;
  return text;
}

static std::string foundExpected(const json::Value &value, const Twine &expected) {
  return "found " + describe(value) + ", expected " + expected.str();
}

Expected<JsonReader> JsonReader::root(StringRef file, const json::Value &value) {
  const json::Object *object = value.getAsObject();
  if (!object)
    return fileError(file, foundExpected(value, "an object"));
  return JsonReader(file, "", *object);
}

std::string JsonReader::pathOf(StringRef key) const { return path.empty() ? key.str() : path + "." + key.str(); }

Error JsonReader::error(const Twine &what) const {
  return path.empty() ? fileError(file, what) : nodeError(file, path, what);
}

Error JsonReader::error(StringRef key, const Twine &what) const { return nodeError(file, pathOf(key), what); }

bool JsonReader::has(StringRef key) {
  asked.push_back(key.str()); // finish() lists it among the known ones
  return object->get(key) != nullptr;
}

Expected<const json::Value *> JsonReader::get(StringRef key) {
  asked.push_back(key.str());
  const json::Value *value = object->get(key);
  if (!value)
    return error("key '" + escaped(key) + "' is missing");
  return value;
}

Expected<std::string> JsonReader::getString(StringRef key) {
  Expected<const json::Value *> value = get(key);
  if (!value)
    return value.takeError();
  if (std::optional<StringRef> text = (*value)->getAsString())
    return text->str();
  return error(key, foundExpected(**value, "a string"));
}

static std::optional<std::string> asSha(const json::Value &value) {
  std::optional<StringRef> text = value.getAsString();
  if (!text || text->size() != 64 || text->find_first_not_of("0123456789abcdef") != StringRef::npos)
    return std::nullopt;
  return text->str();
}

static std::optional<float> asFloat(const json::Value &value) {
  std::optional<double> number = value.getAsNumber();
  if (!number || !std::isfinite(static_cast<float>(*number)))
    return std::nullopt;
  return static_cast<float>(*number);
}

static std::optional<int64_t> asInteger(const json::Value &value, int64_t min, int64_t max) {
  std::optional<int64_t> number = value.getAsInteger();
  return number && *number >= min && *number <= max ? number : std::nullopt;
}

static constexpr char kShaText[] = "a SHA-256 of 64 hexadecimal digits";
static constexpr char kFloatText[] = "a finite number";

static std::string integerText(int64_t min, int64_t max) {
  return ("an integer from " + Twine(min) + " to " + Twine(max)).str();
}

Expected<std::string> JsonReader::getSha(StringRef key) {
  Expected<const json::Value *> value = get(key);
  if (!value)
    return value.takeError();
  if (std::optional<std::string> sha = asSha(**value))
    return *sha;
  return error(key, foundExpected(**value, kShaText));
}

Expected<bool> JsonReader::getBool(StringRef key) {
  Expected<const json::Value *> value = get(key);
  if (!value)
    return value.takeError();
  if (std::optional<bool> flag = (*value)->getAsBoolean())
    return *flag;
  return error(key, foundExpected(**value, "true or false"));
}

Expected<int64_t> JsonReader::getInteger(StringRef key, int64_t min, int64_t max) {
  Expected<const json::Value *> value = get(key);
  if (!value)
    return value.takeError();
  if (std::optional<int64_t> number = asInteger(**value, min, max))
    return *number;
  return error(key, foundExpected(**value, integerText(min, max)));
}

Expected<float> JsonReader::getFloat(StringRef key) {
  Expected<const json::Value *> value = get(key);
  if (!value)
    return value.takeError();
  if (std::optional<float> number = asFloat(**value))
    return *number;
  return error(key, foundExpected(**value, kFloatText));
}

Expected<double> JsonReader::getNumber(StringRef key) {
  Expected<const json::Value *> value = get(key);
  if (!value)
    return value.takeError();
  std::optional<double> number = (*value)->getAsNumber();
  if (number && std::isfinite(*number))
    return *number;
  return error(key, foundExpected(**value, kFloatText));
}

Expected<const json::Array *> JsonReader::getArray(StringRef key) {
  Expected<const json::Value *> value = get(key);
  if (!value)
    return value.takeError();
  if (const json::Array *array = (*value)->getAsArray())
    return array;
  return error(key, foundExpected(**value, "an array"));
}

Expected<JsonReader> JsonReader::getObject(StringRef key) {
  Expected<const json::Value *> value = get(key);
  if (!value)
    return value.takeError();
  if (const json::Object *child = (*value)->getAsObject())
    return JsonReader(file, pathOf(key), *child);
  return error(key, foundExpected(**value, "an object"));
}

Error JsonReader::eachObject(StringRef key, function_ref<Error(JsonReader &)> read) {
  Expected<const json::Array *> array = getArray(key);
  if (!array)
    return array.takeError();
  for (const auto &[i, value] : llvm::enumerate(**array)) {
    std::string place = (key + "[" + Twine(i) + "]").str();
    const json::Object *child = value.getAsObject();
    if (!child)
      return error(place, foundExpected(value, "an object"));
    JsonReader reader(file, pathOf(place), *child);
    if (Error error = read(reader))
      return error;
    if (Error error = reader.finish())
      return error;
  }
  return Error::success();
}

template <typename T, typename Convert>
Expected<std::vector<T>> JsonReader::getElements(StringRef key, Convert convert) {
  Expected<const json::Array *> array = getArray(key);
  if (!array)
    return array.takeError();
  std::vector<T> result;
  result.reserve((*array)->size());
  for (const json::Value &value : **array) {
    std::string expected;
    std::optional<T> element = convert(value, expected);
    if (!element)
      return error((key + "[" + Twine(result.size()) + "]").str(), foundExpected(value, expected));
    result.push_back(std::move(*element));
  }
  return result;
}

Expected<std::vector<std::string>> JsonReader::getShas(StringRef key) {
  return getElements<std::string>(key, [](const json::Value &value, std::string &expected) {
    expected = kShaText;
    return asSha(value);
  });
}

Expected<std::vector<float>> JsonReader::getFloats(StringRef key) {
  return getElements<float>(key, [](const json::Value &value, std::string &expected) {
    expected = kFloatText;
    return asFloat(value);
  });
}

Expected<std::vector<std::string>> JsonReader::getStrings(StringRef key) {
  return getElements<std::string>(key, [](const json::Value &value, std::string &expected) {
    expected = "a string";
    std::optional<StringRef> text = value.getAsString();
    return text ? std::optional<std::string>(text->str()) : std::nullopt;
  });
}

Expected<std::vector<std::vector<double>>> JsonReader::getNumberRows(StringRef key) {
  return getElements<std::vector<double>>(
      key, [](const json::Value &value, std::string &expected) -> std::optional<std::vector<double>> {
        expected = "an array of finite numbers";
        const json::Array *array = value.getAsArray();
        if (!array)
          return std::nullopt;
        std::vector<double> row;
        for (const json::Value &element : *array) {
          std::optional<double> number = element.getAsNumber();
          if (!number || !std::isfinite(*number))
            return std::nullopt;
          row.push_back(*number);
        }
        return row;
      });
}

Expected<std::vector<int64_t>> JsonReader::getIntegers(StringRef key, int64_t min, int64_t max) {
  return getElements<int64_t>(key, [&](const json::Value &value, std::string &expected) {
    expected = integerText(min, max);
    return asInteger(value, min, max);
  });
}

std::vector<std::string> JsonReader::keys() {
  std::vector<std::string> result;
  for (const auto &entry : *object)
    result.push_back(entry.first.str());
  llvm::sort(result);
  return result;
}

Error JsonReader::finish() const {
  std::optional<std::string> unknown;
  for (const auto &entry : *object)
    if (!llvm::is_contained(asked, entry.first.str()) && (!unknown || entry.first.str() < *unknown))
      unknown = entry.first.str();
  if (!unknown)
    return Error::success();
  llvm::SmallVector<std::string, 8> known = asked;
  llvm::sort(known);
  known.erase(llvm::unique(known), known.end());
  return error("unknown key '" + escaped(*unknown) + "', expected " + llvm::join(known, ", "));
}

//===----------------------------------------------------------------------===//
// The header
//===----------------------------------------------------------------------===//

void writeHeader(json::OStream &json, const FileHeader &header) {
  json.attribute("kind", header.kind);
  json.attribute("version", header.version);
  json.attribute("model", header.model);
  json.attribute("producer", header.producer);
}

Expected<FileHeader> readHeader(JsonReader &reader, StringRef kind, int64_t newest) {
  FileHeader header;
  Expected<std::string> foundKind = reader.getString("kind");
  if (!foundKind)
    return foundKind.takeError();
  if (*foundKind != kind)
    return reader.error("kind", "found '" + escaped(*foundKind) + "', expected '" + kind + "'");
  Expected<int64_t> version = reader.getInteger("version", 1, INT64_MAX);
  if (!version)
    return version.takeError();
  Expected<std::string> producer = reader.getString("producer");
  if (!producer)
    return producer.takeError();
  if (*version > newest)
    return reader.error("version", "found " + Twine(*version) + ", written by '" + escaped(*producer) +
                                       "', expected at most " + Twine(newest));
  Expected<std::string> model = reader.getSha("model");
  if (!model)
    return model.takeError();
  return FileHeader{std::move(*foundKind), *version, std::move(*model), std::move(*producer)};
}

Error checkModel(const FileHeader &header, StringRef path, StringRef sha) {
  if (header.model == sha)
    return Error::success();
  return fileError(path, "belongs to the model with SHA-256 " + header.model + ", expected " + sha);
}

void writeFloat(json::OStream &json, float value) {
  // Nine significant digits are off by at most a sixth of the distance to the nearest halfway point between floats, so
  // rounding twice (to double, then to float) is harmless. Not printf: it follows the locale.
  char text[32];
  auto end = std::to_chars(text, text + sizeof(text), value == 0 ? 0.0f : value, std::chars_format::general, 9).ptr;
  json.rawValue(StringRef(text, end - text));
}

//===----------------------------------------------------------------------===//
// Seals
//===----------------------------------------------------------------------===//

static constexpr llvm::StringLiteral kObjectEnd = "\n}\n", kSealBegin = ",\n  \"sha256\": \"", kSealEnd = "\"\n}\n";

static std::string checksum(llvm::StringRef text) {
  return llvm::toHex(llvm::SHA256::hash(llvm::arrayRefFromStringRef(text)), /*LowerCase=*/true);
}

std::string seal(llvm::StringRef json) {
  assert(json.ends_with(kObjectEnd) && "not as our writers end an object");
  return (json.drop_back(kObjectEnd.size()) + kSealBegin + checksum(json) + kSealEnd).str();
}

llvm::Expected<std::string> unseal(llvm::StringRef file, llvm::StringRef text) {
  constexpr size_t kDigits = 64;
  size_t end = kSealBegin.size() + kDigits + kSealEnd.size();
  llvm::StringRef tail = text.take_back(end);
  if (text.size() < end || !tail.starts_with(kSealBegin) || !tail.ends_with(kSealEnd))
    return fileError(file, "does not end with its checksum, expected a whole file of the cache, or none");
  std::string json = (text.drop_back(end) + kObjectEnd).str();
  if (checksum(json) != tail.substr(kSealBegin.size(), kDigits))
    return fileError(file, "is not what its checksum says, expected a file of the cache as it was written, or none");
  return json;
}

} // namespace dyadic
