// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What float layers compute before their activations, at some positions of the output.

#ifndef DYADIC_LIB_PIPELINES_FLOATOUTPUTS_H
#define DYADIC_LIB_PIPELINES_FLOATOUTPUTS_H

#include "LinearRows.h"
#include "dyadic/Pipelines/Compiler.h"

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

/// The numbers of a few layers at a time are held for all samples: the float program runs again where the next ones are
/// asked for.
class FloatOutputs {
public:
  /// `layers`, of one float module, and `samples` must live as long.
  static llvm::Expected<std::unique_ptr<FloatOutputs>> create(llvm::ArrayRef<LinearLayer> layers,
                                                              llvm::ArrayRef<Sample> samples);
  /// The outputs of layer `index`, or the sums with its residual, for each sample: of all channels, less the bias, one
  /// row a position. Layers are asked for in order.
  llvm::Expected<std::vector<std::vector<float>> *> of(size_t index);

private:
  FloatOutputs(llvm::ArrayRef<LinearLayer> layers, llvm::ArrayRef<Sample> samples) : layers(layers), samples(samples) {}
  llvm::Error run(size_t begin);

  llvm::ArrayRef<LinearLayer> layers;
  llvm::ArrayRef<Sample> samples;
  std::unique_ptr<Program> program;
  std::vector<size_t> residualIndices;                  // by layer, among the program's outputs
  size_t first = 0;                                     // layer that is held
  std::vector<std::vector<std::vector<float>>> outputs; // by layer from `first` on, sample
};

} // namespace dyadic

#endif // DYADIC_LIB_PIPELINES_FLOATOUTPUTS_H
