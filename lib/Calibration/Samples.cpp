// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Calibration/Samples.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Npz.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"
#include <cmath>
#include <optional>

using namespace llvm;

namespace dyadic {

/// Names that an error lists at most.
static constexpr size_t kMaxListed = 20;

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

static bool isFloat(ElementType type) { return type == ElementType::F32 || type == ElementType::F64; }

/// Converts between integer types; nothing where a value does not fit.
static std::optional<Tensor> convertIntegers(const Tensor &from, ElementType type) {
  Tensor to(type, from.shape);
  for (int64_t i = 0, n = from.size(); i < n; ++i) {
    int64_t value = from.intAt(i);
    to.setInt(i, value);
    // 64 bits look the same with and without sign: there the sign decides.
    bool isOneUnsigned = (from.type == ElementType::U64) != (type == ElementType::U64);
    if (to.intAt(i) != value || (isOneUnsigned && value < 0))
      return std::nullopt;
  }
  return to;
}

static std::optional<Tensor> convertFloats(const Tensor &from, ElementType type) {
  Tensor to(type, from.shape);
  for (int64_t i = 0, n = from.size(); i < n; ++i)
    if (type == ElementType::F32)
      to.as<float>()[i] = static_cast<float>(from.as<double>()[i]);
    else
      to.as<double>()[i] = from.as<float>()[i];
  return to;
}

/// `tensor` in the element type of the input; nothing where that would change values.
static std::optional<Tensor> convert(Tensor tensor, ElementType type) {
  if (tensor.type == type)
    return tensor;
  if (isFloat(tensor.type) && isFloat(type))
    return convertFloats(tensor, type);
  bool isAnyBool = tensor.type == ElementType::Bool || type == ElementType::Bool;
  if (isFloat(tensor.type) || isFloat(type) || isAnyBool)
    return std::nullopt;
  return convertIntegers(tensor, type);
}

template <typename T> static bool allFinite(const Tensor &tensor) {
  return llvm::all_of(ArrayRef<T>(tensor.as<T>(), tensor.size()), [](T value) { return std::isfinite(value); });
}

static bool isFinite(const Tensor &tensor) {
  if (tensor.type == ElementType::F32)
    return allFinite<float>(tensor);
  return tensor.type != ElementType::F64 || allFinite<double>(tensor);
}

//===----------------------------------------------------------------------===//
// Arrays
//===----------------------------------------------------------------------===//

/// How many inputs of shape `spec` (positive sizes) an array of `shape` holds; nothing where it does not fit.
static std::optional<int64_t> countPieces(ArrayRef<int64_t> shape, ArrayRef<int64_t> spec) {
  if (shape.size() == spec.size() + 1)
    return shape.drop_front() == spec ? std::optional<int64_t>(shape[0]) : std::nullopt;
  if (shape.size() != spec.size())
    return std::nullopt;
  if (spec.empty())
    return 1;
  if (shape.drop_front() != spec.drop_front() || shape[0] % spec[0] != 0)
    return std::nullopt;
  return shape[0] / spec[0];
}

/// Says which shapes an input takes.
static std::string expectedShapes(ArrayRef<int64_t> spec) {
  std::string text = "expected ";
  if (!spec.empty()) {
    std::string stack = shapeText(spec);
    std::string batch = spec[0] == 1 ? "N" : std::to_string(spec[0]) + "*N";
    text += "[" + batch + stack.substr(std::to_string(spec[0]).size() + 1) + " or ";
  }
  return text + "[N" + (spec.empty() ? "]" : ", " + shapeText(spec).substr(1));
}

/// Cuts `array`, which is called `label` in messages and may be empty, into inputs.
static Expected<std::vector<Tensor>> cut(StringRef path, StringRef label, Tensor array, const InputSpec &spec) {
  auto fail = [&](const Twine &what) {
    return label.empty() ? fileError(path, what) : fileError(path, label + " " + what);
  };
  std::optional<int64_t> count = countPieces(array.shape, spec.shape);
  if (!count)
    return fail("has shape " + shapeText(array.shape) + ", " + expectedShapes(spec.shape) + " for input '" +
                escaped(spec.name) + "'");
  if (*count == 0)
    return fail("has no samples: its shape is " + shapeText(array.shape));
  ElementType found = array.type;
  std::optional<Tensor> converted = convert(std::move(array), spec.type);
  bool isSameKind = isFloat(found) == isFloat(spec.type);
  if (!converted)
    return fail(
        Twine("holds ") + elementName(found) + ", expected " + elementName(spec.type) +
        (isSameKind && found != ElementType::Bool && spec.type != ElementType::Bool ? " or values that fit it" : ""));
  std::vector<Tensor> pieces;
  pieces.reserve(*count);
  for (int64_t i = 0; i < *count; ++i) {
    Tensor piece(spec.type, spec.shape);
    if (!piece.data.empty())
      std::memcpy(piece.data.data(), converted->data.data() + i * piece.data.size(), piece.data.size());
    if (!isFinite(piece))
      return fail("has a NaN, infinite or too large number in sample " + Twine(i) + ", expected finite " +
                  elementName(spec.type));
    pieces.push_back(std::move(piece));
  }
  return std::move(pieces);
}

/// Turns lists of inputs, one a model input, into samples.
static Expected<std::vector<Sample>> makeSamples(StringRef path, ArrayRef<InputSpec> specs,
                                                 std::vector<std::vector<Tensor>> columns) {
  for (size_t i = 1; i < columns.size(); ++i)
    if (columns[i].size() != columns[0].size())
      return fileError(path, "input '" + escaped(specs[0].name) + "' has " + Twine(columns[0].size()) +
                                 " samples, but input '" + escaped(specs[i].name) + "' has " +
                                 Twine(columns[i].size()) + ", expected the same number");
  std::vector<Sample> samples(columns[0].size());
  for (std::vector<Tensor> &column : columns)
    for (size_t i = 0; i < column.size(); ++i)
      samples[i].inputs.push_back(std::move(column[i]));
  return std::move(samples);
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static std::string listNames(std::vector<std::string> names) {
  size_t count = names.size();
  if (count == 0)
    return "no arrays";
  names.resize(std::min(count, kMaxListed));
  for (std::string &name : names)
    name = "'" + escaped(name) + "'";
  return llvm::join(names, ", ") + (count > kMaxListed ? " and " + std::to_string(count - kMaxListed) + " more" : "");
}

/// Whether a sample can be made at all.
static Error checkSpecs(StringRef path, ArrayRef<InputSpec> specs) {
  if (specs.empty())
    return fileError(path, "the model has no inputs, expected at least one");
  for (const InputSpec &spec : specs)
    if (llvm::any_of(spec.shape, [](int64_t size) { return size < 1; }))
      return fileError(path, "input '" + escaped(spec.name) + "' of the model has shape " + shapeText(spec.shape) +
                                 ", expected sizes of at least 1");
  return Error::success();
}

static Expected<std::vector<Sample>> loadNpz(StringRef path, ArrayRef<InputSpec> specs) {
  std::vector<std::string> names;
  auto isInput = [&](StringRef name) {
    names.push_back(name.str());
    return llvm::any_of(specs, [&](const InputSpec &spec) { return spec.name == name; });
  };
  Expected<std::vector<NamedTensor>> arrays = readNpz(path, isInput);
  if (!arrays)
    return arrays.takeError();
  return samplesFromArrays(path, specs, std::move(names), std::move(*arrays));
}

Expected<std::vector<Sample>> samplesFromArrays(StringRef path, ArrayRef<InputSpec> specs,
                                                std::vector<std::string> names, std::vector<NamedTensor> arrays) {
  if (Error error = checkSpecs(path, specs))
    return std::move(error);
  std::vector<std::vector<Tensor>> columns;
  for (const InputSpec &spec : specs) {
    auto it = llvm::find_if(arrays, [&](const NamedTensor &array) { return array.name == spec.name; });
    if (it == arrays.end())
      return fileError(path, "found " + listNames(names) + ", expected an array '" + escaped(spec.name) +
                                 "' for the model's input");
    std::string label = "array '" + escaped(spec.name) + "'";
    Expected<std::vector<Tensor>> column = cut(path, label, std::move(it->tensor), spec);
    if (!column)
      return column.takeError();
    columns.push_back(std::move(*column));
  }
  return makeSamples(path, specs, std::move(columns));
}

static Expected<std::vector<Sample>> loadNpy(StringRef path, ArrayRef<InputSpec> specs) {
  if (specs.size() != 1)
    return fileError(path, "one array, but the model has " + Twine(specs.size()) + " inputs, expected an .npz");
  Expected<Tensor> array = readNpy(path);
  if (!array)
    return array.takeError();
  return samplesFromArray(path, specs, std::move(*array));
}

Expected<std::vector<Sample>> samplesFromArray(StringRef path, ArrayRef<InputSpec> specs, Tensor array) {
  if (Error error = checkSpecs(path, specs))
    return std::move(error);
  if (specs.size() != 1)
    return fileError(path, "one array, but the model has " + Twine(specs.size()) + " inputs, expected one an input");
  Expected<std::vector<Tensor>> column = cut(path, "", std::move(array), specs[0]);
  if (!column)
    return column.takeError();
  std::vector<std::vector<Tensor>> columns;
  columns.push_back(std::move(*column));
  return makeSamples(path, specs, std::move(columns));
}

static std::string inputFile(StringRef folder, size_t index) {
  SmallString<256> path(folder);
  sys::path::append(path, "input_" + Twine(index) + ".pb");
  return path.str().str();
}

static Expected<std::vector<Sample>> loadTestDataSet(StringRef folder, ArrayRef<InputSpec> specs,
                                                     TensorFileReader readTensorFile) {
  std::vector<std::vector<Tensor>> columns;
  for (auto [i, spec] : llvm::enumerate(specs)) {
    std::string path = inputFile(folder, i);
    if (!sys::fs::exists(path))
      return fileError(path, "not found, expected input '" + escaped(spec.name) + "'");
    Expected<Tensor> tensor = readTensorFile(path);
    if (!tensor)
      return tensor.takeError();
    Expected<std::vector<Tensor>> column = cut(path, "", std::move(*tensor), spec);
    if (!column)
      return column.takeError();
    columns.push_back(std::move(*column));
  }
  std::string more = inputFile(folder, specs.size());
  if (sys::fs::exists(more))
    return fileError(more, "found another input, expected " + Twine(specs.size()) + ", as the model has");
  return makeSamples(folder, specs, std::move(columns));
}

/// The folders test_data_set_N in `path`, by their number.
static Expected<std::vector<std::string>> findTestDataSets(StringRef path) {
  std::vector<std::string> folders;
  std::error_code code;
  for (sys::fs::directory_iterator it(path, code), end; it != end && !code; it.increment(code)) {
    StringRef number = sys::path::filename(it->path());
    if (number.consume_front("test_data_set_") && sys::fs::is_directory(it->path()))
      folders.push_back(it->path());
  }
  if (code)
    return fileError(path, "cannot be listed: " + code.message());
  // All have the same text before the number: shorter is smaller.
  llvm::sort(folders, [](const std::string &a, const std::string &b) {
    return std::make_pair(a.size(), StringRef(a)) < std::make_pair(b.size(), StringRef(b));
  });
  return std::move(folders);
}

static Expected<std::vector<Sample>> loadFolder(StringRef path, ArrayRef<InputSpec> specs,
                                                TensorFileReader readTensorFile) {
  if (!readTensorFile)
    return fileError(path, "a folder, expected .npz or .npy");
  if (sys::fs::exists(inputFile(path, 0)))
    return loadTestDataSet(path, specs, readTensorFile);
  Expected<std::vector<std::string>> folders = findTestDataSets(path);
  if (!folders)
    return folders.takeError();
  if (folders->empty())
    return fileError(path,
                     "no samples found, expected input_0.pb or folders named test_data_set_0, test_data_set_1, ...");
  std::vector<Sample> samples;
  for (const std::string &folder : *folders) {
    Expected<std::vector<Sample>> more = loadTestDataSet(folder, specs, readTensorFile);
    if (!more)
      return more.takeError();
    std::move(more->begin(), more->end(), std::back_inserter(samples));
  }
  return std::move(samples);
}

Expected<std::vector<Sample>> loadSamples(StringRef path, ArrayRef<InputSpec> inputs, TensorFileReader readTensorFile) {
  if (Error error = checkSpecs(path, inputs))
    return std::move(error);
  if (!sys::fs::exists(path))
    return fileError(path, "no such file or directory");
  if (sys::fs::is_directory(path))
    return loadFolder(path, inputs, readTensorFile);
  if (path.ends_with_insensitive(".npz"))
    return loadNpz(path, inputs);
  if (path.ends_with_insensitive(".npy"))
    return loadNpy(path, inputs);
  return fileError(path, "unknown kind of file, expected .npz, .npy or a folder of test_data_set_*");
}

//===----------------------------------------------------------------------===//
// Splitting
//===----------------------------------------------------------------------===//

std::string sampleHash(const Sample &sample) {
  SHA256 hash;
  for (const Tensor &tensor : sample.inputs)
    hash.update(ArrayRef<uint8_t>(tensor.data));
  return toHex(hash.final(), /*LowerCase=*/true);
}

bool isHeldBack(StringRef hash) {
  uint64_t start = 0;
  for (auto [i, byte] : llvm::enumerate(fromHex(hash.take_front(16))))
    start |= static_cast<uint64_t>(static_cast<uint8_t>(byte)) << 8 * i;
  return start % 5 == 0;
}

Split splitSamples(ArrayRef<Sample> samples) {
  if (samples.empty())
    return {};
  if (samples.size() == 1)
    return {{0}, {0}};
  std::vector<std::string> hashes;
  std::vector<bool> heldBack;
  for (const Sample &sample : samples) {
    hashes.push_back(sampleHash(sample));
    heldBack.push_back(isHeldBack(hashes.back()));
  }
  if (!llvm::is_contained(heldBack, true))
    heldBack[std::min_element(hashes.begin(), hashes.end()) - hashes.begin()] = true;
  else if (!llvm::is_contained(heldBack, false))
    heldBack[std::max_element(hashes.begin(), hashes.end()) - hashes.begin()] = false;
  Split split;
  for (size_t i = 0; i < samples.size(); ++i)
    (heldBack[i] ? split.heldBack : split.calibration).push_back(i);
  return split;
}

} // namespace dyadic
