// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Calibration/Table.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include <set>

using namespace llvm;

namespace dyadic {

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static void writeStrings(json::OStream &json, StringRef key, const std::vector<std::string> &strings) {
  json.attributeArray(key, [&] {
    for (const std::string &string : strings)
      json.value(string);
  });
}

/// On one line: a line for each of thousands of counts would make the file unreadable.
static void writeHistogram(json::OStream &json, const Histogram &histogram) {
  json.attributeBegin("histogram");
  json.rawValue([&](raw_ostream &os) {
    os << "{\"counts\": [";
    llvm::interleave(histogram.counts, os, ", ");
    os << "], \"exponent\": " << histogram.exponent << ", \"first\": " << histogram.first << "}";
  });
  json.attributeEnd();
}

static void writeValue(json::OStream &json, const CalibratedValue &value) {
  json.attribute("count", value.statistics.count());
  writeHistogram(json, value.statistics.histogram());
  json.attributeBegin("max");
  writeFloat(json, value.statistics.max());
  json.attributeEnd();
  json.attributeBegin("min");
  writeFloat(json, value.statistics.min());
  json.attributeEnd();
  if (value.fixed)
    json.attributeArray("range", [&] {
      writeFloat(json, value.fixed->first);
      writeFloat(json, value.fixed->second);
    });
}

std::string toJson(const CalibrationTable &table) {
  std::string text;
  raw_string_ostream os(text);
  json::OStream json(os, /*IndentSize=*/2);
  json.object([&] {
    writeHeader(json, table.header);
    writeStrings(json, "held_back", table.heldBack);
    json.attribute("method", toString(table.method));
    writeStrings(json, "samples", table.samples);
    json.attributeObject("values", [&] {
      for (const auto &[id, value] : table.values)
        json.attributeObject(id, [&json, &value = value] { writeValue(json, value); });
    });
  });
  os << "\n";
  return text;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// Moves a value out of an Expected into `to`; where there is none, gives the error.
template <typename T> static Error assign(T &to, Expected<T> from) {
  if (!from)
    return from.takeError();
  to = std::move(*from);
  return Error::success();
}

static Error readHistogram(JsonReader reader, Histogram &histogram) {
  Expected<int64_t> exponent = reader.getInteger("exponent", -149, 127);
  if (!exponent)
    return exponent.takeError();
  histogram.exponent = static_cast<int32_t>(*exponent);
  if (Error error = assign(histogram.first, reader.getInteger("first", -(1 << 24), 1 << 24)))
    return error;
  Expected<std::vector<int64_t>> counts = reader.getIntegers("counts", 0, ValueStatistics::kMaxCount);
  if (!counts)
    return counts.takeError();
  histogram.counts.assign(counts->begin(), counts->end());
  return reader.finish();
}

static Error readRange(JsonReader &reader, CalibratedValue &value) {
  if (!reader.has("range"))
    return Error::success();
  std::vector<float> range;
  if (Error error = assign(range, reader.getFloats("range")))
    return error;
  if (range.size() != 2)
    return reader.error("range", "found " + Twine(range.size()) + " numbers, expected 2");
  if (range[0] > range[1])
    return reader.error("range", "found the larger number first, expected [low, high]");
  value.fixed = {range[0], range[1]};
  return Error::success();
}

static Error readValue(JsonReader reader, CalibratedValue &value) {
  float min = 0, max = 0;
  int64_t count = 0;
  Histogram histogram;
  if (Error error = assign(min, reader.getFloat("min")))
    return error;
  if (Error error = assign(max, reader.getFloat("max")))
    return error;
  if (Error error = assign(count, reader.getInteger("count", 0, ValueStatistics::kMaxCount)))
    return error;
  if (Error error = readRange(reader, value))
    return error;
  Expected<JsonReader> child = reader.getObject("histogram");
  if (!child)
    return child.takeError();
  if (Error error = readHistogram(*child, histogram))
    return error;
  Expected<ValueStatistics> statistics = ValueStatistics::fromParts(min, max, std::move(histogram));
  if (!statistics)
    return child->error(toString(statistics.takeError()));
  if (statistics->count() != static_cast<uint64_t>(count))
    return child->error("counts add up to " + Twine(statistics->count()) + ", expected " + Twine(count) +
                        " as count says");
  value.statistics = std::move(*statistics);
  return reader.finish();
}

static Error readMethod(JsonReader &reader, CalibrationOptions &method) {
  std::string text;
  if (Error error = assign(text, reader.getString("method")))
    return error;
  Expected<CalibrationOptions> parsed = parseCalibrationMethod(text);
  if (!parsed)
    return reader.error("method", toString(parsed.takeError()));
  method = *parsed;
  return Error::success();
}

Expected<CalibrationTable> parseTable(StringRef path, StringRef text) {
  Expected<json::Value> json = parseJson(path, text);
  if (!json)
    return json.takeError();
  Expected<JsonReader> reader = JsonReader::root(path, *json);
  if (!reader)
    return reader.takeError();
  CalibrationTable table;
  if (Error error = assign(table.header, readHeader(*reader, CalibrationTable::kKind, CalibrationTable::kVersion)))
    return std::move(error);
  if (table.header.version < CalibrationTable::kVersion)
    return reader->error("version", "found " + Twine(table.header.version) + ", expected " +
                                        Twine(CalibrationTable::kVersion) + ": calibrate again");
  if (Error error = readMethod(*reader, table.method))
    return std::move(error);
  if (Error error = assign(table.samples, reader->getShas("samples")))
    return std::move(error);
  if (Error error = assign(table.heldBack, reader->getShas("held_back")))
    return std::move(error);
  llvm::sort(table.samples);
  llvm::sort(table.heldBack);
  Expected<JsonReader> values = reader->getObject("values");
  if (!values)
    return values.takeError();
  for (const std::string &id : values->keys()) {
    Expected<JsonReader> value = values->getObject(id);
    if (!value)
      return value.takeError();
    if (Error error = readValue(*value, table.values[id]))
      return std::move(error);
    if (table.method.method == CalibrationMethod::BatchNorm && !table.values[id].fixed)
      return value->error("no range, expected one with the method " + toString(table.method));
  }
  if (Error error = reader->finish())
    return std::move(error);
  return table;
}

//===----------------------------------------------------------------------===//
// Using tables
//===----------------------------------------------------------------------===//

Error checkModel(const CalibrationTable &table, StringRef path, StringRef sha) {
  return checkModel(table.header, path, sha);
}

std::pair<float, float> rangeOf(const CalibratedValue &value, const CalibrationOptions &method, unsigned bits) {
  return value.fixed ? *value.fixed : chooseRange(value.statistics, method, bits);
}

//===----------------------------------------------------------------------===//
// Merging
//===----------------------------------------------------------------------===//

/// An error where the two are not of one model, or name different values.
static Error checkSameValues(const NamedTable &a, const NamedTable &b) {
  if (a.table.header.model != b.table.header.model)
    return fileError(b.path, "belongs to the model with SHA-256 " + b.table.header.model + ", but " + escaped(a.path) +
                                 " to " + a.table.header.model);
  auto missing = [](const NamedTable &from, const NamedTable &in) -> Error {
    for (const auto &[id, value] : from.table.values)
      if (!in.table.values.count(id))
        return fileError(in.path, "value '" + escaped(id) + "' is missing, which " + escaped(from.path) + " has");
    return Error::success();
  };
  if (Error error = missing(a, b))
    return error;
  return missing(b, a);
}

static Error mergeValue(CalibratedValue &value, const CalibratedValue &other, StringRef id, StringRef path,
                        StringRef otherPath) {
  if (value.fixed && other.fixed && value.fixed != other.fixed)
    return fileError(otherPath, "value '" + escaped(id) + "' has another range than in " + escaped(path));
  if (!value.fixed)
    value.fixed = other.fixed;
  if (!value.statistics.merge(other.statistics))
    return fileError(otherPath,
                     "value '" + escaped(id) + "' has more than 2^53 numbers, with those of " + escaped(path));
  return Error::success();
}

Expected<CalibrationTable> mergeTables(std::vector<NamedTable> tables, std::optional<CalibrationOptions> method) {
  NamedTable &first = tables.front();
  CalibrationTable merged = first.table;
  std::map<std::string, StringRef> observedIn;
  for (const NamedTable &other : tables) {
    for (const std::string &sample : std::set<std::string>(other.table.samples.begin(), other.table.samples.end()))
      if (auto [it, isNew] = observedIn.try_emplace(sample, other.path); !isNew)
        return fileError(other.path,
                         "sample " + sample + " is in " + escaped(it->second) + " too, expected different samples");
    if (&other == &first)
      continue;
    if (Error error = checkSameValues(first, other))
      return std::move(error);
    if (!method && other.table.method != merged.method)
      return fileError(other.path, "has the method " + toString(other.table.method) + ", but " + escaped(first.path) +
                                       " has " + toString(merged.method) + ", expected one, or --calibration-method");
    for (const auto &[id, value] : other.table.values)
      if (Error error = mergeValue(merged.values[id], value, id, first.path, other.path))
        return std::move(error);
    llvm::append_range(merged.samples, other.table.samples);
    llvm::append_range(merged.heldBack, other.table.heldBack);
  }
  llvm::sort(merged.samples);
  llvm::sort(merged.heldBack);
  merged.heldBack.erase(llvm::unique(merged.heldBack), merged.heldBack.end());
  if (tables.size() > 1) // a single sample is on both sides
    llvm::erase_if(merged.heldBack, [&](const std::string &sample) { return observedIn.count(sample) > 0; });
  if (method)
    merged.method = *method;
  return std::move(merged);
}

} // namespace dyadic
