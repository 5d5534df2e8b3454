// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Models of 16-bit floats (float16, bfloat16) are models of float32 whose weights happen to
// have few digits: everything of these types becomes float32 before anything else looks.

#include "OnnxLoader.h"
#include "llvm/ADT/APFloat.h"

using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

namespace dyadic::importer {

static bool isHalf(int type) { return type == onnx::TensorProto::FLOAT16 || type == onnx::TensorProto::BFLOAT16; }

namespace {
class HalfWidener {
public:
  HalfWidener(StringRef path, StringRef folder) : path(path), folder(folder) {}

  Error graph(onnx::GraphProto &graph) {
    for (auto *values : {graph.mutable_input(), graph.mutable_output(), graph.mutable_value_info()})
      for (onnx::ValueInfoProto &value : *values)
        if (value.type().has_tensor_type() && isHalf(value.type().tensor_type().elem_type()))
          value.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
    for (onnx::TensorProto &initializer : *graph.mutable_initializer())
      if (Error error = tensor(initializer))
        return error;
    return nodes(*graph.mutable_node());
  }

  Error nodes(google::protobuf::RepeatedPtrField<onnx::NodeProto> &nodes) {
    for (onnx::NodeProto &node : nodes)
      for (onnx::AttributeProto &attribute : *node.mutable_attribute())
        if (Error error = this->attribute(attribute))
          return error;
    return Error::success();
  }

private:
  Error attribute(onnx::AttributeProto &attribute) {
    // Of Cast, and of the operators that make tensors.
    if ((attribute.name() == "to" || attribute.name() == "dtype") && isHalf(static_cast<int>(attribute.i())))
      attribute.set_i(onnx::TensorProto::FLOAT);
    if (attribute.has_t())
      if (Error error = tensor(*attribute.mutable_t()))
        return error;
    if (attribute.has_g())
      return graph(*attribute.mutable_g());
    return Error::success();
  }

  Error tensor(onnx::TensorProto &proto) {
    int type = proto.data_type();
    if (!isHalf(type))
      return Error::success();
    proto.set_data_type(onnx::TensorProto::UINT16); // stored alike in every encoding
    Expected<Tensor> bits = decodeTensor(path, folder, proto);
    if (!bits)
      return bits.takeError();
    Tensor wide(ElementType::F32, bits->shape);
    const llvm::fltSemantics &format =
        type == onnx::TensorProto::FLOAT16 ? llvm::APFloat::IEEEhalf() : llvm::APFloat::BFloat();
    for (int64_t i = 0, size = wide.size(); i < size; ++i) {
      llvm::APFloat number(format, llvm::APInt(16, bits->as<uint16_t>()[i]));
      bool isInexact = false;
      number.convert(llvm::APFloat::IEEEsingle(), llvm::APFloat::rmNearestTiesToEven, &isInexact);
      wide.as<float>()[i] = number.convertToFloat();
    }
    proto = encodeTensor(proto.name(), wide);
    return Error::success();
  }

  StringRef path, folder;
};
} // namespace

Error Loader::widenHalves() {
  HalfWidener widener(path, dataFolder);
  for (onnx::FunctionProto &function : *model.mutable_functions())
    if (Error error = widener.nodes(*function.mutable_node()))
      return error;
  return widener.graph(*model.mutable_graph());
}

} // namespace dyadic::importer
