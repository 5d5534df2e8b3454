// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a compilation did to a model, as data and as text, JSON and HTML. All three say
// the same; CollectReport.h fills it in. Nothing in it but the measured times depends on the
// machine or the moment.

#ifndef DYADIC_PIPELINES_REPORT_H
#define DYADIC_PIPELINES_REPORT_H

#include "dyadic/Pipelines/Agreement.h"
#include "dyadic/Search/Plan.h"
#include "dyadic/Search/Problem.h"
#include <string>

namespace dyadic {

/// Counts of numbers in bins of one width, which is a power of two; the first bin starts at `low`.
struct ReportHistogram {
  double low = 0, binWidth = 0;
  std::vector<uint64_t> counts;
};

/// How a layer's value is stored: real = scale * (stored - zero point).
struct StoredValue {
  ElementType type = ElementType::F32;
  unsigned bits = 32;               // 32 with per-channel scales: an accumulator
  float scaleMin = 0, scaleMax = 0; // over the channels
  size_t numScales = 1;
  int64_t zeroPoint = 0;
  double low = 0, high = 0; // what can be stored
  bool isAccumulator() const { return type == ElementType::S32; }
};

/// What one layer adds to the error: the float layer on the integer program's own inputs against the integer layer.
struct OwnError {
  Agreement agreement;
  double rounding = 0; // part of the noise from storing the float layer's numbers with the chosen width and range
  double clipping = 0; // part of `rounding` from numbers outside the range
  size_t clipped = 0, elements = 0;
  double share = 0; // of the relative noise that all layers add, 0 to 1
};

/// A layer, or an input of the program.
struct LayerReport {
  std::string id, op;         // the operation and the activations that it absorbed, joined by +; "input"
  std::vector<int64_t> shape; // of one sample
  bool isFloat = false;
  std::optional<unsigned> weightBits;                      // of layers with weights
  std::optional<unsigned> operandBits;                     // of what such a layer reads, where that is a narrower copy
  int64_t macs = 0;                                        // multiply-accumulates of one sample
  std::string method;                                      // how they are computed; empty: not known
  int64_t weights = 0;                                     // how many
  int64_t floatBytes = 0;                                  // constants of the float layer
  std::optional<int64_t> bytes;                            // of the integer one
  std::optional<StoredValue> stored;                       // where the integer program stores it
  std::optional<std::pair<float, float>> observed, chosen; // smallest and largest number; the range from calibration
  std::optional<ReportHistogram> histogram;                // of the numbers that calibrated
  std::optional<Agreement> agreement;
  std::optional<OwnError> own;
};

struct OutputReport {
  std::string name;
  Agreement agreement;
  std::optional<Proportion> topOne; // where the output looks like classes
};

/// A layer in float, and why.
struct IslandReport {
  std::string id, op, reason;
};

/// A layer that adds much to the error, why, and what to try.
struct Advice {
  std::string id;
  double share = 0;
  std::string cause, remedy;
  std::string plan; // JSON to put into a plan; empty where the remedy is no plan
};

/// Bytes; what was not measured is absent.
struct ProgramSizes {
  int64_t constants = 0;
  std::optional<int64_t> code, workspace; // machine code; of one sample
  std::optional<int64_t> liveSet;         // the most bytes of the workspace that are in use at one moment
};

/// Medians over `runs` runs of one sample on one thread, in microseconds.
struct ProgramTimes {
  double total = 0;        // of the program as it is compiled
  double instrumented = 0; // of the one with a clock around every kernel
  double kernels = 0;      // sum over the kernels
  double other = 0;        // of them, those that serve no layer
  size_t runs = 0;
  std::vector<std::optional<double>> layers; // like the report's inputs and layers
  /// Like these: what their dot instructions alone would take, with operands in registers; none: unknown.
  std::vector<std::optional<double>> limits = {};

  /// How near a row's kernels come to that limit: 1 is there.
  std::optional<double> ofLimit(size_t row) const {
    if (row >= limits.size() || !limits[row] || !layers[row] || *layers[row] <= 0)
      return std::nullopt;
    return *limits[row] / *layers[row];
  }
};

struct Times {
  std::optional<size_t> sample; // its index; none: zeros
  std::optional<ProgramTimes> integer, floating;
  /// Like the report's inputs and layers: the layer whose kernel computes this one too; empty: none.
  std::vector<std::string> countedWith;
};

/// How weights were rounded. Errors are relative squared errors on the samples held back, mean over the outputs.
struct RoundingReport {
  std::string asked = "auto";                   // auto, nearest or gptq
  bool isNearest = true;                        // what was kept
  size_t samples = 0;                           // that weights were fitted to
  size_t fittedLayers = 0, correctedLayers = 0; // by GPTQ; their bias alone
  size_t equalizedValues = 0;
  std::optional<double> fittedError, nearestError; // where both were compared
};

/// Another choice for a group of layers, and what differs with it.
struct AlternativeChoice {
  std::string bits;
  double perturbation = 0; // more
  Costs costs;             // more, of those that the budget limits
};

/// Layers that share a choice of bits, and why it was chosen.
struct ChoiceReport {
  std::vector<std::string> layers;
  std::string bits;
  double perturbation = 0;
  double share = 0; // of the plan's perturbation, 0 to 1
  /// The choice with less perturbation that costs least more, and the cheaper one that perturbs least more.
  std::optional<AlternativeChoice> better, cheaper;
};

/// A plan, as it was measured on the held-back samples.
struct MeasuredPlan {
  std::string name;                 // "searched", "unrefined", or the widths that all layers have
  double divergence = 0, error = 0; // by the metrics kl and error, means over the samples
  std::vector<double> divergences;  // of the samples
  Agreement agreement;              // of the first output
  std::optional<Proportion> topOne;
  Costs costs; // of those that the budget limits

  /// Whether it is as accurate as limits, where there are any, ask for: the largest part of top-1 decisions that may
  /// differ from float's, the least SQNR in dB.
  bool meets(std::optional<double> drop, std::optional<double> sqnr) const;
  /// Whether it measures better than `other` on the same samples: by the divergence where the mean of the samples'
  /// differences is beyond its standard error; else they do not tell the two apart, and the error decides, as it does
  /// for the metric error anyway.
  bool isBetterThan(const MeasuredPlan &other, bool byError) const;
};

/// What the search for bits did.
struct SearchReport {
  std::string budget, metric;
  std::string status; // of the solver: optimal, feasible
  double perturbation = 0;
  std::optional<double> bound;
  Costs limits, costs;
  size_t sensitivitySamples = 0;
  bool isTimeLimited = false; // --time-limit ended it
  size_t refinements = 0;     // exchanges of choices that made the measured plan better
  std::vector<ChoiceReport> choices;
  std::vector<MeasuredPlan> measured; // the first is the one that was taken
};

/// One decision of the plan, and the program without it.
struct AttributedCost {
  std::vector<std::string> ids;    // a layer, or values that share a storage
  bool isValue = false;            // what they store; else the layer's weights
  unsigned bits = 8;               // as the plan has it
  std::optional<unsigned> instead; // bits; none: the layer in float
  double alone = 0;                // divergence (or error) with nothing but this, all else in float
  /// The part of the program's divergence (or error, by the metric) that goes away; negative where it grows.
  double share = 0;
  std::optional<MeasuredPlan> measured; // with this instead, and all else as it is; none where it costs next to nothing
  double bytes = 0;                     // of weights, more
  std::optional<unsigned> overridden;   // bits, where the plan of --attribution has others
};

/// Which decisions of the plan cost how much accuracy, and what repairs it (--attribution).
struct AttributionReport {
  std::string metric;                // "kl" or "error": what shares are of
  MeasuredPlan plan;                 // as it is
  std::vector<AttributedCost> costs; // what costs most alone first
  std::optional<MeasuredPlan> all;   // with everything overridden that stays in integers
  std::optional<MeasuredPlan> repaired;
  size_t overrides = 0; // in the file
};

/// A layer that --tune changed.
struct TunedLayer {
  std::string id;
  KernelSchedule schedule;
  bool isFloat = false;
  double before = 0, after = 0; // microseconds of its kernels; those of a float layer are not known
};

/// What --tune did. Median microseconds of the program with a clock around every kernel, on one thread.
struct TuneReport {
  std::string cpu;
  double before = 0, after = 0;
  std::vector<TunedLayer> layers;
};

struct Report {
  std::string model, output; // paths, as they were given
  std::string modelSha, target;
  bool isFloat = false; // no quantization: what follows up to `layers` is of no meaning
  unsigned weightBits = 8, activationBits = 8;
  Rounding rounding = Rounding::HalfUp;
  BoundaryMode io = BoundaryMode::Float;
  std::string calibrationMethod;
  size_t calibrationSamples = 0;
  RoundingReport weightRounding;
  size_t heldBackSamples = 0;   // that were run; 0 with a saved table
  std::vector<size_t> heldBack; // their indices in the calibration file

  std::vector<LayerReport> inputs, layers; // in program order
  std::vector<OutputReport> outputs;
  std::vector<IslandReport> islands;
  std::vector<Advice> advice; // most first
  ProgramSizes integerSizes, floatSizes;
  int64_t outputBytes = 0;
  std::string timesNote; // why there are none
  std::optional<Times> times;
  std::optional<SearchReport> search;
  std::optional<AttributionReport> attribution;
  std::optional<TuneReport> tuning; // with --tune

  /// Inputs, then layers.
  std::vector<const LayerReport *> rows() const;
};

/// Names the layers that add most and what to try for each; needs their own errors.
std::vector<Advice> advise(const Report &report);

/// What the search for bits did: a few lines, and one for every group.
std::string toText(const SearchReport &search);
/// `SQNR 21.3 dB, top-1 disagreement 6.78% on the held-back samples`.
std::string accuracyText(const MeasuredPlan &plan);
/// What the plan's decisions cost: a few lines, and one for every decision.
std::string toText(const AttributionReport &attribution);
/// A table of at most 100 columns and what follows from it; with `colours` for a terminal.
std::string toText(const Report &report, bool colours);
/// docs/schemas/report.schema.json.
std::string toJson(const Report &report);
/// One page that needs nothing else: no script, no network.
std::string toHtml(const Report &report);

} // namespace dyadic

#endif // DYADIC_PIPELINES_REPORT_H
