// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The search for a plan while it goes on: its steps, in the order of run(), and what they know. One file each defines
// the steps of a kind.

#ifndef DYADIC_LIB_PIPELINES_PLANSEARCHER_H
#define DYADIC_LIB_PIPELINES_PLANSEARCHER_H

#include "LayerwiseEvaluator.h"
#include "PlanMeasurement.h"
#include "SearchCache.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/Pipelines/LayerWeights.h"
#include "dyadic/Pipelines/PlanSearch.h"
#include "dyadic/Search/PairTerms.h"
#include "dyadic/Support/Error.h"
#include <atomic>
#include <chrono>

namespace dyadic {

/// Position in kCostNames of what a budget without costs saves.
static constexpr size_t kSizeCost = 1;

class PlanSearcher {
public:
  explicit PlanSearcher(const PlanSearchRequest &request) : request(request), settings(*request.settings) {}

  llvm::Expected<PlanSearchResult> run();
  /// The sensitivities alone; nothing where no sample is measured here.
  llvm::Expected<std::optional<SensitivityTable>> measureAlone();

private:
  llvm::Error fail(const llvm::Twine &what) { return fileError(request.file, what); }
  llvm::Error failBudget(const llvm::Twine &what) {
    return fileError(request.file, "--budget=" + escaped(settings.budget.text) + ": " + what);
  }

  bool isInterrupted() const { return request.listener->isInterrupted && request.listener->isInterrupted(); }
  /// Whether the time limit is over; that it was is said in the report.
  bool isOver();

  // Layers and their choices: SearchChoices.cpp.
  llvm::Error describeLayers();
  const SearchLayer &layer(llvm::StringRef id) const;
  /// Whether no sum of the layer can leave 32 bits.
  bool isLegal(const SearchLayer &layer, BitWidths widths) const;
  llvm::Error dropIllegalChoices();

  // Samples, and what is kept of an earlier search: PlanSearch.cpp.
  /// Those that calibrated nothing; where no weights are fitted then others too, as only ranges were chosen from them.
  llvm::Error readSamples();
  /// What ranges depend on.
  std::string calibrationHash() const;
  /// What was measured of a plan is that of these samples on this machine, whose float kernels round in their own
  /// order.
  llvm::Error openCache();

  // Sensitivities: SearchSensitivities.cpp.
  bool usesTraces() const { return settings.metric == kTraceMetric; }
  std::vector<SensitivityKey> neededKeys() const;
  /// The table in the file, or in the first of several; the others are added to it.
  llvm::Error readSensitivityFiles();
  llvm::Expected<SensitivityTable> readSensitivity(const std::string &path);
  llvm::Error findSensitivities();
  /// The weights of all layers at all of their widths, also those that the table alone has, where they are fitted.
  llvm::Expected<AloneWeights> fitLayers();
  /// A group perturbs by its layers' weights and by the value that they read, as if these did not know each other, but
  /// for pairs.
  llvm::Error addPerturbations();

  // Costs: PlanSearch.cpp.
  llvm::Error addAllCosts();
  Plan planOf(const Choices &plan) const;
  Costs costsOf(const Choices &plan) const;

  // The choice: ChoosePlan.cpp.
  SolveOptions solveOptions() const;
  /// Stopped by the clock, the solver has a plan and its bound.
  SolveOptions limitedOptions();
  llvm::Error choose();
  /// The best plan within the limits.
  llvm::Error chooseWithin();
  std::string limitText(size_t k, double value) const;
  std::string nearestText() const;
  /// Adds those that are not known yet to measuredPlans.
  llvm::Error measure(llvm::ArrayRef<Choices> plans);
  /// What the cache knows a measured plan by.
  std::string measurementKey(const Choices &plan) const;
  /// The row of the report.
  MeasuredPlan measured(const Choices &plan, std::string name) const;
  /// The integer programs decide: the searched plan, the optimum that it was refined from, or the best with one choice
  /// for all layers.
  llvm::Error compareWithUniform();
  /// The plan with the smallest weights that is accurate enough: bisection over the front, where more bytes are taken
  /// to be no less accurate (Augmenting Hessians with Inter-Layer Dependencies).
  llvm::Error chooseCheapest();
  size_t frontCost() const;
  llvm::Error drawFront();
  bool isAccurate(const MeasuredPlan &plan) const { return plan.meets(settings.budget.drop, settings.budget.sqnr); }

  // Its refinement: RefinePlan.cpp.
  /// Sums of sensitivities are not what a plan measures: exchanges of choices between layers that make the measured
  /// plan better are kept (EvoPress), but only those that do so on either half of the samples, and all together by
  /// much: what fits a few samples is no gain on others.
  llvm::Error refine();
  /// The metric of every sample with the plan's bits, in float arithmetic; of the first samples alone where `isEnough`
  /// says so of what they have.
  llvm::Expected<std::vector<double>> evaluate(const Choices &plan, const SensitivityMetric &metric,
                                               llvm::function_ref<bool(llvm::ArrayRef<double>)> isEnough);
  /// The grids of all values that the integer program stores.
  llvm::Error readStorage();
  LayerwiseEvaluator::Configuration configurationOf(const Choices &plan) const;

  // The report: DescribeSearch.cpp.
  /// What a choice costs, each limited cost as a part of its limit.
  double weighedCost(const BitChoice &choice) const;
  AlternativeChoice alternative(const BitChoice &from, const BitChoice &to) const;
  ChoiceReport describeChoice(const ChoiceGroup &group, size_t index, double total) const;
  void describe();

  const PlanSearchRequest &request;
  const SearchSettings &settings;
  std::vector<SearchLayer> layers;
  std::map<std::string, LayerWeights> weights; // by layer
  std::vector<BitWidths> choices;
  std::vector<LayerPair> pairs; // whose errors together are measured
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
  Choices chosen, exact;                         // `exact` before it was refined
  std::map<Choices, MeasuredPlan> measuredPlans; // without names
  std::map<Choices, FittedProgram> fittedPrograms;
  PlanSearchResult result;
};

} // namespace dyadic

#endif // DYADIC_LIB_PIPELINES_PLANSEARCHER_H
