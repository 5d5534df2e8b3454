// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An ONNX graph as plain data: what is left of a model once onnx's library has
// checked and converted it. The rest of the importer sees no protobuf.

#ifndef DYADIC_LIB_IMPORT_GRAPH_H
#define DYADIC_LIB_IMPORT_GRAPH_H

#include "dyadic/Support/Tensor.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace dyadic {
struct OnnxSource;
} // namespace dyadic

namespace dyadic::importer {

using Shape = std::vector<int64_t>;
using TensorPtr = std::shared_ptr<const Tensor>;
using Constants = std::unordered_map<std::string, TensorPtr>;

/// Larger tensors are refused, whether they are stored or computed.
inline constexpr int64_t kMaxElements = int64_t(1) << 31;
/// All constants of a model together, in bytes.
inline constexpr int64_t kMaxConstantBytes = int64_t(4) << 30;

/// The number of elements; nothing where a size is negative or there are more than kMaxElements.
std::optional<int64_t> elementCount(const Shape &shape);

/// "[1, 3, 32, 32]".
std::string shapeText(const Shape &shape);

struct Attribute {
  enum class Kind { Int, Float, String, Ints, Floats, Tensor, Other };
  Kind kind = Kind::Other;
  int64_t i = 0;
  float f = 0;
  std::string s;
  std::vector<int64_t> ints;
  std::vector<float> floats;
  TensorPtr tensor; // null where the element type is none of Tensor.h
};

struct Node {
  std::string name; // never empty: unnamed nodes take their first output's
  std::string op;   // with the domain in front where it is not ONNX's own
  bool isKnown = true;
  std::vector<std::string> inputs, outputs; // "" is an operand or result left out
  std::map<std::string, Attribute> attributes;

  bool hasInput(size_t i) const { return i < inputs.size() && !inputs[i].empty(); }
  const Attribute *find(const char *name, Attribute::Kind kind) const;
  int64_t getInt(const char *name, int64_t otherwise) const;
  float getFloat(const char *name, float otherwise) const;
  std::string getString(const char *name, const char *otherwise) const;
  std::optional<std::vector<int64_t>> getInts(const char *name) const;
};

struct GraphInput {
  std::string name;
  std::string elementType; // NumPy's name; "float32" is what can be imported
  Shape shape;             // static, sizes of at least 1
};

struct GraphOutput {
  std::string name;
  Shape declared; // -1 is symbolic; empty where the model says nothing
  bool isFloat;   // of element type float32
};

struct Graph {
  std::vector<Node> nodes; // in topological order, without dead ones
  Constants constants;
  std::vector<GraphInput> inputs;
  std::vector<GraphOutput> outputs;
  /// Static shapes of float32 values as far as onnx could infer them.
  std::unordered_map<std::string, Shape> floatShapes;
  /// The first dimension of all inputs and outputs is one symbol, taken as 1.
  bool hasBatch = false;
};

/// The nearest_mode that the loader gives Resize and Upsample of opsets below 11, which
/// had none: down to the element before, or to the one behind where the result is smaller.
inline constexpr const char *kLegacyNearest = "legacy";

using InputShapes = std::vector<std::pair<std::string, Shape>>;

/// The whole way from a file to a graph of the newest opset with static shapes (OnnxModel.cpp).
llvm::Expected<Graph> loadGraph(const OnnxSource &source, const InputShapes &inputShapes);

} // namespace dyadic::importer

#endif // DYADIC_LIB_IMPORT_GRAPH_H
