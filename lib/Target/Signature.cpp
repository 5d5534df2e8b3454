// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Target/Signature.h"
#include "dyadic/IR/Layers.h"
#include "dyadic/IR/QnnDialect.h"
#include "dyadic/IR/TensorTypes.h"
#include "dyadic/IR/Types.h"
#include "dyadic/Support/Error.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace dyadic::qnn;

namespace dyadic {

int64_t BoundaryTensor::bytes() const { return static_cast<int64_t>(sizeInBytes(type, shape)); }

static llvm::Expected<BoundaryTensor> read(StringRef name, Type type, TypeAttr quantized, bool hasBatch) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  std::optional<ElementType> element;
  if (tensor && isElementType(tensor.getElementType()))
    element = elementTypeOf(tensor.getElementType());
  if (!element || !tensor.hasStaticShape()) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return makeError("'" + escaped(name) + "' has type " + text +
                     ", expected a static tensor of f32 or stored integers");
  }
  BoundaryTensor result;
  result.name = name.str();
  result.type = *element;
  result.shape.assign(tensor.getShape().begin(), tensor.getShape().end());
  result.hasBatch = hasBatch && !result.shape.empty() && result.shape[0] == 1;
  if (quantized)
    if (std::optional<QuantInfo> info = quantInfo(quantized.getValue())) {
      result.axis = info->axis;
      result.scales.assign(info->scales.begin(), info->scales.end());
      result.zeroPoint = info->zeroPoint;
      result.range = {info->min, info->max};
    }
  return result;
}

/// Names tell inputs apart, and outputs.
static llvm::Error checkNames(StringRef kind, ArrayRef<BoundaryTensor> tensors) {
  llvm::StringSet<> names;
  for (const BoundaryTensor &tensor : tensors)
    if (!names.insert(tensor.name).second)
      return makeError("two " + kind + " are named '" + escaped(tensor.name) + "', expected different names");
  return llvm::Error::success();
}

llvm::Expected<Signature> readSignature(ModuleOp module) {
  func::FuncOp function = entryFunction(module);
  if (!function)
    return makeError("the module has no single public function, expected one entry");
  if (!function.getBody().hasOneBlock())
    return makeError("the entry function has several blocks, expected one");
  Signature signature;
  signature.hasBatch = function->hasAttr(kBatchAttr);
  for (BlockArgument argument : function.getArguments()) {
    unsigned i = argument.getArgNumber();
    StringRef name = argumentName(function, i);
    llvm::Expected<BoundaryTensor> tensor =
        read(name.empty() ? ("input" + Twine(i)).str() : name.str(), argument.getType(),
             function.getArgAttrOfType<TypeAttr>(i, kTypeAttr), signature.hasBatch);
    if (!tensor)
      return tensor.takeError();
    signature.inputs.push_back(*tensor);
  }
  for (unsigned i = 0; i < function.getNumResults(); ++i) {
    StringRef name = resultName(function, i);
    llvm::Expected<BoundaryTensor> tensor =
        read(name.empty() ? ("output" + Twine(i)).str() : name.str(), function.getResultTypes()[i],
             function.getResultAttrOfType<TypeAttr>(i, kTypeAttr), signature.hasBatch);
    if (!tensor)
      return tensor.takeError();
    signature.outputs.push_back(*tensor);
    signature.numValues += function.getResultAttr(i, kValueAttr) != nullptr;
  }
  if (llvm::Error error = checkNames("inputs", signature.inputs))
    return error;
  ArrayRef<BoundaryTensor> outputs = signature.outputs;
  if (llvm::Error error = checkNames("outputs", outputs.drop_back(signature.numValues)))
    return error;
  return signature;
}

} // namespace dyadic
