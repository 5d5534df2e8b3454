// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a calibrated model and a budget to the bits of every layer: sensitivities, costs, the assignment problem, its
// solution, and the proof on held-back samples that it is no worse than the same bits for all.

#ifndef DYADIC_PIPELINES_PLANSEARCH_H
#define DYADIC_PIPELINES_PLANSEARCH_H

#include "dyadic/Calibration/Samples.h"
#include "dyadic/Calibration/Table.h"
#include "dyadic/Pipelines/FitProgram.h"
#include "dyadic/Pipelines/FloatProgram.h"
#include "dyadic/Pipelines/Listener.h"
#include "dyadic/Pipelines/SamplePart.h"
#include "dyadic/Runtime/Program.h"
#include "dyadic/Search/Budget.h"
#include "dyadic/Search/Sensitivity.h"
#include "mlir/IR/BuiltinOps.h"

namespace dyadic {

struct SearchSettings {
  Budget budget;
  /// Widths that a layer may have; empty: those that suit the budget, see defaultChoices().
  std::vector<BitWidths> choices;
  /// "kl", "error", "layer" or "trace", see Search/Sensitivity.h.
  std::string metric = "kl";
  /// Whether what neighbours and residual partners do together is measured too, and part of the problem.
  bool measuresPairs = false;
  /// Empty, or a file that the sensitivities are read from, where it exists, and written to.
  std::string sensitivityFile;
  /// Tables that are merged with it; then all have to exist, and none is written.
  std::vector<std::string> moreSensitivityFiles;
  /// Empty, or a cost table that times are read from, where it exists, and written to.
  std::string costFile;
  /// Empty, or a folder that keeps what is measured, for files that are not named above: sensitivities and plans.
  std::string cacheFolder;
  /// Seconds after which nothing more is measured that the plan can do without.
  std::optional<double> timeLimit;
  /// Empty, or where the front of perturbation against cost goes (.csv, .svg).
  std::string paretoFile;
};

/// Weights of 2, 3, 4, 5, 6 and 8 bits, inputs of 8. Where operations cost, also inputs of 4 bits, and of 12 and 16 for
/// weights of 8: more bits than 8 are for layers that 8 hurt.
std::vector<BitWidths> defaultChoices(const Budget &budget);

class LayerKernels;

struct PlanSearchRequest {
  mlir::ModuleOp floatModule; // the float level
  std::string file;           // its name, for messages
  const SearchSettings *settings = nullptr;
  const CalibrationTable *table = nullptr;
  /// What the search does not choose.
  const Plan *plan = nullptr;
  // Where there are samples: they, and the float program.
  SampleSet *samples = nullptr;
  std::vector<size_t> heldBack, calibration; // indices into samples
  /// How weights are rounded: of the plans that are measured, and where they are fitted also those that sensitivities
  /// are measured with, see fitAlone() in lib/Pipelines/FitAlone.h.
  WeightRounding weightRounding = WeightRounding::Nearest;
  FloatProgram *floatProgram = nullptr;
  Evaluator *evaluator = nullptr;  // of it
  LayerKernels *kernels = nullptr; // of its layers; more are added
  /// States latency_ms; null: not measured, and a budget of latency is an error.
  const CostModel *latency = nullptr;
  /// What a program costs beside the layers whose bits are chosen.
  Costs fixed;
  const Listener *listener = nullptr;
  /// Of the samples that sensitivities are measured with, those that are measured here.
  SamplePart part;
};

struct PlanSearchResult {
  Plan plan;
  /// Of the plan, where it was measured with fitted weights.
  FittedProgram fitted;
  SearchReport report;
  /// The front, where it was asked for, as the file's ending says.
  std::string pareto;
};

/// Errors: a budget that no plan meets, with the nearest one that a plan does; a sensitivity file that does not belong
/// to the model, is damaged or lacks what cannot be measured here; no samples where some are needed.
///
/// The plan is a function of the model, the table, the settings and the samples: there is no clock in the search,
/// unless there is a time limit. What a cache has is not measured again; a damaged file of it is an error.
llvm::Expected<PlanSearchResult> searchPlan(const PlanSearchRequest &request);

/// The table of sensitivities that a search with the request measures, of its part of the samples; nothing where that
/// has none. Tables of all parts merge to that of the search (mergeSensitivity).
llvm::Expected<std::optional<SensitivityTable>> measureSensitivities(const PlanSearchRequest &request);

} // namespace dyadic

#endif // DYADIC_PIPELINES_PLANSEARCH_H
