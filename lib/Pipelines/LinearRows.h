// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions and matmuls as linear maps of rows: one row a position of the output, of each group.

#ifndef DYADIC_LIB_PIPELINES_LINEARROWS_H
#define DYADIC_LIB_PIPELINES_LINEARROWS_H

#include "dyadic/IR/Window.h"
#include "dyadic/Support/Tensor.h"

namespace dyadic {

class LinearRows {
public:
  /// `op` is a convolution with channels first or a matmul, with constant weights, at any level.
  explicit LinearRows(mlir::Operation *op);

  int64_t groups() const { return numGroups; }
  /// Of one group.
  int64_t inputs() const { return numInputs; }
  int64_t outputs() const { return numOutputs; }
  /// Of one sample.
  int64_t positions() const { return numPositions; }

  /// Where the weight of a group's output and input is among those of the operation.
  int64_t weightAt(int64_t group, int64_t output, int64_t input) const {
    return isConv ? (group * numOutputs + output) * numInputs + input : input * numOutputs + output;
  }

  /// Where in one channel of the input the rows of `positions` read, one number a position and element of the kernel;
  /// -1 outside.
  std::vector<int64_t> kernelOffsets(llvm::ArrayRef<int64_t> positions) const;
  /// The inputs of a group at `positions`, one row each: stored integers less `zeroPoint`, or real numbers; 0 outside.
  /// `offsets` are the kernelOffsets() of the positions. They are appended to `rows`.
  void gatherInputs(const Tensor &input, int64_t zeroPoint, llvm::ArrayRef<int64_t> positions,
                    llvm::ArrayRef<int64_t> offsets, int64_t group, std::vector<float> &rows) const;
  /// The outputs of all groups at `positions`, one row each; channels are the last dimension or the second.
  std::vector<float> gatherOutputs(const Tensor &output, llvm::ArrayRef<int64_t> positions,
                                   bool isChannelsLast = false) const;

private:
  bool isConv;
  qnn::Window window;
  int64_t numGroups = 1, numInputs = 0, numOutputs = 0, numPositions = 0;
  int64_t volume = 1;                    // of the kernel
  int64_t inputSize = 1, outputSize = 1; // of one channel
};

/// At most `limit` of `count` positions, evenly spaced, in ascending order; other ones for each sample.
std::vector<int64_t> choosePositions(int64_t count, int64_t limit, size_t sample);

} // namespace dyadic

#endif // DYADIC_LIB_PIPELINES_LINEARROWS_H
