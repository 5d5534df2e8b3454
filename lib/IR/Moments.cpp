// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/IR/Moments.h"
#include "dyadic/IR/QnnDialect.h"
#include <cmath>

using namespace mlir;

namespace dyadic {

ValueMoments readMoments(Operation *layer) {
  ValueMoments moments;
  if (auto numbers = layer->getAttrOfType<DenseF64ArrayAttr>(kMomentsAttr)) {
    ArrayRef<double> all = numbers.asArrayRef();
    moments.means.assign(all.begin(), all.begin() + all.size() / 2);
    moments.deviations.assign(all.begin() + all.size() / 2, all.end());
  }
  return moments;
}

void writeMoments(Operation *layer, const ValueMoments &moments) {
  layer->removeAttr(kMomentsAttr);
  if (moments.means.empty())
    return;
  SmallVector<double> all(moments.means);
  all.append(moments.deviations);
  layer->setAttr(kMomentsAttr, DenseF64ArrayAttr::get(layer->getContext(), all));
}

LogicalResult verifyMoments(Operation *op, Attribute attribute) {
  auto numbers = dyn_cast<DenseF64ArrayAttr>(attribute);
  if (!numbers || !isa<qnn::ConvOp, qnn::MatmulOp>(op) || op->getNumOperands() < 2)
    return op->emitError() << "'" << kMomentsAttr << "' is an array of f64 of convolutions and matmuls";
  auto type = dyn_cast<RankedTensorType>(op->getOperand(1).getType());
  int64_t channels = type && type.getRank() > 0 ? type.getDimSize(isa<qnn::ConvOp>(op) ? 0 : type.getRank() - 1) : 0;
  if (numbers.size() != 2 * channels)
    return op->emitError() << "'" << kMomentsAttr << "' has " << numbers.size() << " numbers, expected " << 2 * channels
                           << ": a mean and a deviation for each channel";
  for (auto [i, number] : llvm::enumerate(numbers.asArrayRef()))
    if (!std::isfinite(number) || (static_cast<int64_t>(i) >= channels && number < 0))
      return op->emitError() << "'" << kMomentsAttr << "' has " << number
                             << ", expected finite means, then finite deviations of at least 0";
  return success();
}

} // namespace dyadic
