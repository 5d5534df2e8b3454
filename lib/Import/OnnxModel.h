// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The wall around onnx and protobuf. Only the Onnx*.cpp files include this header;
// no exception leaves them.

#ifndef DYADIC_LIB_IMPORT_ONNXMODEL_H
#define DYADIC_LIB_IMPORT_ONNXMODEL_H

#include "Graph.h"
#include "dyadic/Support/Error.h"
#include "onnx/onnx_pb.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace dyadic::importer {

/// The domain that nodes without a schema are moved to, so that onnx passes over them;
/// their op_type then has the original domain in front.
inline constexpr const char *kUnknownDomain = "dyadic.unknown";

/// Constants with more elements leave the model before onnx's passes, which copy it.
inline constexpr int64_t kMaxInlineConstant = 4096;

//===--- OnnxFile.cpp -----------------------------------------------------===//

/// Parses bytes that messages call `name`; malformed ones, and 2 GiB or more, are errors.
llvm::Error parseMessage(llvm::StringRef name, llvm::StringRef bytes, google::protobuf::MessageLite &message,
                         const char *kind);
/// Parses a file; missing, empty, above 2 GiB or malformed files are errors.
llvm::Error readMessage(llvm::StringRef path, google::protobuf::MessageLite &message, const char *kind);

/// NumPy's name of an element type of onnx, or onnx's own name in lower case.
std::string elementTypeName(int type);
/// The element type of Tensor.h; nothing where it has none (16-bit floats, strings, ...).
std::optional<ElementType> elementType(int type);
/// onnx's number of an element type.
int onnxType(ElementType type);

/// The tensor's values, after checking that the data's length fits the shape. External
/// data is read from `folder`, which may be empty for none. Messages name `path`.
llvm::Expected<Tensor> decodeTensor(llvm::StringRef path, llvm::StringRef folder, const onnx::TensorProto &proto);
/// Whether an element type of onnx is a float of 16 bits.
bool isHalf(int type);
/// The float32 numbers whose float16 or bfloat16 (`type`) patterns are the uint16 `bits`.
Tensor widened(const Tensor &bits, int type);
/// The folder of a file.
std::string folderOf(llvm::StringRef path);
/// The inverse for small tensors.
onnx::TensorProto encodeTensor(const std::string &name, const Tensor &tensor);
/// What decodeTensor's messages call it.
std::string tensorLabel(const onnx::TensorProto &proto);
bool hasNaN(const Tensor &tensor);
/// NaN or infinite.
bool hasNonFinite(const Tensor &tensor);

/// Runs `body`; an exception becomes an error `FILE: NODE: message` on one line.
llvm::Error guarded(llvm::StringRef path, llvm::function_ref<llvm::Error()> body);

//===--- OnnxCheck.cpp ----------------------------------------------------===//

/// Versions, names, order of the nodes: what onnx's checker reports badly or not at all.
llvm::Error checkStructure(llvm::StringRef path, const onnx::ModelProto &model);
/// Names unnamed nodes after their first output, in the main graph.
void nameNodes(onnx::GraphProto &graph);
/// Moves nodes that have neither a schema nor a function to kUnknownDomain, everywhere.
void setUnknownApart(onnx::ModelProto &model);
/// Refuses function calls that recurse or expand to too many nodes.
llvm::Error checkFunctionCalls(llvm::StringRef path, const onnx::ModelProto &model);
/// Adds the names of all values that `node` reads, those of its subgraphs included.
void collectReads(const onnx::NodeProto &node, std::unordered_map<std::string, int> &reads);

} // namespace dyadic::importer

#endif // DYADIC_LIB_IMPORT_ONNXMODEL_H
