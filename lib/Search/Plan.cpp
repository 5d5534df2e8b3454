// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Search/Plan.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/FileHeader.h"
#include "llvm/ADT/StringExtras.h"

namespace dyadic {

static constexpr int64_t kPlanVersion = 1;

std::optional<std::pair<unsigned, unsigned>> parseBits(llvm::StringRef text) {
  if (text == "8")
    return std::make_pair(8u, 8u);
  llvm::StringRef written = text;
  unsigned weights = 0, activations = 0;
  if (!text.consume_front("w") || text.consumeInteger(10, weights) || !text.consume_front("a") ||
      text.consumeInteger(10, activations) || !text.empty())
    return std::nullopt;
  if (weights < 2 || weights > 8 || activations < 2 || activations > 16)
    return std::nullopt;
  if (written != ("w" + llvm::Twine(weights) + "a" + llvm::Twine(activations)).str())
    return std::nullopt; // leading zeros
  return std::make_pair(weights, activations);
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {

/// Reads sections of a plan; the first error stops it and is kept.
class PlanReader {
public:
  PlanReader(JsonReader &root, Plan &plan) : root(root), plan(plan) {}

  llvm::Error read() {
    llvm::Expected<FileHeader> header = readHeader(root, "plan", kPlanVersion);
    if (!header)
      return header.takeError();
    plan.model = header->model;
    if (llvm::Error error = readEnums())
      return error;
    if (llvm::Error error = readDefaults())
      return error;
    if (llvm::Error error = eachObject(
            "layers", [&](JsonReader &entry, const std::string &id) { return readLayer(entry, plan.layers[id]); }))
      return error;
    if (llvm::Error error = eachObject(
            "values", [&](JsonReader &entry, const std::string &id) { return readValue(entry, plan.values[id]); }))
      return error;
    if (llvm::Error error =
            eachObject("adds", [&](JsonReader &entry, const std::string &id) { return readAdd(entry, plan.adds[id]); }))
      return error;
    if (llvm::Error error = eachObject("outputs", [&](JsonReader &entry, const std::string &name) {
          return readBits(entry, "bits", 2, 16, plan.outputBits[name]);
        }))
      return error;
    if (llvm::Error error = eachObject("schedules", [&](JsonReader &entry, const std::string &cpu) {
          return eachEntry(entry, [&](JsonReader &layer, const std::string &id) {
            return readSchedule(layer, plan.schedules[cpu][id]);
          });
        }))
      return error;
    if (!plan.outputBits.empty() && plan.io == BoundaryMode::Float)
      return root.error("outputs", "has no meaning with io float, expected io integer");
    return root.finish();
  }

private:
  template <typename Read> llvm::Error eachObject(llvm::StringRef section, Read read) {
    if (!root.has(section))
      return llvm::Error::success();
    llvm::Expected<JsonReader> entries = root.getObject(section);
    if (!entries)
      return entries.takeError();
    if (llvm::Error error = eachEntry(*entries, read))
      return error;
    return entries->finish();
  }

  template <typename Read> static llvm::Error eachEntry(JsonReader &entries, Read read) {
    for (const std::string &key : entries.keys()) {
      if (key.empty())
        return entries.error("a name is empty, expected the ids and names of the model");
      llvm::Expected<JsonReader> entry = entries.getObject(key);
      if (!entry)
        return entry.takeError();
      if (llvm::Error error = read(*entry, key))
        return error;
      if (llvm::Error error = entry->finish())
        return error;
    }
    return llvm::Error::success();
  }

  llvm::Error readEnums() {
    if (root.has("rounding")) {
      llvm::Expected<std::string> text = root.getString("rounding");
      if (!text)
        return text.takeError();
      if (*text != "half_up" && *text != "half_even")
        return root.error("rounding", "'" + escaped(*text) + "', expected half_up or half_even");
      plan.rounding = *text == "half_up" ? Rounding::HalfUp : Rounding::HalfEven;
    }
    if (root.has("io")) {
      llvm::Expected<std::string> text = root.getString("io");
      if (!text)
        return text.takeError();
      if (*text != "float" && *text != "integer")
        return root.error("io", "'" + escaped(*text) + "', expected float or integer");
      plan.io = *text == "float" ? BoundaryMode::Float : BoundaryMode::Integer;
    }
    return llvm::Error::success();
  }

  llvm::Error readDefaults() {
    if (!root.has("defaults"))
      return llvm::Error::success();
    llvm::Expected<JsonReader> entry = root.getObject("defaults");
    if (!entry)
      return entry.takeError();
    if (llvm::Error error = readBits(*entry, "weights", 2, 8, plan.weightBits))
      return error;
    if (llvm::Error error = readBits(*entry, "activations", 2, 16, plan.activationBits))
      return error;
    return entry->finish();
  }

  template <typename T>
  static llvm::Error readBits(JsonReader &entry, llvm::StringRef key, int64_t min, int64_t max, T &bits) {
    if (!entry.has(key))
      return llvm::Error::success();
    llvm::Expected<int64_t> value = entry.getInteger(key, min, max);
    if (!value)
      return value.takeError();
    bits = static_cast<unsigned>(*value);
    return llvm::Error::success();
  }

  static llvm::Error readFlag(JsonReader &entry, llvm::StringRef key, std::optional<bool> &flag) {
    if (!entry.has(key))
      return llvm::Error::success();
    llvm::Expected<bool> value = entry.getBool(key);
    if (!value)
      return value.takeError();
    flag = *value;
    return llvm::Error::success();
  }

  static llvm::Error readLayer(JsonReader &entry, LayerPlan &layer) {
    if (llvm::Error error = readBits(entry, "weights", 2, 8, layer.weights))
      return error;
    if (llvm::Error error = readBits(entry, "activations", 2, 16, layer.activations))
      return error;
    return readFlag(entry, "float", layer.isFloat);
  }

  static llvm::Error readValue(JsonReader &entry, ValuePlan &value) {
    if (llvm::Error error = readBits(entry, "bits", 2, 16, value.bits))
      return error;
    if (llvm::Error error = readBits(entry, "operands", 2, 16, value.operandBits))
      return error;
    return readFlag(entry, "signed", value.isSigned);
  }

  static llvm::Error readAdd(JsonReader &entry, AddOperand &operand) {
    llvm::Expected<std::string> text = entry.getString("operand");
    if (!text)
      return text.takeError();
    if (*text != "value" && *text != "accumulator")
      return entry.error("operand", "'" + escaped(*text) + "', expected value or accumulator");
    operand = *text == "value" ? AddOperand::Value : AddOperand::Accumulator;
    return llvm::Error::success();
  }

  /// One of `names`; Auto where the key is missing.
  template <typename Enum>
  static llvm::Error readChoice(JsonReader &entry, llvm::StringRef key, llvm::ArrayRef<llvm::StringLiteral> names,
                                Enum &choice) {
    if (!entry.has(key))
      return llvm::Error::success();
    llvm::Expected<std::string> text = entry.getString(key);
    if (!text)
      return text.takeError();
    if (std::optional<Enum> value = parseScheduleName<Enum>(names, *text)) {
      choice = *value;
      return llvm::Error::success();
    }
    return entry.error(key, "'" + escaped(*text) + "', expected " + llvm::join(names, " or "));
  }

  static llvm::Error readSchedule(JsonReader &entry, KernelSchedule &schedule) {
    if (llvm::Error error = readChoice(entry, "kernel", kKernelNames, schedule.kernel))
      return error;
    if (llvm::Error error = readChoice(entry, "order", kOrderNames, schedule.order))
      return error;
    return readBits(entry, "rows", 1, kMostScheduledRows, schedule.rows);
  }

  JsonReader &root;
  Plan &plan;
};

} // namespace

llvm::Expected<Plan> parsePlan(llvm::StringRef path, llvm::StringRef text, const Plan &defaults) {
  llvm::Expected<llvm::json::Value> json = parseJson(path, text);
  if (!json)
    return json.takeError();
  llvm::Expected<JsonReader> root = JsonReader::root(path, *json);
  if (!root)
    return root.takeError();
  Plan plan = defaults;
  if (llvm::Error error = PlanReader(*root, plan).read())
    return error;
  return plan;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

void writeSchedule(llvm::json::OStream &json, const KernelSchedule &schedule) {
  if (schedule.kernel != KernelSchedule::Kernel::Auto)
    json.attribute("kernel", scheduleName(kKernelNames, schedule.kernel));
  if (schedule.order != KernelSchedule::Order::Auto)
    json.attribute("order", scheduleName(kOrderNames, schedule.order));
  if (schedule.rows != 0)
    json.attribute("rows", schedule.rows);
}

std::string planToJson(const Plan &plan, bool statesDefaults) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream json(stream, 2);
  json.object([&] {
    FileHeader header;
    header.kind = "plan";
    header.version = kPlanVersion;
    header.model = plan.model;
    writeHeader(json, header);
    json.attribute("rounding", plan.rounding == Rounding::HalfUp ? "half_up" : "half_even");
    json.attribute("io", plan.io == BoundaryMode::Float ? "float" : "integer");
    if (statesDefaults)
      json.attributeObject("defaults", [&] {
        json.attribute("weights", plan.weightBits);
        json.attribute("activations", plan.activationBits);
      });
    json.attributeObject("layers", [&] {
      for (const auto &[id, layer] : plan.layers)
        json.attributeObject(id, [&, &layer = layer] {
          if (layer.weights)
            json.attribute("weights", *layer.weights);
          if (layer.activations)
            json.attribute("activations", *layer.activations);
          if (layer.isFloat)
            json.attribute("float", *layer.isFloat);
        });
    });
    json.attributeObject("values", [&] {
      for (const auto &[id, value] : plan.values)
        json.attributeObject(id, [&, &value = value] {
          if (value.bits)
            json.attribute("bits", *value.bits);
          if (value.operandBits)
            json.attribute("operands", *value.operandBits);
          if (value.isSigned)
            json.attribute("signed", *value.isSigned);
        });
    });
    json.attributeObject("adds", [&] {
      for (const auto &[id, operand] : plan.adds)
        json.attributeObject(id, [&, operand = operand] {
          json.attribute("operand", operand == AddOperand::Value ? "value" : "accumulator");
        });
    });
    if (!plan.schedules.empty())
      json.attributeObject("schedules", [&] {
        for (const auto &[cpu, layers] : plan.schedules)
          json.attributeObject(cpu, [&, &layers = layers] {
            for (const auto &[id, schedule] : layers)
              json.attributeObject(id, [&, &schedule = schedule] { writeSchedule(json, schedule); });
          });
      });
    if (plan.io == BoundaryMode::Integer)
      json.attributeObject("outputs", [&] {
        for (const auto &[name, bits] : plan.outputBits)
          json.attributeObject(name, [&, bits = bits] { json.attribute("bits", bits); });
      });
  });
  stream << "\n";
  return text;
}

} // namespace dyadic
