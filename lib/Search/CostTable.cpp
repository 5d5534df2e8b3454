// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Search/CostTable.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/FileHeader.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>

namespace dyadic {

static constexpr size_t kLatency = 0; // in kCostNames

std::optional<double> CostTable::find(const std::string &signature, const std::string &bits) const {
  auto layer = layers.find(signature);
  if (layer == layers.end())
    return std::nullopt;
  auto time = layer->second.microseconds.find(bits);
  return time == layer->second.microseconds.end() ? std::nullopt : std::optional<double>(time->second);
}

std::optional<double> CostTable::estimate(int64_t macs, int64_t bytes, const std::string &bits) const {
  double macRate = 0, byteRate = 0; // a microsecond
  for (const auto &[signature, layer] : layers) {
    auto time = layer.microseconds.find(bits);
    if (time == layer.microseconds.end() || time->second <= 0 || layer.macs == 0)
      continue;
    macRate = std::max(macRate, static_cast<double>(layer.macs) / time->second);
    byteRate = std::max(byteRate, static_cast<double>(layer.bytes) / time->second);
  }
  if (macRate == 0 || byteRate == 0)
    return std::nullopt;
  return std::max(static_cast<double>(macs) / macRate, static_cast<double>(bytes) / byteRate);
}

std::string restSignature(llvm::StringRef model) { return ("rest of the model " + model).str(); }

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static llvm::Error readLayer(JsonReader &entry, LayerTimes &layer) {
  llvm::Expected<int64_t> macs = entry.getInteger("macs", 0, INT64_MAX);
  if (!macs)
    return macs.takeError();
  llvm::Expected<int64_t> bytes = entry.getInteger("bytes", 0, INT64_MAX);
  if (!bytes)
    return bytes.takeError();
  layer.macs = *macs;
  layer.bytes = *bytes;
  llvm::Expected<JsonReader> times = entry.getObject("microseconds");
  if (!times)
    return times.takeError();
  for (const std::string &bits : times->keys()) {
    if (!parseBits(bits) || bits == "8")
      return times->error("'" + escaped(bits) + "' is no width, expected wXaY with X in 2..8 and Y in 2..16");
    llvm::Expected<double> time = times->getNumber(bits);
    if (!time)
      return time.takeError();
    if (*time < 0)
      return times->error(bits, "a negative time, expected microseconds");
    layer.microseconds[bits] = *time;
  }
  if (llvm::Error error = times->finish())
    return error;
  return entry.finish();
}

static llvm::Expected<CostTable> readTable(JsonReader &root) {
  CostTable table;
  llvm::Expected<std::string> kind = root.getString("kind");
  if (!kind)
    return kind.takeError();
  if (*kind != CostTable::kKind)
    return root.error("kind", "found '" + escaped(*kind) + "', expected '" + CostTable::kKind + "'");
  if (llvm::Expected<int64_t> version = root.getInteger("version", 1, CostTable::kVersion); !version)
    return version.takeError();
  llvm::Expected<std::string> producer = root.getString("producer");
  if (!producer)
    return producer.takeError();
  if (*producer != kProducer)
    return root.error("producer", "the kernels of '" + escaped(*producer) + "' were measured, expected those of '" +
                                      kProducer + "'");
  llvm::Expected<std::string> cpu = root.getString("cpu"), machine = cpu ? root.getString("machine") : cpu.takeError();
  if (!machine)
    return machine.takeError();
  table.cpu = *cpu;
  table.machine = *machine;
  llvm::Expected<JsonReader> layers = root.getObject("layers");
  if (!layers)
    return layers.takeError();
  for (const std::string &signature : layers->keys()) {
    llvm::Expected<JsonReader> entry = layers->getObject(signature);
    if (!entry)
      return entry.takeError();
    if (llvm::Error error = readLayer(*entry, table.layers[signature]))
      return std::move(error);
  }
  if (llvm::Error error = layers->finish())
    return std::move(error);
  if (llvm::Error error = root.finish())
    return std::move(error);
  return table;
}

llvm::Expected<CostTable> parseCostTable(llvm::StringRef path, llvm::StringRef text) {
  llvm::Expected<llvm::json::Value> json = parseJson(path, text);
  if (!json)
    return json.takeError();
  llvm::Expected<JsonReader> root = JsonReader::root(path, *json);
  if (!root)
    return root.takeError();
  return readTable(*root);
}

std::string toJson(const CostTable &table) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream json(stream, 2);
  json.object([&] {
    json.attribute("kind", CostTable::kKind);
    json.attribute("version", CostTable::kVersion);
    json.attribute("producer", kProducer);
    json.attribute("cpu", table.cpu);
    json.attribute("machine", table.machine);
    json.attributeObject("layers", [&] {
      for (const auto &[signature, layer] : table.layers)
        json.attributeObject(signature, [&, &layer = layer] {
          json.attribute("macs", layer.macs);
          json.attribute("bytes", layer.bytes);
          json.attributeObject("microseconds", [&] {
            for (const auto &[bits, time] : layer.microseconds) {
              json.attributeBegin(bits);
              json.rawValue(shortestText(time));
              json.attributeEnd();
            }
          });
        });
    });
  });
  stream << "\n";
  return text;
}

//===----------------------------------------------------------------------===//
// Costs
//===----------------------------------------------------------------------===//

llvm::Expected<std::vector<Costs>> LatencyCostModel::costs(const ChoiceGroup &group) const {
  std::vector<Costs> result;
  for (const BitChoice &choice : group.choices) {
    double microseconds = 0;
    for (const std::string &id : group.layers) {
      auto layer = layers.find(id);
      if (layer == layers.end())
        return makeError("layer '" + escaped(id) + "': the cost model does not know it");
      const Layer &of = layer->second;
      std::optional<double> time = table.find(of.signature, choice.bits);
      if (!time)
        time = table.estimate(of.macs, of.bytes, choice.bits);
      if (!time)
        return makeError("layer '" + escaped(id) + "': no layer was measured with " + escaped(choice.bits) +
                         ", expected a cost table that has some");
      microseconds += *time;
    }
    Costs costs;
    costs[kLatency] = microseconds / 1000;
    result.push_back(costs);
  }
  return result;
}

} // namespace dyadic
