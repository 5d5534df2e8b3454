// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Pipelines/PlanSearch.h"
#include "LayerwiseEvaluator.h"
#include "PlanMeasurement.h"
#include "SearchCache.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/Pipelines/Compiler.h"
#include "dyadic/Pipelines/Diagnostics.h"
#include "dyadic/Support/Error.h"
#include "dyadic/Support/Files.h"
#include "dyadic/Support/Quantizer.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/SHA256.h"
#include "llvm/TargetParser/Host.h"
#include <chrono>
#include <set>

using namespace mlir;
using namespace dyadic::qnn;
using llvm::Error;
using llvm::Expected;

namespace dyadic {

/// Sensitivities are measured with about so many multiply-accumulates for each layer and width, on samples between
/// these numbers where there are as many: the search takes seconds, and small networks get the samples that they need.
static constexpr int64_t kMacs = 4'000'000'000;
static constexpr size_t kFewestSamples = 12, kMostSamples = 128;
/// Plans that refinement measures: generations times children.
static constexpr size_t kGenerations = 8, kOffspring = 6;
/// What a refined plan measures, relative to the one that it was refined from, has to be less than this.
static constexpr double kRefinedFitness = 0.8;
/// Plans of the front among which the cheapest that is accurate enough is looked for.
static constexpr size_t kFrontPoints = 24;
/// Position in kCostNames of what a budget without costs saves.
static constexpr size_t kSizeCost = 1;

std::vector<BitWidths> defaultChoices(const Budget &budget) {
  std::vector<BitWidths> choices;
  bool costsOperations = budget.costs[0] || budget.costs[2];
  for (unsigned weights : {2, 3, 4, 5, 6, 8})
    for (unsigned activations : {4, 8, 12, 16})
      if (activations == 8 || (costsOperations && (activations == 4 || weights == 8)))
        choices.push_back({weights, activations});
  return choices;
}

namespace {

class PlanSearcher {
public:
  explicit PlanSearcher(const PlanSearchRequest &request) : request(request), settings(*request.settings) {}

  Expected<PlanSearchResult> run() {
    start = std::chrono::steady_clock::now();
    for (auto step : {&PlanSearcher::describeLayers, &PlanSearcher::dropIllegalChoices, &PlanSearcher::readSamples,
                      &PlanSearcher::openCache, &PlanSearcher::findSensitivities, &PlanSearcher::addPerturbations,
                      &PlanSearcher::addAllCosts, &PlanSearcher::choose, &PlanSearcher::drawFront})
      if (Error error = (this->*step)())
        return std::move(error);
    result.plan = *request.plan;
    applyChoices(problem, chosen, result.plan);
    result.fitted = std::move(fittedPrograms[chosen]);
    describe();
    return std::move(result);
  }

  Expected<std::optional<SensitivityTable>> measureAlone() {
    start = std::chrono::steady_clock::now();
    for (auto step : {&PlanSearcher::describeLayers, &PlanSearcher::dropIllegalChoices, &PlanSearcher::readSamples,
                      &PlanSearcher::openCache})
      if (Error error = (this->*step)())
        return std::move(error);
    if (samples.empty() && request.samples)
      return std::nullopt;
    if (Error error = findSensitivities())
      return std::move(error);
    return std::move(table);
  }

private:
  Error fail(const llvm::Twine &what) { return fileError(request.file, what); }
  Error failBudget(const llvm::Twine &what) {
    return fileError(request.file, "--budget=" + escaped(settings.budget.text) + ": " + what);
  }

  bool isInterrupted() const { return request.listener->isInterrupted && request.listener->isInterrupted(); }
  /// Whether the time limit is over; that it was is said in the report.
  bool isOver() {
    std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    if (!settings.timeLimit || elapsed.count() < *settings.timeLimit)
      return false;
    wasOver = true;
    return true;
  }

  //===--------------------------------------------------------------------===//
  // Layers and their choices
  //===--------------------------------------------------------------------===//

  Error describeLayers() {
    DiagnosticCollector diagnostics(request.floatModule->getContext());
    if (failed(searchLayers(request.floatModule, *request.plan, layers)))
      return diagnostics.takeError(request.file, "cannot be quantized");
    if (layers.empty())
      return failBudget("no layer has weights, expected one whose bits can be chosen");
    for (Operation *op : layersOf(entryFunction(request.floatModule)))
      if (isa<ConvOp, MatmulOp>(op) && ConstantView(op->getOperand(1)))
        if (StringAttr id = cast<LayerOpInterface>(op).getIdAttr())
          weights[id.str()] = layerWeights(op);
    choices = settings.choices.empty() ? defaultChoices(settings.budget) : settings.choices;
    problem.model = request.plan->model;
    problem.groups = choiceGroups(layers, choices);
    return Error::success();
  }

  const SearchLayer &layer(llvm::StringRef id) const {
    return *llvm::find_if(layers, [&](const SearchLayer &layer) { return layer.id == id; });
  }

  /// Whether no sum of the layer can leave 32 bits.
  bool isLegal(const SearchLayer &layer, BitWidths widths) const {
    const LayerWeights &of = weights.find(layer.id)->second;
    StorageRange input = storageRange(widths.activations, widths.activations > 15);
    int64_t most = std::max(input.max, -input.min);
    auto count = static_cast<int64_t>(of.weights.size() / of.numChannels());
    // The bias takes less than half of the range, see quantizeChannel.
    if (count * weightRange(widths.weights).max * most < (int64_t(1) << 30))
      return true;
    auto value = request.table->values.find(layer.value);
    if (value == request.table->values.end())
      return true; // an error follows
    StorageGrid grid = gridOf(value->second, request.table->method, widths.activations);
    for (size_t c = 0; c < of.numChannels(); ++c) {
      std::vector<float> numbers = of.channel(c);
      float bias = of.bias.empty() ? 0 : of.bias[c];
      QuantizedChannel stored =
          quantizeChannel(numbers.data(), numbers.size(), widths.weights, bias, grid.scale, grid.zeroPoint);
      std::vector<int64_t> integers(stored.weights.begin(), stored.weights.end());
      StorageRange sums =
          accumulatorRange(integers.data(), integers.size(), foldedBias(bias, grid.scale, grid.zeroPoint, stored),
                           grid.range.min, grid.range.max);
      if (sums.min < INT32_MIN || sums.max > INT32_MAX)
        return false;
    }
    return true;
  }

  Error dropIllegalChoices() {
    for (ChoiceGroup &group : problem.groups) {
      llvm::erase_if(group.choices, [&](const BitChoice &choice) {
        auto bits = *parseBits(choice.bits);
        return llvm::any_of(group.layers,
                            [&](const std::string &id) { return !isLegal(layer(id), {bits.first, bits.second}); });
      });
      if (group.choices.empty())
        return nodeError(request.file, group.name,
                         "no choice of bits keeps its sums within 32 bits, expected narrower ones");
    }
    return Error::success();
  }

  //===--------------------------------------------------------------------===//
  // Sensitivities
  //===--------------------------------------------------------------------===//

  /// Those that calibrated nothing; where no weights are fitted then others too, as only ranges were chosen from them.
  Error readSamples() {
    if (!request.samples)
      return Error::success();
    isFitted =
        request.weightRounding != WeightRounding::Nearest && !request.calibration.empty() && !request.heldBack.empty();
    int64_t macs = 1;
    for (const SearchLayer &layer : layers)
      macs += layer.macs;
    size_t count = std::clamp(static_cast<size_t>(kMacs / macs), kFewestSamples, kMostSamples);
    std::vector<size_t> indices(request.heldBack);
    if (indices.size() > count)
      indices.resize(count);
    if (!isFitted)
      for (size_t index : request.calibration)
        if (indices.size() < count && !llvm::is_contained(indices, index))
          indices.push_back(index);
    llvm::sort(indices);
    for (size_t index : indices) {
      auto sample = request.samples->read(index);
      if (!sample)
        return sample.takeError();
      std::string hash = sampleHash(*sample);
      if (llvm::is_contained(hashes, hash))
        continue; // the same once more
      hashes.push_back(std::move(hash));
      samples.push_back(std::move(*sample));
    }
    request.part.keep(hashes);
    request.part.keep(samples);
    return Error::success();
  }

  bool usesTraces() const { return settings.metric == kTraceMetric; }

  std::vector<SensitivityKey> neededKeys() const {
    std::set<SensitivityKey> keys;
    bool tellsActivations =
        llvm::any_of(choices, [&](BitWidths widths) { return widths.activations != choices[0].activations; });
    for (const ChoiceGroup &group : problem.groups)
      for (const BitChoice &choice : group.choices) {
        auto [weightBits, activationBits] = *parseBits(choice.bits);
        for (const std::string &id : group.layers) {
          if (!usesTraces())
            keys.insert({false, id, weightBits});
          else if (table.traces.empty())
            keys.insert({false, id, 0}); // no trace was imported
          if (tellsActivations)
            keys.insert({true, layer(id).value, activationBits});
        }
      }
    return {keys.begin(), keys.end()};
  }

  /// What ranges depend on.
  std::string calibrationHash() const {
    std::string text = toJson(*request.table);
    return llvm::toHex(llvm::SHA256::hash(llvm::arrayRefFromStringRef(text)), /*LowerCase=*/true);
  }

  /// What was measured of a plan is that of these samples on this machine, whose float kernels round in their own
  /// order.
  Error openCache() {
    if (settings.cacheFolder.empty())
      return Error::success();
    std::vector<std::string> key = {problem.model, calibrationHash(), "samples"};
    llvm::append_range(key, hashes);
    key.push_back("calibration");
    for (size_t index : isFitted ? request.calibration : std::vector<size_t>())
      key.push_back(std::to_string(index));
    key.push_back(isFitted ? "fitted" : "nearest");
    std::vector<std::string> sensitivityKey = key;
    key.push_back("held back");
    for (size_t index : request.heldBack)
      key.push_back(std::to_string(index));
    key.push_back(planToJson(*request.plan, /*statesDefaults=*/true));
    key.push_back(std::to_string(static_cast<int>(request.weightRounding)));
    key.push_back(llvm::sys::getHostCPUName().str());
    if (usesTraces())
      sensitivityKey.push_back(kTraceMetric.str());
    if (settings.sensitivityFile.empty())
      cachedSensitivity = settings.cacheFolder + "/sensitivity-" + cacheKey(sensitivityKey) + ".json";
    auto opened = SearchCache::open(settings.cacheFolder + "/plans-" + cacheKey(key) + ".json", problem.model);
    if (!opened)
      return opened.takeError();
    cache = std::move(*opened);
    return Error::success();
  }

  /// The table in the file, or in the first of several; the others are added to it.
  Error readSensitivityFiles() {
    if (!cachedSensitivity.empty() && llvm::sys::fs::exists(cachedSensitivity)) {
      auto cached = readSensitivity(cachedSensitivity);
      if (!cached)
        return cached.takeError();
      table = std::move(*cached);
    }
    if (settings.sensitivityFile.empty() ||
        (settings.moreSensitivityFiles.empty() && !llvm::sys::fs::exists(settings.sensitivityFile)))
      return Error::success();
    auto first = readSensitivity(settings.sensitivityFile);
    if (!first)
      return first.takeError();
    table = std::move(*first);
    for (const std::string &path : settings.moreSensitivityFiles) {
      auto more = readSensitivity(path);
      if (!more)
        return more.takeError();
      if (Error error = mergeSensitivity(table, *more, path))
        return error;
    }
    return Error::success();
  }

  Expected<SensitivityTable> readSensitivity(const std::string &path) {
    auto buffer = readFile(path);
    if (!buffer)
      return buffer.takeError();
    std::string text = (*buffer)->getBuffer().str();
    if (path == cachedSensitivity) {
      auto unsealed = unseal(path, text);
      if (!unsealed)
        return unsealed.takeError();
      text = std::move(*unsealed);
    }
    auto parsed = parseSensitivity(path, text);
    if (!parsed)
      return parsed.takeError();
    if (Error error = checkModel(parsed->header, path, problem.model))
      return std::move(error);
    if (usesTraces() || (samples.empty() && table.sums.empty()))
      table.rounding = parsed->rounding; // no weights are rounded here
    if (parsed->rounding != table.rounding)
      return fileError(path, "rounding is '" + escaped(parsed->rounding) + "', expected '" + table.rounding + "'");
    if (!parsed->calibration.empty() && parsed->calibration != calibrationHash())
      return fileError(path, "was measured with the ranges of another calibration, expected those of this one");
    return std::move(*parsed);
  }

  Error findSensitivities() {
    table.header.kind = SensitivityTable::kKind.str();
    table.header.version = SensitivityTable::kVersion;
    table.header.model = problem.model;
    table.rounding = isFitted && !usesTraces() ? "gptq" : "nearest";
    if (Error error = readSensitivityFiles())
      return error;
    SensitivityRequest wanted;
    wanted.keys = neededKeys();
    wanted.samples = hashes;
    if (!table.traces.empty() && usesTraces())
      for (const SearchLayer &layer : layers)
        if (!table.traces.count(layer.id))
          return nodeError(settings.sensitivityFile.empty() ? request.file : settings.sensitivityFile, layer.id,
                           "no trace of the Hessian, expected one in --sensitivity=FILE.json");
    if ((isFitted && !usesTraces()) || llvm::any_of(wanted.keys, [](const SensitivityKey &key) { return key.isValue; }))
      table.calibration = calibrationHash();
    bool isComplete = llvm::all_of(wanted.keys, [&](const SensitivityKey &key) { return table.sums.count(key); });
    if (samples.empty())
      return isComplete ? Error::success()
                        : fail("no samples to measure sensitivities with, expected --calibration=PATH with inputs, or "
                               "a complete --sensitivity=FILE.json");
    auto fitted = fitLayers();
    if (!fitted)
      return fitted.takeError();
    auto created = LayerwiseEvaluator::create(request.floatModule, *request.table, samples, std::move(*fitted));
    if (!created)
      return created.takeError();
    evaluator = std::move(*created);
    if (wanted.keys.empty())
      return Error::success();
    if (!settings.sensitivityFile.empty() && settings.moreSensitivityFiles.empty())
      wanted.save = [&](const SensitivityTable &done) { return writeFile(settings.sensitivityFile, toJson(done)); };
    else if (!cachedSensitivity.empty())
      wanted.save = [&](const SensitivityTable &done) { return writeFile(cachedSensitivity, seal(toJson(done))); };
    wanted.progress = request.listener->stage("measuring sensitivities");
    wanted.isInterrupted = request.listener->isInterrupted;
    wanted.isOver = [this] { return isOver(); };
    if (Error error = measureSensitivity(table, wanted, *evaluator))
      return fileError(isComplete || table.samples.empty() || settings.sensitivityFile.empty()
                           ? request.file
                           : settings.sensitivityFile,
                       llvm::toString(std::move(error)));
    return Error::success();
  }

  /// The weights of all layers at all of their widths, also those that the table alone has, where they are fitted.
  Expected<AloneWeights> fitLayers() {
    if (!isFitted)
      return AloneWeights();
    std::map<std::string, std::set<unsigned>> bits;
    for (const ChoiceGroup &group : problem.groups)
      for (const BitChoice &choice : group.choices)
        for (const std::string &id : group.layers)
          bits[id].insert(parseBits(choice.bits)->first);
    for (const auto &[key, sums] : table.sums)
      if (!key.isValue && !key.isProbe())
        bits[key.id].insert(key.bits);
    auto fitted = fitAlone(request.floatModule, *request.evaluator, *request.samples, request.calibration, bits,
                           request.listener->stage("fitting layers"));
    if (!fitted)
      return fail(llvm::toString(fitted.takeError()));
    return fitted;
  }

  /// A group perturbs by its layers' weights and by the value that they read, as if these did not know each other.
  Error addPerturbations() {
    size_t metric = usesTraces() ? *metricIndex("kl") : *metricIndex(settings.metric);
    for (ChoiceGroup &group : problem.groups)
      for (BitChoice &choice : group.choices) {
        auto [weightBits, activationBits] = *parseBits(choice.bits);
        for (const std::string &id : group.layers) {
          const LayerWeights &of = weights.find(id)->second;
          if (!usesTraces())
            choice.perturbation += table.mean({false, id, weightBits}, metric);
          else if (table.traces.empty())
            choice.perturbation +=
                curvatureSensitivity(table.mean({false, id, 0}, 0), of.weights, of.rounded(weightBits));
          else
            choice.perturbation += traceSensitivity(table.traces[id], of.weights, of.rounded(weightBits));
        }
        SensitivityKey value{true, layer(group.layers[0]).value, activationBits};
        if (table.sums.count(value))
          choice.perturbation += table.mean(value, metric);
      }
    return Error::success();
  }

  //===--------------------------------------------------------------------===//
  // Costs
  //===--------------------------------------------------------------------===//

  Error addAllCosts() {
    if (settings.budget.costs[0] && !request.latency)
      return failBudget("latency needs measured times, expected a table of them");
    WeightCostModel counted(layers);
    std::vector<const CostModel *> models = {&counted};
    if (request.latency)
      models.push_back(request.latency);
    if (Error error = addCosts(problem, models))
      return fail(llvm::toString(std::move(error)));
    auto limits = resolveLimits(settings.budget, layers, models, request.fixed);
    if (!limits)
      return fail(llvm::toString(limits.takeError()));
    problem.limits = *limits;
    return Error::success();
  }

  //===--------------------------------------------------------------------===//
  // The choice
  //===--------------------------------------------------------------------===//

  SolveOptions solveOptions() const {
    SolveOptions options;
    options.isInterrupted = request.listener->isInterrupted;
    return options;
  }

  /// Stopped by the clock, the solver has a plan and its bound.
  SolveOptions limitedOptions() {
    SolveOptions options;
    options.isInterrupted = [this] { return isInterrupted() || isOver(); };
    return options;
  }

  Error choose() {
    const Budget &budget = settings.budget;
    if ((budget.drop || budget.sqnr) && (!request.floatProgram || request.heldBack.empty()))
      return failBudget("no held-back samples to measure accuracy with, expected --calibration=PATH with inputs");
    if (request.floatProgram && !request.heldBack.empty()) {
      measurement.emplace(request);
      if (Error error = measurement->prepare())
        return error;
    }
    if (measurement)
      if (Error error = measurement->checkDrop(budget, "--budget"))
        return error;
    return budget.limitsCosts() ? chooseWithin() : chooseCheapest();
  }

  /// The best plan within the limits.
  Error chooseWithin() {
    auto solved = solve(problem, limitedOptions());
    if (!solved)
      return fail(llvm::toString(solved.takeError()));
    solution = std::move(*solved);
    if (solution.status == SolveStatus::Unknown && !isInterrupted()) { // no time for a plan
      SolveOptions greedy;
      greedy.solver = SolverKind::Greedy;
      auto quick = solve(problem, greedy);
      if (!quick)
        return fail(llvm::toString(quick.takeError()));
      solution = std::move(*quick);
    }
    if (solution.status == SolveStatus::Infeasible)
      return failBudget("no choice of bits is within it" + nearestText());
    if (solution.choices.empty())
      return failBudget("interrupted before a plan was found");
    chosen = solution.choices;
    if (Error error = refine())
      return error;
    if (Error error = compareWithUniform())
      return error;
    if (measurement && !isAccurate(result.report.measured[0]))
      return failBudget("the best plan within its costs has " + accuracyText(result.report.measured[0]));
    return Error::success();
  }

  std::string limitText(size_t k, double value) const {
    llvm::StringRef name = kCostNames[k];
    if (name == "size_mb")
      return "size " + llvm::formatv("{0:F0} B", std::ceil(value * (1 << 20))).str();
    if (name == "weight_bits") {
      double count = 0;
      for (const SearchLayer &layer : layers)
        count += static_cast<double>(layer.weights);
      return "avg " + shortestText(std::ceil(value / count * 1e6) / 1e6);
    }
    if (name == "bops")
      return "bops " + shortestText(value);
    return "latency " + llvm::formatv("{0:F4}", std::ceil((value + request.fixed[k].value_or(0)) * 1e4) / 1e4).str() +
           "ms";
  }

  std::string nearestText() const {
    std::vector<std::string> lines;
    for (size_t k = 0; k < kNumCosts; ++k)
      if (solution.nearest.alone[k])
        lines.push_back(limitText(k, *solution.nearest.alone[k]) + " would do");
    if (lines.empty() && solution.nearest.factor)
      for (size_t k = 0; k < kNumCosts; ++k)
        if (solution.nearest.together[k])
          lines.push_back(limitText(k, *solution.nearest.together[k]) + ", with the others together, would do");
    llvm::sort(lines);
    std::string text;
    for (const std::string &line : lines)
      text += "\n  " + line;
    return text;
  }

  /// Sums of `values` of even and of odd samples.
  static std::array<double, 2> halves(llvm::ArrayRef<double> values) {
    std::array<double, 2> sums = {0, 0};
    for (auto [i, value] : llvm::enumerate(values))
      sums[i % 2] += value;
    return sums;
  }

  /// Sums of sensitivities are not what a plan measures: exchanges of choices between layers that make the measured
  /// plan better are kept (EvoPress), but only those that do so on either half of the samples, and all together by
  /// much: what fits a few samples is no gain on others.
  Error refine() {
    if (!evaluator || isOver())
      return Error::success();
    if (Error error = readStorage())
      return error;
    const SensitivityMetric &metric = settings.metric == errorMetric.name() ? errorMetric : divergenceMetric;
    auto before = evaluate(chosen, metric);
    if (!before)
      return fail(llvm::toString(before.takeError()));
    std::array<double, 2> start = halves(*before);
    std::map<Choices, double> known;
    Error failure = Error::success();
    size_t done = 0;
    auto fitness = [&](const Choices &plan) {
      auto [found, isNew] = known.try_emplace(plan, INFINITY);
      if (!isNew || failure)
        return found->second;
      auto measured = evaluate(plan, metric);
      if (measured) {
        std::array<double, 2> now = halves(*measured);
        found->second = 0;
        for (size_t half : {0, 1}) // relative to the start, the worse half counts
          found->second = std::max(found->second, start[half] > 0 ? now[half] / start[half] : 1 + now[half]);
      } else {
        failure = measured.takeError();
      }
      if (request.listener->progress)
        request.listener->progress("refining the plan", std::min(++done, kGenerations * kOffspring),
                                   kGenerations * kOffspring + 1);
      return found->second;
    };
    EvolutionOptions options;
    options.generations = kGenerations;
    options.offspring = kOffspring;
    options.isInterrupted = limitedOptions().isInterrupted;
    Choices refined = evolve(problem, chosen, fitness, options);
    if (isInterrupted() && !failure)
      failure = llvm::joinErrors(std::move(failure), makeError("interrupted"));
    if (failure)
      return fail(llvm::toString(std::move(failure)));
    exact = chosen;
    if (!(fitness(refined) < kRefinedFitness))
      refined = chosen;
    for (size_t i = 0; i < chosen.size(); ++i)
      result.report.refinements += refined[i] != chosen[i];
    chosen = std::move(refined);
    return Error::success();
  }

  /// The metric of every sample with the plan's bits, in float arithmetic.
  Expected<std::vector<double>> evaluate(const Choices &plan, const SensitivityMetric &metric) {
    std::string what = ("evaluated by " + metric.name() + ": " + planToJson(planOf(plan), true)).str();
    if (auto known = cache.find(what))
      return std::move(*known);
    auto found = evaluator->evaluate(configurationOf(plan), metric);
    if (found)
      if (Error error = cache.add(what, *found))
        return std::move(error);
    return found;
  }

  /// The grids of all values that the integer program stores.
  Error readStorage() {
    OwningOpRef<ModuleOp> module = ModuleOp(request.floatModule).clone();
    Plan plan = *request.plan;
    auto ranges = chooseRanges(request.floatModule, request.file, *request.table, plan);
    if (!ranges)
      return ranges.takeError();
    if (Error error = quantizeModel(*module, request.file, *ranges, plan, {false, /*exposeValues=*/true}))
      return error;
    auto signature = readSignature(*module);
    if (!signature)
      return signature.takeError();
    auto note = [&](const BoundaryTensor &tensor) {
      bool isStored = tensor.scales.size() == 1 && tensor.type != ElementType::S32 && tensor.type != ElementType::F32;
      if (isStored)
        storage[tensor.name] = {tensor.scales[0], tensor.zeroPoint, tensor.range};
    };
    for (const BoundaryTensor &value : ArrayRef(signature->outputs).take_back(signature->numValues))
      note(value);
    return Error::success();
  }

  LayerwiseEvaluator::Configuration configurationOf(const Choices &plan) const {
    LayerwiseEvaluator::Configuration configuration;
    configuration.values = storage;
    for (auto [group, choice] : llvm::zip_equal(problem.groups, plan)) {
      auto [weightBits, activationBits] = *parseBits(group.choices[choice].bits);
      for (const std::string &id : group.layers)
        configuration.weights[id] = weightBits;
      const std::string &value = layer(group.layers[0]).value;
      auto calibrated = request.table->values.find(value);
      if (activationBits != request.plan->activationBits && calibrated != request.table->values.end())
        configuration.values[value] = gridOf(calibrated->second, request.table->method, activationBits);
    }
    return configuration;
  }

  Plan planOf(const Choices &plan) const {
    Plan full = *request.plan;
    applyChoices(problem, plan, full);
    return full;
  }

  Expected<MeasuredPlan> measure(const Choices &plan, std::string name) {
    if (isInterrupted())
      return fail("interrupted");
    std::string what = "measured: " + planToJson(planOf(plan), true);
    std::optional<std::vector<double>> known = cache.find(what);
    auto measured =
        known ? Expected<MeasuredPlan>(measuredFrom(*known)) : measurement->measure(planOf(plan), fittedPrograms[plan]);
    if (!measured)
      return measured.takeError();
    if (!known)
      if (Error error = cache.add(what, toNumbers(*measured)))
        return std::move(error);
    measured->name = std::move(name);
    measured->costs = costsOf(plan);
    return measured;
  }

  Costs costsOf(const Choices &plan) const {
    Costs sum;
    for (size_t k = 0; k < kNumCosts; ++k)
      sum[k] = request.fixed[k].value_or(0);
    for (auto [group, choice] : llvm::zip_equal(problem.groups, plan))
      addCosts(sum, group.choices[choice].costs);
    return sum;
  }

  /// The integer programs decide: the searched plan, the optimum that it was refined from, or the best with one choice
  /// for all layers.
  Error compareWithUniform() {
    std::optional<Choices> uniform = uniformChoices(problem);
    std::string uniformName = uniform ? problem.groups[0].choices[(*uniform)[0]].bits : "";
    if (!measurement)
      return Error::success();
    auto searched = measure(chosen, "searched");
    if (!searched)
      return searched.takeError();
    std::vector<MeasuredPlan> &measured = result.report.measured;
    measured.push_back(std::move(*searched));
    Choices refined = chosen;
    auto compare = [&](const std::optional<Choices> &other, const std::string &name) -> Error {
      if (!other || other->empty() || *other == refined)
        return Error::success();
      auto same = measure(*other, name);
      if (!same)
        return same.takeError();
      bool isBetter = settings.metric == errorMetric.name() ? same->error < measured[0].error
                                                            : same->divergence < measured[0].divergence;
      measured.insert(isBetter ? measured.begin() : measured.end(), std::move(*same));
      if (isBetter)
        chosen = *other;
      return Error::success();
    };
    if (Error error = compare(exact, "unrefined"))
      return error;
    return compare(uniform, uniformName);
  }

  bool isAccurate(const MeasuredPlan &plan) const { return plan.meets(settings.budget.drop, settings.budget.sqnr); }

  /// The plan with the smallest weights that is accurate enough: bisection over the front, where more bytes are taken
  /// to be no less accurate (Augmenting Hessians with Inter-Layer Dependencies).
  Error chooseCheapest() {
    auto front = paretoFront(problem, kSizeCost, kFrontPoints, solveOptions());
    if (!front)
      return fail(llvm::toString(front.takeError()));
    llvm::erase_if(*front, [](const ParetoPoint &point) { return point.solution.choices.empty(); });
    if (front->empty())
      return failBudget("interrupted before a plan was found");
    std::map<size_t, MeasuredPlan> measured;
    auto passes = [&](size_t i) -> Expected<bool> {
      auto plan = measure((*front)[i].solution.choices, "searched");
      if (!plan)
        return plan.takeError();
      bool isEnough = isAccurate(*plan);
      measured[i] = std::move(*plan);
      return isEnough;
    };
    size_t low = 0, high = front->size() - 1;
    auto last = passes(high);
    if (!last)
      return last.takeError();
    if (!*last)
      return failBudget("the best plan has " + accuracyText(measured[high]));
    while (low < high && !isOver()) {
      size_t middle = (low + high) / 2;
      auto isEnough = passes(middle);
      if (!isEnough)
        return isEnough.takeError();
      (*isEnough ? high : low) = *isEnough ? middle : middle + 1;
    }
    solution = (*front)[high].solution;
    chosen = solution.choices;
    result.report.measured.push_back(std::move(measured[high]));
    return Error::success();
  }

  size_t frontCost() const {
    for (size_t k = 0; k < kNumCosts; ++k)
      if (problem.limits[k])
        return k;
    return kSizeCost;
  }

  Error drawFront() {
    if (settings.paretoFile.empty())
      return Error::success();
    auto front = paretoFront(problem, frontCost(), kFrontPoints, solveOptions());
    if (!front)
      return fail(llvm::toString(front.takeError()));
    bool isPicture = llvm::StringRef(settings.paretoFile).ends_with(".svg");
    result.pareto = isPicture ? paretoToSvg(frontCost(), *front) : paretoToCsv(problem, frontCost(), *front);
    return Error::success();
  }

  //===--------------------------------------------------------------------===//
  // The report
  //===--------------------------------------------------------------------===//

  /// What a choice costs, each limited cost as a part of its limit.
  double weighedCost(const BitChoice &choice) const {
    double sum = 0;
    bool isLimited = settings.budget.limitsCosts();
    for (size_t k = 0; k < kNumCosts; ++k)
      if (isLimited ? problem.limits[k].has_value() : k == kSizeCost)
        sum += *choice.costs[k] / (isLimited ? *problem.limits[k] : 1);
    return sum;
  }

  AlternativeChoice alternative(const BitChoice &from, const BitChoice &to) const {
    AlternativeChoice other{to.bits, to.perturbation - from.perturbation, {}};
    for (size_t k = 0; k < kNumCosts; ++k)
      if (to.costs[k] && from.costs[k])
        other.costs[k] = *to.costs[k] - *from.costs[k];
    return other;
  }

  ChoiceReport describeChoice(const ChoiceGroup &group, size_t index, double total) const {
    const BitChoice &choice = group.choices[index];
    ChoiceReport row;
    row.layers = group.layers;
    row.bits = choice.bits;
    row.perturbation = choice.perturbation;
    row.share = total > 0 ? choice.perturbation / total : 0;
    const BitChoice *better = nullptr, *cheaper = nullptr;
    for (const BitChoice &other : group.choices) {
      if (other.perturbation < choice.perturbation && (!better || weighedCost(other) < weighedCost(*better)))
        better = &other;
      if (weighedCost(other) < weighedCost(choice) && (!cheaper || other.perturbation < cheaper->perturbation))
        cheaper = &other;
    }
    if (better)
      row.better = alternative(choice, *better);
    if (cheaper)
      row.cheaper = alternative(choice, *cheaper);
    return row;
  }

  void describe() {
    SearchReport &report = result.report;
    report.budget = settings.budget.text;
    report.metric = settings.metric;
    report.sensitivitySamples = table.samples.size();
    report.isTimeLimited = wasOver;
    report.status = statusName(wasOver ? SolveStatus::Feasible : solution.status).str();
    report.bound = solution.bound;
    for (size_t k = 0; k < kNumCosts; ++k)
      if (problem.limits[k])
        report.limits[k] = *problem.limits[k] + request.fixed[k].value_or(0);
    report.costs = costsOf(chosen);
    for (auto [group, choice] : llvm::zip_equal(problem.groups, chosen))
      report.perturbation += group.choices[choice].perturbation;
    for (auto [group, choice] : llvm::zip_equal(problem.groups, chosen))
      report.choices.push_back(describeChoice(group, choice, report.perturbation));
  }

  const PlanSearchRequest &request;
  const SearchSettings &settings;
  std::vector<SearchLayer> layers;
  std::map<std::string, LayerWeights> weights; // by layer
  std::vector<BitWidths> choices;
  std::vector<Sample> samples;
  std::vector<std::string> hashes; // of `samples`
  bool isFitted = false;           // whether weights of few bits are fitted to the samples of the calibration
  SensitivityTable table;
  std::string cachedSensitivity; // empty, or its file
  SearchCache cache;
  std::chrono::steady_clock::time_point start;
  std::atomic<bool> wasOver = false; // measuring asks on several threads
  std::unique_ptr<LayerwiseEvaluator> evaluator;
  std::map<std::string, StorageGrid> storage; // by value
  AssignmentProblem problem;
  std::optional<PlanMeasurement> measurement;
  Solution solution;
  Choices chosen, exact; // `exact` before it was refined
  std::map<Choices, FittedProgram> fittedPrograms;
  PlanSearchResult result;
};

} // namespace

Expected<PlanSearchResult> searchPlan(const PlanSearchRequest &request) { return PlanSearcher(request).run(); }

Expected<std::optional<SensitivityTable>> measureSensitivities(const PlanSearchRequest &request) {
  return PlanSearcher(request).measureAlone();
}

} // namespace dyadic
