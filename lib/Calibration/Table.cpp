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

/// On one line: a line for each of up to 2048 counts would make the file unreadable.
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
  json.attributeArray("range", [&] {
    writeFloat(json, value.low);
    writeFloat(json, value.high);
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
  std::vector<float> range;
  if (Error error = assign(range, reader.getFloats("range")))
    return error;
  if (range.size() != 2)
    return reader.error("range", "found " + Twine(range.size()) + " numbers, expected 2");
  if (range[0] > range[1])
    return reader.error("range", "found the larger number first, expected [low, high]");
  value.low = range[0];
  value.high = range[1];
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
  // No method chooses what no sample had.
  if (value.low < min || value.high > max)
    return reader.error("range", "lies outside of min and max, expected a part of [min, max]");
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
  if (Error error = readMethod(*reader, table.method))
    return std::move(error);
  if (Error error = assign(table.samples, reader->getShas("samples")))
    return std::move(error);
  if (Error error = assign(table.heldBack, reader->getShas("held_back")))
    return std::move(error);
  Expected<JsonReader> values = reader->getObject("values");
  if (!values)
    return values.takeError();
  for (const std::string &id : values->keys()) {
    Expected<JsonReader> value = values->getObject(id);
    if (!value)
      return value.takeError();
    if (Error error = readValue(*value, table.values[id]))
      return std::move(error);
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

void chooseRanges(CalibrationTable &table, const CalibrationOptions &method) {
  table.method = method;
  for (auto &[id, value] : table.values)
    std::tie(value.low, value.high) = chooseRange(value.statistics, method);
}

Error mergeTable(CalibrationTable &table, const CalibrationTable &other, StringRef path) {
  if (Error error = checkModel(other, path, table.header.model))
    return error;
  std::set<std::string> samples(table.samples.begin(), table.samples.end());
  for (const std::string &sample : other.samples)
    if (samples.count(sample))
      return fileError(path, "sample " + sample + " is in another table too, expected different samples");
  for (const auto &[id, value] : table.values)
    if (!other.values.count(id))
      return fileError(path, "value '" + escaped(id) + "' is missing, another table has it");

  std::map<std::string, CalibratedValue> merged = table.values;
  for (const auto &[id, value] : other.values) {
    auto it = merged.find(id);
    if (it == merged.end())
      return fileError(path, "value '" + escaped(id) + "' is not in the other table");
    if (!it->second.statistics.merge(value.statistics))
      return fileError(path, "value '" + escaped(id) + "' has more than 2^53 numbers in all tables together");
  }
  table.values = std::move(merged);
  table.samples.insert(table.samples.end(), other.samples.begin(), other.samples.end());
  samples.insert(other.samples.begin(), other.samples.end());
  std::set<std::string> heldBack(table.heldBack.begin(), table.heldBack.end());
  heldBack.insert(other.heldBack.begin(), other.heldBack.end());
  table.heldBack.assign(heldBack.begin(), heldBack.end());
  llvm::erase_if(table.heldBack, [&](const std::string &sample) { return samples.count(sample) > 0; });
  chooseRanges(table, table.method);
  return Error::success();
}

} // namespace dyadic
