// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "FitAlone.h"
#include "PlanSearcher.h"
#include "dyadic/Support/Files.h"
#include "llvm/Support/FileSystem.h"
#include <set>

using llvm::Error;
using llvm::Expected;

namespace dyadic {

std::vector<SensitivityKey> PlanSearcher::neededKeys() const {
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
  for (const SensitivityKey &key : pairKeys(problem, pairs))
    keys.insert(key);
  return {keys.begin(), keys.end()};
}

Error PlanSearcher::readSensitivityFiles() {
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

Expected<SensitivityTable> PlanSearcher::readSensitivity(const std::string &path) {
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

Error PlanSearcher::findSensitivities() {
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
  auto created =
      LayerwiseEvaluator::create(request.floatModule, *request.table, samples, std::move(*fitted), *request.kernels);
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
    return fileError(isComplete || table.samples.empty() || settings.sensitivityFile.empty() ? request.file
                                                                                             : settings.sensitivityFile,
                     llvm::toString(std::move(error)));
  return Error::success();
}

Expected<AloneWeights> PlanSearcher::fitLayers() {
  if (!isFitted)
    return AloneWeights();
  std::map<std::string, std::set<unsigned>> bits;
  for (const ChoiceGroup &group : problem.groups)
    for (const BitChoice &choice : group.choices)
      for (const std::string &id : group.layers)
        bits[id].insert(parseBits(choice.bits)->first);
  for (const auto &[key, sums] : table.sums) {
    if (!key.isValue && !key.isProbe())
      bits[key.id].insert(key.bits);
    if (key.isPair())
      bits[key.partner].insert(key.partnerBits);
  }
  auto fitted = fitAlone(request.floatModule, *request.evaluator, *request.samples, request.calibration, bits,
                         request.listener->stage("fitting layers"));
  if (!fitted)
    return fail(llvm::toString(fitted.takeError()));
  return fitted;
}

Error PlanSearcher::addPerturbations() {
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
  addPairTerms(problem, table, pairs, metric);
  return Error::success();
}

} // namespace dyadic
