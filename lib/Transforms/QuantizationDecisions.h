// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What quantization decides about a calibrated graph, before anything is rebuilt: how
// every value is stored, which layers stay in float, whose accumulator is read.

#ifndef DYADIC_LIB_TRANSFORMS_QUANTIZATIONDECISIONS_H
#define DYADIC_LIB_TRANSFORMS_QUANTIZATIONDECISIONS_H

#include "dyadic/IR/Layers.h"
#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Search/Plan.h"
#include "dyadic/Transforms/Passes.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SmallPtrSet.h"

namespace dyadic {

/// How a value that somebody stores is stored: its width, sign and scale.
struct Storage {
  std::string id;
  unsigned bits = 8;
  unsigned operandBits = 8; // of what convolutions and matmuls read: fewer where that is a copy
  bool isSigned = false;
  float min = 0, max = 0;
  float operandMin = 0, operandMax = 0;
  ActivationBounds bounds; // that the layer's activations force on it
  mlir::quant::UniformQuantizedType type;
  mlir::quant::UniformQuantizedType operandType; // of the copy; null without
};

/// Skips the identity `qnn.range` operations before a value.
mlir::Value behindRanges(mlir::Value value);
/// The `qnn.range` of a value; null without.
qnn::RangeOp rangeAfter(mlir::Value value);
/// Users of a value, `qnn.range` looked through.
llvm::SmallVector<mlir::OpOperand *> realUses(mlir::Value value);
/// The number of positions in every window of a pool; nothing where it differs at the border.
std::optional<int64_t> uniformCount(qnn::AvgPoolOp pool);
/// The layer's id; empty without.
llvm::StringRef idOf(mlir::Operation *op);

bool isSoftmax(mlir::Value value);
/// True where `isReader` holds for all that read the value, moves of it looked through.
bool isReadOnlyBy(mlir::Value value, llvm::function_ref<bool(mlir::Operation *)> isReader);
bool isReadBySoftmax(mlir::Value value);

/// Bits of an integer output that the plan does not name.
inline constexpr unsigned kOutputBits = 16;

class QuantizationDecisions {
public:
  /// `plan` names what is fixed; decide() completes it.
  QuantizationDecisions(mlir::func::FuncOp function, Plan &plan) : function(function), plan(plan) {}
  mlir::LogicalResult decide();
  /// The part of decide() that needs no ranges.
  mlir::LogicalResult decideWidths();
  /// By id, the bits that a value's range is for, once widths are decided: those it is stored with, or of an integer
  /// output if that has more; and those of a copy.
  std::map<std::string, RangeWidths> rangeWidths();

  /// The value whose storage `value` shares: through the operations that move numbers, up
  /// to a pad that needs a wider range than its operand.
  mlir::Value storageRoot(mlir::Value value) const;
  /// How `value` is stored; null for constants and what has no storage of its own.
  const Storage *storageOf(mlir::Value value) const;
  bool isFloatLayer(mlir::Operation *op) const;
  /// True for an integer layer that only moves numbers, so that an exit's real numbers can
  /// pass it (a max pool compares them and padding adds others).
  bool carriesExit(mlir::Operation *op) const;
  /// Bits of the outputs that read the layer's accumulator, ascending and each once.
  llvm::ArrayRef<unsigned> exitBits(mlir::Operation *op) const;
  /// Bits of result `index` of the function; 32 where it is real numbers.
  unsigned outputBits(unsigned index) const;
  /// True where an addition or a PRelu reads the layer's accumulator.
  bool isSummand(mlir::Operation *op) const { return addRoots.contains(op); }
  /// The type of an integer output of `bits` bits that holds the value `storage` describes.
  mlir::Type outputType(mlir::Value root, unsigned bits) const;

private:
  mlir::LogicalResult checkIds();
  mlir::LogicalResult checkMoves();
  mlir::LogicalResult collectStorages();
  void collectBorders();
  void collectBorder(qnn::PadOp pad);
  mlir::LogicalResult readRanges();
  mlir::LogicalResult chooseWidths();
  mlir::LogicalResult readAskedWidths(std::map<void *, std::pair<unsigned, std::string>> &asked);
  void chooseTypes();
  void shortenScale(mlir::Operation *add);
  void shareScale(mlir::Value branch, mlir::Operation *reader);
  void completeLayers();
  bool canAccumulate(mlir::Operation *op) const;
  mlir::LogicalResult chooseAccumulators();
  /// The operand of an addition that can be the accumulator of its producer; null where none can.
  mlir::Operation *accumulatorOperand(mlir::Operation *add) const;
  mlir::LogicalResult chooseAddOperand(mlir::Operation *add);
  unsigned defaultBits(mlir::Value value) const;
  mlir::LogicalResult chooseOperandBits(mlir::Value value, Storage &storage);

  mlir::func::FuncOp function;
  Plan &plan;
  llvm::MapVector<mlir::Value, Storage> storages; // by the layer's value
  /// Layers whose accumulator is an output, or several of different bits.
  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<unsigned, 1>> exitRoots;
  llvm::SmallPtrSet<mlir::Operation *, 8> addRoots; // layers whose accumulator another layer reads
};

/// Does `read` with the function of `module` and the widths that `plan`, which stays as it is, decides.
mlir::LogicalResult withDecidedWidths(mlir::ModuleOp module, const Plan &plan,
                                      llvm::function_ref<void(mlir::func::FuncOp, QuantizationDecisions &)> read);

} // namespace dyadic

#endif // DYADIC_LIB_TRANSFORMS_QUANTIZATIONDECISIONS_H
