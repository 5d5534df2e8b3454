// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a program of the quantized level on many samples at once, piece by piece, so that what comes later may still
// change while the numbers before it are known.

#ifndef DYADIC_LIB_PIPELINES_STAGEDRUN_H
#define DYADIC_LIB_PIPELINES_STAGEDRUN_H

#include "dyadic/Pipelines/Compiler.h"
#include "llvm/ADT/MapVector.h"

namespace dyadic {

/// Every piece is rewritten to integers and compiled by itself: the numbers are those of the integer program. Values
/// are held for all samples as long as an operation that has not run needs them.
class StagedRun {
public:
  /// `goals` are the operations whose first operand will be asked for, in program order.
  StagedRun(mlir::func::FuncOp function, qnn::Rounding rounding, llvm::ArrayRef<mlir::Operation *> goals);
  /// After the goals, the program's outputs will be asked for. False where one is a constant: they cannot.
  bool goToEnd();

  /// About how many bytes the values of one sample take, where they take the most.
  uint64_t bytesPerSample();
  void addSample(const Sample &sample);
  size_t numSamples() const { return count; }

  /// Computes the first operand of the next goal, `goal`; from now on operations before it must not change.
  llvm::Error advanceTo(mlir::Operation *goal);
  /// Whether `value` is held for other goals when `goal` has been advanced to and after that.
  bool isHeldAt(mlir::Operation *goal, mlir::Value value) const;
  /// Of such a value: stored integers.
  const Tensor &held(mlir::Value value, size_t sample) const { return values.find(value)->second[sample]; }
  /// The first operand of the goal that was advanced to: stored integers.
  const Tensor &input(size_t sample) const { return values.find(current)->second[sample]; }

  /// Computes the outputs, when all goals were advanced to.
  llvm::Error finish();
  /// The outputs then, as real numbers.
  std::vector<Tensor> outputs(size_t sample);

private:
  bool isPending(mlir::Operation *user) const;
  bool isNeeded(mlir::Value value) const;
  llvm::SmallVector<mlir::Operation *> pieceBefore(mlir::ValueRange wanted) const;
  llvm::Error run(llvm::ArrayRef<mlir::Operation *> piece);
  void dropUnneeded();

  mlir::func::FuncOp function;
  qnn::Rounding rounding;
  llvm::DenseSet<mlir::Operation *> needed; // what goals depend on, or goals
  llvm::DenseSet<mlir::Operation *> rest;   // what outputs depend on, where they are asked for
  llvm::DenseSet<mlir::Operation *> goals;  // not advanced to
  llvm::DenseSet<mlir::Operation *> done;
  llvm::MapVector<mlir::Value, std::vector<Tensor>> values;
  mlir::Value current;
  size_t count = 0;
};

} // namespace dyadic

#endif // DYADIC_LIB_PIPELINES_STAGEDRUN_H
