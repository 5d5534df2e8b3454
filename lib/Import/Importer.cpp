// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The driver of the import, and importOnnx itself.

#include "Importer.h"
#include "Evaluate.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Import/OnnxImport.h"
#include "dyadic/Support/Error.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringMap.h"
#include <cmath>

using namespace mlir;
using llvm::Error;
using llvm::Expected;

namespace dyadic::importer {

//===----------------------------------------------------------------------===//
// What is supported
//===----------------------------------------------------------------------===//

Importer::Handler Importer::handlerOf(llvm::StringRef op) {
  static const llvm::StringMap<Handler> handlers = {
      {"Add", &Importer::importArithmetic},
      {"AveragePool", &Importer::importAveragePool},
      {"BatchNormalization", &Importer::importBatchNormalization},
      {"Cast", &Importer::importCast},
      {"Clip", &Importer::importClip},
      {"Concat", &Importer::importConcat},
      {"Conv", &Importer::importConv},
      {"ConvTranspose", &Importer::importConvTranspose},
      {"DepthToSpace", &Importer::importDepthToSpace},
      {"Div", &Importer::importArithmetic},
      {"Dropout", &Importer::importDropout},
      {"Expand", &Importer::importExpand},
      {"Flatten", &Importer::importFlatten},
      {"Gather", &Importer::importGather},
      {"Gemm", &Importer::importGemm},
      {"GlobalAveragePool", &Importer::importGlobalAveragePool},
      {"GlobalMaxPool", &Importer::importGlobalMaxPool},
      {"Greater", &Importer::importComparison},
      {"GreaterOrEqual", &Importer::importComparison},
      {"Identity", &Importer::importIdentity},
      {"LRN", &Importer::importLRN},
      {"LeakyRelu", &Importer::importLeakyRelu},
      {"Less", &Importer::importComparison},
      {"LessOrEqual", &Importer::importComparison},
      {"MatMul", &Importer::importMatMul},
      {"Max", &Importer::importMinMax},
      {"MaxPool", &Importer::importMaxPool},
      {"Min", &Importer::importMinMax},
      {"Mul", &Importer::importArithmetic},
      {"Not", &Importer::importNot},
      {"PRelu", &Importer::importPRelu},
      {"Pad", &Importer::importPad},
      {"Pow", &Importer::importPow},
      {"ReduceMax", &Importer::importReduceMax},
      {"ReduceMean", &Importer::importReduceMean},
      {"ReduceSum", &Importer::importReduceSum},
      {"Relu", &Importer::importRelu},
      {"Reshape", &Importer::importReshape},
      {"Resize", &Importer::importResize},
      {"Slice", &Importer::importSlice},
      {"Softmax", &Importer::importSoftmax},
      {"SpaceToDepth", &Importer::importSpaceToDepth},
      {"Split", &Importer::importSplit},
      {"Squeeze", &Importer::importSqueeze},
      {"Sub", &Importer::importArithmetic},
      {"Transpose", &Importer::importTranspose},
      {"Unsqueeze", &Importer::importUnsqueeze},
      {"Where", &Importer::importWhere},
  };
  static constexpr llvm::StringLiteral functions[] = {
      "Abs", "Celu", "Elu",        "Erf",  "Exp",  "Gelu",    "HardSigmoid", "HardSwish", "Log",   "Mish",
      "Neg", "Selu", "Reciprocal", "Sign", "Sqrt", "Sigmoid", "Softplus",    "Softsign",  "Swish", "Tanh"};
  return llvm::is_contained(functions, op) ? &Importer::importFunction : handlers.lookup(op);
}

bool isImportedOrEvaluated(llvm::StringRef op) {
  static constexpr llvm::StringLiteral evaluated[] = {
      "And",   "Ceil",      "Constant",   "ConstantOfShape", "Equal", "Floor", "Mod",  "Or",
      "Range", "ReduceMin", "ReduceProd", "Round",           "Shape", "Size",  "Tile", "Xor"};
  return Importer::handlerOf(op) || llvm::is_contained(evaluated, op);
}

std::string unsupportedLine(llvm::StringRef name, llvm::StringRef op, llvm::StringRef reason) {
  return escaped(name) + " (" + escaped(op) + "): " + reason.str();
}

Error unsupportedError(llvm::StringRef path, std::vector<std::string> lines) {
  if (lines.size() == 1)
    return fileError(path, lines[0]);
  std::string what = std::to_string(lines.size()) + " nodes are not supported";
  return listError(path, what, std::move(lines));
}

//===----------------------------------------------------------------------===//
// Helpers of the methods
//===----------------------------------------------------------------------===//

Importer::Importer(llvm::StringRef path, Graph graph, MLIRContext &context)
    : path(path), graph(std::move(graph)), builder(&context) {
  for (const Node &node : this->graph.nodes)
    for (const std::string &input : node.inputs)
      ++reads[input];
  for (const GraphOutput &output : this->graph.outputs)
    ++reads[output.name];
}

RankedTensorType Importer::typeOf(Value value) const { return cast<RankedTensorType>(value.getType()); }

RankedTensorType Importer::floatType(const Shape &shape) const {
  return RankedTensorType::get(shape, Float32Type::get(builder.getContext()));
}

Shape Importer::shapeOf(Value value) const { return typeOf(value).getShape().vec(); }

Location Importer::locationOf(const Node &node) const {
  return NameLoc::get(StringAttr::get(builder.getContext(), node.name));
}

StringAttr Importer::idOf(const Node &node) const { return StringAttr::get(builder.getContext(), node.outputs[0]); }

DenseI64ArrayAttr Importer::i64s(const Shape &values) const {
  return DenseI64ArrayAttr::get(builder.getContext(), values);
}

Value Importer::makeFloats(const std::string &name, const Shape &shape, llvm::ArrayRef<float> numbers) {
  Location location = NameLoc::get(builder.getStringAttr(name));
  return makeConstant(builder, location, dyadic::makeFloats(floatType(shape), numbers));
}

const Tensor *Importer::constant(const Node &node, size_t i) const {
  if (!node.hasInput(i))
    return nullptr;
  auto it = graph.constants.find(node.inputs[i]);
  return it == graph.constants.end() ? nullptr : it->second.get();
}

Importer::Result Importer::operand(const Node &node, size_t i) {
  if (!node.hasInput(i))
    return makeError("operand " + llvm::Twine(i) + " is missing");
  if (constant(node, i))
    return makeError("operand '" + escaped(node.inputs[i]) + "' is a constant, expected a computed value");
  auto it = values.find(node.inputs[i]);
  if (it == values.end())
    return makeError("operand '" + escaped(node.inputs[i]) + "' is not a tensor of float32 of known shape");
  return it->second;
}

Error Importer::notConstant(const std::string &name) const {
  return makeError(
      "operand '" + escaped(name) +
      (values.count(name) ? "' is computed, expected a constant" : "' is not a constant of a supported type"));
}

Expected<const Tensor *> Importer::floats(const Node &node, size_t i) {
  if (!node.hasInput(i))
    return nullptr;
  const Tensor *tensor = constant(node, i);
  if (!tensor)
    return notConstant(node.inputs[i]);
  if (tensor->type != ElementType::F32)
    return makeError("operand '" + escaped(node.inputs[i]) + "' has element type " + elementName(tensor->type) +
                     ", expected float32");
  const float *begin = tensor->as<float>(), *end = begin + tensor->size();
  std::string wrong;
  if (tensor->size() == 0)
    wrong = "has shape " + shapeText(tensor->shape) + ", expected sizes of at least 1";
  else if (!std::all_of(begin, end, [](float x) { return std::isfinite(x); }))
    wrong = "contains numbers that are not finite, expected finite ones";
  if (!wrong.empty()) {
    fault = llvm::toString(nodeError(path, node.name, "constant '" + escaped(node.inputs[i]) + "' " + wrong));
    return makeError(fault);
  }
  return tensor;
}

Expected<std::optional<std::vector<int64_t>>> Importer::ints(const Node &node, size_t i) {
  if (!node.hasInput(i))
    return std::nullopt;
  if (!constant(node, i))
    return notConstant(node.inputs[i]);
  std::optional<std::vector<int64_t>> result = intsOperand(node, i, nullptr, graph.constants);
  if (!result)
    return makeError("operand '" + escaped(node.inputs[i]) + "' has shape " + shapeText(constant(node, i)->shape) +
                     " of " + elementName(constant(node, i)->type) + ", expected a list of integers");
  return result;
}

Expected<float> Importer::number(const Node &node, size_t i, float otherwise) {
  if (!node.hasInput(i))
    return otherwise;
  const Tensor *tensor = constant(node, i);
  if (!tensor)
    return notConstant(node.inputs[i]);
  if (tensor->type != ElementType::F32 || tensor->size() != 1)
    return makeError("operand '" + escaped(node.inputs[i]) + "' has shape " + shapeText(tensor->shape) + " of " +
                     elementName(tensor->type) + ", expected one float32");
  return *tensor->as<float>();
}

Error Importer::expectOutputs(const Node &node) const {
  for (size_t i = 1; i < node.outputs.size(); ++i)
    if (!node.outputs[i].empty() && reads.count(node.outputs[i]) && !values.count(node.outputs[i]))
      return makeError("output '" + escaped(node.outputs[i]) + "' is used, expected only the first output to be");
  return Error::success();
}

//===----------------------------------------------------------------------===//
// The driver
//===----------------------------------------------------------------------===//

void Importer::replaceOutputs(const Node &node) {
  for (const std::string &output : node.outputs) {
    auto shape = graph.floatShapes.find(output);
    if (output.empty() || shape == graph.floatShapes.end() || elementCount(shape->second).value_or(0) == 0)
      continue;
    auto placeholder = UnrealizedConversionCastOp::create(builder, locationOf(node),
                                                          TypeRange{floatType(shape->second)}, ValueRange{});
    values[output] = placeholder.getResult(0);
  }
}

void Importer::importNode(const Node &node) {
  Handler handler = node.isKnown ? handlerOf(node.op) : nullptr;
  if (!handler) {
    const char *reason = !node.isKnown                    ? kUnknownOperator
                         : isImportedOrEvaluated(node.op) ? "its operands are computed, expected constants"
                                                          : kNotSupported;
    unsupported.push_back(unsupportedLine(node.name, node.op, reason));
    return replaceOutputs(node);
  }
  // Behind a node without support nothing is known, and so nothing is wrong.
  if (!unsupported.empty())
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (node.hasInput(i) && !constant(node, i) && !values.count(node.inputs[i]))
        return replaceOutputs(node);
  Result result = [&]() -> Result {
    if (node.outputs.empty() || node.outputs[0].empty())
      return makeError("the first output has no name");
    Result first = (this->*handler)(node);
    if (first)
      if (Error error = expectOutputs(node))
        return error;
    return first;
  }();
  if (result) {
    values[node.outputs[0]] = *result;
    return;
  }
  unsupported.push_back(unsupportedLine(node.name, node.op, llvm::toString(result.takeError())));
  replaceOutputs(node);
}

static NamedAttribute nameAttribute(OpBuilder &builder, const std::string &name) {
  return builder.getNamedAttr(qnn::kNameAttr, builder.getStringAttr(name));
}

void Importer::addArguments(Block *block) {
  for (const GraphInput &input : graph.inputs) {
    Value argument = block->addArgument(floatType(input.shape), NameLoc::get(builder.getStringAttr(input.name)));
    if (input.elementType == elementName(ElementType::F32))
      values[input.name] = argument;
    else
      unsupported.push_back(""); // reported below, unless there are nodes to list
  }
}

Error Importer::addResults(Block *block) {
  SmallVector<Value> results;
  for (const GraphOutput &output : graph.outputs) {
    auto it = graph.constants.find(output.name);
    if (it != graph.constants.end() && it->second->type == ElementType::F32 && it->second->size() > 0)
      values[output.name] = makeFloats(output.name, it->second->shape,
                                       {it->second->as<float>(), static_cast<size_t>(it->second->size())});
    auto value = values.find(output.name);
    if (value == values.end() || !output.isFloat)
      return fileError(path, "output '" + escaped(output.name) + "' is not a tensor of float32 of known shape");
    Shape shape = shapeOf(value->second), declared = output.declared;
    bool agrees = declared.empty() || declared.size() == shape.size();
    for (size_t d = 0; agrees && d < declared.size(); ++d)
      agrees = declared[d] < 0 || declared[d] == shape[d];
    if (!agrees)
      return fileError(path, "output '" + escaped(output.name) + "' has shape " + shapeText(shape) +
                                 ", expected the model's " + shapeText(declared) + " (-1: any)");
    graph.hasBatch &= !shape.empty() && shape[0] == 1;
    results.push_back(value->second);
  }
  func::ReturnOp::create(builder, builder.getUnknownLoc(), results);
  auto function = cast<func::FuncOp>(block->getParentOp());
  function.setFunctionType(builder.getFunctionType(block->getArgumentTypes(), ValueRange(results).getTypes()));
  SmallVector<mlir::Attribute> arguments, outputs;
  for (const GraphInput &input : graph.inputs)
    arguments.push_back(builder.getDictionaryAttr(nameAttribute(builder, input.name)));
  for (const GraphOutput &output : graph.outputs)
    outputs.push_back(builder.getDictionaryAttr(nameAttribute(builder, output.name)));
  function.setArgAttrsAttr(builder.getArrayAttr(arguments));
  function.setResAttrsAttr(builder.getArrayAttr(outputs));
  if (graph.hasBatch)
    function->setAttr(qnn::kBatchAttr, builder.getUnitAttr());
  return Error::success();
}

Error Importer::finishBorders(func::FuncOp function) {
  eraseDead(function);
  function.walk([&](qnn::PadOp pad) {
    if (!pad.getValue().isFinite())
      unsupported.push_back(unsupportedLine(cast<NameLoc>(pad.getLoc()).getName(), "Pad", kBorderNotFinite));
  });
  return unsupported.empty() ? Error::success() : unsupportedError(path, unsupported);
}

Error Importer::verify(ModuleOp module) {
  std::string node, message;
  ScopedDiagnosticHandler handler(builder.getContext(), [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error && message.empty()) {
      message = diagnostic.str();
      if (auto name = diagnostic.getLocation()->findInstanceOf<NameLoc>())
        node = name.getName().str();
    }
    return success();
  });
  if (succeeded(mlir::verify(module)))
    return Error::success();
  return node.empty() ? fileError(path, message) : nodeError(path, node, message);
}

Expected<OwningOpRef<ModuleOp>> Importer::run() {
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder.getUnknownLoc());
  builder.setInsertionPointToEnd(module->getBody());
  auto function = func::FuncOp::create(builder, builder.getUnknownLoc(), "main", builder.getFunctionType({}, {}));
  Block *block = builder.createBlock(&function.getBody());
  addArguments(block);
  for (const Node &node : graph.nodes) {
    importNode(node);
    if (!fault.empty())
      return makeError(fault);
  }
  llvm::erase(unsupported, std::string());
  if (!unsupported.empty())
    return unsupportedError(path, unsupported);
  for (const GraphInput &input : graph.inputs)
    if (input.elementType != elementName(ElementType::F32))
      return fileError(path, "input '" + escaped(input.name) + "' has element type " + input.elementType +
                                 ", expected float32");
  if (Error error = addResults(block))
    return error;
  if (Error error = finishBorders(function))
    return error;
  if (Error error = verify(*module))
    return error;
  return module;
}

} // namespace dyadic::importer

Expected<OwningOpRef<ModuleOp>> dyadic::importOnnx(const OnnxSource &source, const ImportOptions &options,
                                                   MLIRContext &context) {
  Expected<importer::Graph> graph = importer::loadGraph(source, options.inputShapes);
  if (!graph)
    return graph.takeError();
  context.loadDialect<qnn::QNNDialect, arith::ArithDialect, func::FuncDialect>();
  return importer::Importer(source.name, std::move(*graph), context).run();
}
