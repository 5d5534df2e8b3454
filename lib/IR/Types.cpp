// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/IR/Types.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;

namespace dyadic::qnn {

bool isStorageType(Type type) {
  auto integer = dyn_cast<IntegerType>(type);
  return integer && !integer.isSignless() && (integer.getWidth() == 8 || integer.getWidth() == 16);
}

bool isIntegerElementType(Type type) { return isStorageType(type) || type.isSignedInteger(32); }

bool isElementType(Type type) {
  return type.isF32() || isIntegerElementType(type) ||
         isa<quant::UniformQuantizedType, quant::UniformQuantizedPerAxisType>(type);
}

Level levelOf(Type shapedType) {
  Type element = getElementTypeOrSelf(shapedType);
  if (isa<quant::QuantizedType>(element))
    return Level::Quantized;
  return isa<IntegerType>(element) ? Level::Integer : Level::Float;
}

std::optional<QuantInfo> quantInfo(Type elementType) {
  auto base = dyn_cast<quant::QuantizedType>(elementType);
  if (!base)
    return std::nullopt;
  QuantInfo info;
  info.bits = base.getStorageTypeIntegralWidth();
  info.isSigned = base.isSigned();
  info.min = base.getStorageTypeMin();
  info.max = base.getStorageTypeMax();
  if (auto perTensor = dyn_cast<quant::UniformQuantizedType>(elementType)) {
    info.scales.push_back(perTensor.getScale());
    info.zeroPoint = perTensor.getZeroPoint();
    return info;
  }
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(elementType);
  if (!perAxis || perAxis.getZeroPoints().empty() || !llvm::all_equal(perAxis.getZeroPoints()))
    return std::nullopt;
  info.scales.assign(perAxis.getScales().begin(), perAxis.getScales().end());
  info.zeroPoint = perAxis.getZeroPoints().front();
  info.axis = perAxis.getQuantizedDimension();
  return info;
}

quant::UniformQuantizedType perTensorType(MLIRContext *context, unsigned bits, bool isSigned, float scale,
                                          int64_t zeroPoint) {
  StorageRange range = storageRange(bits, isSigned);
  return quant::UniformQuantizedType::get(isSigned ? quant::QuantizationFlags::Signed : 0,
                                          IntegerType::get(context, bits), Float32Type::get(context), scale, zeroPoint,
                                          range.min, range.max);
}

quant::UniformQuantizedPerAxisType symmetricPerAxisType(MLIRContext *context, unsigned bits, ArrayRef<double> scales,
                                                        int axis, int64_t min, int64_t max) {
  SmallVector<int64_t> zeroPoints(scales.size(), 0);
  return quant::UniformQuantizedPerAxisType::get(quant::QuantizationFlags::Signed, IntegerType::get(context, bits),
                                                 Float32Type::get(context), scales, zeroPoints, axis, min, max);
}

bool isAccumulatorType(Type elementType) {
  auto type = dyn_cast<quant::QuantizedType>(elementType);
  return type && type.getStorageTypeIntegralWidth() == 32;
}

IntegerType storageType(Type elementType) {
  auto type = cast<quant::QuantizedType>(elementType);
  unsigned bits = type.getStorageTypeIntegralWidth();
  return IntegerType::get(type.getContext(), bits <= 8 ? 8 : (bits <= 16 ? 16 : 32),
                          type.isSigned() ? IntegerType::Signed : IntegerType::Unsigned);
}

StorageRange integerRange(Type integerElementType) {
  auto type = cast<IntegerType>(integerElementType);
  return storageRange(type.getWidth(), type.isSigned());
}

LogicalResult verifyQuantizedType(function_ref<InFlightDiagnostic()> emitError, Type shapedType) {
  auto shaped = cast<ShapedType>(shapedType);
  auto type = dyn_cast<quant::QuantizedType>(shaped.getElementType());
  if (!type)
    return success();
  if (!type.getExpressedType().isF32())
    return emitError() << "quantized type expresses " << type.getExpressedType() << ", expected f32";
  unsigned bits = type.getStorageTypeIntegralWidth();
  if (bits == 32 && !type.isSigned())
    return emitError() << "accumulator without sign, expected a signed one";
  if (bits != 32 && (bits < 2 || bits > (type.isSigned() ? 16u : 15u)))
    return emitError() << "storage of " << bits << " bits, expected 2 to " << (type.isSigned() ? 16 : 15) << ", or 32";
  SmallVector<int64_t> zeroPoints;
  if (auto perTensor = dyn_cast<quant::UniformQuantizedType>(type))
    zeroPoints.push_back(perTensor.getZeroPoint());
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type)) {
    zeroPoints.append(perAxis.getZeroPoints().begin(), perAxis.getZeroPoints().end());
    int64_t axis = perAxis.getQuantizedDimension();
    if (axis < 0 || axis >= shaped.getRank())
      return emitError() << "quantized axis " << axis << " of a tensor of rank " << shaped.getRank();
    if (static_cast<int64_t>(perAxis.getScales().size()) != shaped.getDimSize(axis))
      return emitError() << perAxis.getScales().size() << " scales along axis " << axis << " of size "
                         << shaped.getDimSize(axis);
  }
  for (int64_t zeroPoint : zeroPoints)
    if (zeroPoint < type.getStorageTypeMin() || zeroPoint > type.getStorageTypeMax())
      return emitError() << "zero point " << zeroPoint << " is outside [" << type.getStorageTypeMin() << ", "
                         << type.getStorageTypeMax() << "]";
  return success();
}

} // namespace dyadic::qnn
