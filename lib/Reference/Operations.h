// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One function an operation, over tensors. `out` has the shape and element type of
// the operation's result; operands have those of the verified operation.

#ifndef DYADIC_LIB_REFERENCE_OPERATIONS_H
#define DYADIC_LIB_REFERENCE_OPERATIONS_H

#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Support/Tensor.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

namespace dyadic::reference {

using Operands = llvm::ArrayRef<const Tensor *>;

llvm::Error run(qnn::ConvOp op, Operands in, Tensor &out);
llvm::Error run(qnn::MatmulOp op, Operands in, Tensor &out);
llvm::Error run(qnn::BatchNormOp op, Operands in, Tensor &out);
llvm::Error run(qnn::AddOp op, Operands in, Tensor &out);
llvm::Error run(qnn::SubOp op, Operands in, Tensor &out);
llvm::Error run(qnn::MulOp op, Operands in, Tensor &out);
llvm::Error run(qnn::MapOp op, Operands in, Tensor &out);
llvm::Error run(qnn::TableOp op, Operands in, Tensor &out);
llvm::Error run(qnn::PReluOp op, Operands in, Tensor &out);
llvm::Error run(qnn::ReluOp op, Operands in, Tensor &out);
llvm::Error run(qnn::ClipOp op, Operands in, Tensor &out);
llvm::Error run(qnn::SoftmaxOp op, Operands in, Tensor &out);
llvm::Error run(qnn::RequantizeOp op, Operands in, Tensor &out);
llvm::Error run(qnn::RangeOp op, Operands in, Tensor &out);
llvm::Error run(qnn::QuantizeOp op, Operands in, Tensor &out);
llvm::Error run(qnn::DequantizeOp op, Operands in, Tensor &out);
llvm::Error run(qnn::MaxPoolOp op, Operands in, Tensor &out);
llvm::Error run(qnn::AvgPoolOp op, Operands in, Tensor &out);
llvm::Error run(qnn::InterpolateOp op, Operands in, Tensor &out);
llvm::Error run(qnn::ReshapeOp op, Operands in, Tensor &out);
llvm::Error run(qnn::TransposeOp op, Operands in, Tensor &out);
llvm::Error run(qnn::SliceOp op, Operands in, Tensor &out);
llvm::Error run(qnn::GatherOp op, Operands in, Tensor &out);
llvm::Error run(qnn::PadOp op, Operands in, Tensor &out);
llvm::Error run(qnn::ConcatOp op, Operands in, Tensor &out);

/// Keeps a hand-written type from exhausting the memory.
constexpr int64_t kMaxElements = int64_t(1) << 30;

/// The layer's id, or the name of an operation that has none.
std::string nodeName(mlir::Operation *op);
/// `NODE: what`.
llvm::Error operationError(mlir::Operation *op, const llvm::Twine &what);

inline bool isFloat(const Tensor &tensor) { return tensor.type == ElementType::F32; }

/// All elements of an integer tensor.
std::vector<int64_t> ints(const Tensor &tensor);
/// All elements of an f32 tensor.
llvm::ArrayRef<float> floats(const Tensor &tensor);

/// IEEE 754-2019 maximum and minimum: NaN wins, +0 is larger than -0.
float maximum(float a, float b);
float minimum(float a, float b);

} // namespace dyadic::reference

#endif // DYADIC_LIB_REFERENCE_OPERATIONS_H
