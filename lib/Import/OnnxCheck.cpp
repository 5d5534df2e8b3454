// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks of a model before onnx's own: onnx stops at the first operator it does not
// know, and its messages for broken graphs do not say what is wrong with them.

#include "OnnxModel.h"
#include "onnx/checker.h"
#include "onnx/common/proto_util.h"
#include "onnx/defs/schema.h"
#include <unordered_set>

using llvm::Error;
using llvm::StringRef;

namespace dyadic::importer {

//===----------------------------------------------------------------------===//
// Structure
//===----------------------------------------------------------------------===//

static Error checkVersions(StringRef path, const onnx::ModelProto &model) {
  if (!model.has_graph() || model.graph().output_size() == 0)
    return fileError(path, "is not an ONNX model, or is truncated: it has no graph with outputs");
  if (model.ir_version() < 1 || model.ir_version() > onnx::Version::IR_VERSION)
    return fileError(path, "has IR version " + llvm::Twine(model.ir_version()) + ", expected 1 to " +
                               llvm::Twine(static_cast<int>(onnx::Version::IR_VERSION)));
  auto known = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map().at("");
  int found = 0;
  for (const onnx::OperatorSetIdProto &opset : model.opset_import()) {
    if (opset.domain() != "" && opset.domain() != "ai.onnx")
      continue;
    ++found;
    if (opset.version() < known.first || opset.version() > known.second)
      return fileError(path, "uses opset " + llvm::Twine(opset.version()) + ", expected " + llvm::Twine(known.first) +
                                 " to " + llvm::Twine(known.second));
  }
  if (found != 1 && !(found == 0 && model.ir_version() < 3))
    return fileError(path, "imports " + llvm::Twine(found) + " versions of ONNX's operator set, expected one");
  return Error::success();
}

/// Every value has one producer, which comes before its readers.
static Error checkOrder(StringRef path, const onnx::GraphProto &graph) {
  std::unordered_set<std::string> defined{""};
  std::unordered_map<std::string, const onnx::NodeProto *> producers;
  for (const onnx::ValueInfoProto &input : graph.input())
    if (!defined.insert(input.name()).second)
      return fileError(path, "input '" + escaped(input.name()) + "' has no name or is listed twice");
  std::unordered_set<std::string> initializers{""};
  for (const onnx::TensorProto &initializer : graph.initializer()) {
    if (!initializers.insert(initializer.name()).second)
      return fileError(path, "initializer '" + escaped(initializer.name()) + "' has no name or is listed twice");
    defined.insert(initializer.name());
  }
  for (const onnx::NodeProto &node : graph.node())
    for (const std::string &output : node.output()) {
      if (output.empty())
        continue;
      if (defined.count(output) || !producers.emplace(output, &node).second)
        return nodeError(path, node.name(), "output '" + escaped(output) + "' is already the name of another value");
    }
  for (const onnx::NodeProto &node : graph.node()) {
    for (const std::string &input : node.input()) {
      if (defined.count(input))
        continue;
      auto producer = producers.find(input);
      if (producer == producers.end())
        return nodeError(path, node.name(),
                         "input '" + escaped(input) +
                             "' does not exist, expected the name of a graph input, an initializer "
                             "or another node's output");
      return nodeError(path, node.name(),
                       "input '" + escaped(input) + "' comes from node '" + escaped(producer->second->name()) +
                           "', which does not come before it: the graph has a cycle or is not sorted");
    }
    defined.insert(node.output().begin(), node.output().end());
  }
  std::unordered_set<std::string> outputs;
  for (const onnx::ValueInfoProto &output : graph.output()) {
    if (!outputs.insert(output.name()).second)
      return fileError(path, "output '" + escaped(output.name()) + "' is listed twice");
    if (output.name().empty() || !defined.count(output.name()))
      return fileError(path, "output '" + escaped(output.name()) + "' does not exist, expected the name of a value");
  }
  return Error::success();
}

Error checkStructure(StringRef path, const onnx::ModelProto &model) {
  if (Error error = checkVersions(path, model))
    return error;
  if (model.graph().sparse_initializer_size() != 0)
    return fileError(path, "sparse initializers are not supported");
  return checkOrder(path, model.graph());
}

void nameNodes(onnx::GraphProto &graph) {
  for (onnx::NodeProto &node : *graph.mutable_node())
    if (node.name().empty()) {
      for (const std::string &output : node.output())
        if (node.name().empty())
          node.set_name(output);
      if (node.name().empty())
        node.set_name(node.op_type());
    }
}

//===----------------------------------------------------------------------===//
// Unknown operators
//===----------------------------------------------------------------------===//

namespace {
/// Moves nodes without a meaning apart, in one opset environment.
class UnknownNodes {
public:
  UnknownNodes(const onnx::ModelProto &model) {
    for (const onnx::FunctionProto &function : model.functions())
      functions.insert(onnx::GetFunctionImplId(function));
  }

  template <typename Opsets> void setVersions(const Opsets &opsets) {
    versions.clear();
    for (const onnx::OperatorSetIdProto &opset : opsets)
      versions[opset.domain() == "ai.onnx" ? "" : opset.domain()] = opset.version();
  }

  template <typename Nodes> void visit(Nodes &nodes) {
    for (onnx::NodeProto &node : nodes) {
      for (onnx::AttributeProto &attribute : *node.mutable_attribute()) {
        if (attribute.has_g())
          visit(*attribute.mutable_g()->mutable_node());
        for (onnx::GraphProto &graph : *attribute.mutable_graphs())
          visit(*graph.mutable_node());
      }
      if (isKnown(node))
        continue;
      if (!node.domain().empty() && node.domain() != "ai.onnx")
        node.set_op_type(node.domain() + "." + node.op_type());
      node.set_domain(kUnknownDomain);
    }
  }

private:
  bool isKnown(const onnx::NodeProto &node) const {
    if (node.op_type().empty() || node.domain() == kUnknownDomain || functions.count(onnx::GetCalleeId(node)))
      return true;
    auto version = versions.find(node.domain() == "ai.onnx" ? "" : node.domain());
    if (version == versions.end() || version->second < 1 || version->second > (1 << 20))
      return false;
    const onnx::OpSchema *schema = onnx::OpSchemaRegistry::Instance()->GetSchema(
        node.op_type(), static_cast<int>(version->second), node.domain() == "ai.onnx" ? "" : node.domain());
    return schema && !schema->Deprecated() && !onnx::checker::check_is_experimental_op(node);
  }

  std::unordered_set<std::string> functions;
  std::map<std::string, int64_t> versions;
};
} // namespace

template <typename Opsets> static void importUnknownDomain(Opsets &opsets) {
  for (const onnx::OperatorSetIdProto &opset : opsets)
    if (opset.domain() == kUnknownDomain)
      return;
  onnx::OperatorSetIdProto *opset = opsets.Add();
  opset->set_domain(kUnknownDomain);
  opset->set_version(1);
}

void setUnknownApart(onnx::ModelProto &model) {
  UnknownNodes unknown(model);
  unknown.setVersions(model.opset_import());
  unknown.visit(*model.mutable_graph()->mutable_node());
  importUnknownDomain(*model.mutable_opset_import());
  for (onnx::FunctionProto &function : *model.mutable_functions()) {
    unknown.setVersions(function.opset_import());
    unknown.visit(*function.mutable_node());
    importUnknownDomain(*function.mutable_opset_import());
  }
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

namespace {
/// Bounds what inlining adds to a model: calls of calls grow exponentially.
class Expansion {
public:
  explicit Expansion(const onnx::ModelProto &model) {
    for (const onnx::FunctionProto &function : model.functions())
      functions.emplace(onnx::GetFunctionImplId(function), &function);
  }

  /// Bytes of the bodies that `nodes` call, directly or not.
  template <typename Nodes> uint64_t called(const Nodes &nodes) {
    uint64_t sum = 0;
    for (const onnx::NodeProto &node : nodes) {
      for (const onnx::AttributeProto &attribute : node.attribute()) {
        sum += attribute.has_g() ? called(attribute.g().node()) : 0;
        for (const onnx::GraphProto &graph : attribute.graphs())
          sum += called(graph.node());
      }
      auto function = functions.find(onnx::GetCalleeId(node));
      if (function != functions.end())
        sum += body(*function->second);
      if (sum > kMaxBytes)
        return kMaxBytes + 1;
    }
    return sum;
  }

  static constexpr uint64_t kMaxBytes = uint64_t(1) << 30;

private:
  /// onnx has checked that calls neither recurse nor nest deeply.
  uint64_t body(const onnx::FunctionProto &function) {
    auto known = sizes.find(&function);
    if (known != sizes.end())
      return known->second;
    uint64_t size = called(function.node());
    for (const onnx::NodeProto &node : function.node())
      size += 256 + node.ByteSizeLong();
    sizes.emplace(&function, size);
    return size;
  }

  std::unordered_map<std::string, const onnx::FunctionProto *> functions;
  std::unordered_map<const onnx::FunctionProto *, uint64_t> sizes;
};
} // namespace

Error checkFunctionCalls(StringRef path, const onnx::ModelProto &model) {
  onnx::checker::check_function_call_cycles(model);
  if (Expansion(model).called(model.graph().node()) > Expansion::kMaxBytes)
    return fileError(path, "its functions expand to more than 1 GiB");
  return Error::success();
}

void collectReads(const onnx::NodeProto &node, std::unordered_map<std::string, int> &reads) {
  for (const std::string &input : node.input())
    ++reads[input];
  auto graph = [&](const onnx::GraphProto &graph) {
    for (const onnx::NodeProto &inner : graph.node())
      collectReads(inner, reads);
    for (const onnx::ValueInfoProto &output : graph.output())
      ++reads[output.name()];
  };
  for (const onnx::AttributeProto &attribute : node.attribute()) {
    if (attribute.has_g())
      graph(attribute.g());
    for (const onnx::GraphProto &inner : attribute.graphs())
      graph(inner);
  }
}

} // namespace dyadic::importer
