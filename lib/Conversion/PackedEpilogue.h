// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From 16 sums to 16 stored numbers, as Support/Dyadic.h rounds them.

#ifndef DYADIC_LIB_CONVERSION_PACKEDEPILOGUE_H
#define DYADIC_LIB_CONVERSION_PACKEDEPILOGUE_H

#include "VectorBuilder.h"
#include "dyadic/IR/QnnDialect.h"

namespace dyadic {

using qnn::kPanelChannels;
/// Channels of one vector of sums.
inline constexpr int64_t kSumLanes = 8;

/// The attributes of a packed operation that its epilogue needs.
struct EpilogueInfo {
  template <typename Op>
  explicit EpilogueInfo(Op op)
      : kind(op.getEpilogue()), rounding(op.getRounding()), zeroPoint(static_cast<int64_t>(op.getZeroPoint())),
        clamp(op.getClamp()), residualZeroPoint(static_cast<int64_t>(op.getResidualZp())),
        isResidualUnsigned(op.getResidualUnsigned()), highHalves(op.getHighHalves()),
        type(mlir::cast<mlir::MemRefType>(op.getDest().getType())),
        residualType(op.getResidual() ? mlir::cast<mlir::MemRefType>(op.getResidual().getType()) : nullptr),
        stride(mlir::cast<mlir::ShapedType>(op.getChannels().getType()).getDimSize(1)) {}

  qnn::Epilogue kind;
  qnn::Rounding rounding;
  int64_t zeroPoint;
  llvm::ArrayRef<int64_t> clamp;
  int64_t residualZeroPoint;
  bool isResidualUnsigned;
  bool highHalves; // no exponent is below 32: the high halves of the products are enough
  mlir::MemRefType type, residualType;
  int64_t stride; // numbers from one row of `channels` to the next
};

class Epilogue {
public:
  Epilogue(VectorBuilder &b, const EpilogueInfo &info) : b(b), info(info) {}

  /// Stores `count` of the 16 sums of a position at `dest`. `channels` is the address of the
  /// panel's first column, `residual` that of the other operand of an addition.
  void store(llvm::ArrayRef<mlir::Value> sums, mlir::Value channels, mlir::Value residual, mlir::Value dest,
             int64_t count);

private:
  using Value = mlir::Value;
  /// Row `row` of `channels` for the panel's sums of vector `half`.
  Value row(Value channels, int64_t row, int64_t half);
  /// Clamped results of 8 sums; `other` are residuals or null.
  Value finish(Value sums, Value other, Value channels, int64_t half);
  /// The exact 64-bit products of the even or odd lanes.
  Value product(Value a, Value b, bool odd);
  Value lanes(Value value, bool odd, bool isUnsigned);

  VectorBuilder &b;
  const EpilogueInfo &info;
};

} // namespace dyadic

#endif // DYADIC_LIB_CONVERSION_PACKEDEPILOGUE_H
