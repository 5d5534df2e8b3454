// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The state of an import while the model still belongs to onnx.

#ifndef DYADIC_LIB_IMPORT_ONNXLOADER_H
#define DYADIC_LIB_IMPORT_ONNXLOADER_H

#include "OnnxModel.h"
#include "dyadic/Import/OnnxImport.h"
#include <unordered_set>

namespace dyadic::importer {

class Loader {
public:
  Loader(const OnnxSource &source, const InputShapes &inputShapes)
      : source(source), path(source.name), dataFolder(source.bytes ? source.folder : folderOf(source.name)),
        inputShapes(inputShapes) {}
  llvm::Error run(Graph &result);

private:
  // OnnxInputs.cpp.
  llvm::Error takeInitializers();
  void addConstant(const std::string &name, Tensor tensor);
  llvm::Error setInputShapes();
  llvm::Error setInputShape(onnx::ValueInfoProto &input, const std::vector<int64_t> *given);
  void takeOutputShapes();
  bool decideBatch() const;

  /// addConstant, where all constants together stay within kMaxConstantBytes; `node` made this one.
  llvm::Error addCounted(const std::string &node, const std::string &name, Tensor tensor);

  // OnnxExpand.cpp.
  /// The branch of an If whose condition is constant; null for other nodes.
  const onnx::GraphProto *takenBranch(const onnx::NodeProto &node) const;
  /// The nodes of the branch that `node` takes, with names that are not in `taken`, which
  /// they are added to; its initializers become constants.
  llvm::Expected<std::vector<onnx::NodeProto>> takeBranch(const onnx::NodeProto &node, onnx::GraphProto branch,
                                                          std::unordered_set<std::string> &taken);
  bool hasSubgraphs() const;
  /// Replaces operators without support by the bodies that ONNX gives them, where those can be imported.
  llvm::Error expandFunctions();

  // OnnxFold.cpp.
  void inferShapes();
  std::unordered_map<std::string, Shape> knownShapes(bool floatsOnly) const;
  llvm::Error adoptInitializers();
  llvm::Expected<bool> foldNode(const Node &node, const std::unordered_map<std::string, Shape> &shapes);
  std::unordered_set<std::string> valueNames() const;
  llvm::Expected<size_t> fold();
  void dropDead();
  llvm::Error settle();
  llvm::Expected<Node> readNode(const onnx::NodeProto &proto) const;

  // OnnxPools.cpp.
  /// Puts stand-ins in place of the pools that onnx gets wrong; returns them, by index.
  std::vector<std::pair<int, onnx::NodeProto>> replaceCeilPools();
  /// True where onnx is wrong about the pool, which then has other attributes.
  bool standIn(onnx::NodeProto &pool, const std::unordered_map<std::string, Shape> &shapes) const;

  // OnnxWiden.cpp.
  llvm::Error widenTensor(onnx::TensorProto &proto);
  llvm::Error widenNode(onnx::NodeProto &node);
  llvm::Error widenGraph(onnx::GraphProto &graph);
  /// Makes float32 of float16 and bfloat16: constants, types and casts.
  llvm::Error widenHalves();

  // OnnxModel.cpp.
  llvm::Error analyze();
  llvm::Expected<int64_t> legacyTrailing(const onnx::NodeProto &node,
                                         const std::unordered_map<std::string, Shape> &shapes) const;
  llvm::Error rewriteLegacyBroadcasts();
  llvm::Error finish(Graph &result);
  llvm::Error unsupportedByName() const;

  const OnnxSource &source;
  llvm::StringRef path; // what messages name
  std::string dataFolder;
  const InputShapes &inputShapes;
  onnx::ModelProto model;
  Constants constants;
  int64_t constantBytes = 0;
  std::vector<std::string> inputNames;
  std::map<std::string, int64_t> symbols;       // sizes that the caller gave
  std::map<std::string, std::string> openBatch; // inputs whose symbolic first dimension became 1, and the symbol
  std::vector<onnx::ValueInfoProto> declaredOutputs;
};

} // namespace dyadic::importer

#endif // DYADIC_LIB_IMPORT_ONNXLOADER_H
