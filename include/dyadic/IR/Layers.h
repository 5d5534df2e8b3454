// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a layer of the float program is: a root operation and the activations that
// it absorbs. Calibration, quantization and reports must agree on this.

#ifndef DYADIC_IR_LAYERS_H
#define DYADIC_IR_LAYERS_H

#include "dyadic/IR/QnnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace dyadic {

/// The function that is the program: the only public one of the module.
mlir::func::FuncOp entryFunction(mlir::ModuleOp module);

/// The bounds that a layer's absorbed activations force on its value.
struct ActivationBounds {
  float min = -INFINITY, max = INFINITY;
};

/// The ReLU and Clip operations that the layer rooted at `op` absorbs, in order: each
/// is the only use of the value before it, and all bounds together include 0 and more (so
/// that a range can express them). Only operations that round their result themselves absorb any.
/// `qnn.range` between them is looked through.
llvm::SmallVector<mlir::Operation *> absorbedBy(mlir::Operation *root);
/// True where the layer rooted at `root` absorbs `activation` if that follows it, as its only reader.
bool absorbs(mlir::Operation *root, mlir::Operation *activation);
/// The root of the layer whose value, or value so far, `op` makes: `op` itself, or what
/// is before it where it is an activation or a `qnn.range`; null where that is an argument.
mlir::Operation *layerRoot(mlir::Operation *op);
/// True for a ReLU or Clip that a layer absorbs.
bool isAbsorbed(mlir::Operation *op);
/// The result of `root` or of the last activation that it absorbs.
mlir::Value layerValue(mlir::Operation *root);
ActivationBounds activationBounds(llvm::ArrayRef<mlir::Operation *> activations);
/// The bounds of one ReLU or Clip; nothing for another operation.
std::optional<ActivationBounds> boundsOf(mlir::Operation *op);

/// True for a convolution of which each output channel reads one input channel.
bool isDepthwise(mlir::Operation *op);

/// True for the operations whose result is an accumulator at the integer level.
bool accumulates(mlir::Operation *op);

/// True for operations of the packed level: those of qnn that write to a destination.
bool isPacked(mlir::Operation *op);

/// True for the operations that take numbers elsewhere and do nothing else: reshape,
/// transpose, slice and gather. (A max pool compares numbers, a pad adds others.)
bool isMove(mlir::Operation *op);

/// The layers of a function in program order, absorbed activations left out.
llvm::SmallVector<mlir::Operation *> layersOf(mlir::func::FuncOp function);

/// The id of the layer that `op` works for: its own, its root's where it is absorbed, or, of an operation that the
/// compiler added, that of the layer whose value it reads. Null where there is none.
mlir::StringAttr servedId(mlir::Operation *op);

/// The id of the value that a `quant.qcast` stores: of the argument it quantizes, or of
/// the float layer before it; null for neither.
mlir::StringAttr storedId(mlir::quant::QuantizeCastOp op);

/// Removes operations of the entry block that nothing reads, constants above all.
void eraseDead(mlir::func::FuncOp function);

/// The `qnn.name` of an argument or result; empty without.
llvm::StringRef argumentName(mlir::func::FuncOp function, unsigned index);
llvm::StringRef resultName(mlir::func::FuncOp function, unsigned index);

} // namespace dyadic

#endif // DYADIC_IR_LAYERS_H
