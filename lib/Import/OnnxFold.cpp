// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape inference by onnx and folding by the evaluator, in turn.

#include "Evaluate.h"
#include "OnnxLoader.h"
#include "onnx/shape_inference/implementation.h"
#include "llvm/ADT/STLExtras.h"
#include <deque>

using llvm::Error;
using llvm::Expected;

namespace dyadic::importer {

/// Strict once no subgraph is left (what an If never takes may well be wrong for the
/// shapes at hand), and without data propagation: onnx's can crash (a Slice with a step near
/// -2^63), and since all inputs have static shapes the evaluator does the same.
void Loader::inferShapes() {
  onnx::GraphProto *graph = model.mutable_graph();
  graph->clear_value_info();
  for (onnx::ValueInfoProto &output : *graph->mutable_output())
    if (output.type().has_tensor_type())
      output.mutable_type()->mutable_tensor_type()->clear_shape();
  std::vector<std::pair<int, onnx::NodeProto>> pools = replaceCeilPools();
  onnx::ShapeInferenceOptions options{/*check_type=*/true, /*error_mode=*/hasSubgraphs() ? 0 : 1,
                                      /*data_propagation=*/false};
  onnx::shape_inference::InferShapes(model, onnx::OpSchemaRegistry::Instance(), options);
  for (auto &[index, pool] : pools)
    graph->mutable_node(index)->Swap(&pool);
}

std::unordered_map<std::string, Shape> Loader::knownShapes(bool floatsOnly) const {
  std::unordered_map<std::string, Shape> shapes;
  auto add = [&](const google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> &values) {
    for (const onnx::ValueInfoProto &value : values) {
      const onnx::TypeProto_Tensor &type = value.type().tensor_type();
      Shape shape;
      for (const onnx::TensorShapeProto_Dimension &dim : type.shape().dim())
        if (dim.has_dim_value())
          shape.push_back(dim.dim_value());
      if (type.has_shape() && static_cast<int>(shape.size()) == type.shape().dim_size() &&
          (!floatsOnly || type.elem_type() == onnx::TensorProto::FLOAT))
        shapes[value.name()] = shape;
    }
  };
  add(model.graph().value_info());
  add(model.graph().input());
  add(model.graph().output());
  return shapes;
}

Expected<Node> Loader::readNode(const onnx::NodeProto &proto) const {
  Node node;
  node.name = proto.name();
  node.isKnown = proto.domain() != kUnknownDomain;
  bool isOnnx = !node.isKnown || proto.domain().empty() || proto.domain() == "ai.onnx";
  node.op = isOnnx ? proto.op_type() : proto.domain() + "." + proto.op_type();
  node.inputs.assign(proto.input().begin(), proto.input().end());
  node.outputs.assign(proto.output().begin(), proto.output().end());
  while (!node.outputs.empty() && node.outputs.back().empty())
    node.outputs.pop_back();
  for (const onnx::AttributeProto &from : proto.attribute()) {
    Attribute &to = node.attributes[from.name()];
    using Kind = Attribute::Kind;
    if (from.type() == onnx::AttributeProto::INT) {
      to.kind = Kind::Int;
      to.i = from.i();
    } else if (from.type() == onnx::AttributeProto::FLOAT) {
      to.kind = Kind::Float;
      to.f = from.f();
    } else if (from.type() == onnx::AttributeProto::STRING) {
      to.kind = Kind::String;
      to.s = from.s();
    } else if (from.type() == onnx::AttributeProto::INTS) {
      to.kind = Kind::Ints;
      to.ints.assign(from.ints().begin(), from.ints().end());
    } else if (from.type() == onnx::AttributeProto::FLOATS) {
      to.kind = Kind::Floats;
      to.floats.assign(from.floats().begin(), from.floats().end());
    } else if (from.type() == onnx::AttributeProto::TENSOR) {
      to.kind = Kind::Tensor;
      if (!elementType(from.t().data_type()))
        continue;
      Expected<Tensor> tensor = decodeTensor(path, dataFolder, from.t());
      if (!tensor)
        return tensor.takeError();
      to.tensor = std::make_shared<const Tensor>(std::move(*tensor));
    }
  }
  return node;
}

/// The version converter adds initializers of its own.
Error Loader::adoptInitializers() {
  for (const onnx::TensorProto &initializer : model.graph().initializer()) {
    if (constants.count(initializer.name()) || !elementType(initializer.data_type()))
      continue;
    Expected<Tensor> tensor = decodeTensor(path, dataFolder, initializer);
    if (!tensor)
      return tensor.takeError();
    constantBytes += tensor->data.size();
    constants[initializer.name()] = std::make_shared<const Tensor>(std::move(*tensor));
  }
  return Error::success();
}

/// Enters what `node` evaluates to as constants; false where it has to stay.
Expected<bool> Loader::foldNode(const Node &node, const std::unordered_map<std::string, Shape> &shapes) {
  std::optional<std::vector<Tensor>> results = evaluate(node, constants, shapes);
  if (!results)
    return false;
  for (auto [name, result] : llvm::zip(node.outputs, *results)) {
    if (node.op == "Constant" && hasNaN(result))
      return nodeError(path, node.name, "contains NaN, expected numbers");
    if (name.empty())
      continue;
    if (Error error = addCounted(node.name, name, std::move(result)))
      return std::move(error);
  }
  return true;
}

/// The names of all values of the main graph.
std::unordered_set<std::string> Loader::valueNames() const {
  std::unordered_set<std::string> names;
  for (const onnx::NodeProto &node : model.graph().node())
    names.insert(node.output().begin(), node.output().end());
  for (const onnx::ValueInfoProto &input : model.graph().input())
    names.insert(input.name());
  for (const onnx::TensorProto &initializer : model.graph().initializer())
    names.insert(initializer.name());
  return names;
}

/// Evaluates what can be and takes the branches that are known; returns how many nodes went away.
Expected<size_t> Loader::fold() {
  std::unordered_map<std::string, Shape> shapes = knownShapes(/*floatsOnly=*/false);
  std::unordered_set<std::string> names = valueNames();
  google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
  nodes.Swap(model.mutable_graph()->mutable_node());
  std::deque<onnx::NodeProto> work(std::make_move_iterator(nodes.begin()), std::make_move_iterator(nodes.end()));
  size_t folded = 0;
  while (!work.empty()) {
    onnx::NodeProto proto = std::move(work.front());
    work.pop_front();
    if (const onnx::GraphProto *branch = takenBranch(proto)) {
      Expected<std::vector<onnx::NodeProto>> taken = takeBranch(proto, *branch, names);
      if (!taken)
        return taken.takeError();
      work.insert(work.begin(), std::make_move_iterator(taken->begin()), std::make_move_iterator(taken->end()));
      ++folded;
      continue;
    }
    Expected<Node> node = readNode(proto);
    if (!node)
      return node.takeError();
    Expected<bool> isFolded = foldNode(*node, shapes);
    if (!isFolded)
      return isFolded.takeError();
    if (*isFolded)
      ++folded;
    else
      model.mutable_graph()->add_node()->Swap(&proto);
  }
  dropDead();
  return folded;
}

/// Removes nodes and constants that no output depends on.
void Loader::dropDead() {
  onnx::GraphProto *graph = model.mutable_graph();
  std::unordered_map<std::string, int> reads;
  for (const onnx::ValueInfoProto &output : graph->output())
    ++reads[output.name()];
  std::vector<bool> isLive(graph->node_size());
  for (int i = graph->node_size(); i-- > 0;) {
    isLive[i] = llvm::any_of(graph->node(i).output(), [&](const std::string &name) { return reads.count(name) != 0; });
    if (isLive[i])
      collectReads(graph->node(i), reads);
  }
  google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
  nodes.Swap(graph->mutable_node());
  for (int i = 0; i < nodes.size(); ++i)
    if (isLive[i])
      graph->add_node()->Swap(nodes.Mutable(i));
  google::protobuf::RepeatedPtrField<onnx::TensorProto> initializers;
  initializers.Swap(graph->mutable_initializer());
  for (onnx::TensorProto &initializer : initializers)
    if (reads.count(initializer.name()))
      graph->add_initializer()->Swap(&initializer);
  google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> inputs;
  inputs.Swap(graph->mutable_input());
  for (onnx::ValueInfoProto &input : inputs)
    if (!constants.count(input.name()) || reads.count(input.name()))
      graph->add_input()->Swap(&input);
  for (auto it = constants.begin(); it != constants.end();) {
    if (reads.count(it->first)) {
      ++it;
      continue;
    }
    constantBytes -= it->second->data.size();
    it = constants.erase(it);
  }
}

/// Infers and folds until nothing changes: each may open the way for the other.
Error Loader::settle() {
  for (int round = 0; round < 32; ++round) {
    inferShapes();
    if (Error error = adoptInitializers())
      return error;
    Expected<size_t> folded = fold();
    if (!folded)
      return folded.takeError();
    if (*folded == 0)
      break;
  }
  return Error::success();
}

} // namespace dyadic::importer
