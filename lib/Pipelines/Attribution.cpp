// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/Attribution.h"
#include "LayerwiseEvaluator.h"
#include "Parallel.h"
#include "PlanMeasurement.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/TensorTypes.h"
#include "dyadic/IR/Types.h"
#include "dyadic/IR/Window.h"
#include "dyadic/Pipelines/Compiler.h"
#include "dyadic/Pipelines/Diagnostics.h"
#include "dyadic/Pipelines/LayerWeights.h"
#include "dyadic/Support/Error.h"
#include "mlir/IR/IRMapping.h"
#include <set>

using namespace mlir;
using namespace dyadic::qnn;
using llvm::Error;
using llvm::Expected;

namespace dyadic {

/// Of what overrides can repair they may leave this part: 20 dB.
static constexpr double kLeft = 0.01;
/// What costs less alone than this part of the sum is not undone.
static constexpr double kNegligible = 1e-3;
/// Values with as many bits cost nothing.
static constexpr unsigned kWideBits = 15;
/// What a value is widened to, the first that its readers' sums allow.
static constexpr unsigned kWiderBits[] = {16, 14, 12, 10};

static Type elementOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

/// Layers with constant integer weights, by id.
static llvm::StringMap<Operation *> weightedLayers(ModuleOp quantized) {
  llvm::StringMap<Operation *> found;
  for (Operation *op : layersOf(entryFunction(quantized)))
    if (isa<ConvOp, MatmulOp>(op) && isa<quant::QuantizedType>(elementOf(op->getOperand(1))) &&
        ConstantView(op->getOperand(1)))
      found[cast<LayerOpInterface>(op).getIdAttr().getValue()] = op;
  return found;
}

/// A copy before `op` of the constant `value` of another module.
static Value copyConstant(Value value, Operation *op) {
  OpBuilder builder(op);
  IRMapping mapping;
  SmallVector<Operation *> chain; // the constant comes last
  for (Operation *next = value.getDefiningOp(); next;
       next = next->getNumOperands() ? next->getOperand(0).getDefiningOp() : nullptr)
    chain.push_back(next);
  for (Operation *next : llvm::reverse(chain))
    builder.clone(*next, mapping);
  return mapping.lookup(value);
}

/// Gives layers whose weights have as many bits in `from` those weights, and the bias that belongs to them.
static void takeWeights(ModuleOp quantized, ModuleOp from) {
  llvm::StringMap<Operation *> others = weightedLayers(from);
  for (auto &[id, op] : weightedLayers(quantized)) {
    Operation *other = others.lookup(id);
    if (!other || quantInfo(elementOf(op->getOperand(1)))->bits != quantInfo(elementOf(other->getOperand(1)))->bits)
      continue;
    Value weights = copyConstant(other->getOperand(1), op);
    setWeights(op, weights, other->getNumOperands() == 3 ? copyConstant(other->getOperand(2), op) : Value());
  }
  eraseDead(entryFunction(quantized));
}

namespace {

class Attributor {
public:
  explicit Attributor(const AttributionRequest &request)
      : request(request), search(request.search), measurement(request.search) {}

  Expected<AttributionResult> run() {
    result.report.metric = request.metric;
    if (Error error = measurement.prepare())
      return std::move(error);
    if (Error error = measurement.checkDrop(request.target, "--attribution-target"))
      return std::move(error);
    for (auto step : {&Attributor::describeDecisions, &Attributor::measureAlone, &Attributor::measureBase,
                      &Attributor::measureAll, &Attributor::measureDecisions, &Attributor::repair})
      if (Error error = (this->*step)())
        return std::move(error);
    return std::move(result);
  }

private:
  std::vector<AttributedCost> &costs() { return result.report.costs; }
  bool byError() const { return decidesByError(request.metric); }
  double badness(const MeasuredPlan &plan) const { return byError() ? plan.error : plan.divergence; }

  Error describeDecisions() {
    DiagnosticCollector diagnostics(search.floatModule->getContext());
    std::vector<std::vector<std::string>> values;
    if (failed(searchLayers(search.floatModule, *search.plan, layers)) ||
        failed(storedValues(search.floatModule, *search.plan, values)))
      return diagnostics.takeError(search.file, "cannot be quantized");
    for (const SearchLayer &layer : layers)
      addLayer(layer);
    auto stored = readStored();
    if (!stored)
      return stored.takeError();
    for (std::vector<std::string> &group : values) {
      llvm::erase_if(group, [&](const std::string &id) { return !stored->count(id); });
      if (!group.empty())
        addValues(std::move(group));
    }
    return Error::success();
  }

  void addLayer(const SearchLayer &layer) {
    AttributedCost cost;
    cost.ids = {layer.id};
    LayerPlan widths = request.complete->layers.at(layer.id);
    cost.bits = *widths.weights;
    if (cost.bits < 8) {
      cost.instead = 8;
      auto size = [&](unsigned bits) { return *WeightCostModel::layerCosts(layer, {bits, *widths.activations})[1]; };
      cost.bytes = (size(8) - size(cost.bits)) * (1 << 20);
    }
    costs().push_back(std::move(cost));
  }

  void addValues(std::vector<std::string> group) {
    AttributedCost cost;
    cost.isValue = true;
    cost.bits = 16;
    for (const std::string &id : group) {
      const ValuePlan &value = request.complete->values.at(id);
      cost.bits = std::min(cost.bits, value.operandBits.value_or(*value.bits));
    }
    cost.instead = 16;
    cost.ids = std::move(group);
    if (cost.bits < kWideBits)
      costs().push_back(std::move(cost));
  }

  /// Ids of the values that the program stores; others are accumulators.
  Expected<std::set<std::string>> readStored() {
    OwningOpRef<ModuleOp> module = ModuleOp(request.quantized).clone();
    if (Error error = lowerToIntegers(*module, search.file, *request.complete, {false, /*exposeValues=*/true}))
      return std::move(error);
    auto signature = readSignature(*module);
    if (!signature)
      return signature.takeError();
    std::set<std::string> stored;
    for (const BoundaryTensor &value : ArrayRef(signature->outputs).take_back(signature->numValues))
      if (value.scales.size() == 1 && value.type != ElementType::S32 && value.type != ElementType::F32)
        stored.insert(value.name);
    func::FuncOp function = entryFunction(search.floatModule);
    for (BlockArgument argument : function.getArguments())
      if (isa<FloatType>(elementOf(argument)))
        stored.insert(argumentName(function, argument.getArgNumber()).str());
    return std::move(stored);
  }

  /// What decisions cost in the float program: there their noise adds up, while what one takes away from a program with
  /// all of them depends on the others.
  Error measureAlone() {
    std::vector<Sample> samples;
    for (size_t index : search.heldBack) {
      auto sample = search.samples->read(index);
      if (!sample)
        return sample.takeError();
      samples.push_back(std::move(*sample));
    }
    auto evaluator =
        LayerwiseEvaluator::create(search.floatModule, *search.table, std::move(samples), {}, *search.kernels);
    if (!evaluator)
      return evaluator.takeError();
    std::vector<SensitivityKey> keys;
    std::vector<size_t> owners; // in costs()
    for (auto [i, cost] : llvm::enumerate(costs()))
      for (const std::string &id : cost.ids) {
        keys.push_back({cost.isValue, id, cost.bits});
        owners.push_back(i);
      }
    size_t metric = *metricIndex(request.metric);
    std::vector<int64_t> units(costs().size());
    std::mutex mutex;
    Error error = parallelFor(search.heldBack.size(), [&](size_t sample) {
      return (*evaluator)->run(sample, keys, [&](size_t key, const PerturbedNetwork &network) {
        int64_t cost = sensitivityUnits(sensitivityMetrics()[metric]->measure(network));
        std::lock_guard<std::mutex> lock(mutex);
        units[owners[key]] += cost;
      });
    });
    if (error)
      return fileError(search.file, llvm::toString(std::move(error)));
    for (auto [cost, sum] : llvm::zip(costs(), units))
      cost.alone = sensitivityOf(sum) / static_cast<double>(search.heldBack.size());
    sortCosts();
    return Error::success();
  }

  /// Of equals the first in the program.
  void sortCosts() {
    std::vector<std::pair<double, size_t>> order;
    for (auto [i, cost] : llvm::enumerate(costs()))
      order.emplace_back(-cost.alone, i);
    llvm::sort(order);
    std::vector<AttributedCost> sorted;
    for (auto [cost, i] : order)
      sorted.push_back(std::move(costs()[i]));
    costs() = std::move(sorted);
  }

  /// The integer program of a plan, with the weights of the one at hand wherever their bits are the same.
  Expected<OwningOpRef<ModuleOp>> lower(Plan plan) {
    auto ranges = chooseRanges(search.floatModule, search.file, *search.table, plan);
    if (!ranges)
      return ranges.takeError();
    OwningOpRef<ModuleOp> module = ModuleOp(search.floatModule).clone();
    if (Error error = quantizeTypes(*module, search.file, *ranges, plan))
      return std::move(error);
    takeWeights(*module, request.quantized);
    if (Error error = lowerToIntegers(*module, search.file, plan, {}))
      return std::move(error);
    return std::move(module);
  }

  Expected<MeasuredPlan> measure(ModuleOp integers) {
    if (search.listener->isInterrupted && search.listener->isInterrupted())
      return makeError("interrupted");
    return measurement.measureProgram(integers);
  }

  Error measureBase() {
    OwningOpRef<ModuleOp> module = ModuleOp(request.quantized).clone();
    if (Error error = lowerToIntegers(*module, search.file, *request.complete, {}))
      return error;
    auto measured = measurement.measureProgram(*module);
    if (!measured)
      return measured.takeError();
    result.report.plan = std::move(*measured);
    return Error::success();
  }

  /// Gives what `cost` is about so many bits; without, the layer stays in float.
  void change(const AttributedCost &cost, std::optional<unsigned> bits, Plan &plan) const {
    for (const std::string &id : cost.ids) {
      if (cost.isValue)
        widen(id, *bits, plan);
      else if (bits)
        plan.layers[id].weights = bits;
      else
        plan.layers[id].isFloat = true;
    }
  }

  void widen(const std::string &id, unsigned bits, Plan &plan) const {
    ValuePlan &value = plan.values[id];
    value.bits = bits;
    value.operandBits.reset();
    if (bits > 15)
      value.isSigned.reset(); // 16 bits are signed
    for (const SearchLayer &layer : layers)
      if (auto entry = plan.layers.find(layer.id); layer.value == id && entry != plan.layers.end())
        if (entry->second.activations)
          entry->second.activations = bits;
  }

  /// A plan that was changed, and its program.
  struct Changed {
    Plan plan;
    OwningOpRef<ModuleOp> module;
  };

  /// The program with `cost` undone too, in `bits`; where sums of a widened value do not fit, in fewer, which `bits`
  /// becomes. Nothing where none fit; an error where a layer cannot be changed.
  Expected<std::optional<Changed>> undo(const AttributedCost &cost, std::optional<unsigned> &bits, const Plan &plan) {
    SmallVector<std::optional<unsigned>> widths{bits};
    if (cost.isValue)
      for (unsigned narrower : kWiderBits)
        if (narrower < *bits && narrower > cost.bits)
          widths.push_back(narrower);
    for (std::optional<unsigned> width : widths) {
      bits = width;
      Plan changed = plan;
      change(cost, width, changed);
      if (!width)
        changed.adds.clear(); // a float layer has no accumulator that an addition could be told to read
      auto module = lower(changed);
      if (module)
        return std::optional(Changed{std::move(changed), std::move(*module)});
      if (!cost.isValue)
        return module.takeError();
      llvm::consumeError(module.takeError()); // sums that leave 32 bits
    }
    return std::optional<Changed>();
  }

  /// Decisions that can be overridden in integers, the most costly first.
  static SmallVector<AttributedCost *> overridable(std::vector<AttributedCost> &costs) {
    SmallVector<AttributedCost *> found;
    for (AttributedCost &cost : costs)
      if (cost.instead)
        found.push_back(&cost);
    return found;
  }

  /// The given plan with the first `count` overrides, and in `taken` what became of them: widths that are legal one by
  /// one need not be so together.
  Expected<Changed> overridden(size_t count, std::vector<AttributedCost> &taken) {
    taken = costs();
    SmallVector<AttributedCost *> overrides = overridable(taken);
    overrides.truncate(count);
    Changed all{*search.plan, {}};
    for (AttributedCost *cost : overrides) {
      change(*cost, cost->instead, all.plan);
      cost->overridden = cost->instead;
    }
    auto module = lower(all.plan);
    if (module) {
      all.module = std::move(*module);
      return std::move(all);
    }
    llvm::consumeError(module.takeError());
    Changed changed{*search.plan, {}};
    for (AttributedCost *cost : overrides) {
      std::optional<unsigned> bits = cost->instead;
      auto wider = undo(*cost, bits, changed.plan);
      bool isWider = wider && *wider;
      cost->overridden = isWider ? bits : std::nullopt;
      if (isWider)
        changed = std::move(**wider);
      else
        llvm::consumeError(wider.takeError()); // wide weights after wide values
    }
    if (!changed.module)
      return makeError("no decision can be overridden");
    return std::move(changed);
  }

  /// What the first `count` overrides leave.
  Expected<MeasuredPlan> measureOverridden(size_t count) {
    std::vector<AttributedCost> taken;
    auto changed = overridden(count, taken);
    if (!changed)
      return changed.takeError();
    return measure(*changed->module);
  }

  /// Whether overrides are enough.
  bool isRepaired(const MeasuredPlan &plan) const {
    const AttributionReport &report = result.report;
    const Budget &target = request.target;
    if (!target.drop && !target.sqnr)
      return badness(plan) <= badness(*report.all) + kLeft * (badness(report.plan) - badness(*report.all));
    return plan.meets(target.drop, target.sqnr);
  }

  /// With all overrides; known before the long part, since a target that this misses is an error.
  Error measureAll() {
    size_t count = overridable(costs()).size();
    if (count == 0)
      return Error::success();
    auto all = measureOverridden(count);
    if (!all)
      return fileError(search.file, llvm::toString(all.takeError()));
    result.report.all = std::move(*all);
    bool hasTarget = request.target.drop || request.target.sqnr;
    if (hasTarget && !isRepaired(*result.report.all))
      return fileError(search.file, "--attribution-target=" + escaped(request.target.text) +
                                        ": with everything wider in integers the program has " +
                                        accuracyText(*result.report.all));
    return Error::success();
  }

  Error measureDecisions() {
    auto progress = search.listener->stage("attributing");
    double base = badness(result.report.plan), sum = 0;
    for (const AttributedCost &cost : costs())
      sum += cost.alone;
    for (auto [i, cost] : llvm::enumerate(costs())) {
      progress(i, costs().size());
      if (cost.alone < kNegligible * sum)
        continue;
      std::optional<unsigned> bits = cost.instead;
      auto changed = undo(cost, bits, *search.plan);
      if (!changed)
        return changed.takeError();
      if (!*changed)
        continue;
      cost.instead = bits;
      auto without = measure(*(*changed)->module);
      if (!without)
        return without.takeError();
      cost.share = base > 0 ? 1 - badness(*without) / base : 0;
      cost.measured = std::move(*without);
    }
    progress(costs().size(), costs().size());
    return Error::success();
  }

  Error repair() {
    AttributionReport &report = result.report;
    result.plan = *search.plan;
    bool helps = report.all && report.all->isBetterThan(report.plan, byError());
    if (!helps || isRepaired(report.plan))
      return Error::success();
    report.repaired = report.all;
    size_t high = overridable(costs()).size();
    for (size_t low = 1; low < high;) {
      size_t middle = (low + high) / 2;
      auto measured = measureOverridden(middle);
      if (!measured)
        return measured.takeError();
      bool isEnough = isRepaired(*measured);
      (isEnough ? high : low) = isEnough ? middle : middle + 1;
      if (isEnough)
        report.repaired = std::move(*measured);
    }
    std::vector<AttributedCost> taken;
    auto changed = overridden(high, taken);
    if (!changed)
      return changed.takeError();
    result.plan = std::move(changed->plan);
    report.costs = std::move(taken);
    report.overrides = llvm::count_if(report.costs, [](const AttributedCost &cost) { return cost.overridden; });
    return Error::success();
  }

  const AttributionRequest &request;
  const PlanSearchRequest &search;
  PlanMeasurement measurement;
  std::vector<SearchLayer> layers;
  AttributionResult result;
};

} // namespace

Expected<AttributionResult> attribute(const AttributionRequest &request) { return Attributor(request).run(); }

} // namespace dyadic
