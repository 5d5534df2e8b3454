// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks a function from top to bottom and keeps every value.

#include "dyadic/Reference/Interpreter.h"
#include "Operations.h"
#include "dyadic/IR/Constants.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/TensorTypes.h"
#include "dyadic/IR/Types.h"
#include "dyadic/Support/Error.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using mlir::Operation;

namespace dyadic {
namespace reference {

template <typename T> static std::string printed(T value) {
  std::string text;
  raw_string_ostream(text) << value;
  return text;
}

static std::string printedShape(ArrayRef<int64_t> shape) {
  std::string text = "[";
  for (auto [i, size] : enumerate(shape))
    text += (i ? ", " : "") + std::to_string(size);
  return text + "]";
}

std::string nodeName(Operation *op) {
  if (auto layer = dyn_cast<qnn::LayerOpInterface>(op))
    if (mlir::StringAttr id = layer.getIdAttr())
      return escaped(id.getValue());
  return op->getName().getStringRef().str();
}

Error operationError(Operation *op, const Twine &what) { return makeError(nodeName(op) + ": " + what); }

std::vector<int64_t> ints(const Tensor &tensor) {
  std::vector<int64_t> result(tensor.size());
  for (size_t i = 0; i < result.size(); ++i)
    result[i] = tensor.intAt(i);
  return result;
}

ArrayRef<float> floats(const Tensor &tensor) { return {tensor.as<float>(), static_cast<size_t>(tensor.size())}; }

static bool isQuantized(mlir::Type type) { return isa<mlir::quant::QuantizedType>(mlir::getElementTypeOrSelf(type)); }

/// A zeroed tensor of MLIR type `type`, or what is wrong with it.
static Expected<Tensor> makeTensor(mlir::Type type) {
  auto shaped = dyn_cast<mlir::RankedTensorType>(type);
  std::optional<ElementType> element = shaped ? elementTypeOf(shaped.getElementType()) : std::nullopt;
  if (!element || !shaped.hasStaticShape())
    return makeError("type " + printed(type) + ", expected a tensor of static shape with elements of f32, siN or uiN");
  int64_t elements = 1;
  for (int64_t size : shaped.getShape())
    if (MulOverflow(elements, size, elements) || elements > kMaxElements)
      return makeError("type " + printed(type) + " has too many elements, expected at most " + Twine(kMaxElements));
  return Tensor(*element, shaped.getShape().vec());
}

static Error runConstant(mlir::arith::ConstantOp op, Tensor &out) {
  ConstantView view(op.getValue());
  if (!view || out.type == ElementType::F64 || out.type == ElementType::Bool)
    return operationError(op, "constant of type " + printed(op.getType()) + " without readable contents, " +
                                  "expected dense f32 or integer elements");
  for (int64_t i = 0, end = out.size(); i < end; ++i) {
    if (isFloat(out))
      out.as<float>()[i] = view.floatAt(i);
    else
      out.setInt(i, view.intAt(i));
  }
  return Error::success();
}

static Error runOperation(Operation *op, Operands in, Tensor &out) {
  return TypeSwitch<Operation *, Error>(op)
      .Case<qnn::ConvOp, qnn::MatmulOp, qnn::BatchNormOp, qnn::AddOp, qnn::SubOp, qnn::MulOp, qnn::MapOp, qnn::TableOp,
            qnn::PReluOp, qnn::ReluOp, qnn::ClipOp, qnn::ConcatOp, qnn::SoftmaxOp, qnn::RequantizeOp, qnn::RangeOp,
            qnn::QuantizeOp, qnn::DequantizeOp, qnn::MaxPoolOp, qnn::AvgPoolOp, qnn::InterpolateOp, qnn::ReshapeOp,
            qnn::TransposeOp, qnn::SliceOp, qnn::GatherOp, qnn::PadOp>([&](auto typed) { return run(typed, in, out); })
      .Case([&](mlir::arith::ConstantOp constant) { return runConstant(constant, out); })
      .Default([](Operation *other) {
        return operationError(other, "operation " + escaped(other->getName().getStringRef()) +
                                         " is not one that the interpreter knows");
      });
}

/// What can be said before anything runs: a program of the quantized level would
/// otherwise fail at its first constant, with a message about that.
static Error checkLevel(mlir::Block &body) {
  for (Operation &op : body)
    for (mlir::TypeRange types : {mlir::TypeRange(op.getOperandTypes()), mlir::TypeRange(op.getResultTypes())})
      for (mlir::Type type : types)
        if (isQuantized(type))
          return operationError(&op, "operation " + escaped(op.getName().getStringRef()) + " with type " +
                                         printed(type) + " of the quantized level, expected f32 or integers");
  return Error::success();
}

static Expected<mlir::func::FuncOp> entryOf(mlir::ModuleOp module) {
  auto main = module.lookupSymbol<mlir::func::FuncOp>("main");
  auto functions = llvm::to_vector(module.getOps<mlir::func::FuncOp>());
  if (!main && functions.size() == 1)
    main = functions.front();
  if (!main)
    return makeError("module has " + Twine(functions.size()) + " functions and none named main, expected main or one");
  if (!main.getBody().hasOneBlock())
    return makeError("function " + escaped(main.getName()) + " has " + Twine(main.getBody().getBlocks().size()) +
                     " blocks, expected one");
  return main;
}

static std::string argumentName(mlir::func::FuncOp function, unsigned i) {
  if (auto name = function.getArgAttrOfType<mlir::StringAttr>(i, qnn::kNameAttr))
    return "input " + escaped(name.getValue());
  return "input " + std::to_string(i);
}

static Error checkInputs(mlir::func::FuncOp function, ArrayRef<Tensor> inputs) {
  if (inputs.size() != function.getNumArguments())
    return makeError(Twine(inputs.size()) + " inputs, expected " + Twine(function.getNumArguments()));
  for (auto [i, input] : enumerate(inputs)) {
    const std::string name = argumentName(function, i);
    Expected<Tensor> expected = makeTensor(function.getArgumentTypes()[i]);
    if (!expected)
      return makeError(name + ": " + toString(expected.takeError()));
    if (input.type != expected->type || input.shape != expected->shape)
      return makeError(name + ": " + elementName(input.type) + " of shape " + printedShape(input.shape) +
                       ", expected " + elementName(expected->type) + " of shape " + printedShape(expected->shape));
    if (input.data.size() != expected->data.size())
      return makeError(name + ": " + Twine(input.data.size()) + " bytes, expected " + Twine(expected->data.size()));
  }
  return Error::success();
}

namespace {
/// One run of a function.
class Run {
public:
  Error start(mlir::func::FuncOp function, ArrayRef<Tensor> inputs) {
    for (auto [argument, input] : zip_equal(function.getArguments(), inputs))
      known.try_emplace(argument, input);
    for (Operation &op : function.getBody().front().without_terminator())
      if (Error error = step(&op))
        return error;
    return Error::success();
  }

  Expected<std::vector<Tensor>> results(Operation *terminator) {
    if (!isa<mlir::func::ReturnOp>(terminator))
      return operationError(terminator, "ends the function, expected func.return");
    std::vector<Tensor> result;
    for (mlir::Value value : terminator->getOperands())
      result.push_back(known.at(value));
    return result;
  }

  /// The value of each layer, in program order; a later operation replaces an earlier
  /// one of the same id, as in quant-expose-values.
  void layers(mlir::func::FuncOp function, std::vector<NamedTensor> &values) {
    MapVector<StringRef, mlir::Value> last;
    for (Operation *op : layersOf(function))
      if (mlir::StringAttr id = cast<qnn::LayerOpInterface>(op).getIdAttr()) {
        last.erase(id.getValue());
        last[id.getValue()] = layerValue(op);
      }
    for (auto [id, value] : last)
      values.push_back({id.str(), known.at(value)});
  }

private:
  Error step(Operation *op) {
    if (op->getNumResults() != 1)
      return operationError(op, "operation " + escaped(op->getName().getStringRef()) + " with " +
                                    Twine(op->getNumResults()) + " results, expected one");
    SmallVector<const Tensor *> operands;
    for (mlir::Value value : op->getOperands())
      operands.push_back(&known.at(value));
    Expected<Tensor> out = makeTensor(op->getResult(0).getType());
    if (!out)
      return operationError(op, toString(out.takeError()));
    if (Error error = runOperation(op, operands, *out))
      return error;
    known.try_emplace(op->getResult(0), std::move(*out));
    return Error::success();
  }

  DenseMap<mlir::Value, Tensor> known;
};
} // namespace
} // namespace reference

Expected<std::vector<Tensor>> interpret(mlir::ModuleOp module, ArrayRef<Tensor> inputs,
                                        std::vector<NamedTensor> *values) {
  using namespace reference;
  Expected<mlir::func::FuncOp> function = entryOf(module);
  if (!function)
    return function.takeError();
  mlir::Block &body = function->getBody().front();
  if (Error error = checkLevel(body))
    return std::move(error);
  if (Error error = checkInputs(*function, inputs))
    return std::move(error);
  Run run;
  if (Error error = run.start(*function, inputs))
    return std::move(error);
  Expected<std::vector<Tensor>> results = run.results(body.getTerminator());
  if (results && values)
    run.layers(*function, *values);
  return results;
}

} // namespace dyadic
