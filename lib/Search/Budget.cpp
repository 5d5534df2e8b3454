// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Search/Budget.h"
#include "ExactProblem.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using llvm::Expected;
using llvm::StringRef;

namespace dyadic {

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {

struct Unit {
  StringRef suffix;
  double factor;
};

/// A kind of limit: its name, its units (the first that ends the text counts), and an example for messages.
struct LimitKind {
  StringRef name;
  size_t cost; // position in kCostNames
  std::vector<Unit> units;
  StringRef example;
};

const std::array<LimitKind, kNumCosts> &limitKinds() {
  static const std::array<LimitKind, kNumCosts> kinds = {
      {{"latency", 0, {{"ms", 1}, {"us", 1e-3}}, "0.75x, 12ms or 800us"},
       {"size",
        1,
        {{"KiB", 1.0 / 1024}, {"MiB", 1}, {"KB", 1e3 / (1 << 20)}, {"MB", 1e6 / (1 << 20)}, {"B", 1.0 / (1 << 20)}},
        "0.5x, 800KB or 2MB"},
       {"bops", 2, {{"G", 1e9}, {"M", 1e6}, {"T", 1e12}, {"", 1}}, "0.5x, 3G or 1e9"},
       {"avg", 3, {{"", 1}}, "0.5x or 4.5 (bits a weight)"}}};
  return kinds;
}

/// The positive number that `text` is, times the factor of its unit.
std::optional<double> readNumber(StringRef text, llvm::ArrayRef<Unit> units) {
  for (const Unit &unit : units) {
    StringRef digits = text;
    double number = 0;
    if (digits.consume_back(unit.suffix) && !digits.empty() && !digits.getAsDouble(number))
      return number > 0 && std::isfinite(number) ? std::optional<double>(number * unit.factor) : std::nullopt;
  }
  return std::nullopt;
}

class BudgetReader {
public:
  BudgetReader(StringRef option, StringRef text, bool limitsCosts)
      : option(option), text(text), limitsCosts(limitsCosts) {
    budget.text = text.str();
  }

  Expected<Budget> read() {
    llvm::SmallVector<StringRef> parts;
    text.split(parts, ',');
    for (StringRef part : parts)
      if (llvm::Error error = readLimit(part))
        return std::move(error);
    return std::move(budget);
  }

private:
  llvm::Error fail(const llvm::Twine &what) { return makeError("--" + option + "=" + escaped(text) + ": " + what); }

  llvm::Error readLimit(StringRef part) {
    StringRef name, value;
    std::tie(name, value) = part.split(':');
    auto wrong = [&](StringRef example) { return fail(name + ":" + escaped(value) + ", expected " + example); };
    auto twice = [&] { return fail(name + " is limited twice, expected once"); };
    for (const LimitKind &kind : limitKinds())
      if (limitsCosts && name == kind.name) {
        std::optional<Budget::Limit> &limit = budget.costs[kind.cost];
        if (limit)
          return twice();
        std::optional<double> relative = readNumber(value, Unit{"x", 1}), absolute = readNumber(value, kind.units);
        if (!relative && !absolute)
          return wrong(kind.example);
        limit = Budget::Limit{relative ? *relative : *absolute, relative.has_value(), part.str()};
        return llvm::Error::success();
      }
    if (name == "drop") {
      if (budget.drop)
        return twice();
      budget.drop = readNumber(value, Unit{"%", 0.01});
      return budget.drop && *budget.drop < 1 ? llvm::Error::success() : wrong("0.5%, below 100%");
    }
    if (name == "sqnr") {
      if (budget.sqnr)
        return twice();
      budget.sqnr = readNumber(value, Unit{"dB", 1});
      return budget.sqnr ? llvm::Error::success() : wrong("25dB");
    }
    return fail("unknown limit '" + escaped(name) + "', expected " +
                (limitsCosts ? "latency, size, bops, avg, drop or sqnr" : "drop or sqnr"));
  }

  StringRef option, text;
  bool limitsCosts;
  Budget budget;
};

} // namespace

bool Budget::limitsCosts() const {
  return llvm::any_of(costs, [](const std::optional<Limit> &limit) { return limit.has_value(); });
}

Expected<Budget> parseBudget(StringRef text) { return BudgetReader("budget", text, /*limitsCosts=*/true).read(); }

Expected<Budget> parseAccuracy(StringRef option, StringRef text) {
  return BudgetReader(option, text, /*limitsCosts=*/false).read();
}

Expected<std::vector<BitWidths>> parseChoices(StringRef text) {
  std::vector<BitWidths> choices;
  llvm::SmallVector<StringRef> parts;
  text.split(parts, ',');
  for (StringRef part : parts) {
    auto bits = parseBits(part);
    if (!bits)
      return makeError("--choices=" + escaped(text) + ": '" + escaped(part) +
                       "', expected wXaY with X in 2..8 and Y in 2..16, separated by commas");
    if (llvm::any_of(choices, [&](BitWidths other) {
          return other.weights == bits->first && other.activations == bits->second;
        }))
      return makeError("--choices=" + escaped(text) + ": '" + escaped(part) + "' is given twice, expected once");
    choices.push_back({bits->first, bits->second});
  }
  return choices;
}

std::string bitsText(BitWidths widths) {
  return "w" + std::to_string(widths.weights) + "a" + std::to_string(widths.activations);
}

//===----------------------------------------------------------------------===//
// The problem
//===----------------------------------------------------------------------===//

std::vector<ChoiceGroup> choiceGroups(llvm::ArrayRef<SearchLayer> layers, llvm::ArrayRef<BitWidths> choices) {
  bool areTied = llvm::any_of(choices, [&](BitWidths widths) { return widths.activations != choices[0].activations; });
  llvm::MapVector<StringRef, ChoiceGroup> groups; // by the value that is read, or the layer
  for (const SearchLayer &layer : layers) {
    ChoiceGroup &group = groups[areTied ? layer.value : layer.id];
    if (group.layers.empty()) {
      group.name = layer.id;
      for (BitWidths widths : choices) {
        group.choices.emplace_back();
        group.choices.back().bits = bitsText(widths);
      }
    }
    group.layers.push_back(layer.id);
  }
  std::vector<ChoiceGroup> result;
  for (auto &[key, group] : groups)
    result.push_back(std::move(group));
  return result;
}

Expected<Costs> resolveLimits(const Budget &budget, llvm::ArrayRef<SearchLayer> layers,
                              llvm::ArrayRef<const CostModel *> models, const Costs &fixed) {
  AssignmentProblem uniform;
  uniform.groups = choiceGroups(layers, BitWidths{8, 8});
  if (llvm::Error error = addCosts(uniform, models))
    return std::move(error);
  double weights = 0;
  for (const SearchLayer &layer : layers)
    weights += static_cast<double>(layer.weights);
  // Sums of decimals of 17 digits may exceed the whole by the last of them.
  constexpr double kSlack = 1 + 0x1p-40;
  Costs limits;
  for (size_t k = 0; k < kNumCosts; ++k) {
    if (!budget.costs[k])
      continue;
    const Budget::Limit &limit = *budget.costs[k];
    // An average is of all weights, whatever layer they are in.
    bool isAverage = llvm::StringRef(kCostNames[k]) == "weight_bits";
    if (!limit.isRelative) {
      double whole = isAverage ? std::floor(limit.value * weights * kSlack) : limit.value * kSlack;
      limits[k] = std::max(0.0, whole - fixed[k].value_or(0));
      continue;
    }
    double sum = 0;
    for (const ChoiceGroup &group : uniform.groups) {
      if (!group.choices[0].costs[k])
        return makeError("--budget: " + limit.text + " needs a cost of layer '" + escaped(group.name) +
                         "' that is not known");
      sum += *group.choices[0].costs[k];
    }
    double beside = fixed[k].value_or(0);
    limits[k] = std::max(0.0, (sum + beside) * limit.value * kSlack - beside);
  }
  return limits;
}

void applyChoices(const AssignmentProblem &problem, const Choices &choices, Plan &plan) {
  for (auto [group, choice] : llvm::zip_equal(problem.groups, choices)) {
    auto bits = *parseBits(group.choices[choice].bits);
    for (const std::string &id : group.layers) {
      LayerPlan &layer = plan.layers[id];
      layer.weights = bits.first;
      layer.activations = bits.second;
    }
  }
}

std::optional<Choices> uniformChoices(const AssignmentProblem &problem) {
  ExactProblem exact(problem);
  std::optional<Choices> best;
  double least = 0, most = 0;
  for (const BitChoice &choice : problem.groups[0].choices) {
    Choices plan;
    double perturbation = 0, cost = 0;
    for (const ChoiceGroup &group : problem.groups) {
      auto found = llvm::find_if(group.choices, [&](const BitChoice &other) { return other.bits == choice.bits; });
      if (found == group.choices.end())
        break;
      plan.push_back(static_cast<size_t>(found - group.choices.begin()));
      perturbation += found->perturbation;
      cost += found->costs[2].value_or(0);
    }
    if (plan.size() != problem.groups.size() || !exact.meetsLimits(plan))
      continue;
    if (!best || perturbation < least || (perturbation == least && cost > most)) {
      best = std::move(plan);
      least = perturbation;
      most = cost;
    }
  }
  return best;
}

} // namespace dyadic
