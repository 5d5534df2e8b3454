// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One compilation from options as people type them to files: what quant-translate and
// dyadic.compile share, so that both accept the same, refuse the same with the same
// words, and write the same bytes.

#ifndef DYADIC_PIPELINES_TRANSLATION_H
#define DYADIC_PIPELINES_TRANSLATION_H

#include "dyadic/Calibration/Stream.h"
#include "dyadic/Pipelines/CalibrateModel.h"
#include "dyadic/Pipelines/PlanSearch.h"
#include "dyadic/Pipelines/RoundWeights.h"
#include <functional>

namespace dyadic {

/// Options as typed; nothing where one was not given. Names are those of the command line.
struct TranslateOptions {
  using Given = std::optional<std::string>;

  bool hasCalibration = false;
  std::vector<std::string> mergeCalibration;
  bool isFloat = false, integerOnly = false, dumpValues = false, detailedReport = false;
  Given calibrationMethod, bits, rounding, weightRounding, io, name;
  Given budget, choices, sensitivityMetric, sensitivity, pairs, pareto, cost, cache, timeLimit;
  Given attribution, attributionTarget;
  /// "": schedules of kernels alone; "float": float layers too.
  Given tune;
  /// A plan in memory, instead of a file; `bits` is then what messages call it.
  Given planText;
  std::string target = "native";
  std::vector<std::string> inputShapes; // NAME:1,3,224,224
  std::vector<std::string> inputRanges; // NAME:-1,1
};

/// The options, checked and read.
struct TranslateSettings {
  bool isFloat = false, integerOnly = false, dumpValues = false;
  /// With each layer's own error, advice and times: takes further compilations and runs.
  bool detailedReport = false;
  bool tunes = false, tunesFloat = false;
  ImportOptions import;
  Target target;
  std::string prefix; // empty: from the output's name
  std::optional<CalibrationOptions> method;
  /// With the method BatchNorm: the ranges of the inputs, by name.
  RangeMap inputRanges;
  WeightRounding weightRounding = WeightRounding::Auto;
  /// With --budget: how bits are searched for.
  std::optional<SearchSettings> search;
  /// Empty, or where overrides that repair the plan go: what its decisions cost is measured.
  std::string attributionFile;
  Budget attributionTarget; // what the overrides have to reach, see Attribution.h
  std::string planFile;     // what `plan` was read from; else empty
  std::string planName;     // what messages call it
  Plan plan;
};

/// An error about the first option, in a fixed order, that is wrong. `model` is named in
/// the error that asks for calibration.
llvm::Expected<TranslateSettings> checkOptions(const TranslateOptions &options, llvm::StringRef model);
/// The error for `option` next to --float.
llvm::Error quantizationOptionError(llvm::StringRef option);

/// What an output file is, by its ending.
struct OutputFormat {
  /// Nothing: a module in textual form.
  std::optional<Emission> emission;
};
/// An error where the ending is unknown, not built yet or not for `target`.
llvm::Expected<OutputFormat> outputFormat(llvm::StringRef path, const Target &target);
/// An error where the ending of a report's file is neither .json nor .html.
llvm::Error checkReportPath(llvm::StringRef path);
/// The report in the form that the ending asks for.
std::string reportAs(llvm::StringRef path, const Report &report);

/// Where what a compilation finds beside the program goes; empty: nowhere.
struct ResultFiles {
  std::string calibration, plan, pareto, overrides, report;
};

/// The stages of a compilation, in this order: create; with quantization, unless the
/// method is BatchNorm, one of calibrate, useTable, or any number of addSamples; finish;
/// then any number of writes and loads. Objects share nothing; one is used by one thread at a time.
class Translation {
public:
  /// Imports the model. With the method BatchNorm there are ranges then.
  static llvm::Expected<std::unique_ptr<Translation>> create(const OnnxSource &model, TranslateSettings settings,
                                                             Listener listener);

  /// What a sample consists of.
  llvm::Expected<std::vector<InputSpec>> inputs() const { return inputSpecs(**floatModule); }

  /// Calibrates on the samples of a file or folder, or takes a saved table (.json), and
  /// merges both with more tables; `path` may be empty where there are some.
  llvm::Error calibrate(llvm::StringRef path, llvm::ArrayRef<std::string> merge = {});
  /// As calibrate with one part of the samples, for a table that is merged with those of the others.
  llvm::Error calibratePart(llvm::StringRef path, SamplePart part);
  /// As calibrate with the samples, of which `text` is the table already; messages call it `name`.
  llvm::Error calibrateAgain(llvm::StringRef path, llvm::StringRef name, llvm::StringRef text);
  /// Takes the ranges of a table in memory, which messages call `name`.
  llvm::Error useTable(llvm::StringRef name, llvm::StringRef text);
  /// Calibrates on samples as they come; those that have calibrated are freed.
  llvm::Error addSamples(std::vector<Sample> samples);
  /// Ranges from all samples that were added; messages call them `name`.
  llvm::Error finishSamples(llvm::StringRef name);

  /// Instead of finish: one part of the sensitivities that the search measures, as a table; empty where it has no
  /// sample.
  llvm::Expected<std::string> measureSensitivity(SamplePart part);
  /// Instead of finish: the search for bits alone, after which plan() is complete and searched() says what it did.
  llvm::Error finishPlan();
  const SearchReport &searched() const { return *searchReport; }

  /// The search for bits, if asked; float to the integer level, if asked; the report, measured on the samples held
  /// back.
  llvm::Error finish();

  /// Names the files that were read to `files`, which then does not overwrite them.
  void protectInputs(FileSet &files) const;
  const TranslateSettings &getSettings() const { return settings; }
  /// Complete after finish.
  const Plan &plan() const { return settings.plan; }
  /// Null for a float program.
  const CalibrationTable *calibrationTable() const { return table ? &*table : nullptr; }
  const Report &getReport() const { return report; }
  /// The plan as it was given with the overrides of --attribution, as a file; empty without.
  const std::string &overrides() const { return overridesText; }
  /// The front of --pareto; empty without.
  const std::string &pareto() const { return front; }

  /// Searching and attributing take long: what cannot be written is found out before it. `program` may be empty.
  llvm::Error checkWritable(const ResultFiles &results, llvm::StringRef program) const;
  /// Adds what was found to `files`; after finish, or after finishPlan without a report and overrides.
  llvm::Error writeResults(const ResultFiles &results, FileSet &files) const;

  /// Adds the program to `files`, in the form that the ending asks for; the report names
  /// the last one.
  llvm::Error write(llvm::StringRef path, FileSet &files);
  /// The program in this process. For a target that is not this machine it is the same
  /// program, to the bit, for this machine.
  llvm::Expected<std::unique_ptr<Program>> load();

private:
  /// For the report.
  void noteWorkspace(const CompiledModule &compiled);
  Translation(const OnnxSource &source, TranslateSettings settings, Listener listener);
  llvm::Error import(const OnnxSource &source);
  llvm::Error createEvaluator();
  llvm::Error checkNoSamples(llvm::StringRef name, llvm::StringRef what) const;
  llvm::Error checkWritable(llvm::StringRef path) const;
  llvm::Error calibrate(CalibrationRequest request);
  PlanSearchRequest searchRequest(Evaluator *evaluatorOfSearch);
  llvm::Error search();
  /// The latencies of the choices, from the cost table or measured into it; `searched.fixed` gets that of the rest.
  llvm::Expected<std::unique_ptr<CostModel>> measureLatencies(PlanSearchRequest &searched);
  llvm::Error tunePlan(const RangeMap &ranges);
  /// What the decisions of `given`, which has become the complete plan, cost.
  llvm::Error attributeCosts(const Plan &given);
  llvm::Error quantize(mlir::OwningOpRef<mlir::ModuleOp> &exposed, RangeMap &ranges);
  bool canFit() const;
  llvm::ArrayRef<size_t> fittingSamples() const;
  llvm::Error fit(RangeMap &ranges);
  llvm::Expected<double> errorOf(mlir::ModuleOp quantized);
  llvm::Error describe(mlir::ModuleOp exposed, const RangeMap &ranges);
  llvm::Expected<CompiledModule> compile(const Target &target, llvm::StringRef prefix, bool exportAlias);

  std::string model; // its name
  TranslateSettings settings;
  Listener listener;
  std::string sha;
  std::vector<std::string> filesRead;
  std::unique_ptr<mlir::MLIRContext> context;
  std::optional<mlir::OwningOpRef<mlir::ModuleOp>> floatModule; // until finish
  mlir::OwningOpRef<mlir::ModuleOp> program;
  // While calibrating.
  std::unique_ptr<FloatProgram> floatProgram;
  std::shared_ptr<LayerKernels> kernels; // of its layers, for a search
  std::unique_ptr<Evaluator> evaluator;
  std::unique_ptr<CalibrationStream> stream;
  std::unique_ptr<SampleSet> samples;       // null with a table alone
  std::vector<size_t> calibrated, heldBack; // indices into samples
  std::string front, overridesText;
  std::optional<AttributionReport> attribution;
  std::optional<SearchReport> searchReport; // until it is part of the report

  std::optional<CalibrationTable> table;
  RoundingReport rounding;
  FittedProgram found; // by the search
  std::optional<TuneReport> tuning;
  ChannelFactors factors; // of equalized values
  /// What `program` was quantized from, for --attribution.
  mlir::OwningOpRef<mlir::ModuleOp> equalizedModule;
  std::optional<CalibrationTable> equalizedTable;
  Report report;
};

} // namespace dyadic

#endif // DYADIC_PIPELINES_TRANSLATION_H
