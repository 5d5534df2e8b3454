// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a program takes and returns, read from the entry function of a module at the
// float or the integer level.

#ifndef DYADIC_TARGET_SIGNATURE_H
#define DYADIC_TARGET_SIGNATURE_H

#include "dyadic/Support/Dyadic.h"
#include "dyadic/Support/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace dyadic {

struct BoundaryTensor {
  std::string name;
  ElementType type = ElementType::F32;
  std::vector<int64_t> shape; // of one sample: 1 where the batch is
  bool hasBatch = false;      // the first dimension is the batch
  int axis = -1;
  std::vector<float> scales; // empty: not quantized
  int64_t zeroPoint = 0;
  StorageRange range;

  int64_t bytes() const;
};

struct Signature {
  std::vector<BoundaryTensor> inputs;
  std::vector<BoundaryTensor> outputs; // the model's, then values
  size_t numValues = 0;
  bool hasBatch = false;
};

/// An error where the module has no single entry function, or an argument or result
/// is no static tensor of a known element type, or two inputs or outputs share a name.
llvm::Expected<Signature> readSignature(mlir::ModuleOp module);

} // namespace dyadic

#endif // DYADIC_TARGET_SIGNATURE_H
