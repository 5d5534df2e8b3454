// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What float layers compute before their activations, at some positions of the output.

#ifndef DYADIC_LIB_PIPELINES_FLOATOUTPUTS_H
#define DYADIC_LIB_PIPELINES_FLOATOUTPUTS_H

#include "LinearRows.h"
#include "dyadic/Pipelines/LayerwiseProgram.h"

namespace dyadic {

/// A convolution or matmul, at the float level, and the positions of its output that count.
struct LinearLayer {
  mlir::Operation *op;
  LinearRows rows;
  int64_t limit = 0; // of positions a sample
  /// The other operand of the addition that alone reads the layer, where there is one: wanted are the sums then.
  mlir::Value residual = {};

  std::vector<int64_t> positions(size_t sample) const { return choosePositions(rows.positions(), limit, sample); }
  int64_t channels() const { return rows.groups() * rows.outputs(); }
  int64_t rowsPerSample() const { return std::min(limit, rows.positions()); }
};

/// The numbers of a few layers at a time are held for all samples. Where the next ones are asked for, the float program
/// goes on from there; or runs again, where what it would have to keep of all samples is too much.
class FloatOutputs {
public:
  /// `layers`, of one float module, and `samples` must live as long.
  static llvm::Expected<std::unique_ptr<FloatOutputs>> create(llvm::ArrayRef<LinearLayer> layers,
                                                              llvm::ArrayRef<Sample> samples, LayerKernels &kernels);
  /// The outputs of layer `index`, or the sums with its residual, for each sample: of all channels, less the bias, one
  /// row a position. Layers are asked for in order.
  llvm::Expected<std::vector<std::vector<float>> *> of(size_t index);

private:
  FloatOutputs(llvm::ArrayRef<LinearLayer> layers, llvm::ArrayRef<Sample> samples) : layers(layers), samples(samples) {}
  /// What the program computes of a layer, and its residual: values.
  struct Wanted {
    size_t output;
    std::optional<size_t> residual;
    bool isChannelsLast = false, isResidualChannelsLast = false;
  };

  llvm::Error hold(size_t begin);
  llvm::Error advance(size_t sample, llvm::ArrayRef<size_t> values);
  std::vector<float> rowsOf(const LayerwiseProgram::Run &run, size_t layer, size_t sample) const;
  size_t stagesUntil(size_t end) const;
  std::vector<size_t> valuesAfter(size_t end) const;

  llvm::ArrayRef<LinearLayer> layers;
  llvm::ArrayRef<Sample> samples;
  std::unique_ptr<LayerwiseProgram> program;
  std::vector<Wanted> wanted; // by layer
  LayerwiseRuns runs;
  size_t stage = 0;                                     // of the program, that is next: nothing before has to run again
  std::vector<size_t> live;                             // values to go on from
  std::vector<std::vector<Tensor>> liveNumbers;         // by sample, live value
  size_t first = 0;                                     // layer that is held
  std::vector<std::vector<std::vector<float>>> outputs; // by layer from `first` on, sample
};

} // namespace dyadic

#endif // DYADIC_LIB_PIPELINES_FLOATOUTPUTS_H
