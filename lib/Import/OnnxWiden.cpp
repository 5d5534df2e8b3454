// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Models in 16-bit floats become models in float32: every float16 or bfloat16 number is
// a float32 number too, so constants keep their values and the rest is computed more
// exactly.

#include "OnnxLoader.h"
#include "onnx/shape_inference/implementation.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"

using llvm::Error;
using llvm::Expected;

namespace dyadic::importer {

bool isHalf(int type) { return type == onnx::TensorProto::FLOAT16 || type == onnx::TensorProto::BFLOAT16; }

Tensor widened(const Tensor &bits, int type) {
  const llvm::fltSemantics &semantics =
      type == onnx::TensorProto::BFLOAT16 ? llvm::APFloat::BFloat() : llvm::APFloat::IEEEhalf();
  Tensor result(ElementType::F32, bits.shape);
  for (int64_t i = 0, n = bits.size(); i < n; ++i) {
    uint16_t stored;
    std::memcpy(&stored, bits.data.data() + 2 * i, sizeof stored);
    result.as<float>()[i] = llvm::APFloat(semantics, llvm::APInt(16, stored)).convertToFloat();
  }
  return result;
}

static void widenType(onnx::TypeProto &type) {
  if (type.has_tensor_type() && isHalf(type.tensor_type().elem_type()))
    type.mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
}

Error Loader::widenTensor(onnx::TensorProto &proto) {
  if (!isHalf(proto.data_type()))
    return Error::success();
  Expected<Tensor> tensor = decodeTensor(path, dataFolder, proto);
  if (!tensor)
    return tensor.takeError();
  proto = encodeTensor(proto.name(), *tensor);
  return Error::success();
}

/// Cast's `to`, and `dtype` of the operators that have one, name element types.
Error Loader::widenNode(onnx::NodeProto &node) {
  for (onnx::AttributeProto &attribute : *node.mutable_attribute()) {
    if ((attribute.name() == "to" || attribute.name() == "dtype") && isHalf(static_cast<int>(attribute.i())))
      attribute.set_i(onnx::TensorProto::FLOAT);
    if (attribute.has_t())
      if (Error error = widenTensor(*attribute.mutable_t()))
        return error;
    if (attribute.has_g())
      if (Error error = widenGraph(*attribute.mutable_g()))
        return error;
  }
  return Error::success();
}

Error Loader::widenGraph(onnx::GraphProto &graph) {
  for (auto *values : {graph.mutable_input(), graph.mutable_output(), graph.mutable_value_info()})
    for (onnx::ValueInfoProto &value : *values)
      if (value.has_type())
        widenType(*value.mutable_type());
  for (onnx::TensorProto &initializer : *graph.mutable_initializer())
    if (Error error = widenTensor(initializer))
      return error;
  for (onnx::NodeProto &node : *graph.mutable_node())
    if (Error error = widenNode(node))
      return error;
  return Error::success();
}

static bool hasHalf(const onnx::GraphProto &graph);

static bool hasHalf(const google::protobuf::RepeatedPtrField<onnx::NodeProto> &nodes) {
  return llvm::any_of(nodes, [](const onnx::NodeProto &node) {
    return llvm::any_of(node.attribute(), [](const onnx::AttributeProto &attribute) {
      return (attribute.name() == "to" && isHalf(static_cast<int>(attribute.i()))) ||
             isHalf(attribute.t().data_type()) || (attribute.has_g() && hasHalf(attribute.g()));
    });
  });
}

static bool hasHalf(const onnx::GraphProto &graph) {
  auto isHalfValue = [](const onnx::ValueInfoProto &value) { return isHalf(value.type().tensor_type().elem_type()); };
  return llvm::any_of(graph.initializer(), [](const onnx::TensorProto &t) { return isHalf(t.data_type()); }) ||
         llvm::any_of(graph.input(), isHalfValue) || hasHalf(graph.node());
}

Error Loader::widenHalves() {
  if (!hasHalf(model.graph()) &&
      llvm::none_of(model.functions(), [](const onnx::FunctionProto &f) { return hasHalf(f.node()); }))
    return Error::success();
  // A model that mixes the types is wrong, and would be right afterwards.
  if (Error error = guarded(path, [&]() -> Error {
        onnx::ModelProto copy = model;
        onnx::ShapeInferenceOptions options{/*check_type=*/true, /*error_mode=*/1, /*data_propagation=*/false};
        onnx::shape_inference::InferShapes(copy, onnx::OpSchemaRegistry::Instance(), options);
        return Error::success();
      }))
    return error;
  for (onnx::FunctionProto &function : *model.mutable_functions()) {
    for (onnx::ValueInfoProto &value : *function.mutable_value_info())
      if (value.has_type())
        widenType(*value.mutable_type());
    for (onnx::NodeProto &node : *function.mutable_node())
      if (Error error = widenNode(node))
        return error;
  }
  return widenGraph(*model.mutable_graph());
}

} // namespace dyadic::importer
