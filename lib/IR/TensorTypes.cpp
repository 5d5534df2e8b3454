// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/IR/TensorTypes.h"

using namespace mlir;

namespace dyadic {

static std::optional<ElementType> integerElement(unsigned width, bool isUnsigned) {
  switch (width) {
  case 8:
    return isUnsigned ? ElementType::U8 : ElementType::S8;
  case 16:
    return isUnsigned ? ElementType::U16 : ElementType::S16;
  case 32:
    return isUnsigned ? ElementType::U32 : ElementType::S32;
  case 64:
    return isUnsigned ? ElementType::U64 : ElementType::S64;
  default:
    return std::nullopt;
  }
}

std::optional<ElementType> elementTypeOf(Type type) {
  if (type.isF32())
    return ElementType::F32;
  if (type.isF64())
    return ElementType::F64;
  if (type.isSignlessInteger(1))
    return ElementType::Bool;
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer || integer.isSignless())
    return std::nullopt;
  return integerElement(integer.getWidth(), integer.isUnsigned());
}

Type mlirType(ElementType type, MLIRContext *context) {
  auto integer = [context](unsigned width, IntegerType::SignednessSemantics signedness) {
    return IntegerType::get(context, width, signedness);
  };
  switch (type) {
  case ElementType::F32:
    return Float32Type::get(context);
  case ElementType::F64:
    return Float64Type::get(context);
  case ElementType::Bool:
    return integer(1, IntegerType::Signless);
  case ElementType::U8:
  case ElementType::U16:
  case ElementType::U32:
  case ElementType::U64:
    return integer(8 * elementSize(type), IntegerType::Unsigned);
  case ElementType::S8:
  case ElementType::S16:
  case ElementType::S32:
  case ElementType::S64:
    return integer(8 * elementSize(type), IntegerType::Signed);
  }
  return NoneType::get(context);
}

} // namespace dyadic
