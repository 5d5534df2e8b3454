// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a file to a graph of plain nodes: check, inline functions, fix the inputs'
// shapes, fold constants, convert to the newest opset, infer shapes.

#include "OnnxModel.h"
#include "Evaluate.h"
#include "Importer.h"
#include "onnx/checker.h"
#include "onnx/inliner/inliner.h"
#include "onnx/shape_inference/implementation.h"
#include "onnx/version_converter/convert.h"
#include "llvm/ADT/STLExtras.h"

using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

namespace dyadic::importer {

namespace {
class Loader {
public:
  Loader(StringRef path, const InputShapes &inputShapes) : path(path), inputShapes(inputShapes) {}
  Error run(Graph &result);

private:
  Error analyze();
  Error takeInitializers();
  void addConstant(const std::string &name, Tensor tensor);
  Error setInputShapes();
  Error setInputShape(onnx::ValueInfoProto &input, const std::vector<int64_t> *given);
  void takeOutputShapes();
  void inferShapes();
  std::unordered_map<std::string, Shape> knownShapes(bool floatsOnly) const;
  Expected<size_t> fold();
  void dropDead();
  Error settle();
  Error rewriteLegacyBroadcasts();
  Expected<Node> readNode(const onnx::NodeProto &proto) const;
  Error finish(Graph &result);
  bool decideBatch() const;
  Error unsupportedByName() const;

  StringRef path;
  const InputShapes &inputShapes;
  onnx::ModelProto model;
  Constants constants;
  int64_t constantBytes = 0;
  std::vector<std::string> inputNames;
  std::map<std::string, int64_t> symbols;       // sizes that the caller gave
  std::map<std::string, std::string> openBatch; // inputs whose symbolic first dimension became 1, and the symbol
  std::vector<onnx::ValueInfoProto> declaredOutputs;
};
} // namespace

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// Small ones stay visible to shape inference; large ones become typed inputs.
void Loader::addConstant(const std::string &name, Tensor tensor) {
  if (tensor.size() <= kMaxInlineConstant) {
    *model.mutable_graph()->add_initializer() = encodeTensor(name, tensor);
  } else {
    onnx::ValueInfoProto *input = model.mutable_graph()->add_input();
    input->set_name(name);
    onnx::TypeProto_Tensor *type = input->mutable_type()->mutable_tensor_type();
    type->set_elem_type(onnxType(tensor.type));
    for (int64_t size : tensor.shape)
      type->mutable_shape()->add_dim()->set_dim_value(size);
  }
  constants[name] = std::make_shared<const Tensor>(std::move(tensor));
}

Error Loader::takeInitializers() {
  google::protobuf::RepeatedPtrField<onnx::TensorProto> initializers;
  initializers.Swap(model.mutable_graph()->mutable_initializer());
  std::unordered_map<std::string, int> names;
  for (const onnx::TensorProto &initializer : initializers)
    ++names[initializer.name()];
  // Up to IR version 3 every initializer is an input too.
  google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> inputs;
  inputs.Swap(model.mutable_graph()->mutable_input());
  for (onnx::ValueInfoProto &input : inputs)
    if (!names.count(input.name())) {
      inputNames.push_back(input.name());
      model.mutable_graph()->add_input()->Swap(&input);
    }
  for (onnx::TensorProto &initializer : initializers) {
    std::optional<ElementType> type = elementType(initializer.data_type());
    if (!type && initializer.data_location() != onnx::TensorProto::EXTERNAL) {
      model.mutable_graph()->add_initializer()->Swap(&initializer); // a problem for the nodes that read it
      continue;
    }
    std::optional<int64_t> count = elementCount({initializer.dims().begin(), initializer.dims().end()});
    if (type && count)
      constantBytes += *count * elementSize(*type);
    if (constantBytes > kMaxConstantBytes)
      return fileError(path, "its constants have more than 4 GiB");
    Expected<Tensor> tensor = decodeTensor(path, initializer);
    if (!tensor)
      return tensor.takeError();
    if (hasNaN(*tensor))
      return fileError(path, tensorLabel(initializer) + ": contains NaN, expected numbers");
    std::string name = initializer.name();
    initializer.Clear(); // one copy of the weights in memory is enough
    addConstant(name, std::move(*tensor));
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Shapes of inputs and outputs
//===----------------------------------------------------------------------===//

Error Loader::setInputShapes() {
  std::map<std::string, const std::vector<int64_t> *> given;
  for (const auto &[name, shape] : inputShapes) {
    if (!llvm::is_contained(inputNames, name)) {
      std::string names;
      for (const std::string &input : inputNames)
        names += (names.empty() ? "'" : ", '") + escaped(input) + "'";
      return fileError(path, "--input-shape names '" + escaped(name) + "', expected one of the inputs " +
                                 (names.empty() ? "(there are none)" : names));
    }
    if (!given.emplace(name, &shape).second)
      return fileError(path, "--input-shape gives input '" + escaped(name) + "' twice");
  }
  // Given ones first: their symbols hold for the others.
  for (bool isGiven : {true, false})
    for (onnx::ValueInfoProto &input : *model.mutable_graph()->mutable_input()) {
      auto it = given.find(input.name());
      if (!llvm::is_contained(inputNames, input.name()) || (it != given.end()) != isGiven)
        continue;
      if (Error error = setInputShape(input, isGiven ? it->second : nullptr))
        return error;
    }
  return Error::success();
}

Error Loader::setInputShape(onnx::ValueInfoProto &input, const std::vector<int64_t> *given) {
  auto fail = [&](const llvm::Twine &what) {
    return fileError(path, "input '" + escaped(input.name()) + "': " + what);
  };
  if (!input.type().has_tensor_type())
    return fail("it is not a tensor");
  std::string option = "--input-shape=" + escaped(input.name()) + ":...";
  onnx::TypeProto_Tensor *type = input.mutable_type()->mutable_tensor_type();
  if (!type->has_shape()) {
    if (!given)
      return fail("it has no shape, give it with " + option);
    for (size_t i = 0; i < given->size(); ++i)
      type->mutable_shape()->add_dim();
  }
  onnx::TensorShapeProto *shape = type->mutable_shape();
  if (given && static_cast<int>(given->size()) != shape->dim_size())
    return fail("--input-shape gives " + llvm::Twine(given->size()) + " sizes, expected " +
                llvm::Twine(shape->dim_size()));
  Shape sizes;
  for (int d = 0; d < shape->dim_size(); ++d) {
    onnx::TensorShapeProto_Dimension *dim = shape->mutable_dim(d);
    std::string symbol = dim->dim_param();
    auto known = symbol.empty() ? symbols.end() : symbols.find(symbol);
    std::optional<int64_t> fixed;
    if (dim->has_dim_value())
      fixed = dim->dim_value();
    else if (known != symbols.end())
      fixed = known->second;
    if (given) {
      if (fixed && *fixed != (*given)[d])
        return fail("--input-shape gives dimension " + llvm::Twine(d) + " size " + llvm::Twine((*given)[d]) +
                    ", expected " + llvm::Twine(*fixed));
      fixed = (*given)[d];
      if (!symbol.empty())
        symbols[symbol] = *fixed;
    } else if (!fixed && d == 0) {
      fixed = 1;
      openBatch[input.name()] = symbol;
    } else if (!fixed) {
      return fail("dimension " + llvm::Twine(d) + " is symbolic" +
                  (symbol.empty() ? "" : " (\"" + escaped(symbol) + "\")") + ", give its size with " + option);
    }
    dim->set_dim_value(*fixed);
    sizes.push_back(*fixed);
  }
  std::optional<int64_t> count = elementCount(sizes);
  if (!count || *count == 0)
    return fail("shape " + shapeText(sizes) + ", expected sizes of at least 1 and at most 2^31 elements");
  return Error::success();
}

/// What a model says about its outputs is often stale: it is kept aside for checks,
/// and shape inference starts afresh.
void Loader::takeOutputShapes() {
  onnx::GraphProto *graph = model.mutable_graph();
  declaredOutputs.assign(graph->output().begin(), graph->output().end());
  for (onnx::ValueInfoProto &output : *graph->mutable_output())
    if (output.type().has_tensor_type())
      output.mutable_type()->mutable_tensor_type()->clear_shape();
}

bool Loader::decideBatch() const {
  if (inputNames.empty() || openBatch.size() != inputNames.size())
    return false;
  const std::string &symbol = openBatch.begin()->second;
  for (const auto &[name, other] : openBatch)
    if (other != symbol || (symbol.empty() && openBatch.size() > 1))
      return false;
  for (const onnx::ValueInfoProto &output : declaredOutputs) {
    const onnx::TensorShapeProto &shape = output.type().tensor_type().shape();
    if (shape.dim_size() == 0)
      continue;
    if (shape.dim(0).has_dim_value() || (!shape.dim(0).dim_param().empty() && shape.dim(0).dim_param() != symbol))
      return false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Inference and folding
//===----------------------------------------------------------------------===//

void Loader::inferShapes() {
  model.mutable_graph()->clear_value_info();
  onnx::shape_inference::DataValueMap values;
  onnx::ShapeInferenceOptions options{/*check_type=*/true, /*error_mode=*/1, /*data_propagation=*/true};
  onnx::shape_inference::InferShapes(model, onnx::OpSchemaRegistry::Instance(), options, &values);
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
      Expected<Tensor> tensor = decodeTensor(path, from.t());
      if (!tensor)
        return tensor.takeError();
      to.tensor = std::make_shared<const Tensor>(std::move(*tensor));
    }
  }
  return node;
}

/// Evaluates what can be; returns how many nodes went away.
Expected<size_t> Loader::fold() {
  std::unordered_map<std::string, Shape> shapes = knownShapes(/*floatsOnly=*/false);
  google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
  nodes.Swap(model.mutable_graph()->mutable_node());
  size_t folded = 0;
  for (onnx::NodeProto &proto : nodes) {
    Expected<Node> node = readNode(proto);
    if (!node)
      return node.takeError();
    std::optional<Tensor> result;
    if (node->outputs.size() == 1)
      result = evaluate(*node, constants, shapes);
    if (!result) {
      model.mutable_graph()->add_node()->Swap(&proto);
      continue;
    }
    if (node->op == "Constant" && hasNaN(*result))
      return nodeError(path, node->name, "contains NaN, expected numbers");
    constantBytes += result->data.size();
    if (constantBytes > kMaxConstantBytes)
      return nodeError(path, node->name, "the constants up to here have more than 4 GiB");
    addConstant(node->outputs[0], std::move(*result));
    ++folded;
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
    Expected<size_t> folded = fold();
    if (!folded)
      return folded.takeError();
    if (*folded == 0)
      break;
  }
  return Error::success();
}

/// Before opset 7, `axis` placed the dimensions of the second operand; onnx's
/// converter drops it. A reshape of that operand says the same in NumPy's rules.
Error Loader::rewriteLegacyBroadcasts() {
  std::unordered_map<std::string, Shape> shapes = knownShapes(/*floatsOnly=*/false);
  for (const auto &[name, tensor] : constants)
    shapes[name] = tensor->shape;
  google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
  nodes.Swap(model.mutable_graph()->mutable_node());
  int count = 0;
  for (onnx::NodeProto &node : nodes) {
    auto *attributes = node.mutable_attribute();
    auto find = [&](StringRef name) {
      return llvm::find_if(*attributes, [&](const onnx::AttributeProto &a) { return a.name() == name; });
    };
    auto axis = find("axis"), broadcast = find("broadcast");
    if (axis != attributes->end() && broadcast != attributes->end() && broadcast->i() && node.domain().empty() &&
        node.input_size() == 2) {
      auto a = shapes.find(node.input(0)), b = shapes.find(node.input(1));
      if (a == shapes.end() || b == shapes.end())
        return nodeError(path, node.name(), "attribute 'axis' needs operands of known shapes");
      int64_t rank = b->second.size(),
              at = axis->i() < 0 ? axis->i() + static_cast<int64_t>(a->second.size()) : axis->i();
      int64_t trailing = static_cast<int64_t>(a->second.size()) - rank - at;
      if (at < 0 || trailing < 0)
        return nodeError(path, node.name(),
                         "attribute 'axis' is " + llvm::Twine(axis->i()) + " for operands of shapes " +
                             shapeText(a->second) + " and " + shapeText(b->second));
      attributes->erase(axis);
      if (trailing > 0) {
        onnx::NodeProto *unsqueeze = model.mutable_graph()->add_node();
        unsqueeze->set_op_type("Unsqueeze");
        unsqueeze->set_name(node.name() + "_broadcast");
        unsqueeze->add_input(node.input(1));
        unsqueeze->add_output(kUnknownDomain + std::string(":broadcast") + std::to_string(count++));
        onnx::AttributeProto *axes = unsqueeze->add_attribute();
        axes->set_name("axes");
        axes->set_type(onnx::AttributeProto::INTS);
        for (int64_t d = 0; d < trailing; ++d)
          axes->add_ints(rank + d);
        node.set_input(1, unsqueeze->output(0));
      }
    }
    model.mutable_graph()->add_node()->Swap(&node);
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// The whole way
//===----------------------------------------------------------------------===//

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

/// Everything that onnx may refuse although the fault is an operator without support.
Error Loader::analyze() {
  if (Error error = checkFunctionCalls(path, model))
    return error;
  onnx::checker::check_model(model);
  takeOutputShapes();
  onnx::inliner::InlineLocalFunctions(model, /*convert_version=*/true);
  model.clear_functions();
  nameNodes(*model.mutable_graph());
  setUnknownApart(model);
  if (Error error = settle())
    return error;
  int newest = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map().at("").second;
  if (opsetVersion(model) < 7)
    if (Error error = rewriteLegacyBroadcasts())
      return error;
  if (opsetVersion(model) < newest) {
    model = onnx::version_conversion::ConvertVersion(model, newest);
    model.set_ir_version(onnx::Version::IR_VERSION);
    nameNodes(*model.mutable_graph());
    return settle();
  }
  return Error::success();
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
  if (Error error = readMessage(path, model, "an ONNX model"))
    return error;
  nameNodes(*model.mutable_graph());
  if (Error error = checkStructure(path, model))
    return error;
  normalize(model);
  setUnknownApart(model);
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
    result.outputs.push_back({output.name(), std::move(declared)});
  }
  result.constants = std::move(constants);
  result.hasBatch = decideBatch();
  return Error::success();
}

Expected<Graph> loadGraph(StringRef path, const InputShapes &inputShapes) {
  Graph graph;
  if (Error error = guarded(path, [&] { return Loader(path, inputShapes).run(graph); }))
    return error;
  return graph;
}

} // namespace dyadic::importer
