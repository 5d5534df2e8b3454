// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a file to a graph of plain nodes: check, inline functions, fix the inputs'
// shapes, fold constants, convert to the newest opset, infer shapes, expand operators.

#include "Importer.h"
#include "OnnxLoader.h"
#include "onnx/checker.h"
#include "onnx/inliner/inliner.h"
#include "onnx/shape_inference/implementation.h"
#include "onnx/version_converter/convert.h"
#include "llvm/ADT/STLExtras.h"

using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

namespace dyadic::importer {

/// A copy of a model below opset 7 with the shapes of its values: many operators of
/// those opsets have no shape inference of their own, so the copy poses as opset 7.
static onnx::ModelProto inferAsNewer(const onnx::ModelProto &model) {
  onnx::ModelProto copy = model;
  for (onnx::OperatorSetIdProto &opset : *copy.mutable_opset_import())
    if (opset.domain().empty())
      opset.set_version(7);
  onnx::GraphProto *graph = copy.mutable_graph();
  for (onnx::NodeProto &node : *graph->mutable_node())
    for (const onnx::AttributeProto &attribute : node.attribute()) {
      if (attribute.name() == "broadcast" && node.input_size() == 2) {
        node.set_input(1, node.input(0)); // one-sided: the result has the first operand's shape
      } else if (attribute.name() == "shape" && node.op_type() == "Reshape" && node.input_size() == 1) {
        Tensor shape(ElementType::S64, {attribute.ints_size()});
        std::copy(attribute.ints().begin(), attribute.ints().end(), shape.as<int64_t>());
        node.add_input(kUnknownDomain + std::string(":shape of ") + node.name());
        *graph->add_initializer() = encodeTensor(node.input(1), shape);
      }
    }
  onnx::ShapeInferenceOptions options{/*check_type=*/false, /*error_mode=*/0, /*data_propagation=*/false};
  onnx::shape_inference::InferShapes(copy, onnx::OpSchemaRegistry::Instance(), options);
  return copy;
}

static const onnx::AttributeProto *findAttribute(const onnx::NodeProto &node, StringRef name) {
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (attribute.name() == name)
      return &attribute;
  return nullptr;
}

/// How many dimensions follow those of the second operand where `axis` says so; 0 elsewhere.
Expected<int64_t> Loader::legacyTrailing(const onnx::NodeProto &node,
                                         const std::unordered_map<std::string, Shape> &shapes) const {
  const onnx::AttributeProto *axis = findAttribute(node, "axis"), *broadcast = findAttribute(node, "broadcast");
  if (!axis || !broadcast || !broadcast->i() || !node.domain().empty() || node.input_size() != 2)
    return 0;
  auto a = shapes.find(node.input(0)), b = shapes.find(node.input(1));
  if (a == shapes.end() || b == shapes.end())
    return nodeError(path, node.name(), "attribute 'axis' needs operands of known shapes");
  int64_t rank = a->second.size(), at = axis->i() < 0 ? axis->i() + rank : axis->i();
  int64_t trailing = at < 0 || at > rank ? -1 : rank - at - static_cast<int64_t>(b->second.size());
  if (trailing < 0)
    return nodeError(path, node.name(),
                     "attribute 'axis' is " + llvm::Twine(axis->i()) + " for operands of shapes " +
                         shapeText(a->second) + " and " + shapeText(b->second));
  return trailing;
}

/// Before opset 7, `axis` placed the dimensions of the second operand; onnx's
/// converter drops it. A reshape of that operand says the same in NumPy's rules.
Error Loader::rewriteLegacyBroadcasts() {
  *model.mutable_graph()->mutable_value_info() = inferAsNewer(model).graph().value_info(); // the converter needs it
  std::unordered_map<std::string, Shape> shapes = knownShapes(/*floatsOnly=*/false);
  for (const auto &[name, tensor] : constants)
    shapes[name] = tensor->shape;
  google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
  nodes.Swap(model.mutable_graph()->mutable_node());
  int count = 0;
  for (onnx::NodeProto &node : nodes) {
    Expected<int64_t> trailing = legacyTrailing(node, shapes);
    if (!trailing)
      return trailing.takeError();
    if (*trailing > 0) {
      onnx::NodeProto *unsqueeze = model.mutable_graph()->add_node();
      unsqueeze->set_op_type("Unsqueeze");
      unsqueeze->set_name(node.name() + "_broadcast");
      unsqueeze->add_input(node.input(1));
      unsqueeze->add_output(kUnknownDomain + std::string(":broadcast") + std::to_string(count++));
      onnx::AttributeProto *axes = unsqueeze->add_attribute();
      axes->set_name("axes");
      axes->set_type(onnx::AttributeProto::INTS);
      for (int64_t d = 0; d < *trailing; ++d)
        axes->add_ints(shapes[node.input(1)].size() + d);
      node.set_input(1, unsqueeze->output(0));
      auto *attributes = node.mutable_attribute();
      attributes->erase(llvm::find_if(*attributes, [](const auto &attribute) { return attribute.name() == "axis"; }));
    }
    model.mutable_graph()->add_node()->Swap(&node);
  }
  return Error::success();
}

static int64_t opsetVersion(const onnx::ModelProto &model) {
  for (const onnx::OperatorSetIdProto &opset : model.opset_import())
    if (opset.domain().empty())
      return opset.version();
  return 1;
}

/// One spelling of ONNX's domain, one opset import, and the newest IR version: the
/// converter and the inliner understand nothing else.
static void normalize(onnx::ModelProto &model) {
  model.set_ir_version(onnx::Version::IR_VERSION);
  bool hasOpset = false;
  for (onnx::OperatorSetIdProto &opset : *model.mutable_opset_import()) {
    if (opset.domain() == "ai.onnx")
      opset.set_domain("");
    hasOpset |= opset.domain().empty();
  }
  if (!hasOpset)
    model.add_opset_import()->set_version(1);
  for (onnx::NodeProto &node : *model.mutable_graph()->mutable_node())
    if (node.domain() == "ai.onnx")
      node.set_domain("");
}

static void setString(onnx::NodeProto &node, const char *name, const char *value) {
  onnx::AttributeProto *attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::STRING);
  attribute->set_s(value);
}

/// Below opset 11, Resize and Upsample had one way to place coordinates and to round
/// them; onnx's converter leaves that to the new defaults, which differ.
static void keepLegacyResize(onnx::GraphProto &graph) {
  for (onnx::NodeProto &node : *graph.mutable_node())
    if (node.op_type() == "Resize" && node.domain().empty()) {
      setString(node, "coordinate_transformation_mode", "asymmetric");
      setString(node, "nearest_mode", kLegacyNearest);
    }
}

/// Everything that onnx may refuse although the fault is an operator without support.
Error Loader::analyze() {
  if (Error error = checkFunctionCalls(path, model))
    return error;
  takeOutputShapes();
  // Functions of other opsets are converted when they are inlined.
  onnx::checker::check_model(model, /*full_check=*/false, /*skip_opset_compatibility_check=*/true);
  onnx::inliner::InlineLocalFunctions(model, /*convert_version=*/true);
  model.clear_functions();
  normalize(model);
  nameNodes(*model.mutable_graph());
  setUnknownApart(model);
  if (Error error = settle())
    return error;
  int newest = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map().at("").second;
  if (opsetVersion(model) < 7)
    if (Error error = rewriteLegacyBroadcasts())
      return error;
  if (opsetVersion(model) < newest) {
    bool hasLegacyResize = opsetVersion(model) < 11;
    model = onnx::version_conversion::ConvertVersion(model, newest);
    if (hasLegacyResize)
      keepLegacyResize(*model.mutable_graph());
    model.set_ir_version(onnx::Version::IR_VERSION);
    nameNodes(*model.mutable_graph());
    if (Error error = settle())
      return error;
  }
  return expandFunctions();
}

/// The nodes whose operator has no support, whatever their operands; success without any.
Error Loader::unsupportedByName() const {
  std::vector<std::string> lines;
  for (const onnx::NodeProto &proto : model.graph().node()) {
    bool isKnown = proto.domain() != kUnknownDomain;
    bool isOnnx = proto.domain().empty() || proto.domain() == "ai.onnx";
    if (isKnown && ((isOnnx && isImportedOrEvaluated(proto.op_type())) || !model.functions().empty()))
      continue;
    lines.push_back(unsupportedLine(proto.name(), proto.op_type(), isKnown ? kNotSupported : kUnknownOperator));
  }
  return lines.empty() ? Error::success() : unsupportedError(path, std::move(lines));
}

Error Loader::run(Graph &result) {
  constexpr const char *kind = "an ONNX model";
  if (Error error = source.bytes ? parseMessage(path, *source.bytes, model, kind) : readMessage(path, model, kind))
    return error;
  nameNodes(*model.mutable_graph());
  if (Error error = checkStructure(path, model))
    return error;
  normalize(model);
  setUnknownApart(model);
  if (Error error = widenHalves())
    return error;
  if (Error error = takeInitializers())
    return error;
  if (Error error = setInputShapes())
    return error;
  if (Error error = guarded(path, [&] { return analyze(); })) {
    Error better = unsupportedByName();
    if (!better)
      return error;
    llvm::consumeError(std::move(error));
    return better;
  }
  return finish(result);
}

Error Loader::finish(Graph &result) {
  result.floatShapes = knownShapes(/*floatsOnly=*/true);
  for (const onnx::NodeProto &proto : model.graph().node()) {
    Expected<Node> node = readNode(proto);
    if (!node)
      return node.takeError();
    for (const std::string &output : node->outputs) {
      auto shape = result.floatShapes.find(output);
      if (shape != result.floatShapes.end() && !elementCount(shape->second))
        return nodeError(path, node->name,
                         "output '" + escaped(output) + "' has shape " + shapeText(shape->second) +
                             ", expected at most 2^31 elements");
    }
    result.nodes.push_back(std::move(*node));
  }
  for (const std::string &name : inputNames)
    for (const onnx::ValueInfoProto &input : model.graph().input())
      if (input.name() == name) {
        GraphInput entry{name, elementTypeName(input.type().tensor_type().elem_type()), {}};
        for (const onnx::TensorShapeProto_Dimension &dim : input.type().tensor_type().shape().dim())
          entry.shape.push_back(dim.dim_value());
        result.inputs.push_back(std::move(entry));
      }
  for (const onnx::ValueInfoProto &output : declaredOutputs) {
    Shape declared;
    for (const onnx::TensorShapeProto_Dimension &dim : output.type().tensor_type().shape().dim())
      declared.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
    result.outputs.push_back(
        {output.name(), std::move(declared), output.type().tensor_type().elem_type() == onnx::TensorProto::FLOAT});
  }
  result.constants = std::move(constants);
  result.hasBatch = decideBatch();
  return Error::success();
}

Expected<Graph> loadGraph(const OnnxSource &source, const InputShapes &inputShapes) {
  Graph graph;
  if (Error error = guarded(source.name, [&] { return Loader(source, inputShapes).run(graph); }))
    return error;
  return graph;
}

} // namespace dyadic::importer
