// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SearchCache.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/FileHeader.h"
#include "dyadic/Support/Files.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/SHA256.h"

namespace dyadic {

static constexpr llvm::StringLiteral kKind = "measured plans";
static constexpr int64_t kVersion = 2;
/// Numbers before those of the samples, and of each sample, of a measured plan.
static constexpr size_t kHeadNumbers = 5, kSampleNumbers = 4;

static std::string hashOf(llvm::StringRef text) {
  return llvm::toHex(llvm::SHA256::hash(llvm::arrayRefFromStringRef(text)), /*LowerCase=*/true);
}

std::string cacheKey(llvm::ArrayRef<std::string> texts) {
  std::string all;
  for (const std::string &text : texts)
    all += hashOf(text);
  return hashOf(all).substr(0, 16);
}

llvm::Expected<SearchCache> SearchCache::open(std::string path, std::string model) {
  SearchCache cache;
  cache.path = std::move(path);
  cache.model = std::move(model);
  if (!llvm::sys::fs::exists(cache.path))
    return std::move(cache);
  auto buffer = readFile(cache.path);
  if (!buffer)
    return buffer.takeError();
  auto text = unseal(cache.path, (*buffer)->getBuffer());
  if (!text)
    return text.takeError();
  auto json = parseJson(cache.path, *text);
  if (!json)
    return json.takeError();
  auto root = JsonReader::root(cache.path, *json);
  if (!root)
    return root.takeError();
  auto header = readHeader(*root, kKind, kVersion);
  if (!header)
    return header.takeError();
  if (llvm::Error error = checkModel(*header, cache.path, cache.model))
    return std::move(error);
  auto entries = root->getObject("measured");
  if (!entries)
    return entries.takeError();
  for (const std::string &key : entries->keys()) {
    auto rows = entries->getNumberRows(key);
    if (!rows)
      return rows.takeError();
    if (rows->size() != 1)
      return entries->error(key, "expected one row of numbers");
    cache.entries[key] = std::move(rows->front());
  }
  if (llvm::Error error = root->finish())
    return std::move(error);
  return std::move(cache);
}

std::optional<std::vector<double>> SearchCache::find(llvm::StringRef what) const {
  auto found = entries.find(hashOf(what));
  return found == entries.end() ? std::nullopt : std::optional(found->second);
}

llvm::Error SearchCache::add(llvm::StringRef what, std::vector<double> numbers) {
  // JSON has no other numbers; what has such is measured again.
  if (path.empty() || !llvm::all_of(numbers, [](double number) { return std::isfinite(number); }))
    return llvm::Error::success();
  entries[hashOf(what)] = std::move(numbers);
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream json(stream, 2);
  json.object([&] {
    FileHeader header;
    header.kind = kKind.str();
    header.version = kVersion;
    header.model = model;
    writeHeader(json, header);
    json.attributeObject("measured", [&] {
      for (const auto &[key, row] : entries) {
        json.attributeBegin(key);
        std::vector<std::string> parts;
        for (double number : row)
          parts.push_back(shortestText(number));
        json.rawValue("[[" + llvm::join(parts, ", ") + "]]");
        json.attributeEnd();
      }
    });
  });
  stream << "\n";
  return writeFile(path, seal(text));
}

std::vector<double> toNumbers(const MeasuredPlan &plan) {
  std::vector<double> numbers = {
      plan.divergence, plan.error, static_cast<double>(plan.topOne ? plan.topOne->successes : 0),
      static_cast<double>(plan.topOne ? plan.topOne->trials : 0), static_cast<double>(plan.divergences.size())};
  llvm::append_range(numbers, plan.divergences);
  for (const SampleSums &sample : plan.agreement.perSample())
    numbers.insert(numbers.end(), {sample.signal, sample.noise, sample.dot, sample.other});
  return numbers;
}

std::optional<MeasuredPlan> measuredFrom(llvm::ArrayRef<double> numbers) {
  if (numbers.size() < kHeadNumbers || numbers[4] < 0 ||
      numbers[4] > static_cast<double>(numbers.size() - kHeadNumbers))
    return std::nullopt;
  MeasuredPlan plan;
  plan.divergence = numbers[0];
  plan.error = numbers[1];
  if (numbers[3] > 0)
    plan.topOne = Proportion{static_cast<size_t>(numbers[2]), static_cast<size_t>(numbers[3])};
  auto samples = static_cast<size_t>(numbers[4]);
  plan.divergences = numbers.slice(kHeadNumbers, samples).vec();
  for (size_t i = kHeadNumbers + samples; i + kSampleNumbers <= numbers.size(); i += kSampleNumbers) {
    SampleSums sums;
    sums.signal = numbers[i];
    sums.noise = numbers[i + 1];
    sums.dot = numbers[i + 2];
    sums.other = numbers[i + 3];
    plan.agreement.add(sums);
  }
  return plan;
}

} // namespace dyadic
