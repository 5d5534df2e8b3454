// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights of the quantized level fitted to samples, layer by layer. All of it goes into constants: integer weights,
// their scales, biases.

#ifndef DYADIC_PIPELINES_ROUNDWEIGHTS_H
#define DYADIC_PIPELINES_ROUNDWEIGHTS_H

#include "dyadic/Pipelines/Compiler.h"
#include "dyadic/Pipelines/FloatProgram.h"
#include "dyadic/Pipelines/Listener.h"
#include "dyadic/Pipelines/Report.h"

namespace dyadic {

class LayerKernels;

/// --weight-rounding. Auto fits and keeps what is better on the samples held back.
enum class WeightRounding { Auto, Nearest, Gptq };

/// How many samples fit the weights of a program at most, given what it takes: 256, as more gain next to nothing, and
/// fewer where they would take more than 256 MiB.
size_t maxFittingSamples(llvm::ArrayRef<InputSpec> inputs);
/// Up to so many bits the weights' rounding is what hurts, above it their mean.
inline constexpr unsigned kFittedBits = 6;
/// A layer with more inputs to an output is not rounded by GPTQ.
inline constexpr int64_t kMaxFittedInputs = 4608;
/// Part of the mean second moment of inputs that damps GPTQ's factors.
inline constexpr double kRoundingDamping = 0.01;

struct RoundingRequest {
  mlir::ModuleOp floatModule; // the float level of the same program
  llvm::StringRef file;       // its name, for messages
  Rounding rounding = Rounding::HalfUp;
  WeightRounding method = WeightRounding::Auto;
  SampleSet *samples = nullptr;
  llvm::ArrayRef<size_t> fitting;  // indices into samples, ascending: those that weights are fitted to
  llvm::ArrayRef<Sample> carried;  // others that go through the fitted layers, to the end of the program
  LayerKernels *kernels = nullptr; // of float layers that are compiled already; null: none
};

/// A program's outputs as real numbers, by sample.
using CarriedOutputs = std::vector<std::vector<Tensor>>;

/// Fits the weights of `quantized`, a program at the quantized level, in place: those of the convolutions and matmuls
/// with constant weights that are not float islands, in program order, each with the inputs that the integer program
/// has once the layers before it are fitted.
///
///   - Layers of up to 6 bits, or with WeightRounding::Gptq all: fitTarget() and roundByGptq() (Rounding/Rounding.h).
///     Layers with more than kMaxFittedInputs inputs to an output, whose factors would take gigabytes, stay rounded to
///     nearest.
///   - Layers behind values of up to 4 bits, which read such a value or one that depends on it: where samples are
///     enough for a check they are fitted whatever bits their weights have. How strongly the target is drawn towards
///     the float weights is chosen by the error on a quarter of the samples (chooseRidge()), and the target is fitted
///     to what the activation lets through of the outputs (clampedGoal()).
///   - All: the bias is corrected by the mean difference of the outputs before the activation (Nagel et al., 2019,
///     section 4.2; here measured).
///   - An output whose sums could leave 32 bits stays as it was.
///
/// Samples whose stored values would take more than a GiB together with those before them are left out. The result is a
/// function of the program and the samples in their order, never of the number of threads or the target. `counts` says
/// how many layers were rounded how. `outputs` becomes what the integer program with the fitted weights has for the
/// carried samples; nothing where no layer is fitted, or the stored values of all samples would take more than a GiB.
llvm::Error roundWeights(mlir::ModuleOp quantized, const RoundingRequest &request, const Listener &listener,
                         RoundingReport &counts, CarriedOutputs &outputs);

/// The relative squared error of a program of the integer level on samples, mean over its outputs of numbers.
llvm::Expected<double> outputError(mlir::ModuleOp integers, FloatProgram &floatProgram, SampleSet &samples,
                                   llvm::ArrayRef<size_t> indices);

} // namespace dyadic

#endif // DYADIC_PIPELINES_ROUNDWEIGHTS_H
