// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is put in a node's place: the branch that an If takes, and the body that ONNX
// gives an operator which nothing here imports.

#include "Importer.h"
#include "OnnxLoader.h"
#include "onnx/defs/schema.h"
#include "onnx/inliner/inliner.h"
#include "onnx/shape_inference/implementation.h"
#include "llvm/ADT/STLExtras.h"
#include <set>

using llvm::Error;
using llvm::Expected;

namespace dyadic::importer {

//===----------------------------------------------------------------------===//
// Branches
//===----------------------------------------------------------------------===//

using Names = std::unordered_map<std::string, std::string>;

static void rename(onnx::GraphProto &graph, const Names &names);

static void rename(std::string &name, const Names &names) {
  if (auto found = names.find(name); found != names.end())
    name = found->second;
}

static void rename(onnx::NodeProto &node, const Names &names) {
  for (std::string &input : *node.mutable_input())
    rename(input, names);
  for (std::string &output : *node.mutable_output())
    rename(output, names);
  for (onnx::AttributeProto &attribute : *node.mutable_attribute()) {
    if (attribute.has_g())
      rename(*attribute.mutable_g(), names);
    for (onnx::GraphProto &graph : *attribute.mutable_graphs())
      rename(graph, names);
  }
}

static void rename(onnx::GraphProto &graph, const Names &names) {
  for (onnx::NodeProto &node : *graph.mutable_node())
    rename(node, names);
  for (onnx::ValueInfoProto &output : *graph.mutable_output())
    rename(*output.mutable_name(), names);
}

const onnx::GraphProto *Loader::takenBranch(const onnx::NodeProto &node) const {
  if (node.op_type() != "If" || !node.domain().empty() || node.input_size() != 1)
    return nullptr;
  auto condition = constants.find(node.input(0));
  if (condition == constants.end() || condition->second->type != ElementType::Bool || condition->second->size() != 1)
    return nullptr;
  const char *name = condition->second->data[0] ? "then_branch" : "else_branch";
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (attribute.name() == name && attribute.has_g() && attribute.g().output_size() == node.output_size())
      return &attribute.g();
  return nullptr;
}

Expected<std::vector<onnx::NodeProto>> Loader::takeBranch(const onnx::NodeProto &node, onnx::GraphProto branch,
                                                          std::unordered_set<std::string> &taken) {
  if (branch.sparse_initializer_size() != 0)
    return nodeError(path, node.name(), "sparse initializers are not supported");
  Names names;
  auto define = [&](const std::string &name) {
    if (name.empty() || names.count(name))
      return;
    std::string unique = name;
    for (int suffix = 1; !taken.insert(unique).second; ++suffix)
      unique = name + "_" + std::to_string(suffix);
    names[name] = unique;
  };
  // A value that the branch computes for an output has the output's name.
  std::unordered_set<std::string> computed;
  for (const onnx::NodeProto &inner : branch.node())
    computed.insert(inner.output().begin(), inner.output().end());
  std::vector<onnx::NodeProto> identities;
  for (int i = 0; i < branch.output_size(); ++i) {
    const std::string &from = branch.output(i).name(), &to = node.output(i);
    if (computed.count(from) && !to.empty() && names.emplace(from, to).second)
      continue;
    onnx::NodeProto identity;
    identity.set_op_type("Identity");
    identity.set_name(to);
    identity.add_input(from);
    identity.add_output(to);
    if (!to.empty())
      identities.push_back(std::move(identity));
  }
  for (const onnx::TensorProto &initializer : branch.initializer())
    define(initializer.name());
  for (const onnx::NodeProto &inner : branch.node())
    for (const std::string &name : inner.output())
      define(name);
  nameNodes(branch);
  for (const onnx::TensorProto &initializer : branch.initializer()) {
    Expected<Tensor> tensor = decodeTensor(path, dataFolder, initializer);
    if (!tensor)
      return tensor.takeError();
    if (Error error = addCounted(node.name(), names[initializer.name()], std::move(*tensor)))
      return std::move(error);
  }
  std::vector<onnx::NodeProto> nodes;
  for (onnx::NodeProto &inner : *branch.mutable_node()) {
    rename(inner, names);
    if (inner.domain() == "ai.onnx")
      inner.set_domain("");
    nodes.push_back(std::move(inner));
  }
  for (onnx::NodeProto &identity : identities) {
    rename(*identity.mutable_input(0), names);
    nodes.push_back(std::move(identity));
  }
  return nodes;
}

bool Loader::hasSubgraphs() const {
  return llvm::any_of(model.graph().node(), [](const onnx::NodeProto &node) {
    return llvm::any_of(node.attribute(), [](const onnx::AttributeProto &a) { return a.has_g() || a.graphs_size(); });
  });
}

//===----------------------------------------------------------------------===//
// Function bodies
//===----------------------------------------------------------------------===//

static bool isOnnx(const onnx::NodeProto &node) { return node.domain().empty() || node.domain() == "ai.onnx"; }

/// Operators of the main graph that are neither imported nor evaluated.
static std::set<std::string> unsupportedOperators(const onnx::ModelProto &model) {
  std::set<std::string> result;
  for (const onnx::NodeProto &node : model.graph().node())
    if (!isOnnx(node) || !isImportedOrEvaluated(node.op_type()))
      result.insert(isOnnx(node) ? node.op_type() : node.domain() + "." + node.op_type());
  return result;
}

/// The domain of the functions that stand for bodies while they are inlined.
static constexpr const char *kBodyDomain = "dyadic.body";

static int newestOpset() { return onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map().at("").second; }

static bool hasBody(const std::string &op) {
  const onnx::OpSchema *schema = onnx::OpSchemaRegistry::Instance()->GetSchema(op, newestOpset(), "");
  return schema && (schema->HasFunction() || schema->HasContextDependentFunction());
}

using Types = std::unordered_map<std::string, onnx::TypeProto>;

static Types valueTypes(const onnx::ModelProto &model) {
  onnx::ModelProto copy = model;
  onnx::ShapeInferenceOptions options{/*check_type=*/false, /*error_mode=*/0, /*data_propagation=*/false};
  onnx::shape_inference::InferShapes(copy, onnx::OpSchemaRegistry::Instance(), options);
  Types types;
  for (const auto *values : {&copy.graph().value_info(), &copy.graph().input(), &copy.graph().output()})
    for (const onnx::ValueInfoProto &value : *values)
      types[value.name()] = value.type();
  for (const onnx::TensorProto &initializer : copy.graph().initializer())
    types[initializer.name()].mutable_tensor_type()->set_elem_type(initializer.data_type());
  return types;
}

/// The body of `node`'s operator, which may depend on the node's attributes and operands.
static bool bodyOf(const onnx::NodeProto &node, const Types &types, onnx::FunctionProto &body) {
  const onnx::OpSchema *schema = onnx::OpSchemaRegistry::Instance()->GetSchema(node.op_type(), newestOpset(), "");
  if (const onnx::FunctionProto *fixed = schema->HasFunction() ? schema->GetFunction(newestOpset(), false) : nullptr) {
    body = *fixed;
    return true;
  }
  std::vector<onnx::TypeProto> operands;
  for (const std::string &input : node.input()) {
    auto type = types.find(input);
    operands.push_back(type == types.end() ? onnx::TypeProto() : type->second);
  }
  onnx::FunctionBodyBuildContextImpl context(node, operands);
  return schema->HasContextDependentFunction() && schema->BuildContextDependentFunction(context, body, newestOpset());
}

/// Every node of operator `op` calls a function of the model with its body, and the
/// calls are inlined: onnx's own way from operator to body does not see initializers.
static void expandOperator(onnx::ModelProto &model, const std::string &op) {
  Types types = valueTypes(model);
  for (onnx::NodeProto &node : *model.mutable_graph()->mutable_node()) {
    onnx::FunctionProto body;
    if (node.op_type() != op || !isOnnx(node) || !bodyOf(node, types, body))
      continue;
    body.set_domain(kBodyDomain);
    body.set_name(op + std::to_string(model.functions_size()));
    *body.mutable_opset_import() = model.opset_import();
    node.set_domain(kBodyDomain);
    node.set_op_type(body.name());
    *model.add_functions() = std::move(body);
  }
  onnx::inliner::InlineLocalFunctions(model);
  model.clear_functions();
  nameNodes(*model.mutable_graph());
}

/// Expands operators until none of those with a body is left, in at most as many steps as bodies can nest.
static void expandAll(onnx::ModelProto &model, std::set<std::string> operators) {
  for (int depth = 0; depth < 8 && !operators.empty(); ++depth) {
    for (const std::string &op : operators)
      expandOperator(model, op);
    operators.clear();
    for (const std::string &op : unsupportedOperators(model))
      if (hasBody(op))
        operators.insert(op);
  }
}

/// Operators of the main graph that are not imported: what could be evaluated is gone by now.
/// A product of two computed matrices is among them.
static std::set<std::string> leftOperators(const onnx::ModelProto &model, const Constants &constants) {
  std::set<std::string> result;
  for (const onnx::NodeProto &node : model.graph().node())
    if (!isOnnx(node) || !Importer::handlerOf(node.op_type()) ||
        (node.op_type() == "MatMul" && node.input_size() == 2 && !constants.count(node.input(1))))
      result.insert(node.domain() + "." + node.op_type());
  return result;
}

/// An operator is expanded only where that leaves nothing behind that is not imported: a
/// message about the model's own node says more than several about the insides of its body.
Error Loader::expandFunctions() {
  for (const std::string &op : unsupportedOperators(model)) {
    if (!hasBody(op))
      continue;
    std::set<std::string> before = leftOperators(model, constants);
    onnx::ModelProto oldModel = model;
    auto oldConstants = std::make_pair(constants, constantBytes);
    onnx::OperatorSetIdProto *opset = model.add_opset_import();
    opset->set_domain(kBodyDomain);
    opset->set_version(1);
    expandAll(model, {op});
    model.mutable_opset_import()->RemoveLast();
    if (Error error = settle())
      return error;
    std::set<std::string> after = leftOperators(model, constants);
    if (after.count("." + op) == 0 &&
        llvm::all_of(after, [&](const std::string &left) { return before.count(left) != 0; }))
      continue;
    model.Swap(&oldModel);
    std::tie(constants, constantBytes) = std::move(oldConstants);
  }
  return Error::success();
}

} // namespace dyadic::importer
