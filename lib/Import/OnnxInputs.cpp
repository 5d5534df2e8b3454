// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The boundary of a model: initializers become constants, inputs get static shapes.

#include "OnnxLoader.h"
#include "llvm/ADT/STLExtras.h"

using llvm::Error;
using llvm::Expected;

namespace dyadic::importer {

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

Error Loader::addCounted(const std::string &node, const std::string &name, Tensor tensor) {
  constantBytes += tensor.data.size();
  if (constantBytes > kMaxConstantBytes)
    return nodeError(path, node, "the constants up to here have more than 4 GiB");
  addConstant(name, std::move(tensor));
  return Error::success();
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
    Expected<Tensor> tensor = decodeTensor(path, dataFolder, initializer);
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

/// What a model says about its outputs is often stale, so that shape inference starts
/// afresh; it is kept aside for later checks.
void Loader::takeOutputShapes() {
  onnx::GraphProto *graph = model.mutable_graph();
  declaredOutputs.assign(graph->output().begin(), graph->output().end());
  for (onnx::ValueInfoProto &output : *graph->mutable_output())
    if (output.type().has_tensor_type())
      output.mutable_type()->mutable_tensor_type()->mutable_shape(); // onnx's checker insists on one
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

} // namespace dyadic::importer
