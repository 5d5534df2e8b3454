// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/IR/QnnDialect.h"
#include "dyadic/IR/Moments.h"
#include "dyadic/IR/Types.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dyadic::qnn;

#include "dyadic/IR/QnnDialect.cpp.inc"
#include "dyadic/IR/QnnEnums.cpp.inc"
#include "dyadic/IR/QnnInterfaces.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dyadic/IR/QnnAttributes.cpp.inc"

void QNNDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dyadic/IR/QnnAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dyadic/IR/QnnOps.cpp.inc"
      >();
}

LogicalResult QNNDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  if (attribute.getName() == kMomentsAttr)
    return verifyMoments(op, attribute.getValue());
  if (attribute.getName() != kBatchAttr)
    return op->emitError() << "unknown attribute '" << attribute.getName().getValue() << "' of the qnn dialect";
  if (!isa<FunctionOpInterface>(op) || !isa<UnitAttr>(attribute.getValue()))
    return op->emitError() << "'" << kBatchAttr << "' is a unit attribute of functions";
  return success();
}

static LogicalResult verifyBoundary(Operation *op, Type type, NamedAttribute attribute) {
  if (attribute.getName() == kNameAttr) {
    if (!isa<StringAttr>(attribute.getValue()))
      return op->emitError() << "'" << kNameAttr << "' is " << attribute.getValue() << ", expected a string";
    return success();
  }
  if (attribute.getName() == kValueAttr) {
    if (!isa<UnitAttr>(attribute.getValue()))
      return op->emitError() << "'" << kValueAttr << "' is " << attribute.getValue() << ", expected a unit attribute";
    return success();
  }
  if (attribute.getName() == kTypeAttr) {
    auto typeAttr = dyn_cast<TypeAttr>(attribute.getValue());
    if (!typeAttr || !quantInfo(typeAttr.getValue()))
      return op->emitError() << "'" << kTypeAttr << "' is " << attribute.getValue()
                             << ", expected a !quant.uniform type";
    auto shaped = dyn_cast<ShapedType>(type);
    if (!shaped || storageType(typeAttr.getValue()).getWidth() != shaped.getElementTypeBitWidth())
      return op->emitError() << "'" << kTypeAttr << "' is " << typeAttr.getValue() << ", which " << type
                             << " does not store";
    return success();
  }
  return op->emitError() << "unknown attribute '" << attribute.getName().getValue() << "' of the qnn dialect";
}

LogicalResult QNNDialect::verifyRegionArgAttribute(Operation *op, unsigned, unsigned argument,
                                                   NamedAttribute attribute) {
  return verifyBoundary(op, cast<FunctionOpInterface>(op).getArgumentTypes()[argument], attribute);
}

LogicalResult QNNDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned result,
                                                      NamedAttribute attribute) {
  return verifyBoundary(op, cast<FunctionOpInterface>(op).getResultTypes()[result], attribute);
}
