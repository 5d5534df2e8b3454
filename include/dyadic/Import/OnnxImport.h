// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX files to the float level of the qnn dialect. Everything about protobuf and
// onnx stays behind this header.

#ifndef DYADIC_IMPORT_ONNXIMPORT_H
#define DYADIC_IMPORT_ONNXIMPORT_H

#include "dyadic/Support/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dyadic {

/// Where a model comes from: a file, or memory.
struct OnnxSource {
  static OnnxSource file(llvm::StringRef path) { return {path.str(), std::nullopt, ""}; }

  /// The path of the file; of a model in memory what messages call it.
  std::string name;
  /// The serialized ModelProto of a model in memory; it outlives the import.
  std::optional<llvm::StringRef> bytes;
  /// Where external data of a model in memory lies; empty: it may have none. That of a
  /// file lies beside it.
  std::string folder;
};

struct ImportOptions {
  /// `--input-shape`: the name of an input and its sizes, each at least 1. Sizes that
  /// the model fixes must agree; a symbolic size given here holds for the same symbol
  /// of the other inputs.
  std::vector<std::pair<std::string, std::vector<int64_t>>> inputShapes;
};

/// Reads the model and returns a verified module with one function `@main`
/// of static shapes: `qnn` operations of `f32` tensors and `arith.constant`. Arguments
/// and results carry `qnn.name`; the function carries `qnn.batch` where the first
/// dimension of every input and output is one symbol that `inputShapes` leaves open
/// (it is 1 in the types).
///
/// The model and its external data are not trusted: a fault is one error that
/// names the file and, where there is one, the node; nodes that cannot be imported are
/// all listed in one error.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> importOnnx(const OnnxSource &source, const ImportOptions &options,
                                                             mlir::MLIRContext &context);

/// Reads a file that holds one serialized TensorProto, such as `input_0.pb` of an ONNX
/// test_data_set folder. All element types of Tensor.h; any shape of at most 2^31
/// elements.
llvm::Expected<Tensor> readTensorProto(llvm::StringRef path);

} // namespace dyadic

#endif // DYADIC_IMPORT_ONNXIMPORT_H
