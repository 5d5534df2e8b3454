// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The semantics of the qnn dialect as code: slow and obviously right. Whatever
// runs a program at the integer level must agree with it bit for bit.

#ifndef DYADIC_REFERENCE_INTERPRETER_H
#define DYADIC_REFERENCE_INTERPRETER_H

#include "dyadic/Support/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace dyadic {

/// Runs @main of `module`, or its only function, at the float or the integer level
/// on `inputs` (one an argument, of exactly its shape and element type) and returns
/// the results in order. `module` has been verified.
///
/// With `values`, it also collects the value of every layer (IR/Layers.h) by its `id`,
/// of several operations with one id the last, in program order. `values` is untouched
/// on error.
///
/// Integers follow Support/Dyadic.h. Accumulators are summed in 64 bits and then
/// wrapped to 32 (two's complement). Floats are f32: a convolution or product
/// starts from the bias (0 without) and takes one fused multiply-add a term, in the
/// order kernel position row-major, then input channel; positions outside of the
/// input hold 0. Nothing else is fused. Maximum and minimum are IEEE 754-2019's: NaN wins, +0 > -0.
///
/// Errors (`NODE: what`, NODE being the layer's id or the operation's name): inputs
/// that do not fit, operations or types of the quantized level, operations that
/// the dialect does not define, tensors or kernels of more than 2^30 elements, and
/// numbers that leave the domain which Support/Dyadic.h states.
llvm::Expected<std::vector<Tensor>> interpret(mlir::ModuleOp module, llvm::ArrayRef<Tensor> inputs,
                                              std::vector<NamedTensor> *values = nullptr);

} // namespace dyadic

#endif // DYADIC_REFERENCE_INTERPRETER_H
