// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// With ceil_mode, onnx's shape inference counts windows that start behind the padded
// input; ONNX Runtime and PyTorch do not, and neither do we. So onnx infers through
// stand-ins: pools of other attributes whose results have the right shapes.

#include "Importer.h"
#include "OnnxLoader.h"
#include "onnx/shape_inference/implementation.h"
#include "llvm/ADT/STLExtras.h"
#include <set>

using llvm::Expected;

namespace dyadic::importer {

static bool isCeilPool(const onnx::NodeProto &node) {
  return node.domain().empty() && (node.op_type() == "MaxPool" || node.op_type() == "AveragePool") &&
         llvm::any_of(node.attribute(), [](const auto &a) { return a.name() == "ceil_mode" && a.i() != 0; });
}

static void addInts(onnx::NodeProto &node, const char *name, const Shape &values) {
  onnx::AttributeProto *attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INTS);
  attribute->mutable_ints()->Add(values.begin(), values.end());
}

/// The attributes of a pool from spatial sizes `input` to `output`: strides of 1.
static void setAttributes(onnx::NodeProto &node, const Shape &input, const Shape &output) {
  size_t rank = output.size();
  Shape kernel(rank, 1), pads(2 * rank, 0);
  for (size_t d = 0; d < rank; ++d) {
    kernel[d] += std::max<int64_t>(input[d] - output[d], 0);
    pads[rank + d] = std::max<int64_t>(output[d] - input[d], 0);
  }
  node.clear_attribute();
  addInts(node, "kernel_shape", kernel);
  addInts(node, "pads", pads);
}

bool Loader::standIn(onnx::NodeProto &proto, const std::unordered_map<std::string, Shape> &shapes) const {
  auto from = shapes.find(proto.input(0)), to = shapes.find(proto.output(0));
  if (from == shapes.end() || to == shapes.end() || from->second.size() < 3)
    return false;
  Shape input(from->second.begin() + 2, from->second.end()), inferred(to->second.begin() + 2, to->second.end());
  Expected<Node> node = readNode(proto);
  if (!node) {
    llvm::consumeError(node.takeError());
    return false;
  }
  std::optional<Shape> kernel = node->getInts("kernel_shape");
  if (!kernel || kernel->size() != input.size())
    return false;
  Expected<SpatialWindow> window = spatialWindow(*node, input, *kernel);
  if (!window) {
    llvm::consumeError(window.takeError()); // said when the node is imported
    return false;
  }
  if (window->output == inferred)
    return false;
  setAttributes(proto, input, window->output);
  return true;
}

std::vector<std::pair<int, onnx::NodeProto>> Loader::replaceCeilPools() {
  std::vector<std::pair<int, onnx::NodeProto>> originals;
  onnx::GraphProto *graph = model.mutable_graph();
  if (llvm::none_of(graph->node(), isCeilPool))
    return originals;
  // Each round sees the shapes behind the stand-ins of the one before. A chain of pools
  // is short, since each divides a size by 2 at least.
  for (int round = 0; round < 64; ++round) {
    onnx::ModelProto copy = model;
    onnx::ShapeInferenceOptions options{/*check_type=*/false, /*error_mode=*/0, /*data_propagation=*/false};
    onnx::shape_inference::InferShapes(copy, onnx::OpSchemaRegistry::Instance(), options);
    model.Swap(&copy);
    std::unordered_map<std::string, Shape> shapes = knownShapes(/*floatsOnly=*/false);
    model.Swap(&copy);
    std::set<std::string> stale; // values whose shape may be wrong now
    size_t before = originals.size();
    for (int i = 0; i < graph->node_size(); ++i) {
      onnx::NodeProto &node = *graph->mutable_node(i);
      bool isStale = llvm::any_of(node.input(), [&](const std::string &name) { return stale.count(name) != 0; });
      if (!isStale && isCeilPool(node)) {
        onnx::NodeProto original = node;
        isStale = standIn(node, shapes);
        if (isStale)
          originals.emplace_back(i, std::move(original));
      }
      if (isStale)
        stale.insert(node.output().begin(), node.output().end());
    }
    if (originals.size() == before)
      break;
  }
  return originals;
}

} // namespace dyadic::importer
