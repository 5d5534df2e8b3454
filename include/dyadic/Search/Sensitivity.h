// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the network's output loses where one tensor alone is quantized: metrics, their measurement over samples, and
// the table that holds them. Running the network is the business of an evaluator, which the pipelines implement.

#ifndef DYADIC_SEARCH_SENSITIVITY_H
#define DYADIC_SEARCH_SENSITIVITY_H

#include "dyadic/Support/FileHeader.h"
#include "dyadic/Support/Tensor.h"
#include "llvm/ADT/ArrayRef.h"
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace dyadic {

//===----------------------------------------------------------------------===//
// Metrics
//===----------------------------------------------------------------------===//

/// A network of which one tensor is quantized, beside the same network in float, on one sample. Tensors in pairs have
/// the same shape.
struct PerturbedNetwork {
  /// The outputs, in order.
  std::vector<const Tensor *> reference, outputs;
  /// The value of the layer whose weights are quantized, or the value that is quantized.
  const Tensor *localReference = nullptr, *local = nullptr;
  /// Rows of the outputs that are samples of their own.
  int64_t batch = 1;
};

/// One number for what a perturbation does on one sample: 0 for nothing, larger for worse, and meant to be summed over
/// perturbations.
class SensitivityMetric {
public:
  virtual ~SensitivityMetric();
  virtual llvm::StringRef name() const = 0;
  virtual double measure(const PerturbedNetwork &network) const = 0;
};

/// "kl": the Kullback-Leibler divergence (nats) of the classes' probabilities from those of the float network, the mean
/// over a batch, summed over outputs (ZeroQ, Cai et al. 2020, section 3.2; there with the arguments the other way round
/// too). An output that is no set of classes counts with its relative squared error.
extern const SensitivityMetric &divergenceMetric;
/// "error": squared error of the outputs, relative to their squares, summed over outputs.
extern const SensitivityMetric &errorMetric;
/// "layer": squared error of the layer's own value, relative to its squares. It needs no run of the layers after it.
extern const SensitivityMetric &layerMetric;

/// All metrics that are measured, in the order of the table's numbers.
inline constexpr size_t kNumMetrics = 3;
const std::array<const SensitivityMetric *, kNumMetrics> &sensitivityMetrics();
/// The position of the metric; nothing for another name.
std::optional<size_t> metricIndex(llvm::StringRef name);
/// The name of the metric that is made from traces, imported ones (traceSensitivity) or measured ones
/// (curvatureSensitivity).
inline constexpr llvm::StringLiteral kTraceMetric = "trace";

/// Perturbation of a layer by its weights' rounding: trace * sum (Q(w) - w)^2, where `trace` is the mean of the
/// eigenvalues of the loss's Hessian in those weights (HAWQ-V2, Dong et al. 2020, equation 2).
double traceSensitivity(double trace, llvm::ArrayRef<float> weights, llvm::ArrayRef<float> rounded);

/// Probes of a layer on each sample.
inline constexpr size_t kProbes = 4;
/// The layer's weights, each a little larger or smaller by random signs, which the sample (its SHA-256), the layer (its
/// id) and the number of the probe alone decide.
std::vector<float> probedWeights(llvm::ArrayRef<float> weights, llvm::StringRef sample, llvm::StringRef layer,
                                 size_t probe);
/// Of a network with probedWeights(): the divergence that noise with 1/256 of the energy of the layer's weights would
/// cost, to second order: 1/512 sum w^2 times the mean eigenvalue of the Gauss-Newton matrix, of which the mean over
/// probes and samples is an unbiased estimate (Hutchinson, 1990; HAWQ-V2). The matrix is that of the divergence "kl".
double curvatureOf(const PerturbedNetwork &network);
/// Perturbation of a layer by its weights' rounding, from its curvature.
double curvatureSensitivity(double curvature, llvm::ArrayRef<float> weights, llvm::ArrayRef<float> rounded);

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

/// What is quantized alone: the weights of a layer, or of two layers, or the value that is stored under an id. Weights
/// with 0 bits are those of probes: the first of their sums is that of curvatureOf(), the others are 0.
struct SensitivityKey {
  bool isValue = false;
  std::string id;
  unsigned bits = 8;
  /// Empty, or another layer whose weights are quantized too.
  std::string partner = "";
  unsigned partnerBits = 0;

  bool isPair() const { return !partner.empty(); }
  bool isProbe() const { return !isValue && bits == 0; }

  bool operator<(const SensitivityKey &other) const {
    return std::tie(isValue, id, bits, partner, partnerBits) <
           std::tie(other.isValue, other.id, other.bits, other.partner, other.partnerBits);
  }
  bool operator==(const SensitivityKey &other) const { return !(*this < other) && !(other < *this); }
  /// "weights of 'conv1' with 4 bits", "curvature of 'conv1'", "weights of 'conv1' with 4 bits and 'conv2' with 3".
  std::string text() const;
};

/// Sums over samples of every metric. They are integers of the unit 2^-34, so that they do not depend on the order of
/// samples, and parts of a measurement join to the whole, bit for bit. One sample counts at most 256.
using SensitivitySums = std::array<int64_t, kNumMetrics>;
int64_t sensitivityUnits(double value);
/// The number that a sum of units stands for.
double sensitivityOf(int64_t units);

struct SensitivityTable {
  static constexpr llvm::StringLiteral kKind = "sensitivity";
  static constexpr int64_t kVersion = 1;
  static constexpr size_t kMostSamples = 1024;

  FileHeader header;
  /// How weights were rounded: "nearest", or "gptq", fitted to samples that are not among `samples`.
  std::string rounding = "nearest";
  /// SHA-256 of what ranges are chosen from; empty where no value was measured.
  std::string calibration;
  /// SHA-256 of the samples that were measured, sorted; at most kMostSamples.
  std::vector<std::string> samples;
  std::map<SensitivityKey, SensitivitySums> sums;
  /// Imported, by layer: mean eigenvalues of the Hessian.
  std::map<std::string, double> traces;

  /// The mean over samples; `key` is there.
  double mean(const SensitivityKey &key, size_t metric) const;
};

/// The table as JSON; docs/schemas/sensitivity.schema.json. The same table gives the same bytes.
std::string toJson(const SensitivityTable &table);
/// Reads what toJson writes; `path` is for messages. Strict: an error names the file and the place in it.
llvm::Expected<SensitivityTable> parseSensitivity(llvm::StringRef path, llvm::StringRef text);

/// Adds `other`, of the same model, rounding and calibration, to `table`. Either the tables have the same samples and
/// no key in common, or the same keys and no sample in common; anything else is an error that `otherPath` begins.
llvm::Error mergeSensitivity(SensitivityTable &table, const SensitivityTable &other, llvm::StringRef otherPath);

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

/// Runs the network with one tensor quantized.
class SensitivityEvaluator {
public:
  virtual ~SensitivityEvaluator();
  /// Calls `observe` once for every key on sample `sample`, kProbes times for a probe; safe on several threads at once.
  virtual llvm::Error run(size_t sample, llvm::ArrayRef<SensitivityKey> keys,
                          llvm::function_ref<void(size_t key, const PerturbedNetwork &network)> observe) = 0;
};

struct SensitivityRequest {
  /// What has to be in the table.
  std::vector<SensitivityKey> keys;
  /// SHA-256 of the samples to measure with; by the evaluator's number.
  std::vector<std::string> samples;
  unsigned threads = 0; // 0: one a core
  /// May be empty. `save` is called with the table whenever a sample is complete, by one thread at a time.
  std::function<llvm::Error(const SensitivityTable &)> save;
  std::function<void(size_t done, size_t total)> progress;
  std::function<bool()> isInterrupted;
  /// May be empty. Once it says true no further sample is begun, but for the first.
  std::function<bool()> isOver;
};

/// Measures what `table` lacks of the request. A table of other samples is taken as it is where it has all keys: it
/// need not come from the samples at hand; where it lacks some, they are measured on its samples, and an error says
/// which of these are not at hand.
llvm::Error measureSensitivity(SensitivityTable &table, const SensitivityRequest &request,
                               SensitivityEvaluator &evaluator);

} // namespace dyadic

#endif // DYADIC_SEARCH_SENSITIVITY_H
