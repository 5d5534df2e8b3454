// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From plain nodes to qnn operations, one method an operator. A method returns the
// value of the node's first output and enters those of further outputs in `values`,
// or returns an error whose text is the reason why the node is not supported; the
// driver collects the reasons of all nodes.

#ifndef DYADIC_LIB_IMPORT_IMPORTER_H
#define DYADIC_LIB_IMPORT_IMPORTER_H

#include "Graph.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace dyadic::importer {

inline constexpr const char *kNotSupported = "operator without support";
inline constexpr const char *kUnknownOperator = "unknown operator";

inline constexpr const char *kBorderNotFinite = "the value of the border is not finite";

/// Whether operator `op` of ONNX's own domain can be imported or vanish by folding.
bool isImportedOrEvaluated(llvm::StringRef op);
/// A line of the list of unsupported nodes, and the error over all lines.
std::string unsupportedLine(llvm::StringRef name, llvm::StringRef op, llvm::StringRef reason);
llvm::Error unsupportedError(llvm::StringRef path, std::vector<std::string> lines);

/// A sliding window over spatial dimensions, one entry a dimension.
struct SpatialWindow {
  Shape kernel, strides, dilations, low, high, output;
  Shape extension; // ceil_mode lets windows reach this far beyond the padding
  Shape pads(bool withExtension) const;
};

/// The window of a convolution or pool: its attributes, auto_pad and ceil_mode resolved
/// for the spatial sizes `input`.
llvm::Expected<SpatialWindow> spatialWindow(const Node &node, const Shape &input, const Shape &kernel);
/// The elements of an f32 tensor.
llvm::ArrayRef<float> numbers(const Tensor &tensor);
/// `tensor`, aligned at the last dimension of `shape`, as one number a position of
/// dimension `axis`; nothing where it varies along another dimension or enlarges the result.
std::optional<std::vector<float>> alongAxis(const Tensor &tensor, const Shape &shape, size_t axis);

/// Writes the body of a `qnn.map`.
struct FunctionBuilder {
  mlir::OpBuilder &builder;
  mlir::Location location;
  using Value = mlir::Value;

  Value constant(double x);
  Value add(Value x, Value y);
  Value subtract(Value x, Value y);
  Value multiply(Value x, Value y);
  Value divide(Value x, Value y);
  Value maximum(Value x, Value y);
  Value minimum(Value x, Value y);
  Value negate(Value x);
  Value absolute(Value x);
  Value exp(Value x);
  Value log(Value x);
  Value sqrt(Value x);
  Value tanh(Value x);
  Value erf(Value x);
  Value sigmoid(Value x);
  Value softplus(Value x);
  Value elu(Value x, double alpha, double slope);
  Value hardSigmoid(Value x, double alpha, double beta);
  Value power(Value x, double exponent);
};

/// One spatial dimension of a transposed convolution.
struct TransposedAxis;

/// The attribute's values, or `otherwise` `size` times; each in [least, 2^31], so that sums and products fit.
llvm::Expected<Shape> windowEntries(const Node &node, const char *name, size_t size, int64_t otherwise, int64_t least);

/// A dimension that Resize changes; `scale` is about `to / from`.
struct Resized {
  int64_t axis, from, to;
  float scale;
};

class Importer {
public:
  Importer(llvm::StringRef path, Graph graph, mlir::MLIRContext &context);
  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> run();

  using Result = llvm::Expected<mlir::Value>;
  using Handler = Result (Importer::*)(const Node &);
  static Handler handlerOf(llvm::StringRef op);

private:
  // The driver (Importer.cpp).
  void addArguments(mlir::Block *block);
  void importNode(const Node &node);
  /// Stands for the outputs of a node without support, so that later nodes are looked at.
  void replaceOutputs(const Node &node);
  llvm::Error addResults(mlir::Block *block);
  /// Removes the pads whose border all readers took in; a border of -inf must not be left.
  llvm::Error finishBorders(mlir::func::FuncOp function);
  llvm::Error verify(mlir::ModuleOp module);

  // What the methods use.
  Result operand(const Node &node, size_t i);
  /// A constant operand of finite f32 numbers; null where it is left out.
  llvm::Expected<const Tensor *> floats(const Node &node, size_t i);
  /// A constant operand of integers; nothing where it is left out.
  llvm::Expected<std::optional<std::vector<int64_t>>> ints(const Node &node, size_t i);
  /// A constant operand of one f32 number, of any sign of infinity; `otherwise` where it is left out.
  llvm::Expected<float> number(const Node &node, size_t i, float otherwise);
  const Tensor *constant(const Node &node, size_t i) const;
  llvm::Error notConstant(const std::string &name) const;
  /// Every output that somebody reads has a value.
  llvm::Error expectOutputs(const Node &node) const;
  mlir::RankedTensorType typeOf(mlir::Value value) const;
  mlir::RankedTensorType floatType(const Shape &shape) const;
  Shape shapeOf(mlir::Value value) const;
  mlir::Location locationOf(const Node &node) const;
  mlir::StringAttr idOf(const Node &node) const;
  mlir::Value makeFloats(const std::string &name, const Shape &shape, llvm::ArrayRef<float> values);
  mlir::DenseI64ArrayAttr i64s(const Shape &values) const;

  // ImportLinear.cpp.
  Result importConv(const Node &node);
  Result importBatchNormalization(const Node &node);
  Result importGemm(const Node &node);
  Result importMatMul(const Node &node);

  // ImportElementwise.cpp.
  Result importArithmetic(const Node &node); // Add, Sub, Mul, Div
  Result importMinMax(const Node &node);
  Result importRelu(const Node &node);
  Result importClip(const Node &node);
  Result importSoftmax(const Node &node);
  /// Operand `i`, before its expansion where the arithmetic expands it anyway.
  mlir::Value arithmeticValue(const Node &node, size_t i) const;
  /// Operand `i` in at least `rank` dimensions; a constant divisor inverted.
  Result arithmeticOperand(const Node &node, size_t i, size_t rank);
  /// A layer of two operands without attributes but the node's id.
  mlir::Value makeLayer(const Node &node, llvm::StringRef operation, mlir::ValueRange operands, mlir::Type type);
  llvm::Error checkDivisor(const Node &node);
  /// The node as a factor and an offset a channel, for the layer before it; null where it is none.
  mlir::Value absorbAffine(const Node &node, size_t i, const Tensor &other);
  mlir::Value makeAffine(const Node &node, mlir::Value x, llvm::ArrayRef<float> scale, llvm::ArrayRef<float> offset);
  /// Adds to the bias of the layer behind operand `i`; null where it has no such layer to itself.
  mlir::Value absorbBias(const Node &node, size_t i, const Tensor &bias);

  // ImportConditions.cpp.
  Result importComparison(const Node &node); // Greater, GreaterOrEqual, Less, LessOrEqual
  Result importNot(const Node &node);
  Result importWhere(const Node &node);
  mlir::Value makeNot(const Node &node, mlir::Value condition, const std::string &id);
  /// One step of `node`: Add, Sub, Mul or Div of two values or constants, under the name `output`.
  Result arithmetic(const Node &node, const char *op, const std::string &a, const std::string &b,
                    const std::string &output);

  // ImportFunctions.cpp.
  using Function = llvm::function_ref<mlir::Value(FunctionBuilder &, mlir::Value)>;
  Result importFunction(const Node &node);
  Result importPow(const Node &node);
  llvm::Expected<float> scalar(const Node &node, size_t i);
  Result importLeakyRelu(const Node &node);
  Result importPRelu(const Node &node);
  Result importLRN(const Node &node);
  mlir::Value makeMap(const Node &node, mlir::Value x, const std::string &id, Function function);
  mlir::Value makePRelu(const Node &node, mlir::Value x, mlir::Value slope);

  // ImportWindows.cpp.
  Result importMaxPool(const Node &node);
  Result importAveragePool(const Node &node);
  Result importGlobalMaxPool(const Node &node);
  Result importGlobalAveragePool(const Node &node);

  // ImportTransposed.cpp.
  Result importConvTranspose(const Node &node);
  mlir::Value interleavePhases(mlir::Location location, mlir::Value x, int64_t channels,
                               llvm::ArrayRef<TransposedAxis> axes);

  // ImportReductions.cpp.
  /// Makes the layer that reduces windows of size `kernel` of a value to `shape`.
  using MakeWindow = llvm::function_ref<mlir::Value(mlir::Value x, const Shape &shape, const Shape &kernel)>;
  Result importReduction(const Node &node, MakeWindow make);
  Result importReduceMax(const Node &node);
  Result importReduceMean(const Node &node);
  Result importReduceSum(const Node &node);

  // ImportSelections.cpp.
  Result importSlice(const Node &node);
  Result importSplit(const Node &node);
  Result importGather(const Node &node);
  Result importExpand(const Node &node);
  Result importPad(const Node &node);
  mlir::Value makeSlice(mlir::Location location, mlir::StringAttr id, mlir::Value x, const Shape &offsets,
                        const Shape &steps, const Shape &shape);
  /// A slice where the indices are evenly spaced.
  mlir::Value makeGather(mlir::Location location, mlir::StringAttr id, mlir::Value x, int64_t axis,
                         llvm::ArrayRef<int64_t> indices);
  mlir::Value makePad(mlir::Location location, mlir::StringAttr id, mlir::Value x, const Shape &low, const Shape &high,
                      float value);
  Result makeRepeatedBorder(const Node &node, const std::string &mode, mlir::Value x, const Shape &low,
                            const Shape &high);

  // ImportResize.cpp.
  Result importResize(const Node &node);
  Result resizeNearest(const Node &node, mlir::Value x, llvm::ArrayRef<Resized> dimensions);
  Result resizeLinear(const Node &node, mlir::Value x, llvm::ArrayRef<Resized> dimensions);

  // ImportShapes.cpp.
  Result importConcat(const Node &node);
  Result importReshape(const Node &node);
  Result importFlatten(const Node &node);
  Result importSqueeze(const Node &node);
  Result importUnsqueeze(const Node &node);
  Result importTranspose(const Node &node);
  Result importDepthToSpace(const Node &node);
  Result importSpaceToDepth(const Node &node);
  Result importCast(const Node &node);
  Result importIdentity(const Node &node);
  Result importDropout(const Node &node);
  /// The operand itself where it has the shape or the order already.
  mlir::Value makeReshape(mlir::Location location, mlir::StringAttr id, mlir::Value x, const Shape &shape);
  mlir::Value makeTranspose(mlir::Location location, mlir::StringAttr id, mlir::Value x, const Shape &permutation);

  std::string path;
  Graph graph;
  mlir::OpBuilder builder;
  std::unordered_map<std::string, mlir::Value> values;
  std::unordered_map<std::string, mlir::Value> unexpanded; // what an Expand repeats
  std::unordered_map<std::string, int> reads;              // by nodes and outputs
  std::vector<std::string> unsupported;                    // lines
  std::string fault;                                       // of the model, not of our support
};

} // namespace dyadic::importer

#endif // DYADIC_LIB_IMPORT_IMPORTER_H
