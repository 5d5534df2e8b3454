// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Calibration/Samples.h"
#include "SampleColumn.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Npz.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <mutex>

using namespace llvm;

namespace dyadic {

/// Names that an error lists at most.
static constexpr size_t kMaxListed = 20;

SampleSet::~SampleSet() = default;

//===----------------------------------------------------------------------===//
// Columns
//===----------------------------------------------------------------------===//

namespace {

/// Columns of one length, one an input of the model.
class ColumnSet : public SampleSet {
public:
  explicit ColumnSet(std::vector<SampleColumn> columns) : columns(std::move(columns)) {}
  size_t size() const override { return columns[0].size(); }

  Expected<Sample> read(size_t index) override {
    std::lock_guard<std::mutex> lock(mutex);
    Sample sample;
    for (SampleColumn &column : columns) {
      Expected<Tensor> piece = pieceAt(column, index);
      if (!piece)
        return piece.takeError();
      sample.inputs.push_back(std::move(*piece));
    }
    return std::move(sample);
  }

private:
  static Expected<Tensor> pieceAt(SampleColumn &column, size_t index) {
    if (column.nextIndex() > index)
      if (Error error = column.rewind())
        return std::move(error);
    while (column.nextIndex() < index) {
      Expected<Tensor> skipped = column.next();
      if (!skipped)
        return skipped;
    }
    return column.next();
  }

  std::mutex mutex;
  std::vector<SampleColumn> columns;
};

} // namespace

static Expected<std::unique_ptr<SampleSet>> makeSet(StringRef path, ArrayRef<InputSpec> specs,
                                                    std::vector<SampleColumn> columns) {
  for (size_t i = 1; i < columns.size(); ++i)
    if (columns[i].size() != columns[0].size())
      return fileError(path, "input '" + escaped(specs[0].name) + "' has " + Twine(columns[0].size()) +
                                 " samples, but input '" + escaped(specs[i].name) + "' has " +
                                 Twine(columns[i].size()) + ", expected the same number");
  return std::make_unique<ColumnSet>(std::move(columns));
}

//===----------------------------------------------------------------------===//
// NumPy's files
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

/// The model's inputs among `arrays`; `names` are all that `path` has.
static Expected<std::unique_ptr<SampleSet>>
setOfArrays(StringRef path, ArrayRef<InputSpec> specs, std::vector<std::string> names, std::vector<NamedArray> arrays) {
  std::vector<SampleColumn> columns;
  for (const InputSpec &spec : specs) {
    auto it = llvm::find_if(arrays, [&](const NamedArray &array) { return array.name == spec.name; });
    if (it == arrays.end())
      return fileError(path, "found " + listNames(names) + ", expected an array '" + escaped(spec.name) +
                                 "' for the model's input");
    auto column = SampleColumn::open(path, "array '" + escaped(spec.name) + "'", std::move(it->array), spec);
    if (!column)
      return column.takeError();
    columns.push_back(std::move(*column));
  }
  return makeSet(path, specs, std::move(columns));
}

/// One array for the one input of a model.
static Expected<std::unique_ptr<SampleSet>> setOfArray(StringRef path, ArrayRef<InputSpec> specs,
                                                       std::unique_ptr<ArrayReader> array, const char *expected) {
  if (specs.size() != 1)
    return fileError(path, "one array, but the model has " + Twine(specs.size()) + " inputs, expected " + expected);
  Expected<SampleColumn> column = SampleColumn::open(path, "", std::move(array), specs[0]);
  if (!column)
    return column.takeError();
  std::vector<SampleColumn> columns;
  columns.push_back(std::move(*column));
  return makeSet(path, specs, std::move(columns));
}

static Expected<std::unique_ptr<SampleSet>> openNpzSet(StringRef path, ArrayRef<InputSpec> specs) {
  std::vector<std::string> names;
  auto isInput = [&](StringRef name) {
    names.push_back(name.str());
    return llvm::any_of(specs, [&](const InputSpec &spec) { return spec.name == name; });
  };
  Expected<std::vector<NamedArray>> arrays = openNpz(path, isInput);
  if (!arrays)
    return arrays.takeError();
  return setOfArrays(path, specs, std::move(names), std::move(*arrays));
}

static Expected<std::unique_ptr<SampleSet>> openNpySet(StringRef path, ArrayRef<InputSpec> specs) {
  Expected<std::unique_ptr<ArrayReader>> array = openNpy(path);
  if (!array)
    return array.takeError();
  return setOfArray(path, specs, std::move(*array), "an .npz");
}

//===----------------------------------------------------------------------===//
// Folders of test data
//===----------------------------------------------------------------------===//

static std::string inputFile(StringRef folder, size_t index) {
  SmallString<256> path(folder);
  sys::path::append(path, "input_" + Twine(index) + ".pb");
  return path.str().str();
}

static Expected<std::unique_ptr<SampleSet>> openTestDataSet(StringRef folder, ArrayRef<InputSpec> specs,
                                                            TensorFileReader readTensorFile) {
  std::vector<SampleColumn> columns;
  for (auto [i, spec] : llvm::enumerate(specs)) {
    std::string path = inputFile(folder, i);
    if (!sys::fs::exists(path))
      return fileError(path, "not found, expected input '" + escaped(spec.name) + "'");
    Expected<Tensor> tensor = readTensorFile(path);
    if (!tensor)
      return tensor.takeError();
    auto column = SampleColumn::open(path, "", std::make_unique<ArrayReader>(std::move(*tensor)), spec);
    if (!column)
      return column.takeError();
    columns.push_back(std::move(*column));
  }
  std::string more = inputFile(folder, specs.size());
  if (sys::fs::exists(more))
    return fileError(more, "found another input, expected " + Twine(specs.size()) + ", as the model has");
  return makeSet(folder, specs, std::move(columns));
}

namespace {

/// Folders of samples one after another, of which one is in memory at a time.
class FolderSet : public SampleSet {
public:
  FolderSet(std::vector<InputSpec> specs, TensorFileReader readTensorFile)
      : specs(std::move(specs)), readTensorFile(readTensorFile) {}

  Error add(std::string folder) {
    auto set = openTestDataSet(folder, specs, readTensorFile);
    if (!set)
      return set.takeError();
    ends.push_back(size() + (*set)->size());
    folders.push_back(std::move(folder));
    return Error::success();
  }

  size_t size() const override { return ends.empty() ? 0 : ends.back(); }

  Expected<Sample> read(size_t index) override {
    std::lock_guard<std::mutex> lock(mutex);
    size_t folder = llvm::upper_bound(ends, index) - ends.begin();
    if (!open || folder != openFolder) {
      open.reset();
      auto set = openTestDataSet(folders[folder], specs, readTensorFile);
      if (!set)
        return set.takeError();
      open = std::move(*set);
      openFolder = folder;
    }
    size_t inFolder = index - (folder ? ends[folder - 1] : 0);
    if (inFolder >= open->size())
      return fileError(folders[folder], "changed while it was read");
    return open->read(inFolder);
  }

private:
  std::vector<InputSpec> specs;
  TensorFileReader readTensorFile;
  std::vector<std::string> folders;
  std::vector<size_t> ends; // the number after each folder's last sample
  std::mutex mutex;
  std::unique_ptr<SampleSet> open;
  size_t openFolder = 0;
};

} // namespace

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

static Expected<std::unique_ptr<SampleSet>> openFolder(StringRef path, ArrayRef<InputSpec> specs,
                                                       TensorFileReader readTensorFile) {
  if (!readTensorFile)
    return fileError(path, "a folder, expected .npz or .npy");
  if (sys::fs::exists(inputFile(path, 0)))
    return openTestDataSet(path, specs, readTensorFile);
  Expected<std::vector<std::string>> folders = findTestDataSets(path);
  if (!folders)
    return folders.takeError();
  if (folders->empty())
    return fileError(path,
                     "no samples found, expected input_0.pb or folders named test_data_set_0, test_data_set_1, ...");
  auto set = std::make_unique<FolderSet>(specs.vec(), readTensorFile);
  for (std::string &folder : *folders)
    if (Error error = set->add(std::move(folder)))
      return std::move(error);
  return std::move(set);
}

//===----------------------------------------------------------------------===//
// Any path, and memory
//===----------------------------------------------------------------------===//

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

Expected<std::unique_ptr<SampleSet>> openSamples(StringRef path, ArrayRef<InputSpec> inputs,
                                                 TensorFileReader readTensorFile) {
  if (Error error = checkSpecs(path, inputs))
    return std::move(error);
  if (!sys::fs::exists(path))
    return fileError(path, "no such file or directory");
  if (sys::fs::is_directory(path))
    return openFolder(path, inputs, readTensorFile);
  if (path.ends_with_insensitive(".npz"))
    return openNpzSet(path, inputs);
  if (path.ends_with_insensitive(".npy"))
    return openNpySet(path, inputs);
  return fileError(path, "unknown kind of file, expected .npz, .npy or a folder of test_data_set_*");
}

static Expected<std::vector<Sample>> readAll(Expected<std::unique_ptr<SampleSet>> set) {
  if (!set)
    return set.takeError();
  std::vector<Sample> samples;
  for (size_t i = 0, n = (*set)->size(); i < n; ++i) {
    Expected<Sample> sample = (*set)->read(i);
    if (!sample)
      return sample.takeError();
    samples.push_back(std::move(*sample));
  }
  return std::move(samples);
}

Expected<std::vector<Sample>> loadSamples(StringRef path, ArrayRef<InputSpec> inputs, TensorFileReader readTensorFile) {
  return readAll(openSamples(path, inputs, readTensorFile));
}

Expected<std::vector<Sample>> samplesFromArrays(StringRef label, ArrayRef<InputSpec> inputs,
                                                std::vector<std::string> names, std::vector<NamedTensor> arrays) {
  if (Error error = checkSpecs(label, inputs))
    return std::move(error);
  std::vector<NamedArray> readers;
  for (NamedTensor &array : arrays)
    readers.push_back({array.name, std::make_unique<ArrayReader>(std::move(array.tensor))});
  return readAll(setOfArrays(label, inputs, std::move(names), std::move(readers)));
}

Expected<std::vector<Sample>> samplesFromArray(StringRef label, ArrayRef<InputSpec> inputs, Tensor array) {
  if (Error error = checkSpecs(label, inputs))
    return std::move(error);
  return readAll(setOfArray(label, inputs, std::make_unique<ArrayReader>(std::move(array)), "one an input"));
}

} // namespace dyadic
