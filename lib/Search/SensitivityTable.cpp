// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Search/Problem.h"
#include "dyadic/Search/Sensitivity.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

namespace dyadic {

static constexpr int kUnit = -34; // its binary logarithm
static constexpr double kMost = 256;

std::string SensitivityKey::text() const {
  if (isProbe())
    return "curvature of '" + escaped(id) + "'";
  return (isValue ? "value '" : "weights of '") + escaped(id) + "' with " + std::to_string(bits) + " bits" +
         (isPair() ? " and '" + escaped(partner) + "' with " + std::to_string(partnerBits) : "");
}

int64_t sensitivityUnits(double value) {
  if (!(value < kMost)) // NaN too
    value = kMost;
  return std::llrint(std::ldexp(std::max(value, 0.0), -kUnit));
}

double sensitivityOf(int64_t units) { return std::ldexp(static_cast<double>(units), kUnit); }

double SensitivityTable::mean(const SensitivityKey &key, size_t metric) const {
  return sensitivityOf(sums.find(key)->second[metric]) / static_cast<double>(samples.size());
}

static void writeNumbers(llvm::json::OStream &json, const SensitivityTable &table, const SensitivityKey &key) {
  for (auto [i, metric] : llvm::enumerate(sensitivityMetrics())) {
    json.attributeBegin(metric->name());
    json.rawValue(shortestText(table.mean(key, i)));
    json.attributeEnd();
  }
}

std::string toJson(const SensitivityTable &table) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream json(stream, 2);
  auto section = [&](bool isValue) {
    std::string open; // the id whose object is open
    for (const auto &entry : table.sums) {
      const SensitivityKey &key = entry.first;
      if (key.isValue != isValue || key.isProbe() || key.isPair())
        continue;
      if (open != key.id) {
        if (!open.empty())
          json.objectEnd(), json.attributeEnd();
        json.attributeBegin(open = key.id);
        json.objectBegin();
      }
      json.attributeObject(std::to_string(key.bits), [&] { writeNumbers(json, table, key); });
    }
    if (!open.empty())
      json.objectEnd(), json.attributeEnd();
  };
  json.object([&] {
    FileHeader header = table.header;
    header.kind = SensitivityTable::kKind.str();
    header.version = SensitivityTable::kVersion;
    writeHeader(json, header);
    json.attribute("rounding", table.rounding);
    if (!table.calibration.empty())
      json.attribute("calibration", table.calibration);
    json.attributeArray("samples", [&] {
      for (const std::string &sample : table.samples)
        json.value(sample);
    });
    json.attributeObject("weights", [&] { section(false); });
    json.attributeObject("values", [&] { section(true); });
    auto isProbe = [](const auto &entry) { return entry.first.isProbe(); };
    if (llvm::any_of(table.sums, isProbe))
      json.attributeObject("curvatures", [&] {
        for (const auto &entry : llvm::make_filter_range(table.sums, isProbe)) {
          json.attributeBegin(entry.first.id);
          json.rawValue(shortestText(table.mean(entry.first, 0)));
          json.attributeEnd();
        }
      });
    auto isPair = [](const auto &entry) { return entry.first.isPair(); };
    if (llvm::any_of(table.sums, isPair))
      json.attributeArray("pairs", [&] {
        for (const auto &entry : llvm::make_filter_range(table.sums, isPair))
          json.object([&] {
            const SensitivityKey &key = entry.first;
            json.attribute("a", key.id);
            json.attribute("a_bits", key.bits);
            json.attribute("b", key.partner);
            json.attribute("b_bits", key.partnerBits);
            writeNumbers(json, table, key);
          });
      });
    if (!table.traces.empty())
      json.attributeObject("traces", [&] {
        for (const auto &[id, trace] : table.traces) {
          json.attributeBegin(id);
          json.rawValue(shortestText(trace));
          json.attributeEnd();
        }
      });
  });
  stream << "\n";
  return text;
}

namespace {
class TableReader {
public:
  TableReader(JsonReader &root, SensitivityTable &table) : root(root), table(table) {}

  Error read() {
    Expected<FileHeader> header = readHeader(root, SensitivityTable::kKind, SensitivityTable::kVersion);
    if (!header)
      return header.takeError();
    table.header = *header;
    Expected<std::string> rounding = root.getString("rounding");
    if (!rounding)
      return rounding.takeError();
    table.rounding = *rounding;
    if (root.has("calibration")) {
      Expected<std::string> sha = root.getSha("calibration");
      if (!sha)
        return sha.takeError();
      table.calibration = *sha;
    }
    Expected<std::vector<std::string>> samples = root.getShas("samples");
    if (!samples)
      return samples.takeError();
    table.samples = *samples;
    if (!llvm::is_sorted(table.samples) ||
        std::adjacent_find(table.samples.begin(), table.samples.end()) != table.samples.end())
      return root.error("samples", "are not sorted, or one is there twice, expected them sorted and each once");
    if (table.samples.size() > SensitivityTable::kMostSamples)
      return root.error("samples", "found " + llvm::Twine(table.samples.size()) + ", expected at most " +
                                       llvm::Twine(SensitivityTable::kMostSamples));
    if (Error error = readSection("weights", /*isValue=*/false, 2, 8))
      return error;
    if (Error error = readSection("values", /*isValue=*/true, 2, 16))
      return error;
    if (Error error = readCurvatures())
      return error;
    if (root.has("pairs"))
      if (Error error = root.eachObject("pairs", [&](JsonReader &entry) { return readPair(entry); }))
        return error;
    if (!table.sums.empty() && table.samples.empty())
      return root.error("samples", "is empty, expected those that were measured");
    if (Error error = readTraces())
      return error;
    return root.finish();
  }

private:
  Error readSection(StringRef name, bool isValue, unsigned least, unsigned most) {
    Expected<JsonReader> section = root.getObject(name);
    if (!section)
      return section.takeError();
    for (const std::string &id : section->keys()) {
      Expected<JsonReader> entry = section->getObject(id);
      if (!entry)
        return entry.takeError();
      for (const std::string &bits : entry->keys()) {
        unsigned width = 0;
        if (StringRef(bits).getAsInteger(10, width) || width < least || width > most || std::to_string(width) != bits)
          return entry->error("key '" + escaped(bits) + "', expected bits from " + llvm::Twine(least) + " to " +
                              llvm::Twine(most));
        Expected<JsonReader> numbers = entry->getObject(bits);
        if (!numbers)
          return numbers.takeError();
        if (Error error = readNumbers(*numbers, table.sums[{isValue, id, width}]))
          return error;
      }
    }
    return Error::success();
  }

  /// The sum whose mean is under `key`.
  Error readMean(JsonReader &entry, StringRef key, int64_t &sum) {
    Expected<double> mean = entry.getNumber(key);
    if (!mean)
      return mean.takeError();
    if (*mean < 0 || *mean > kMost)
      return entry.error(key, "found " + shortestText(*mean) + ", expected a number from 0 to " + shortestText(kMost));
    sum = std::llrint(std::ldexp(*mean * static_cast<double>(table.samples.size()), -kUnit));
    return Error::success();
  }

  Error readNumbers(JsonReader &entry, SensitivitySums &sums) {
    for (auto [metric, sum] : llvm::zip(sensitivityMetrics(), sums))
      if (Error error = readMean(entry, metric->name(), sum))
        return error;
    return entry.finish();
  }

  Error readCurvatures() {
    if (!root.has("curvatures"))
      return Error::success();
    Expected<JsonReader> section = root.getObject("curvatures");
    if (!section)
      return section.takeError();
    for (const std::string &id : section->keys())
      if (Error error = readMean(*section, id, table.sums[{false, id, 0}][0]))
        return error;
    return Error::success();
  }

  Error readPair(JsonReader &entry) {
    Expected<std::string> a = entry.getString("a"), b = entry.getString("b");
    Expected<int64_t> aBits = entry.getInteger("a_bits", 2, 8), bBits = entry.getInteger("b_bits", 2, 8);
    Error failures = llvm::joinErrors(llvm::joinErrors(a.takeError(), b.takeError()),
                                      llvm::joinErrors(aBits.takeError(), bBits.takeError()));
    if (failures)
      return failures;
    if (b->empty())
      return entry.error("b", "is empty, expected the id of a layer");
    SensitivityKey key{false, *a, static_cast<unsigned>(*aBits), *b, static_cast<unsigned>(*bBits)};
    auto [place, isNew] = table.sums.try_emplace(key);
    return isNew ? readNumbers(entry, place->second) : entry.error("found the " + key.text() + " twice");
  }

  Error readTraces() {
    if (!root.has("traces"))
      return Error::success();
    Expected<JsonReader> traces = root.getObject("traces");
    if (!traces)
      return traces.takeError();
    for (const std::string &id : traces->keys()) {
      Expected<double> trace = traces->getNumber(id);
      if (!trace)
        return trace.takeError();
      if (*trace < 0)
        return traces->error(id, "found " + shortestText(*trace) + ", expected a number of at least 0");
      table.traces[id] = *trace;
    }
    return Error::success();
  }

  JsonReader &root;
  SensitivityTable &table;
};
} // namespace

Expected<SensitivityTable> parseSensitivity(StringRef path, StringRef text) {
  Expected<llvm::json::Value> json = parseJson(path, text);
  if (!json)
    return json.takeError();
  Expected<JsonReader> root = JsonReader::root(path, *json);
  if (!root)
    return root.takeError();
  SensitivityTable table;
  if (Error error = TableReader(*root, table).read())
    return std::move(error);
  return table;
}

/// True where the sorted ranges `a` and `b` have nothing in common.
template <typename Range> static bool areDisjoint(const Range &a, const Range &b) {
  return llvm::none_of(a, [&](const auto &element) { return llvm::is_contained(b, element); });
}

Error mergeSensitivity(SensitivityTable &table, const SensitivityTable &other, StringRef otherPath) {
  auto differ = [&](StringRef what, StringRef a, StringRef b) {
    return fileError(otherPath,
                     what + " is '" + escaped(b) + "', expected '" + escaped(a) + "' as in the tables before");
  };
  if (table.header.model != other.header.model)
    return differ("model", table.header.model, other.header.model);
  if (table.rounding != other.rounding)
    return differ("rounding", table.rounding, other.rounding);
  if (!table.calibration.empty() && !other.calibration.empty() && table.calibration != other.calibration)
    return differ("calibration", table.calibration, other.calibration);
  bool sameKeys = llvm::equal(llvm::make_first_range(table.sums), llvm::make_first_range(other.sums));
  if (sameKeys && areDisjoint(table.samples, other.samples)) {
    for (auto [sums, more] : llvm::zip(llvm::make_second_range(table.sums), llvm::make_second_range(other.sums)))
      for (auto [sum, term] : llvm::zip(sums, more))
        sum += term;
    llvm::append_range(table.samples, other.samples);
    llvm::sort(table.samples);
  } else if (table.samples == other.samples) {
    for (const auto &[key, sums] : other.sums)
      if (!table.sums.try_emplace(key, sums).second)
        return fileError(otherPath, "has " + key.text() + " as a table before it, expected other tensors or samples");
  } else {
    return fileError(otherPath, "has other samples and other tensors than the tables before, expected the same of one");
  }
  if (table.calibration.empty())
    table.calibration = other.calibration;
  table.traces.insert(other.traces.begin(), other.traces.end());
  return Error::success();
}

} // namespace dyadic
