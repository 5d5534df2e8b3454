// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Search/Problem.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/FileHeader.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <charconv>
#include <cmath>
#include <set>

using namespace llvm;

namespace dyadic {

static constexpr int64_t kProblemVersion = 1;

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {

/// Reads a problem front to back; the first error stops it.
class ProblemReader {
public:
  ProblemReader(JsonReader &root, AssignmentProblem &problem) : root(root), problem(problem) {}

  Error read() {
    if (Error error = readHeader())
      return error;
    if (Error error = readLimits())
      return error;
    if (Error error = root.eachObject("groups", [&](JsonReader &entry) { return readGroup(entry); }))
      return error;
    if (problem.groups.empty())
      return root.error("groups", "is empty, expected at least one group");
    if (root.has("pairs"))
      if (Error error = root.eachObject("pairs", [&](JsonReader &entry) { return readPair(entry); }))
        return error;
    return root.finish();
  }

private:
  /// Of the common header a problem needs the version alone: tables come from other tools too.
  Error readHeader() {
    if (root.has("kind")) {
      Expected<std::string> kind = root.getString("kind");
      if (!kind)
        return kind.takeError();
      if (*kind != "problem")
        return root.error("kind", "found '" + escaped(*kind) + "', expected 'problem'");
    }
    Expected<int64_t> version = root.getInteger("version", 1, INT64_MAX);
    if (!version)
      return version.takeError();
    if (*version > kProblemVersion)
      return root.error("version", "found " + Twine(*version) + ", expected at most " + Twine(kProblemVersion));
    if (root.has("producer"))
      if (Expected<std::string> producer = root.getString("producer"); !producer)
        return producer.takeError();
    if (root.has("model")) {
      Expected<std::string> model = root.getSha("model");
      if (!model)
        return model.takeError();
      problem.model = std::move(*model);
    }
    Expected<std::string> objective = root.getString("objective");
    if (!objective)
      return objective.takeError();
    if (*objective != "perturbation")
      return root.error("objective", "found '" + escaped(*objective) + "', expected 'perturbation'");
    return Error::success();
  }

  /// Sums and quotients of numbers beyond these would leave those of a double.
  static Error checkSize(JsonReader &entry, const Twine &key, double value) {
    constexpr double kLeast = 1e-100, kMost = 1e100;
    if (value == 0 || (kLeast <= std::fabs(value) && std::fabs(value) <= kMost))
      return Error::success();
    return entry.error(key.str(), "found " + shortestText(value) + ", expected 0 or a size from 1e-100 to 1e100");
  }

  /// The costs that `entry` states.
  static Error readCosts(JsonReader &entry, Costs &costs) {
    for (auto [name, cost] : llvm::zip(kCostNames, costs)) {
      if (!entry.has(name))
        continue;
      Expected<double> value = entry.getNumber(name);
      if (!value)
        return value.takeError();
      if (*value < 0)
        return entry.error(name, "found " + shortestText(*value) + ", expected a number of at least 0");
      if (Error error = checkSize(entry, name, *value))
        return error;
      cost = *value;
    }
    return Error::success();
  }

  Error readLimits() {
    Expected<JsonReader> limits = root.getObject("limits");
    if (!limits)
      return limits.takeError();
    if (Error error = readCosts(*limits, problem.limits))
      return error;
    return limits->finish();
  }

  /// A string that is not empty.
  static Expected<std::string> readName(JsonReader &entry, StringRef key) {
    Expected<std::string> name = entry.getString(key);
    if (name && name->empty())
      return entry.error(key, "is empty, expected a name");
    return name;
  }

  Error readGroup(JsonReader &entry) {
    ChoiceGroup group;
    Expected<std::string> name = readName(entry, "name");
    if (!name)
      return name.takeError();
    if (!groupOf.try_emplace(*name, problem.groups.size()).second)
      return entry.error("name", "'" + escaped(*name) + "' is the name of another group too");
    group.name = std::move(*name);
    Expected<std::vector<std::string>> names = entry.getStrings("layers");
    if (!names)
      return names.takeError();
    if (names->empty())
      return entry.error("layers", "is empty, expected at least one layer");
    for (const std::string &layer : *names) {
      if (layer.empty())
        return entry.error("layers", "holds an empty name, expected the ids of layers");
      if (!layers.insert(layer).second)
        return entry.error("layers", "'" + escaped(layer) + "' is given twice, expected every layer in one group");
    }
    group.layers = std::move(*names);
    StringSet<> known;
    if (Error error = entry.eachObject(
            "choices", [&](JsonReader &choice) { return readChoice(choice, known, group.choices.emplace_back()); }))
      return error;
    if (group.choices.empty())
      return entry.error("choices", "is empty, expected at least one choice");
    constexpr size_t kMostChoices = 4096;
    if (group.choices.size() > kMostChoices)
      return entry.error("choices",
                         "found " + Twine(group.choices.size()) + ", expected at most " + Twine(kMostChoices));
    problem.groups.push_back(std::move(group));
    return Error::success();
  }

  Error readChoice(JsonReader &entry, StringSet<> &known, BitChoice &choice) {
    Expected<std::string> bits = readName(entry, "bits");
    if (!bits)
      return bits.takeError();
    if (!known.insert(*bits).second)
      return entry.error("bits", "'" + escaped(*bits) + "' is another choice of the group too");
    choice.bits = std::move(*bits);
    Expected<double> perturbation = entry.getNumber("perturbation");
    if (!perturbation)
      return perturbation.takeError();
    if (Error error = checkSize(entry, "perturbation", *perturbation))
      return error;
    choice.perturbation = *perturbation;
    if (Error error = readCosts(entry, choice.costs))
      return error;
    for (auto [name, limit, cost] : llvm::zip(kCostNames, problem.limits, choice.costs))
      if (limit && !cost)
        return entry.error(Twine("key '") + name + "' is missing, expected it in every choice: it is limited");
    return Error::success();
  }

  Expected<size_t> readPartner(JsonReader &entry, StringRef key) {
    Expected<std::string> name = entry.getString(key);
    if (!name)
      return name.takeError();
    auto found = groupOf.find(*name);
    if (found == groupOf.end())
      return entry.error(key, "unknown group '" + escaped(*name) + "'");
    return found->second;
  }

  Error readPair(JsonReader &entry) {
    PairTerm pair;
    Expected<size_t> a = readPartner(entry, "a");
    if (!a)
      return a.takeError();
    Expected<size_t> b = readPartner(entry, "b");
    if (!b)
      return b.takeError();
    if (*a == *b)
      return entry.error("b", "found the group of a, expected another one");
    pair.a = *a;
    pair.b = *b;
    if (!paired.insert(std::minmax(pair.a, pair.b)).second)
      return entry.error("the pair of '" + escaped(problem.groups[pair.a].name) + "' and '" +
                         escaped(problem.groups[pair.b].name) + "' is given twice");
    if (Error error = readMatrix(entry, pair))
      return error;
    problem.pairs.push_back(std::move(pair));
    return Error::success();
  }

  Error readMatrix(JsonReader &entry, PairTerm &pair) {
    Expected<std::vector<std::vector<double>>> rows = entry.getNumberRows("perturbation");
    if (!rows)
      return rows.takeError();
    const ChoiceGroup &a = problem.groups[pair.a], &b = problem.groups[pair.b];
    if (rows->size() != a.choices.size())
      return entry.error("perturbation", "found " + Twine(rows->size()) + " rows, expected " + Twine(a.choices.size()) +
                                             ", the choices of '" + escaped(a.name) + "'");
    for (const auto &[i, row] : llvm::enumerate(*rows))
      if (row.size() != b.choices.size())
        return entry.error(("perturbation[" + Twine(i) + "]").str(),
                           "found " + Twine(row.size()) + " numbers, expected " + Twine(b.choices.size()) +
                               ", the choices of '" + escaped(b.name) + "'");
    for (const auto &[i, row] : llvm::enumerate(*rows))
      for (double value : row)
        if (Error error = checkSize(entry, "perturbation[" + Twine(i) + "]", value))
          return error;
    pair.perturbation = std::move(*rows);
    return Error::success();
  }

  JsonReader &root;
  AssignmentProblem &problem;
  StringMap<size_t> groupOf;
  StringSet<> layers;
  std::set<std::pair<size_t, size_t>> paired;
};

} // namespace

Expected<AssignmentProblem> parseProblem(StringRef path, StringRef text) {
  Expected<json::Value> json = parseJson(path, text);
  if (!json)
    return json.takeError();
  Expected<JsonReader> root = JsonReader::root(path, *json);
  if (!root)
    return root.takeError();
  AssignmentProblem problem;
  if (Error error = ProblemReader(*root, problem).read())
    return error;
  return problem;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

std::string shortestText(double value) {
  char text[32];
  auto end = std::to_chars(text, text + sizeof(text), value == 0 ? 0.0 : value).ptr; // not printf: it has a locale
  return std::string(text, end);
}

static void writeCosts(json::OStream &json, const Costs &costs) {
  for (auto [name, cost] : llvm::zip(kCostNames, costs))
    if (cost) {
      json.attributeBegin(name);
      json.rawValue(shortestText(*cost));
      json.attributeEnd();
    }
}

static void writeNumber(json::OStream &json, StringRef key, double value) {
  json.attributeBegin(key);
  json.rawValue(shortestText(value));
  json.attributeEnd();
}

static void writeGroup(json::OStream &json, const ChoiceGroup &group) {
  json.attribute("name", group.name);
  json.attributeArray("layers", [&] {
    for (const std::string &layer : group.layers)
      json.value(layer);
  });
  json.attributeArray("choices", [&] {
    for (const BitChoice &choice : group.choices)
      json.object([&] {
        json.attribute("bits", choice.bits);
        writeNumber(json, "perturbation", choice.perturbation);
        writeCosts(json, choice.costs);
      });
  });
}

static void writePair(json::OStream &json, const AssignmentProblem &problem, const PairTerm &pair) {
  json.attribute("a", problem.groups[pair.a].name);
  json.attribute("b", problem.groups[pair.b].name);
  json.attributeArray("perturbation", [&] {
    for (const std::vector<double> &row : pair.perturbation)
      json.array([&] {
        for (double value : row)
          json.rawValue(shortestText(value));
      });
  });
}

std::string problemToJson(const AssignmentProblem &problem) {
  std::string text;
  raw_string_ostream stream(text);
  json::OStream json(stream, 2);
  json.object([&] {
    json.attribute("kind", "problem");
    json.attribute("version", kProblemVersion);
    if (!problem.model.empty())
      json.attribute("model", problem.model);
    json.attribute("producer", kProducer);
    json.attribute("objective", "perturbation");
    json.attributeObject("limits", [&] { writeCosts(json, problem.limits); });
    json.attributeArray("groups", [&] {
      for (const ChoiceGroup &group : problem.groups)
        json.object([&] { writeGroup(json, group); });
    });
    if (!problem.pairs.empty())
      json.attributeArray("pairs", [&] {
        for (const PairTerm &pair : problem.pairs)
          json.object([&] { writePair(json, problem, pair); });
      });
  });
  stream << "\n";
  return text;
}

} // namespace dyadic
